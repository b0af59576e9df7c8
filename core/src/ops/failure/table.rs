//! S3 codes, what they mean and what helps. Codes are AWS's ("Error responses" in the S3 API reference) and those of
//! Radosgw's `rgw_http_errors.h`.

use crate::ErrorKind;

/// What one S3 code means.
pub(super) struct Row {
    pub(super) code: &'static str,
    pub(super) kind: ErrorKind,
    /// What happened and what helps; an empty one leaves the word to the gateway.
    pub(super) message: &'static str,
}

macro_rules! failure_table {
    ($($code:literal => $kind:ident, $message:literal;)*) => {
        /// Every code that means more than its HTTP status.
        pub(super) const TABLE: &[Row] = &[$(Row { code: $code, kind: ErrorKind::$kind, message: $message },)*];
    };
}

failure_table! {
    // The gateway is busy.
    "SlowDown" => Throttled, "the gateway asks for fewer requests";
    "ServiceUnavailable" => Throttled, "the gateway is busy, or is resharding the bucket";
    "TooManyRequests" => Throttled, "the gateway asks for fewer requests";
    "RequestLimitExceeded" => Throttled, "the gateway asks for fewer requests";
    "BandwidthLimitExceeded" => Throttled, "the gateway asks for fewer bytes";
    // Something broke inside or on the way.
    "InternalError" => Unavailable, "";
    "UnknownError" => Unavailable, "";
    "OperationAborted" => Unavailable, "another operation on the same name was under way";
    "ConcurrentModification" => Unavailable, "another operation on the same name was under way";
    "ConditionalRequestConflict" => Unavailable, "another conditional write to the same name was under way";
    "TemporaryRedirect" => Unavailable, "the bucket is moving to another address";
    "RequestTimeout" => TimedOut, "the gateway waited too long for the request's bytes";
    "IncompleteBody" => Disconnected, "the gateway received fewer bytes than were sent";
    "BadDigest" => Corrupted, "the bytes that the gateway received are not the ones that were sent (Content-MD5)";
    "XAmzContentSHA256Mismatch" => Corrupted,
        "the bytes that the gateway received are not the ones that were sent (x-amz-content-sha256)";
    "XAmzContentChecksumMismatch" => Corrupted,
        "the bytes that the gateway received are not the ones that were sent (checksum)";
    // It is not there.
    "NoSuchKey" => NotFound, "no such object";
    "NoSuchVersion" => NotFound, "no such version of the object";
    "NoSuchUpload" => NotFound, "no such multipart upload: it was completed or aborted";
    "NoSuchBucket" => NoSuchBucket, "the bucket does not exist: check the name and, with several endpoints, fs.s3a.endpoint";
    // It is there.
    "BucketAlreadyExists" => AlreadyExists, "a bucket of that name exists";
    "BucketAlreadyOwnedByYou" => AlreadyExists, "a bucket of that name exists and is yours";
    "BucketNotEmpty" => DirectoryNotEmpty, "the bucket is not empty";
    "PreconditionFailed" => PreconditionFailed, "the object is not the one that the condition named";
    "InvalidRange" => OutOfRange, "the range is beyond the end of the object";
    // Who may do it.
    "AccessDenied" => AccessDenied,
        "access denied: the user of fs.s3a.access.key may not do this; check the bucket's policy and owner";
    "AllAccessDisabled" => AccessDenied, "";
    "AccountProblem" => AccessDenied, "";
    "UserSuspended" => UserSuspended, "the user is suspended: ask the operator of the gateway";
    "InvalidAccessKeyId" => BadCredentials, "is not known to this endpoint: check fs.s3a.access.key";
    "InvalidClientTokenId" => BadCredentials, "is not known to this endpoint: check fs.s3a.access.key";
    "SignatureDoesNotMatch" => BadCredentials, "the secret key does not belong to the access key: check fs.s3a.secret.key";
    "ExpiredToken" => BadCredentials, "the session token has expired: check fs.s3a.session.token";
    "InvalidToken" => BadCredentials, "the session token is not valid: check fs.s3a.session.token";
    "TokenRefreshRequired" => BadCredentials, "the session token must be renewed: check fs.s3a.session.token";
    "RequestTimeTooSkewed" => ClockSkew,
        "this machine's clock and the gateway's are more than 15 minutes apart: set this machine's clock";
    "RequestExpired" => ClockSkew,
        "this machine's clock and the gateway's are more than 15 minutes apart: set this machine's clock";
    "QuotaExceeded" => QuotaExceeded, "the quota of the user or the bucket is full: delete something or ask for more";
    "TooManyBuckets" => QuotaExceeded, "the user may not have more buckets";
    // It cannot be done.
    "NotImplemented" => Unsupported, "the gateway has no such operation, or not with these headers";
    "MethodNotAllowed" => Unsupported, "the gateway does not allow this operation here";
    "AccessControlListNotSupported" => Unsupported,
        "the bucket takes no access control lists, everything in it belongs to its owner: change its object ownership";
    "InvalidObjectState" => Unsupported, "the object is archived in a storage class that must be restored before it is read";
    "AuthorizationHeaderMalformed" => BadRequest, "";
    "PermanentRedirect" => BadRequest, "the bucket is at another endpoint or in another region";
    "IllegalLocationConstraintException" => BadRequest, "the bucket is in another region: check fs.s3a.endpoint.region";
    "InvalidLocationConstraint" => BadRequest, "the gateway has no such region: check fs.s3a.endpoint.region";
    "EntityTooSmall" => BadRequest, "a part other than the last is smaller than 5 MiB: check fs.s3a.multipart.size";
    "EntityTooLarge" => BadRequest, "the object or part is larger than the gateway takes (5 GiB): check fs.s3a.multipart.size";
    "InvalidPart" => BadRequest, "a part of the upload is missing or has another ETag";
    "InvalidPartOrder" => BadRequest, "the parts of the upload are out of order";
    "InvalidStorageClass" => BadRequest, "the gateway has no such storage class: check fs.s3a.create.storage.class";
    "InvalidBucketName" => InvalidPath, "this is no bucket name";
    "InvalidObjectName" => InvalidPath, "this is no key";
    "KeyTooLongError" => InvalidPath, "the key is longer than 1024 bytes";
}

/// The row of a code.
pub(super) fn row(code: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_in_the_table_once() {
        for (index, row) in TABLE.iter().enumerate() {
            assert!(!TABLE[..index].iter().any(|earlier| earlier.code == row.code), "{}", row.code);
        }
    }
}
