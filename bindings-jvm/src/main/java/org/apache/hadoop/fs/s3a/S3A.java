package org.apache.hadoop.fs.s3a;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import org.apache.hadoop.conf.Configuration;
import org.s3core.hadoop.S3Core;

/**
 * The class that {@code core-default.xml} names for {@code FileContext} on s3a, for clusters that have no hadoop-aws.
 *
 * <p>Structured Streaming asks FileContext for its checkpoint before any FileSystem of s3a exists, and with {@code
 * spark.jars} alone Hadoop has looked for providers before our jar was there: then nothing of ours has run that could
 * bind another name. Where hadoop-aws is on the class path as well, either class may be found first; both give the
 * FileSystem that {@code fs.s3a.impl} names, or theirs.
 */
public class S3A extends S3Core {
  /** Called by Hadoop, with the URI of a path and the configuration. */
  public S3A(URI uri, Configuration conf) throws IOException, URISyntaxException {
    super(uri, conf);
  }
}
