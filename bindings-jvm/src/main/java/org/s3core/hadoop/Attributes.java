package org.s3core.hadoop;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Date;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** Headers of an object as extended attributes, under the names that S3A gives them. */
final class Attributes {
  private static final String PREFIX = "header.";
  private static final String METADATA = "x-amz-meta-";
  /** Spelled as S3A spells them; user metadata has no prefix. */
  private static final Map<String, String> SPELLED = new HashMap<>();

  static {
    for (String name : new String[] {"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language",
        "Content-Length", "Content-Type", "ETag"}) {
      SPELLED.put(name.toLowerCase(java.util.Locale.ROOT), name);
    }
  }

  private Attributes() {
  }

  /** Those of a file, or of the marker of a directory. */
  static Map<String, byte[]> of(long store, String key) throws IOException {
    Decoder headers = new Decoder(Native.headers(store, key));
    long modified = headers.number();
    Map<String, byte[]> attributes = new TreeMap<>();
    if (modified > 0) {
      attributes.put(PREFIX + "Last-Modified", bytes(new Date(modified).toString()));
    }
    for (String[] header : headers.table(2)) {
      String name = header[0].startsWith(METADATA)
          ? header[0].substring(METADATA.length())
          : SPELLED.getOrDefault(header[0], header[0]);
      attributes.put(PREFIX + name, bytes(header[1]));
    }
    return attributes;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
