package org.s3core.hadoop;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The functions of the native library. Nothing here may be called before {@link NativeLibrary#load()}.
 *
 * <p>Stores, listings, readers and writers are ids; an id of something that is closed already finds nothing, and the
 * call then fails with "... is closed!". Paths are keys: no leading slash, and "" for the root. Every call that waits
 * for the gateway ends with {@link java.io.InterruptedIOException} within 50 ms after its thread is interrupted.
 * Errors are of the classes that core's error table names.
 */
final class Native {
  private Native() {
  }

  /** Version of the library; usable before {@link #initialize}. */
  static native String version();

  /** {@code heap}: largest heap in bytes; {@code first}: whether no other copy of the library is in the process. */
  static native void initialize(long heap, boolean first);

  // Stores. keysAndValues: every fs.s3a.* and fs.s3core.* key of a Configuration, each followed by its value.

  static native boolean usesTls(String bucket, String[] keysAndValues) throws IOException;

  /** {@code trusted}: DER certificates to trust beside the operating system's. Nothing is sent. */
  static native long openStore(String bucket, String[] keysAndValues, byte[][] trusted) throws IOException;

  /** Ends the store and its files: calls on them fail, and what is being written stays invisible. */
  static native void closeStore(long store);

  /** Forgets a store that nobody can call any more; its files live on. */
  static native void releaseStore(long store);

  static native byte[] status(long store, String path) throws IOException;

  static native boolean delete(long store, String path, boolean recursive) throws IOException;

  static native boolean rename(long store, String from, String to) throws IOException;

  static native void makeDirectory(long store, String path) throws IOException;

  /** Files, directories and bytes of a tree. */
  static native long[] summary(long store, String path) throws IOException;

  /** Milliseconds of the last change, or 0, then lines of a header's name and text. For {@link Decoder}. */
  static native byte[] headers(long store, String path) throws IOException;

  /** Most files of one call of {@link #deleteFiles}. */
  static native int deleteMaximum(long store) throws IOException;

  /** Lines of the files that are still there, each with the reason. For {@link Decoder#table}. */
  static native byte[] deleteFiles(long store, String[] paths) throws IOException;

  /** Lines of option, value and origin; foreign keys have two empty columns. For {@link Decoder#table}. */
  static native byte[] explain(long store) throws IOException;

  /** Requests, retries, failures, bytes sent and received by operation. For {@link Decoder#counts}. */
  static native byte[] statistics(long store) throws IOException;

  /** Limit, bytes in use and largest use of the memory budget; zeros before the first store. */
  static native long[] memory();

  // Listings.

  static native long openListing(long store, String path, boolean recursive) throws IOException;

  /** The next page for {@link Decoder#entries}, or null at the end. */
  static native byte[] nextPage(long listing) throws IOException;

  static native void closeListing(long listing);

  // Readers.

  /**
   * {@code length} and {@code readahead} are -1, {@code etag} and {@code policies} null where nobody says; the first known
   * of the policies, between commas, counts.
   */
  static native long openReader(long store, String path, long length, String etag, String policies, long readahead)
      throws IOException;

  /** What the reader has cost so far: requests by operation, then the numbers that {@link ReadCounts} reads. */
  static native byte[] readerCounts(long reader) throws IOException;

  static native void setReadahead(long reader, long bytes) throws IOException;

  static native long readerLength(long reader) throws IOException;

  /** Sequential read of at least one byte; 0 at the end. */
  static native int read(long reader, long position, byte[] target, int offset, int length) throws IOException;

  static native int readDirect(long reader, long position, ByteBuffer target, int offset, int length)
      throws IOException;

  /** Exactly {@code length} bytes, beside what is read sequentially. */
  static native void readRange(long reader, long position, byte[] target, int offset, int length)
      throws IOException;

  /**
   * Each target is a byte[] or a direct ByteBuffer and filled from its offset on. Number of requests that it took, and bytes
   * between the ranges that came along.
   */
  static native long[] readRanges(long reader, long[] positions, int[] lengths, Object[] targets, int[] offsets)
      throws IOException;

  /** Does nothing where the reader is closed already. */
  static native void unbuffer(long reader);

  static native void closeReader(long reader);

  // Writers.

  /** {@code existing}: a number of {@link CreateRequest}; {@code metadata}: names, each followed by its value. */
  static native long openWriter(long store, String path, int existing, String etag, String contentType,
      String[] metadata, boolean unchecked, boolean asUpload) throws IOException;

  /** Requests that the file has taken so far by operation. For {@link Decoder#counts}. */
  static native byte[] writerRequests(long writer) throws IOException;

  static native void write(long writer, byte[] data, int offset, int length) throws IOException;

  /**
   * The object becomes visible; not in an interrupted thread. Its ETag, "" where it is pending, then the requests that it
   * took by operation. For {@link Decoder}.
   */
  static native byte[] closeWriter(long writer) throws IOException;

  /** Nothing becomes visible. Returns at once; what was sent is removed meanwhile. */
  static native void abortWriter(long writer);

  // Uploads whose parts the caller sends by itself.

  static native String beginUpload(long store, String path) throws IOException;

  /** A writer of one part, numbered from 1; closing it sends it and gives its ETag. */
  static native long openPart(long store, String path, String upload, int number) throws IOException;

  /** The ETag of the file, which becomes visible. */
  static native String completeUpload(long store, String path, String upload, int[] numbers, String[] etags)
      throws IOException;

  static native void abortUpload(long store, String path, String upload) throws IOException;

  /** How many there were below the directory. */
  static native int abortUploadsBelow(long store, String path) throws IOException;

  // Committers. Destinations are paths; job, task and attempt are the names that Hadoop or Spark gives them.

  /**
   * {@code again}: whether an earlier process may have set the job up; {@code committer}, {@code conflictMode}: the job's
   * options {@code fs.s3a.committer.name} and {@code fs.s3a.committer.staging.conflict-mode}, or "".
   */
  static native void setUpJob(long store, String destination, String job, boolean again, String committer,
      String conflictMode) throws IOException;

  /** Number and bytes of the files that became visible. */
  static native long[] commitJob(long store, String destination, String job, boolean marksSuccess, String committer,
      String conflictMode) throws IOException;

  static native void abortJob(long store, String destination, String job) throws IOException;

  /** Where the attempt creates its files: a path without a leading slash. */
  static native String workPath(String destination, String job, String task, String attempt);

  /** Registers the work path in this process; nothing is sent. */
  static native void setUpTask(long store, String destination, String job, String task, String attempt);

  static native boolean needsTaskCommit(long store, String destination, String job, String task, String attempt)
      throws IOException;

  static native void commitTask(long store, String destination, String job, String task, String attempt)
      throws IOException;

  static native void abortTask(long store, String destination, String job, String task, String attempt)
      throws IOException;

  // Log.

  /** Rooms of the log between commas, in the order of {@link #setLogLevels}. */
  static native String logRooms();

  /** From 0, nothing, to 5, trace. */
  static native void setLogLevels(byte[] levels);

  /** The next record for {@link Decoder}, or null where none comes in time. */
  static native byte[] nextLogRecord(int milliseconds);

  // Called by the library.

  static boolean isInterrupted() {
    return Thread.currentThread().isInterrupted();
  }

  /** Asked once in each thread. */
  static long threadId() {
    return Thread.currentThread().getId();
  }

  static Throwable failure(String className, String location, String message) {
    return NativeFailure.create(className, location, message);
  }
}
