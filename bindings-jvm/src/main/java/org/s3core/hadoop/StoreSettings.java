package org.s3core.hadoop;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.security.UserGroupInformation;

/** What core is told about a bucket: the keys of the configuration, the secrets of its providers, the JVM's trust. */
final class StoreSettings {
  private static final String PREFIX = "fs.s3a.";
  private static final String OWN_PREFIX = "fs.s3core.";
  private static final String BUCKET_PREFIX = "fs.s3a.bucket.";
  private static final String PROVIDER_PATH = "hadoop.security.credential.provider.path";
  private static final String S3A_PROVIDER_PATH = "security.credential.provider.path";
  /** What S3A looks up in credential providers. */
  private static final String[] SECRETS = {"access.key", "secret.key", "session.token", "encryption.algorithm",
      "encryption.key", "encryption.context", "server-side-encryption-algorithm", "server-side-encryption.key",
      "server-side-encryption-key", "proxy.username", "proxy.password"};
  /** Where S3A looks for the name of the job. */
  private static final String[] JOBS = {"fs.s3a.committer.uuid", "spark.sql.sources.writeJobUUID", "mapreduce.job.id"};
  private static final String AUDIT_PREFIX = OWN_PREFIX + "audit.";
  /** Names this process in the Referer header. */
  private static final String PROCESS = UUID.randomUUID().toString();
  /** What nobody asked for: Hadoop's own defaults for S3A, and Spark's, which name Amazon's endpoint where none is set. */
  private static final Set<String> DEFAULTS =
      new HashSet<>(Arrays.asList("core-default.xml", "Set by Spark to default values"));

  private StoreSettings() {
  }

  /** Every key that may concern {@code bucket}, each followed by its value. */
  static String[] keysAndValues(Configuration conf, String bucket) throws IOException {
    Map<String, String> settings = new TreeMap<>();
    for (Map.Entry<String, String> entry : conf) {
      String key = entry.getKey();
      if ((key.startsWith(PREFIX) || key.startsWith(OWN_PREFIX)) && !isMereDefault(conf, key)) {
        // get() and not the entry's value: only the former expands ${...}.
        settings.put(key, conf.get(key));
      }
    }
    Map<String, String> provided = providedSecrets(conf, bucket);
    settings.putAll(provided);
    String origin = KeyOrigin.of(conf, bucket, provided);
    if (origin != null) {
      settings.putIfAbsent(OWN_PREFIX + "keys.origin", origin);
    }
    settings.putIfAbsent(AUDIT_PREFIX + "principal", UserGroupInformation.getCurrentUser().getUserName());
    settings.putIfAbsent(AUDIT_PREFIX + "process", PROCESS);
    for (String key : JOBS) {
      String job = conf.getTrimmed(key, "");
      if (!job.isEmpty()) {
        settings.putIfAbsent(AUDIT_PREFIX + "job", job);
      }
    }
    List<String> flat = new ArrayList<>();
    settings.forEach((key, value) -> {
      flat.add(key);
      flat.add(value);
    });
    return flat.toArray(new String[0]);
  }

  /**
   * Whether the value is only what Hadoop or Spark ship, which suits S3A and says nothing about what the user wants. The
   * buffer directory is kept: Hadoop knows the disks of a YARN container.
   */
  private static boolean isMereDefault(Configuration conf, String key) {
    String[] sources = conf.getPropertySources(key);
    return sources != null && sources.length > 0 && DEFAULTS.contains(sources[0])
        && !key.equals(PREFIX + "buffer.dir");
  }

  /** Keys out of Hadoop credential providers (jceks files), where the configuration names some. */
  private static Map<String, String> providedSecrets(Configuration conf, String bucket) throws IOException {
    List<String> providers = new ArrayList<>();
    String[] keys = {BUCKET_PREFIX + bucket + "." + S3A_PROVIDER_PATH, PREFIX + S3A_PROVIDER_PATH, PROVIDER_PATH};
    for (String key : keys) {
      for (String provider : conf.getTrimmedStringCollection(key)) {
        if (liesOnUs(conf, provider)) {
          NativeLog.LOG.debug("No keys are looked for in {}, which cannot be opened without keys", provider);
        } else {
          providers.add(provider);
        }
      }
    }
    Map<String, String> secrets = new TreeMap<>();
    if (providers.isEmpty()) {
      return secrets;
    }
    Configuration withProviders = new Configuration(conf);
    withProviders.set(PROVIDER_PATH, String.join(",", providers));
    for (String prefix : new String[] {BUCKET_PREFIX + bucket + ".", PREFIX}) {
      for (String name : SECRETS) {
        char[] secret = withProviders.getPassword(prefix + name);
        if (secret != null && secret.length > 0) {
          secrets.put(prefix + name, new String(secret));
        }
      }
    }
    return secrets;
  }

  /**
   * Whether a provider's file is in a bucket that this class is to find the keys for: opening it would ask for its keys
   * again, without end. In {@code jceks://s3a@bucket/path} the scheme of the file stands before the {@code @}.
   */
  private static boolean liesOnUs(Configuration conf, String provider) {
    String authority;
    try {
      authority = new URI(provider).getAuthority();
    } catch (URISyntaxException e) {
      return false;   // Hadoop says better what is wrong with it
    }
    int at = authority == null ? -1 : authority.indexOf('@');
    return at >= 0 && DefaultResource.isBound(conf, authority.substring(0, at));
  }

  /** DER certificates of the issuers that this JVM trusts; honours {@code javax.net.ssl.trustStore}. */
  static byte[][] trustedCertificates() throws IOException {
    try {
      TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init((KeyStore) null);
      List<byte[]> certificates = new ArrayList<>();
      for (TrustManager manager : factory.getTrustManagers()) {
        if (manager instanceof X509TrustManager) {
          for (X509Certificate issuer : ((X509TrustManager) manager).getAcceptedIssuers()) {
            certificates.add(issuer.getEncoded());
          }
        }
      }
      return certificates.toArray(new byte[0][]);
    } catch (NoSuchAlgorithmException | KeyStoreException | CertificateEncodingException e) {
      throw new IOException("the trust store of this JVM cannot be read (javax.net.ssl.trustStore): " + e, e);
    }
  }
}
