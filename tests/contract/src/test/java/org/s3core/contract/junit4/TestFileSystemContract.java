package org.s3core.contract.junit4;

import static org.apache.hadoop.test.LambdaTestUtils.intercept;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.io.FileNotFoundException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FileSystemContractBaseTest;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.contract.ContractTestUtils;
import org.junit.Before;
import org.s3core.contract.S3CoreContract;

/** Hadoop's older contract. What is overridden is what S3A's subclass overrides, in the same way. */
public class TestFileSystemContract extends FileSystemContractBaseTest {
  private Path base;

  @Before
  public void setUp() throws Exception {
    fs = FileSystem.get(S3CoreContract.bucket(), S3CoreContract.configure(new Configuration()));
    base = fs.makeQualified(new Path("/filesystemcontract"));
  }

  @Override
  public Path getTestBaseDir() {
    return base;
  }

  @Override
  public void testMkdirsWithUmask() {
    ContractTestUtils.skip("S3 has no permissions");
  }

  @Override
  public void testRenameDirectoryAsExistingDirectory() throws Exception {
    Path source = path("testRenameDirectoryAsExisting/dir");
    fs.mkdirs(source);
    createFile(path(source + "/file1"));
    createFile(path(source + "/subdir/file2"));
    Path target = path("testRenameDirectoryAsExistingNew/newdir");
    fs.mkdirs(target);
    rename(source, target, true, false, true);
    assertFalse("the file moved", fs.exists(path(source + "/file1")));
    assertFalse("the file below moved", fs.exists(path(source + "/subdir/file2")));
    assertTrue("into the directory itself", fs.exists(path(target + "/file1")));
    assertTrue("with what is below", fs.exists(path(target + "/subdir/file2")));
  }

  @Override
  public void testRenameDirectoryAsExistingFile() throws Exception {
    Path source = path("testRenameDirectoryAsExistingFile/dir");
    fs.mkdirs(source);
    Path target = path("testRenameDirectoryAsExistingFileNew/newfile");
    createFile(target);
    intercept(FileAlreadyExistsException.class, () -> rename(source, target, false, true, true));
  }

  @Override
  public void testRenameDirectoryMoveToNonExistentDirectory() {
    ContractTestUtils.skip("rename creates the directories above");
  }

  @Override
  public void testRenameFileMoveToNonExistentDirectory() {
    ContractTestUtils.skip("rename creates the directories above");
  }

  @Override
  public void testRenameFileAsExistingFile() throws Exception {
    intercept(FileAlreadyExistsException.class, () -> super.testRenameFileAsExistingFile());
  }

  @Override
  public void testRenameNonExistentPath() throws Exception {
    intercept(FileNotFoundException.class, () -> super.testRenameNonExistentPath());
  }
}
