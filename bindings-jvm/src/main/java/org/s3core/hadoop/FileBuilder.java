package org.s3core.hadoop;

import java.io.IOException;
import java.util.EnumSet;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.CreateFlag;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathIOException;

/** What {@code createFile()} gives. Loaded on Hadoop 3.3.1 and newer only. */
final class FileBuilder extends FSDataOutputStreamBuilder<FSDataOutputStream, FileBuilder> {
  private final S3CoreFileSystem fileSystem;
  private final Path target;

  private FileBuilder(S3CoreFileSystem fileSystem, Path path) {
    super(fileSystem, path);
    this.fileSystem = fileSystem;
    this.target = path;
  }

  /** Overwrites where nothing else is said, as S3A's does. */
  static FSDataOutputStreamBuilder<?, ?> of(S3CoreFileSystem fileSystem, Path path) {
    return new FileBuilder(fileSystem, path).create().overwrite(true);
  }

  @Override
  public FileBuilder getThisBuilder() {
    return this;
  }

  @Override
  public FSDataOutputStream build() throws IOException {
    BuilderOptions.checkCreate(target, getMandatoryKeys());
    EnumSet<CreateFlag> flags = getFlags();
    if (flags.contains(CreateFlag.APPEND)) {
      throw new UnsupportedOperationException(target + ": " + S3CoreFileSystem.NO_APPEND);
    }
    if (!flags.contains(CreateFlag.CREATE) && !flags.contains(CreateFlag.OVERWRITE)) {
      throw new PathIOException(target.toString(), "neither create() nor overwrite(true) was called");
    }
    Configuration options = getOptions();
    CreateRequest request = request(options, flags.contains(CreateFlag.OVERWRITE));
    boolean isFast = options.getBoolean(BuilderOptions.CREATE_PERFORMANCE, fileSystem.createsUnchecked());
    request.unchecked(isFast)
        .asUpload(options.getBoolean(BuilderOptions.CREATE_MULTIPART, false))
        .contentType(options.get(BuilderOptions.CREATE_CONTENT_TYPE));
    String header = BuilderOptions.CREATE_HEADER + ".";
    for (Map.Entry<String, String> option : options) {
      if (option.getKey().startsWith(header) && option.getKey().length() > header.length()) {
        request.metadata(option.getKey().substring(header.length()), option.getValue());
      }
    }
    if (!isRecursive() && !isFast) {
      fileSystem.checkParent(target);
    }
    return fileSystem.create(target, request);
  }

  private CreateRequest request(Configuration options, boolean overwrite) {
    String etag = options.get(BuilderOptions.CONDITIONAL_OVERWRITE_ETAG);
    if (etag != null) {
      if (etag.isEmpty()) {
        throw new IllegalArgumentException(target + ": " + BuilderOptions.CONDITIONAL_OVERWRITE_ETAG + " is empty");
      }
      return CreateRequest.replacing(etag);
    }
    if (options.getBoolean(BuilderOptions.CONDITIONAL_OVERWRITE, false)) {
      return CreateRequest.exclusive(getMandatoryKeys().contains(BuilderOptions.CONDITIONAL_OVERWRITE));
    }
    return CreateRequest.of(overwrite);
  }
}
