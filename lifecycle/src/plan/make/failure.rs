//! Why no plan can be made.

use crate::plan::document::PlanError;
use crate::run::StateError;

/// Why no plan can be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The gateway has failed.
    #[error(transparent)]
    Gateway(#[from] s3core::Error),
    /// The plan cannot be written.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// What is known of earlier runs cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// An option names no dataset.
    #[error("{option} names {name}, which is no dataset of the policy: it has {known}")]
    UnknownDataset {
        /// The option.
        option: &'static str,
        /// What it names.
        name: String,
        /// The datasets.
        known: String,
    },
    /// A rule names a storage class that cannot be written to.
    #[error(
        "the rule {rule}, line {line} of the policy, moves to the storage class {class}, and the gateway has none \
         of that name{}: it takes objects in {known}. Write one of these in the rule, or ask the gateway's administrator for \
         the class",
        answer(source)
    )]
    StorageClass {
        /// Names of the rule and its dataset.
        rule: String,
        /// Line of the policy.
        line: u64,
        /// The class.
        class: String,
        /// Those that it has.
        known: String,
        /// The gateway's answer.
        source: s3core::Error,
    },
    /// A storage class that was asked for cannot be written to.
    #[error(
        "the gateway has no storage class {class}{}: it takes objects in {known}; give one of these with `--class`",
        answer(source)
    )]
    UnknownClass {
        /// The class.
        class: String,
        /// Those that it has.
        known: String,
        /// The gateway's answer.
        source: s3core::Error,
    },
    /// A path that was asked for holds no unit.
    #[error(
        "{dataset} has no partition at or below `{path}`: write it as it stands in the dataset's location, as in \
         day=2024-03-01"
    )]
    NoUnit {
        /// Name of the dataset.
        dataset: String,
        /// The path.
        path: String,
    },
    /// Nothing may be removed there.
    #[error(
        "the gateway deletes objects whatever condition is sent with the request, so that nothing can be removed safely: \
         what is overwritten in the meantime would be lost. Radosgw honours x-amz-delete-if-unmodified-since, others \
         If-Match; take the rules that remove something out of the policy, or ask for a proxy that lets these headers pass"
    )]
    NoConditionalDelete,
    /// The bucket has kept versions, and does no more.
    #[error(
        "versioning of s3a://{bucket} is suspended: what is removed there can neither be brought back nor removed under a \
         condition, and s3life removes nothing; enable versioning again, or take the rules that remove something out of the policy"
    )]
    Suspended {
        /// The bucket.
        bucket: String,
    },
    /// What goes for good was not confirmed.
    #[error(
        "the rule {rule} of {dataset}, line {line} of the policy, deletes without trash, and what it deletes cannot be \
         brought back: confirm with `--confirm-delete {dataset}`, or write `then: expire`"
    )]
    Unconfirmed {
        /// Name of the dataset.
        dataset: String,
        /// Name of the rule.
        rule: String,
        /// Line of the policy.
        line: u64,
    },
}

/// ` (HTTP 400 InvalidArgument)`
fn answer(failure: &s3core::Error) -> String {
    let status = failure.status().map(|status| format!(" (HTTP {status}{})", code(failure)));
    status.unwrap_or_default()
}

fn code(failure: &s3core::Error) -> String {
    failure.service_code().map(|code| format!(" {code}")).unwrap_or_default()
}
