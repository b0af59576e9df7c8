package org.s3core.hadoop;

import java.io.IOException;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.mapreduce.JobContext;
import org.apache.hadoop.mapreduce.JobStatus;
import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.hadoop.mapreduce.lib.output.FileOutputCommitter;

/**
 * Commits without renames on our paths; on all others it is the {@code FileOutputCommitter} that it extends.
 *
 * <p>It has to be one: Spark's commit protocol asks a FileOutputCommitter for its work path, and lets the tasks of any
 * other class write straight into the destination.
 */
public class S3CoreOutputCommitter extends FileOutputCommitter {
  private final OutputCommit commit;
  private final Path workPath;

  /** @param output where the job writes; null for a job that writes nothing */
  public S3CoreOutputCommitter(Path output, TaskAttemptContext context) throws IOException {
    super(output, context);
    commit = OutputCommit.of(output, context);
    workPath = commit == null ? null : commit.workPath(context);
  }

  @Override
  public Path getWorkPath() throws IOException {
    return commit == null ? super.getWorkPath() : workPath;
  }

  @Override
  public void setupJob(JobContext context) throws IOException {
    if (commit == null) {
      super.setupJob(context);
    } else {
      commit.setUpJob(context);
    }
  }

  @Override
  public void commitJob(JobContext context) throws IOException {
    if (commit == null) {
      super.commitJob(context);
    } else {
      commit.commitJob(context);
    }
  }

  @Override
  public void abortJob(JobContext context, JobStatus.State state) throws IOException {
    if (commit == null) {
      super.abortJob(context, state);
    } else {
      commit.abortJob(context);
    }
  }

  @Deprecated
  @Override
  public void cleanupJob(JobContext context) throws IOException {
    if (commit == null) {
      super.cleanupJob(context);
    }
  }

  @Override
  public void setupTask(TaskAttemptContext context) throws IOException {
    if (commit == null) {
      super.setupTask(context);
    } else {
      commit.setUpTask(context);
    }
  }

  @Override
  public boolean needsTaskCommit(TaskAttemptContext context) throws IOException {
    return commit == null ? super.needsTaskCommit(context) : commit.needsTaskCommit(context);
  }

  @Override
  public void commitTask(TaskAttemptContext context) throws IOException {
    if (commit == null) {
      super.commitTask(context);
    } else {
      commit.commitTask(context);
    }
  }

  @Override
  public void abortTask(TaskAttemptContext context) throws IOException {
    if (commit == null) {
      super.abortTask(context);
    } else {
      commit.abortTask(context);
    }
  }

  /** What a committed task has written lies where the next attempt of the application finds it. */
  @Override
  public void recoverTask(TaskAttemptContext context) throws IOException {
    if (commit == null) {
      super.recoverTask(context);
    }
  }

  /** After its success the job's state is gone, and with it the means to repeat it. */
  @Override
  public boolean isCommitJobRepeatable(JobContext context) throws IOException {
    return commit == null && super.isCommitJobRepeatable(context);
  }

  @Override
  public String toString() {
    return "S3CoreOutputCommitter{" + (commit == null ? super.toString() : commit) + "}";
  }
}
