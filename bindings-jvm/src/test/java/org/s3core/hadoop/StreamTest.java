package org.s3core.hadoop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.fs.EtagSource;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileRange;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class StreamTest {
  private static final Path FILE = new Path("s3a://bucket/dir/file");

  private final byte[] data = new byte[300_000];
  private StubGateway gateway;
  private FileSystem fileSystem;

  @BeforeEach
  void open() throws IOException {
    new Random(1).nextBytes(data);
    gateway = new StubGateway();
    fileSystem = FileSystem.newInstance(URI.create("s3a://bucket/"), gateway.configuration());
    gateway.objects.put("dir/file", data);
  }

  @AfterEach
  void close() throws IOException {
    fileSystem.close();
    gateway.close();
  }

  @Test
  void readsOfAnySizeGiveTheSameBytes() throws IOException {
    for (int size : new int[] {1, 7, 4096, 65_535, 65_536, 100_000, 1_000_000}) {
      byte[] read = new byte[data.length];
      try (FSDataInputStream in = fileSystem.open(FILE)) {
        int position = 0;
        for (int n = 0; n >= 0; n = in.read(read, position, Math.min(size, data.length - position))) {
          position += n;
          assertEquals(position, in.getPos());
          if (position == data.length) {
            assertEquals(-1, in.read());
            break;
          }
        }
        assertEquals(data.length, position, "reads of " + size);
      }
      assertArrayEquals(data, read);
    }
  }

  @Test
  void singleBytesAreUnsigned() throws IOException {
    try (FSDataInputStream in = fileSystem.open(FILE)) {
      for (int i = 0; i < 1000; i++) {
        assertEquals(data[i] & 0xff, in.read());
      }
    }
  }

  @Test
  void smallReadsSeldomAskTheGateway() throws IOException {
    try (FSDataInputStream in = fileSystem.open(FILE)) {
      in.readByte();
      int before = gateway.requests.get("GET");
      for (int i = 1; i < 60_000; i++) {
        in.readByte();
      }
      assertEquals(before, gateway.requests.get("GET"));
    }
  }

  @Test
  void positionedReadsLeaveThePositionAlone() throws IOException {
    try (FSDataInputStream in = fileSystem.open(FILE)) {
      in.seek(10);
      byte[] some = new byte[1000];
      in.readFully(200_000, some);
      assertArrayEquals(Arrays.copyOfRange(data, 200_000, 201_000), some);
      assertEquals(10, in.getPos());
      assertEquals(100, in.read(data.length - 100, some, 0, 1000), "up to the end");
      assertEquals(-1, in.read(data.length, some, 0, 1));
      assertEquals(0, in.read(data.length, some, 0, 0));
      assertThrows(EOFException.class, () -> in.readFully(data.length - 10, some));
      assertThrows(EOFException.class, () -> in.read(-1, some, 0, 1));
      assertEquals(data[10] & 0xff, in.read());
    }
  }

  @Test
  void seeksStayInsideTheFile() throws IOException {
    try (FSDataInputStream in = fileSystem.open(FILE)) {
      assertThrows(EOFException.class, () -> in.seek(-1));
      assertThrows(EOFException.class, () -> in.seek(data.length + 1));
      in.seek(data.length);
      assertEquals(-1, in.read());
      in.seek(123_456);
      assertEquals(data[123_456] & 0xff, in.read());
      in.seek(0);
      assertEquals(5, in.skip(5));
      assertEquals(data.length - 5, in.available());
      assertEquals(data.length - 5, in.skip(Long.MAX_VALUE));
    }
  }

  @Test
  void buffersOfBothKindsAreFilled() throws IOException {
    for (ByteBuffer buffer : Arrays.asList(ByteBuffer.allocate(100_000), ByteBuffer.allocateDirect(100_000))) {
      try (FSDataInputStream in = fileSystem.open(FILE)) {
        buffer.position(10);
        while (buffer.hasRemaining()) {
          assertTrue(in.read(buffer) > 0);
        }
        buffer.position(10);
        byte[] read = new byte[buffer.remaining()];
        buffer.get(read);
        assertArrayEquals(Arrays.copyOf(data, read.length), read);
        buffer.position(100);
        in.readFully(5000, buffer);
        buffer.position(100);
        buffer.get(read, 0, 10);
        assertArrayEquals(Arrays.copyOfRange(data, 5000, 5010), Arrays.copyOf(read, 10));
      }
    }
  }

  @Test
  void vectoredReadsFillWhatWasAllocated() throws Exception {
    for (boolean direct : new boolean[] {false, true}) {
      List<FileRange> ranges = Arrays.asList(FileRange.createFileRange(200_000, 70_000),
          FileRange.createFileRange(0, 10), FileRange.createFileRange(10, 10), FileRange.createFileRange(50, 0));
      try (FSDataInputStream in = fileSystem.open(FILE)) {
        in.readVectored(ranges, size -> direct ? ByteBuffer.allocateDirect(size + 3) : ByteBuffer.allocate(size + 3));
        for (FileRange range : ranges) {
          ByteBuffer buffer = range.getData().get();
          byte[] read = new byte[buffer.remaining()];
          buffer.get(read);
          int from = (int) range.getOffset();
          assertArrayEquals(Arrays.copyOfRange(data, from, from + range.getLength()), read);
        }
        assertEquals(0, in.getPos());
      }
    }
  }

  /** Of the Hadoop that these tests run on, 3.4. */
  @Test
  void vectoredReadsRefuseWhatHadoopForbids() throws IOException {
    List<FileRange> overlapping = Arrays.asList(FileRange.createFileRange(5, 10), FileRange.createFileRange(0, 10));
    List<FileRange> beyond = Arrays.asList(FileRange.createFileRange(data.length - 5, 10));
    try (FSDataInputStream in = fileSystem.open(FILE)) {
      assertThrows(IllegalArgumentException.class, () -> in.readVectored(overlapping, ByteBuffer::allocate));
      assertThrows(EOFException.class, () -> in.readVectored(beyond, ByteBuffer::allocate));
    }
  }

  @Test
  void buffersOfFailedVectoredReadsAreReleased() throws IOException {
    List<FileRange> ranges = Arrays.asList(FileRange.createFileRange(0, 10), FileRange.createFileRange(200_000, 10));
    List<ByteBuffer> allocated = new ArrayList<>();
    List<ByteBuffer> released = new ArrayList<>();
    try (FSDataInputStream in = fileSystem.open(FILE)) {
      gateway.objects.remove("dir/file");
      in.readVectored(ranges, size -> {
        allocated.add(ByteBuffer.allocate(size));
        return allocated.get(allocated.size() - 1);
      }, released::add);
      for (FileRange range : ranges) {
        Throwable failure = assertThrows(ExecutionException.class, () -> range.getData().get()).getCause();
        assertInstanceOf(FileNotFoundException.class, failure);
      }
    }
    assertEquals(allocated, released);
    assertEquals(2, released.size());
  }

  @Test
  void aClosedInputSaysSo() throws IOException {
    FSDataInputStream in = fileSystem.open(FILE);
    in.close();
    in.close();
    assertTrue(assertThrows(IOException.class, in::read).getMessage().contains("Stream is closed!"));
    assertThrows(IOException.class, () -> in.seek(0));
    assertThrows(IOException.class, () -> in.read(0, new byte[1], 0, 1));
    in.unbuffer();
  }

  @Test
  void aMissingFileIsNotFound() {
    String message = assertThrows(FileNotFoundException.class,
        () -> fileSystem.open(new Path("s3a://bucket/none"))).getMessage();
    assertTrue(message.contains("s3a://bucket/none"), message);
  }

  @Test
  void whatIsWrittenAppearsOnClose() throws IOException {
    Path path = new Path("s3a://bucket/out/new");
    FSDataOutputStream out = fileSystem.create(path);
    out.write(data[0]);
    out.write(data, 1, 10);
    out.write(data, 11, 65_530);
    out.write(data, 65_541, data.length - 65_541);
    out.flush();
    out.hflush();
    assertEquals(data.length, out.getPos());
    assertNull(gateway.objects.get("out/new"));
    out.close();
    assertArrayEquals(data, gateway.objects.get("out/new"));
    out.close();
    assertThrows(IOException.class, () -> out.write(1));
  }

  @Test
  void anInterruptedTaskLeavesNothingVisible() throws IOException {
    FSDataOutputStream out = fileSystem.create(new Path("s3a://bucket/out/killed"));
    out.write(1);
    Thread.currentThread().interrupt();
    assertThrows(java.io.InterruptedIOException.class, out::close);
    assertTrue(Thread.interrupted(), "the flag stays set");
    out.close();
    assertNull(gateway.objects.get("out/killed"));
  }

  @Test
  void anAbandonedStreamIsNeverCompleted() throws Exception {
    abandonAStream();
    S3CoreFileSystem ours = (S3CoreFileSystem) fileSystem;
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (ours.memory()[1] > 0) {
      assertTrue(System.nanoTime() < deadline, "its memory was not given back");
      System.gc();
      Thread.sleep(50);
    }
    assertNull(gateway.objects.get("out/abandoned"));
  }

  private void abandonAStream() throws IOException {
    FSDataOutputStream out = fileSystem.create(new Path("s3a://bucket/out/abandoned"));
    out.write(data, 0, 100_000);
    assertTrue(((S3CoreFileSystem) fileSystem).memory()[1] > 0, "more than the stream itself buffers");
  }

  /** As Spark's writers, which keep the stream only. */
  @Test
  void aStreamOutlastsTheObjectThatOpenedIt() throws Exception {
    S3CoreFileSystem forgotten = new S3CoreFileSystem();
    forgotten.initialize(URI.create("s3a://bucket/"), gateway.configuration());
    WeakReference<FileSystem> reference = new WeakReference<>(forgotten);
    FSDataOutputStream out = forgotten.create(new Path("s3a://bucket/out/outlasting"));
    FSDataInputStream in = forgotten.open(FILE);
    forgotten = null;
    while (reference.get() != null) {
      System.gc();
      Thread.sleep(50);
    }
    Thread.sleep(1500);   // clean-ups run every second
    out.write(data);
    out.close();
    assertArrayEquals(data, gateway.objects.get("out/outlasting"));
    byte[] read = new byte[data.length];
    in.readFully(0, read);
    assertArrayEquals(data, read);
    in.close();
  }

  @Test
  void closingTheFileSystemEndsItsFiles() throws IOException {
    FSDataInputStream in = fileSystem.open(FILE);
    FSDataOutputStream small = fileSystem.create(new Path("s3a://bucket/out/small"));
    small.write(1);
    FSDataOutputStream large = fileSystem.create(new Path("s3a://bucket/out/large"));
    large.write(data);
    fileSystem.close();
    for (Executable call : Arrays.<Executable>asList(small::close, large::close, () -> in.read(new byte[100_000]),
        () -> in.readFully(5, new byte[10]))) {
      assertTrue(assertThrows(IOException.class, call).getMessage().contains("Filesystem is closed!"));
    }
    in.unbuffer();
    in.close();
    assertEquals(1, gateway.objects.size(), gateway.objects.keySet().toString());
  }

  @Test
  void syncFailsWhereTheUserWantsThat() throws IOException {
    org.apache.hadoop.conf.Configuration conf = gateway.configuration();
    conf.setBoolean("fs.s3a.bucket.bucket.downgrade.syncable.exceptions", false);
    try (FileSystem strict = FileSystem.newInstance(URI.create("s3a://bucket/"), conf);
        FSDataOutputStream out = strict.create(new Path("s3a://bucket/out/synced"))) {
      assertThrows(UnsupportedOperationException.class, out::hsync);
    }
  }

  /** The statistics that Spark reads, deprecated or not. */
  @SuppressWarnings("deprecation")
  @Test
  void bytesAreCountedForTheThreadThatMovesThem() throws IOException {
    FileSystem.Statistics statistics = FileSystem.getStatistics("s3a", fileSystem.getClass());
    FileSystem.Statistics.StatisticsData mine = statistics.getThreadStatistics();
    long[] before = {mine.getBytesRead(), mine.getBytesWritten(), mine.getReadOps(), mine.getWriteOps()};
    try (FSDataInputStream in = fileSystem.open(FILE)) {
      in.readFully(new byte[1000]);
      in.readFully(5, new byte[500]);
    }
    try (FSDataOutputStream out = fileSystem.create(new Path("s3a://bucket/out/counted"))) {
      out.write(data, 0, 77);
    }
    mine = statistics.getThreadStatistics();
    assertEquals(1500, mine.getBytesRead() - before[0]);
    assertEquals(77, mine.getBytesWritten() - before[1]);
    assertEquals(1, mine.getReadOps() - before[2]);
    assertEquals(1, mine.getWriteOps() - before[3]);
  }

  @Test
  void statusesHaveETags() throws IOException {
    FileStatus status = fileSystem.getFileStatus(FILE);
    assertEquals(data.length, status.getLen());
    assertEquals(32L << 20, status.getBlockSize());
    assertFalse(((EtagSource) status).getEtag().isEmpty());
    assertTrue(fileSystem.hasPathCapability(FILE, "fs.capability.etags.available"));
    assertTrue(fileSystem.getFileStatus(new Path("s3a://bucket/dir")).isDirectory());
  }

  @Test
  void theBlockSizeIsTheOneThatWasAskedFor() throws IOException {
    org.apache.hadoop.conf.Configuration conf = gateway.configuration();
    conf.set("fs.s3a.block.size", "64M");
    try (FileSystem files = FileSystem.newInstance(URI.create("s3a://bucket/"), conf)) {
      assertEquals(64L << 20, files.getFileStatus(FILE).getBlockSize());
    }
    conf.set("fs.s3a.bucket.bucket.block.size", "33554432");
    try (FileSystem files = FileSystem.newInstance(URI.create("s3a://bucket/"), conf)) {
      assertEquals(32L << 20, files.getFileStatus(FILE).getBlockSize());
    }
  }

  @Test
  void theFileSystemTellsWhatItDidAndWhy() throws IOException {
    S3CoreFileSystem ours = (S3CoreFileSystem) fileSystem;
    gateway.objects.put("dir/file.csv", data);
    fileSystem.getFileStatus(new Path("s3a://bucket/dir/file.csv"));
    assertEquals(1, ours.requests().get("HeadObject")[0]);
    long[] memory = ours.memory();
    assertTrue(memory[0] >= 64L << 20 && memory[1] <= memory[2] && memory[2] <= memory[0], Arrays.toString(memory));
    boolean found = false;
    for (String[] line : ours.explain()) {
      assertFalse(line[1].contains("devsecret"), line[0]);
      found |= line[0].equals("fs.s3core.endpoint") && line[2].equals("fs.s3a.endpoint");
    }
    assertTrue(found);
  }

  @Test
  void aClosedFileSystemSaysSo() throws IOException {
    fileSystem.close();
    assertTrue(assertThrows(IOException.class, () -> fileSystem.getFileStatus(FILE)).getMessage().contains("closed"));
  }

  @Test
  void badBucketsAreNamed() {
    assertTrue(assertThrows(IllegalArgumentException.class,
        () -> FileSystem.newInstance(URI.create("s3a:///x"), gateway.configuration())).getMessage()
        .contains("s3a://bucket/path"));
    String message = assertThrows(IllegalArgumentException.class,
        () -> FileSystem.newInstance(URI.create("s3a://key:geheim@bucket/x"), gateway.configuration())).getMessage();
    assertFalse(message.contains("geheim"), message);
  }
}
