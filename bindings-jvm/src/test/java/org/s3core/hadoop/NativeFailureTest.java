package org.s3core.hadoop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NativeFailureTest {
  private static final String LOCATION = "s3a://lake/a/b";
  private static final String MESSAGE = LOCATION + ": GetObject: no (HTTP 500)";

  @ParameterizedTest
  @ValueSource(strings = {"java.io.FileNotFoundException", "java.io.EOFException", "java.io.InterruptedIOException",
      "java.io.IOException", "java.lang.IllegalArgumentException", "java.lang.UnsupportedOperationException",
      "java.net.ConnectException", "java.net.UnknownHostException", "java.net.SocketTimeoutException",
      "java.net.SocketException", "java.net.ProtocolException", "java.nio.file.AccessDeniedException",
      "javax.net.ssl.SSLHandshakeException", "org.apache.hadoop.fs.FileAlreadyExistsException",
      "org.apache.hadoop.fs.ParentNotDirectoryException"})
  void theMessageIsTheErrorsOwn(String className) {
    Throwable failure = NativeFailure.create(className, LOCATION, MESSAGE);
    assertEquals(className, failure.getClass().getName());
    assertEquals(MESSAGE, failure.getMessage());
  }

  @Test
  void exceptionsOfAPathNameItOnce() {
    Throwable failure = NativeFailure.create("org.apache.hadoop.fs.PathIOException", LOCATION, MESSAGE);
    assertEquals("`" + LOCATION + "': GetObject: no (HTTP 500)", failure.getMessage());
  }

  @Test
  void aDirectoryThatIsNotEmptyIsNamed() {
    Throwable failure =
        NativeFailure.create("org.apache.hadoop.fs.PathIsNotEmptyDirectoryException", LOCATION, MESSAGE);
    assertEquals("`" + LOCATION + "': Directory is not empty", failure.getMessage());
  }

  @Test
  void withoutAPlaceTheMessageStaysWhole() {
    assertEquals(IOException.class,
        NativeFailure.create("org.apache.hadoop.fs.PathIOException", null, "quota").getClass());
    assertEquals("no keys",
        NativeFailure.create("java.nio.file.AccessDeniedException", null, "no keys").getMessage().replace("null: ", ""));
  }
}
