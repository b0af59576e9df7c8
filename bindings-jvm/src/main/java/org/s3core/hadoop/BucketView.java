package org.s3core.hadoop;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.BlockLocation;
import org.apache.hadoop.fs.ContentSummary;
import org.apache.hadoop.fs.FileChecksum;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathFilter;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.fs.statistics.StoreStatisticNames;

/** What a bucket is asked without changing it: statuses, listings, attributes. Uses nothing that Hadoop 2.7 does not have. */
abstract class BucketView extends FileSystem {
  /** Of calls, and of streams that were closed. */
  final Counts counts = new Counts();

  private URI uri;
  private Path workingDirectory;
  private Statuses statuses;
  private boolean hasChecksums;
  private long store;

  /** {@code blockSize}: see {@link Statuses}; {@code hasChecksums}: whether ETags are answered as checksums. */
  final void bind(URI bucket, String owner, long blockSize, boolean hasChecksums) {
    this.uri = bucket;
    this.workingDirectory = new Path(bucket.getScheme(), bucket.getAuthority(), "/user/" + owner);
    this.statuses = new Statuses(bucket.getScheme(), bucket.getAuthority(), owner, blockSize);
    this.hasChecksums = hasChecksums;
  }

  /** {@code store}: the id of a native store, which the subclass closes. */
  final void serve(long store) {
    this.store = store;
  }

  @Override
  public String getScheme() {
    return uri == null ? S3CoreFileSystem.SCHEME : uri.getScheme();
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

  @Override
  public FileStatus getFileStatus(Path path) throws IOException {
    counts.add(StoreStatisticNames.OP_GET_FILE_STATUS, 1);
    statistics.incrementReadOps(1);
    return statuses.of(new Decoder(Native.status(store, key(path))).entries().get(0));
  }

  @Override
  public FileStatus[] listStatus(Path path) throws FileNotFoundException, IOException {
    counts.add(StoreStatisticNames.OP_LIST_STATUS, 1);
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
    counts.add(StoreStatisticNames.OP_LIST_STATUS, 1);
    return MappedIterator.of(list(path, false), statuses::of);
  }

  @Override
  protected RemoteIterator<LocatedFileStatus> listLocatedStatus(Path path, PathFilter filter)
      throws FileNotFoundException, IOException {
    counts.add(StoreStatisticNames.OP_LIST_LOCATED_STATUS, 1);
    return MappedIterator.of(list(path, false), entry -> {
      FileStatus status = statuses.of(entry);
      return filter.accept(status.getPath()) ? located(status) : null;
    });
  }

  /** A recursive listing is one flat listing of keys rather than one per directory. */
  @Override
  public RemoteIterator<LocatedFileStatus> listFiles(Path path, boolean recursive)
      throws FileNotFoundException, IOException {
    counts.add(StoreStatisticNames.OP_LIST_FILES, 1);
    return MappedIterator.of(list(path, recursive), entry -> entry.isDirectory ? null : located(statuses.of(entry)));
  }

  /** One flat listing, however deep the tree. */
  @SuppressWarnings("deprecation")   // the builder is not there in 2.7
  @Override
  public ContentSummary getContentSummary(Path path) throws IOException {
    counts.add(StoreStatisticNames.OP_GET_CONTENT_SUMMARY, 1);
    statistics.incrementReadOps(1);
    long[] summary = Native.summary(store, key(path));
    return new ContentSummary(summary[2], summary[0], summary[1]);
  }

  /** The ETag where {@code fs.s3a.etag.checksum.enabled} is on, else null. */
  @Override
  public FileChecksum getFileChecksum(Path path, long length) throws IOException {
    if (length < 0) {
      throw new IllegalArgumentException(path + ": negative length " + length);
    }
    if (!hasChecksums) {
      return null;
    }
    counts.add(StoreStatisticNames.OP_GET_FILE_CHECKSUM, 1);
    statistics.incrementReadOps(1);
    Decoder.Entry file = new Decoder(Native.status(store, key(path))).entries().get(0);
    if (file.etag == null) {
      throw new FileNotFoundException(path + " is a directory, which has no checksum");
    }
    return new EtagChecksum(file.etag);
  }

  /** Headers of the object as {@code header.Content-Type} and so on, user metadata as {@code header.NAME}. */
  @Override
  public Map<String, byte[]> getXAttrs(Path path) throws IOException {
    counts.add(StoreStatisticNames.OP_XATTR_GET_MAP, 1);
    statistics.incrementReadOps(1);
    return Attributes.of(store, key(path));
  }

  @Override
  public Map<String, byte[]> getXAttrs(Path path, List<String> names) throws IOException {
    Map<String, byte[]> attributes = getXAttrs(path);
    attributes.keySet().retainAll(names);
    return attributes;
  }

  /** Null where there is none of that name. */
  @Override
  public byte[] getXAttr(Path path, String name) throws IOException {
    return getXAttrs(path).get(name);
  }

  @Override
  public List<String> listXAttrs(Path path) throws IOException {
    return new ArrayList<>(getXAttrs(path).keySet());
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

  /** The id of the native store. */
  final long store() {
    return store;
  }

  /** The key that a path of this file system stands for. */
  final String key(Path path) {
    checkPath(path);
    Path absolute = path.isAbsolute() ? path : new Path(workingDirectory, path);
    String key = absolute.toUri().getPath();
    return key.startsWith("/") ? key.substring(1) : key;
  }
}
