package org.s3core.contract.junit4;

import org.apache.hadoop.fs.FileContextCreateMkdirBaseTest;

/** Creation of files and directories with and without parents, by FileContext. */
public class TestFileContextCreateMkdir extends FileContextCreateMkdirBaseTest {

  @Override
  public void setUp() throws Exception {
    fc = FileContexts.open();
    super.setUp();
  }
}
