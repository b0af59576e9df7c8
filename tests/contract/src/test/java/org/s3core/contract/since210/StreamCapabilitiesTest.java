package org.s3core.contract.since210;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import org.apache.hadoop.fs.ByteBufferPositionedReadable;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.StreamCapabilities;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.s3core.contract.FileSystemTest;

/** What streams say that they can, and reads by position into buffers. */
public class StreamCapabilitiesTest extends FileSystemTest {

  @Test
  public void streamsSayWhatTheyCan() throws Exception {
    Path file = path("file");
    try (FSDataOutputStream out = fileSystem.create(file)) {
      assertFalse(out.hasCapability("hflush"));
      assertFalse(out.hasCapability("hsync"));
    }
    try (FSDataInputStream in = fileSystem.open(file)) {
      StreamCapabilities stream = (StreamCapabilities) in.getWrappedStream();
      for (String capability : new String[] {"in:readahead", "in:unbuffer", "in:readbytebuffer", "in:preadbytebuffer"}) {
        assertTrue(stream.hasCapability(capability), capability);
      }
      assertFalse(stream.hasCapability("in:nothing"));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  public void buffersAreFilledByPosition(boolean isDirect) throws Exception {
    Path file = write("file", "0123456789");
    try (FSDataInputStream in = fileSystem.open(file)) {
      ByteBufferPositionedReadable stream = (ByteBufferPositionedReadable) in.getWrappedStream();
      ByteBuffer target = isDirect ? ByteBuffer.allocateDirect(8) : ByteBuffer.allocate(8);
      target.position(1).limit(5);
      assertEquals(4, stream.read(3, target));
      assertEquals(5, target.position());
      assertEquals(0, in.getPos());
      byte[] read = new byte[4];
      target.position(1);
      target.get(read);
      assertArrayEquals(bytes("3456"), read);
      target.clear();
      assertEquals(2, stream.read(8, target));
      assertEquals(-1, stream.read(10, target));
    }
  }
}
