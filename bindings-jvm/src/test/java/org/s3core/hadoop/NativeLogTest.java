package org.s3core.hadoop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.log4j.AppenderSkeleton;
import org.apache.log4j.Level;
import org.apache.log4j.Logger;
import org.apache.log4j.spi.LoggingEvent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Lines of the library's room "gateway", which tells at level debug of every attempt that failed. */
@Timeout(60)
class NativeLogTest {
  private final Logger logger = Logger.getLogger("org.s3core.gateway");
  private final BlockingQueue<LoggingEvent> events = new LinkedBlockingQueue<>();
  private StubGateway gateway;
  private FileSystem fileSystem;

  @BeforeEach
  void open() throws IOException {
    logger.setLevel(Level.DEBUG);
    gateway = new StubGateway();
    gateway.objects.put("file", new byte[1]);
    fileSystem = FileSystem.newInstance(URI.create("s3a://bucket/"), gateway.configuration());
  }

  @AfterEach
  void close() throws IOException {
    logger.removeAllAppenders();
    logger.setLevel(null);
    fileSystem.close();
    gateway.close();
  }

  @Test
  void aLineReachesTheLoggerOfItsRoom() throws Exception {
    appendTo(events::add);
    LoggingEvent event = nextEvent();
    assertEquals(Level.DEBUG, event.getLevel());
    assertTrue(event.getRenderedMessage().startsWith("trying again "), event.getRenderedMessage());
    assertTrue(event.getRenderedMessage().contains("503"), event.getRenderedMessage());
  }

  @Test
  void anAppenderThatFailsDoesNotEndTheLog() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    appendTo(event -> {
      if (calls.incrementAndGet() == 1) {
        throw new StackOverflowError("of an appender");
      }
      events.add(event);
    });
    nextEvent();
    assertTrue(calls.get() > 1);
  }

  /** Makes the library log until a line has come: it learns of a changed level within a second. */
  private LoggingEvent nextEvent() throws Exception {
    LoggingEvent event = null;
    while (event == null) {
      gateway.refuseOnce();
      fileSystem.getFileStatus(new Path("s3a://bucket/file"));
      event = events.poll(100, TimeUnit.MILLISECONDS);
    }
    return event;
  }

  private void appendTo(Consumer<LoggingEvent> consumer) {
    logger.addAppender(new AppenderSkeleton() {
      @Override
      protected void append(LoggingEvent event) {
        consumer.accept(event);
      }

      @Override
      public void close() {
      }

      @Override
      public boolean requiresLayout() {
        return false;
      }
    });
  }
}
