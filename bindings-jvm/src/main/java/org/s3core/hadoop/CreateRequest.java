package org.s3core.hadoop;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** How a file is created. */
final class CreateRequest {
  // What becomes of an existing file. The native side knows these numbers.
  private static final int STAYS = 0;
  private static final int STAYS_FOR_CERTAIN = 1;
  private static final int IS_REPLACED = 2;
  private static final int IS_REPLACED_IF = 3;

  private final int existing;
  private final String etag;
  private String contentType;
  /** Names, each followed by its value. */
  private final List<String> metadata = new ArrayList<>();
  private boolean unchecked;
  private boolean asUpload;

  private CreateRequest(int existing, String etag) {
    this.existing = existing;
    this.etag = etag;
  }

  static CreateRequest of(boolean overwrite) {
    return new CreateRequest(overwrite ? IS_REPLACED : STAYS, null);
  }

  /** Of several writers one succeeds; {@code forCertain} refuses where the gateway cannot say so. */
  static CreateRequest exclusive(boolean forCertain) {
    return new CreateRequest(forCertain ? STAYS_FOR_CERTAIN : STAYS, null);
  }

  /** Replaces the file that has this ETag, with or without quotes, and no other. */
  static CreateRequest replacing(String etag) {
    String bare = etag.length() > 1 && etag.startsWith("\"") && etag.endsWith("\"")
        ? etag.substring(1, etag.length() - 1) : etag;
    return new CreateRequest(IS_REPLACED_IF, bare);
  }

  /** Looks at nothing before: no request is sent to create the file. */
  CreateRequest unchecked(boolean yes) {
    unchecked = yes;
    return this;
  }

  /** A multipart upload, also where one request would do. */
  CreateRequest asUpload(boolean yes) {
    asUpload = yes;
    return this;
  }

  CreateRequest contentType(String type) {
    contentType = type;
    return this;
  }

  /** User metadata of the object. */
  CreateRequest metadata(String name, String value) {
    metadata.add(name);
    metadata.add(value);
    return this;
  }

  /** The id of a native writer. */
  long open(long store, String key) throws IOException {
    return Native.openWriter(store, key, existing, etag, contentType, metadata.toArray(new String[0]), unchecked,
        asUpload);
  }
}
