package org.s3core.hadoop;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.impl.OpenFileParameters;

/** What {@code openFile()} does with its options. Loaded on Hadoop 3.3.1 and newer only. */
final class FileOpening {
  private FileOpening() {
  }

  /**
   * The file is open, or has failed to open, when this returns, as with Hadoop's own builder: no request is sent where its
   * length is known.
   */
  static CompletableFuture<FSDataInputStream> open(S3CoreFileSystem fileSystem, Path path,
      OpenFileParameters parameters) throws IOException {
    BuilderOptions.checkOpen(path, parameters.getMandatoryKeys());
    OpenRequest request = request(path, parameters);
    CompletableFuture<FSDataInputStream> opened = new CompletableFuture<>();
    try {
      opened.complete(fileSystem.open(path, request));
    } catch (IOException | RuntimeException e) {
      opened.completeExceptionally(e);
    }
    return opened;
  }

  private static OpenRequest request(Path path, OpenFileParameters parameters) throws IOException {
    Configuration options = parameters.getOptions();
    OpenRequest request = new OpenRequest();
    FileStatus status = parameters.getStatus();
    if (status != null) {
      // A status may come from a file system that this one is mounted in: only the name must be the same.
      if (!path.getName().equals(status.getPath().getName())) {
        throw new IllegalArgumentException("the status of " + status.getPath() + " was given to open " + path);
      }
      if (status.isDirectory()) {
        throw new FileNotFoundException(path + ": the status that was given is a directory's");
      }
      request.length(status.getLen()).etag(Statuses.HAVE_ETAGS ? EtagStatuses.etagOf(status) : null);
    } else {
      request.length(BuilderOptions.bytes(options, BuilderOptions.OPEN_LENGTH));
    }
    String policies = options.get(BuilderOptions.OPEN_READ_POLICY);
    return request.policies(policies == null ? options.get(BuilderOptions.INPUT_FADVISE) : policies)
        .readahead(BuilderOptions.bytes(options, BuilderOptions.READAHEAD_RANGE));
  }
}
