package org.s3core.hadoop;

import java.io.IOException;
import org.apache.hadoop.fs.BlockLocation;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.permission.FsPermission;

/** Makes Hadoop's statuses of core's entries, with ETags where the Hadoop at hand has an interface for them. */
final class Statuses {
  /** Hadoop 3.3.4 and newer know ETags. */
  static final boolean HAVE_ETAGS = HadoopFeatures.has("org.apache.hadoop.fs.EtagSource");

  private static final FsPermission FILE = FsPermission.createImmutable((short) 0666);
  private static final FsPermission DIRECTORY = FsPermission.createImmutable((short) 0777);

  private final String scheme;
  private final String bucket;
  private final String owner;
  private final long blockSize;

  /** {@code blockSize}: size of the pieces that readers split files into, in bytes. */
  Statuses(String scheme, String bucket, String owner, long blockSize) {
    this.scheme = scheme;
    this.bucket = bucket;
    this.owner = owner;
    this.blockSize = blockSize;
  }

  FileStatus of(Decoder.Entry entry) {
    FileStatus status = new FileStatus(entry.length, entry.isDirectory, 1, entry.isDirectory ? 0 : blockSize,
        entry.modified, entry.modified, entry.isDirectory ? DIRECTORY : FILE, owner, owner,
        new Path(scheme, bucket, "/" + entry.path));
    return HAVE_ETAGS ? EtagStatuses.of(status, entry.etag) : status;
  }

  LocatedFileStatus located(FileStatus status, BlockLocation[] locations) throws IOException {
    return HAVE_ETAGS ? EtagStatuses.located(status, locations) : new LocatedFileStatus(status, locations);
  }
}
