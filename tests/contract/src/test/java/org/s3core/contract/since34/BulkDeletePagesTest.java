package org.s3core.contract.since34;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.hadoop.fs.BulkDelete;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Test;
import org.s3core.contract.FileSystemTest;

/** How many files one call of bulk delete takes, and what it costs. */
public class BulkDeletePagesTest extends FileSystemTest {

  @Test
  public void aPageIsOneRequest() throws Exception {
    List<Path> files = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      files.add(write("file" + i, "x"));
    }
    try (BulkDelete deletion = fileSystem.createBulkDelete(directory)) {
      assertEquals(250, deletion.pageSize());
      fileSystem.getStorageStatistics().reset();
      assertTrue(deletion.bulkDelete(files).isEmpty());
    }
    assertEquals(1, fileSystem.getStorageStatistics().getLong("store_io_request"));
    assertFalse(isThere(files.get(9)));
  }

  @Test
  public void aStoreWithoutMultiDeletesTakesOneAtATime() throws Exception {
    Path file = write("file", "x");
    try (FileSystem single = open("fs.s3a.multiobjectdelete.enable", "false");
        BulkDelete deletion = single.createBulkDelete(directory)) {
      assertEquals(1, deletion.pageSize());
      assertTrue(deletion.bulkDelete(Collections.singletonList(file)).isEmpty());
    }
    assertFalse(isThere(file));
    assertThrows(IllegalArgumentException.class, () -> open("fs.s3a.bulk.delete.page.size", "0").createBulkDelete(directory));
  }
}
