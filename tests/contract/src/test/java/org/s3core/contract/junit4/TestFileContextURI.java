package org.s3core.contract.junit4;

import org.apache.hadoop.fs.FileContextURIBase;
import org.junit.Ignore;

/** Files and directories by their whole URI. What is left out is what S3A's subclass leaves out. */
public class TestFileContextURI extends FileContextURIBase {

  @Override
  public void setUp() throws Exception {
    fc1 = FileContexts.open();
    fc2 = FileContexts.open();
    super.setUp();
  }

  @Override
  @Ignore("a bucket has no capacity and no blocks")
  public void testFileStatus() {
  }
}
