package org.s3core.hadoop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.hadoop.mapreduce.TaskAttemptID;
import org.apache.hadoop.mapreduce.lib.output.BindingPathOutputCommitter;
import org.apache.hadoop.mapreduce.lib.output.FileOutputCommitter;
import org.apache.hadoop.mapreduce.lib.output.PathOutputCommitter;
import org.apache.hadoop.mapreduce.lib.output.PathOutputCommitterFactory;
import org.apache.hadoop.mapreduce.task.TaskAttemptContextImpl;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** On paths of others the factory must do exactly what Hadoop does without it. */
class S3CoreCommitterFactoryTest {
  private static final String SCHEME_KEY = "mapreduce.outputcommitter.factory.scheme.";

  /** A committer of somebody else's factory. */
  public static class TheirCommitter extends FileOutputCommitter {
    /** As FileOutputCommitter. */
    public TheirCommitter(Path output, TaskAttemptContext context) throws IOException {
      super(output, context);
    }
  }

  /** Somebody else's factory for a scheme. */
  public static class TheirFactory extends PathOutputCommitterFactory {
    @Override
    public PathOutputCommitter createOutputCommitter(Path output, TaskAttemptContext context) throws IOException {
      assertNotNull(getConf());
      return new TheirCommitter(null, context);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"file:/tmp/out", "/tmp/out"})
  void aFactoryOfTheSchemeIsAsked(String output) throws IOException {
    Configuration conf = bound();
    conf.set(SCHEME_KEY + "file", TheirFactory.class.getName());
    assertEquals(hadoopsChoice(output, conf), oursFor(output, conf).getClass());
  }

  @Test
  void ofAnotherSchemeItIsNot() throws IOException {
    Configuration conf = bound();
    conf.set(SCHEME_KEY + "hdfs", TheirFactory.class.getName());
    assertEquals(FileOutputCommitter.class, oursFor("file:/tmp/out", conf).getClass());
  }

  @Test
  void aNamedCommitterIsMade() throws IOException {
    Configuration conf = bound();
    conf.set(SCHEME_KEY + "file", PathOutputCommitterFactory.NAMED_COMMITTER_FACTORY);
    conf.set(PathOutputCommitterFactory.NAMED_COMMITTER_CLASS, TheirCommitter.class.getName());
    assertEquals(TheirCommitter.class, oursFor("file:/tmp/out", conf).getClass());
  }

  @Test
  void withoutAPathThereIsHadoopsDefault() throws IOException {
    assertEquals(FileOutputCommitter.class, ours(null, bound()).getClass());
  }

  @Test
  void anotherClientsS3aIsLeftToIt() throws IOException {
    Configuration conf = bound();
    conf.set("fs.s3a.impl", "org.apache.hadoop.fs.s3a.S3AFileSystem");
    conf.set(SCHEME_KEY + "s3a", TheirFactory.class.getName());
    assertEquals(TheirCommitter.class, oursFor("s3a://bucket/out", conf).getClass());
  }

  @Test
  void thePathMayComeThroughTheBindingCommitter() throws IOException {
    Configuration conf = bound();
    conf.set(SCHEME_KEY + "file", TheirFactory.class.getName());
    BindingPathOutputCommitter binding =
        new BindingPathOutputCommitter(new Path("file:/tmp/out"), context(conf));
    assertEquals(TheirCommitter.class, binding.getCommitter().getClass());
  }

  /** As the default resource binds it. */
  private static Configuration bound() {
    Configuration conf = new Configuration();
    conf.set(PathOutputCommitterFactory.COMMITTER_FACTORY_CLASS, S3CoreCommitterFactory.class.getName());
    return conf;
  }

  private static Configuration withoutUs(Configuration conf) {
    Configuration without = new Configuration(conf);
    without.unset(PathOutputCommitterFactory.COMMITTER_FACTORY_CLASS);
    return without;
  }

  private static Class<?> hadoopsChoice(String output, Configuration conf) throws IOException {
    Configuration without = withoutUs(conf);
    return PathOutputCommitterFactory.createCommitter(new Path(output), context(without)).getClass();
  }

  private static PathOutputCommitter oursFor(String output, Configuration conf) throws IOException {
    return ours(new Path(output), conf);
  }

  private static PathOutputCommitter ours(Path output, Configuration conf) throws IOException {
    return PathOutputCommitterFactory.createCommitter(output, context(conf));
  }

  private static TaskAttemptContext context(Configuration conf) {
    return new TaskAttemptContextImpl(conf, new TaskAttemptID());
  }
}
