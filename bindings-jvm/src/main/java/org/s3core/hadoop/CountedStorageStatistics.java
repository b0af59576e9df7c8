package org.s3core.hadoop;

import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.apache.hadoop.fs.StorageStatistics;

/** Counters as Hadoop 2.8 and newer want to see those of a file system. Loaded there only. */
final class CountedStorageStatistics extends StorageStatistics {
  private static final String NAME = "S3CoreStorageStatistics";

  private final String scheme;
  private final Supplier<Map<String, Long>> counters;
  /** What the counters were when they were reset. */
  private volatile Map<String, Long> zero = new TreeMap<>();

  private CountedStorageStatistics(String scheme, Supplier<Map<String, Long>> counters) {
    super(NAME);
    this.scheme = scheme;
    this.counters = counters;
  }

  static StorageStatistics of(String scheme, Supplier<Map<String, Long>> counters) {
    return new CountedStorageStatistics(scheme, counters);
  }

  @Override
  public String getScheme() {
    return scheme;
  }

  @Override
  public Iterator<LongStatistic> getLongStatistics() {
    return counters.get().entrySet().stream()
        .map(entry -> new LongStatistic(entry.getKey(), since(entry.getKey(), entry.getValue())))
        .iterator();
  }

  /** Null for what was never counted. */
  @Override
  public Long getLong(String key) {
    Long counted = counters.get().get(key);
    return counted == null ? null : since(key, counted);
  }

  @Override
  public boolean isTracked(String key) {
    return counters.get().containsKey(key);
  }

  @Override
  public void reset() {
    zero = counters.get();
  }

  private long since(String key, long counted) {
    return counted - zero.getOrDefault(key, 0L);
  }
}
