package org.s3core.contract.since33;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.contract.AbstractContractVectoredReadTest;
import org.apache.hadoop.fs.contract.AbstractFSContract;
import org.s3core.contract.S3CoreContract;

/** Many ranges of one file in one call, into heap and direct buffers. */
public class TestVectoredRead extends AbstractContractVectoredReadTest {

  public TestVectoredRead(String bufferType) {
    super(bufferType);
  }

  @Override
  protected AbstractFSContract createContract(Configuration configuration) {
    return new S3CoreContract(configuration);
  }
}
