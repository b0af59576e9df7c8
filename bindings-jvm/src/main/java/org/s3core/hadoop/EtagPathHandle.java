package org.s3core.hadoop;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.InvalidPathHandleException;
import org.apache.hadoop.fs.Options.HandleOpt;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathHandle;

/** Names a file by its path, and by its ETag where it must be the same object. Loaded on Hadoop 3.3.1 and newer only. */
final class EtagPathHandle implements PathHandle {
  private static final long serialVersionUID = 1L;
  private static final String MARK = "s3core-1";

  private final String path;
  /** Without quotes; "" where any object will do. */
  private final String etag;

  EtagPathHandle(String path, String etag) {
    this.path = path;
    this.etag = etag;
  }

  /** A handle that is true as long as {@code options} say; S3 cannot tell where an object was moved to. */
  static PathHandle of(FileStatus status, HandleOpt... options) {
    boolean mayMove = HandleOpt.getOpt(HandleOpt.Location.class, options).map(HandleOpt.Location::allowChange).orElse(true);
    boolean mayChange = HandleOpt.getOpt(HandleOpt.Data.class, options).map(HandleOpt.Data::allowChange).orElse(true);
    String etag = Statuses.HAVE_ETAGS ? EtagStatuses.etagOf(status) : null;
    if (mayMove || status.isDirectory() || !mayChange && etag == null) {
      throw new UnsupportedOperationException(
          status.getPath() + ": S3 has handles of files that stay where they are, not of moved ones or directories");
    }
    return new EtagPathHandle(status.getPath().toString(), mayChange ? "" : etag);
  }

  /** Opens the file that {@code handle} names. */
  static FSDataInputStream open(S3CoreFileSystem fileSystem, PathHandle handle) throws IOException {
    EtagPathHandle own = handle instanceof EtagPathHandle ? (EtagPathHandle) handle : read(handle.toByteArray());
    Path path = new Path(own.path);
    FSDataInputStream in = fileSystem.open(path, new OpenRequest());
    String found = own.etag.isEmpty() ? "" : EtagStatuses.etagOf(fileSystem.getFileStatus(path));
    if (!own.etag.equals(found)) {
      in.close();
      throw new InvalidPathHandleException(own.path + ": the file was replaced since the handle was made");
    }
    return in;
  }

  private static EtagPathHandle read(byte[] bytes) throws IOException {
    try (DataInputStream in = new DataInputStream(new java.io.ByteArrayInputStream(bytes))) {
      if (MARK.equals(in.readUTF())) {
        return new EtagPathHandle(in.readUTF(), in.readUTF());
      }
    } catch (IOException e) {
      throw new InvalidPathHandleException("no handle of this file system", e);
    }
    throw new InvalidPathHandleException("no handle of this file system");
  }

  @Override
  public ByteBuffer bytes() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeUTF(MARK);
      out.writeUTF(path);
      out.writeUTF(etag);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return ByteBuffer.wrap(bytes.toByteArray());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof EtagPathHandle && path.equals(((EtagPathHandle) other).path)
        && etag.equals(((EtagPathHandle) other).etag);
  }

  @Override
  public int hashCode() {
    return Objects.hash(path, etag);
  }

  @Override
  public String toString() {
    return "EtagPathHandle{" + path + ", ETag " + etag + "}";
  }
}
