package org.s3core.contract.junit4;

import static org.junit.Assert.assertEquals;

import java.net.URI;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.TestFileContext;
import org.junit.Test;
import org.s3core.contract.S3CoreContract;

/** FileContext on the schemes that older Hadoops have for S3. */
public class TestFileContextScheme extends TestFileContext {

  @Test
  public void testScheme() throws Exception {
    for (String scheme : new String[] {"s3", "s3n"}) {
      Configuration configuration = S3CoreContract.configure(new Configuration());
      configuration.set("fs.AbstractFileSystem." + scheme + ".impl", "org.s3core.hadoop.S3Core");
      URI uri = URI.create(scheme + "://" + S3CoreContract.bucket().getHost() + "/path");
      FileContext context = FileContext.getFileContext(uri, configuration);
      assertEquals(scheme, context.getDefaultFileSystem().getUri().getScheme());
      assertEquals(scheme, context.makeQualified(new Path("tmp/path")).toUri().getScheme());
    }
  }
}
