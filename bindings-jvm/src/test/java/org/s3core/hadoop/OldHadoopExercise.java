package org.s3core.hadoop;

import java.io.IOException;
import java.net.URI;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.util.VersionInfo;

/** What {@link OldHadoopTest} runs inside the old Hadoop's class loader. */
public final class OldHadoopExercise implements Callable<String> {
  private final String endpoint;

  /** {@code endpoint}: of a gateway on loopback. */
  public OldHadoopExercise(String endpoint) {
    this.endpoint = endpoint;
  }

  /** Writes, reads, lists and removes; answers Hadoop's version. */
  @Override
  public String call() throws IOException {
    Configuration conf = new Configuration();
    conf.set("fs.s3a.impl", S3CoreFileSystem.class.getName());
    conf.set("fs.s3a.endpoint", endpoint);
    conf.set("fs.s3a.access.key", "devkey");
    conf.set("fs.s3a.secret.key", "devsecret");
    Path file = new Path("s3a://bucket/dir/file");
    try (FileSystem fileSystem = FileSystem.newInstance(URI.create("s3a://bucket/"), conf)) {
      try (FSDataOutputStream out = fileSystem.create(file)) {
        out.write("some text".getBytes("UTF-8"));
        out.hsync();
      }
      try (FSDataInputStream in = fileSystem.open(file)) {
        byte[] text = new byte[4];
        in.readFully(5, text);
        expect("text", new String(text, "UTF-8"));
        expect('s', (char) in.read());
        in.unbuffer();
        in.seek(8);
        expect('t', (char) in.read());
      }
      FileStatus status = fileSystem.getFileStatus(file);
      expect(9L, status.getLen());
      RemoteIterator<LocatedFileStatus> files = fileSystem.listFiles(new Path("s3a://bucket/dir"), true);
      expect(file, files.next().getPath());
      expect(false, files.hasNext());
      expect(9L, fileSystem.getContentSummary(new Path("s3a://bucket/dir")).getLength());
      expect(true, fileSystem.getClass().getMethods().length > 0);   // py4j looks at all of them
      expect(9L, FileContext.getFileContext(file.toUri(), conf).getFileStatus(file).getLen());
    }
    return VersionInfo.getVersion();
  }

  private static void expect(Object expected, Object found) {
    if (!expected.equals(found)) {
      throw new AssertionError("expected " + expected + ", found " + found);
    }
  }
}
