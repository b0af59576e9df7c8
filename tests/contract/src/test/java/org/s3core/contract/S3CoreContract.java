package org.s3core.contract;

import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.contract.AbstractBondedFSContract;

/**
 * What every contract test is told: the file system is ours, bound to {@code s3a} by {@code fs.s3a.impl}, on the bucket and
 * endpoint of the environment. Nothing else is configured, as for a user.
 */
public final class S3CoreContract extends AbstractBondedFSContract {

  /** {@code configuration}: what the test has set already. */
  public S3CoreContract(Configuration configuration) {
    super(configuration);
    addConfResource("contract/s3core.xml");
    getConf().set("fs.contract.test.fs.s3a", bucket().toString());
    configure(getConf());
  }

  /** What a user configures, and nothing else; returns {@code configuration}. */
  public static Configuration configure(Configuration configuration) {
    configuration.set("fs.s3a.impl", "org.s3core.hadoop.S3CoreFileSystem");
    configuration.set("fs.s3a.endpoint", environment("S3CORE_TEST_ENDPOINT"));
    configuration.set("fs.s3a.access.key", environment("S3CORE_TEST_ACCESS_KEY"));
    configuration.set("fs.s3a.secret.key", environment("S3CORE_TEST_SECRET_KEY"));
    return configuration;
  }

  /** The bucket of this run. */
  public static URI bucket() {
    return URI.create("s3a://" + environment("S3CORE_TEST_BUCKET") + "/");
  }

  @Override
  public String getScheme() {
    return "s3a";
  }

  /** A contract that is not configured makes the tests skip themselves silently: absence has to be an error here. */
  private static String environment(String name) {
    String value = System.getenv(name);
    if (value == null || value.isEmpty()) {
      throw new IllegalStateException("environment variable " + name + " is not set: start these tests with tests/maven-suite.sh contract");
    }
    return value;
  }
}
