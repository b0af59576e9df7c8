package org.s3core.contract.since33;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.util.Collections;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.InvalidPathHandleException;
import org.apache.hadoop.fs.MultipartUploader;
import org.apache.hadoop.fs.Options.HandleOpt;
import org.apache.hadoop.fs.PartHandle;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathHandle;
import org.apache.hadoop.fs.RawPathHandle;
import org.apache.hadoop.fs.UploadHandle;
import org.junit.jupiter.api.Test;
import org.s3core.contract.FileSystemTest;

/** Handles of files that were replaced, which Hadoop's tests want to append to, and those of uploads. */
public class PathHandlesTest extends FileSystemTest {

  @Test
  public void aHandleNamesTheObjectOrThePlace() throws Exception {
    Path file = write("file", "before");
    PathHandle object = fileSystem.getPathHandle(fileSystem.getFileStatus(file), HandleOpt.exact());
    PathHandle place = fileSystem.getPathHandle(fileSystem.getFileStatus(file), HandleOpt.path());
    assertEquals("before", read(new RawPathHandle(object.bytes()), 6));
    write("file", "after!");
    assertThrows(InvalidPathHandleException.class, () -> read(object, 6));
    assertEquals("after!", read(place, 6));
    assertThrows(UnsupportedOperationException.class,
        () -> fileSystem.getPathHandle(fileSystem.getFileStatus(file), HandleOpt.content()));
  }

  @Test
  public void anUploadEndsInAHandle() throws Exception {
    Path file = path("file");
    try (FileSystem other = open(); MultipartUploader uploader = other.createMultipartUploader(directory).build()) {
      UploadHandle upload = uploader.startUpload(file).get();
      PartHandle part = put(uploader, upload, file);
      PathHandle handle = uploader.complete(upload, file, Collections.singletonMap(1, part)).get();
      assertEquals("text", read(handle, 4));
      write("file", "text!");
      assertThrows(InvalidPathHandleException.class, () -> read(handle, 4));
    }
  }

  /** Hadoop 3.4 has one argument more. */
  private static PartHandle put(MultipartUploader uploader, UploadHandle upload, Path file) throws Exception {
    for (java.lang.reflect.Method method : MultipartUploader.class.getMethods()) {
      if (method.getName().equals("putPart")) {
        ByteArrayInputStream in = new ByteArrayInputStream(bytes("text"));
        Object[] arguments = method.getParameterCount() == 5
            ? new Object[] {upload, 1, file, in, 4L} : new Object[] {upload, 1, true, file, in, 4L};
        return (PartHandle) ((java.util.concurrent.Future<?>) method.invoke(uploader, arguments)).get();
      }
    }
    throw new AssertionError("MultipartUploader has no putPart");
  }

  private String read(PathHandle handle, int length) throws Exception {
    byte[] content = new byte[length];
    try (FSDataInputStream in = fileSystem.open(handle)) {
      in.readFully(content);
    }
    return text(content);
  }
}
