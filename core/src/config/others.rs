//! Options of S3A that no row of the table reads, and what becomes of each: S3A's users bring them along.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use Does::{Nothing, ReadByTheJar, Refused};

use crate::{Error, ErrorKind, Result};

use super::sources::Resolver;

/// An option of S3A that [`table`](super::table) has no row for.
#[derive(Debug, Clone, Copy)]
pub struct Other {
    /// Its name without `fs.s3a.`; one that ends in a dot stands for all that begin so.
    pub name: &'static str,
    /// What becomes of it.
    pub does: Does,
    /// Why, for the documentation and for `s3core doctor`.
    pub remark: &'static str,
}

/// What becomes of an option that no row reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// The jar reads it out of Hadoop's configuration.
    ReadByTheJar,
    /// Nothing: there is no such part here, or it needs no setting.
    Nothing,
    /// Another value than these is an error: what it asks for is left out, and leaving it out in silence would do harm.
    Refused {
        /// Values that ask for nothing, in lower case.
        unless: &'static [&'static str],
    },
}

/// A key of `fs.s3a.` that was given and that no row reads.
#[derive(Debug, Clone)]
pub struct Foreign {
    /// The whole key, `fs.s3a.bucket.lake.threads.max`.
    pub key: String,
    /// What it is to S3A; `None` where no release knows it.
    pub other: Option<&'static Other>,
    /// What becomes of it, or what was probably meant.
    pub remark: String,
    /// The key that was probably meant, where no release knows this one.
    pub meant: Option<String>,
}

impl Other {
    /// The one that `name`, without `fs.s3a.`, is.
    pub(super) fn of(name: &str) -> Option<&'static Self> {
        OTHERS.iter().find(|other| match other.name.strip_suffix('.') {
            Some(start) => name.strip_prefix(start).is_some_and(|rest| rest.starts_with('.')),
            None => other.name == name,
        })
    }
}

/// Says once in a process which keys are probably slips of the pen: they have no effect, and that is easily overlooked.
pub(crate) fn warn_of_slips(foreign: &[Foreign]) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if let Some(line) = new_slips(foreign, &mut SAID.lock().unwrap_or_else(PoisonError::into_inner)) {
        tracing::warn!("{line}");
    }
}

/// One line about the slips that are not in `said` yet, which has them then.
fn new_slips(foreign: &[Foreign], said: &mut BTreeSet<String>) -> Option<String> {
    let slips = foreign.iter().filter_map(|one| Some((&one.key, one.meant.as_ref()?)));
    let new = slips.filter(|(key, _)| said.insert((*key).clone()));
    let new: Vec<_> = new.map(|(key, meant)| format!("{key} (did you mean {meant}?)")).collect();
    (!new.is_empty())
        .then(|| format!("these keys are no options of S3A or s3core and have no effect: {}", new.join(", ")))
}

/// # Errors
/// `Unsupported` for an option that asks for what is left out.
pub(super) fn refuse(resolver: &Resolver<'_>) -> Result<()> {
    for other in OTHERS {
        let Refused { unless } = other.does else { continue };
        let Some((key, value)) = resolver.of_s3a(other.name) else { continue };
        let value = value.trim().to_lowercase();
        if !value.is_empty() && !unless.contains(&value.as_str()) {
            return Err(Error::new(ErrorKind::Unsupported, format!("{key}: {}", other.remark)));
        }
    }
    Ok(())
}

const fn jar(name: &'static str, remark: &'static str) -> Other {
    Other { name, does: ReadByTheJar, remark }
}

const fn nothing(name: &'static str, remark: &'static str) -> Other {
    Other { name, does: Nothing, remark }
}

const fn refused(name: &'static str, unless: &'static [&'static str], remark: &'static str) -> Other {
    Other { name, does: Refused { unless }, remark }
}

const FALSE: &[&str] = &["false"];
const NO_STORE: &[&str] = &[
    "org.apache.hadoop.fs.s3a.s3guard.nullmetadatastore",
    // S3A 3.3.6 and later pass it over as well.
    "org.apache.hadoop.fs.s3a.s3guard.localmetadatastore",
];

const THREADS: &str = "one runtime serves every file; connection.maximum limits what is under way";
const RETRIES: &str = "retry.patience, retry.first.contact and attempts.maximum say how long is tried";
const STREAM: &str = "one kind of stream reads ahead of sequential readers and fetches ranges for others";
const COMMITTER: &str = "the jar's committers need no setting: no renames, no staging directory, no magic paths";
const CHANGES: &str = "every read demands the ETag that the file had when it was opened";
const CHECKSUMS: &str = "every upload carries a digest that the gateway checks";
const GUARD: &str = "it belongs to S3Guard, which Hadoop has removed as well";
const SELECT: &str = "it belongs to S3 Select, which Hadoop has removed as well";
const CLASSES: &str = "classes of S3A and of the AWS SDKs are never loaded";
const CLIENT_ENCRYPTION: &str = "it belongs to encryption in the client, which is left out on purpose";
const FAILURES: &str = "it lets tests of S3A fail on purpose; the embedded endpoint has faults for that";

/// Every one, by name.
pub const OTHERS: &[Other] = &[
    refused(
        "access.grants.enabled",
        FALSE,
        "S3 Access Grants are left out on purpose: a service of Amazon's alone. Remove it and use keys or a role",
    ),
    nothing("access.grants.fallback.to.iam", "it belongs to S3 Access Grants, which are left out on purpose"),
    refused(
        "accesspoint.arn",
        &[],
        "access points are left out on purpose: a service of Amazon's alone. Remove it and name the bucket itself",
    ),
    refused(
        "accesspoint.required",
        FALSE,
        "access points are left out on purpose: remove it and name the bucket itself",
    ),
    nothing("analytics.accelerator.", STREAM),
    nothing("audit.execution.interceptors", CLASSES),
    nothing("audit.reject.out.of.span.operations", "requests of no call are sent without a Referer header"),
    nothing("audit.request.handlers", CLASSES),
    nothing("audit.service.classname", CLASSES),
    nothing("authoritative.path", GUARD),
    nothing("aws.credentials.provider.mapping", "both SDKs' class names are known"),
    nothing("awsAccessKeyId", "no release of S3A reads it either: the option is access.key"),
    nothing("awsSecretAccessKey", "no release of S3A reads it either: the option is secret.key"),
    jar("block.size", "size of the splits that jobs make of files"),
    nothing("bucket.probe", "a bucket that does not exist is told by the first request that needs it"),
    nothing("change.detection.mode", CHANGES),
    nothing("change.detection.source", CHANGES),
    nothing("change.detection.version.required", CHANGES),
    nothing("checksum.generation", CHECKSUMS),
    nothing("checksum.validation", "every read checks length and ETag"),
    nothing("classloader.isolation", CLASSES),
    nothing("client.", "only client.s3.custom.headers is read; the option here is custom.headers"),
    nothing("committer.abort.pending.uploads", "a job removes its own uploads only, and old ones of nobody's"),
    nothing("committer.generate.uuid", COMMITTER),
    nothing("committer.magic.", COMMITTER),
    jar("committer.name", "`directory` and `partitioned` ask for the conflict mode; the way of committing is the same"),
    nothing("committer.require.uuid", COMMITTER),
    nothing("committer.staging.abort.pending.uploads", "a job removes its own uploads only, and old ones of nobody's"),
    jar("committer.staging.conflict-mode", "what becomes of earlier files, for `directory` and `partitioned`"),
    nothing("committer.staging.tmp.path", COMMITTER),
    nothing("committer.staging.unique-filenames", COMMITTER),
    jar("committer.uuid", "name of the job in the Referer header"),
    nothing("committer.uuid.source", COMMITTER),
    nothing("connection.acquisition.timeout", "a request waits for a connection as long as connection.timeout"),
    nothing("connection.expect.continue", "uploads are sent at once; an early answer ends them"),
    nothing("connection.keepalive", "it is always on"),
    nothing("connection.part.upload.timeout", "connection.stall.timeout limits pauses, not whole uploads"),
    nothing("connection.request.timeout", "connection.stall.timeout limits pauses, not whole requests"),
    nothing("connection.ttl", "connection.idle.time limits how long an unused connection is kept"),
    nothing("create.checksum.algorithm", CHECKSUMS),
    nothing("create.conditional.enabled", "conditions are used where the gateway honours them"),
    nothing("create.multipart", "a file of less than one part is one request"),
    jar("create.performance", "whether files are created without a look at what stands there"),
    nothing("create.header.", "it is an option of one file; object.content.encoding is the one for all"),
    nothing("cross.region.access.enabled", "the region is the one that was set"),
    nothing("custom.signers", "requests are signed by Signature Version 4, which every release of Radosgw knows"),
    nothing("delegation.token.binding", "no delegation tokens are issued: each process looks for keys itself"),
    nothing("directory.marker.audit", "it is for programs that check markers"),
    nothing("directory.marker.retention", "markers are kept, and trees that were written without them read the same"),
    nothing("directory.operations.purge.uploads", "`s3core uploads purge` and multipart.purge remove old uploads"),
    jar("downgrade.syncable.exceptions", "whether hflush and hsync do nothing or fail"),
    nothing("encryption.cse.", CLIENT_ENCRYPTION),
    refused(
        "endpoint.fips",
        FALSE,
        "endpoints of FIPS are left out on purpose: TLS here is not validated for it. Remove it, and name the endpoint \
         in fs.s3a.endpoint where that is enough",
    ),
    jar("etag.checksum.enabled", "whether getFileChecksum answers with the ETag, or null"),
    nothing("executor.capacity", THREADS),
    nothing("experimental.aws.s3.throttling", RETRIES),
    nothing("failinject.", FAILURES),
    nothing("fast.buffer.size", "buffers grow as data arrive; memory.limit limits them"),
    nothing("fast.upload", "parts are always uploaded while a file is being written"),
    nothing("fast.upload.buffer", "parts wait in memory, and in buffer.dir where memory.limit leaves no room"),
    refused("http.signer.enabled", FALSE, "signers of one's own are left out: classes of the AWS SDK are never loaded"),
    nothing("http.signer.class", CLASSES),
    jar("impl", "the class that answers for `s3a://`"),
    nothing("input.async.drain.threshold", STREAM),
    nothing("input.stream.", STREAM),
    nothing("internal.upload.part.count.limit", "an object has up to 10 000 parts, which grow with it"),
    nothing("io.rate.limit", "answers that ask for fewer requests are heeded"),
    nothing("list.version", "listings are of version 2"),
    nothing("max.total.tasks", THREADS),
    nothing("metadatastore.authoritative", GUARD),
    nothing("metadatastore.fail.on.write.error", GUARD),
    refused(
        "metadatastore.impl",
        NO_STORE,
        "S3Guard is left out on purpose, as in Hadoop since 3.3.6: S3 and Radosgw are consistent without it. Remove it",
    ),
    nothing("metadatastore.metadata.ttl", GUARD),
    nothing("multipart.uploads.enabled", "files of more than one part are uploaded in parts"),
    jar("optimized.copy.from.local.enabled", "whether local files are copied without a look at each place"),
    jar("performance.flags", "`create` or `*` mean the same as create.performance; others need no setting"),
    nothing("prefetch.", STREAM),
    nothing("proxy.domain", "NTLM is left out; name and password are Basic"),
    nothing("proxy.workstation", "NTLM is left out; name and password are Basic"),
    nothing("request.md5.header", CHECKSUMS),
    nothing("retry.http.5xx.errors", RETRIES),
    nothing("retry.interval", RETRIES),
    nothing("retry.limit", RETRIES),
    nothing("retry.throttle.interval", RETRIES),
    nothing("retry.throttle.limit", RETRIES),
    nothing("s3.client.factory.impl", CLASSES),
    nothing("s3express.create.session", "it belongs to buckets of Amazon's class Express, which are left out"),
    nothing("s3guard.", GUARD),
    jar("security.credential.provider.path", "encrypted files that the jar looks for keys in"),
    refused(
        "select.sql",
        &[],
        "S3 Select is left out on purpose, as in Hadoop since 3.4.1. Read the file and let Spark select",
    ),
    nothing("select.", SELECT),
    nothing("signing-algorithm", "requests are signed by Signature Version 4, which every release of Radosgw knows"),
    nothing("socket.recv.buffer", "the operating system sizes it as it is needed"),
    nothing("socket.send.buffer", "the operating system sizes it as it is needed"),
    nothing("ssl.channel.mode", "TLS is the core's own, of version 1.2 or 1.3, and not the JVM's or OpenSSL's"),
    nothing("threads.core", THREADS),
    nothing("threads.keepalivetime", THREADS),
    nothing("threads.max", THREADS),
    nothing("vectored.active.ranged.reads", "connection.maximum limits what is under way"),
    nothing("vectored.read.", "ranges that lie near each other are fetched together"),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::table::TABLE;
    use super::*;

    #[test]
    fn no_option_is_in_both_tables() {
        let read: HashSet<_> = TABLE.iter().flat_map(|row| row.hadoop).collect();
        let mut names = HashSet::new();
        for other in OTHERS {
            assert!(names.insert(other.name) && !read.contains(&other.name), "{}", other.name);
        }
    }

    #[test]
    fn a_slip_is_told_once() {
        let key = |key: &str, meant: Option<&str>| Foreign {
            key: key.to_owned(),
            other: None,
            remark: String::new(),
            meant: meant.map(str::to_owned),
        };
        let first = [key("fs.s3a.acces.key", Some("fs.s3a.access.key")), key("fs.s3a.colour", None)];
        let mut said = BTreeSet::new();
        let line = new_slips(&first, &mut said).unwrap();
        assert!(line.ends_with(": fs.s3a.acces.key (did you mean fs.s3a.access.key?)"), "{line}");
        assert_eq!(new_slips(&first, &mut said), None);
        let more = [first[0].clone(), key("fs.s3a.endpont", Some("fs.s3a.endpoint"))];
        assert!(new_slips(&more, &mut said).unwrap().ends_with(": fs.s3a.endpont (did you mean fs.s3a.endpoint?)"));
    }

    #[test]
    fn a_name_that_ends_in_a_dot_stands_for_all_that_begin_so() {
        assert_eq!(Other::of("prefetch.block.size").unwrap().name, "prefetch.");
        assert_eq!(Other::of("select.sql").unwrap().name, "select.sql");
        assert!(Other::of("prefetching.block").is_none() && Other::of("colour").is_none());
    }
}
