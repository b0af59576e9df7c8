package org.s3core.hadoop;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.statistics.StoreStatisticNames;

/** What Hadoop calls the requests that core counts by their S3 names. The names are compiled in. */
final class RequestNames {
  private static final Map<String, List<String>> NAMES = new HashMap<>();

  static {
    names("GetObject", StoreStatisticNames.ACTION_HTTP_GET_REQUEST);
    names("HeadObject", StoreStatisticNames.ACTION_HTTP_HEAD_REQUEST, StoreStatisticNames.OBJECT_METADATA_REQUESTS);
    names("ListObjectsV2", StoreStatisticNames.OBJECT_LIST_REQUEST);
    names("PutObject", StoreStatisticNames.ACTION_HTTP_PUT_REQUEST, StoreStatisticNames.OBJECT_PUT_REQUEST);
    names("UploadPart", StoreStatisticNames.ACTION_HTTP_PUT_REQUEST, StoreStatisticNames.MULTIPART_UPLOAD_PART_PUT);
    names("CopyObject", StoreStatisticNames.OBJECT_COPY_REQUESTS);
    names("UploadPartCopy", StoreStatisticNames.OBJECT_COPY_REQUESTS);
    names("DeleteObject", StoreStatisticNames.ACTION_HTTP_DELETE_REQUEST, StoreStatisticNames.OBJECT_DELETE_REQUEST);
    names("DeleteObjects", StoreStatisticNames.OBJECT_BULK_DELETE_REQUEST);
    names("CreateMultipartUpload", StoreStatisticNames.OBJECT_MULTIPART_UPLOAD_INITIATED);
    names("CompleteMultipartUpload", StoreStatisticNames.MULTIPART_UPLOAD_COMPLETED);
    names("AbortMultipartUpload", StoreStatisticNames.OBJECT_MULTIPART_UPLOAD_ABORTED);
    names("ListMultipartUploads", StoreStatisticNames.OBJECT_MULTIPART_UPLOAD_LIST);
  }

  private RequestNames() {
  }

  private static void names(String operation, String... names) {
    NAMES.put(operation, Arrays.asList(names));
  }

  /**
   * Adds to {@code counts} what {@code requests} says of each operation: requests, repeated ones, failures, bytes sent and
   * bytes received.
   */
  static void add(Map<String, long[]> requests, Map<String, Long> counts) {
    requests.forEach((operation, numbers) -> {
      for (String name : NAMES.getOrDefault(operation, Collections.emptyList())) {
        counts.merge(name, numbers[0], Long::sum);
      }
      counts.merge(StoreStatisticNames.STORE_IO_REQUEST, numbers[0], Long::sum);
      counts.merge(StoreStatisticNames.STORE_IO_RETRY, numbers[1], Long::sum);
      if (operation.equals("PutObject") || operation.equals("UploadPart")) {
        counts.merge(StoreStatisticNames.OBJECT_PUT_BYTES, numbers[3], Long::sum);
      }
    });
  }
}
