package org.s3core.hadoop;

import java.io.IOException;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.mapred.FileOutputCommitter;
import org.apache.hadoop.mapred.JobContext;
import org.apache.hadoop.mapred.TaskAttemptContext;
import org.apache.hadoop.mapreduce.lib.output.FileOutputFormat;

/**
 * Commits without renames on our paths; on all others it is the {@code FileOutputCommitter} of the old MapReduce API
 * that it extends. The value of {@code mapred.output.committer.class}.
 */
public class S3CoreMapredOutputCommitter extends FileOutputCommitter {
  private OutputCommit commit;
  private boolean isKnown;

  /** Hadoop makes it without saying for which job: that comes with the first call. */
  public S3CoreMapredOutputCommitter() {
  }

  private synchronized OutputCommit commit(org.apache.hadoop.mapreduce.JobContext context) throws IOException {
    if (!isKnown) {
      commit = OutputCommit.of(FileOutputFormat.getOutputPath(context), context);
      isKnown = true;
    }
    return commit;
  }

  @Override
  public Path getTaskAttemptPath(TaskAttemptContext context) throws IOException {
    OutputCommit commit = commit(context);
    return commit == null ? super.getTaskAttemptPath(context) : commit.workPath(context);
  }

  @Override
  public Path getWorkPath(TaskAttemptContext context, Path output) throws IOException {
    OutputCommit commit = commit(context);
    return commit == null ? super.getWorkPath(context, output) : commit.workPath(context);
  }

  @Override
  public void setupJob(JobContext context) throws IOException {
    OutputCommit commit = commit(context);
    if (commit == null) {
      super.setupJob(context);
    } else {
      commit.setUpJob(context);
    }
  }

  @Override
  public void commitJob(JobContext context) throws IOException {
    OutputCommit commit = commit(context);
    if (commit == null) {
      super.commitJob(context);
    } else {
      commit.commitJob(context);
    }
  }

  @Override
  public void abortJob(JobContext context, int runState) throws IOException {
    OutputCommit commit = commit(context);
    if (commit == null) {
      super.abortJob(context, runState);
    } else {
      commit.abortJob(context);
    }
  }

  @Deprecated
  @Override
  public void cleanupJob(JobContext context) throws IOException {
    if (commit(context) == null) {
      super.cleanupJob(context);
    }
  }

  @Override
  public void setupTask(TaskAttemptContext context) throws IOException {
    OutputCommit commit = commit(context);
    if (commit == null) {
      super.setupTask(context);
    } else {
      commit.setUpTask(context);
    }
  }

  @Override
  public boolean needsTaskCommit(TaskAttemptContext context) throws IOException {
    OutputCommit commit = commit(context);
    return commit == null ? super.needsTaskCommit(context) : commit.needsTaskCommit(context);
  }

  @Override
  public void commitTask(TaskAttemptContext context) throws IOException {
    OutputCommit commit = commit(context);
    if (commit == null) {
      super.commitTask(context);
    } else {
      commit.commitTask(context);
    }
  }

  @Override
  public void abortTask(TaskAttemptContext context) throws IOException {
    OutputCommit commit = commit(context);
    if (commit == null) {
      super.abortTask(context);
    } else {
      commit.abortTask(context);
    }
  }

  @Override
  public void recoverTask(TaskAttemptContext context) throws IOException {
    if (commit(context) == null) {
      super.recoverTask(context);
    }
  }

  @Override
  public boolean isCommitJobRepeatable(JobContext context) throws IOException {
    return commit(context) == null && super.isCommitJobRepeatable(context);
  }
}
