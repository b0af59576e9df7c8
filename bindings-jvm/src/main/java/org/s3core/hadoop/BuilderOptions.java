package org.s3core.hadoop;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Options of Hadoop's builders for opening and creating files. */
final class BuilderOptions {
  static final String CREATE_PERFORMANCE = "fs.s3a.create.performance";
  static final String CREATE_MULTIPART = "fs.s3a.create.multipart";
  static final String CREATE_HEADER = "fs.s3a.create.header";
  static final String CONDITIONAL_OVERWRITE = "fs.option.create.conditional.overwrite";
  static final String CONDITIONAL_OVERWRITE_ETAG = "fs.option.create.conditional.overwrite.etag";
  static final String CREATE_IN_CLOSE = "fs.option.create.in.close";
  static final String CREATE_CONTENT_TYPE = "fs.option.create.content.type";

  static final String OPEN_LENGTH = "fs.option.openfile.length";
  static final String OPEN_READ_POLICY = "fs.option.openfile.read.policy";
  static final String INPUT_FADVISE = "fs.s3a.experimental.input.fadvise";
  static final String READAHEAD_RANGE = "fs.s3a.readahead.range";

  private static final Set<String> CREATE = new HashSet<>(Arrays.asList(CREATE_PERFORMANCE, CREATE_MULTIPART,
      CONDITIONAL_OVERWRITE, CONDITIONAL_OVERWRITE_ETAG, CREATE_IN_CLOSE, CREATE_CONTENT_TYPE));
  /** The last of S3A's is known and means nothing here; splits, buffers and footers follow from how the file is read. */
  private static final Set<String> OPEN = new HashSet<>(Arrays.asList(OPEN_LENGTH, OPEN_READ_POLICY,
      "fs.option.openfile.buffer.size", "fs.option.openfile.footer.cache", "fs.option.openfile.split.start",
      "fs.option.openfile.split.end", INPUT_FADVISE, READAHEAD_RANGE, "fs.s3a.input.async.drain.threshold"));

  private BuilderOptions() {
  }

  /** Fails where a key is mandatory and means nothing when a file is created. */
  static void checkCreate(Path path, Set<String> mandatory) {
    for (String key : mandatory) {
      if (!CREATE.contains(key) && !key.startsWith(CREATE_HEADER + ".")) {
        throw unknown(path, key);
      }
    }
  }

  /** Fails where a key is mandatory and means nothing when a file is opened. */
  static void checkOpen(Path path, Set<String> mandatory) {
    for (String key : mandatory) {
      if (!OPEN.contains(key)) {
        throw unknown(path, key);
      }
    }
  }

  private static IllegalArgumentException unknown(Path path, String key) {
    return new IllegalArgumentException(path + ": unknown mandatory key " + key + "; give it with opt() rather than must()");
  }

  /** A number of bytes, or -1 where there is none, it is negative or it cannot be read: nothing depends on it. */
  static long bytes(Configuration options, String key) {
    try {
      return Math.max(-1, options.getLongBytes(key, -1));
    } catch (IllegalArgumentException e) {
      NativeLog.LOG.warn("{}={} is no number of bytes and is ignored", key, options.get(key));
      return -1;
    }
  }
}
