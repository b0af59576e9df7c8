package org.s3core.contract.since28;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.StorageStatistics;
import org.junit.jupiter.api.Test;
import org.s3core.contract.FileSystemTest;

/** What a file system counts under Hadoop's names. */
public class StorageStatisticsTest extends FileSystemTest {

  @Test
  public void callsAndRequestsAreCounted() throws Exception {
    StorageStatistics statistics = fileSystem.getStorageStatistics();
    assertEquals("s3a", statistics.getScheme());
    statistics.reset();
    Path file = write("file", "text");
    read(file);
    assertEquals(1, statistics.getLong("op_create").longValue());
    assertEquals(1, statistics.getLong("op_open").longValue());
    assertEquals(1, statistics.getLong("op_get_file_status").longValue());
    assertEquals(1, statistics.getLong("object_put_request").longValue());
    assertTrue(statistics.isTracked("action_http_get_request"));
    statistics.reset();
    assertEquals(0, statistics.getLong("op_create").longValue());
  }
}
