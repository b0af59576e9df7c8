package org.s3core.hadoop;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.apache.hadoop.fs.ByteBufferPositionedReadable;
import org.apache.hadoop.fs.FileRange;
import org.apache.hadoop.fs.FileSystem;

/** Reads many ranges at once. Loaded on Hadoop 3.3.5 and newer only. */
final class VectoredInputStream extends CapableInputStream implements ByteBufferPositionedReadable {
  /** Hadoop 3.4.1 and newer say what is refused (HADOOP-19098); BulkDelete came with the same release. */
  private static final boolean IS_STRICT = HadoopFeatures.has("org.apache.hadoop.fs.BulkDelete");

  private VectoredInputStream(long reader, long length, String path, FileSystem.Statistics statistics) {
    super(reader, length, path, statistics);
  }

  static S3CoreInputStream open(long reader, long length, String path, FileSystem.Statistics statistics) {
    return new VectoredInputStream(reader, length, path, statistics);
  }

  @Override
  public boolean hasCapability(String capability) {
    switch (capability.toLowerCase(Locale.ROOT)) {
      case "in:readvectored":
      case "in:preadbytebuffer":
        return true;
      default:
        return super.hasCapability(capability);
    }
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
    List<Target> targets = new ArrayList<>(ranges.size());
    for (FileRange range : ranges) {
      CompletableFuture<ByteBuffer> result = new CompletableFuture<>();
      range.setData(result);
      if (isBeyondEnd(range)) {
        result.completeExceptionally(beyondEnd(range));
      } else {
        targets.add(new Target(range, allocate.apply(range.getLength()), result));
      }
    }
    read(targets, release);
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

  @Override
  public int read(long from, ByteBuffer target) throws IOException {
    checkOpen();
    if (from < 0) {
      throw new EOFException(path() + ": negative position " + from);
    }
    if (from >= length()) {
      return target.hasRemaining() ? -1 : 0;
    }
    int count = (int) Math.min(target.remaining(), length() - from);
    readInto(from, target, count);
    return count;
  }

  @Override
  public void readFully(long from, ByteBuffer target) throws IOException {
    checkOpen();
    if (from < 0 || target.remaining() > length() - from) {
      throw new EOFException(path() + ": " + target.remaining() + " bytes at " + from + " of " + length());
    }
    readInto(from, target, target.remaining());
  }

  private void readInto(long from, ByteBuffer target, int count) throws IOException {
    Target one = new Target(from, count, target, null);
    readNative(Collections.singletonList(one));
    one.finish();
    target.position(target.position() + count);
    count(count);
  }

  private void read(List<Target> targets, Consumer<ByteBuffer> release) {
    try {
      readNative(targets);
      for (Target target : targets) {
        target.finish();
        count(target.count);
        target.result.complete(target.buffer);
      }
    } catch (IOException | RuntimeException e) {
      for (Target target : targets) {
        release.accept(target.buffer);
        target.result.completeExceptionally(e);
      }
    }
  }

  private void readNative(List<Target> targets) throws IOException {
    if (targets.isEmpty()) {
      return;
    }
    long[] positions = new long[targets.size()];
    int[] lengths = new int[targets.size()];
    int[] offsets = new int[targets.size()];
    Object[] memories = new Object[targets.size()];
    for (int i = 0; i < positions.length; i++) {
      Target target = targets.get(i);
      positions[i] = target.from;
      lengths[i] = target.count;
      offsets[i] = target.offset;
      memories[i] = target.memory;
    }
    Native.readRanges(reader(), positions, lengths, memories, offsets);
  }

  /** A range and the memory it is read into. */
  private static final class Target {
    final long from;
    final int count;
    final ByteBuffer buffer;
    final CompletableFuture<ByteBuffer> result;
    /** A byte[] or a direct buffer. */
    final Object memory;
    final int offset;

    Target(FileRange range, ByteBuffer buffer, CompletableFuture<ByteBuffer> result) {
      this(range.getOffset(), range.getLength(), buffer, result);
      // A pooled buffer may be larger than what was asked for.
      buffer.limit(buffer.position() + count);
    }

    Target(long from, int count, ByteBuffer buffer, CompletableFuture<ByteBuffer> result) {
      this.from = from;
      this.count = count;
      this.buffer = buffer;
      this.result = result;
      if (buffer.isDirect()) {
        this.memory = buffer;
        this.offset = buffer.position();
      } else if (buffer.hasArray()) {
        this.memory = buffer.array();
        this.offset = buffer.arrayOffset() + buffer.position();
      } else {
        this.memory = new byte[count];
        this.offset = 0;
      }
    }

    /** Copies into a buffer that is neither direct nor gives its array away. */
    void finish() {
      if (!buffer.isDirect() && !buffer.hasArray()) {
        buffer.duplicate().put((byte[]) memory, 0, count);
      }
    }
  }
}
