package org.s3core.hadoop;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.hadoop.mapreduce.lib.output.PathOutputCommitter;
import org.apache.hadoop.mapreduce.lib.output.PathOutputCommitterFactory;

/**
 * Chooses the committer of a job: {@link S3CoreOutputCommitter} on our paths, and on all others what Hadoop would choose
 * without us.
 *
 * <p>Bound by {@code mapreduce.outputcommitter.factory.class}, which Hadoop looks at before the factory of the scheme:
 * {@code mapred-default.xml} and Spark (4.1 and newer) bind that of s3a to a class of hadoop-aws, which works with
 * S3AFileSystem only. Hadoop older than 3.1 has no such factories and never loads this class.
 */
public class S3CoreCommitterFactory extends PathOutputCommitterFactory {
  @Override
  public PathOutputCommitter createOutputCommitter(Path outputPath, TaskAttemptContext context) throws IOException {
    Configuration conf = context.getConfiguration();
    if (outputPath != null && isOurs(outputPath, conf)) {
      return new S3CoreOutputCommitter(outputPath, context);
    }
    Configuration withoutUs = new Configuration(conf);
    withoutUs.set(COMMITTER_FACTORY_CLASS, "");
    return getCommitterFactory(outputPath, withoutUs).createOutputCommitter(outputPath, context);
  }

  private static boolean isOurs(Path path, Configuration conf) {
    String scheme = path.toUri().getScheme();
    if (scheme == null) {
      scheme = FileSystem.getDefaultUri(conf).getScheme();
    }
    return DefaultResource.isBound(conf, scheme);
  }
}
