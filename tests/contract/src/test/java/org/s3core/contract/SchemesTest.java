package org.s3core.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Paths of older tools: one class answers all of S3's schemes, with the options of {@code fs.s3a}. */
public class SchemesTest extends FileSystemTest {

  /** py4j, and what else reflects, resolves each signature. */
  @Test
  public void noMethodNamesAClassThatThisHadoopLacks() {
    for (Class<?> type = fileSystem.getClass(); type != FileSystem.class; type = type.getSuperclass()) {
      assertTrue(type.getDeclaredMethods().length > 0, type.getName());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"s3a", "s3", "s3n"})
  public void everySchemeAnswers(String scheme) throws Exception {
    write("file", "text");
    Configuration configuration = S3CoreContract.configure(new Configuration());
    configuration.set("fs." + scheme + ".impl", "org.s3core.hadoop.S3CoreFileSystem");
    configuration.set("fs.AbstractFileSystem." + scheme + ".impl", "org.s3core.hadoop.S3Core");
    URI bucket = URI.create(scheme + "://" + S3CoreContract.bucket().getHost());
    Path file = new Path(bucket + directory.toUri().getPath() + "/file");
    try (FileSystem other = FileSystem.newInstance(bucket, configuration)) {
      assertEquals(bucket, other.getUri());
      assertEquals(scheme, other.getScheme());
      assertNull(other.getCanonicalServiceName());
      assertEquals(file, other.getFileStatus(file).getPath());
      assertEquals(file, other.listFiles(file.getParent(), true).next().getPath());
      assertTrue(other.getHomeDirectory().toString().startsWith(bucket + "/user/"));
    }
    FileContext context = FileContext.getFileContext(bucket, configuration);
    assertEquals(4, context.getFileStatus(file).getLen());
    assertEquals(file, context.listStatus(file.getParent()).next().getPath());
  }
}
