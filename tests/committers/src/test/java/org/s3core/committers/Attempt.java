package org.s3core.committers;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.mapreduce.JobContext;
import org.apache.hadoop.mapreduce.JobID;
import org.apache.hadoop.mapreduce.RecordWriter;
import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.hadoop.mapreduce.TaskAttemptID;
import org.apache.hadoop.mapreduce.TaskID;
import org.apache.hadoop.mapreduce.TaskType;
import org.apache.hadoop.mapreduce.lib.output.FileOutputCommitter;
import org.apache.hadoop.mapreduce.lib.output.FileOutputFormat;
import org.apache.hadoop.mapreduce.lib.output.PathOutputCommitterFactory;
import org.apache.hadoop.mapreduce.lib.output.TextOutputFormat;
import org.apache.hadoop.mapreduce.task.JobContextImpl;
import org.apache.hadoop.mapreduce.task.TaskAttemptContextImpl;

/** One attempt of a task, with its job, and the committer that Hadoop chooses for them. */
final class Attempt {
  private static final AtomicInteger JOBS = new AtomicInteger();

  final Path output;
  final Configuration conf;
  final JobContext job;
  final TaskAttemptContext task;
  final FileOutputCommitter committer;

  private Attempt(Path output, Configuration conf, JobID job, int task, int attempt) throws IOException {
    this.output = output;
    this.conf = new Configuration(conf);
    this.conf.set(FileOutputFormat.OUTDIR, output.toString());
    this.job = new JobContextImpl(this.conf, job);
    this.task = new TaskAttemptContextImpl(this.conf, new TaskAttemptID(new TaskID(job, TaskType.MAP, task), attempt));
    output.getFileSystem(this.conf);   // as whoever checks the output path does
    this.committer = (FileOutputCommitter) PathOutputCommitterFactory.getCommitterFactory(output, this.conf)
        .createOutputCommitter(output, this.task);
  }

  /** The first attempt of the first task of a new job. */
  static Attempt of(Path output) throws IOException {
    return of(output, Place.configuration());
  }

  static Attempt of(Path output, Configuration conf) throws IOException {
    return new Attempt(output, conf, new JobID("202601010000", JOBS.incrementAndGet()), 0, 0);
  }

  /** Another attempt of the same job, with a configuration of its own. */
  Attempt sibling(int task, int attempt) throws IOException {
    return new Attempt(output, conf, job.getJobID(), task, attempt);
  }

  /** Names its files {@code name-m-00000}. */
  void named(String name) {
    task.getConfiguration().set("mapreduce.output.basename", name);
  }

  Attempt begin() throws IOException {
    committer.setupJob(job);
    committer.setupTask(task);
    return this;
  }

  void commit() throws IOException {
    committer.commitTask(task);
    committer.commitJob(job);
  }

  boolean needsTaskCommit() throws IOException {
    return committer.needsTaskCommit(task);
  }

  FileSystem files() throws IOException {
    return output.getFileSystem(conf);
  }

  /** As a task does it: by the output format, below the committer's work path. */
  RecordWriter<Text, Text> writer() throws IOException, InterruptedException {
    return new Format(committer).getRecordWriter(task);
  }

  void write(String key, String value) throws IOException, InterruptedException {
    RecordWriter<Text, Text> writer = writer();
    writer.write(new Text(key), new Text(value));
    writer.close(task);
  }

  /** The same task for a format that asks Hadoop for a committer of its own: the work path is the same. */
  TaskAttemptContext mapFileTask() {
    task.getConfiguration().set("mapreduce.job.output.key.class", "org.apache.hadoop.io.LongWritable");
    task.getConfiguration().set("mapreduce.job.output.value.class", "org.apache.hadoop.io.Text");
    return new TaskAttemptContextImpl(task.getConfiguration(), task.getTaskAttemptID());
  }

  private static final class Format extends TextOutputFormat<Text, Text> {
    private final FileOutputCommitter committer;

    Format(FileOutputCommitter committer) {
      this.committer = committer;
    }

    @Override
    public FileOutputCommitter getOutputCommitter(TaskAttemptContext context) {
      return committer;
    }
  }
}
