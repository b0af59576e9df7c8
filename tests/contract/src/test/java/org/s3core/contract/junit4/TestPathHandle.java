package org.s3core.contract.junit4;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Options.HandleOpt;
import org.apache.hadoop.fs.contract.AbstractContractPathHandleTest;
import org.apache.hadoop.fs.contract.AbstractFSContract;
import org.s3core.contract.S3CoreContract;

/** Files that are opened by handles; those of moved files there are none. */
public class TestPathHandle extends AbstractContractPathHandleTest {

  public TestPathHandle(String name, HandleOpt[] options, boolean serialized) {
    super(name, options, serialized);
  }

  @Override
  protected AbstractFSContract createContract(Configuration configuration) {
    return new S3CoreContract(configuration);
  }
}
