package org.s3core.distcp;

import static org.junit.Assert.assertEquals;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.contract.AbstractFSContract;
import org.apache.hadoop.tools.DistCpConstants;
import org.apache.hadoop.tools.contract.AbstractContractDistCpTest;

/** Hadoop's own distcp tests, between {@code file://} and the bucket. What is overridden is what S3A's subclass overrides. */
public class TestLocalDistCp extends AbstractContractDistCpTest {

  @Override
  protected Configuration createConfiguration() {
    Configuration configuration = super.createConfiguration();
    configuration.set("fs.s3a.multipart.size", "5M");
    if (testName.getMethodName().startsWith("testUpdate")) {
      // S3 tells times in whole seconds: what these tests write and copy within one second would look changed since.
      configuration.setBoolean(DistCpConstants.CONF_LABEL_UPDATE_MOD_TIME, false);
    }
    return configuration;
  }

  @Override
  protected AbstractFSContract createContract(Configuration configuration) {
    return new Bucket(configuration);
  }

  @Override
  protected boolean shouldUseDirectWrite() {
    return true;
  }

  @Override
  public void testDistCpWithIterator() throws Exception {
    long before = renames();
    super.testDistCpWithIterator();
    assertEquals(before, renames());
  }

  @Override
  public void testNonDirectWrite() throws Exception {
    long before = renames();
    super.testNonDirectWrite();
    assertEquals(before + 2, renames());
  }

  private long renames() throws Exception {
    Long counted = getFileSystem().getStorageStatistics().getLong("op_rename");
    return counted == null ? 0 : counted;
  }
}
