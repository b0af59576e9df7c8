package org.s3core.hadoop;

import java.io.IOException;

/** Commits on one store. Public methods only: {@link OtherLoadersCalls} finds them by name. */
final class StoreCommitCalls implements CommitCalls {
  /** Never read: while a committer is at work, its file system must not be collected, which would close the store. */
  private final S3CoreFileSystem owner;
  private final long store;

  StoreCommitCalls(S3CoreFileSystem owner, long store) {
    this.owner = owner;
    this.store = store;
  }

  @Override
  public void setUpJob(String destination, String job, boolean again, String committer, String conflictMode)
      throws IOException {
    Native.setUpJob(store, destination, job, again, committer, conflictMode);
  }

  @Override
  public long[] commitJob(String destination, String job, boolean marksSuccess, String committer, String conflictMode)
      throws IOException {
    return Native.commitJob(store, destination, job, marksSuccess, committer, conflictMode);
  }

  @Override
  public void abortJob(String destination, String job) throws IOException {
    Native.abortJob(store, destination, job);
  }

  @Override
  public String workPath(String destination, String job, String task, String attempt) {
    return Native.workPath(destination, job, task, attempt);
  }

  @Override
  public void setUpTask(String destination, String job, String task, String attempt) {
    Native.setUpTask(store, destination, job, task, attempt);
  }

  @Override
  public boolean needsTaskCommit(String destination, String job, String task, String attempt) throws IOException {
    return Native.needsTaskCommit(store, destination, job, task, attempt);
  }

  @Override
  public void commitTask(String destination, String job, String task, String attempt) throws IOException {
    Native.commitTask(store, destination, job, task, attempt);
  }

  @Override
  public void abortTask(String destination, String job, String task, String attempt) throws IOException {
    Native.abortTask(store, destination, job, task, attempt);
  }
}
