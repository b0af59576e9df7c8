package org.s3core.hadoop;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/**
 * What paths can do, under Hadoop's and S3A's names. Those that S3A answers and that are missing here are false: its magic
 * committer, the AWS SDK, S3 Express, access grants, deletion of markers.
 */
final class Capabilities {
  private static final Set<String> ALWAYS = new HashSet<>(Arrays.asList(
      "fs.capability.virtual.block.locations",
      "fs.s3a.capability.directory.marker.action.keep",
      "fs.s3a.capability.directory.marker.aware",
      "fs.s3a.capability.directory.marker.policy.keep",
      "fs.s3a.capability.multipart.uploads.enabled",
      // Vectored reads in parallel, unbuffer() and no cache: what S3A means by its classic stream.
      "fs.s3a.input.stream.type.classic"));
  private static final Set<String> OF_BUILDERS = new HashSet<>(Arrays.asList(
      "fs.capability.multipart.uploader",
      "fs.capability.outputstream.abortable",
      "fs.option.create.conditional.overwrite",
      "fs.option.create.conditional.overwrite.etag",
      "fs.option.create.content.type",
      "fs.option.create.in.close",
      "fs.s3a.create.conditional.enabled",
      "fs.s3a.create.header",
      "fs.s3a.create.performance",
      "fs.capability.paths.pathhandles"));
  /** What S3 does not have, whatever Hadoop's base class says. */
  private static final Set<String> NEVER = new HashSet<>(Arrays.asList(
      "fs.capability.paths.append",
      "fs.capability.paths.concat",
      "fs.capability.paths.permissions",
      "fs.capability.paths.symlinks"));

  private final Set<String> configured = new HashSet<>();

  /** Settles one that depends on the configuration. */
  Capabilities with(String capability, boolean isThere) {
    if (isThere) {
      configured.add(capability);
    }
    return this;
  }

  boolean has(String capability) {
    switch (capability) {
      case "fs.capability.etags.available":
        return Statuses.HAVE_ETAGS;
      case "fs.capability.bulk.delete":
        return HadoopFeatures.HAS_BULK_DELETE;
      case "fs.capability.iocontext.supported":
        return HadoopFeatures.HAS_BUILDERS && ThreadStatistics.ARE_KNOWN;
      default:
        return ALWAYS.contains(capability) || configured.contains(capability)
            || HadoopFeatures.HAS_BUILDERS && OF_BUILDERS.contains(capability);
    }
  }

  static boolean isImpossible(String capability) {
    return NEVER.contains(capability);
  }
}
