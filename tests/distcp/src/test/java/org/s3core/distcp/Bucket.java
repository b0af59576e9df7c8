package org.s3core.distcp;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.contract.AbstractBondedFSContract;

/** The bucket of the environment, configured as by a user. */
final class Bucket extends AbstractBondedFSContract {

  /** {@code configuration}: what the test has set already. */
  Bucket(Configuration configuration) {
    super(configuration);
    getConf().set("fs.contract.test.fs.s3a", root().toString());
    configure(getConf());
  }

  @Override
  public String getScheme() {
    return "s3a";
  }

  static Path root() {
    return new Path("s3a://" + environment("S3CORE_TEST_BUCKET") + "/");
  }

  static Configuration configure(Configuration configuration) {
    configuration.set("fs.s3a.impl", "org.s3core.hadoop.S3CoreFileSystem");
    configuration.set("fs.s3a.endpoint", environment("S3CORE_TEST_ENDPOINT"));
    configuration.set("fs.s3a.access.key", environment("S3CORE_TEST_ACCESS_KEY"));
    configuration.set("fs.s3a.secret.key", environment("S3CORE_TEST_SECRET_KEY"));
    return configuration;
  }

  private static String environment(String name) {
    String value = System.getenv(name);
    if (value == null || value.isEmpty()) {
      throw new IllegalStateException("environment variable " + name + " is not set: start these tests with tests/maven-suite.sh distcp");
    }
    return value;
  }
}
