package org.s3core.committers;

import static java.util.Arrays.asList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.LongWritable;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.mapred.JobClient;
import org.apache.hadoop.mapred.JobConf;
import org.apache.hadoop.mapred.MapReduceBase;
import org.apache.hadoop.mapred.OutputCollector;
import org.apache.hadoop.mapred.Reporter;
import org.apache.hadoop.mapreduce.Job;
import org.apache.hadoop.mapreduce.Mapper;
import org.apache.hadoop.mapreduce.Reducer;
import org.apache.hadoop.mapreduce.lib.input.FileInputFormat;
import org.apache.hadoop.mapreduce.lib.output.FileOutputFormat;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Whole MapReduce jobs, in this process: words are counted, of both APIs, and nothing is renamed. */
class MapReduceJobTest {
  /** Splits a line into words. */
  public static class Words extends Mapper<LongWritable, Text, Text, LongWritable> {
    @Override
    protected void map(LongWritable offset, Text line, Context context) throws IOException, InterruptedException {
      for (String word : line.toString().split(" ")) {
        context.write(new Text(word), new LongWritable(1));
      }
    }
  }

  /** Counts them. */
  public static class Counts extends Reducer<Text, LongWritable, Text, LongWritable> {
    @Override
    protected void reduce(Text word, Iterable<LongWritable> ones, Context context)
        throws IOException, InterruptedException {
      long count = 0;
      for (LongWritable one : ones) {
        count += one.get();
      }
      context.write(word, new LongWritable(count));
    }
  }

  /** The same for the old API. */
  public static class OldCounts extends MapReduceBase
      implements org.apache.hadoop.mapred.Mapper<LongWritable, Text, Text, LongWritable>,
      org.apache.hadoop.mapred.Reducer<Text, LongWritable, Text, LongWritable> {
    @Override
    public void map(LongWritable offset, Text line, OutputCollector<Text, LongWritable> output, Reporter reporter)
        throws IOException {
      for (String word : line.toString().split(" ")) {
        output.collect(new Text(word), new LongWritable(1));
      }
    }

    @Override
    public void reduce(Text word, Iterator<LongWritable> ones, OutputCollector<Text, LongWritable> output,
        Reporter reporter) throws IOException {
      long count = 0;
      while (ones.hasNext()) {
        count += ones.next().get();
      }
      output.collect(word, new LongWritable(count));
    }
  }

  @AfterAll
  static void clear() throws Exception {
    Place.clear();
  }

  @Test
  void newApi() throws Exception {
    Path directory = input("mapreduce");
    Path output = new Path(directory, "out");
    Job job = Job.getInstance(Place.configuration());
    job.setMapperClass(Words.class);
    job.setReducerClass(Counts.class);
    job.setNumReduceTasks(2);
    job.setOutputKeyClass(Text.class);
    job.setOutputValueClass(LongWritable.class);
    FileInputFormat.addInputPath(job, new Path(directory, "in"));
    FileOutputFormat.setOutputPath(job, output);
    assertTrue(job.waitForCompletion(false));
    check(output, "part-r-0000");
  }

  @Test
  void oldApi() throws Exception {
    Path directory = input("mapred");
    Path output = new Path(directory, "out");
    JobConf job = new JobConf(Place.configuration());
    job.setMapperClass(OldCounts.class);
    job.setReducerClass(OldCounts.class);
    job.setNumReduceTasks(2);
    job.setOutputKeyClass(Text.class);
    job.setOutputValueClass(LongWritable.class);
    org.apache.hadoop.mapred.FileInputFormat.addInputPath(job, new Path(directory, "in"));
    org.apache.hadoop.mapred.FileOutputFormat.setOutputPath(job, output);
    assertTrue(JobClient.runJob(job).isSuccessful());
    check(output, "part-0000");
  }

  private static Path input(String name) throws IOException {
    Path directory = Place.directory(name);
    Configuration conf = Place.configuration();
    for (int file = 0; file < 3; file++) {
      try (OutputStream stream = directory.getFileSystem(conf).create(new Path(directory, "in/" + file))) {
        stream.write("one two\ntwo three three three\n".getBytes(StandardCharsets.UTF_8));
      }
    }
    return directory;
  }

  private static void check(Path output, String part) throws Exception {
    assertEquals(asList("_SUCCESS", part + "0", part + "1"), Place.files(output));
    String text = Place.text(new Path(output, part + "0")) + Place.text(new Path(output, part + "1"));
    String[] lines = text.split("\n");
    java.util.Arrays.sort(lines);
    assertEquals(asList("one\t3", "three\t9", "two\t6"), asList(lines));
    assertEquals(0, Place.requests(output, "CopyObject"));
  }
}
