package org.s3core.hadoop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Calls that wait for a gateway that does not answer. */
@Timeout(60)
class InterruptTest {
  /** A waiting thread looks every 50 ms whether it was interrupted; the rest is a busy machine. */
  private static final long PROMISED_MILLISECONDS = 300;
  /** The fastest counts: what else the machine does is not ours. */
  private static final int ATTEMPTS = 3;
  private static final int SIZE = 100_000;

  private StubGateway gateway;
  private S3CoreFileSystem fileSystem;

  private interface Call {
    void run() throws IOException;
  }

  @BeforeEach
  void open() throws IOException {
    gateway = new StubGateway();
    Configuration conf = gateway.configuration();
    conf.set("fs.s3core.memory.limit", "64M");
    conf.set("fs.s3a.multipart.size", "8M");
    fileSystem = (S3CoreFileSystem) FileSystem.newInstance(URI.create("s3a://bucket/"), conf);
    byte[] ones = new byte[1 << 20];
    Arrays.fill(ones, (byte) 1);
    gateway.objects.put("file", ones);
  }

  @AfterEach
  void close() throws IOException {
    gateway.close();
    fileSystem.close();
  }

  @Test
  void anInterruptEndsAReadThatWaits() throws Exception {
    FSDataInputStream in = fileSystem.open(new Path("s3a://bucket/file"));
    gateway.stall("GET");
    endsByInterrupt(() -> in.read(new byte[SIZE]));
    endsByInterrupt(() -> in.readFully(5, new byte[10]));
    in.close();
  }

  @Test
  void anInterruptEndsAStatusThatWaits() throws Exception {
    gateway.stall("HEAD");
    endsByInterrupt(() -> fileSystem.getFileStatus(new Path("s3a://bucket/file.csv")));
  }

  @Test
  void anInterruptEndsACloseThatWaits() throws Exception {
    gateway.stall("PUT");
    endsByInterrupt(() -> {
      OutputStream out = fileSystem.create(new Path("s3a://bucket/out"));
      out.write(1);
      out.close();
    });
  }

  /** The upload is never begun, so that its parts fill the memory and the writer has to wait. */
  @Test
  void anInterruptEndsAWriteThatWaits() throws Exception {
    gateway.stall("POST");
    OutputStream out = fileSystem.create(new Path("s3a://bucket/out/large"));
    byte[] piece = new byte[256 << 10];
    Attempt attempt = new Attempt(() -> {
      while (true) {
        out.write(piece);
      }
    });
    gateway.awaitStalled();
    long before = -1;
    for (long used = fileSystem.memory()[1]; used != before; used = fileSystem.memory()[1]) {
      before = used;
      Thread.sleep(500);
    }
    assertTrue(attempt.isWaiting(), "the gateway has nothing of it");
    attempt.millisecondsAfter(attempt.thread::interrupt);
    assertInstanceOf(InterruptedIOException.class, attempt.failure);
    assertThrows(IOException.class, () -> out.write(piece));
    assertThrows(IOException.class, out::close);
    gateway.release();
    assertNull(gateway.objects.get("out/large"));
  }

  /** The upload cannot be removed before it is known to exist, which may take as long as the gateway is away. */
  @Test
  void aKilledTaskDoesNotWaitUntilItsUploadIsRemoved() throws Exception {
    gateway.stall("POST");
    isInTime(() -> {
      OutputStream out = fileSystem.create(new Path("s3a://bucket/out/killed"));
      out.write(new byte[9 << 20]);
      gateway.awaitStalled();
      Attempt attempt = new Attempt(() -> {
        Thread.currentThread().interrupt();
        out.close();
      });
      long milliseconds = attempt.millisecondsAfter(() -> { });
      assertInstanceOf(InterruptedIOException.class, attempt.failure);
      return milliseconds;
    });
  }

  @Test
  void closingEndsAReadThatWaits() throws Exception {
    isInTime(() -> {
      gateway.stall("");
      FSDataInputStream in = fileSystem.open(new Path("s3a://bucket/file"));
      gateway.stall("GET");
      Attempt attempt = new Attempt(() -> in.read(new byte[SIZE]));
      gateway.awaitStalled();
      long milliseconds = attempt.millisecondsAfter(in::close);
      assertInstanceOf(IOException.class, attempt.failure);
      assertTrue(attempt.failure.getMessage().contains("Stream is closed!"), attempt.failure.toString());
      return milliseconds;
    });
  }

  /** What the gateway was asked to make visible it does, whoever waits for it: somebody has to take it back. */
  @Test
  void anInterruptedJobCommitIsNotLeftInItsMiddle() throws Exception {
    CommitCalls calls = fileSystem.commitCalls();
    calls.setUpJob("out", "j1", false, "", "");
    String file = "part-%05d-2dd664f9-d2c4-4ffe-878f-c6c70c1fb0cb";
    for (int task = 0; task < 2; task++) {
      String attempt = "attempt_" + task;
      calls.setUpTask("out", "j1", "task_" + task, attempt);
      Path work = new Path("s3a://bucket/" + calls.workPath("out", "j1", "task_" + task, attempt));
      try (OutputStream out = fileSystem.create(new Path(work, String.format(file, task)))) {
        out.write(1);
      }
      calls.commitTask("out", "j1", "task_" + task, attempt);
    }
    gateway.stall("PUT");
    Attempt attempt = new Attempt(() -> calls.commitJob("out", "j1", true, "", ""));
    gateway.awaitStalled();
    attempt.thread.interrupt();
    Thread.sleep(300);
    assertTrue(attempt.isWaiting(), "the gateway has been asked and has not answered");
    gateway.release();
    attempt.millisecondsAfter(() -> { });
    assertInstanceOf(InterruptedIOException.class, attempt.failure);
    assertTrue(attempt.wasInterrupted, "the flag stays set");
    assertTrue(gateway.objects.containsKey("out/_s3core_job-j1/_s3core_job"), "it can be aborted, or tried again");
    assertFalse(gateway.objects.keySet().stream().anyMatch(key -> key.startsWith("out/part-")));
  }

  /** Committers hold what keeps the store open, also where no FileSystem is cached. */
  @Test
  void aFileSystemThatNobodyHoldsIsKeptByItsCommitter() throws Exception {
    CommitCalls calls = ((S3CoreFileSystem) FileSystem.newInstance(URI.create("s3a://bucket/"), gateway.configuration()))
        .commitCalls();
    for (int i = 0; i < 20; i++) {
      System.gc();
      Thread.sleep(20);
    }
    calls.setUpJob("out", "j1", false, "", "");
    assertTrue(gateway.objects.containsKey("out/_s3core_job-j1/_s3core_job"));
  }

  /** The caller may use the memory for something else as soon as its call has returned. */
  @Test
  void anInterruptedReadLeavesTheCallersMemoryAlone() throws Exception {
    FSDataInputStream in = fileSystem.open(new Path("s3a://bucket/file"));
    FSDataInputStream other = fileSystem.open(new Path("s3a://bucket/file"));
    byte[] array = new byte[SIZE];
    byte[] positioned = new byte[SIZE];
    ByteBuffer direct = ByteBuffer.allocateDirect(SIZE);
    gateway.stall("GET");
    endsByInterrupt(() -> in.read(array));
    endsByInterrupt(() -> other.read(direct));
    endsByInterrupt(() -> in.readFully(500_000, positioned));
    gateway.release();
    Thread.sleep(1000);
    assertArrayEquals(new byte[SIZE], array);
    assertArrayEquals(new byte[SIZE], positioned);
    assertEquals(0, direct.position());
    byte[] found = new byte[SIZE];
    direct.get(found);
    assertArrayEquals(new byte[SIZE], found);
    assertEquals(1, in.read(), "the stream reads on");
    in.close();
    other.close();
  }

  private void endsByInterrupt(Call call) throws Exception {
    isInTime(() -> {
      Attempt attempt = new Attempt(call);
      gateway.awaitStalled();
      Thread.sleep(100);   // until the call waits, where the request is not its own
      long milliseconds = attempt.millisecondsAfter(attempt.thread::interrupt);
      assertInstanceOf(InterruptedIOException.class, attempt.failure);
      assertTrue(attempt.wasInterrupted, "the flag stays set");
      return milliseconds;
    });
  }

  private static void isInTime(Callable<Long> attempt) throws Exception {
    long fastest = Long.MAX_VALUE;
    for (int i = 0; i < ATTEMPTS && fastest > PROMISED_MILLISECONDS; i++) {
      fastest = Math.min(fastest, attempt.call());
    }
    assertTrue(fastest <= PROMISED_MILLISECONDS, "it took " + fastest + " ms");
  }

  /** A call in a thread of its own. */
  private static final class Attempt {
    final Thread thread;
    volatile Throwable failure;
    volatile boolean wasInterrupted;

    Attempt(Call call) {
      thread = new Thread(() -> {
        try {
          call.run();
        } catch (Throwable e) {
          failure = e;
        }
        wasInterrupted = Thread.currentThread().isInterrupted();
      });
      thread.start();
    }

    boolean isWaiting() {
      return thread.isAlive();
    }

    /** How long the call still goes on. */
    long millisecondsAfter(Call end) throws IOException, InterruptedException {
      long begin = System.nanoTime();
      end.run();
      thread.join(10_000);
      assertFalse(thread.isAlive(), "the call still waits");
      return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
    }
  }
}
