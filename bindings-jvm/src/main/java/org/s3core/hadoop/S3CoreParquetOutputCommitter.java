package org.s3core.hadoop;

import java.io.IOException;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.mapreduce.JobContext;
import org.apache.hadoop.mapreduce.JobStatus;
import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.parquet.hadoop.ParquetOutputCommitter;

/**
 * Commits without renames on our paths; on all others it is the {@code ParquetOutputCommitter} that it extends.
 *
 * <p>The same as {@link S3CoreOutputCommitter}, for Parquet: Spark takes its committer from
 * {@code spark.sql.parquet.output.committer.class}, and writes summary files with no other class than one that extends
 * Parquet's.
 */
public class S3CoreParquetOutputCommitter extends ParquetOutputCommitter {
  private final OutputCommit commit;
  private final Path output;
  private final Path workPath;

  /** @param output where the job writes; null for a job that writes nothing */
  public S3CoreParquetOutputCommitter(Path output, TaskAttemptContext context) throws IOException {
    super(output, context);
    this.output = output;
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
      writeMetaDataFile(context.getConfiguration(), output);
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
    return "S3CoreParquetOutputCommitter{" + (commit == null ? super.toString() : commit) + "}";
  }
}
