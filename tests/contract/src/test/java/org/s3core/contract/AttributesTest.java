package org.s3core.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FileNotFoundException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.ContentSummary;
import org.apache.hadoop.fs.FileChecksum;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Test;

/** What is known of a file beside its bytes: headers as extended attributes, the ETag as a checksum, sums of trees. */
public class AttributesTest extends FileSystemTest {

  @Test
  public void headersAreExtendedAttributes() throws Exception {
    Path file = write("file", "12345");
    Map<String, byte[]> all = fileSystem.getXAttrs(file);
    assertEquals("5", text(all.get("header.Content-Length")));
    assertEquals("827ccb0eea8a706c4c34a16891f84e7b", text(all.get("header.ETag")).replace("\"", ""));
    assertTrue(text(all.get("header.Content-Type")).endsWith("/octet-stream"));
    assertTrue(all.containsKey("header.Last-Modified"));
    assertEquals("5", text(fileSystem.getXAttr(file, "header.Content-Length")));
    assertNull(fileSystem.getXAttr(file, "header.x-hadoop-s3a-magic-data-length"));
    assertEquals(Collections.singleton("header.ETag"),
        fileSystem.getXAttrs(file, Arrays.asList("header.ETag", "header.missing")).keySet());
    List<String> names = fileSystem.listXAttrs(file);
    assertEquals(all.keySet(), new java.util.TreeSet<>(names));
  }

  @Test
  public void directoriesHaveThemToo() throws Exception {
    Path empty = path("empty");
    fileSystem.mkdirs(empty);
    assertEquals("application/x-directory", text(fileSystem.getXAttr(empty, "header.Content-Type")));
    assertEquals("0", text(fileSystem.getXAttr(new Path("/"), "header.Content-Length")));
    assertThrows(FileNotFoundException.class, () -> fileSystem.getXAttrs(path("missing")));
  }

  @Test
  public void theETagIsTheChecksumWhereThatIsAskedFor() throws Exception {
    Path one = write("one", "same");
    Path two = write("two", "same");
    Path other = write("other", "different");
    assertNull(fileSystem.getFileChecksum(one));
    try (FileSystem asking = open("fs.s3a.etag.checksum.enabled", "true")) {
      FileChecksum checksum = asking.getFileChecksum(one);
      assertEquals("etag", checksum.getAlgorithmName());
      assertEquals(checksum, asking.getFileChecksum(two));
      assertNotEquals(checksum, asking.getFileChecksum(other));
      assertThrows(FileNotFoundException.class, () -> asking.getFileChecksum(directory));
      assertThrows(FileNotFoundException.class, () -> asking.getFileChecksum(path("missing")));
    }
  }

  @Test
  public void aTreeIsSummedUp() throws Exception {
    write("a/one", "123");
    write("a/b/two", "12345");
    fileSystem.mkdirs(path("a/empty"));
    ContentSummary summary = fileSystem.getContentSummary(path("a"));
    assertEquals(8, summary.getLength());
    assertEquals(2, summary.getFileCount());
    assertEquals(3, summary.getDirectoryCount());
    assertEquals(3, fileSystem.getContentSummary(path("a/one")).getLength());
    assertThrows(FileNotFoundException.class, () -> fileSystem.getContentSummary(path("missing")));
  }
}
