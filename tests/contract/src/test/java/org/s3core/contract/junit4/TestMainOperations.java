package org.s3core.contract.junit4;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSMainOperationsBaseTest;
import org.apache.hadoop.fs.FileSystem;
import org.junit.Ignore;
import org.s3core.contract.S3CoreContract;

/** What FileSystem offers, one call after the other. What is left out is what S3A's subclass leaves out. */
public class TestMainOperations extends FSMainOperationsBaseTest {

  public TestMainOperations() {
    super("/mainoperations");
  }

  @Override
  protected FileSystem createFileSystem() throws Exception {
    return FileSystem.get(S3CoreContract.bucket(), S3CoreContract.configure(new Configuration()));
  }

  @Override
  @Ignore("S3 has no permissions")
  public void testListStatusThrowsExceptionForUnreadableDir() {
  }

  @Override
  @Ignore("S3 has no permissions")
  public void testGlobStatusThrowsExceptionForUnreadableDir() {
  }

  @Override
  @Ignore("the test takes a path of the file system for one of the local disk")
  public void testCopyToLocalWithUseRawLocalFileSystemOption() {
  }
}
