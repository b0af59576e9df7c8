package org.s3core.hadoop;

import org.apache.hadoop.fs.FileSystem;

/** What a stream needs to know of its file. */
final class OpenedFile {
  /** Id of the native reader or writer, which the stream closes. */
  final long id;
  /** For messages. */
  final String path;
  /** Counts of the thread that reads or writes; may be null. */
  final FileSystem.Statistics statistics;
  /** Of the file system: takes what the stream has counted when it is closed. */
  final Counts whole;

  OpenedFile(long id, String path, FileSystem.Statistics statistics, Counts whole) {
    this.id = id;
    this.path = path;
    this.statistics = statistics;
    this.whole = whole;
  }
}
