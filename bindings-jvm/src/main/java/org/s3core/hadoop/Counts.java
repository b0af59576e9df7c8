package org.s3core.hadoop;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** Counters under the names that Hadoop has for them; any number of threads adds to them. */
final class Counts {
  private final Map<String, LongAdder> counters = new ConcurrentHashMap<>();

  void add(String name, long number) {
    counters.computeIfAbsent(name, any -> new LongAdder()).add(number);
  }

  /** What was counted so far; a copy. */
  Map<String, Long> snapshot() {
    Map<String, Long> snapshot = new TreeMap<>();
    counters.forEach((name, counter) -> snapshot.put(name, counter.sum()));
    return snapshot;
  }
}
