package org.s3core.hadoop;

import java.util.Locale;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.StreamCapabilities;

/** Says what it can do. Loaded on Hadoop 2.9 and newer only. */
class CapableInputStream extends S3CoreInputStream implements StreamCapabilities {
  CapableInputStream(long reader, long length, String path, FileSystem.Statistics statistics) {
    super(reader, length, path, statistics);
  }

  static S3CoreInputStream open(long reader, long length, String path, FileSystem.Statistics statistics) {
    return new CapableInputStream(reader, length, path, statistics);
  }

  @Override
  public boolean hasCapability(String capability) {
    switch (capability.toLowerCase(Locale.ROOT)) {
      case "in:unbuffer":
      case "in:readbytebuffer":
        return true;
      default:
        return false;
    }
  }
}
