package org.s3core.hadoop;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.DelegateToFileSystem;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.util.ReflectionUtils;

/**
 * The FileSystem of the path's scheme for {@code FileContext}: the value of {@code fs.AbstractFileSystem.s3a.impl}.
 * That is {@link S3CoreFileSystem} where the configuration says so, and else the class that it names.
 */
public class S3Core extends DelegateToFileSystem {
  /** Called by Hadoop, with the URI of a path and the configuration. */
  public S3Core(URI uri, Configuration conf) throws IOException, URISyntaxException {
    super(uri, fileSystemOf(uri, conf), conf, uri.getScheme(), false);
  }

  private static FileSystem fileSystemOf(URI uri, Configuration conf) throws IOException {
    return ReflectionUtils.newInstance(FileSystem.getFileSystemClass(uri.getScheme(), conf), conf);
  }

  /** A bucket has no port. */
  @Override
  public int getUriDefaultPort() {
    return -1;
  }
}
