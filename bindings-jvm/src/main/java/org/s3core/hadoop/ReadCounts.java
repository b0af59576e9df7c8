package org.s3core.hadoop;

import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_ABORTED;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_BYTES;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_BYTES_DISCARDED_ABORT;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_BYTES_DISCARDED_CLOSE;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_CLOSED;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_CLOSE_OPERATIONS;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_EXCEPTIONS;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_FULLY_OPERATIONS;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_OPENED;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_OPERATIONS;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_OPERATIONS_INCOMPLETE;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_SEEK_BACKWARD_OPERATIONS;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_SEEK_BYTES_BACKWARDS;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_SEEK_BYTES_DISCARDED;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_SEEK_BYTES_SKIPPED;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_SEEK_FORWARD_OPERATIONS;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_SEEK_OPERATIONS;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_TOTAL_BYTES;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_UNBUFFERED;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_VECTORED_COMBINED_RANGES;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_VECTORED_INCOMING_RANGES;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_VECTORED_OPERATIONS;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_VECTORED_READ_BYTES_DISCARDED;
import static org.apache.hadoop.fs.statistics.StreamStatisticNames.STREAM_READ_VERSION_MISMATCHES;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;

/** What one input stream has done, under the names of Hadoop's stream statistics (compiled in). */
final class ReadCounts {
  final LongAdder bytes = new LongAdder();
  final LongAdder reads = new LongAdder();
  final LongAdder incompleteReads = new LongAdder();
  final LongAdder fullReads = new LongAdder();
  final LongAdder failures = new LongAdder();
  final LongAdder forwardSeeks = new LongAdder();
  final LongAdder bytesForward = new LongAdder();
  final LongAdder backwardSeeks = new LongAdder();
  final LongAdder bytesBackward = new LongAdder();
  final LongAdder unbuffers = new LongAdder();
  final LongAdder vectoredReads = new LongAdder();
  final LongAdder ranges = new LongAdder();
  final LongAdder rangeRequests = new LongAdder();
  final LongAdder bytesBetweenRanges = new LongAdder();
  final LongAdder closes = new LongAdder();

  /** All of it, with what core counted below: see {@link Native#readerCounts}. */
  Map<String, Long> byName(Decoder core) {
    Map<String, long[]> requests = core.counts();
    long opened = core.number();
    long ended = core.number();
    long replaced = core.number();
    long givenUp = core.number();
    long bytesGivenUp = core.number();
    long received = core.number();
    long skipped = core.number();
    long discarded = core.number();

    Map<String, Long> counts = new TreeMap<>();
    RequestNames.add(requests, counts);
    counts.put(STREAM_READ_OPENED, opened);
    counts.put(STREAM_READ_CLOSED, ended);
    counts.put(STREAM_READ_ABORTED, givenUp);
    counts.put(STREAM_READ_BYTES_DISCARDED_ABORT, bytesGivenUp);
    counts.put(STREAM_READ_TOTAL_BYTES, received);
    counts.put(STREAM_READ_SEEK_BYTES_DISCARDED, skipped);
    counts.put(STREAM_READ_BYTES_DISCARDED_CLOSE, Math.max(0, discarded - bytesBetweenRanges.sum()));
    counts.put(STREAM_READ_BYTES, bytes.sum());
    counts.put(STREAM_READ_OPERATIONS, reads.sum());
    counts.put(STREAM_READ_OPERATIONS_INCOMPLETE, incompleteReads.sum());
    counts.put(STREAM_READ_FULLY_OPERATIONS, fullReads.sum());
    counts.put(STREAM_READ_EXCEPTIONS, failures.sum());
    counts.put(STREAM_READ_VERSION_MISMATCHES, replaced);
    counts.put(STREAM_READ_SEEK_OPERATIONS, forwardSeeks.sum() + backwardSeeks.sum());
    counts.put(STREAM_READ_SEEK_FORWARD_OPERATIONS, forwardSeeks.sum());
    counts.put(STREAM_READ_SEEK_BYTES_SKIPPED, bytesForward.sum());
    counts.put(STREAM_READ_SEEK_BACKWARD_OPERATIONS, backwardSeeks.sum());
    counts.put(STREAM_READ_SEEK_BYTES_BACKWARDS, bytesBackward.sum());
    counts.put(STREAM_READ_UNBUFFERED, unbuffers.sum());
    counts.put(STREAM_READ_VECTORED_OPERATIONS, vectoredReads.sum());
    counts.put(STREAM_READ_VECTORED_INCOMING_RANGES, ranges.sum());
    counts.put(STREAM_READ_VECTORED_COMBINED_RANGES, rangeRequests.sum());
    counts.put(STREAM_READ_VECTORED_READ_BYTES_DISCARDED, bytesBetweenRanges.sum());
    counts.put(STREAM_READ_CLOSE_OPERATIONS, closes.sum());
    return counts;
  }
}
