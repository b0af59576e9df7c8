package org.s3core.hadoop;

import org.apache.hadoop.fs.MultipartUploader;
import org.apache.hadoop.fs.MultipartUploaderBuilder;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.impl.MultipartUploaderBuilderImpl;

/** What {@code createMultipartUploader()} gives. Loaded on Hadoop 3.3.1 and newer only. */
final class UploaderBuilder extends MultipartUploaderBuilderImpl<Uploader, UploaderBuilder> {
  private final S3CoreFileSystem fileSystem;
  private final Path base;

  private UploaderBuilder(S3CoreFileSystem fileSystem, Path base) {
    super(fileSystem, base);
    this.fileSystem = fileSystem;
    this.base = base;
  }

  static MultipartUploaderBuilder<? extends MultipartUploader, ?> of(S3CoreFileSystem fileSystem, Path base) {
    return new UploaderBuilder(fileSystem, base);
  }

  @Override
  public UploaderBuilder getThisBuilder() {
    return this;
  }

  @Override
  public Uploader build() {
    return new Uploader(fileSystem, base);
  }
}
