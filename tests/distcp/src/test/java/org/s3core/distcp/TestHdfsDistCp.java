package org.s3core.distcp;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;

import java.io.File;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.contract.ContractTestUtils;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.tools.DistCp;
import org.apache.hadoop.util.ToolRunner;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.Test;

/** distcp between a real HDFS and the bucket, both ways, as people type it. */
public class TestHdfsDistCp {
  private static final byte[] SMALL = ContractTestUtils.dataset(1000, 0, 256);
  private static final byte[] LARGE = ContractTestUtils.dataset(11 << 20, 0, 251);

  private static Configuration configuration;
  private static MiniDFSCluster cluster;
  private static FileSystem hdfs;
  private static FileSystem bucket;

  @BeforeClass
  public static void start() throws Exception {
    configuration = Bucket.configure(new Configuration());
    File data = new File(System.getProperty("hadoop.tmp.dir"), "hdfs");
    cluster = new MiniDFSCluster.Builder(configuration, data).numDataNodes(1).build();
    hdfs = cluster.getFileSystem();
    bucket = Bucket.root().getFileSystem(configuration);
  }

  @AfterClass
  public static void stop() throws Exception {
    bucket.delete(new Path(Bucket.root(), "distcp"), true);
    cluster.shutdown();
  }

  @Test
  public void treesGoToTheBucketAndBack() throws Exception {
    Path source = hdfs.makeQualified(new Path("/there"));
    Path there = new Path(Bucket.root(), "distcp/there");
    Path back = hdfs.makeQualified(new Path("/back"));
    write(new Path(source, "small"), SMALL);
    write(new Path(source, "below/large"), LARGE);
    hdfs.mkdirs(new Path(source, "empty"));
    distcp("-direct", source.toString(), there.toString());
    assertArrayEquals(LARGE, read(bucket, new Path(there, "below/large")));
    distcp(there.toString(), back.toString());
    assertArrayEquals(SMALL, read(hdfs, new Path(back, "small")));
    assertArrayEquals(LARGE, read(hdfs, new Path(back, "below/large")));
    assertEquals(0, hdfs.listStatus(new Path(back, "empty")).length);
  }

  @Test
  public void anUpdateCopiesWhatHasChangedAndRemovesWhatIsGone() throws Exception {
    Path source = hdfs.makeQualified(new Path("/updated"));
    Path target = new Path(Bucket.root(), "distcp/updated");
    write(new Path(source, "same"), SMALL);
    // S3 tells times in whole seconds: what is written and copied within one second looks changed since.
    hdfs.setTimes(new Path(source, "same"), System.currentTimeMillis() - 2000, -1);
    write(new Path(source, "gone"), SMALL);
    distcp("-update", source.toString(), target.toString());
    mark(new Path(target, "same"));
    hdfs.delete(new Path(source, "gone"), false);
    write(new Path(source, "new"), LARGE);
    distcp("-update", "-delete", source.toString(), target.toString());
    assertArrayEquals(LARGE, read(bucket, new Path(target, "new")));
    assertFalse(bucket.exists(new Path(target, "gone")));
    assertNotNull(bucket.getXAttr(new Path(target, "same"), "header.mark"));
  }

  /** Writes the small file again, in a way that shows whether it was replaced later. */
  private static void mark(Path file) throws Exception {
    FSDataOutputStreamBuilder<?, ?> builder = bucket.createFile(file);
    try (FSDataOutputStream out = builder.must("fs.s3a.create.header.mark", "x").build()) {
      out.write(SMALL);
    }
  }

  private static void distcp(String... arguments) throws Exception {
    assertEquals(String.join(" ", arguments), 0, ToolRunner.run(configuration, new DistCp(configuration, null), arguments));
  }

  private static void write(Path file, byte[] content) throws Exception {
    ContractTestUtils.createFile(hdfs, file, true, content);
  }

  private static byte[] read(FileSystem fileSystem, Path file) throws Exception {
    byte[] content = new byte[(int) fileSystem.getFileStatus(file).getLen()];
    try (FSDataInputStream in = fileSystem.open(file)) {
      in.readFully(content);
    }
    return content;
  }
}
