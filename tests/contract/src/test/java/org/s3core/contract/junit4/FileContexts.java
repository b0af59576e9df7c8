package org.s3core.contract.junit4;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileContext;
import org.s3core.contract.S3CoreContract;

/** FileContext on the bucket of this run: nothing names our AbstractFileSystem, as with a user. */
final class FileContexts {
  private FileContexts() {
  }

  static FileContext open() throws IOException {
    return FileContext.getFileContext(S3CoreContract.bucket(), S3CoreContract.configure(new Configuration()));
  }
}
