package org.s3core.hadoop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.security.UserGroupInformation;
import org.apache.hadoop.security.alias.CredentialProvider;
import org.apache.hadoop.security.alias.CredentialProviderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreSettingsTest {
  @TempDir
  Path temporary;

  @Test
  void whatHadoopShipsIsNotWhatTheUserWants() throws IOException {
    Configuration conf = new Configuration();
    assertEquals("false", conf.get("fs.s3a.path.style.access"), "core-default.xml has it");
    assertFalse(settings(conf).containsKey("fs.s3a.path.style.access"));
    assertTrue(settings(conf).containsKey("fs.s3a.buffer.dir"), "Hadoop knows the container's disks");

    conf.set("fs.s3a.path.style.access", "false");
    assertEquals("false", settings(conf).get("fs.s3a.path.style.access"));
  }

  @Test
  void whatSparkSetsByItselfIsNotWhatTheUserWants() throws IOException {
    Configuration conf = new Configuration(false);
    conf.set("fs.s3a.endpoint", "s3.amazonaws.com", "Set by Spark to default values");
    assertFalse(settings(conf).containsKey("fs.s3a.endpoint"));
    conf.set("fs.s3a.endpoint", "s3.amazonaws.com", "Set by Spark from keys starting with 'spark.hadoop'");
    assertEquals("s3.amazonaws.com", settings(conf).get("fs.s3a.endpoint"));
  }

  @Test
  void keysOfTheEnvironmentAndOfProvidersSayWhereTheyComeFrom() throws IOException {
    Configuration conf = new Configuration(false);
    conf.set("fs.s3a.secret.key", "s");
    assertFalse(settings(conf).containsKey("fs.s3core.keys.origin"));
    conf.set("fs.s3a.secret.key", "s", "Set by Spark on box/10.0.0.1 from AWS_SECRET_ACCESS_KEY");
    assertEquals("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment of box/10.0.0.1",
        settings(conf).get("fs.s3core.keys.origin"));

    String provider = "localjceks://file" + temporary.resolve("origin.jceks");
    conf.set("hadoop.security.credential.provider.path", provider);
    CredentialProvider keys = CredentialProviderFactory.getProviders(conf).get(0);
    keys.createCredentialEntry("fs.s3a.secret.key", "other".toCharArray());
    keys.flush();
    String origin = settings(conf).get("fs.s3core.keys.origin");
    assertTrue(origin.contains("credential provider that holds fs.s3a.secret.key"), origin);
    conf.set("fs.s3a.bucket.lake.secret.key", "the user's own");
    assertFalse(settings(conf).containsKey("fs.s3core.keys.origin"));
  }

  @Test
  void onlyOurKeysAreTakenAndVariablesAreExpanded() throws IOException {
    Configuration conf = new Configuration(false);
    conf.set("host", "rgw");
    conf.set("fs.s3a.endpoint", "http://${host}:8080");
    conf.set("fs.s3core.memory.limit", "64M");
    conf.set("fs.hdfs.impl", "x");
    Map<String, String> settings = settings(conf);
    assertEquals("http://rgw:8080", settings.get("fs.s3a.endpoint"));
    assertEquals("64M", settings.get("fs.s3core.memory.limit"));
    settings.keySet().removeIf(key -> key.startsWith("fs.s3core.audit."));
    assertEquals(2, settings.size());
  }

  @Test
  void secretsComeOutOfCredentialProviders() throws IOException {
    String provider = "localjceks://file" + temporary.resolve("keys.jceks");
    Configuration conf = new Configuration(false);
    conf.set("hadoop.security.credential.provider.path", provider);
    CredentialProvider keys = CredentialProviderFactory.getProviders(conf).get(0);
    keys.createCredentialEntry("fs.s3a.access.key", "a".toCharArray());
    keys.createCredentialEntry("fs.s3a.bucket.lake.secret.key", "s".toCharArray());
    keys.flush();

    for (String name : new String[] {"hadoop.security.credential.provider.path",
        "fs.s3a.security.credential.provider.path", "fs.s3a.bucket.lake.security.credential.provider.path"}) {
      Configuration user = new Configuration(false);
      user.set(name, provider);
      Map<String, String> settings = settings(user);
      assertEquals("a", settings.get("fs.s3a.access.key"), name);
      assertEquals("s", settings.get("fs.s3a.bucket.lake.secret.key"), name);
    }
  }

  @Test
  void everySecretOfS3aIsLookedUp() throws IOException {
    String provider = "localjceks://file" + temporary.resolve("all.jceks");
    Configuration conf = new Configuration(false);
    conf.set("hadoop.security.credential.provider.path", provider);
    CredentialProvider keys = CredentialProviderFactory.getProviders(conf).get(0);
    String[] names = {"access.key", "secret.key", "session.token", "encryption.key", "encryption.context",
        "server-side-encryption.key", "proxy.username", "proxy.password"};
    for (String name : names) {
      keys.createCredentialEntry("fs.s3a." + name, ("plain " + name).toCharArray());
      keys.createCredentialEntry("fs.s3a.bucket.lake." + name, ("own " + name).toCharArray());
    }
    keys.flush();
    Map<String, String> settings = settings(conf);
    for (String name : names) {
      assertEquals("plain " + name, settings.get("fs.s3a." + name));
      assertEquals("own " + name, settings.get("fs.s3a.bucket.lake." + name));
    }
  }

  @Test
  void theAuditNamesUserProcessAndJob() throws IOException {
    Configuration conf = new Configuration(false);
    Map<String, String> settings = settings(conf);
    assertEquals(UserGroupInformation.getCurrentUser().getUserName(), settings.get("fs.s3core.audit.principal"));
    assertEquals(settings.get("fs.s3core.audit.process"), settings(conf).get("fs.s3core.audit.process"));
    assertFalse(settings.containsKey("fs.s3core.audit.job"));

    conf.set("mapreduce.job.id", "job_7");
    conf.set("fs.s3core.audit.principal", "somebody");
    assertEquals("job_7", settings(conf).get("fs.s3core.audit.job"));
    assertEquals("somebody", settings(conf).get("fs.s3core.audit.principal"));
    conf.set("spark.sql.sources.writeJobUUID", "spark-uuid");
    assertEquals("spark-uuid", settings(conf).get("fs.s3core.audit.job"));
  }

  /** A cluster may keep keys for its other services on s3a: those cannot be read without the keys that they hold. */
  @Test
  void providersOnABucketOfOursArePassedOver() throws IOException {
    String onUs = "jceks://s3a@secrets/keys.jceks";
    Configuration conf = new Configuration(false);
    conf.set("fs.s3a.impl", S3CoreFileSystem.class.getName());
    conf.set("hadoop.security.credential.provider.path", onUs);
    assertFalse(settings(conf).containsKey("fs.s3a.access.key"));

    String local = "localjceks://file" + temporary.resolve("beside.jceks");
    Configuration writing = new Configuration(false);
    writing.set("hadoop.security.credential.provider.path", local);
    CredentialProvider keys = CredentialProviderFactory.getProviders(writing).get(0);
    keys.createCredentialEntry("fs.s3a.access.key", "a".toCharArray());
    keys.flush();
    conf.set("hadoop.security.credential.provider.path", onUs + ", " + local);
    assertEquals("a", settings(conf).get("fs.s3a.access.key"));

    conf.set("hadoop.security.credential.provider.path", onUs);
    try (FileSystem fileSystem = FileSystem.newInstance(URI.create("s3a://secrets/"), withKeys(conf))) {
      assertEquals(S3CoreFileSystem34.class, fileSystem.getClass());
    }
  }

  private static Configuration withKeys(Configuration conf) {
    conf.set("fs.s3a.endpoint", "http://127.0.0.1:1");
    conf.set("fs.s3a.access.key", "devkey");
    conf.set("fs.s3a.secret.key", "devsecret");
    return conf;
  }

  @Test
  void theJvmsIssuersAreTrusted() throws IOException {
    byte[][] certificates = StoreSettings.trustedCertificates();
    assertTrue(certificates.length > 0);
    assertEquals(0x30, certificates[0][0], "DER begins with a sequence");
  }

  private static Map<String, String> settings(Configuration conf) throws IOException {
    String[] flat = StoreSettings.keysAndValues(conf, "lake");
    Map<String, String> settings = new TreeMap<>();
    for (int i = 0; i < flat.length; i += 2) {
      settings.put(flat[i], flat[i + 1]);
    }
    return settings;
  }
}
