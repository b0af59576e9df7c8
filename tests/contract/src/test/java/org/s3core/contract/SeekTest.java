package org.s3core.contract;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.contract.AbstractContractSeekTest;
import org.apache.hadoop.fs.contract.AbstractFSContract;
import org.junit.jupiter.api.AfterEach;

/** Seeks and positioned reads under one read policy, with a read-ahead shorter than the test's file. */
abstract class SeekTest extends AbstractContractSeekTest {

  private final String policy;

  /** {@code policy}: a value of {@code fs.s3a.experimental.input.fadvise}. */
  SeekTest(String policy) {
    this.policy = policy;
  }

  @Override
  protected Configuration createConfiguration() {
    Configuration configuration = super.createConfiguration();
    configuration.set("fs.s3a.experimental.input.fadvise", policy);
    configuration.setInt("fs.s3a.readahead.range", 1024);
    configuration.setBoolean("fs.s3a.impl.disable.cache", true); // a cached file system would keep the first policy
    return configuration;
  }

  @Override
  protected AbstractFSContract createContract(Configuration configuration) {
    return new S3CoreContract(configuration);
  }

  /** A file of its own for each policy: none must find what an earlier one has left. */
  @Override
  protected Path path(String name) throws IOException {
    return super.path(name + "-" + policy);
  }

  @AfterEach
  @Override
  public void teardown() throws Exception {
    super.teardown();
    getFileSystem().close(); // not cached, hence not closed by anybody else
  }
}
