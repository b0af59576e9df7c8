package org.s3core.hadoop;

import java.io.IOException;
import org.apache.hadoop.fs.BlockLocation;
import org.apache.hadoop.fs.EtagSource;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.LocatedFileStatus;

/** Statuses with an ETag. Loaded on Hadoop 3.3.4 and newer only. */
final class EtagStatuses {
  private EtagStatuses() {
  }

  static FileStatus of(FileStatus status, String etag) {
    return new Plain(status, etag);
  }

  static LocatedFileStatus located(FileStatus status, BlockLocation[] locations) throws IOException {
    return new Located(status, locations);
  }

  /** The ETag of a status, or null where it has none. */
  static String etagOf(FileStatus status) {
    return status instanceof EtagSource ? ((EtagSource) status).getEtag() : null;
  }

  private static final class Plain extends FileStatus implements EtagSource {
    private static final long serialVersionUID = 1L;

    private final String etag;

    Plain(FileStatus status, String etag) {
      super(status.getLen(), status.isDirectory(), status.getReplication(), status.getBlockSize(),
          status.getModificationTime(), status.getAccessTime(), status.getPermission(), status.getOwner(),
          status.getGroup(), status.getPath());
      this.etag = etag;
    }

    @Override
    public String getEtag() {
      return etag;
    }
  }

  private static final class Located extends LocatedFileStatus implements EtagSource {
    private static final long serialVersionUID = 1L;

    private final String etag;

    Located(FileStatus status, BlockLocation[] locations) throws IOException {
      super(status, locations);
      this.etag = etagOf(status);
    }

    @Override
    public String getEtag() {
      return etag;
    }
  }
}
