package org.s3core.hadoop;

import java.io.IOException;
import org.apache.hadoop.fs.FileSystem;

/**
 * Which Hadoop is at hand. A class that implements an interface of a newer Hadoop is loaded only where that interface
 * is there; everything else keeps to Hadoop 2.7.
 */
final class HadoopFeatures {
  /** Hadoop 3.3.1 and newer: builders that take options, statistics of streams, uploaders, streams that can be aborted. */
  static final boolean HAS_BUILDERS = has("org.apache.hadoop.fs.statistics.IOStatisticsSource");

  /** Hadoop 3.4.1 and newer. */
  static final boolean HAS_BULK_DELETE = has("org.apache.hadoop.fs.BulkDelete");

  private static final boolean HAS_CAPABILITIES = has("org.apache.hadoop.fs.StreamCapabilities");
  /** Hadoop 2.10, and 3.3 and newer. */
  private static final boolean HAS_POSITIONED_BUFFERS = has("org.apache.hadoop.fs.ByteBufferPositionedReadable");
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
  static S3CoreInputStream inputStream(OpenedFile file) throws IOException {
    long length = Native.readerLength(file.id);
    // Not by constructors: the verifier would load what this method returns, interfaces and all.
    if (HAS_VECTORED_READS) {
      return VectoredInputStream.open(file, length);
    } else if (HAS_BUILDERS) {
      return MeasuredInputStream.open(file, length);
    } else if (HAS_POSITIONED_BUFFERS) {
      return PositionedInputStream.open(file, length);
    } else if (HAS_CAPABILITIES) {
      return CapableInputStream.open(file, length);
    }
    return new S3CoreInputStream(file, length);
  }

  /** The most capable output stream that this Hadoop can load. */
  static S3CoreOutputStream outputStream(OpenedFile file, boolean downgradeSync) {
    if (HAS_BUILDERS) {
      return AbortableOutputStream.open(file, downgradeSync);
    } else if (HAS_CAPABILITIES) {
      return CapableOutputStream.open(file, downgradeSync);
    }
    return new S3CoreOutputStream(file, downgradeSync);
  }
}
