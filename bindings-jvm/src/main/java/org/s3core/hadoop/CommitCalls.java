package org.s3core.hadoop;

import java.io.IOException;
import org.apache.hadoop.fs.FileSystem;

/**
 * What a committer asks of the file system that it writes to. That object and not only its bucket matters: Hadoop gives
 * the same one to whoever writes the files, and it may be of another class loader than the committer.
 */
interface CommitCalls {
  void setUpJob(String destination, String job, boolean again, String committer, String conflictMode)
      throws IOException;

  long[] commitJob(String destination, String job, boolean marksSuccess, String committer, String conflictMode)
      throws IOException;

  void abortJob(String destination, String job) throws IOException;

  String workPath(String destination, String job, String task, String attempt);

  void setUpTask(String destination, String job, String task, String attempt) throws IOException;

  boolean needsTaskCommit(String destination, String job, String task, String attempt) throws IOException;

  void commitTask(String destination, String job, String task, String attempt) throws IOException;

  void abortTask(String destination, String job, String task, String attempt) throws IOException;

  /** The calls on {@code files}, or null where that is not ours. */
  static CommitCalls on(FileSystem files) {
    if (files instanceof S3CoreFileSystem) {
      return ((S3CoreFileSystem) files).commitCalls();
    }
    return OtherLoadersCalls.on(files);
  }
}
