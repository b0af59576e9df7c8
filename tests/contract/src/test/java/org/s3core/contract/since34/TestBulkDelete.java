package org.s3core.contract.since34;

import static org.apache.hadoop.fs.contract.ContractTestUtils.touch;
import static org.apache.hadoop.io.wrappedio.WrappedIO.bulkDelete_delete;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.contract.AbstractContractBulkDeleteTest;
import org.apache.hadoop.fs.contract.AbstractFSContract;
import org.assertj.core.api.Assertions;
import org.s3core.contract.S3CoreContract;

/**
 * Many files in one call. As S3A's subclass: pages hold what {@code fs.s3a.bulk.delete.page.size} says, and a directory is
 * neither removed nor an error.
 */
public class TestBulkDelete extends AbstractContractBulkDeleteTest {
  private static final int PAGE_SIZE = 20;

  @Override
  protected Configuration createConfiguration() {
    Configuration configuration = super.createConfiguration();
    configuration.setBoolean("fs.s3a.impl.disable.cache", true);   // one of another test class has its page size
    configuration.setInt("fs.s3a.bulk.delete.page.size", PAGE_SIZE);
    return configuration;
  }

  @Override
  protected AbstractFSContract createContract(Configuration configuration) {
    return new S3CoreContract(configuration);
  }

  @Override
  protected int getExpectedPageSize() {
    return PAGE_SIZE;
  }

  @Override
  public void testBulkDeleteParentDirectoryWithDirectories() throws Exception {
    Path directory = new Path(getBasePath(), "dir");
    Path below = new Path(directory, "subdir");
    getFileSystem().mkdirs(below);
    deleteWithoutFailure(directory);
    assertIsDirectory(directory);
    assertIsDirectory(below);
  }

  @Override
  public void testBulkDeleteParentDirectoryWithFiles() throws Exception {
    Path directory = new Path(getBasePath(), "dir");
    touch(getFileSystem(), new Path(directory, "file"));
    deleteWithoutFailure(directory);
    assertIsDirectory(directory);
  }

  private void deleteWithoutFailure(Path path) {
    List<Map.Entry<Path, String>> left =
        bulkDelete_delete(getFileSystem(), getBasePath(), Collections.singletonList(path));
    Assertions.assertThat(left).isEmpty();
  }
}
