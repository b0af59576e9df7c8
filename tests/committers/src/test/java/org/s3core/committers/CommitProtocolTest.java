package org.s3core.committers;

import static java.util.Arrays.asList;
import static java.util.Collections.emptyList;
import static java.util.Collections.singletonList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.LongWritable;
import org.apache.hadoop.io.MapFile;
import org.apache.hadoop.io.NullWritable;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.mapreduce.Job;
import org.apache.hadoop.mapreduce.JobContext;
import org.apache.hadoop.mapreduce.JobStatus;
import org.apache.hadoop.mapreduce.RecordWriter;
import org.apache.hadoop.mapreduce.lib.output.FileOutputCommitter;
import org.apache.hadoop.mapreduce.lib.output.FileOutputFormat;
import org.apache.hadoop.mapreduce.lib.output.MapFileOutputFormat;
import org.apache.hadoop.mapreduce.lib.output.TextOutputFormat;
import org.apache.hadoop.mapreduce.task.JobContextImpl;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a job may ask of a committer, step by step: the cases of S3A's AbstractITCommitProtocol, on ours. Every check of what
 * is visible is made by another client.
 */
class CommitProtocolTest {
  private static final String PART = "part-m-00000";

  @AfterAll
  static void clear() throws Exception {
    Place.clear();
  }

  @Test
  void aJobFromItsBeginningToItsEnd() throws Exception {
    Attempt attempt = Attempt.of(Place.directory("lifecycle"));
    attempt.committer.setupJob(attempt.job);
    assertTrue(attempt.committer.getWorkPath().toString().startsWith(attempt.output + "/_"));
    assertFalse(attempt.needsTaskCommit());
    attempt.committer.setupTask(attempt.task);
    attempt.write("k", "v");
    assertTrue(attempt.needsTaskCommit());
    assertEquals(4, attempt.files().getFileStatus(new Path(attempt.committer.getWorkPath(), PART)).getLen());
    attempt.committer.commitTask(attempt.task);
    assertEquals(emptyList(), Place.visible(attempt.output));
    attempt.committer.commitJob(attempt.job);
    assertEquals(asList("_SUCCESS", PART), Place.files(attempt.output));
    assertEquals("k\tv\n", Place.text(new Path(attempt.output, PART)));
  }

  /** As Spark does from 4.2 on, whose job has no id of Hadoop's. */
  @Test
  void anIdThatIsToldAfterTheJobIsSetUp() throws Exception {
    Attempt driver = Attempt.of(Place.directory("late-id"));
    JobContext job = new JobContextImpl(driver.conf, null);
    driver.committer.setupJob(job);
    job.getConfiguration().set("spark.sql.sources.writeJobUUID", UUID.randomUUID().toString());
    FileSystem.newInstance(driver.output.toUri(), job.getConfiguration()).close();   // the first one of an executor
    Attempt attempt = Attempt.of(driver.output, job.getConfiguration());
    attempt.committer.setupTask(attempt.task);
    attempt.write("k", "v");
    attempt.committer.commitTask(attempt.task);
    driver.committer.commitJob(job);
    assertEquals(asList("_SUCCESS", PART), Place.files(driver.output));
  }

  @Test
  void withoutTheMarkerOfSuccessWhereItIsNotWanted() throws Exception {
    Attempt attempt = Attempt.of(Place.directory("no-marker"));
    attempt.job.getConfiguration().setBoolean("mapreduce.fileoutputcommitter.marksuccessfuljobs", false);
    attempt.begin().write("k", "v");
    attempt.commit();
    assertEquals(singletonList(PART), Place.files(attempt.output));
  }

  @Test
  void ofTwoAttemptsTheOneThatIsCommittedLastCounts() throws Exception {
    Attempt first = Attempt.of(Place.directory("two-attempts")).begin();
    Attempt second = first.sibling(0, 1);
    first.named("first");
    second.named("second");
    first.write("k", "1");
    second.committer.setupTask(second.task);
    second.write("k", "2");
    first.committer.commitTask(first.task);
    second.committer.commitTask(second.task);
    second.committer.commitJob(first.job);
    assertEquals(asList("_SUCCESS", "second-m-00000"), Place.files(first.output));
  }

  @Test
  void aSpeculativeAttemptThatIsStillAliveChangesNothing() throws Exception {
    Attempt winner = Attempt.of(Place.directory("speculation")).begin();
    Attempt loser = winner.sibling(0, 1);
    loser.committer.setupTask(loser.task);
    RecordWriter<Text, Text> open = loser.writer();
    open.write(new Text("k"), new Text("loser"));
    winner.write("k", "winner");
    winner.commit();
    assertThrows(IOException.class, () -> open.close(loser.task));
    assertThrows(FileNotFoundException.class, () -> loser.committer.commitTask(loser.task));
    loser.committer.abortTask(loser.task);
    assertEquals(asList("_SUCCESS", PART), Place.files(winner.output));
    assertEquals("k\twinner\n", Place.text(new Path(winner.output, PART)));
  }

  @Test
  void aTaskThatIsCommittedTwiceIsCommittedOnce() throws Exception {
    Attempt attempt = Attempt.of(Place.directory("twice")).begin();
    attempt.write("k", "v");
    attempt.committer.commitTask(attempt.task);
    attempt.commit();
    assertEquals("k\tv\n", Place.text(new Path(attempt.output, PART)));
    assertThrows(FileNotFoundException.class, () -> attempt.committer.commitTask(attempt.task));
    assertThrows(FileNotFoundException.class, () -> attempt.committer.commitJob(attempt.job));
    assertEquals(asList("_SUCCESS", PART), Place.files(attempt.output));
  }

  @Test
  void aTaskWithoutOutputIsCommitted() throws Exception {
    Attempt attempt = Attempt.of(Place.directory("empty")).begin();
    assertFalse(attempt.needsTaskCommit());
    attempt.commit();
    assertEquals(singletonList("_SUCCESS"), Place.files(attempt.output));
  }

  @Test
  void filesBelowDirectories() throws Exception {
    Attempt attempt = Attempt.of(Place.directory("map-file"));
    attempt.begin();
    MapFileOutputFormat format = new MapFileOutputFormat();
    RecordWriter<org.apache.hadoop.io.WritableComparable<?>, org.apache.hadoop.io.Writable> writer =
        format.getRecordWriter(attempt.mapFileTask());
    writer.write(new LongWritable(0), new Text("zero"));
    writer.write(new LongWritable(1), new Text("one"));
    writer.close(attempt.task);
    attempt.commit();
    assertEquals(asList("_SUCCESS", PART + "/data", PART + "/index"), Place.files(attempt.output));
    try (MapFile.Reader reader = new MapFile.Reader(new Path(attempt.output, PART), Place.configuration())) {
      Text value = new Text();
      reader.get(new LongWritable(1), value);
      assertEquals("one", value.toString());
    }
  }

  @Test
  void abortsOfWhatWasNeverBegun() throws Exception {
    Attempt attempt = Attempt.of(Place.directory("nothing"));
    attempt.committer.abortTask(attempt.task);
    attempt.committer.abortJob(attempt.job, JobStatus.State.RUNNING);
    assertEquals(emptyList(), Place.files(attempt.output));
  }

  @Test
  void aJobIsCommittedWithoutATaskThatIsNot() throws Exception {
    Attempt attempt = Attempt.of(Place.directory("task-not-committed")).begin();
    attempt.write("k", "v");
    attempt.committer.commitJob(attempt.job);
    assertEquals(singletonList("_SUCCESS"), Place.files(attempt.output));
  }

  @Test
  void abortedTaskThenAbortedJob() throws Exception {
    Attempt attempt = Attempt.of(Place.directory("aborts")).begin();
    attempt.write("k", "v");
    attempt.committer.abortTask(attempt.task);
    assertEquals(emptyList(), Place.visible(attempt.output));
    attempt.committer.abortJob(attempt.job, JobStatus.State.FAILED);
    assertEquals(emptyList(), Place.files(attempt.output));
  }

  @Test
  void anAbortedJobLeavesNothingOfACommittedTask() throws Exception {
    Attempt attempt = Attempt.of(Place.directory("abort-job")).begin();
    attempt.write("k", "v");
    attempt.committer.commitTask(attempt.task);
    attempt.committer.abortJob(attempt.job, JobStatus.State.FAILED);
    assertEquals(emptyList(), Place.files(attempt.output));
    assertThrows(FileNotFoundException.class, () -> attempt.committer.commitJob(attempt.job));
  }

  @Test
  void tasksThatCommitAtTheSameTimeInOneDirectory() throws Exception {
    Attempt first = Attempt.of(Place.directory("concurrent")).begin();
    int tasks = 8;
    ExecutorService threads = Executors.newFixedThreadPool(tasks);
    try {
      List<Callable<Void>> calls = new java.util.ArrayList<>();
      for (int task = 0; task < tasks; task++) {
        Attempt attempt = first.sibling(task, 0);
        int number = task;
        calls.add(() -> {
          attempt.committer.setupTask(attempt.task);
          Path file = new Path(attempt.committer.getWorkPath(), "day=1/part-" + number);
          try (java.io.OutputStream stream = attempt.files().create(file, false)) {
            stream.write(number);
          }
          attempt.committer.commitTask(attempt.task);
          return null;
        });
      }
      for (Future<Void> done : threads.invokeAll(calls)) {
        done.get();
      }
    } finally {
      threads.shutdown();
    }
    first.committer.commitJob(first.job);
    assertEquals(tasks, Place.visible(first.output).size());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void twoJobsAtOneDestinationBothSucceed(boolean firstEndsFirst) throws Exception {
    Path output = Place.directory("two-jobs");
    Attempt first = Attempt.of(output).begin();
    Attempt second = Attempt.of(output).begin();
    first.named("first");
    second.named("second");
    first.write("k", "1");
    second.write("k", "2");
    (firstEndsFirst ? first : second).commit();
    assertEquals(1, Place.visible(output).size());
    (firstEndsFirst ? second : first).commit();
    assertEquals(asList("first-m-00000", "second-m-00000"), Place.visible(output));
  }

  @Test
  void ofTwoJobsThatAreOneWithinAnotherBothSucceed() throws Exception {
    Path output = Place.directory("nested");
    Attempt outer = Attempt.of(output).begin();
    Attempt inner = Attempt.of(new Path(output, "day=1")).begin();
    outer.write("k", "outer");
    inner.write("k", "inner");
    outer.commit();
    inner.commit();
    assertEquals(asList("day=1/" + PART, PART), Place.visible(output));
  }

  @Test
  void aJobOfTheSameIdIsRefused() throws Exception {
    Attempt attempt = Attempt.of(Place.directory("same-id")).begin();
    Attempt same = attempt.sibling(0, 0);
    FileAlreadyExistsException refused =
        assertThrows(FileAlreadyExistsException.class, () -> same.committer.setupJob(same.job));
    assertTrue(refused.getMessage().contains(attempt.job.getJobID().toString()), refused.getMessage());
  }

  @Test
  void theSecondApplicationAttemptGoesOnWithWhatTheFirstHasCommitted() throws Exception {
    Attempt first = Attempt.of(Place.directory("recovery")).begin();
    first.write("k", "v");
    first.committer.commitTask(first.task);
    Attempt restarted = first.sibling(0, 0);
    restarted.job.getConfiguration().setInt("mapreduce.job.application.attempt.id", 2);
    assertTrue(restarted.committer.isRecoverySupported(restarted.job));
    assertFalse(restarted.committer.isCommitJobRepeatable(restarted.job));
    restarted.committer.setupJob(restarted.job);
    restarted.committer.recoverTask(restarted.task);
    restarted.committer.commitJob(restarted.job);
    assertEquals(asList("_SUCCESS", PART), Place.files(first.output));
  }

  @Test
  void theFactoryMakesOursForEveryNameOfS3A() throws Exception {
    for (String name : new String[] {"file", "magic", "directory", "partitioned"}) {
      Path output = Place.directory(name);
      Configuration conf = Place.configuration();
      conf.set("fs.s3a.committer.name", name);
      Attempt attempt = Attempt.of(output, conf);
      assertEquals("org.s3core.hadoop.S3CoreOutputCommitter", attempt.committer.getClass().getName());
      attempt.begin().write("k", name);
      attempt.commit();
      assertEquals("k\t" + name + "\n", Place.text(new Path(output, PART)));
    }
    assertEquals(0, Place.requests(Place.directory("x"), "CopyObject"));
  }

  @Test
  void otherFileSystemsGetWhatHadoopGivesThem() throws Exception {
    Place.directory("x").getFileSystem(Place.configuration());   // ours is bound from here on
    java.nio.file.Path local = java.nio.file.Files.createTempDirectory("committers");
    Attempt attempt = Attempt.of(new Path(local.toUri().toString(), "out"));
    assertEquals(FileOutputCommitter.class, attempt.committer.getClass());
    attempt.begin().write("k", "v");
    attempt.commit();
    assertTrue(java.nio.file.Files.exists(local.resolve("out/" + PART)));
  }

  @Test
  void aCommitterBoundByItsClassIsHadoopsOnOtherFileSystems() throws Exception {
    // Bound by its own class and not by the factory: it is asked for local paths too.
    java.nio.file.Path local = java.nio.file.Files.createTempDirectory("committers");
    Attempt attempt = Attempt.of(new Path(local.toUri().toString(), "out"));
    FileOutputCommitter ours = (FileOutputCommitter) Class.forName("org.s3core.hadoop.S3CoreOutputCommitter")
        .getConstructor(Path.class, org.apache.hadoop.mapreduce.TaskAttemptContext.class)
        .newInstance(attempt.output, attempt.task);
    assertEquals(attempt.committer.getWorkPath(), ours.getWorkPath());
    ours.setupJob(attempt.job);
    assertTrue(java.nio.file.Files.isDirectory(local.resolve("out/_temporary/0")));
    ours.setupTask(attempt.task);
    attempt.write("k", "v");
    assertTrue(ours.needsTaskCommit(attempt.task));
    ours.commitTask(attempt.task);
    ours.commitJob(attempt.job);
    assertTrue(java.nio.file.Files.exists(local.resolve("out/" + PART)));
  }

  @Test
  void anOutputFormatAsAWhole() throws Exception {
    Path output = Place.directory("format");
    Job job = Job.getInstance(Place.configuration());
    job.setOutputFormatClass(TextOutputFormat.class);
    FileOutputFormat.setOutputPath(job, output);
    Attempt attempt = Attempt.of(output, job.getConfiguration());
    TextOutputFormat<Text, NullWritable> format = new TextOutputFormat<>();
    assertEquals("org.s3core.hadoop.S3CoreOutputCommitter", format.getOutputCommitter(attempt.task).getClass().getName());
    FileSystem files = attempt.files();
    format.checkOutputSpecs(attempt.job);
    attempt.begin();
    RecordWriter<Text, NullWritable> writer = format.getRecordWriter(attempt.task);
    writer.write(new Text("line"), NullWritable.get());
    writer.close(attempt.task);
    format.getOutputCommitter(attempt.task).commitTask(attempt.task);
    attempt.committer.commitJob(attempt.job);
    assertEquals("line\n", Place.text(new Path(output, PART)));
    assertTrue(files.exists(new Path(output, "_SUCCESS")));
  }
}
