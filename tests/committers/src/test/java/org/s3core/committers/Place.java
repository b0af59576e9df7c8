package org.s3core.committers;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;

/** The bucket of the environment, and what a reader finds in it. Only what a user sets is configured. */
final class Place {
  private Place() {
  }

  static Configuration configuration() {
    Configuration conf = new Configuration();
    conf.set("fs.s3a.impl", "org.s3core.hadoop.S3CoreFileSystem");
    conf.set("fs.s3a.endpoint", environment("S3CORE_TEST_ENDPOINT"));
    conf.set("fs.s3a.access.key", environment("S3CORE_TEST_ACCESS_KEY"));
    conf.set("fs.s3a.secret.key", environment("S3CORE_TEST_SECRET_KEY"));
    conf.set("fs.s3a.multipart.size", "8M");
    return conf;
  }

  /** A directory that no other test writes to. */
  static Path directory(String name) {
    return new Path("s3a://" + environment("S3CORE_TEST_BUCKET") + "/" + name + "-" + System.nanoTime());
  }

  /** Another process: a client of its own, which knows nothing of what this one has under way. */
  static FileSystem elsewhere(Path path) throws IOException {
    Configuration conf = configuration();
    // Another spelling of the address is another bucket to the registry of work paths.
    conf.set("fs.s3a.endpoint", environment("S3CORE_TEST_ENDPOINT").replace("127.0.0.1", "localhost"));
    return FileSystem.newInstance(URI.create(path.toString()), conf);
  }

  /** Paths of the files below {@code directory}, without those that jobs hide with an underscore. */
  static List<String> visible(Path directory) throws IOException {
    List<String> files = new ArrayList<>();
    for (String file : files(directory)) {
      if (!file.startsWith("_") && !file.contains("/_")) {
        files.add(file);
      }
    }
    return files;
  }

  /** Paths of all files below {@code directory}; none where it is missing. */
  static List<String> files(Path directory) throws IOException {
    List<String> files = new ArrayList<>();
    try (FileSystem system = elsewhere(directory)) {
      RemoteIterator<LocatedFileStatus> entries = system.listFiles(directory, true);
      while (entries.hasNext()) {
        String path = entries.next().getPath().toString();
        files.add(path.substring(directory.toString().length() + 1));
      }
    } catch (FileNotFoundException e) {
      return files;
    }
    Collections.sort(files);
    return files;
  }

  /** Removes everything from the bucket, so that it can go. */
  static void clear() throws IOException {
    Path root = new Path("s3a://" + environment("S3CORE_TEST_BUCKET") + "/");
    try (FileSystem system = elsewhere(root)) {
      for (FileStatus entry : system.listStatus(root)) {
        system.delete(entry.getPath(), true);
      }
    }
  }

  static String text(Path file) throws IOException {
    try (FileSystem system = elsewhere(file); FSDataInputStream stream = system.open(file)) {
      byte[] content = new byte[(int) system.getFileStatus(file).getLen()];
      stream.readFully(content);
      return new String(content, StandardCharsets.UTF_8);
    }
  }

  /** Requests of one S3 operation that the cached file system of {@code path} has made so far. */
  static long requests(Path path, String operation) throws Exception {
    FileSystem files = path.getFileSystem(configuration());
    Map<?, ?> counts = (Map<?, ?>) files.getClass().getMethod("requests").invoke(files);
    long[] of = (long[]) counts.get(operation);
    return of == null ? 0 : of[0];
  }

  private static String environment(String name) {
    String value = System.getenv(name);
    if (value == null || value.isEmpty()) {
      throw new IllegalStateException(name + " is not set: start these tests with tests/maven-suite.sh committers");
    }
    return value;
  }
}
