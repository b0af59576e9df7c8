package org.s3core.hadoop;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A range of a file and the memory it is read into. */
final class RangeTarget {
  final int count;
  final ByteBuffer buffer;
  private final long from;
  /** A byte[] or a direct buffer. */
  private final Object memory;
  private final int offset;

  /** {@code count} bytes at {@code from}, into {@code buffer} from its position on. */
  RangeTarget(long from, int count, ByteBuffer buffer) {
    this.from = from;
    this.count = count;
    this.buffer = buffer;
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

  /** Reads all of them; returns how many requests it took, and the bytes between them that came along. */
  static long[] read(long reader, RangeTarget... targets) throws IOException {
    if (targets.length == 0) {
      return new long[2];
    }
    long[] positions = new long[targets.length];
    int[] lengths = new int[targets.length];
    int[] offsets = new int[targets.length];
    Object[] memories = new Object[targets.length];
    for (int i = 0; i < targets.length; i++) {
      positions[i] = targets[i].from;
      lengths[i] = targets[i].count;
      offsets[i] = targets[i].offset;
      memories[i] = targets[i].memory;
    }
    return Native.readRanges(reader, positions, lengths, memories, offsets);
  }
}
