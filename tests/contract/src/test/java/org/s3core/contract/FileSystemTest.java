package org.s3core.contract;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A file system as a user configures it, and a directory for each test. */
public abstract class FileSystemTest {
  protected FileSystem fileSystem;
  protected Path directory;

  @BeforeEach
  public void openFileSystem() throws IOException {
    fileSystem = open();
    directory = fileSystem.makeQualified(new Path("/" + getClass().getSimpleName()));
    fileSystem.mkdirs(directory);
  }

  @AfterEach
  public void closeFileSystem() throws IOException {
    fileSystem.delete(directory, true);
    fileSystem.close();
  }

  /** A file system of its own, with these options beside a user's: a key, its value, and so on. */
  protected static FileSystem open(String... keysAndValues) throws IOException {
    Configuration configuration = S3CoreContract.configure(new Configuration());
    for (int i = 0; i < keysAndValues.length; i += 2) {
      configuration.set(keysAndValues[i], keysAndValues[i + 1]);
    }
    return FileSystem.newInstance(S3CoreContract.bucket(), configuration);
  }

  /** A file of the test's directory. */
  protected Path path(String name) {
    return new Path(directory, name);
  }

  protected Path write(String name, String text) throws IOException {
    Path path = path(name);
    finish(fileSystem.create(path), text);
    return path;
  }

  /** Writes the text and closes the stream. */
  protected static void finish(FSDataOutputStream out, String text) throws IOException {
    out.write(bytes(text));
    out.close();
  }

  protected String read(Path path) throws IOException {
    byte[] content = new byte[(int) fileSystem.getFileStatus(path).getLen()];
    try (FSDataInputStream in = fileSystem.open(path)) {
      in.readFully(content);
    }
    return text(content);
  }

  /** Not exists(), which Hadoop marks as deprecated here and there. */
  protected boolean isThere(Path path) throws IOException {
    try {
      return fileSystem.getFileStatus(path) != null;
    } catch (FileNotFoundException e) {
      return false;
    }
  }

  protected static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  protected static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
