package org.s3core.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.FutureTask;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Test;

/** The counts that Spark shows as input and output of a task: bytes, for the thread that reads or writes. */
@SuppressWarnings("deprecation")   // what replaces it is not there in 2.7
public class StatisticsTest extends FileSystemTest {

  @Test
  public void bytesAreCountedForTheThreadThatReadsThem() throws Exception {
    FileSystem.Statistics statistics = FileSystem.getStatistics("s3a", fileSystem.getClass());
    statistics.reset();
    FileSystem.Statistics.StatisticsData own = statistics.getThreadStatistics();
    long written = own.getBytesWritten();
    Path file = write("file", "0123456789");
    assertEquals(written + 10, own.getBytesWritten());
    long read = own.getBytesRead();
    FutureTask<long[]> other = new FutureTask<>(() -> {
      try (FSDataInputStream in = fileSystem.open(file)) {
        in.readFully(new byte[4]);
        in.readFully(2, new byte[3]);
        in.seek(9);
        in.read();
      }
      FileSystem.Statistics.StatisticsData others = statistics.getThreadStatistics();
      return new long[] {others.getBytesRead(), others.getBytesWritten()};
    });
    Thread thread = new Thread(other);
    thread.start();
    long[] counts = other.get();
    assertEquals(8, counts[0]);
    assertEquals(0, counts[1]);
    assertEquals(read, own.getBytesRead());
    assertEquals(8, statistics.getBytesRead());
    assertEquals(10, statistics.getBytesWritten());
  }

  @Test
  public void callsAreCounted() throws Exception {
    Path file = write("file", "0123456789");
    FileSystem.Statistics statistics = FileSystem.getStatistics("s3a", fileSystem.getClass());
    statistics.reset();
    fileSystem.getFileStatus(file);
    fileSystem.listStatus(directory);
    fileSystem.open(file).close();
    assertEquals(3, statistics.getReadOps());
    assertEquals(0, statistics.getWriteOps());
    write("other", "x");
    fileSystem.rename(path("other"), path("renamed"));
    fileSystem.delete(path("renamed"), false);
    assertEquals(3, statistics.getWriteOps());
  }
}
