package org.s3core.hadoop;

import org.apache.hadoop.conf.Configuration;

/**
 * Hadoop's and Spark's own defaults bind s3a in four places, and {@code fs.s3a.impl} is only one of them. The others
 * are overridden by default resources in the jar, so that no user has to set them.
 *
 * <p>That of the committers is added when a FileSystem of ours is first initialised for a scheme that the configuration
 * binds to it: jobs that use another S3 client see nothing of it, although the jar is on their class path. That of
 * {@code FileContext} is added earlier, with the first FileSystem of any kind, and is harmless to them.
 */
final class DefaultResource {
  private static final String COMMITTERS = "s3core-default.xml";
  private static final String COMMITTERS_WITHOUT_FACTORIES = "s3core-without-factories.xml";
  private static final String FACTORY = "org.apache.hadoop.mapreduce.lib.output.PathOutputCommitterFactory";
  private static final String FILE_CONTEXT = "s3core-file-context.xml";

  private static boolean isAdded;

  private DefaultResource() {
  }

  /** Binds {@code FileContext}. Never throws: it runs in a static initialiser, in jobs that are not ours, too. */
  static void addForFileContext() {
    Configuration.addDefaultResource(FILE_CONTEXT);
  }

  static synchronized void addIfBound(Configuration conf, String scheme) {
    if (isAdded || !isBound(conf, scheme)) {
      return;
    }
    // mapred-default.xml must come first, or it would override ours as soon as a job configuration is made.
    try {
      Class.forName("org.apache.hadoop.mapred.JobConf", true, conf.getClassLoader());
    } catch (ClassNotFoundException | LinkageError e) {
      NativeLog.LOG.debug("No MapReduce on the class path, so no committers to bind", e);
    }
    Configuration.addDefaultResource(COMMITTERS);
    if (!HadoopFeatures.has(FACTORY)) {
      Configuration.addDefaultResource(COMMITTERS_WITHOUT_FACTORIES);
    }
    isAdded = true;
  }

  /** Whether paths of {@code scheme} are ours in this configuration. */
  static boolean isBound(Configuration conf, String scheme) {
    return S3CoreFileSystem.SCHEME.equals(scheme)
        || S3CoreFileSystem.class.getName().equals(conf.getTrimmed("fs." + scheme + ".impl"));
  }
}
