package org.s3core.committers;

import static java.util.Arrays.asList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.hadoop.mapreduce.lib.output.FileOutputCommitter;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/**
 * A committer of one class loader, a FileSystem of another, as Spark Connect's sessions have them: Hadoop keeps the FileSystem
 * of a bucket that the first of them has made.
 */
class TwoClassLoadersTest {
  /** Loads the jar's classes itself, whatever its parent has. */
  private static final class Session extends URLClassLoader {
    Session(URL jar) {
      super(new URL[] {jar}, TwoClassLoadersTest.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      synchronized (getClassLoadingLock(name)) {
        Class<?> known = findLoadedClass(name);
        if (known != null) {
          return known;
        }
        return name.startsWith("org.s3core.hadoop.") ? findClass(name) : super.loadClass(name, resolve);
      }
    }
  }

  @AfterAll
  static void clear() throws Exception {
    Place.clear();
  }

  @Test
  void pendingFilesOfTheOneAreCommittedByTheOther() throws Exception {
    Attempt attempt = Attempt.of(Place.directory("two-loaders"));
    FileSystem files = attempt.files();
    long copies = Place.requests(attempt.output, "CopyObject");
    try (Session session = new Session(new File(System.getProperty("s3core.jar")).toURI().toURL())) {
      Class<?> committerClass = session.loadClass("org.s3core.hadoop.S3CoreOutputCommitter");
      assertNotEquals(files.getClass().getClassLoader(), committerClass.getClassLoader());
      FileOutputCommitter committer = (FileOutputCommitter) committerClass
          .getConstructor(Path.class, TaskAttemptContext.class).newInstance(attempt.output, attempt.task);
      committer.setupJob(attempt.job);
      committer.setupTask(attempt.task);
      attempt.write("k", "v");
      committer.commitTask(attempt.task);
      assertEquals(0, Place.visible(attempt.output).size());
      committer.commitJob(attempt.job);
    }
    assertEquals(asList("_SUCCESS", "part-m-00000"), Place.files(attempt.output));
    assertEquals(copies, Place.requests(attempt.output, "CopyObject"));
  }
}
