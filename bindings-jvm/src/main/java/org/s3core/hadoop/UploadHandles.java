package org.s3core.hadoop;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.hadoop.fs.PartHandle;
import org.apache.hadoop.fs.UploadHandle;

/** Handles of uploads and parts, which callers may carry from process to process as bytes. */
final class UploadHandles {
  private static final String MARK = "s3core-part-1";

  private UploadHandles() {
  }

  static UploadHandle ofUpload(String id) {
    return new Handle(id.getBytes(StandardCharsets.UTF_8));
  }

  /** The id of an upload. */
  static String id(UploadHandle handle) {
    byte[] bytes = handle == null ? new byte[0] : handle.toByteArray();
    if (bytes.length == 0) {
      throw new IllegalArgumentException("an empty upload handle");
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }

  static PartHandle ofPart(String path, String upload, int number, String etag) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeUTF(MARK);
      out.writeUTF(path);
      out.writeUTF(upload);
      out.writeInt(number);
      out.writeUTF(etag);
    }
    return new Handle(bytes.toByteArray());
  }

  /** The ETag of a part, which must be of this upload. */
  static String etag(PartHandle handle, String path, String upload) {
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(handle.toByteArray()))) {
      if (MARK.equals(in.readUTF()) && path.equals(in.readUTF()) && upload.equals(in.readUTF())) {
        in.readInt();
        return in.readUTF();
      }
    } catch (IOException e) {
      throw new IllegalArgumentException(path + ": no handle of a part", e);
    }
    throw new IllegalArgumentException(path + ": the handle is of a part of another upload");
  }

  private static final class Handle implements UploadHandle, PartHandle {
    private static final long serialVersionUID = 1L;

    private final byte[] bytes;

    Handle(byte[] bytes) {
      this.bytes = bytes;
    }

    @Override
    public byte[] toByteArray() {
      return bytes.clone();
    }

    @Override
    public ByteBuffer bytes() {
      return ByteBuffer.wrap(toByteArray());
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Handle && Arrays.equals(bytes, ((Handle) other).bytes);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(bytes);
    }
  }
}
