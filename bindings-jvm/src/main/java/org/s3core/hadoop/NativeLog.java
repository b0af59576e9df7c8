package org.s3core.hadoop;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one thread that brings native log lines to SLF4J and gives back what was abandoned. */
final class NativeLog implements Runnable {
  static final Logger LOG = LoggerFactory.getLogger("org.s3core.hadoop");

  private static final String PREFIX = "org.s3core.";
  /** A changed level of a logger is noticed after this time at the latest. */
  private static final int PAUSE_MILLISECONDS = 1000;

  private final String[] rooms = Native.logRooms().split(",");
  private byte[] levels = new byte[0];

  /** Starts the thread; once per copy of the library. */
  static void start() {
    Thread thread = new Thread(new NativeLog(), "s3core-log");
    thread.setDaemon(true);
    // It outlives the task that happens to be the first.
    thread.setContextClassLoader(NativeLog.class.getClassLoader());
    thread.start();
  }

  /** Never ends: an appender of the application may throw anything, and there is no second thread. */
  @Override
  public void run() {
    while (true) {
      try {
        followLevels();
        byte[] record = Native.nextLogRecord(PAUSE_MILLISECONDS);
        if (record != null) {
          log(new Decoder(record));
        }
        Cleanup.runDue();
      } catch (Throwable e) {
        surviveFailure(e);
      }
    }
  }

  private static void surviveFailure(Throwable failure) {
    try {
      LOG.warn("A log line of the native library was lost", failure);
    } catch (Throwable e) {
      // The log itself fails: there is nobody left to tell.
    }
    // What fails at once every time shall not keep a processor busy.
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(PAUSE_MILLISECONDS));
  }

  private void followLevels() {
    byte[] now = new byte[rooms.length];
    for (int i = 0; i < rooms.length; i++) {
      now[i] = level(LoggerFactory.getLogger(PREFIX + rooms[i]));
    }
    if (!Arrays.equals(levels, now)) {
      Native.setLogLevels(now);
      levels = now;
    }
  }

  private static byte level(Logger logger) {
    if (logger.isTraceEnabled()) {
      return 5;
    } else if (logger.isDebugEnabled()) {
      return 4;
    } else if (logger.isInfoEnabled()) {
      return 3;
    } else if (logger.isWarnEnabled()) {
      return 2;
    }
    return (byte) (logger.isErrorEnabled() ? 1 : 0);
  }

  private static void log(Decoder record) {
    int severity = record.unsignedByte();
    Logger logger = LoggerFactory.getLogger(PREFIX + record.string());
    String message = record.string();
    switch (severity) {
      case 1:
        logger.error(message);
        break;
      case 2:
        logger.warn(message);
        break;
      case 3:
        logger.info(message);
        break;
      case 4:
        logger.debug(message);
        break;
      default:
        logger.trace(message);
    }
  }
}
