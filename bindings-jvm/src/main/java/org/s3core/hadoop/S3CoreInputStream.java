package org.s3core.hadoop;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.hadoop.fs.ByteBufferReadable;
import org.apache.hadoop.fs.CanUnbuffer;
import org.apache.hadoop.fs.FSExceptionMessages;
import org.apache.hadoop.fs.FSInputStream;
import org.apache.hadoop.fs.FileSystem;

/**
 * An open file. Small reads are served from a buffer here, so that they seldom cross into the library; large ones go
 * straight. Reads by position neither use nor move the position of the stream, and may run beside it.
 *
 * <p>One thread may close the stream while others read: their reads end with "Stream is closed!".
 */
class S3CoreInputStream extends FSInputStream implements CanUnbuffer, ByteBufferReadable {
  private static final int BUFFER_SIZE = 64 * 1024;

  private final long reader;
  private final long length;
  private final String path;
  private final FileSystem.Statistics statistics;
  private final Cleanup cleanup;
  private volatile boolean isClosed;

  /** Where the next sequential read begins. */
  private long position;
  private byte[] buffer;
  private long bufferStart;
  private int bufferLength;

  /**
   * @param reader id of the native reader, which this stream closes
   * @param length of the object in bytes
   * @param path for messages
   * @param statistics counts of the reading thread; may be null
   */
  S3CoreInputStream(long reader, long length, String path, FileSystem.Statistics statistics) {
    this.reader = reader;
    this.length = length;
    this.path = path;
    this.statistics = statistics;
    this.cleanup = Cleanup.when(this, () -> Native.closeReader(reader));
  }

  @Override
  public synchronized int read() throws IOException {
    checkOpen();
    if (!isBuffered() && !fillBuffer()) {
      return -1;
    }
    int octet = buffer[(int) (position - bufferStart)] & 0xff;
    advance(1);
    return octet;
  }

  @Override
  public synchronized int read(byte[] target, int offset, int wanted) throws IOException {
    checkOpen();
    checkBounds(target, offset, wanted);
    if (wanted == 0) {
      return 0;
    }
    if (!isBuffered()) {
      if (wanted >= BUFFER_SIZE) {
        int count = Native.read(reader, position, target, offset, wanted);
        advance(count);
        return count == 0 ? -1 : count;
      }
      if (!fillBuffer()) {
        return -1;
      }
    }
    int count = Math.min(wanted, buffered());
    System.arraycopy(buffer, (int) (position - bufferStart), target, offset, count);
    advance(count);
    return count;
  }

  @Override
  public synchronized int read(ByteBuffer target) throws IOException {
    checkOpen();
    int wanted = target.remaining();
    if (wanted == 0) {
      return 0;
    }
    if (target.isDirect() && wanted >= BUFFER_SIZE && !isBuffered()) {
      int count = Native.readDirect(reader, position, target, target.position(), wanted);
      target.position(target.position() + count);
      advance(count);
      return count == 0 ? -1 : count;
    }
    if (target.hasArray()) {
      int count = read(target.array(), target.arrayOffset() + target.position(), wanted);
      target.position(target.position() + Math.max(count, 0));
      return count;
    }
    if (!isBuffered() && !fillBuffer()) {
      return -1;
    }
    int count = Math.min(wanted, buffered());
    target.put(buffer, (int) (position - bufferStart), count);
    advance(count);
    return count;
  }

  @Override
  public int read(long from, byte[] target, int offset, int wanted) throws IOException {
    checkOpen();
    checkPosition(from);
    checkBounds(target, offset, wanted);
    if (wanted == 0) {
      return 0;
    }
    if (from >= length) {
      return -1;
    }
    int count = (int) Math.min(wanted, length - from);
    Native.readRange(reader, from, target, offset, count);
    count(count);
    return count;
  }

  @Override
  public void readFully(long from, byte[] target, int offset, int wanted) throws IOException {
    checkOpen();
    checkPosition(from);
    checkBounds(target, offset, wanted);
    if (wanted > length - from) {
      throw new EOFException(path + ": " + wanted + " bytes at " + from + " were wanted, the file has " + length);
    }
    if (wanted > 0) {
      Native.readRange(reader, from, target, offset, wanted);
      count(wanted);
    }
  }

  @Override
  public void readFully(long from, byte[] target) throws IOException {
    readFully(from, target, 0, target.length);
  }

  @Override
  public synchronized void seek(long target) throws IOException {
    checkOpen();
    checkPosition(target);
    if (target > length) {
      throw new EOFException(path + ": " + FSExceptionMessages.CANNOT_SEEK_PAST_EOF + " " + target + " of " + length);
    }
    position = target;
  }

  @Override
  public synchronized long skip(long wanted) throws IOException {
    checkOpen();
    long count = Math.max(0, Math.min(wanted, length - position));
    position += count;
    return count;
  }

  @Override
  public synchronized int available() throws IOException {
    checkOpen();
    return (int) Math.min(Integer.MAX_VALUE, length - position);
  }

  @Override
  public synchronized long getPos() {
    return position;
  }

  /** There is only one source. */
  @Override
  public boolean seekToNewSource(long target) {
    return false;
  }

  @Override
  public synchronized void unbuffer() {
    if (!isClosed) {
      buffer = null;
      bufferLength = 0;
      Native.unbuffer(reader);
    }
  }

  /** Not synchronized: it ends a read that another thread is waiting in. */
  @Override
  public void close() {
    if (!isClosed) {
      isClosed = true;
      cleanup.cancel();
      Native.closeReader(reader);
    }
  }

  @Override
  public String toString() {
    return "S3CoreInputStream{" + path + ", length " + length + "}";
  }

  final long reader() {
    return reader;
  }

  final long length() {
    return length;
  }

  final String path() {
    return path;
  }

  final void checkOpen() throws IOException {
    if (isClosed) {
      throw new IOException(path + ": " + FSExceptionMessages.STREAM_IS_CLOSED);
    }
  }

  /** Counts bytes for the calling thread, which is how Spark tells its tasks' input apart. */
  final void count(long bytes) {
    if (statistics != null && bytes > 0) {
      statistics.incrementBytesRead(bytes);
    }
  }

  private boolean isBuffered() {
    return position >= bufferStart && position < bufferStart + bufferLength;
  }

  private int buffered() {
    return (int) (bufferStart + bufferLength - position);
  }

  private boolean fillBuffer() throws IOException {
    if (position >= length) {
      return false;
    }
    if (buffer == null) {
      buffer = new byte[(int) Math.min(BUFFER_SIZE, length)];
    }
    bufferLength = 0;
    int count = Native.read(reader, position, buffer, 0, (int) Math.min(buffer.length, length - position));
    bufferStart = position;
    bufferLength = count;
    return count > 0;
  }

  private void advance(int count) {
    position += count;
    count(count);
  }

  private void checkPosition(long from) throws EOFException {
    if (from < 0) {
      throw new EOFException(path + ": " + FSExceptionMessages.NEGATIVE_SEEK + " " + from);
    }
  }

  private static void checkBounds(byte[] target, int offset, int wanted) {
    if (target == null) {
      throw new IllegalArgumentException("null buffer");
    }
    if (wanted < 0) {
      throw new IllegalArgumentException("negative length " + wanted);
    }
    if (offset < 0 || wanted > target.length - offset) {
      throw new IndexOutOfBoundsException(
          FSExceptionMessages.TOO_MANY_BYTES_FOR_DEST_BUFFER + ": " + wanted + " at " + offset + " of " + target.length);
    }
  }
}
