package org.s3core.hadoop;

import java.io.IOException;
import java.util.AbstractMap;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.BulkDelete;
import org.apache.hadoop.fs.Path;

/** Removes many files in one request; directories stay as they are. Loaded on Hadoop 3.4.1 and newer only. */
final class BucketBulkDelete implements BulkDelete {
  private final S3CoreFileSystem fileSystem;
  private final Path base;
  private final int pageSize;

  private BucketBulkDelete(S3CoreFileSystem fileSystem, Path base) throws IOException {
    this.fileSystem = fileSystem;
    this.base = fileSystem.makeQualified(base);
    this.pageSize = Native.deleteMaximum(fileSystem.store());
  }

  static BulkDelete of(S3CoreFileSystem fileSystem, Path base) throws IOException {
    return new BucketBulkDelete(fileSystem, base);
  }

  @Override
  public int pageSize() {
    return pageSize;
  }

  @Override
  public Path basePath() {
    return base;
  }

  /** Those that are still there, each with the reason. A file that is not there counts as removed. */
  @Override
  public List<Map.Entry<Path, String>> bulkDelete(Collection<Path> paths) throws IOException {
    if (paths.size() > pageSize) {
      throw new IllegalArgumentException(
          base + ": " + paths.size() + " files are more than one call removes, " + pageSize + " (fs.s3a.bulk.delete.page.size)");
    }
    Map<String, Path> byKey = new HashMap<>();
    for (Path path : paths) {
      if (!path.isAbsolute() || !isBelow(fileSystem.makeQualified(path))) {
        throw new IllegalArgumentException(path + " is no absolute path below " + base);
      }
      byKey.put(fileSystem.key(path), path);
    }
    fileSystem.countDeletion();
    List<Map.Entry<Path, String>> left = new ArrayList<>();
    byte[] failures = Native.deleteFiles(fileSystem.store(), byKey.keySet().toArray(new String[0]));
    for (String[] failure : new Decoder(failures).table(2)) {
      left.add(new AbstractMap.SimpleImmutableEntry<>(byKey.get(failure[0]), failure[1]));
    }
    return left;
  }

  private boolean isBelow(Path path) {
    for (Path above = path; above != null; above = above.getParent()) {
      if (above.equals(base)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void close() {
  }
}
