package org.s3core.contract.since34;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.contract.AbstractFSContract;
import org.apache.hadoop.io.wrappedio.impl.TestWrappedIO;
import org.s3core.contract.S3CoreContract;

/** The entry points that Iceberg and Parquet call by reflection: openFile, bulk delete, capabilities, reads into buffers. */
public class TestBucketWrappedIO extends TestWrappedIO {

  @Override
  protected AbstractFSContract createContract(Configuration configuration) {
    return new S3CoreContract(configuration);
  }
}
