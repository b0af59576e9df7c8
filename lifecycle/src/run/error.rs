//! What may be wrong with the state in the bucket.

use std::path::PathBuf;

use super::lease::Lost;

/// Why the state in the bucket could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The gateway has failed, or refused.
    #[error(transparent)]
    Gateway(#[from] s3core::Error),
    /// Something of that name exists and was not to be replaced.
    #[error("s3a://{bucket}/{key} exists: another process has written it; run the command again")]
    AlreadyExists {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
    /// It is another one than the one that was read.
    #[error("s3a://{bucket}/{key} was replaced or removed meanwhile; run the command again")]
    Replaced {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
    /// It is not what s3life writes there.
    #[error(
        "s3a://{bucket}/{key} is not as s3life writes it: {reason}; s3life does nothing until it is put right: bring \
         back what was written, or remove it if it is not s3life's"
    )]
    Malformed {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The bucket kept versions when the run began, and does no more.
    #[error(
        "versioning of s3a://{bucket} is suspended, and what its runs have hidden lies in versions: enable versioning again, \
         then run the command again"
    )]
    Suspended {
        /// The bucket.
        bucket: String,
    },
    /// The gateway's time is not known.
    #[error(
        "s3a://{bucket}/: the gateway's answers have no Date header, and s3life goes by the gateway's time: let the \
         proxy before it pass that header on"
    )]
    NoTime {
        /// The bucket.
        bucket: String,
    },
    /// The lease is another process's by now.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// A later holder of the lease has gone on with the run.
    #[error("the run {run} was taken over under the lease {lease}: leave it to that process")]
    TakenOver {
        /// The run.
        run: String,
        /// Number of the lease that the later holder has, or had.
        lease: u64,
    },
    /// There is no such run.
    #[error("s3a://{bucket}/ has no run {run}: see `s3life history s3a://{bucket}`")]
    NoSuchRun {
        /// The bucket.
        bucket: String,
        /// The run.
        run: String,
    },
    /// What was to be done with the run may not be done in its state.
    #[error("the run {run} {reason}")]
    Refused {
        /// The run.
        run: String,
        /// The rest of the sentence.
        reason: String,
    },
    /// A file of this machine cannot be read or written.
    #[error("{}: {failure}", path.display())]
    LocalFile {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        failure: std::io::Error,
    },
}

impl StateError {
    pub(crate) fn local(path: impl Into<PathBuf>, failure: impl Into<std::io::Error>) -> Self {
        Self::LocalFile { path: path.into(), failure: failure.into() }
    }
}
