package org.s3core.hadoop;

import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.Properties;

/**
 * Loads the native library out of the jar, once per class loader.
 *
 * <p>Nothing loads it but the first FileSystem that is initialised: the service loader makes instances of every
 * FileSystem on the class path, in jobs that never touch S3.
 */
final class NativeLibrary {
  /** JVM-wide mark: class loaders do not share statics. */
  private static final String LOADED_PROPERTY = "org.s3core.hadoop.loaded";

  private static boolean isLoaded;
  private static IOException failure;

  private NativeLibrary() {
  }

  /**
   * Loads and initialises the library unless that is done.
   *
   * @throws IOException where it cannot be loaded, with the remedy; the same for every caller
   */
  static synchronized void load() throws IOException {
    if (isLoaded) {
      return;
    }
    if (failure != null) {
      throw new IOException(failure.getMessage(), failure);
    }
    try {
      // A lambda of this class: System.load binds the library to the class loader of its caller.
      new NativeExtraction(resourceDirectory(), NativeExtraction.candidates(), file -> System.load(file)).load();
      compareVersions(Native.version(), version());
      boolean first = isFirst();
      Native.initialize(Runtime.getRuntime().maxMemory(), first);
      NativeLog.start();
      if (!first) {
        NativeLog.LOG.warn("A second class loader of this JVM uses s3core and gets a budget of 64 MiB of its own. Put "
            + "the jar on spark.driver.extraClassPath and spark.executor.extraClassPath (or into Spark's jars "
            + "directory) to share one copy.");
      }
      isLoaded = true;
    } catch (IOException e) {
      failure = e;
      throw e;
    }
  }

  /** Version of the jar. */
  static String version() throws IOException {
    Properties properties = new Properties();
    try (InputStream in = NativeLibrary.class.getResourceAsStream("build.properties")) {
      if (in == null) {
        throw new IOException("the s3core jar is incomplete: org/s3core/hadoop/build.properties is missing");
      }
      properties.load(in);
    }
    return properties.getProperty("version");
  }

  static void compareVersions(String library, String jar) throws IOException {
    if (!library.equals(jar)) {
      throw new IOException("the jar is s3core " + jar + ", its native library is " + library
          + ": there are classes of two versions on the class path");
    }
  }

  /** Where the jar keeps the library of this machine. */
  private static String resourceDirectory() throws IOException {
    return resourceDirectory(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
  }

  static String resourceDirectory(String system, String architecture) throws IOException {
    if (!system.toLowerCase(Locale.ROOT).startsWith("linux")) {
      throw new IOException("s3core runs on Linux (x86_64 and aarch64); this is " + system + " on " + architecture);
    }
    switch (architecture) {
      case "amd64":
      case "x86_64":
        return "native/linux-x86_64/";
      case "aarch64":
      case "arm64":
        return "native/linux-aarch64/";
      default:
        throw new IOException("s3core runs on Linux on x86_64 and aarch64; this machine is " + architecture);
    }
  }

  private static boolean isFirst() {
    return System.getProperties().putIfAbsent(LOADED_PROPERTY, "true") == null;
  }
}
