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
 * That is the class that the configuration names ({@code fs.s3a.impl}), and {@link S3CoreFileSystem} where it names none,
 * as for {@code s3} and {@code s3n}.
 */
public class S3Core extends DelegateToFileSystem {
  /** Called by Hadoop, with the URI of a path and the configuration. */
  public S3Core(URI uri, Configuration conf) throws IOException, URISyntaxException {
    super(uri, fileSystemOf(uri, conf), conf, uri.getScheme(), false);
  }

  private static FileSystem fileSystemOf(URI uri, Configuration conf) throws IOException {
    Class<? extends FileSystem> type = conf.get("fs." + uri.getScheme() + ".impl") == null
        ? FileSystemLayers.newest() : FileSystem.getFileSystemClass(uri.getScheme(), conf);
    return ReflectionUtils.newInstance(type, conf);
  }

  /** A bucket has no port. */
  @Override
  public int getUriDefaultPort() {
    return -1;
  }
}
