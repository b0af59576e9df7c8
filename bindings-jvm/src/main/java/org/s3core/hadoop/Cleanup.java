package org.s3core.hadoop;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Gives a native thing back whose owner was collected without being closed: a stream that nobody closed is aborted,
 * never completed.
 */
final class Cleanup extends PhantomReference<Object> {
  private static final ReferenceQueue<Object> DUE = new ReferenceQueue<>();
  /** Keeps the references themselves reachable. */
  private static final Set<Cleanup> ALL = ConcurrentHashMap.newKeySet();

  private final Runnable action;

  private Cleanup(Object owner, Runnable action) {
    super(owner, DUE);
    this.action = action;
  }

  /**
   * Runs {@code action} once {@code owner} is unreachable, unless {@link #cancel} comes first.
   *
   * @param action must neither refer to the owner nor wait: all run in one thread
   */
  static Cleanup when(Object owner, Runnable action) {
    Cleanup cleanup = new Cleanup(owner, action);
    ALL.add(cleanup);
    return cleanup;
  }

  /** The owner was closed properly. */
  void cancel() {
    ALL.remove(this);
    clear();
  }

  /** Gives back what was abandoned since the last call; one that fails does not keep the others from it. */
  static void runDue() {
    for (Object next = DUE.poll(); next != null; next = DUE.poll()) {
      Cleanup cleanup = (Cleanup) next;
      if (ALL.remove(cleanup)) {
        try {
          cleanup.action.run();
        } catch (RuntimeException e) {
          NativeLog.LOG.warn("An abandoned stream could not be cleaned up", e);
        }
      }
    }
  }
}
