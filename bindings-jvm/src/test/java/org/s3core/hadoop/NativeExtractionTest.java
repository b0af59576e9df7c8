package org.s3core.hadoop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeExtractionTest {
  private static final String NOEXEC = ": failed to map segment from shared object: Operation not permitted";

  @TempDir
  Path temporary;

  private final List<String> loaded = new ArrayList<>();
  private final String resources = "native/linux-"
      + (System.getProperty("os.arch").equals("aarch64") ? "aarch64" : "x86_64") + "/";

  @Test
  void theFileIsWholeAndItsOwnersWhenItIsLoadedAndGoneAfterwards() throws IOException {
    new NativeExtraction(resources, Collections.singletonList(temporary), file -> {
      loaded.add(file);
      assertTrue(Paths.get(file).toFile().length() > 100_000, file);
      assertEquals("rw-------", permissions(Paths.get(file)));
    }).load();
    assertEquals(1, loaded.size());
    assertNothingIsLeft();
  }

  @Test
  void everyCopyHasItsOwnPath() throws IOException {
    for (int i = 0; i < 2; i++) {
      new NativeExtraction(resources, Collections.singletonList(temporary), loaded::add).load();
    }
    assertFalse(loaded.get(0).equals(loaded.get(1)), loaded.toString());
  }

  @Test
  void aNoexecDirectoryIsPassedOver() throws IOException {
    Path good = Files.createDirectory(temporary.resolve("good"));
    Path noexec = Files.createDirectory(temporary.resolve("noexec"));
    new NativeExtraction(resources, Arrays.asList(temporary.resolve("missing"), noexec, good), file -> {
      if (file.contains("noexec")) {
        throw new UnsatisfiedLinkError(file + NOEXEC);
      }
      loaded.add(file);
    }).load();
    assertTrue(loaded.get(0).startsWith(good.toString()), loaded.toString());
  }

  @Test
  void withoutAnyDirectoryTheErrorNamesTheOption() throws IOException {
    NativeExtraction extraction = new NativeExtraction(resources, Collections.singletonList(temporary), file -> {
      throw new UnsatisfiedLinkError(file + NOEXEC);
    });
    String message = assertThrows(IOException.class, extraction::load).getMessage();
    assertTrue(message.contains("-Ds3core.tmpdir="), message);
    assertTrue(message.contains("noexec"), message);
    assertTrue(message.contains(temporary.toString()), message);
    assertNothingIsLeft();
  }

  @Test
  void anOldCLibraryIsNamed() {
    NativeExtraction extraction = new NativeExtraction(resources, Collections.singletonList(temporary), file -> {
      throw new UnsatisfiedLinkError(file + ": /lib64/libc.so.6: version `GLIBC_2.17' not found (required by " + file
          + ")");
    });
    String message = assertThrows(IOException.class, extraction::load).getMessage();
    assertTrue(message.contains("needs glibc 2.17 or newer"), message);
  }

  @Test
  void anotherCLibraryIsNamed() {
    NativeExtraction extraction = new NativeExtraction(resources, Collections.singletonList(temporary), file -> {
      throw new UnsatisfiedLinkError("Error loading shared library ld-linux-x86-64.so.2: No such file or directory");
    });
    String message = assertThrows(IOException.class, extraction::load).getMessage();
    assertTrue(message.contains("Alpine"), message);
  }

  @Test
  void aMissingResourceIsNamed() {
    NativeExtraction extraction =
        new NativeExtraction("native/linux-none/", Collections.singletonList(temporary), loaded::add);
    String message = assertThrows(IOException.class, extraction::load).getMessage();
    assertTrue(message.contains("native/linux-none/libs3core_jni.so.sha256 is missing"), message);
    assertEquals(Collections.emptyList(), loaded);
  }

  @Test
  void thePropertyComesFirst() {
    System.setProperty(NativeExtraction.DIRECTORY_PROPERTY, "/first");
    try {
      assertEquals(Paths.get("/first"), NativeExtraction.candidates().get(0));
    } finally {
      System.clearProperty(NativeExtraction.DIRECTORY_PROPERTY);
    }
    assertEquals(Paths.get(System.getProperty("java.io.tmpdir")), NativeExtraction.candidates().get(0));
  }

  private static String permissions(Path file) {
    try {
      return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void assertNothingIsLeft() throws IOException {
    try (Stream<Path> files = Files.list(temporary)) {
      assertEquals(0, files.count());
    }
  }
}
