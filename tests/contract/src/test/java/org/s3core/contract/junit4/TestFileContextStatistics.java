package org.s3core.contract.junit4;

import static org.junit.Assert.assertEquals;

import java.net.URI;
import org.apache.hadoop.fs.FCStatisticsBaseTest;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.After;
import org.junit.Before;

/** What FileContext says of the bytes that were read and written. */
public class TestFileContextStatistics extends FCStatisticsBaseTest {
  private Path root;

  @Before
  public void setUp() throws Exception {
    fc = FileContexts.open();
    root = fileContextTestHelper.getTestRootPath(fc, "test");
    fc.mkdir(root, FileContext.DEFAULT_PERM, true);
    FileContext.clearStatistics();
  }

  @After
  public void tearDown() throws Exception {
    fc.delete(root, true);
  }

  /** One block is read in sequence, one by position. */
  @Override
  protected void verifyReadBytes(FileSystem.Statistics statistics) {
    assertEquals(2 * blockSize, statistics.getBytesRead());
  }

  @Override
  protected void verifyWrittenBytes(FileSystem.Statistics statistics) {
    assertEquals(blockSize, statistics.getBytesWritten());
  }

  @Override
  protected URI getFsUri() {
    return fc.getHomeDirectory().toUri();
  }
}
