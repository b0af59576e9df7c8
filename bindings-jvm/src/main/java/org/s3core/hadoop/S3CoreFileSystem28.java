package org.s3core.hadoop;

import java.util.Collections;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hadoop.fs.StorageStatistics;

/** The file system on Hadoop 2.8 and newer: {@link FileSystemLayers} chooses it. */
public class S3CoreFileSystem28 extends S3CoreFileSystem {
  /** What storage statistics count from. */
  private final AtomicReference<Map<String, Long>> zero = new AtomicReference<>(Collections.emptyMap());

  /** Called by Hadoop. */
  public S3CoreFileSystem28() {
  }

  /** Calls, streams and requests so far. */
  @Override
  public StorageStatistics getStorageStatistics() {
    return CountedStorageStatistics.of(getScheme(), this::counted, zero);
  }
}
