package org.s3core.hadoop;

import java.util.Collections;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.hadoop.fs.statistics.IOStatistics;
import org.apache.hadoop.fs.statistics.IOStatisticsLogging;
import org.apache.hadoop.fs.statistics.MeanStatistic;

/** Counters as Hadoop 3.3.1 and newer want to see them. Nothing is timed, so there are no means. */
final class CountedStatistics implements IOStatistics {
  private final Supplier<Map<String, Long>> counters;

  private CountedStatistics(Supplier<Map<String, Long>> counters) {
    this.counters = counters;
  }

  /** {@code counters}: asked each time that somebody looks. */
  static IOStatistics of(Supplier<Map<String, Long>> counters) {
    return new CountedStatistics(counters);
  }

  @Override
  public Map<String, Long> counters() {
    return Collections.unmodifiableMap(counters.get());
  }

  @Override
  public Map<String, Long> gauges() {
    return Collections.emptyMap();
  }

  @Override
  public Map<String, Long> minimums() {
    return Collections.emptyMap();
  }

  @Override
  public Map<String, Long> maximums() {
    return Collections.emptyMap();
  }

  @Override
  public Map<String, MeanStatistic> meanStatistics() {
    return Collections.emptyMap();
  }

  @Override
  public String toString() {
    return IOStatisticsLogging.ioStatisticsToString(this);
  }
}
