package org.s3core.hadoop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.hadoop.mapreduce.TaskAttemptID;
import org.apache.hadoop.mapreduce.lib.output.PathOutputCommitterFactory;
import org.apache.hadoop.mapreduce.task.TaskAttemptContextImpl;
import org.apache.hadoop.mapred.JobConf;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** The traps of setting fs.s3a.impl only, first without the cure and then with it. In a JVM of its own. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DefaultResourceTest {
  private static final Path OUTPUT = new Path("s3a://bucket/table");
  private static final String FILE_CONTEXT_KEY = "fs.AbstractFileSystem.s3a.impl";
  private static final String SCHEME_KEY = "mapreduce.outputcommitter.factory.scheme.s3a";
  private static final String S3A_FACTORY = "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory";

  @Test
  @Order(1)
  void withoutTheCureEverythingNeedsHadoopAws() throws IOException {
    try (StubGateway gateway = new StubGateway()) {
      Configuration conf = new JobConf(gateway.configuration());
      assertEquals(S3A_FACTORY, conf.get(SCHEME_KEY));
      assertTrue(assertThrows(RuntimeException.class, () -> committer(conf)).getMessage().contains(S3A_FACTORY));
    }
  }

  @Test
  @Order(2)
  void anotherS3ClientSeesNothingOfUs() {
    Configuration conf = new Configuration();
    conf.set("fs.s3a.impl", "org.apache.hadoop.fs.s3a.S3AFileSystem");
    DefaultResource.addIfBound(conf, "s3a");
    assertEquals(null, conf.get(PathOutputCommitterFactory.COMMITTER_FACTORY_CLASS));
  }

  /** As Structured Streaming does; with spark.jars alone, the name is still that of core-default.xml. */
  @Test
  @Order(3)
  void theNameInCoreDefaultIsOursWhereHadoopAwsIsMissing() throws IOException {
    try (StubGateway gateway = new StubGateway()) {
      Configuration conf = gateway.configuration();
      conf.set(FILE_CONTEXT_KEY, "org.apache.hadoop.fs.s3a.S3A");
      FileContext context = FileContext.getFileContext(OUTPUT.toUri(), conf);
      assertInstanceOf(S3Core.class, context.getDefaultFileSystem());
    }
  }

  /** No FileSystem of s3a was made before, only one of another scheme. */
  @Test
  @Order(3)
  void fileContextMayComeFirst() throws IOException {
    try (StubGateway gateway = new StubGateway()) {
      Configuration conf = gateway.configuration();
      FileSystem.getLocal(conf);
      FileContext context = FileContext.getFileContext(OUTPUT.toUri(), conf);
      assertEquals(S3Core.class, context.getDefaultFileSystem().getClass());
    }
  }

  @Test
  @Order(4)
  void oneFileSystemOfOursCuresEveryLiveConfiguration() throws IOException {
    try (StubGateway gateway = new StubGateway()) {
      Configuration conf = gateway.configuration();
      Configuration older = new JobConf(conf);
      try (FileSystem fileSystem = FileSystem.newInstance(URI.create("s3a://bucket/"), conf)) {
        assertEquals("s3a", fileSystem.getScheme());
        assertEquals(S3CoreOutputCommitter.class, committer(conf).getClass());
        assertEquals(S3CoreOutputCommitter.class, committer(older).getClass());
      }
    }
  }

  @Test
  @Order(5)
  void whatSparkSetsItselfIsOverridden() throws IOException {
    try (StubGateway gateway = new StubGateway()) {
      Configuration conf = gateway.configuration();
      // As SparkContext.enableMagicCommitterIfNeeded does from 4.1 on.
      conf.set("fs.s3a.committer.magic.enabled", "true");
      conf.set("fs.s3a.committer.name", "magic");
      conf.set(SCHEME_KEY, S3A_FACTORY);
      try (FileSystem fileSystem = FileSystem.newInstance(URI.create("s3a://bucket/"), conf)) {
        assertInstanceOf(S3CoreFileSystem.class, fileSystem);
        assertEquals(S3CoreOutputCommitter.class, committer(conf).getClass());
      }
    }
  }

  @Test
  @Order(6)
  void fileContextGetsOurs() throws IOException {
    try (StubGateway gateway = new StubGateway()) {
      FileContext context = FileContext.getFileContext(OUTPUT.toUri(), gateway.configuration());
      assertEquals(S3Core.class, context.getDefaultFileSystem().getClass());
      gateway.objects.put("table/part", new byte[5]);
      assertEquals(5, context.getFileStatus(new Path(OUTPUT, "part")).getLen());
    }
  }

  private static Object committer(Configuration conf) throws IOException {
    TaskAttemptContext context = new TaskAttemptContextImpl(conf, new TaskAttemptID());
    return PathOutputCommitterFactory.createCommitter(OUTPUT, context);
  }
}
