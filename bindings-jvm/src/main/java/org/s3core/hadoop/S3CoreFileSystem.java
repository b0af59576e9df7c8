package org.s3core.hadoop;

import java.io.IOException;
import java.net.URI;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.CreateFlag;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.ParentNotDirectoryException;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.fs.statistics.StoreStatisticNames;
import org.apache.hadoop.security.UserGroupInformation;
import org.apache.hadoop.util.Progressable;

/**
 * Hadoop's FileSystem on a bucket of Ceph Radosgw or AWS S3: the value of {@code fs.s3a.impl}.
 *
 * <p>Options are those of S3A ({@code fs.s3a.*}, {@code fs.s3a.bucket.BUCKET.*}) and {@code fs.s3core.*}. Some of
 * S3A's are read on Hadoop's side only; docs/s3a.md lists them. Failures are the exceptions that
 * S3A throws in the same place. This class uses nothing that Hadoop 2.7 does not have, in no signature either; what Hadoop
 * makes of it on newer lines is a subclass that has more: see {@link FileSystemLayers}.
 */
public class S3CoreFileSystem extends BucketView {
  /** Scheme of the entry for Java's service loader: that of s3a stays whatever {@code fs.s3a.impl} says. */
  public static final String SCHEME = "s3core";

  static final String NO_APPEND = "S3 objects cannot be appended to";

  private static final String BLOCK_SIZE = "block.size";
  private static final long DEFAULT_BLOCK_SIZE = 32L << 20;
  private static final String DOWNGRADE_SYNC = "downgrade.syncable.exceptions";
  private static final String CREATE_PERFORMANCE = "create.performance";
  private static final String PERFORMANCE_FLAGS = "performance.flags";
  private static final String ETAG_CHECKSUM = "etag.checksum.enabled";
  private static final String LOCAL_COPY = "optimized.copy.from.local.enabled";

  static {
    DefaultResource.addForFileContext();
    FileSystemLayers.bind();
  }

  private long blockSize = DEFAULT_BLOCK_SIZE;
  private boolean downgradeSync = true;
  private boolean createsUnchecked;
  private boolean copiesLocalFiles = true;
  private Capabilities capabilities = new Capabilities();
  private Cleanup cleanup;

  /** Called by Hadoop; loads nothing native, since the service loader makes one instance in every job. */
  public S3CoreFileSystem() {
  }

  @Override
  public void initialize(URI name, Configuration conf) throws IOException {
    super.initialize(name, conf);
    setConf(conf);
    DefaultResource.addIfBound(conf, name.getScheme());
    String bucket = bucketOf(name);
    blockSize = conf.getLongBytes(keyFor(conf, bucket, BLOCK_SIZE), DEFAULT_BLOCK_SIZE);
    downgradeSync = conf.getBoolean(keyFor(conf, bucket, DOWNGRADE_SYNC), true);
    createsUnchecked = conf.getBoolean(keyFor(conf, bucket, CREATE_PERFORMANCE), false)
        || isFlagged(conf.getTrimmedStringCollection(keyFor(conf, bucket, PERFORMANCE_FLAGS)));
    boolean hasChecksums = conf.getBoolean(keyFor(conf, bucket, ETAG_CHECKSUM), false);
    copiesLocalFiles = conf.getBoolean(keyFor(conf, bucket, LOCAL_COPY), true);
    String owner = UserGroupInformation.getCurrentUser().getShortUserName();
    bind(URI.create(name.getScheme() + "://" + bucket), owner, blockSize, hasChecksums);

    NativeLibrary.load();
    String[] keysAndValues = StoreSettings.keysAndValues(conf, bucket);
    byte[][] trusted = Native.usesTls(bucket, keysAndValues) ? StoreSettings.trustedCertificates() : new byte[0][];
    long opened = Native.openStore(bucket, keysAndValues, trusted);
    serve(opened);
    // Not closeStore: a stream may be in use although nobody holds its FileSystem any more.
    cleanup = Cleanup.when(this, () -> Native.releaseStore(opened));
    capabilities = new Capabilities()
        .with("fs.capability.paths.checksums", hasChecksums)
        .with("fs.s3a.create.performance.enabled", createsUnchecked)
        .with("fs.s3a." + LOCAL_COPY, copiesLocalFiles)
        .with("fs.s3a.multiobjectdelete.enable", Native.deleteMaximum(opened) > 1);
  }

  private static boolean isFlagged(Collection<String> flags) {
    return flags.stream().anyMatch(flag -> flag.equals("*") || flag.equalsIgnoreCase("create"));
  }

  private static String bucketOf(URI name) throws IOException {
    // getHost() is null for names that are no host names, such as one with an underscore.
    String bucket = name.getAuthority();
    if (bucket == null || bucket.isEmpty()) {
      throw new IllegalArgumentException(name.getScheme() + " paths name a bucket: " + name.getScheme()
          + "://bucket/path, not " + name);
    }
    if (bucket.indexOf('@') >= 0) {
      throw new IllegalArgumentException("keys in the URI are not accepted, since URIs are logged: set "
          + "fs.s3a.access.key and fs.s3a.secret.key for the bucket of " + name.getScheme() + "://...@"
          + bucket.substring(bucket.lastIndexOf('@') + 1));
    }
    return bucket;
  }

  /** The key of an option for this bucket, where one is set, else the general one. */
  private static String keyFor(Configuration conf, String bucket, String option) {
    String key = "fs.s3a.bucket." + bucket + "." + option;
    return conf.get(key) == null ? "fs.s3a." + option : key;
  }

  @Deprecated
  @Override
  public long getDefaultBlockSize() {
    return blockSize;
  }

  @Override
  public FSDataInputStream open(Path path, int bufferSize) throws IOException {
    counts.add(StoreStatisticNames.OP_OPEN, 1);
    return open(path, new OpenRequest());
  }

  FSDataInputStream open(Path path, OpenRequest request) throws IOException {
    statistics.incrementReadOps(1);
    long reader = request.open(store(), key(path));
    return new FSDataInputStream(
        HadoopFeatures.inputStream(new OpenedFile(reader, path.toString(), statistics, counts)));
  }

  @Override
  public FSDataOutputStream create(Path path, FsPermission permission, boolean overwrite, int bufferSize,
      short replication, long blockSize, Progressable progress) throws IOException {
    counts.add(StoreStatisticNames.OP_CREATE, 1);
    return create(path, CreateRequest.of(overwrite).unchecked(createsUnchecked));
  }

  FSDataOutputStream create(Path path, CreateRequest request) throws IOException {
    statistics.incrementWriteOps(1);
    long writer = request.open(store(), key(path));
    return new FSDataOutputStream(
        HadoopFeatures.outputStream(new OpenedFile(writer, path.toString(), statistics, counts), downgradeSync),
        statistics);
  }

  /** The stream's file never appears, whoever closes it. */
  static void giveUp(FSDataOutputStream out) {
    ((S3CoreOutputStream) out.getWrappedStream()).giveUp();
  }

  /** Whether files are created without a look at what stands there ({@code fs.s3a.create.performance}). */
  boolean createsUnchecked() {
    return createsUnchecked;
  }

  @Deprecated
  @Override
  public FSDataOutputStream createNonRecursive(Path path, FsPermission permission, EnumSet<CreateFlag> flags,
      int bufferSize, short replication, long blockSize, Progressable progress) throws IOException {
    counts.add(StoreStatisticNames.OP_CREATE_NON_RECURSIVE, 1);
    if (flags.contains(CreateFlag.APPEND)) {
      throw new UnsupportedOperationException(path + ": " + NO_APPEND);
    }
    checkParent(path);
    return create(path, CreateRequest.of(flags.contains(CreateFlag.OVERWRITE)).unchecked(createsUnchecked));
  }

  /** Fails where nothing, or a file, stands above the path. */
  void checkParent(Path path) throws IOException {
    Path parent = path.getParent();
    if (parent != null && !getFileStatus(parent).isDirectory()) {
      throw new ParentNotDirectoryException(parent + " is a file");
    }
  }

  @Override
  public FSDataOutputStream append(Path path, int bufferSize, Progressable progress) {
    throw new UnsupportedOperationException(path + ": " + NO_APPEND);
  }

  @Override
  public boolean rename(Path from, Path to) throws IOException {
    counts.add(StoreStatisticNames.OP_RENAME, 1);
    statistics.incrementWriteOps(1);
    return Native.rename(store(), key(from), key(to));
  }

  @Override
  public boolean delete(Path path, boolean recursive) throws IOException {
    counts.add(StoreStatisticNames.OP_DELETE, 1);
    statistics.incrementWriteOps(1);
    return Native.delete(store(), key(path), recursive);
  }

  void countDeletion() {
    counts.add(StoreStatisticNames.OP_BULK_DELETE, 1);
    statistics.incrementWriteOps(1);
  }

  @Override
  public boolean mkdirs(Path path, FsPermission permission) throws IOException {
    counts.add(StoreStatisticNames.OP_MKDIRS, 1);
    statistics.incrementWriteOps(1);
    Native.makeDirectory(store(), key(path));
    return true;
  }

  /** Without a look at each place before it is written to, unless {@code fs.s3a.optimized.copy.from.local.enabled} is off. */
  @Override
  public void copyFromLocalFile(boolean deleteSource, boolean overwrite, Path source, Path target) throws IOException {
    if (!copiesLocalFiles) {
      super.copyFromLocalFile(deleteSource, overwrite, source, target);
      return;
    }
    counts.add(StoreStatisticNames.OP_COPY_FROM_LOCAL_FILE, 1);
    new LocalCopy(this).copy(deleteSource, overwrite, source, target);
  }

  /**
   * Whether something that Hadoop or S3A have a name for can be had (Hadoop 3.3 and newer ask).
   *
   * @param path a path of this file system
   * @param capability such as {@code fs.capability.etags.available}
   */
  public boolean hasPathCapability(Path path, String capability) throws IOException {
    key(path);
    String name = capability.toLowerCase(Locale.ROOT);
    if (capabilities.has(name)) {
      return true;
    }
    return HadoopFeatures.HAS_BUILDERS && !Capabilities.isImpossible(name) && super.hasPathCapability(path, capability);
  }

  /** Calls, streams and requests so far, under Hadoop's names. */
  final Map<String, Long> counted() {
    Map<String, Long> all = counts.snapshot();
    try {
      RequestNames.add(requests(), all);
    } catch (IOException e) {
      NativeLog.LOG.debug("The requests of {} are not known any more", getUri(), e);
    }
    return all;
  }

  /**
   * Where every option came from: option, value (secrets masked) and origin, such as
   * {@code fs.s3a.bucket.lake.endpoint}. Keys that mean nothing here follow with two empty strings.
   */
  public List<String[]> explain() throws IOException {
    return new Decoder(Native.explain(store())).table(3);
  }

  /**
   * What this file system has asked of the gateway so far, by the S3 name of the operation: requests, repeated
   * requests, operations that failed in the end, body bytes sent and received.
   */
  public Map<String, long[]> requests() throws IOException {
    return new Decoder(Native.statistics(store())).counts();
  }

  /** Native memory for buffers in bytes: the process's limit, what is in use now, and the most that ever was. */
  public long[] memory() {
    return Native.memory();
  }

  /** For committers; found by its name where they are of another class loader. */
  CommitCalls commitCalls() {
    return new StoreCommitCalls(this, store());
  }

  /**
   * Files that are being written are given up, as on HDFS: closing them later fails and nothing of them becomes
   * visible. Files that are being read cannot be read further.
   */
  @Override
  public void close() throws IOException {
    try {
      super.close();
    } finally {
      if (cleanup != null) {
        cleanup.cancel();
        cleanup = null;
        Native.closeStore(store());
      }
    }
  }

  @Override
  public String toString() {
    return "S3CoreFileSystem{" + getUri() + "}";
  }
}
