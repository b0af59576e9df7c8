package org.s3core.hadoop;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hadoop.fs.FSExceptionMessages;
import org.apache.hadoop.fs.Syncable;
import org.apache.hadoop.fs.statistics.StreamStatisticNames;

/**
 * A file that is being written. It becomes visible, whole, when {@link #close} returns; after a failed or interrupted
 * write, and where nobody closes it, never.
 */
class S3CoreOutputStream extends OutputStream implements Syncable {
  private static final int BUFFER_SIZE = 64 * 1024;
  private static final AtomicBoolean WARNED_OF_SYNC = new AtomicBoolean();

  private final OpenedFile file;
  private final long writer;
  private final String path;
  private final boolean downgradeSync;
  private final Cleanup cleanup;

  private byte[] buffer;
  private int buffered;
  private volatile long written;
  private volatile long failures;
  private boolean isClosed;
  private IOException failure;
  /** Requests by operation, once the file is closed. */
  private volatile Map<String, long[]> lastRequests;

  /** {@code downgradeSync}: whether hflush and hsync do nothing rather than fail. */
  S3CoreOutputStream(OpenedFile file, boolean downgradeSync) {
    this.file = file;
    this.writer = file.id;
    this.path = file.path;
    this.downgradeSync = downgradeSync;
    long id = file.id;
    this.cleanup = Cleanup.when(this, () -> Native.abortWriter(id));
  }

  @Override
  public synchronized void write(int octet) throws IOException {
    checkOpen();
    if (buffer == null) {
      buffer = new byte[BUFFER_SIZE];
    }
    buffer[buffered++] = (byte) octet;
    written++;
    if (buffered == BUFFER_SIZE) {
      drain();
    }
  }

  @Override
  public synchronized void write(byte[] data, int offset, int length) throws IOException {
    checkOpen();
    if (offset < 0 || length < 0 || length > data.length - offset) {
      throw new IndexOutOfBoundsException(length + " bytes at " + offset + " of " + data.length);
    }
    if (length >= BUFFER_SIZE) {
      drain();
      send(data, offset, length);
      written += length;
      return;
    }
    if (length > BUFFER_SIZE - buffered) {
      drain();
    }
    if (buffer == null) {
      buffer = new byte[BUFFER_SIZE];
    }
    System.arraycopy(data, offset, buffer, buffered, length);
    buffered += length;
    written += length;
  }

  /** Nothing can become visible before the end, so there is nothing to do. */
  @Override
  public void flush() {
  }

  /** As S3A: nothing is durable before close(); unless {@code fs.s3a.downgrade.syncable.exceptions} is off. */
  @Override
  public void hflush() throws IOException {
    sync("hflush");
  }

  @Override
  public void hsync() throws IOException {
    sync("hsync");
  }

  /** Of Hadoop 2's Syncable. */
  public void sync() throws IOException {
    sync("sync");
  }

  /** The file becomes visible here. A second call does nothing. */
  @Override
  public synchronized void close() throws IOException {
    if (isClosed) {
      return;
    }
    isClosed = true;
    try {
      if (failure == null) {
        drain();
      }
      if (failure != null) {
        throw new IOException(path + ": the file was not completed, since an earlier write failed: "
            + failure.getMessage(), failure);
      }
      lastRequests = complete();
    } finally {
      end();
    }
  }

  private Map<String, long[]> complete() throws IOException {
    try {
      Decoder outcome = new Decoder(Native.closeWriter(writer));
      outcome.string();   // the ETag
      return outcome.counts();
    } catch (IOException e) {
      failures++;
      throw e;
    }
  }

  /** Nothing becomes visible, and closing the stream later does nothing. False where it was closed before. */
  final synchronized boolean giveUp() {
    if (isClosed) {
      return false;
    }
    isClosed = true;
    end();
    return true;
  }

  private void end() {
    if (lastRequests == null) {
      lastRequests = requests();
    }
    buffer = null;
    cleanup.cancel();
    // Does nothing where the writer was closed.
    Native.abortWriter(writer);
    counted().forEach((name, number) -> {
      // Requests are counted for the file system already.
      if (number > 0 && name.startsWith("stream_")) {
        file.whole.add(name, number);
      }
    });
    closed();
  }

  /** Called once, when everything is counted. */
  void closed() {
  }

  /**
   * What the stream has done so far, under Hadoop's names; also after it was closed. Not synchronized: whoever asks must
   * not wait as long as a write does.
   */
  final Map<String, Long> counted() {
    Map<String, long[]> requests = lastRequests == null ? requests() : lastRequests;
    Map<String, Long> counts = new TreeMap<>();
    RequestNames.add(requests, counts);
    counts.put(StreamStatisticNames.STREAM_WRITE_BYTES, written);
    counts.put(StreamStatisticNames.STREAM_WRITE_EXCEPTIONS, failures);
    counts.put(StreamStatisticNames.STREAM_WRITE_BLOCK_UPLOADS,
        requestsOf(requests, "PutObject") + requestsOf(requests, "UploadPart"));
    return counts;
  }

  private Map<String, long[]> requests() {
    try {
      return new Decoder(Native.writerRequests(writer)).counts();
    } catch (IOException e) {
      return Collections.emptyMap();   // the library has closed the writer with its file system
    }
  }

  private static long requestsOf(Map<String, long[]> requests, String operation) {
    long[] numbers = requests.get(operation);
    return numbers == null ? 0 : numbers[0];
  }

  @Override
  public String toString() {
    return "S3CoreOutputStream{" + path + "}";
  }

  private void drain() throws IOException {
    int length = buffered;
    buffered = 0;
    if (length > 0) {
      send(buffer, 0, length);
    }
  }

  private void send(byte[] data, int offset, int length) throws IOException {
    if (failure != null) {
      throw new IOException(path + ": an earlier write failed: " + failure.getMessage(), failure);
    }
    try {
      Native.write(writer, data, offset, length);
    } catch (IOException e) {
      failures++;
      failure = e;
      throw e;
    }
  }

  final String path() {
    return path;
  }

  private void checkOpen() throws IOException {
    if (isClosed) {
      throw new IOException(path + ": " + FSExceptionMessages.STREAM_IS_CLOSED);
    }
  }

  private synchronized void sync(String call) throws IOException {
    checkOpen();
    if (!downgradeSync) {
      throw new UnsupportedOperationException(path + ": S3 shows nothing of a file before it is closed, so " + call
          + " cannot be had (fs.s3a.downgrade.syncable.exceptions is false)");
    }
    if (WARNED_OF_SYNC.compareAndSet(false, true)) {
      NativeLog.LOG.warn("{} was called on {}; on S3 it does nothing, the file becomes visible when it is closed",
          call, path);
    }
  }
}
