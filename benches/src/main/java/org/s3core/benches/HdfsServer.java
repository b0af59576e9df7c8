package org.s3core.benches;

import java.io.File;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;

/**
 * HDFS in a process of its own: a name node and one data node below a directory, until standard input ends.
 *
 * <p>Usage: {@code HdfsServer DIRECTORY}. Prints the URI of the file system as its only line.
 */
public final class HdfsServer {

  private HdfsServer() {}

  public static void main(String[] arguments) throws IOException {
    Configuration configuration = new Configuration();
    configuration.setInt("dfs.replication", 1);
    configuration.set("dfs.permissions.enabled", "false");
    try (MiniDFSCluster cluster = new MiniDFSCluster.Builder(configuration, new File(arguments[0])).numDataNodes(1).build()) {
      cluster.waitActive();
      System.out.println(cluster.getFileSystem().getUri());
      while (System.in.read() >= 0) {
        // whoever has started this keeps the pipe open for as long as it needs the file system
      }
    }
  }
}
