package org.s3core.hadoop;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Locale;
import org.apache.hadoop.fs.ByteBufferPositionedReadable;

/** Reads at a position into a buffer of any kind. Loaded on Hadoop 2.10, and 3.3 and newer only. */
class PositionedInputStream extends CapableInputStream implements ByteBufferPositionedReadable {
  PositionedInputStream(OpenedFile file, long length) {
    super(file, length);
  }

  static S3CoreInputStream open(OpenedFile file, long length) {
    return new PositionedInputStream(file, length);
  }

  @Override
  public boolean hasCapability(String capability) {
    return "in:preadbytebuffer".equals(capability.toLowerCase(Locale.ROOT)) || super.hasCapability(capability);
  }

  @Override
  public int read(long from, ByteBuffer target) throws IOException {
    checkOpen();
    if (from < 0) {
      throw new EOFException(path() + ": negative position " + from);
    }
    counts().reads.increment();
    if (from >= length()) {
      return target.hasRemaining() ? -1 : 0;
    }
    int count = (int) Math.min(target.remaining(), length() - from);
    readInto(from, target, count);
    return count;
  }

  @Override
  public void readFully(long from, ByteBuffer target) throws IOException {
    checkOpen();
    if (from < 0 || target.remaining() > length() - from) {
      throw new EOFException(path() + ": " + target.remaining() + " bytes at " + from + " of " + length());
    }
    counts().fullReads.increment();
    readInto(from, target, target.remaining());
  }

  private void readInto(long from, ByteBuffer target, int count) throws IOException {
    RangeTarget one = new RangeTarget(from, count, target);
    counted(() -> RangeTarget.read(reader(), one));
    one.finish();
    target.position(target.position() + count);
    count(count);
  }
}
