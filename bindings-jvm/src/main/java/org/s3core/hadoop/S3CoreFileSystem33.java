package org.s3core.hadoop;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.MultipartUploader;
import org.apache.hadoop.fs.MultipartUploaderBuilder;
import org.apache.hadoop.fs.Options.HandleOpt;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathHandle;
import org.apache.hadoop.fs.impl.OpenFileParameters;
import org.apache.hadoop.fs.statistics.IOStatistics;
import org.apache.hadoop.fs.statistics.IOStatisticsSource;
import org.apache.hadoop.fs.statistics.StoreStatisticNames;

/** The file system on Hadoop 3.3.1 and newer: {@link FileSystemLayers} chooses it. */
public class S3CoreFileSystem33 extends S3CoreFileSystem28 implements IOStatisticsSource {
  /** Called by Hadoop. */
  public S3CoreFileSystem33() {
  }

  @Override
  protected CompletableFuture<FSDataInputStream> openFileWithOptions(Path path, OpenFileParameters parameters)
      throws IOException {
    counts.add(StoreStatisticNames.OP_OPENFILE, 1);
    return FileOpening.open(this, path, parameters);
  }

  /** A builder that knows S3A's options. */
  @Override
  @SuppressWarnings("rawtypes")
  public FSDataOutputStreamBuilder createFile(Path path) {
    counts.add(StoreStatisticNames.OP_CREATE_FILE, 1);
    return FileBuilder.of(this, path);
  }

  /** Uploads whose parts the caller sends by itself. */
  @Override
  public MultipartUploaderBuilder<? extends MultipartUploader, ?> createMultipartUploader(Path base) {
    counts.add(StoreStatisticNames.MULTIPART_UPLOAD_INSTANTIATED, 1);
    return UploaderBuilder.of(this, base);
  }

  /** Of a file where it is, or of the very object that it is. */
  @Override
  protected PathHandle createPathHandle(FileStatus status, HandleOpt... options) {
    return EtagPathHandle.of(status, options);
  }

  /** Opens what a handle of {@code getPathHandle} or of a completed upload names. */
  @Override
  public FSDataInputStream open(PathHandle handle, int bufferSize) throws IOException {
    counts.add(StoreStatisticNames.OP_OPEN, 1);
    return EtagPathHandle.open(this, handle);
  }

  /** Calls, streams and requests so far. */
  @Override
  public IOStatistics getIOStatistics() {
    return CountedStatistics.of(this::counted);
  }
}
