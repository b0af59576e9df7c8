package org.s3core.contract.junit4;

import org.apache.hadoop.fs.FileContextUtilBase;

/** Copies and recursive listings by FileContext. */
public class TestFileContextUtil extends FileContextUtilBase {

  @Override
  public void setUp() throws Exception {
    fc = FileContexts.open();
    super.setUp();
  }
}
