//! Which right is missing where the gateway denies a request.

use s3core::{Error, ErrorKind};

use super::output::Failure;
use crate::act;
use crate::export::ExportError;
use crate::plan::make::MakeError;
use crate::run::StateError;
use crate::run::lease::LeaseError;
use crate::serve::ServeError;

/// The rights that requests need, by their operations.
const RIGHTS: [(&str, &str); 16] = [
    ("HeadBucket", "s3:ListBucket"),
    ("ListObjectsV2", "s3:ListBucket"),
    ("ListObjectVersions", "s3:ListBucketVersions"),
    ("ListMultipartUploads", "s3:ListBucketMultipartUploads"),
    ("GetBucketVersioning", "s3:GetBucketVersioning"),
    ("GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"),
    ("PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration"),
    ("DeleteBucketLifecycle", "s3:PutLifecycleConfiguration"),
    ("GetObject", "s3:GetObject"),
    ("HeadObject", "s3:GetObject"),
    ("GetObjectAcl", "s3:GetObjectAcl"),
    ("GetObjectTagging", "s3:GetObjectTagging"),
    ("PutObjectTagging", "s3:PutObjectTagging"),
    ("PutObject", "s3:PutObject"),
    ("CopyObject", "s3:GetObject and s3:PutObject"),
    ("DeleteObject", "s3:DeleteObject, and s3:DeleteObjectVersion where the bucket keeps versions"),
];

/// What helps where a right is missing; empty elsewhere.
pub(super) fn missing(failure: &Failure) -> String {
    let denied = gateway(failure).filter(|failure| failure.kind() == ErrorKind::AccessDenied);
    let Some((denied, operation)) = denied.and_then(|denied| Some((denied, denied.operation()?))) else {
        return String::new();
    };
    let right = RIGHTS.iter().find(|(name, _)| *name == operation).map(|(_, right)| *right);
    match (right, denied.location()) {
        (Some(right), Some(place)) => format!("; s3life needs {right} at {place}: ask the bucket's owner for it"),
        _ => String::new(),
    }
}

/// The gateway's failure in it.
fn gateway(failure: &Failure) -> Option<&Error> {
    match failure {
        Failure::Gateway(failure)
        | Failure::Run(act::Failure::Gateway(failure) | act::Failure::State(StateError::Gateway(failure)))
        | Failure::State(StateError::Gateway(failure))
        | Failure::Lease(LeaseError::State(StateError::Gateway(failure)))
        | Failure::Serve(ServeError::State(StateError::Gateway(failure)))
        | Failure::Export(ExportError::Gateway(failure))
        | Failure::Make(MakeError::Gateway(failure) | MakeError::State(StateError::Gateway(failure))) => Some(failure),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_right_is_named_with_its_place() {
        let denied = |kind, operation| Failure::Gateway(Error::new(kind, "x").during(operation).at("lake", "a/"));
        let told = missing(&denied(ErrorKind::AccessDenied, "ListObjectsV2"));
        assert_eq!(told, "; s3life needs s3:ListBucket at s3a://lake/a/: ask the bucket's owner for it");
        let state = Failure::State(StateError::Gateway(
            Error::new(ErrorKind::AccessDenied, "x").during("GetObjectAcl").at("lake", "a"),
        ));
        assert!(missing(&state).contains("s3:GetObjectAcl at s3a://lake/a"));
        assert_eq!(missing(&denied(ErrorKind::Unreachable, "ListObjectsV2")), "");
        assert_eq!(missing(&Failure::Usage("no".to_owned())), "");
    }
}
