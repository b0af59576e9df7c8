package org.s3core.hadoop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.security.UserGroupInformation;
import org.junit.jupiter.api.Test;

/** What the gateway's log is told of a call, in the form of S3A's audit. */
class ReferrerTest {
  private interface Call {
    void on(FileSystem files) throws IOException;
  }

  @Test
  void everyRequestNamesItsCall() throws IOException {
    Path file = new Path("s3a://lake/a b");
    assertEquals("op_create", operations(files -> write(files, file)));
    assertEquals("op_create op_get_file_status", operations(files -> {
      write(files, file);
      files.getFileStatus(file);
    }));
    assertEquals("op_create op_open", operations(files -> {
      write(files, file);
      try (FSDataInputStream in = files.open(file)) {
        assertEquals(7, in.read());
      }
    }));
    assertEquals("op_mkdirs", operations(files -> files.mkdirs(new Path("s3a://lake/d"))));
    assertEquals("op_list_status", operations(files -> files.listStatus(new Path("s3a://lake/"))));
    assertEquals("op_list_files", operations(files -> files.listFiles(new Path("s3a://lake/"), true)));
    assertEquals("op_create op_delete", operations(files -> {
      write(files, file);
      files.delete(file, false);
    }));
  }

  @Test
  void pathsUserAndThreadAreNamed() throws IOException {
    try (StubGateway gateway = new StubGateway(); FileSystem files = open(gateway.configuration())) {
      write(files, new Path("s3a://lake/a b"));
      Map<String, String> attributes = attributes(gateway.referrers.peek());
      assertEquals("s3a://lake/a b", attributes.get("p1"));
      assertEquals(UserGroupInformation.getCurrentUser().getUserName(), attributes.get("pr"));
      assertEquals(Long.toString(Thread.currentThread().getId()), attributes.get("t0"));
      assertEquals(attributes.get("t0"), attributes.get("t1"));
      assertTrue(attributes.get("id").startsWith(attributes.get("fs") + "-"));
      assertTrue(Math.abs(Long.parseLong(attributes.get("ts")) - System.currentTimeMillis()) < 60_000);
      assertFalse(attributes.get("ps").isEmpty());

      gateway.referrers.clear();
      files.getFileStatus(new Path("s3a://lake/a b"));
      assertNotEquals(attributes.get("id"), attributes(gateway.referrers.peek()).get("id"), "another call");
    }
  }

  @Test
  void theAuditCanBeTurnedOff() throws IOException {
    for (String option : new String[] {"fs.s3a.audit.enabled", "fs.s3a.audit.referrer.enabled"}) {
      try (StubGateway gateway = new StubGateway()) {
        Configuration conf = gateway.configuration();
        conf.set(option, "false");
        try (FileSystem files = open(conf)) {
          files.mkdirs(new Path("s3a://lake/d"));
        }
        assertTrue(gateway.referrers.stream().allMatch(String::isEmpty), option);
        assertFalse(gateway.referrers.isEmpty());
      }
    }
  }

  /** The operations that requests name, in the order of their first requests. */
  private static String operations(Call call) throws IOException {
    try (StubGateway gateway = new StubGateway(); FileSystem files = open(gateway.configuration())) {
      call.on(files);
      Set<String> operations = new LinkedHashSet<>();
      for (String referrer : gateway.referrers) {
        String operation = attributes(referrer).get("op");
        assertTrue(referrer.startsWith("https://audit.example.org/hadoop/1/" + operation + "/"), referrer);
        operations.add(operation);
      }
      return String.join(" ", operations);
    }
  }

  private static FileSystem open(Configuration conf) throws IOException {
    return FileSystem.newInstance(URI.create("s3a://lake/"), conf);
  }

  private static void write(FileSystem files, Path path) throws IOException {
    try (FSDataOutputStream out = files.create(path, true)) {
      out.write(7);
    }
  }

  private static Map<String, String> attributes(String referrer) {
    Map<String, String> attributes = new TreeMap<>();
    for (String attribute : URI.create(referrer).getQuery().split("&")) {
      int equals = attribute.indexOf('=');
      attributes.put(attribute.substring(0, equals), attribute.substring(equals + 1));
    }
    return attributes;
  }
}
