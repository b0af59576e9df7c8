package org.s3core.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FsShell;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.util.ToolRunner;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What people type: {@code hadoop fs -COMMAND}. */
public class ShellTest extends FileSystemTest {
  @TempDir
  java.nio.file.Path local;

  private final Configuration configuration = S3CoreContract.configure(new Configuration());

  @BeforeEach
  public void configure() {
    configuration.set("fs.defaultFS", S3CoreContract.bucket().toString());
    configuration.set("fs.s3a.impl.disable.cache", "true");
  }

  @Test
  public void filesGoThereAndBack() throws Exception {
    java.nio.file.Path file = local.resolve("file");
    Files.write(file, bytes("some text\n"));
    succeeds("-put", file.toString(), directory + "/put");
    succeeds("-copyFromLocal", "-f", file.toString(), directory + "/put");
    assertEquals("some text\n", shell("-cat", directory + "/put"));
    succeeds("-get", directory + "/put", local.resolve("got").toString());
    assertEquals("some text\n", text(Files.readAllBytes(local.resolve("got"))));
    succeeds("-cp", directory + "/put", directory + "/copied");
    succeeds("-mv", directory + "/copied", directory + "/moved");
    assertEquals("some text\n", read(path("moved")));
    assertFalse(isThere(path("copied")));
  }

  @Test
  public void treesGoThereAndBack() throws Exception {
    Files.createDirectories(local.resolve("tree/below"));
    Files.write(local.resolve("tree/one"), bytes("1"));
    Files.write(local.resolve("tree/below/two"), bytes("22"));
    succeeds("-put", local.resolve("tree").toString(), directory.toString());
    assertEquals("22", read(path("tree/below/two")));
    succeeds("-get", directory + "/tree", local.resolve("got").toString());
    assertEquals("1", text(Files.readAllBytes(local.resolve("got/one"))));
    String listing = shell("-ls", "-R", directory.toString());
    assertTrue(listing.contains(directory + "/tree/below\n"), listing);
    assertTrue(listing.contains(directory + "/tree/below/two\n"), listing);
    assertEquals("3", words(shell("-du", "-s", directory.toString()))[0]);
    String[] counted = words(shell("-count", directory + "/tree"));
    assertEquals("2", counted[0]);
    assertEquals("2", counted[1]);
    assertEquals("3", counted[2]);
  }

  @Test
  public void pathsAreLookedAt() throws Exception {
    succeeds("-mkdir", "-p", directory + "/new/below");
    succeeds("-touchz", directory + "/new/file");
    succeeds("-test", "-e", directory + "/new/file");
    succeeds("-test", "-z", directory + "/new/file");
    succeeds("-test", "-d", directory + "/new/below");
    assertEquals(1, run("-test", "-d", directory + "/new/file"));
    assertEquals(1, run("-test", "-e", directory + "/missing"));
    write("new/file", "12345");
    assertEquals("5 file", shell("-stat", "%b %n", directory + "/new/file").trim());
    assertEquals("NONE", words(shell("-checksum", directory + "/new/file"))[1]);
    configuration.set("fs.s3a.etag.checksum.enabled", "true");
    String[] checksum = words(shell("-checksum", directory + "/new/file"));
    assertEquals("etag", checksum[1]);
    assertEquals("827ccb0eea8a706c4c34a16891f84e7b", new String(bytesOf(checksum[2]), "UTF-8"));
  }

  @Test
  public void whatIsRemovedGoesToTheTrash() throws Exception {
    configuration.set("fs.trash.interval", "1");
    Path kept = write("kept", "text");
    write("gone", "text");
    succeeds("-rm", "-skipTrash", directory + "/gone");
    succeeds("-rm", kept.toString());
    assertFalse(isThere(kept));
    Path trash = new Path(fileSystem.getHomeDirectory(), ".Trash");
    Path thrown = new Path(trash + "/Current" + kept.toUri().getPath());
    assertEquals("text", read(thrown));
    assertFalse(isThere(new Path(trash + "/Current" + path("gone").toUri().getPath())));
    succeeds("-expunge");
    assertFalse(isThere(thrown));   // it is in a checkpoint now
    succeeds("-rm", "-r", "-skipTrash", trash.toString());
    assertFalse(isThere(trash));
  }

  @Test
  public void whatIsMissingIsSaidSo() throws Exception {
    assertEquals(1, run("-cat", directory + "/missing"));
    assertEquals(1, run("-rm", directory + "/missing"));
    write("file", "text");
    assertEquals(1, run("-put", local.toString() + "/missing", directory + "/x"));
    assertEquals(1, run("-touchz", directory + "/file"));   // not empty
    assertEquals("text", read(path("file")));
  }

  private void succeeds(String... arguments) throws Exception {
    assertEquals(0, run(arguments), String.join(" ", arguments));
  }

  private int run(String... arguments) throws Exception {
    return ToolRunner.run(configuration, new FsShell(), arguments);
  }

  /** What the command prints. */
  private String shell(String... arguments) throws Exception {
    PrintStream before = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, "UTF-8"));
    try {
      succeeds(arguments);
    } finally {
      System.setOut(before);
    }
    return printed.toString("UTF-8");
  }

  private static String[] words(String line) {
    return line.trim().split("\\s+");
  }

  private static byte[] bytesOf(String hexadecimal) {
    byte[] bytes = new byte[hexadecimal.length() / 2];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) Integer.parseInt(hexadecimal.substring(2 * i, 2 * i + 2), 16);
    }
    return bytes;
  }
}
