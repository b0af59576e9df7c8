package org.s3core.contract.since33;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.contract.AbstractContractStreamIOStatisticsTest;
import org.apache.hadoop.fs.contract.AbstractFSContract;
import org.s3core.contract.S3CoreContract;

/** What streams count, while they are in use and after. */
public class TestStreamIOStatistics extends AbstractContractStreamIOStatisticsTest {

  @Override
  protected AbstractFSContract createContract(Configuration configuration) {
    return new S3CoreContract(configuration);
  }
}
