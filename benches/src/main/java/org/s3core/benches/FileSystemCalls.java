package org.s3core.benches;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;

/**
 * Plain FileSystem calls from one client thread, the same for every file system.
 *
 * <p>Usage: {@code FileSystemCalls DIRECTORY_URI SCALE [OPTION=VALUE ...]}. SCALE multiplies the number of operations and the size of
 * the large file: 1 for figures, less for a smoke test. Prints one line per call: {@code name TAB value TAB unit}.
 */
public final class FileSystemCalls {

  private static final int KIB = 1 << 10;
  private static final int MIB = 1 << 20;

  /** A Parquet file as Spark writes it: many of them, a few row groups each. */
  private static final int TABLE_FILE = 16 * MIB;

  private static final int TABLE_FILES = 4;

  private final FileSystem fileSystem;
  private final Path root;
  private final double scale;
  private final Random random = new Random(42);
  private final byte[] block = new byte[MIB];
  private final OperatingSystemMXBean process = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private FileSystemCalls(FileSystem fileSystem, Path root, double scale) {
    this.fileSystem = fileSystem;
    this.root = root;
    this.scale = scale;
    random.nextBytes(block); // nothing in between may gain by compression
  }

  public static void main(String[] arguments) throws IOException {
    Path root = new Path(arguments[0]);
    Configuration configuration = new Configuration();
    for (String option : Arrays.asList(arguments).subList(2, arguments.length)) {
      configuration.set(option.substring(0, option.indexOf('=')), option.substring(option.indexOf('=') + 1));
    }
    FileSystem fileSystem = root.getFileSystem(configuration);
    fileSystem.delete(root, true);
    new FileSystemCalls(fileSystem, root, Double.parseDouble(arguments[1])).run();
    fileSystem.delete(root, true);
    fileSystem.close();
  }

  private void run() throws IOException {
    createSmallFiles();
    statusOf("getFileStatus of a directory", new Path(root, "small"));
    statusOf("getFileStatus of a file", new Path(root, "small/0"));
    readLikeParquet();
    listRecursively();
    renameDirectory();
    largeFile();
    deleteTree();
  }

  private void createSmallFiles() throws IOException {
    byte[] data = Arrays.copyOf(block, 4 * KIB);
    for (int i = 0; i < times(20); i++) {
      write(new Path(root, "warm-up/" + i), data, 1);
    }
    int files = times(300);
    long start = System.nanoTime();
    for (int i = 0; i < files; i++) {
      write(new Path(root, "small/" + i), data, 1);
    }
    rate("create + write 4 KiB", files, start, "files/s");
  }

  private void statusOf(String name, Path path) throws IOException {
    for (int i = 0; i < times(200); i++) {
      fileSystem.getFileStatus(path);
    }
    int calls = times(1000);
    long start = System.nanoTime();
    for (int i = 0; i < calls; i++) {
      fileSystem.getFileStatus(path);
    }
    rate(name, calls, start, "op/s");
  }

  /** What a Parquet reader does with each file: the length, the last 8 bytes, the footer before them, a few column chunks. */
  private void readLikeParquet() throws IOException {
    Path[] files = new Path[TABLE_FILES];
    for (int i = 0; i < TABLE_FILES; i++) {
      files[i] = new Path(root, "table/part-" + i);
      write(files[i], block, TABLE_FILE / MIB);
    }
    byte[] footer = new byte[64 * KIB];
    byte[] chunk = new byte[256 * KIB];
    int opened = times(200);
    long start = 0;
    for (int i = -times(20); i < opened; i++) {
      if (i == 0) {
        start = System.nanoTime(); // what came before was the warm-up
      }
      Path file = files[Math.floorMod(i, TABLE_FILES)];
      long length = fileSystem.getFileStatus(file).getLen();
      try (FSDataInputStream in = fileSystem.open(file)) {
        in.seek(length - 8);
        in.readFully(footer, 0, 8);
        in.seek(length - footer.length);
        in.readFully(footer);
        for (int read = 0; read < 4; read++) {
          in.seek(random.nextInt(TABLE_FILE - chunk.length));
          in.readFully(chunk);
        }
      }
    }
    rate("open, read footer, 4 random 256 KiB reads", opened, start, "files/s");

    byte[] page = new byte[64 * KIB];
    int reads = times(1000);
    try (FSDataInputStream in = fileSystem.open(files[0])) {
      for (int i = -times(100); i < reads; i++) {
        if (i == 0) {
          start = System.nanoTime();
        }
        in.readFully((long) random.nextInt(TABLE_FILE - page.length), page, 0, page.length);
      }
    }
    rate("pread of 64 KiB", reads, start, "op/s");
  }

  private void listRecursively() throws IOException {
    int files = makeTree("tree");
    int rounds = times(5);
    long start = 0;
    for (int i = -1; i < rounds; i++) {
      if (i == 0) {
        start = System.nanoTime();
      }
      int found = 0;
      for (RemoteIterator<LocatedFileStatus> entries = fileSystem.listFiles(new Path(root, "tree"), true); entries.hasNext(); found++) {
        entries.next();
      }
      check(found == files, "listing found " + found + " of " + files + " files");
    }
    rate("recursive listing of " + String.format(Locale.ROOT, "%,d", files) + " files", (double) rounds * files, start, "files/s");
  }

  private void renameDirectory() throws IOException {
    byte[] data = Arrays.copyOf(block, 4 * KIB);
    for (int i = 0; i < 50; i++) {
      write(new Path(root, "before/" + i), data, 1);
    }
    long start = System.nanoTime();
    check(fileSystem.rename(new Path(root, "before"), new Path(root, "after")), "rename of a directory returned false");
    seconds("rename a directory of 50 small files", start);
    check(fileSystem.listStatus(new Path(root, "after")).length == 50, "files are missing after the rename");
  }

  private void largeFile() throws IOException {
    int blocks = Math.max(1, (int) (256 * scale));
    double gigabytes = blocks * (double) MIB / 1e9;
    String size = blocks + " MiB";
    Path file = new Path(root, "large");
    write(file, block, Math.max(1, blocks / 4)); // warm-up

    long processor = process.getProcessCpuTime();
    long start = System.nanoTime();
    write(file, block, blocks);
    rate("sequential write " + size, gigabytes * 1000, start, "MB/s");
    print("sequential write " + size + ", client CPU", (process.getProcessCpuTime() - processor) / 1e9 / gigabytes, "s/GB");

    byte[] buffer = new byte[MIB];
    long length = 0;
    for (int i = -1; i < 1; i++) {
      processor = process.getProcessCpuTime();
      start = System.nanoTime();
      length = 0;
      try (FSDataInputStream in = fileSystem.open(file)) {
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
          length += read;
        }
      }
    }
    rate("sequential read " + size, gigabytes * 1000, start, "MB/s");
    print("sequential read " + size + ", client CPU", (process.getProcessCpuTime() - processor) / 1e9 / gigabytes, "s/GB");
    check(length == (long) blocks * MIB, "read " + length + " bytes");

    start = System.nanoTime();
    check(fileSystem.rename(file, new Path(root, "large-renamed")), "rename of a file returned false");
    seconds("rename one " + size + " file", start);
  }

  private void deleteTree() throws IOException {
    Path tree = new Path(root, "tree");
    int files = times(1000);
    long start = System.nanoTime();
    check(fileSystem.delete(tree, true), "delete returned false");
    rate("delete a tree of " + String.format(Locale.ROOT, "%,d", files) + " files", files, start, "files/s");
    check(!fileSystem.exists(tree), "the tree is still there");
  }

  /** Files in ten directories, empty: only their names matter. */
  private int makeTree(String name) throws IOException {
    int files = times(1000);
    for (int i = 0; i < files; i++) {
      write(new Path(root, name + "/" + i % 10 + "/" + i), block, 0);
    }
    FileStatus[] directories = fileSystem.listStatus(new Path(root, name));
    check(directories.length == Math.min(10, files), directories.length + " directories");
    return files;
  }

  private void write(Path path, byte[] data, int repeats) throws IOException {
    try (FSDataOutputStream out = fileSystem.create(path, true)) {
      for (int i = 0; i < repeats; i++) {
        out.write(data);
      }
    }
  }

  private int times(int full) {
    return Math.max(1, (int) Math.round(full * scale));
  }

  private static void rate(String name, double amount, long start, String unit) {
    print(name, amount * 1e9 / (System.nanoTime() - start), unit);
  }

  private static void seconds(String name, long start) {
    print(name, (System.nanoTime() - start) / 1e9, "s");
  }

  private static void print(String name, double value, String unit) {
    System.out.println(name + "\t" + String.format(Locale.ROOT, "%.6g", value) + "\t" + unit);
  }

  private static void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalStateException(otherwise);
    }
  }
}
