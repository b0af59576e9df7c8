package org.s3core.hadoop;

import java.io.IOException;
import org.apache.hadoop.fs.FileSystem;

/**
 * Which Hadoop is at hand. A class that implements an interface of a newer Hadoop is loaded only where that interface
 * is there; everything else keeps to Hadoop 2.7.
 */
final class HadoopFeatures {
  private static final boolean HAS_CAPABILITIES = has("org.apache.hadoop.fs.StreamCapabilities");
  /** Hadoop 3.3.5 and newer. */
  private static final boolean HAS_VECTORED_READS = has("org.apache.hadoop.fs.FileRange");

  private HadoopFeatures() {
  }

  /** Whether Hadoop has this class. */
  static boolean has(String className) {
    try {
      Class.forName(className, false, FileSystem.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  /** The most capable input stream that this Hadoop can load. */
  static S3CoreInputStream inputStream(long reader, String path, FileSystem.Statistics statistics)
      throws IOException {
    long length = Native.readerLength(reader);
    // Not by constructors: the verifier would load what this method returns, interfaces and all.
    if (HAS_VECTORED_READS) {
      return VectoredInputStream.open(reader, length, path, statistics);
    } else if (HAS_CAPABILITIES) {
      return CapableInputStream.open(reader, length, path, statistics);
    }
    return new S3CoreInputStream(reader, length, path, statistics);
  }
}
