package org.s3core.hadoop;

import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.apache.hadoop.fs.StorageStatistics;

/** Counters as Hadoop 2.8 and newer want to see those of a file system. Loaded there only. */
final class CountedStorageStatistics extends StorageStatistics {
  private static final String NAME = "S3CoreStorageStatistics";

  private final String scheme;
  private final Supplier<Map<String, Long>> counters;
  private final AtomicReference<Map<String, Long>> zero;

  private CountedStorageStatistics(String scheme, Supplier<Map<String, Long>> counters,
      AtomicReference<Map<String, Long>> zero) {
    super(NAME);
    this.scheme = scheme;
    this.counters = counters;
    this.zero = zero;
  }

  /** {@code zero}: what the counters were when they were reset, for all statistics of the file system. */
  static StorageStatistics of(String scheme, Supplier<Map<String, Long>> counters,
      AtomicReference<Map<String, Long>> zero) {
    return new CountedStorageStatistics(scheme, counters, zero);
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
    zero.set(counters.get());
  }

  private long since(String key, long counted) {
    return counted - zero.get().getOrDefault(key, 0L);
  }
}
