package org.s3core.hadoop;

import org.apache.hadoop.fs.StreamCapabilities;

/** Says that nothing of the file can be synchronised before it is closed. Loaded on Hadoop 2.9 and newer only. */
class CapableOutputStream extends S3CoreOutputStream implements StreamCapabilities {
  CapableOutputStream(OpenedFile file, boolean downgradeSync) {
    super(file, downgradeSync);
  }

  static S3CoreOutputStream open(OpenedFile file, boolean downgradeSync) {
    return new CapableOutputStream(file, downgradeSync);
  }

  @Override
  public boolean hasCapability(String capability) {
    return false;
  }
}
