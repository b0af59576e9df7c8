package org.s3core.hadoop;

import java.io.IOException;
import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Gives native things back whose owner was collected without being closed: a stream that nobody closed is aborted,
 * never completed.
 */
final class Cleanup extends PhantomReference<Object> {
  private static final ReferenceQueue<Object> QUEUE = new ReferenceQueue<>();
  /** Keeps the references themselves reachable. */
  private static final Set<Cleanup> ALL = ConcurrentHashMap.newKeySet();

  private final Release release;

  /** What is to be done; must not refer to the owner. */
  interface Release {
    void run() throws IOException;
  }

  private Cleanup(Object owner, Release release) {
    super(owner, QUEUE);
    this.release = release;
  }

  /** Runs {@code release} once {@code owner} is unreachable, unless {@link #cancel} comes first. */
  static Cleanup when(Object owner, Release release) {
    Cleanup reference = new Cleanup(owner, release);
    ALL.add(reference);
    return reference;
  }

  /** The owner was closed properly. */
  void cancel() {
    ALL.remove(this);
    clear();
  }

  /** Gives back what was abandoned since the last call. */
  static void runDue() {
    for (Object next = QUEUE.poll(); next != null; next = QUEUE.poll()) {
      Cleanup reference = (Cleanup) next;
      if (ALL.remove(reference)) {
        try {
          reference.release.run();
        } catch (IOException e) {
          NativeLog.LOG.warn("An abandoned stream could not be cleaned up: {}", e.getMessage());
        }
      }
    }
  }
}
