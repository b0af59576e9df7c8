package org.s3core.hadoop;

import java.util.Locale;
import org.apache.hadoop.fs.statistics.IOStatistics;
import org.apache.hadoop.fs.statistics.IOStatisticsSource;

/** Tells what it has cost. Loaded on Hadoop 3.3.1 and newer only. */
class MeasuredInputStream extends PositionedInputStream implements IOStatisticsSource {
  private final Runnable addToThread;

  MeasuredInputStream(OpenedFile file, long length) {
    super(file, length);
    this.addToThread = ThreadStatistics.adding(getIOStatistics());
  }

  static S3CoreInputStream open(OpenedFile file, long length) {
    return new MeasuredInputStream(file, length);
  }

  @Override
  public boolean hasCapability(String capability) {
    switch (capability.toLowerCase(Locale.ROOT)) {
      case "iostatistics":
        return true;
      case "fs.capability.iocontext.supported":
        return ThreadStatistics.ARE_KNOWN;
      default:
        return super.hasCapability(capability);
    }
  }

  /** They go on growing with the stream. */
  @Override
  public final IOStatistics getIOStatistics() {
    return CountedStatistics.of(this::counted);
  }

  @Override
  void closed() {
    addToThread.run();
  }
}
