package org.s3core.hadoop;

import java.io.IOException;
import org.apache.hadoop.fs.BulkDelete;
import org.apache.hadoop.fs.Path;

/** The file system on Hadoop 3.4.1 and newer: {@link FileSystemLayers} chooses it. */
public class S3CoreFileSystem34 extends S3CoreFileSystem33 {
  /** Called by Hadoop. */
  public S3CoreFileSystem34() {
  }

  /** Removes many files in one request. */
  @Override
  public BulkDelete createBulkDelete(Path base) throws IOException {
    return BucketBulkDelete.of(this, base);
  }
}
