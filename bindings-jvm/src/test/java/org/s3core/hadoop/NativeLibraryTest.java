package org.s3core.hadoop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {
  @TempDir
  Path temporary;

  @Test
  void libraryAndJarAreOfOneVersion() throws IOException {
    NativeLibrary.load();
    assertEquals(NativeLibrary.version(), Native.version());
  }

  @Test
  void aLibraryOfAnotherVersionIsRefused() {
    String message =
        assertThrows(IOException.class, () -> NativeLibrary.compareVersions("0.1.0", "0.2.0")).getMessage();
    assertTrue(message.contains("0.1.0") && message.contains("0.2.0"), message);
  }

  @Test
  void otherSystemsAreNamed() {
    String message =
        assertThrows(IOException.class, () -> NativeLibrary.resourceDirectory("Mac OS X", "aarch64")).getMessage();
    assertTrue(message.contains("Mac OS X"), message);
    message = assertThrows(IOException.class, () -> NativeLibrary.resourceDirectory("Linux", "s390x")).getMessage();
    assertTrue(message.contains("s390x"), message);
  }

  @Test
  void bothNamesOfAnArchitectureAreKnown() throws IOException {
    assertEquals("native/linux-x86_64/", NativeLibrary.resourceDirectory("Linux", "amd64"));
    assertEquals("native/linux-aarch64/", NativeLibrary.resourceDirectory("Linux", "arm64"));
  }

  /** As Spark Connect's artifact loaders and Hive's isolated ones do. */
  @Test
  void twoClassLoadersHaveACopyEach() throws Exception {
    System.setProperty(NativeExtraction.DIRECTORY_PROPERTY, temporary.toString());
    try (StubGateway gateway = new StubGateway(); URLClassLoader other = new OwnCopy()) {
      Configuration conf = gateway.configuration();
      gateway.objects.put("hello", new byte[] {1, 2, 3});
      URI uri = URI.create("s3a://bucket/");
      try (FileSystem first = new S3CoreFileSystem();
          FileSystem second = (FileSystem) other.loadClass(S3CoreFileSystem.class.getName())
              .getDeclaredConstructor().newInstance()) {
        assertNotSame(first.getClass(), second.getClass());
        first.initialize(uri, conf);
        second.initialize(uri, conf);
        org.apache.hadoop.fs.Path hello = new org.apache.hadoop.fs.Path("s3a://bucket/hello");
        assertEquals(3, first.getFileStatus(hello).getLen());
        assertEquals(3, second.getFileStatus(hello).getLen());
        assertEquals(64L << 20, budgetOf(other), "a second copy gets by with little memory");
      }
      try (Stream<Path> files = Files.list(temporary)) {
        assertEquals(0, files.count(), "the libraries are mapped, their files are gone");
      }
    } finally {
      System.clearProperty(NativeExtraction.DIRECTORY_PROPERTY);
    }
  }

  private static long budgetOf(ClassLoader loader) throws ReflectiveOperationException {
    Method memory = loader.loadClass(Native.class.getName()).getDeclaredMethod("memory");
    memory.setAccessible(true);
    return ((long[]) memory.invoke(null))[0];
  }

  /** Loads our classes itself and all others from its parent. */
  private static final class OwnCopy extends URLClassLoader {
    OwnCopy() throws IOException {
      super(new URL[] {Paths.get(System.getProperty("classes.directory")).toUri().toURL()},
          NativeLibraryTest.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      synchronized (getClassLoadingLock(name)) {
        if (!name.startsWith("org.s3core.")) {
          return super.loadClass(name, resolve);
        }
        Class<?> loaded = findLoadedClass(name);
        return loaded == null ? findClass(name) : loaded;
      }
    }
  }
}
