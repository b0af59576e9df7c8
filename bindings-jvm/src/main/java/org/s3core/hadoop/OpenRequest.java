package org.s3core.hadoop;

import java.io.IOException;

/** What is known of a file before it is opened, and how it will be read. */
final class OpenRequest {
  private long length = -1;
  private String etag;
  private String policies;
  private long readahead = -1;

  /** In bytes; saves the request that asks for it. */
  OpenRequest length(long known) {
    length = known;
    return this;
  }

  /** Without quotes; null where it is not known. */
  OpenRequest etag(String known) {
    etag = known;
    return this;
  }

  /** Names of read policies between commas, of which the first known one counts; null where nobody says. */
  OpenRequest policies(String names) {
    policies = names;
    return this;
  }

  /** Least number of bytes that a random read asks for; -1 where nobody says. */
  OpenRequest readahead(long bytes) {
    readahead = bytes;
    return this;
  }

  /** The id of a native reader. */
  long open(long store, String key) throws IOException {
    return Native.openReader(store, key, length, etag, policies, readahead);
  }
}
