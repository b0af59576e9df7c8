package org.s3core.hadoop;

import java.io.IOException;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.mapreduce.JobContext;
import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.hadoop.mapreduce.TaskAttemptID;
import org.apache.hadoop.mapreduce.lib.output.FileOutputFormat;

/**
 * The output of a job on a bucket of ours, as the committers of this package see it: without renames. Files are uploaded
 * to where they will lie, and become visible when the job is committed.
 */
final class OutputCommit {
  /** Set by Spark SQL for each write, the same for driver and tasks; before the job is set up, from 4.2 on after it. */
  private static final String SPARK_JOB = "spark.sql.sources.writeJobUUID";
  /** Ours, for jobs whose driver has no id that its tasks know when the job is set up; no option that a store would ask for. */
  private static final String OWN_JOB = "s3core.committer.job";
  private static final String APPLICATION_ATTEMPT = "mapreduce.job.application.attempt.id";
  /** S3A's: with {@code directory} and {@code partitioned} comes what becomes of earlier files. */
  private static final String COMMITTER = "fs.s3a.committer.name";
  private static final String CONFLICT_MODE = "fs.s3a.committer.staging.conflict-mode";
  private static final String STAGING = ".spark-staging";

  private final Path destination;
  private final String key;
  private final CommitCalls calls;

  private OutputCommit(Path destination, String key, CommitCalls calls) {
    this.destination = destination;
    this.key = key;
    this.calls = calls;
  }

  /** For a job that writes to {@code output}; null where that is none of ours, or nothing. */
  static OutputCommit of(Path output, JobContext context) throws IOException {
    if (output == null) {
      return null;
    }
    FileSystem files = output.getFileSystem(context.getConfiguration());
    CommitCalls calls = CommitCalls.on(files);
    if (calls == null) {
      return null;
    }
    Path destination = files.makeQualified(output);
    String path = destination.toUri().getPath();
    return new OutputCommit(destination, path.startsWith("/") ? path.substring(1) : path, calls);
  }

  void setUpJob(JobContext context) throws IOException {
    refuseDynamicOverwriteBeside(context);
    Configuration conf = context.getConfiguration();
    if (conf.get(SPARK_JOB) == null && context.getJobID() == null) {
      conf.set(OWN_JOB, UUID.randomUUID().toString());   // the configuration goes to the tasks after this
    } else {
      conf.unset(OWN_JOB);   // of an earlier job with this configuration
    }
    calls.setUpJob(key, job(context), conf.getInt(APPLICATION_ATTEMPT, 0) > 1, conf.get(COMMITTER, ""),
        conf.get(CONFLICT_MODE, ""));
  }

  /**
   * Spark's PathOutputCommitProtocol (before SPARK-56588) gives the committer the table itself although the job is to
   * overwrite some of its partitions. Their old files would stay beside the new ones. Spark has set the output path of
   * the format to its staging directory then.
   */
  private void refuseDynamicOverwriteBeside(JobContext context) {
    Path format = FileOutputFormat.getOutputPath(context);
    if (format != null && format.getName().startsWith(STAGING) && destination.equals(format.getParent())) {
      throw new UnsupportedOperationException(destination + ": PathOutputCommitProtocol would keep the old files of the "
          + "partitions that this job overwrites (partitionOverwriteMode=dynamic). Set "
          + "spark.sql.sources.commitProtocolClass to org.apache.spark.sql.execution.datasources."
          + "SQLHadoopMapReduceCommitProtocol, Spark's default, with which s3core commits as well");
    }
  }

  void commitJob(JobContext context) throws IOException {
    Configuration conf = context.getConfiguration();
    boolean marksSuccess = conf.getBoolean("mapreduce.fileoutputcommitter.marksuccessfuljobs", true);
    long[] committed =
        calls.commitJob(key, job(context), marksSuccess, conf.get(COMMITTER, ""), conf.get(CONFLICT_MODE, ""));
    NativeLog.LOG.info("{}: committed {} files of {} bytes", destination, committed[0], committed[1]);
  }

  void abortJob(JobContext context) throws IOException {
    calls.abortJob(key, job(context));
  }

  Path workPath(TaskAttemptContext context) {
    TaskAttemptID attempt = context.getTaskAttemptID();
    String path = calls.workPath(key, job(context), attempt.getTaskID().toString(), attempt.toString());
    return new Path(destination.toUri().getScheme(), destination.toUri().getAuthority(), "/" + path);
  }

  void setUpTask(TaskAttemptContext context) throws IOException {
    TaskAttemptID attempt = context.getTaskAttemptID();
    calls.setUpTask(key, job(context), attempt.getTaskID().toString(), attempt.toString());
  }

  boolean needsTaskCommit(TaskAttemptContext context) throws IOException {
    TaskAttemptID attempt = context.getTaskAttemptID();
    return calls.needsTaskCommit(key, job(context), attempt.getTaskID().toString(), attempt.toString());
  }

  void commitTask(TaskAttemptContext context) throws IOException {
    TaskAttemptID attempt = context.getTaskAttemptID();
    calls.commitTask(key, job(context), attempt.getTaskID().toString(), attempt.toString());
  }

  void abortTask(TaskAttemptContext context) throws IOException {
    TaskAttemptID attempt = context.getTaskAttemptID();
    calls.abortTask(key, job(context), attempt.getTaskID().toString(), attempt.toString());
  }

  /** The same on the driver and in every task, and another for every job. */
  private static String job(JobContext context) {
    Configuration conf = context.getConfiguration();
    for (String name : new String[] {OWN_JOB, SPARK_JOB}) {
      String job = conf.getTrimmed(name, "");
      if (!job.isEmpty()) {
        return job;
      }
    }
    return context.getJobID().toString();
  }

  @Override
  public String toString() {
    return "uploads pending until the job is committed, to " + destination;
  }
}
