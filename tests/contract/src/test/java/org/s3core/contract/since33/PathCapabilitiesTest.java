package org.s3core.contract.since33;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.s3core.contract.FileSystemTest;

/** What callers may rely on before they try. */
public class PathCapabilitiesTest extends FileSystemTest {

  @ParameterizedTest
  @ValueSource(strings = {"fs.capability.etags.available", "fs.capability.multipart.uploader",
      "fs.capability.outputstream.abortable", "fs.capability.virtual.block.locations",
      "fs.capability.iocontext.supported", "fs.option.create.conditional.overwrite",
      "fs.option.create.conditional.overwrite.etag", "fs.option.create.content.type", "fs.option.create.in.close",
      "fs.s3a.capability.directory.marker.aware", "fs.s3a.capability.directory.marker.policy.keep",
      "fs.s3a.capability.directory.marker.action.keep", "fs.s3a.capability.multipart.uploads.enabled",
      "fs.s3a.create.header", "fs.s3a.create.performance", "fs.s3a.multiobjectdelete.enable",
      "fs.s3a.input.stream.type.classic"})
  public void whatS3AHasIsThere(String capability) throws Exception {
    assertTrue(fileSystem.hasPathCapability(directory, capability));
  }

  @ParameterizedTest
  @ValueSource(strings = {"fs.capability.paths.append", "fs.capability.paths.concat", "fs.capability.paths.permissions",
      "fs.capability.paths.symlinks", "fs.capability.etags.preserved.in.rename", "fs.capability.paths.checksums",
      "fs.s3a.capability.magic.committer", "fs.s3a.create.performance.enabled"})
  public void whatIsNotThereIsNotPromised(String capability) throws Exception {
    assertFalse(fileSystem.hasPathCapability(directory, capability));
  }

  @Test
  public void someFollowFromTheConfiguration() throws Exception {
    try (FileSystem other = open("fs.s3a.etag.checksum.enabled", "true", "fs.s3a.multiobjectdelete.enable", "false",
        "fs.s3a.create.performance", "true")) {
      assertTrue(other.hasPathCapability(directory, "fs.capability.paths.checksums"));
      assertTrue(other.hasPathCapability(directory, "fs.s3a.create.performance.enabled"));
      assertEquals(false, other.hasPathCapability(directory, "fs.s3a.multiobjectdelete.enable"));
    }
  }
}
