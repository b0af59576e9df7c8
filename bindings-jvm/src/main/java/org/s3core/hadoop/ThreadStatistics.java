package org.s3core.hadoop;

import org.apache.hadoop.fs.statistics.IOStatistics;
import org.apache.hadoop.fs.statistics.IOStatisticsAggregator;
import org.apache.hadoop.fs.statistics.IOStatisticsContext;

/** Statistics of the thread that opened a stream, which Hadoop 3.3.5 and newer keep. */
final class ThreadStatistics {
  static final boolean ARE_KNOWN = HadoopFeatures.has("org.apache.hadoop.fs.statistics.IOStatisticsContext");

  private ThreadStatistics() {
  }

  /** What adds {@code statistics}, as they are when it runs, to those of the thread that calls this now. */
  static Runnable adding(IOStatistics statistics) {
    return ARE_KNOWN ? Known.adding(statistics) : () -> { };
  }

  /** Loaded where Hadoop has them only. */
  private static final class Known {
    static Runnable adding(IOStatistics statistics) {
      IOStatisticsAggregator thread = IOStatisticsContext.getCurrentIOStatisticsContext().getAggregator();
      return () -> thread.aggregate(statistics);
    }
  }
}
