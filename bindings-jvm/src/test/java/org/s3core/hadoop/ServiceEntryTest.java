package org.s3core.hadoop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ServiceLoader;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.Test;

/** In a JVM of its own: other tests load the library. */
class ServiceEntryTest {
  @Test
  void makingAnInstanceLoadsNothingNative() throws IOException {
    S3CoreFileSystem found = null;
    for (FileSystem fileSystem : ServiceLoader.load(FileSystem.class)) {
      if (fileSystem instanceof S3CoreFileSystem) {
        found = (S3CoreFileSystem) fileSystem;
      }
    }
    assertNotNull(found);
    assertEquals("s3core", found.getScheme());
    found.close();
    assertFalse(mappedFiles().contains("libs3core_jni"), "the native library is mapped");
    String factory = new Configuration().get("mapreduce.outputcommitter.factory.class");
    assertEquals(null, factory, "jobs that never touch S3 keep Hadoop's committers");
  }

  @Test
  void s3aStaysWhateverTheConfigurationSays() throws IOException {
    Configuration conf = new Configuration();
    conf.set("fs.s3a.impl", "org.apache.hadoop.fs.LocalFileSystem");
    assertEquals(org.apache.hadoop.fs.LocalFileSystem.class, FileSystem.getFileSystemClass("s3a", conf));
    assertTrue(S3CoreFileSystem.class.isAssignableFrom(FileSystem.getFileSystemClass("s3core", conf)));
  }

  private static String mappedFiles() throws IOException {
    return new String(Files.readAllBytes(Paths.get("/proc/self/maps")), StandardCharsets.UTF_8);
  }
}
