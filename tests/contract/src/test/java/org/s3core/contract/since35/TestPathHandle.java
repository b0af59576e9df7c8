package org.s3core.contract.since35;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.contract.AbstractContractPathHandleTest;
import org.apache.hadoop.fs.contract.AbstractFSContract;
import org.s3core.contract.S3CoreContract;

/** Files that are opened by handles; those of moved files there are none. */
public class TestPathHandle extends AbstractContractPathHandleTest {

  @Override
  protected AbstractFSContract createContract(Configuration configuration) {
    return new S3CoreContract(configuration);
  }
}
