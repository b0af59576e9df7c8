package org.s3core.hadoop;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.fs.FileChecksum;

/**
 * An ETag as a checksum, under the name that S3A gives it. Equal checksums are of equal files; equal files may have
 * different ones, since that of a multipart upload depends on its parts.
 */
public final class EtagChecksum extends FileChecksum {
  private String etag;

  /** For {@link #readFields}. */
  public EtagChecksum() {
    this("");
  }

  EtagChecksum(String etag) {
    this.etag = etag;
  }

  @Override
  public String getAlgorithmName() {
    return "etag";
  }

  @Override
  public int getLength() {
    return getBytes().length;
  }

  @Override
  public byte[] getBytes() {
    return etag.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void write(DataOutput out) throws IOException {
    out.writeUTF(etag);
  }

  @Override
  public void readFields(DataInput in) throws IOException {
    etag = in.readUTF();
  }

  @Override
  public String toString() {
    return "etag: \"" + etag + "\"";
  }
}
