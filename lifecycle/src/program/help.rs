//! What helps where the gateway denies a request, or is not found.

use s3core::{Error, ErrorKind};

use super::output::Failure;
use crate::act;
use crate::export::ExportError;
use crate::plan::make::MakeError;
use crate::run::StateError;
use crate::run::lease::LeaseError;
use crate::serve::ServeError;

/// The rights that requests need, by their operations.
const RIGHTS: [(&str, &str); 17] = [
    ("HeadBucket", "s3:ListBucket"),
    ("ListObjectsV2", "s3:ListBucket"),
    ("ListObjectVersions", "s3:ListBucketVersions"),
    ("ListMultipartUploads", "s3:ListBucketMultipartUploads"),
    ("ListParts", "s3:ListMultipartUploadParts"),
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

/// What helps, in words of s3life; empty where the failure says it.
pub(super) fn help(failure: &Failure) -> String {
    let Some(failure) = gateway(failure) else { return String::new() };
    match failure.kind() {
        ErrorKind::AccessDenied => missing_right(failure).unwrap_or_default(),
        ErrorKind::NoCredentials => {
            "; s3life also takes the keys from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or an AWS profile, and the gateway's \
             address from `--endpoint URL`"
                .to_owned()
        }
        ErrorKind::UnknownHost | ErrorKind::Unreachable => {
            "; `--endpoint URL` gives the gateway's address, too".to_owned()
        }
        _ => String::new(),
    }
}

/// Whether the gateway has denied a request.
pub(super) fn is_denied(failure: &Failure) -> bool {
    gateway(failure).is_some_and(|failure| failure.kind() == ErrorKind::AccessDenied)
}

fn missing_right(denied: &Error) -> Option<String> {
    let (operation, place) = (denied.operation()?, denied.location()?);
    let (_, right) = RIGHTS.iter().find(|(name, _)| *name == operation)?;
    Some(format!("; s3life needs {right} at {place}: ask the bucket's owner for it"))
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
        let told = help(&denied(ErrorKind::AccessDenied, "ListObjectsV2"));
        assert_eq!(told, "; s3life needs s3:ListBucket at s3a://lake/a/: ask the bucket's owner for it");
        let state = Failure::State(StateError::Gateway(
            Error::new(ErrorKind::AccessDenied, "x").during("GetObjectAcl").at("lake", "a"),
        ));
        assert!(help(&state).contains("s3:GetObjectAcl at s3a://lake/a"));
        assert!(help(&denied(ErrorKind::Unreachable, "ListObjectsV2")).contains("--endpoint"));
        let told = help(&denied(ErrorKind::NoCredentials, "ListObjectsV2"));
        assert!(told.contains("AWS_ACCESS_KEY_ID") && told.contains("--endpoint"), "{told}");
        assert_eq!(help(&denied(ErrorKind::TimedOut, "ListObjectsV2")), "");
        assert_eq!(help(&Failure::Usage("no".to_owned())), "");
    }
}
