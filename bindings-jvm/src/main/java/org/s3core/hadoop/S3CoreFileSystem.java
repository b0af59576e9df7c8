package org.s3core.hadoop;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.BlockLocation;
import org.apache.hadoop.fs.CreateFlag;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.ParentNotDirectoryException;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathFilter;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.security.UserGroupInformation;
import org.apache.hadoop.util.Progressable;

/**
 * Hadoop's FileSystem on a bucket of Ceph Radosgw or AWS S3: the value of {@code fs.s3a.impl}.
 *
 * <p>Options are those of S3A ({@code fs.s3a.*}, {@code fs.s3a.bucket.BUCKET.*}) and {@code fs.s3core.*}. Three more of
 * S3A's are read on Hadoop's side only: {@code block.size} (of the splits that jobs make),
 * {@code downgrade.syncable.exceptions} and {@code security.credential.provider.path}. Failures are the exceptions that
 * S3A throws in the same place. This class uses nothing that Hadoop 2.7 does not have.
 */
public class S3CoreFileSystem extends FileSystem {
  /** Scheme of the entry for Java's service loader: that of s3a stays whatever {@code fs.s3a.impl} says. */
  public static final String SCHEME = "s3core";

  private static final String BLOCK_SIZE = "block.size";
  private static final long DEFAULT_BLOCK_SIZE = 32L << 20;
  private static final String DOWNGRADE_SYNC = "downgrade.syncable.exceptions";
  private static final String NO_APPEND = "S3 objects cannot be appended to";
  private static final String ETAGS_AVAILABLE = "fs.capability.etags.available";

  static {
    DefaultResource.addForFileContext();
  }

  private URI uri;
  private String scheme = SCHEME;
  private Path workingDirectory;
  private long blockSize = DEFAULT_BLOCK_SIZE;
  private boolean downgradeSync = true;
  private Statuses statuses;
  private long store;
  private Cleanup cleanup;

  /** Called by Hadoop; loads nothing native, since the service loader makes one instance in every job. */
  public S3CoreFileSystem() {
  }

  @Override
  public void initialize(URI name, Configuration conf) throws IOException {
    super.initialize(name, conf);
    setConf(conf);
    scheme = name.getScheme();
    DefaultResource.addIfBound(conf, scheme);
    String bucket = bucketOf(name);
    uri = URI.create(scheme + "://" + bucket);
    String owner = UserGroupInformation.getCurrentUser().getShortUserName();
    workingDirectory = new Path(scheme, bucket, "/user/" + owner);
    blockSize = conf.getLongBytes(keyFor(conf, bucket, BLOCK_SIZE), DEFAULT_BLOCK_SIZE);
    downgradeSync = conf.getBoolean(keyFor(conf, bucket, DOWNGRADE_SYNC), true);
    statuses = new Statuses(scheme, bucket, owner, blockSize);

    NativeLibrary.load();
    String[] keysAndValues = StoreSettings.keysAndValues(conf, bucket);
    byte[][] trusted = Native.usesTls(bucket, keysAndValues) ? StoreSettings.trustedCertificates() : new byte[0][];
    long opened = Native.openStore(bucket, keysAndValues, trusted);
    store = opened;
    // Not closeStore: a stream may be in use although nobody holds its FileSystem any more.
    cleanup = Cleanup.when(this, () -> Native.releaseStore(opened));
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

  @Override
  public String getScheme() {
    return scheme;
  }

  @Override
  public URI getUri() {
    return uri;
  }

  /** Null: there are no delegation tokens, and Hadoop need not look for the bucket's address. */
  @Override
  public String getCanonicalServiceName() {
    return null;
  }

  /** A bucket has no port. */
  @Override
  public int getDefaultPort() {
    return -1;
  }

  @Override
  public Path getWorkingDirectory() {
    return workingDirectory;
  }

  @Override
  public void setWorkingDirectory(Path directory) {
    workingDirectory = directory.isAbsolute() ? makeQualified(directory) : new Path(workingDirectory, directory);
  }

  @Deprecated
  @Override
  public long getDefaultBlockSize() {
    return blockSize;
  }

  @Override
  public FSDataInputStream open(Path path, int bufferSize) throws IOException {
    statistics.incrementReadOps(1);
    long reader = Native.openReader(store, key(path), -1, null);
    return new FSDataInputStream(HadoopFeatures.inputStream(reader, path.toString(), statistics));
  }

  @Override
  public FSDataOutputStream create(Path path, FsPermission permission, boolean overwrite, int bufferSize,
      short replication, long blockSize, Progressable progress) throws IOException {
    statistics.incrementWriteOps(1);
    long writer = Native.openWriter(store, key(path), overwrite);
    return new FSDataOutputStream(new S3CoreOutputStream(writer, path.toString(), downgradeSync), statistics);
  }

  @Deprecated
  @Override
  public FSDataOutputStream createNonRecursive(Path path, FsPermission permission, EnumSet<CreateFlag> flags,
      int bufferSize, short replication, long blockSize, Progressable progress) throws IOException {
    if (flags.contains(CreateFlag.APPEND)) {
      throw new UnsupportedOperationException(path + ": " + NO_APPEND);
    }
    Path parent = path.getParent();
    if (parent != null && !getFileStatus(parent).isDirectory()) {
      throw new ParentNotDirectoryException(parent + " is a file");
    }
    return create(path, permission, flags.contains(CreateFlag.OVERWRITE), bufferSize, replication, blockSize,
        progress);
  }

  @Override
  public FSDataOutputStream append(Path path, int bufferSize, Progressable progress) {
    throw new UnsupportedOperationException(path + ": " + NO_APPEND);
  }

  @Override
  public boolean rename(Path from, Path to) throws IOException {
    statistics.incrementWriteOps(1);
    return Native.rename(store, key(from), key(to));
  }

  @Override
  public boolean delete(Path path, boolean recursive) throws IOException {
    statistics.incrementWriteOps(1);
    return Native.delete(store, key(path), recursive);
  }

  @Override
  public boolean mkdirs(Path path, FsPermission permission) throws IOException {
    statistics.incrementWriteOps(1);
    Native.makeDirectory(store, key(path));
    return true;
  }

  @Override
  public FileStatus getFileStatus(Path path) throws IOException {
    statistics.incrementReadOps(1);
    return statuses.of(new Decoder(Native.status(store, key(path))).entries().get(0));
  }

  @Override
  public FileStatus[] listStatus(Path path) throws FileNotFoundException, IOException {
    List<FileStatus> all = new ArrayList<>();
    try (ListingIterator entries = list(path, false)) {
      while (entries.hasNext()) {
        all.add(statuses.of(entries.next()));
      }
    }
    return all.toArray(new FileStatus[0]);
  }

  /** One page at a time, so that a large directory needs little memory. */
  @Override
  public RemoteIterator<FileStatus> listStatusIterator(Path path) throws FileNotFoundException, IOException {
    return MappedIterator.of(list(path, false), statuses::of);
  }

  @Override
  protected RemoteIterator<LocatedFileStatus> listLocatedStatus(Path path, PathFilter filter)
      throws FileNotFoundException, IOException {
    return MappedIterator.of(list(path, false), entry -> {
      FileStatus status = statuses.of(entry);
      return filter.accept(status.getPath()) ? located(status) : null;
    });
  }

  /** A recursive listing is one flat listing of keys rather than one per directory. */
  @Override
  public RemoteIterator<LocatedFileStatus> listFiles(Path path, boolean recursive)
      throws FileNotFoundException, IOException {
    return MappedIterator.of(list(path, recursive), entry -> entry.isDirectory ? null : located(statuses.of(entry)));
  }

  /**
   * Whether something that Hadoop has a name for can be had (Hadoop 3.3 and newer ask).
   *
   * @param path a path of this file system
   * @param capability such as {@code fs.capability.etags.available}
   */
  public boolean hasPathCapability(Path path, String capability) throws IOException {
    switch (capability.toLowerCase(Locale.ROOT)) {
      case ETAGS_AVAILABLE:
        return Statuses.HAVE_ETAGS;
      case "fs.capability.paths.append":
      case "fs.capability.paths.concat":
      case "fs.capability.paths.permissions":
      case "fs.capability.paths.symlinks":
        return false;
      default:
        return super.hasPathCapability(path, capability);
    }
  }

  /**
   * Where every option came from: option, value (secrets masked) and origin, such as
   * {@code fs.s3a.bucket.lake.endpoint}. Keys that mean nothing here follow with two empty strings.
   */
  public List<String[]> explain() throws IOException {
    return new Decoder(Native.explain(store)).table(3);
  }

  /**
   * What this file system has asked of the gateway so far, by the S3 name of the operation: requests, repeated
   * requests, operations that failed in the end, body bytes sent and received.
   */
  public Map<String, long[]> requests() throws IOException {
    return new Decoder(Native.statistics(store)).counts();
  }

  /** Native memory for buffers in bytes: the process's limit, what is in use now, and the most that ever was. */
  public long[] memory() {
    return Native.memory();
  }

  /** For committers; found by its name where they are of another class loader. */
  CommitCalls commitCalls() {
    return new StoreCommitCalls(this, store);
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
        Native.closeStore(store);
      }
    }
  }

  @Override
  public String toString() {
    return "S3CoreFileSystem{" + uri + "}";
  }

  private LocatedFileStatus located(FileStatus status) throws IOException {
    BlockLocation[] locations =
        status.isDirectory() ? null : getFileBlockLocations(status, 0, status.getLen());
    return statuses.located(status, locations);
  }

  private ListingIterator list(Path path, boolean recursive) throws IOException {
    statistics.incrementReadOps(1);
    return ListingIterator.open(store, key(path), recursive);
  }

  /** The key that a path of this file system stands for. */
  private String key(Path path) {
    checkPath(path);
    Path absolute = path.isAbsolute() ? path : new Path(workingDirectory, path);
    String key = absolute.toUri().getPath();
    return key.startsWith("/") ? key.substring(1) : key;
  }
}
