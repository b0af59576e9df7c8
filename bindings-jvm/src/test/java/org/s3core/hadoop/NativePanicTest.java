package org.s3core.hadoop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class NativePanicTest {
  /** In debug builds of the library only. */
  private static native void panic();

  @Test
  void aPanicIsAnIOExceptionAndTheProcessGoesOn() throws IOException {
    NativeLibrary.load();
    IOException failure = assertThrows(IOException.class, NativePanicTest::panic);
    assertEquals("a defect in s3core, please report it: a panic for the test", failure.getMessage());
    assertEquals(NativeLibrary.version(), Native.version());
  }
}
