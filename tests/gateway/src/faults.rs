//! Scripted faults: which requests they hit and what they do.

mod armed;

use std::time::Duration;

pub(crate) use self::armed::Hit;
pub use self::armed::{FaultId, Faults};
use crate::front::summary::Summary;

/// A fault: an action, the requests it applies to, and which of them it hits.
///
/// A new fault hits every request. Each method narrows that.
///
/// ```
/// use s3core_gateway::Fault;
///
/// let fault = Fault::slow_down().operation("UploadPart").key_prefix("table/").nth(3);
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    action: Action,
    operation: Option<String>,
    method: Option<String>,
    key_prefix: Option<String>,
    query: Vec<(String, Option<String>)>,
    trigger: Trigger,
    limit: Option<u64>,
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Error { status: u16, code: String, retry_after: Option<u64> },
    ErrorInBody { code: String },
    Reset,
    LoseReply,
    Stall { duration: Duration },
    CutBody { after: u64 },
    CorruptBody { at: u64 },
    StallBody { after: u64, duration: Duration },
    CorruptUpload { at: u64 },
}

impl Action {
    /// The name in the request log.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Error { .. } => "error",
            Self::ErrorInBody { .. } => "error in body",
            Self::Reset => "reset",
            Self::LoseReply => "lost reply",
            Self::Stall { .. } => "stall",
            Self::CutBody { .. } => "cut body",
            Self::CorruptBody { .. } => "corrupt body",
            Self::StallBody { .. } => "stalled body",
            Self::CorruptUpload { .. } => "corrupt upload",
        }
    }
}

/// Which of the requests a fault applies to it hits.
#[derive(Clone, Debug)]
enum Trigger {
    Every(u64),
    Nth(u64),
    After(u64),
    Fraction { fraction: f64, state: u64 },
}

impl Fault {
    /// Answers 503 SlowDown. The request is not carried out.
    pub fn slow_down() -> Self {
        Self::error(503, "SlowDown")
    }

    /// Answers with an error of this status and code. The request is not carried out.
    pub fn error(status: u16, code: &str) -> Self {
        Self::new(Action::Error { status, code: code.to_owned(), retry_after: None })
    }

    /// Answers 200 with an `<Error>` of this code as the body, as CopyObject, DeleteObjects and
    /// CompleteMultipartUpload may. The request is not carried out.
    pub fn error_in_body(code: &str) -> Self {
        Self::new(Action::ErrorInBody { code: code.to_owned() })
    }

    /// Resets the connection (RST). The request is not carried out.
    pub fn reset() -> Self {
        Self::new(Action::Reset)
    }

    /// Carries the request out and closes the connection without a reply.
    pub fn lose_reply() -> Self {
        Self::new(Action::LoseReply)
    }

    /// Does nothing for `duration`, then goes on as if nothing had happened.
    pub fn stall(duration: Duration) -> Self {
        Self::new(Action::Stall { duration })
    }

    /// Closes the connection after this many bytes of the answer's body. A shorter body is not hit.
    pub fn cut_body(after: u64) -> Self {
        Self::new(Action::CutBody { after })
    }

    /// Inverts the byte at this offset of the answer's body. A shorter body is not hit.
    pub fn corrupt_body(at: u64) -> Self {
        Self::new(Action::CorruptBody { at })
    }

    /// Sends this many bytes of the answer's body, then nothing for `duration`, then the rest.
    /// A shorter body is not hit.
    pub fn stall_body(after: u64, duration: Duration) -> Self {
        Self::new(Action::StallBody { after, duration })
    }

    /// Inverts the byte at this offset of the request's body before anything looks at it.
    /// A shorter body is not hit.
    pub fn corrupt_upload(at: u64) -> Self {
        Self::new(Action::CorruptUpload { at })
    }

    fn new(action: Action) -> Self {
        Self {
            action,
            operation: None,
            method: None,
            key_prefix: None,
            query: Vec::new(),
            trigger: Trigger::Every(1),
            limit: None,
        }
    }

    /// Only this S3 operation, `UploadPart` for instance.
    #[must_use]
    pub fn operation(mut self, name: &str) -> Self {
        self.operation = Some(name.to_owned());
        self
    }

    /// Only this HTTP method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only keys (for lists: prefixes) that start so.
    #[must_use]
    pub fn key_prefix(mut self, prefix: &str) -> Self {
        self.key_prefix = Some(prefix.to_owned());
        self
    }

    /// Only requests whose query has this name with this value.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), Some(value.to_owned())));
        self
    }

    /// Only requests whose query has this name.
    #[must_use]
    pub fn query_name(mut self, name: &str) -> Self {
        self.query.push((name.to_owned(), None));
        self
    }

    /// Of the requests it applies to, only the `n`-th; the first has number 1.
    #[must_use]
    pub fn nth(mut self, n: u64) -> Self {
        self.trigger = Trigger::Nth(n);
        self
    }

    /// Of the requests it applies to, all but the first `n`.
    #[must_use]
    pub fn after(mut self, n: u64) -> Self {
        self.trigger = Trigger::After(n);
        self
    }

    /// Of the requests it applies to, every `n`-th: with 3 the third, the sixth and so on.
    #[must_use]
    pub fn every(mut self, n: u64) -> Self {
        self.trigger = Trigger::Every(n.max(1));
        self
    }

    /// Of the requests it applies to, this fraction (0.0 to 1.0), chosen by a generator that starts
    /// with `seed`: the same seed hits the same requests.
    #[must_use]
    pub fn fraction(mut self, fraction: f64, seed: u64) -> Self {
        self.trigger = Trigger::Fraction { fraction, state: seed };
        self
    }

    /// At most this many times.
    #[must_use]
    pub fn times(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Adds a `Retry-After` of this many seconds to an error answer.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        if let Action::Error { retry_after, .. } = &mut self.action {
            *retry_after = Some(seconds);
        }
        self
    }

    fn applies_to(&self, request: &Summary) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted == value);
        is(&self.operation, request.operation)
            && is(&self.method, request.method.as_str())
            && self.key_prefix.as_ref().is_none_or(|prefix| request.key_or_prefix().starts_with(prefix.as_str()))
            && self.query.iter().all(|(name, wanted)| match request.query_value(name) {
                None => false,
                Some(value) => wanted.as_ref().is_none_or(|wanted| *wanted == value),
            })
    }
}
