package org.s3core.hadoop;

import java.io.IOException;
import java.util.Locale;
import org.apache.hadoop.fs.Abortable;
import org.apache.hadoop.fs.statistics.IOStatistics;
import org.apache.hadoop.fs.statistics.IOStatisticsSource;

/** Can be given up, and tells what it has cost. Loaded on Hadoop 3.3.1 and newer only. */
final class AbortableOutputStream extends CapableOutputStream implements Abortable, IOStatisticsSource {
  private final Runnable addToThread;

  private AbortableOutputStream(OpenedFile file, boolean downgradeSync) {
    super(file, downgradeSync);
    this.addToThread = ThreadStatistics.adding(getIOStatistics());
  }

  static S3CoreOutputStream open(OpenedFile file, boolean downgradeSync) {
    return new AbortableOutputStream(file, downgradeSync);
  }

  @Override
  public boolean hasCapability(String capability) {
    switch (capability.toLowerCase(Locale.ROOT)) {
      case "fs.capability.outputstream.abortable":
      case "iostatistics":
        return true;
      case "fs.capability.iocontext.supported":
        return ThreadStatistics.ARE_KNOWN;
      default:
        return super.hasCapability(capability);
    }
  }

  /** The file never appears. What was sent is removed meanwhile; where that fails, the log says so. */
  @Override
  public AbortableResult abort() {
    boolean wasClosed = !giveUp();
    return new AbortableResult() {
      @Override
      public boolean alreadyClosed() {
        return wasClosed;
      }

      @Override
      public IOException anyCleanupException() {
        return null;
      }
    };
  }

  /** They go on growing with the stream. */
  @Override
  public IOStatistics getIOStatistics() {
    return CountedStatistics.of(this::counted);
  }

  @Override
  void closed() {
    addToThread.run();
  }
}
