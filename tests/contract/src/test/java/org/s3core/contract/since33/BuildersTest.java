package org.s3core.contract.since33;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.concurrent.ExecutionException;
import org.apache.hadoop.fs.EtagSource;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.s3core.contract.FileSystemTest;

/** {@code openFile()} and {@code createFile()} with the options that Hadoop and S3A have for them. */
public class BuildersTest extends FileSystemTest {
  private static final String[] OPEN_OPTIONS = {
      "fs.option.openfile.buffer.size", "fs.option.openfile.split.start", "fs.option.openfile.split.end",
      "fs.s3a.readahead.range", "fs.s3a.input.async.drain.threshold"};

  @ParameterizedTest
  @ValueSource(strings = {"adaptive", "default", "normal", "random", "vector", "sequential", "whole-file", "parquet", "orc",
      "columnar", "avro", "csv", "json", "hbase", "unheard-of, vector"})
  public void everyReadPolicyReadsTheSame(String policy) throws Exception {
    Path file = write("file", "some text");
    try (FSDataInputStream in = fileSystem.openFile(file).must("fs.option.openfile.read.policy", policy)
        .opt("fs.s3a.experimental.input.fadvise", policy).build().get()) {
      byte[] read = new byte[9];
      in.readFully(0, read);
      assertEquals("some text", text(read));
    }
  }

  @Test
  public void whatIsKnownOfAFileSavesTheRequest() throws Exception {
    Path file = write("file", "some text");
    FileStatus status = fileSystem.getFileStatus(file);
    long before = requests();
    try (FSDataInputStream in = fileSystem.openFile(file).withFileStatus(status).build().get()) {
      assertEquals(before, requests());
      assertEquals('s', in.read());
      assertEquals(before + 1, requests());
    }
    before = requests();
    try (FSDataInputStream in = fileSystem.openFile(file).must("fs.option.openfile.length", "9").build().get()) {
      assertEquals(before, requests());
      assertEquals(9, in.available());
    }
    try (FSDataInputStream in = fileSystem.openFile(file).withFileStatus(status).opt("fs.option.openfile.length", "4").build()
        .get()) {
      assertEquals(9, in.available(), "a status is worth more than a length");
    }
    fileSystem.delete(file, false);
    write("file", "something else");
    try (FSDataInputStream in = fileSystem.openFile(file).withFileStatus(status).build().get()) {
      assertThrows(IOException.class, in::read, "another file has its place");
    }
  }

  @Test
  public void optionsThatMustBeKnownAre() throws Exception {
    Path file = write("file", "some text");
    for (String option : OPEN_OPTIONS) {
      fileSystem.openFile(file).must(option, "1").build().get().close();
    }
    IllegalArgumentException refused = assertThrows(IllegalArgumentException.class,
        () -> fileSystem.openFile(file).must("fs.option.openfile.nothing", "1").build());
    assertTrue(refused.getMessage().contains("fs.option.openfile.nothing"), refused.getMessage());
    fileSystem.openFile(file).opt("fs.option.openfile.nothing", "1").build().get().close();
    refused = assertThrows(IllegalArgumentException.class,
        () -> create(path("new")).must("fs.option.create.nothing", "1").build());
    assertTrue(refused.getMessage().contains("fs.option.create.nothing"), refused.getMessage());
    assertFalse(isThere(path("new")));
  }

  @Test
  public void whatCannotBeOpenedFailsWhenItsOutcomeIsAskedFor() throws Exception {
    ExecutionException failed = assertThrows(ExecutionException.class,
        () -> fileSystem.openFile(path("missing")).build().get());
    assertTrue(failed.getCause() instanceof FileNotFoundException, failed.toString());
    FileStatus directoryStatus = fileSystem.getFileStatus(directory);
    assertThrows(FileNotFoundException.class, () -> fileSystem.openFile(directory).withFileStatus(directoryStatus).build());
  }

  @Test
  public void aFileMayBeReplacedOrNot() throws Exception {
    Path file = path("below/file");
    assertThrows(FileNotFoundException.class, () -> create(file).build());
    finish(create(file).recursive().build(), "one");
    finish(create(file).build(), "two");   // overwrites where nothing else is said
    assertThrows(FileAlreadyExistsException.class, () -> create(file).overwrite(false).build());
    assertThrows(UnsupportedOperationException.class, () -> fileSystem.appendFile(file).build());
    assertEquals("two", read(file));
  }

  @Test
  public void ofTwoWritersOneSucceeds() throws Exception {
    Path file = path("file");
    FSDataOutputStream first = exclusive(file);
    FSDataOutputStream second = exclusive(file);
    finish(first, "first");
    assertThrows(IOException.class, () -> finish(second, "second"));
    assertThrows(IOException.class, () -> finish(exclusive(file), "third"));
    assertEquals("first", read(file));
  }

  private FSDataOutputStream exclusive(Path file) throws IOException {
    return create(file).must("fs.option.create.conditional.overwrite", true).build();
  }

  @Test
  public void aFileIsReplacedWhereItIsTheOneThatWasSeen() throws Exception {
    Path file = write("file", "one");
    String etag = ((EtagSource) fileSystem.getFileStatus(file)).getEtag();
    finish(replacing(file, etag), "two");
    assertThrows(IOException.class, () -> finish(replacing(file, etag), "three"));
    assertEquals("two", read(file));
    assertThrows(IllegalArgumentException.class, () -> replacing(file, ""));
  }

  private FSDataOutputStream replacing(Path file, String etag) throws IOException {
    return create(file).must("fs.option.create.conditional.overwrite.etag", etag).build();
  }

  @Test
  public void headersAreKept() throws Exception {
    Path file = path("file");
    finish(create(file).must("fs.option.create.content.type", "text/plain")
        .must("fs.s3a.create.header.origin", "a test").opt("fs.option.create.in.close", true).build(), "text");
    assertEquals("text/plain", text(fileSystem.getXAttr(file, "header.Content-Type")));
    assertEquals("a test", text(fileSystem.getXAttr(file, "header.origin")));
  }

  @Test
  public void fastCreationAsksForNothing() throws Exception {
    write("below/inside", "x");
    long before = requests();
    FSDataOutputStream out = create(path("file")).must("fs.s3a.create.performance", true).build();
    assertEquals(before, requests());
    finish(out, "text");
    assertEquals(before + 1, requests());
    finish(create(path("upload")).must("fs.s3a.create.multipart", true).build(), "text");
    assertEquals("text", read(path("upload")));
    String etag = ((EtagSource) fileSystem.getFileStatus(path("upload"))).getEtag();
    assertTrue(etag.endsWith("-1"), etag);   // of an upload with one part
  }

  @Test
  public void readsEndWhereTheFileEnds() throws Exception {
    Path file = write("file", "text");
    try (FSDataInputStream in = fileSystem.openFile(file).build().get()) {
      assertThrows(EOFException.class, () -> in.readFully(2, new byte[3]));
      in.seek(4);
      assertEquals(-1, in.read());
    }
  }

  @SuppressWarnings("unchecked")   // Hadoop's method says nothing of the type
  private FSDataOutputStreamBuilder<FSDataOutputStream, ?> create(Path path) {
    return fileSystem.createFile(path);
  }

  private long requests() throws IOException {
    Long counted = fileSystem.getStorageStatistics().getLong("store_io_request");
    return counted == null ? 0 : counted;
  }
}
