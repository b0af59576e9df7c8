package org.s3core.hadoop;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Calls that wait for a gateway that never answers. */
@Timeout(60)
class InterruptTest {
  /** Slices are of 50 ms; the rest is a busy machine. */
  private static final long PATIENCE_MILLISECONDS = 2000;

  private StubGateway gateway;
  private FileSystem fileSystem;

  private interface Call {
    void run() throws IOException;
  }

  @BeforeEach
  void open() throws IOException {
    gateway = new StubGateway();
    fileSystem = FileSystem.newInstance(URI.create("s3a://bucket/"), gateway.configuration());
    gateway.objects.put("file", new byte[1 << 20]);
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
    endsByInterrupt(() -> in.read(new byte[100_000]));
    endsByInterrupt(() -> in.readFully(5, new byte[10]));
    in.close();
  }

  @Test
  void anInterruptEndsAStatusThatWaits() throws Exception {
    gateway.stall("HEAD");
    endsByInterrupt(() -> fileSystem.getFileStatus(new Path("s3a://bucket/file")));
  }

  @Test
  void anInterruptEndsACloseThatWaits() throws Exception {
    java.io.OutputStream out = fileSystem.create(new Path("s3a://bucket/out"));
    out.write(1);
    gateway.stall("PUT");
    endsByInterrupt(out::close);
  }

  @Test
  void closingEndsAReadThatWaits() throws Exception {
    FSDataInputStream in = fileSystem.open(new Path("s3a://bucket/file"));
    gateway.stall("GET");
    Attempt attempt = new Attempt(() -> in.read(new byte[100_000]));
    gateway.awaitStalled();
    in.close();
    Throwable failure = attempt.failure();
    assertInstanceOf(IOException.class, failure);
    assertTrue(failure.getMessage().contains("Stream is closed!"), failure.toString());
  }

  private void endsByInterrupt(Call call) throws InterruptedException {
    Attempt attempt = new Attempt(call);
    gateway.awaitStalled();
    attempt.thread.interrupt();
    assertInstanceOf(InterruptedIOException.class, attempt.failure());
    assertTrue(attempt.wasInterrupted.get(), "the flag stays set");
  }

  /** A call in a thread of its own. */
  private static final class Attempt {
    final Thread thread;
    final AtomicReference<Throwable> failure = new AtomicReference<>();
    final AtomicBoolean wasInterrupted = new AtomicBoolean();

    Attempt(Call call) {
      thread = new Thread(() -> {
        try {
          call.run();
        } catch (Throwable e) {
          failure.set(e);
        }
        wasInterrupted.set(Thread.currentThread().isInterrupted());
      });
      thread.start();
    }

    Throwable failure() throws InterruptedException {
      thread.join(PATIENCE_MILLISECONDS);
      assertTrue(!thread.isAlive(), "the call still waits");
      return failure.get();
    }
  }
}
