package org.s3core.hadoop;

import java.util.Map;
import org.apache.hadoop.conf.Configuration;

/** Where the keys in a configuration come from, when nobody has written them there: Spark, or a credential provider. */
final class KeyOrigin {
  /** What Spark notes of keys that it has found in the environment: "... on HOST/ADDRESS from AWS_ACCESS_KEY_ID". */
  private static final String BY_SPARK = "Set by Spark on ";
  private static final String FROM = " from ";

  private KeyOrigin() {
  }

  /**
   * What a user is told to look at when the keys of {@code bucket} are refused; null where the option says enough.
   *
   * @param provided what was found in credential providers or, where they have none, in the configuration itself
   */
  static String of(Configuration conf, String bucket, Map<String, String> provided) {
    for (String prefix : new String[] {"fs.s3a.bucket." + bucket + ".", "fs.s3a."}) {
      String key = prefix + "secret.key";
      String written = conf.get(key);
      String secret = provided.get(key);
      if (secret != null && !secret.equals(written)) {
        return "the credential provider that holds " + key + " (hadoop.security.credential.provider.path)";
      }
      if (written != null && !written.isEmpty()) {
        return ofSpark(conf.getPropertySources(key));
      }
    }
    return null;
  }

  private static String ofSpark(String[] sources) {
    String source = sources == null || sources.length == 0 ? "" : sources[0];
    int from = source.lastIndexOf(FROM);
    if (!source.startsWith(BY_SPARK) || from < 0) {
      return null;
    }
    String host = source.substring(BY_SPARK.length(), from);
    return "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment of " + host;
  }
}
