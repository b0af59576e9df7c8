package org.s3core.hadoop;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hadoop.fs.ByteBufferReadable;
import org.apache.hadoop.fs.CanSetReadahead;
import org.apache.hadoop.fs.CanUnbuffer;
import org.apache.hadoop.fs.FSExceptionMessages;
import org.apache.hadoop.fs.FSInputStream;

/**
 * An open file. Small reads are served from a buffer here, so that they seldom cross into the library; large ones go
 * straight. Reads by position neither use nor move the position of the stream, and may run beside it.
 *
 * <p>One thread may close the stream while others read: their reads end with "Stream is closed!".
 */
class S3CoreInputStream extends FSInputStream implements CanUnbuffer, CanSetReadahead, ByteBufferReadable {
  private static final int BUFFER_SIZE = 64 * 1024;

  private final OpenedFile file;
  private final long reader;
  private final long length;
  private final String path;
  private final ReadCounts counts = new ReadCounts();
  private final Cleanup cleanup;
  private final AtomicBoolean isClosed = new AtomicBoolean();
  /** What was counted until the stream was closed. */
  private volatile Map<String, Long> lastCounts;

  /** Where the next sequential read begins. */
  private long position;
  private byte[] buffer;
  private long bufferStart;
  private int bufferLength;

  /** {@code length}: of the object in bytes. */
  S3CoreInputStream(OpenedFile file, long length) {
    this.file = file;
    this.reader = file.id;
    this.length = length;
    this.path = file.path;
    long id = file.id;
    this.cleanup = Cleanup.when(this, () -> Native.closeReader(id));
  }

  @Override
  public synchronized int read() throws IOException {
    checkOpen();
    counts.reads.increment();
    if (!isBuffered() && !fillBuffer()) {
      return -1;
    }
    int octet = buffer[(int) (position - bufferStart)] & 0xff;
    advance(1, 1);
    return octet;
  }

  @Override
  public synchronized int read(byte[] target, int offset, int wanted) throws IOException {
    checkOpen();
    checkBounds(target, offset, wanted);
    if (wanted == 0) {
      return 0;
    }
    counts.reads.increment();
    if (!isBuffered()) {
      if (wanted >= BUFFER_SIZE) {
        int count = counted(() -> Native.read(reader, position, target, offset, wanted));
        advance(count, wanted);
        return count == 0 ? -1 : count;
      }
      if (!fillBuffer()) {
        return -1;
      }
    }
    int count = Math.min(wanted, buffered());
    System.arraycopy(buffer, (int) (position - bufferStart), target, offset, count);
    advance(count, wanted);
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
      counts.reads.increment();
      int count = counted(() -> Native.readDirect(reader, position, target, target.position(), wanted));
      target.position(target.position() + count);
      advance(count, wanted);
      return count == 0 ? -1 : count;
    }
    if (target.hasArray()) {
      int count = read(target.array(), target.arrayOffset() + target.position(), wanted);
      target.position(target.position() + Math.max(count, 0));
      return count;
    }
    counts.reads.increment();
    if (!isBuffered() && !fillBuffer()) {
      return -1;
    }
    int count = Math.min(wanted, buffered());
    target.put(buffer, (int) (position - bufferStart), count);
    advance(count, wanted);
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
    counts.reads.increment();
    if (from >= length) {
      return -1;
    }
    int count = (int) Math.min(wanted, length - from);
    readRange(from, target, offset, count);
    incomplete(count, wanted);
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
    counts.fullReads.increment();
    if (wanted > 0) {
      readRange(from, target, offset, wanted);
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
    move(target);
  }

  @Override
  public synchronized long skip(long wanted) throws IOException {
    checkOpen();
    long count = Math.max(0, Math.min(wanted, length - position));
    move(position + count);
    return count;
  }

  private void move(long target) {
    long distance = target - position;
    if (distance > 0) {
      counts.forwardSeeks.increment();
      counts.bytesForward.add(distance);
    } else if (distance < 0) {
      counts.backwardSeeks.increment();
      counts.bytesBackward.add(-distance);
    }
    position = target;
  }

  /** How much a read asks the gateway for at least where the file is read here and there; null for what is configured. */
  @Override
  public void setReadahead(Long readahead) throws IOException {
    if (readahead != null && readahead < 0) {
      throw new IllegalArgumentException(path + ": negative readahead " + readahead);
    }
    if (readahead != null) {
      checkOpen();
      Native.setReadahead(reader, readahead);
    }
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
    if (!isClosed.get()) {
      counts.unbuffers.increment();
      buffer = null;
      bufferLength = 0;
      Native.unbuffer(reader);
    }
  }

  /** Not synchronized: it ends a read that another thread is waiting in. */
  @Override
  public void close() {
    if (isClosed.compareAndSet(false, true)) {
      cleanup.cancel();
      counts.closes.increment();
      try {
        keepCounts();
        closed();
      } finally {
        Native.closeReader(reader);
      }
    }
  }

  /** Called once, when everything is counted. */
  void closed() {
  }

  private void keepCounts() {
    try {
      lastCounts = counts.byName(new Decoder(Native.readerCounts(reader)));
    } catch (IOException e) {
      NativeLog.LOG.debug("{}: the counts of a stream whose file system was closed are lost", path, e);
      lastCounts = Collections.emptyMap();
    }
    lastCounts.forEach((name, number) -> {
      // Requests are counted for the file system already.
      if (number > 0 && name.startsWith("stream_")) {
        file.whole.add(name, number);
      }
    });
  }

  /** What the stream has done so far, under Hadoop's names; also after it was closed. */
  final Map<String, Long> counted() {
    Map<String, Long> last = lastCounts;
    if (last != null) {
      return last;
    }
    try {
      return counts.byName(new Decoder(Native.readerCounts(reader)));
    } catch (IOException e) {
      return lastCounts == null ? Collections.emptyMap() : lastCounts;
    }
  }

  @Override
  public String toString() {
    return "S3CoreInputStream{" + path + ", length " + length + "}";
  }

  final long reader() {
    return reader;
  }

  final ReadCounts counts() {
    return counts;
  }

  final long length() {
    return length;
  }

  final String path() {
    return path;
  }

  final void checkOpen() throws IOException {
    if (isClosed.get()) {
      throw new IOException(path + ": " + FSExceptionMessages.STREAM_IS_CLOSED);
    }
  }

  /** Counts bytes for the calling thread, which is how Spark tells its tasks' input apart. */
  final void count(long bytes) {
    if (bytes > 0) {
      counts.bytes.add(bytes);
      if (file.statistics != null) {
        file.statistics.incrementBytesRead(bytes);
      }
    }
  }

  /** A call into the library whose failure is counted. */
  final <T> T counted(NativeCall<T> call) throws IOException {
    try {
      return call.run();
    } catch (IOException e) {
      counts.failures.increment();
      throw e;
    }
  }

  /** A call that waits for the gateway. */
  interface NativeCall<T> {
    T run() throws IOException;
  }

  private void readRange(long from, byte[] target, int offset, int count) throws IOException {
    counted(() -> {
      Native.readRange(reader, from, target, offset, count);
      return null;
    });
    count(count);
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
    int count =
        counted(() -> Native.read(reader, position, buffer, 0, (int) Math.min(buffer.length, length - position)));
    bufferStart = position;
    bufferLength = count;
    return count > 0;
  }

  private void advance(int count, int wanted) {
    position += count;
    incomplete(count, wanted);
    count(count);
  }

  private void incomplete(int count, int wanted) {
    if (count < wanted) {
      counts.incompleteReads.increment();
    }
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
