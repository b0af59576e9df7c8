package org.s3core.hadoop;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads the byte arrays that the library answers with. The other side is its room {@code encode}. */
final class Decoder {
  private static final int DIRECTORY = 1;
  private static final int ETAG = 2;
  private static final int STORAGE_CLASS = 4;

  private final ByteBuffer bytes;

  Decoder(byte[] bytes) {
    this.bytes = ByteBuffer.wrap(bytes);
  }

  /** Files and directories. */
  List<Entry> entries() {
    int count = bytes.getInt();
    List<Entry> entries = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int flags = bytes.get();
      long length = bytes.getLong();
      long modified = bytes.getLong();
      String path = string();
      String etag = (flags & ETAG) == 0 ? null : string();
      String storageClass = (flags & STORAGE_CLASS) == 0 ? null : string();
      entries.add(new Entry(path, (flags & DIRECTORY) != 0, length, modified, etag, storageClass));
    }
    return entries;
  }

  /** Lines of {@code columns} strings. */
  List<String[]> table(int columns) {
    int count = bytes.getInt();
    List<String[]> lines = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      String[] line = new String[columns];
      for (int column = 0; column < columns; column++) {
        line[column] = string();
      }
      lines.add(line);
    }
    return lines;
  }

  /** Requests, retries, failures, bytes sent and bytes received by operation. */
  Map<String, long[]> counts() {
    int count = bytes.getInt();
    Map<String, long[]> counts = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      String operation = string();
      long[] numbers = new long[5];
      bytes.asLongBuffer().get(numbers);
      bytes.position(bytes.position() + numbers.length * Long.BYTES);
      counts.put(operation, numbers);
    }
    return counts;
  }

  long number() {
    return bytes.getLong();
  }

  int unsignedByte() {
    return bytes.get() & 0xff;
  }

  String string() {
    byte[] text = new byte[bytes.getInt()];
    bytes.get(text);
    return new String(text, StandardCharsets.UTF_8);
  }

  /** A file or directory as core tells it. */
  static final class Entry {
    /** Key without leading slash; "" is the root. */
    final String path;
    final boolean isDirectory;
    /** Bytes. */
    final long length;
    /** Milliseconds since 1970; 0 for directories, which S3 does not know. */
    final long modified;
    /** Null for directories. */
    final String etag;
    /** Null where the service does not say. */
    final String storageClass;

    Entry(String path, boolean isDirectory, long length, long modified, String etag, String storageClass) {
      this.path = path;
      this.isDirectory = isDirectory;
      this.length = length;
      this.modified = modified;
      this.etag = etag;
      this.storageClass = storageClass;
    }
  }
}
