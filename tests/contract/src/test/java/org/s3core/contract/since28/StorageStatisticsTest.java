package org.s3core.contract.since28;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.fs.StorageStatistics;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
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

  @Test
  public void aDeepTreeIsOneListing() throws Exception {
    for (int i = 0; i < 10; i++) {
      write("tree/" + i + "/below/file", "12");
    }
    fileSystem.getStorageStatistics().reset();
    RemoteIterator<LocatedFileStatus> files = fileSystem.listFiles(path("tree"), true);
    for (int i = 0; i < 10; i++) {
      assertEquals(path("tree/" + i + "/below/file"), files.next().getPath());
    }
    assertFalse(files.hasNext());
    assertEquals(1, requests());
    fileSystem.getStorageStatistics().reset();
    assertEquals(20, fileSystem.getContentSummary(path("tree")).getLength());
    assertTrue(requests() <= 2, "requests: " + requests());
  }

  @Test
  public void aTreeIsUploadedWithoutALookAtEachPlace(@TempDir java.nio.file.Path local) throws Exception {
    for (int i = 0; i < 10; i++) {
      Files.write(local.resolve("file" + i), bytes("text"));
    }
    fileSystem.getStorageStatistics().reset();
    fileSystem.copyFromLocalFile(new Path(local.toUri()), path("copied"));
    assertTrue(requests() <= 10 + 2, "requests: " + requests());
    assertEquals("text", read(path("copied/file9")));
  }

  private long requests() {
    return fileSystem.getStorageStatistics().getLong("store_io_request");
  }
}
