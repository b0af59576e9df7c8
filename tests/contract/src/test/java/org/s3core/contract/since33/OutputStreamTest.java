package org.s3core.contract.since33;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.hadoop.fs.Abortable;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.statistics.IOStatistics;
import org.apache.hadoop.fs.statistics.IOStatisticsSupport;
import org.junit.jupiter.api.Test;
import org.s3core.contract.FileSystemTest;

/** Files that are given up before they appear, and what writing has cost. */
public class OutputStreamTest extends FileSystemTest {

  @Test
  public void anAbortedFileNeverAppears() throws Exception {
    Path file = write("file", "before");
    FSDataOutputStream out = fileSystem.create(file);
    assertTrue(out.hasCapability("fs.capability.outputstream.abortable"));
    out.write(new byte[12 << 20]);   // more than a part
    Abortable.AbortableResult result = out.abort();
    assertFalse(result.alreadyClosed());
    out.close();
    assertEquals("before", read(file));
    assertTrue(out.abort().alreadyClosed());

    FSDataOutputStream closed = fileSystem.create(file);
    finish(closed, "after");
    assertTrue(closed.abort().alreadyClosed());
    assertEquals("after", read(file));
  }

  @Test
  public void writingTellsItsCost() throws Exception {
    FSDataOutputStream out = fileSystem.create(path("file"));
    assertTrue(out.hasCapability("iostatistics"));
    out.write(bytes("some text"));
    assertEquals(9, counter(out, "stream_write_bytes"));
    out.close();
    assertEquals(1, counter(out, "stream_write_block_uploads"));
    assertEquals(1, counter(out, "object_put_request"));
  }

  @Test
  public void soDoesTheFileSystem() throws Exception {
    IOStatistics statistics = IOStatisticsSupport.retrieveIOStatistics(fileSystem);
    long created = statistics.counters().getOrDefault("op_create", 0L);
    write("file", "some text");
    assertEquals(created + 1, statistics.counters().get("op_create"));
    assertTrue(statistics.counters().get("store_io_request") > 0);
  }

  private static long counter(FSDataOutputStream out, String name) {
    IOStatistics statistics = out.getIOStatistics();
    return statistics.counters().get(name);
  }
}
