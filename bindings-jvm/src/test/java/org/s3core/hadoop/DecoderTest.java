package org.s3core.hadoop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DecoderTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final DataOutputStream out = new DataOutputStream(bytes);

  @Test
  void entriesHaveWhatTheirFlagsSay() throws IOException {
    out.writeInt(2);
    out.writeByte(2 | 4);
    out.writeLong(1L << 40);
    out.writeLong(1_795_000_000_123L);
    strings("dir/naïve 日本", "abc", "COLD");
    out.writeByte(1);
    out.writeLong(0);
    out.writeLong(0);
    strings("dir");

    List<Decoder.Entry> entries = new Decoder(bytes.toByteArray()).entries();

    assertEquals(2, entries.size());
    Decoder.Entry file = entries.get(0);
    assertEquals("dir/naïve 日本", file.path);
    assertEquals(1L << 40, file.length);
    assertEquals(1_795_000_000_123L, file.modified);
    assertEquals("abc", file.etag);
    assertEquals("COLD", file.storageClass);
    assertFalse(file.isDirectory);
    assertTrue(entries.get(1).isDirectory);
    assertNull(entries.get(1).etag);
    assertNull(entries.get(1).storageClass);
  }

  @Test
  void tablesAreLinesOfStrings() throws IOException {
    out.writeInt(2);
    strings("a", "b", "c", "d", "", "f");
    List<String[]> lines = new Decoder(bytes.toByteArray()).table(3);
    assertArrayEquals(new String[] {"a", "b", "c"}, lines.get(0));
    assertArrayEquals(new String[] {"d", "", "f"}, lines.get(1));
  }

  @Test
  void countsAreFiveNumbersForEachOperation() throws IOException {
    out.writeInt(2);
    for (String operation : new String[] {"GetObject", "PutObject"}) {
      strings(operation);
      for (int i = 1; i <= 5; i++) {
        out.writeLong(i);
      }
    }
    Map<String, long[]> counts = new Decoder(bytes.toByteArray()).counts();
    assertArrayEquals(new long[] {1, 2, 3, 4, 5}, counts.get("PutObject"));
    assertEquals(2, counts.size());
  }

  @Test
  void bytesAreUnsigned() {
    assertEquals(200, new Decoder(new byte[] {(byte) 200}).unsignedByte());
  }

  private void strings(String... texts) throws IOException {
    for (String text : texts) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      out.writeInt(utf8.length);
      out.write(utf8);
    }
  }
}
