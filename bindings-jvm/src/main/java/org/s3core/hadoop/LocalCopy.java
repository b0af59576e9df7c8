package org.s3core.hadoop;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathExistsException;
import org.apache.hadoop.io.IOUtils;

/** Copies a file or a tree of the local disk into the bucket, without looking at each place before it writes there. */
final class LocalCopy {
  private static final int BUFFER_SIZE = 1 << 20;

  private final FileSystem local;
  private final S3CoreFileSystem fileSystem;

  LocalCopy(S3CoreFileSystem fileSystem) throws IOException {
    this.local = FileSystem.getLocal(fileSystem.getConf());
    this.fileSystem = fileSystem;
  }

  /** Into {@code target} where that is a directory, as S3A does. */
  void copy(boolean deleteSource, boolean overwrite, Path source, Path target) throws IOException {
    if (source.toUri().getScheme() != null && !"file".equals(source.toUri().getScheme())) {
      throw new IllegalArgumentException(source + " is no local file");
    }
    FileStatus from = local.getFileStatus(source);
    Path to = fileSystem.makeQualified(target);
    FileStatus existing = statusOrNull(to);
    if (existing != null && existing.isDirectory()) {
      to = new Path(to, from.getPath().getName());   // that of source is empty where it ends with a slash
      existing = statusOrNull(to);
    }
    if (existing != null) {
      if (from.isDirectory() != existing.isDirectory()) {
        throw new FileAlreadyExistsException(source + " cannot be copied to " + to + ": one is a directory");
      }
      if (!overwrite) {
        throw new PathExistsException(to + " already exists");
      }
    }
    copy(from, to);
    if (deleteSource) {
      local.delete(source, true);
    }
  }

  private FileStatus statusOrNull(Path path) throws IOException {
    try {
      return fileSystem.getFileStatus(path);
    } catch (FileNotFoundException e) {
      return null;
    }
  }

  private void copy(FileStatus from, Path to) throws IOException {
    if (!from.isDirectory()) {
      copyFile(from.getPath(), to);
      return;
    }
    FileStatus[] entries = local.listStatus(from.getPath());
    if (entries.length == 0) {
      fileSystem.mkdirs(to);
    }
    for (FileStatus entry : entries) {
      copy(entry, new Path(to, entry.getPath().getName()));
    }
  }

  private void copyFile(Path from, Path to) throws IOException {
    try (InputStream in = local.open(from)) {
      FSDataOutputStream out = fileSystem.create(to, CreateRequest.of(true).unchecked(true));
      try {
        IOUtils.copyBytes(in, out, BUFFER_SIZE, false);
      } catch (IOException | RuntimeException e) {
        S3CoreFileSystem.giveUp(out);
        throw e;
      }
      out.close();
    }
  }
}
