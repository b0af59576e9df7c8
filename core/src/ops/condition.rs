//! Conditions on writes, and how a conditional write whose outcome is unknown is settled.

use std::fmt;

use http::header::{IF_MATCH, IF_NONE_MATCH};

use crate::gateway::{Gateway, OperationRequest};
use crate::{Error, ErrorKind, Result};

use super::head_object::HeadObject;
use super::object_head::ObjectHead;
use super::request::set_header;

/// What must hold for a write to happen. The gateway checks and writes in one step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum WriteCondition {
    /// Nothing: an object of the same key is replaced.
    #[default]
    Always,
    /// No object of that key exists.
    IfAbsent,
    /// The object of that key has this ETag, without quotes.
    IfMatch(String),
}

impl WriteCondition {
    pub(super) fn set(&self, request: &mut OperationRequest) -> Result<()> {
        match self {
            Self::Always => Ok(()),
            Self::IfAbsent => set_header(request, IF_NONE_MATCH.as_str(), "*"),
            Self::IfMatch(etag) => set_header(request, IF_MATCH.as_str(), etag),
        }
    }

    /// A refused condition in the words of the one who set it.
    pub(super) fn explain(&self, error: Error) -> Error {
        match (self, error.status()) {
            (Self::IfAbsent, Some(412)) => error.restated(ErrorKind::AlreadyExists, "an object of that key exists"),
            (Self::IfMatch(_), Some(404)) if error.kind() == ErrorKind::NotFound => {
                error.restated(ErrorKind::PreconditionFailed, "the object was deleted meanwhile")
            }
            (Self::IfMatch(etag), Some(412)) => {
                error.restated(ErrorKind::PreconditionFailed, format!("the object no longer has the ETag {etag}"))
            }
            _ => error,
        }
    }
}

/// Marks the object that one write made, so that its writer recognises it: kept as user metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteId(u128);

impl WriteId {
    /// Name of the user metadata that holds it.
    pub const METADATA: &str = "s3core-write-id";

    /// An id of random bits ([`Random::bits`](crate::environment::Random::bits)).
    pub fn new(bits: u128) -> Self {
        Self(bits)
    }

    /// Whether this write made the object.
    pub fn made(self, head: &ObjectHead) -> bool {
        head.metadata.get(Self::METADATA).is_some_and(|id| *id == self.to_string())
    }
}

impl fmt::Display for WriteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Whether the operation may have been done although the attempt failed.
pub(super) fn leaves_doubt(failure: &Error) -> bool {
    match failure.kind() {
        ErrorKind::Disconnected | ErrorKind::TimedOut | ErrorKind::Unavailable => true,
        // An answer that could not be read; not one that says that the gateway received other bytes.
        ErrorKind::Corrupted => failure.status().is_none_or(|status| status < 300),
        // 503 and 429 are sent in place of the operation, 504 by a proxy that stopped waiting for it.
        ErrorKind::Throttled => failure.status() == Some(504),
        _ => false,
    }
}

/// The error of an attempt that was refused although, or because, an earlier attempt may have been done: asks for the
/// settlement that precedes every further attempt.
pub(super) fn ask_to_settle(refusal: &Error) -> Error {
    let message = format!("an earlier attempt may have been done ({})", refusal.message());
    refusal.clone().restated(ErrorKind::Unavailable, message)
}

/// The object of that key as it is now; `None` where there is none.
pub(super) async fn present(gateway: &Gateway, bucket: &str, key: &str) -> Result<Option<ObjectHead>> {
    match gateway.run(HeadObject::new(bucket, key)).await {
        Ok(head) => Ok(Some(head)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == ErrorKind::AccessDenied => {
            let message = "the write may have been done or not: its answer was lost, and this key may not be looked at";
            Err(error.restated(ErrorKind::AccessDenied, message))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(kind: ErrorKind, status: u16) -> Error {
        Error::new(kind, "x").answered(status, None, None)
    }

    #[test]
    fn doubt_is_left_by_what_may_have_been_done() {
        for doubtful in [
            Error::new(ErrorKind::Disconnected, "x"),
            Error::new(ErrorKind::TimedOut, "x"),
            answered(ErrorKind::Unavailable, 500),
            answered(ErrorKind::Throttled, 504),
            answered(ErrorKind::Corrupted, 200),
        ] {
            assert!(leaves_doubt(&doubtful), "{doubtful:?}");
        }
        for certain in [
            answered(ErrorKind::Throttled, 503),
            answered(ErrorKind::Throttled, 429),
            answered(ErrorKind::Corrupted, 400),
            answered(ErrorKind::PreconditionFailed, 412),
            Error::new(ErrorKind::Unreachable, "x"),
        ] {
            assert!(!leaves_doubt(&certain), "{certain:?}");
        }
    }

    #[test]
    fn a_refused_condition_is_told_by_its_meaning() {
        let refused = || answered(ErrorKind::PreconditionFailed, 412);
        assert_eq!(WriteCondition::IfAbsent.explain(refused()).kind(), ErrorKind::AlreadyExists);
        assert_eq!(WriteCondition::IfAbsent.explain(refused()).status(), Some(412));
        let explained = WriteCondition::IfMatch("abc".into()).explain(refused());
        assert_eq!(explained.kind(), ErrorKind::PreconditionFailed);
        assert!(explained.message().contains("abc"));
        let gone = |kind| WriteCondition::IfMatch("abc".into()).explain(answered(kind, 404)).kind();
        assert_eq!(gone(ErrorKind::NotFound), ErrorKind::PreconditionFailed);
        assert_eq!(gone(ErrorKind::NoSuchBucket), ErrorKind::NoSuchBucket);
    }

    #[test]
    fn write_ids_have_a_fixed_length() {
        assert_eq!(WriteId::new(1).to_string(), format!("{:0>32}", 1));
    }
}
