package org.s3core.hadoop;

import java.util.Locale;
import org.apache.hadoop.fs.StreamCapabilities;

/** Says what it can do. Loaded on Hadoop 2.9 and newer only. */
class CapableInputStream extends S3CoreInputStream implements StreamCapabilities {
  CapableInputStream(OpenedFile file, long length) {
    super(file, length);
  }

  static S3CoreInputStream open(OpenedFile file, long length) {
    return new CapableInputStream(file, length);
  }

  @Override
  public boolean hasCapability(String capability) {
    switch (capability.toLowerCase(Locale.ROOT)) {
      case "in:readahead":
      case "in:readbytebuffer":
      case "in:unbuffer":
        return true;
      default:
        return false;
    }
  }
}
