package org.s3core.contract.junit4;

import org.apache.hadoop.fs.FileContextMainOperationsBaseTest;
import org.apache.hadoop.fs.FileContextTestHelper;
import org.junit.Ignore;

/** What FileContext offers, one call after the other. What is left out is what S3A's subclass leaves out. */
public class TestFileContextMainOperations extends FileContextMainOperationsBaseTest {

  @Override
  public void setUp() throws Exception {
    fc = FileContexts.open();
    super.setUp();
  }

  /** Not a folder of the local disk. */
  @Override
  protected FileContextTestHelper createFileContextHelper() {
    return new FileContextTestHelper("/filecontextmainoperations");
  }

  @Override
  protected boolean listCorruptedBlocksSupported() {
    return false;
  }

  @Override
  @Ignore("objects cannot be appended to")
  public void testCreateFlagAppendExistingFile() {
  }

  @Override
  @Ignore("objects cannot be appended to")
  public void testCreateFlagCreateAppendExistingFile() {
  }

  @Override
  @Ignore("objects cannot be appended to")
  public void testBuilderCreateAppendExistingFile() {
  }

  @Override
  @Ignore("checksums are not those of Hadoop")
  public void testSetVerifyChecksum() {
  }
}
