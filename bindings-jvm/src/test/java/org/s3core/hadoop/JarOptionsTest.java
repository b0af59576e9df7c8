package org.s3core.hadoop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileChecksum;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Options of S3A that the jar reads and core does not. */
class JarOptionsTest {
  private static final Path FILE = new Path("s3a://lake/dir/file");

  private StubGateway gateway;

  @BeforeEach
  void start() throws IOException {
    gateway = new StubGateway();
  }

  @AfterEach
  void stop() {
    gateway.close();
  }

  private FileSystem with(String... options) throws IOException {
    Configuration conf = gateway.configuration();
    for (String option : options) {
      conf.set("fs.s3a." + option.split("=")[0], option.split("=")[1]);
    }
    return FileSystem.newInstance(URI.create("s3a://lake/"), conf);
  }

  /** Looks, at keys and listings, since the last call. */
  private int looks() {
    int looks = gateway.requests.getOrDefault("GET", 0) + gateway.requests.getOrDefault("HEAD", 0);
    gateway.requests.clear();
    return looks;
  }

  @Test
  void filesAreCreatedUncheckedWhereThatIsAskedFor() throws IOException {
    assertTrue(looksToCreate() > 0);
    assertTrue(looksToCreate("performance.flags=delete,mkdir") > 0);
    assertTrue(looksToCreate("create.performance=true", "bucket.lake.create.performance=false") > 0);
    assertEquals(0, looksToCreate("create.performance=true"));
    assertEquals(0, looksToCreate("performance.flags=mkdir, Create"));
    assertEquals(0, looksToCreate("performance.flags=*"));
    assertEquals(0, looksToCreate("bucket.lake.create.performance=true"));
  }

  private int looksToCreate(String... options) throws IOException {
    try (FileSystem files = with(options); FSDataOutputStream out = files.create(FILE, true)) {
      out.write(7);
    }
    return looks();
  }

  @Test
  void checksumsAreEtagsWhereTheyAreAskedFor() throws IOException {
    gateway.objects.put("dir/file", new byte[] {1, 2, 3});
    try (FileSystem files = with()) {
      assertNull(files.getFileChecksum(FILE));
    }
    try (FileSystem files = with("etag.checksum.enabled=true")) {
      FileChecksum checksum = files.getFileChecksum(FILE);
      assertEquals("etag", checksum.getAlgorithmName());
      String etag = new String(checksum.getBytes(), StandardCharsets.UTF_8);
      assertTrue(etag.matches("[0-9a-f]{32}"), etag);
      gateway.objects.put("dir/file", new byte[] {4});
      assertTrue(!checksum.equals(files.getFileChecksum(FILE)), etag);
      assertThrows(FileNotFoundException.class, () -> files.getFileChecksum(FILE.getParent()));
    }
  }

  @Test
  void localFilesAreCopiedAsAskedFor(@TempDir java.nio.file.Path directory) throws IOException {
    for (int i = 0; i < 5; i++) {
      Files.write(directory.resolve("file" + i), new byte[] {7});
    }
    int optimized = looksToCopy(directory);
    int ordinary = looksToCopy(directory, "optimized.copy.from.local.enabled=false");
    assertTrue(optimized + 5 <= ordinary, optimized + " looks, and " + ordinary);
  }

  private int looksToCopy(java.nio.file.Path directory, String... options) throws IOException {
    try (FileSystem files = with(options)) {
      files.copyFromLocalFile(new Path(directory.toUri()), new Path("s3a://lake/copy" + options.length));
    }
    String copied = "copy" + options.length + "/file";
    assertEquals(5, gateway.objects.keySet().stream().filter(key -> key.startsWith(copied)).count());
    return looks();
  }
}
