package org.s3core.hadoop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/** The same class files on Hadoop 2.7, which has neither vectored reads nor capabilities nor committer factories. */
class OldHadoopTest {
  @Test
  void theJarWorksOnHadoop27() throws Exception {
    try (StubGateway gateway = new StubGateway(); URLClassLoader old = oldHadoop()) {
      Thread.currentThread().setContextClassLoader(old);
      Class<?> exercise = old.loadClass(OldHadoopExercise.class.getName());
      Object instance = exercise.getConstructor(String.class)
          .newInstance(gateway.configuration().get("fs.s3a.endpoint"));
      assertEquals("2.7.7", ((Callable<?>) instance).call());
      assertEquals("some text", new String(gateway.objects.get("dir/file"), "UTF-8"));
      assertTrue(gateway.requests.get("GET") > 0);
    } finally {
      Thread.currentThread().setContextClassLoader(OldHadoopTest.class.getClassLoader());
    }
  }

  private static URLClassLoader oldHadoop() throws Exception {
    List<URL> urls = new ArrayList<>();
    for (String directory : Arrays.asList("classes.directory", "test.classes.directory")) {
      urls.add(Paths.get(System.getProperty(directory)).toUri().toURL());
    }
    for (File jar : new File(System.getProperty("old.hadoop.directory")).listFiles()) {
      urls.add(jar.toURI().toURL());
    }
    // Only the JDK's own classes come from outside.
    return new URLClassLoader(urls.toArray(new URL[0]), ClassLoader.getSystemClassLoader().getParent());
  }
}
