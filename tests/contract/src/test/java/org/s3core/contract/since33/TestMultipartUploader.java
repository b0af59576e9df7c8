package org.s3core.contract.since33;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.contract.AbstractContractMultipartUploaderTest;
import org.apache.hadoop.fs.contract.AbstractFSContract;
import org.apache.hadoop.fs.contract.ContractTestUtils;
import org.s3core.contract.S3CoreContract;

/** Files whose parts the caller sends. */
public class TestMultipartUploader extends AbstractContractMultipartUploaderTest {

  @Override
  protected AbstractFSContract createContract(Configuration configuration) {
    return new S3CoreContract(configuration);
  }

  /** The least that S3 takes of a part that is not the last. */
  @Override
  protected int partSizeInBytes() {
    return 5 << 20;
  }

  /** As S3A's. */
  @Override
  protected int getTestPayloadCount() {
    return 3;
  }

  /** A second completion or abort finds nothing. */
  @Override
  protected boolean finalizeConsumesUploadIdImmediately() {
    return true;
  }

  @Override
  protected boolean supportsConcurrentUploadsToSamePath() {
    return true;
  }

  /** As S3A's: an object may have the name of a directory. */
  @Override
  public void testDirectoryInTheWay() {
    ContractTestUtils.skip("S3 has no directories");
  }
}
