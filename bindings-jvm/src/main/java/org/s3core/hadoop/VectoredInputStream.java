package org.s3core.hadoop;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.apache.hadoop.fs.FileRange;

/** Reads many ranges at once. Loaded on Hadoop 3.3.5 and newer only. */
final class VectoredInputStream extends MeasuredInputStream {
  /** Hadoop 3.4.1 and newer say what is refused (HADOOP-19098); bulk delete came with the same release. */
  private static final boolean IS_STRICT = HadoopFeatures.HAS_BULK_DELETE;

  private VectoredInputStream(OpenedFile file, long length) {
    super(file, length);
  }

  static S3CoreInputStream open(OpenedFile file, long length) {
    return new VectoredInputStream(file, length);
  }

  @Override
  public boolean hasCapability(String capability) {
    return "in:readvectored".equals(capability.toLowerCase(Locale.ROOT)) || super.hasCapability(capability);
  }

  @Override
  public void readVectored(List<? extends FileRange> ranges, IntFunction<ByteBuffer> allocate) throws IOException {
    readVectored(ranges, allocate, buffer -> { });
  }

  /**
   * All ranges are asked for at once, near ones together; the call returns when they are there, so that it can be
   * interrupted like any other read. Buffers of ranges that could not be read go to {@code release}, which Hadoop
   * knows since 3.4.2.
   *
   * <p>Up to Hadoop 3.3 overlapping ranges are read like others, and one beyond the end fails by its own future; from
   * 3.4.1 on both are refused before anything is read.
   */
  public void readVectored(List<? extends FileRange> ranges, IntFunction<ByteBuffer> allocate,
      Consumer<ByteBuffer> release) throws IOException {
    checkOpen();
    Objects.requireNonNull(release);
    check(ranges);
    List<RangeTarget> targets = new ArrayList<>(ranges.size());
    List<CompletableFuture<ByteBuffer>> results = new ArrayList<>(ranges.size());
    for (FileRange range : ranges) {
      CompletableFuture<ByteBuffer> result = new CompletableFuture<>();
      range.setData(result);
      if (isBeyondEnd(range)) {
        result.completeExceptionally(beyondEnd(range));
      } else {
        ByteBuffer buffer = allocate.apply(range.getLength());
        // A pooled buffer may be larger than what was asked for.
        buffer.limit(buffer.position() + range.getLength());
        targets.add(new RangeTarget(range.getOffset(), range.getLength(), buffer));
        results.add(result);
      }
    }
    read(targets, results, release);
  }

  private void check(List<? extends FileRange> ranges) throws EOFException {
    for (FileRange range : ranges) {
      if (range.getLength() < 0) {
        throw new IllegalArgumentException(path() + ": negative length of range " + range);
      }
      if (range.getOffset() < 0) {
        throw new EOFException(path() + ": negative offset of range " + range);
      }
    }
    if (!IS_STRICT) {
      return;
    }
    List<FileRange> sorted = new ArrayList<>(ranges);
    sorted.sort(Comparator.comparingLong(FileRange::getOffset));
    FileRange before = null;
    for (FileRange range : sorted) {
      if (before != null && range.getOffset() < before.getOffset() + before.getLength()) {
        throw new IllegalArgumentException(path() + ": overlapping ranges " + before + " and " + range);
      }
      if (isBeyondEnd(range)) {
        throw beyondEnd(range);
      }
      before = range;
    }
  }

  private boolean isBeyondEnd(FileRange range) {
    return range.getOffset() + range.getLength() > length();
  }

  private EOFException beyondEnd(FileRange range) {
    return new EOFException(path() + ": " + range + " ends beyond " + length());
  }

  private void read(List<RangeTarget> targets, List<CompletableFuture<ByteBuffer>> results,
      Consumer<ByteBuffer> release) {
    counts().vectoredReads.increment();
    counts().ranges.add(targets.size());
    try {
      long[] cost = counted(() -> RangeTarget.read(reader(), targets.toArray(new RangeTarget[0])));
      counts().rangeRequests.add(cost[0]);
      counts().bytesBetweenRanges.add(cost[1]);
      for (int i = 0; i < targets.size(); i++) {
        targets.get(i).finish();
        count(targets.get(i).count);
        results.get(i).complete(targets.get(i).buffer);
      }
    } catch (IOException | RuntimeException e) {
      for (int i = 0; i < targets.size(); i++) {
        release.accept(targets.get(i).buffer);
        results.get(i).completeExceptionally(e);
      }
    }
  }
}
