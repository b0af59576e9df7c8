package org.s3core.hadoop;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.ArrayList;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Brings the library from the jar into the process: a file of its own per class loader (a path can be loaded by one
 * loader only), in the first directory that may execute it, verified, and deleted as soon as it is mapped.
 */
final class NativeExtraction {
  /** Names a directory for the library before all others. */
  static final String DIRECTORY_PROPERTY = "s3core.tmpdir";

  private static final String LIBRARY = "libs3core_jni.so";
  private static final String NEEDED_GLIBC = "2.17";

  private final String resources;
  private final List<Path> directories;
  private final Consumer<String> loader;

  /**
   * @param resources directory of the library beside this class, with a slash at the end
   * @param directories where to put it, in this order
   * @param loader {@link System#load}, which must be called from a class of the loader that the library is for
   */
  NativeExtraction(String resources, List<Path> directories, Consumer<String> loader) {
    this.resources = resources;
    this.directories = directories;
    this.loader = loader;
  }

  /** Directories to try: the property's, the JVM's, those that Spark and YARN give to an executor, the current one. */
  static List<Path> candidates() {
    Set<String> names = new LinkedHashSet<>();
    names.add(System.getProperty(DIRECTORY_PROPERTY));
    names.add(System.getProperty("java.io.tmpdir"));
    for (String list : Arrays.asList(System.getenv("LOCAL_DIRS"), System.getenv("SPARK_EXECUTOR_DIRS"),
        System.getenv("SPARK_LOCAL_DIRS"), System.getProperty("spark.local.dir"))) {
      if (list != null) {
        names.addAll(Arrays.asList(list.split("[,:]")));
      }
    }
    names.add(System.getProperty("user.dir"));
    List<Path> directories = new ArrayList<>();
    for (String name : names) {
      if (name != null && !name.trim().isEmpty()) {
        directories.add(Paths.get(name.trim()));
      }
    }
    return directories;
  }

  /** Tries one directory after the other. */
  void load() throws IOException {
    String digest = expectedDigest();
    StringBuilder attempts = new StringBuilder();
    for (Path directory : directories) {
      try {
        loadFrom(directory, digest);
        return;
      } catch (UnsatisfiedLinkError e) {
        rejectWhatNoDirectoryHelps(e);
        attempts.append("\n  ").append(directory).append(": ").append(e.getMessage());
      } catch (IOException e) {
        attempts.append("\n  ").append(directory).append(": ").append(e);
      }
    }
    throw new IOException("no directory was found that the native library of s3core can be loaded from; name one that "
        + "is writable and not mounted noexec with -D" + DIRECTORY_PROPERTY + "=... (for Spark in "
        + "spark.driver.extraJavaOptions and spark.executor.extraJavaOptions). Tried:" + attempts);
  }

  private void loadFrom(Path directory, String digest) throws IOException {
    Path file = Files.createTempFile(directory, "libs3core_jni-", ".so");   // for its owner only
    try {
      String found = copyTo(file);
      if (!found.equals(digest)) {
        throw new IOException("the copy differs from the library in the jar (disk full?): " + found + " rather than "
            + digest);
      }
      loader.accept(file.toString());
    } finally {
      // The mapping stays; nothing is left behind by a killed process.
      Files.deleteIfExists(file);
    }
  }

  /** Copies the library and answers the digest and length of what is in the file afterwards. */
  private String copyTo(Path file) throws IOException {
    try (InputStream in = resource(LIBRARY); OutputStream out = Files.newOutputStream(file)) {
      byte[] buffer = new byte[1 << 16];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        out.write(buffer, 0, n);
      }
    }
    MessageDigest digest = sha256();
    try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
      byte[] buffer = new byte[1 << 16];
      while (in.read(buffer) >= 0) {
        // The digest is all that is wanted.
      }
    }
    StringBuilder text = new StringBuilder();
    for (byte octet : digest.digest()) {
      text.append(String.format("%02x", octet));
    }
    return text.append(' ').append(new File(file.toString()).length()).toString();
  }

  private String expectedDigest() throws IOException {
    try (BufferedReader in =
        new BufferedReader(new InputStreamReader(resource(LIBRARY + ".sha256"), StandardCharsets.US_ASCII))) {
      return in.readLine().trim();
    }
  }

  /** Found by this class's own loader: with spark.jars no other one has it. */
  private InputStream resource(String name) throws IOException {
    InputStream in = NativeExtraction.class.getResourceAsStream(resources + name);
    if (in == null) {
      throw new IOException("the s3core jar is incomplete: org/s3core/hadoop/" + resources + name
          + " is missing (was the jar shaded or minimised?)");
    }
    return in;
  }

  private static void rejectWhatNoDirectoryHelps(UnsatisfiedLinkError error) throws IOException {
    String message = String.valueOf(error.getMessage());
    if (message.contains("GLIBC_")) {
      throw new IOException("the C library of this machine is too old: s3core needs glibc " + NEEDED_GLIBC
          + " or newer (" + message + ")", error);
    }
    if (message.contains("ld-linux") || message.contains("libc.so.6") || message.contains("libgcc_s")) {
      throw new IOException("s3core needs glibc " + NEEDED_GLIBC + " or newer; images with another C library (Alpine) "
          + "lack it (" + message + ")", error);
    }
    if (message.contains("wrong ELF class") || message.contains("cannot open shared object file: No such file")) {
      throw new IOException("the native library of s3core does not fit this machine: " + message, error);
    }
  }

  private static MessageDigest sha256() throws IOException {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IOException("this JVM has no SHA-256", e);
    }
  }
}
