package org.s3core.hadoop;

import static org.apache.hadoop.fs.statistics.StoreStatisticNames.MULTIPART_UPLOAD_ABORTED;
import static org.apache.hadoop.fs.statistics.StoreStatisticNames.MULTIPART_UPLOAD_ABORT_UNDER_PATH_INVOKED;
import static org.apache.hadoop.fs.statistics.StoreStatisticNames.MULTIPART_UPLOAD_COMPLETED;
import static org.apache.hadoop.fs.statistics.StoreStatisticNames.MULTIPART_UPLOAD_PART_PUT;
import static org.apache.hadoop.fs.statistics.StoreStatisticNames.MULTIPART_UPLOAD_PART_PUT_BYTES;
import static org.apache.hadoop.fs.statistics.StoreStatisticNames.MULTIPART_UPLOAD_STARTED;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.fs.MultipartUploader;
import org.apache.hadoop.fs.PartHandle;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathHandle;
import org.apache.hadoop.fs.UploadHandle;
import org.apache.hadoop.fs.statistics.IOStatistics;

/**
 * Uploads files in parts that the caller sends, from as many processes as it likes. Loaded on Hadoop 3.3.1 and newer only.
 *
 * <p>Calls return at once; what they do is done by threads of the uploader.
 */
final class Uploader implements MultipartUploader {
  private static final int THREADS = 8;
  private static final int PIECE = 64 * 1024;
  /** Nobody has to close an uploader, so its threads end by themselves. */
  private static final int IDLE_SECONDS = 10;

  private final S3CoreFileSystem fileSystem;
  private final Path base;
  private final Counts counts = new Counts();
  private final ExecutorService threads;

  Uploader(S3CoreFileSystem fileSystem, Path base) {
    this.fileSystem = fileSystem;
    this.base = fileSystem.makeQualified(base);
    ThreadPoolExecutor pool = new ThreadPoolExecutor(THREADS, THREADS, IDLE_SECONDS, TimeUnit.SECONDS,
        new LinkedBlockingQueue<>(), task -> {
          Thread thread = new Thread(task, "s3core-uploader");
          thread.setDaemon(true);
          return thread;
        });
    pool.allowCoreThreadTimeOut(true);
    this.threads = pool;
  }

  @Override
  public CompletableFuture<UploadHandle> startUpload(Path path) {
    String key = key(path);
    return submit(() -> {
      UploadHandle handle = UploadHandles.ofUpload(Native.beginUpload(fileSystem.store(), key));
      counts.add(MULTIPART_UPLOAD_STARTED, 1);
      return handle;
    });
  }

  /** Of Hadoop 3.4 and newer. */
  @Override
  public CompletableFuture<PartHandle> putPart(UploadHandle upload, int number, boolean isLast, Path path,
      InputStream in, long length) {
    return putPart(upload, number, path, in, length);
  }

  /** Of Hadoop 3.3. Closes {@code in} when it was read. */
  public CompletableFuture<PartHandle> putPart(UploadHandle upload, int number, Path path, InputStream in,
      long length) {
    String key = key(path);
    String id = UploadHandles.id(upload);
    if (in == null || number < 1 || length < 0) {
      throw new IllegalArgumentException(path + ": part " + number + " of " + length + " bytes from " + in);
    }
    return submit(() -> {
      String etag;
      try (InputStream source = in) {
        etag = send(Native.openPart(fileSystem.store(), key, id, number), source, length);
      }
      counts.add(MULTIPART_UPLOAD_PART_PUT, 1);
      counts.add(MULTIPART_UPLOAD_PART_PUT_BYTES, length);
      return UploadHandles.ofPart(key, id, number, etag);
    });
  }

  private static String send(long writer, InputStream source, long length) throws IOException {
    try {
      byte[] piece = new byte[(int) Math.min(PIECE, Math.max(1, length))];
      for (long left = length; left > 0;) {
        int count = source.read(piece, 0, (int) Math.min(piece.length, left));
        if (count < 0) {
          throw new EOFException("the part was to have " + length + " bytes, its source ended " + left + " before");
        }
        Native.write(writer, piece, 0, count);
        left -= count;
      }
      return new Decoder(Native.closeWriter(writer)).string();
    } finally {
      Native.abortWriter(writer);
    }
  }

  @Override
  public CompletableFuture<PathHandle> complete(UploadHandle upload, Path path, Map<Integer, PartHandle> handles) {
    String key = key(path);
    String id = UploadHandles.id(upload);
    if (handles.isEmpty()) {
      throw new IllegalArgumentException(path + ": an upload of no parts");
    }
    Map<Integer, String> etags = new TreeMap<>();
    handles.forEach((number, handle) -> {
      if (number < 1) {
        throw new IllegalArgumentException(path + ": parts are numbered from 1, not " + number);
      }
      etags.put(number, UploadHandles.etag(handle, key, id));
    });
    int[] numbers = etags.keySet().stream().mapToInt(Integer::intValue).toArray();
    return submit(() -> {
      String etag =
          Native.completeUpload(fileSystem.store(), key, id, numbers, etags.values().toArray(new String[0]));
      counts.add(MULTIPART_UPLOAD_COMPLETED, 1);
      return new EtagPathHandle(fileSystem.makeQualified(path).toString(), etag);
    });
  }

  @Override
  public CompletableFuture<Void> abort(UploadHandle upload, Path path) {
    String key = key(path);
    String id = UploadHandles.id(upload);
    return submit(() -> {
      Native.abortUpload(fileSystem.store(), key, id);
      counts.add(MULTIPART_UPLOAD_ABORTED, 1);
      return null;
    });
  }

  /** Pending files of jobs that write there are among them. */
  @Override
  public CompletableFuture<Integer> abortUploadsUnderPath(Path path) {
    String key = fileSystem.key(path);
    counts.add(MULTIPART_UPLOAD_ABORT_UNDER_PATH_INVOKED, 1);
    return submit(() -> Native.abortUploadsBelow(fileSystem.store(), key));
  }

  @Override
  public IOStatistics getIOStatistics() {
    return CountedStatistics.of(counts::snapshot);
  }

  @Override
  public void close() {
    threads.shutdown();
  }

  @Override
  public String toString() {
    return "Uploader{" + base + "}";
  }

  private String key(Path path) {
    if (!fileSystem.makeQualified(path).toString().startsWith(base.toString())) {
      throw new IllegalArgumentException(path + " is not below " + base);
    }
    return fileSystem.key(path);
  }

  private <T> CompletableFuture<T> submit(Callable<T> work) {
    CompletableFuture<T> result = new CompletableFuture<>();
    threads.execute(() -> {
      try {
        result.complete(work.call());
      } catch (Exception | Error e) {
        result.completeExceptionally(e);   // an error too: somebody waits
      }
    });
    return result;
  }
}
