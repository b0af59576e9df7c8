//! One error type for the whole product, and the one table that says what each kind is called elsewhere.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, while doing what, to which bucket and key.
///
/// Cheap to clone, so that one failure can be told to every waiter (a reader and its read-ahead, say).
#[derive(Clone)]
pub struct Error {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    operation: Option<&'static str>,
    bucket: Option<String>,
    key: Option<String>,
    status: Option<u16>,
    service_code: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind`; `message` is a sentence for a user and names the remedy where there is one.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            inner: Arc::new(Inner {
                kind,
                message: message.into(),
                operation: None,
                bucket: None,
                key: None,
                status: None,
                service_code: None,
                request_id: None,
                retry_after: None,
                source: None,
            }),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.inner));
        self
    }

    /// The same failure seen from further outside: another kind and another sentence, the same answer and place.
    #[must_use]
    pub fn restated(self, kind: ErrorKind, message: impl Into<String>) -> Self {
        self.with(|inner| {
            inner.kind = kind;
            inner.message = message.into();
        })
    }

    /// Names the S3 operation ("GetObject") that was under way; the first name given stays.
    #[must_use]
    pub fn during(self, operation: &'static str) -> Self {
        self.with(|inner| {
            inner.operation.get_or_insert(operation);
        })
    }

    /// Names the bucket and the key that it happened to; an empty key means the bucket itself. The first stays.
    #[must_use]
    pub fn at(self, bucket: &str, key: &str) -> Self {
        self.with(|inner| {
            if inner.bucket.is_none() {
                inner.bucket = Some(bucket.to_owned());
                inner.key = (!key.is_empty()).then(|| key.to_owned());
            }
        })
    }

    /// Adds what the gateway answered: HTTP status, S3 error code and request id.
    #[must_use]
    pub fn answered(self, status: u16, service_code: Option<String>, request_id: Option<String>) -> Self {
        self.with(|inner| {
            inner.status = Some(status);
            inner.service_code = service_code;
            inner.request_id = request_id;
        })
    }

    /// Adds the pause that the gateway asked for in `Retry-After`.
    #[must_use]
    pub fn retry_after(self, pause: Duration) -> Self {
        self.with(|inner| inner.retry_after = Some(pause))
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.with(|inner| inner.source = Some(Arc::new(source)))
    }

    /// The row of the table.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// The sentence, without operation and place.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// S3 operation that was under way.
    pub fn operation(&self) -> Option<&'static str> {
        self.inner.operation
    }

    /// Bucket that it happened to.
    pub fn bucket(&self) -> Option<&str> {
        self.inner.bucket.as_deref()
    }

    /// Key that it happened to.
    pub fn key(&self) -> Option<&str> {
        self.inner.key.as_deref()
    }

    /// HTTP status, where the gateway answered.
    pub fn status(&self) -> Option<u16> {
        self.inner.status
    }

    /// S3 error code ("NoSuchKey"), where the gateway sent one.
    pub fn service_code(&self) -> Option<&str> {
        self.inner.service_code.as_deref()
    }

    /// The gateway's `x-amz-request-id`.
    pub fn request_id(&self) -> Option<&str> {
        self.inner.request_id.as_deref()
    }

    /// Pause that the gateway asked for.
    pub fn retry_after_hint(&self) -> Option<Duration> {
        self.inner.retry_after
    }

    /// `s3a://bucket/key`, where it is known.
    pub fn location(&self) -> Option<String> {
        let bucket = self.bucket()?;
        Some(format!("s3a://{bucket}/{}", self.key().unwrap_or_default()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = self.location() {
            write!(f, "{location}: ")?;
        }
        if let Some(operation) = self.operation() {
            write!(f, "{operation}: ")?;
        }
        f.write_str(&self.inner.message)?;
        match (self.status(), self.service_code()) {
            (Some(status), Some(code)) => write!(f, " (HTTP {status} {code}")?,
            (Some(status), None) => write!(f, " (HTTP {status}")?,
            (None, _) => return Ok(()),
        }
        if let Some(id) = self.request_id() {
            write!(f, ", request {id}")?;
        }
        f.write_str(")")
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.kind())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.source.as_ref().map(|source| source.as_ref() as &(dyn StdError + 'static))
    }
}

/// Whether the same request may help when it is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It never helps.
    Never,
    /// The gateway is busy, resharding or away: worth minutes of patience.
    Patiently,
    /// Something broke on the way: worth a few attempts.
    Briefly,
}

/// One row of the error table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorRow {
    /// The Rust variant.
    pub kind: ErrorKind,
    /// The name of the variant.
    pub name: &'static str,
    /// Stable number, the same in every language and release.
    pub code: u16,
    /// Whether the retry module sends the request again.
    pub repeat: Repeat,
    /// Java exception class.
    pub java: &'static str,
    /// Python exception class in `s3core.exceptions`.
    pub python: &'static str,
    /// Exit status of the programs.
    pub exit: u8,
    /// What it means, for the documentation.
    pub meaning: &'static str,
}

macro_rules! error_table {
    ($($name:ident = $code:literal, $repeat:ident, $java:literal, $python:literal, $exit:literal, $meaning:literal;)*) => {
        /// Kinds of failure. The numbers are stable; [`ErrorKind::TABLE`] says what each is called elsewhere.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u16)]
        pub enum ErrorKind {
            $(#[doc = $meaning] $name = $code,)*
        }

        impl ErrorKind {
            /// Every kind, in the order of the numbers.
            pub const TABLE: &'static [ErrorRow] = &[$(ErrorRow {
                kind: ErrorKind::$name,
                name: stringify!($name),
                code: $code,
                repeat: Repeat::$repeat,
                java: $java,
                python: $python,
                exit: $exit,
                meaning: $meaning,
            },)*];

            /// The kind's own row.
            pub fn row(self) -> &'static ErrorRow {
                match self {
                    $(ErrorKind::$name => {
                        const ROW: ErrorRow = ErrorRow {
                            kind: ErrorKind::$name, name: stringify!($name), code: $code, repeat: Repeat::$repeat,
                            java: $java, python: $python, exit: $exit, meaning: $meaning,
                        };
                        &ROW
                    })*
                }
            }
        }
    };
}

error_table! {
    InvalidOption = 1, Never, "java.lang.IllegalArgumentException", "ConfigurationError", 2,
        "An option is unknown, malformed or contradicts another.";
    InvalidPath = 2, Never, "java.lang.IllegalArgumentException", "ConfigurationError", 2,
        "A bucket name or path that S3 cannot hold.";
    NoCredentials = 3, Never, "java.nio.file.AccessDeniedException", "CredentialsError", 3,
        "No access key and secret key were found in any place that was looked at.";
    UnknownProvider = 4, Never, "java.io.IOException", "ConfigurationError", 2,
        "The name of a credential provider is not known.";
    UnusableEncryption = 5, Never, "java.io.IOException", "ConfigurationError", 2,
        "The encryption that is asked for lacks a key or TLS.";
    NotFound = 10, Never, "java.io.FileNotFoundException", "NotFoundError", 4,
        "No object, directory or upload of that name.";
    NoSuchBucket = 11, Never, "org.apache.hadoop.fs.PathIOException", "NotFoundError", 4,
        "The bucket does not exist. No FileNotFoundException: Hadoop would take that for a path that can be made.";
    AlreadyExists = 12, Never, "org.apache.hadoop.fs.FileAlreadyExistsException", "AlreadyExistsError", 5,
        "Something of that name exists and was not to be replaced.";
    PreconditionFailed = 13, Never, "org.apache.hadoop.fs.PathIOException", "PreconditionFailedError", 5,
        "The object is not the one that was named by ETag or time.";
    NotADirectory = 14, Never, "org.apache.hadoop.fs.ParentNotDirectoryException", "NotADirectoryError", 5,
        "A file stands where a directory is needed.";
    IsADirectory = 15, Never, "org.apache.hadoop.fs.FileAlreadyExistsException", "IsADirectoryError", 5,
        "A directory stands where a file is needed.";
    DirectoryNotEmpty = 16, Never, "org.apache.hadoop.fs.PathIsNotEmptyDirectoryException", "DirectoryNotEmptyError", 5,
        "A directory with entries was to be removed without its entries.";
    OutOfRange = 17, Never, "java.io.EOFException", "OutOfRangeError", 5,
        "A read beyond the end of the object.";
    Changed = 18, Never, "org.apache.hadoop.fs.PathIOException", "ChangedError", 5,
        "The object was replaced while it was being read.";
    AccessDenied = 20, Never, "java.nio.file.AccessDeniedException", "AccessDeniedError", 3,
        "The keys are known but may not do this.";
    BadCredentials = 21, Never, "java.nio.file.AccessDeniedException", "CredentialsError", 3,
        "Unknown access key, or a secret key that does not belong to it.";
    ClockSkew = 22, Never, "java.nio.file.AccessDeniedException", "CredentialsError", 3,
        "This machine's clock and the gateway's are more than 15 minutes apart.";
    QuotaExceeded = 23, Never, "org.apache.hadoop.fs.PathIOException", "QuotaExceededError", 6,
        "The user's or the bucket's quota is full.";
    UserSuspended = 24, Never, "java.nio.file.AccessDeniedException", "AccessDeniedError", 3,
        "The user is suspended.";
    Throttled = 30, Patiently, "org.apache.hadoop.fs.PathIOException", "ThrottledError", 7,
        "The gateway asks for fewer requests, or is resharding the bucket.";
    Unavailable = 31, Briefly, "org.apache.hadoop.fs.PathIOException", "UnavailableError", 7,
        "The gateway failed inside.";
    Unreachable = 32, Patiently, "java.net.ConnectException", "UnreachableError", 7,
        "No connection to the endpoint.";
    UnknownHost = 33, Patiently, "java.net.UnknownHostException", "UnreachableError", 7,
        "The endpoint's name has no address.";
    TimedOut = 34, Briefly, "java.net.SocketTimeoutException", "TimedOutError", 7,
        "The gateway did not answer in time.";
    Disconnected = 35, Briefly, "java.net.SocketException", "UnreachableError", 7,
        "The connection broke before the answer was complete.";
    UntrustedCertificate = 36, Never, "javax.net.ssl.SSLHandshakeException", "TrustError", 7,
        "The endpoint's certificate is not trusted, or is for another name.";
    WrongProtocol = 37, Never, "java.net.ProtocolException", "ProtocolError", 7,
        "http was spoken to a TLS port, https to a plain one, or the port is no S3 endpoint.";
    Corrupted = 40, Briefly, "org.apache.hadoop.fs.PathIOException", "CorruptedError", 8,
        "Bytes arrived that do not match their length, ETag or checksum.";
    Unsupported = 41, Never, "java.lang.UnsupportedOperationException", "UnsupportedError", 9,
        "The gateway, or S3 as such, cannot do this.";
    BadRequest = 42, Never, "org.apache.hadoop.fs.PathIOException", "RequestError", 9,
        "The gateway refused the request.";
    Interrupted = 50, Never, "java.io.InterruptedIOException", "InterruptedError", 10,
        "The caller was interrupted or gave up.";
    Closed = 51, Never, "java.io.IOException", "ClosedError", 10,
        "The file or the store was closed.";
    LocalDisk = 60, Never, "java.io.IOException", "LocalDiskError", 11,
        "The buffer directory cannot be written or read.";
    Internal = 99, Never, "java.io.IOException", "InternalError", 12,
        "A defect in s3core: please report it.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_ascending() {
        assert!(ErrorKind::TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
    }

    #[test]
    fn every_kind_finds_its_own_row() {
        for row in ErrorKind::TABLE {
            assert_eq!(row.kind.row(), row);
            assert_eq!(row.kind as u16, row.code);
        }
    }

    #[test]
    fn display_names_place_operation_and_answer() {
        let error = Error::new(ErrorKind::NotFound, "no such object").during("HeadObject").at("lake", "a/b").answered(
            404,
            Some("NoSuchKey".into()),
            Some("tx1".into()),
        );
        assert_eq!(error.to_string(), "s3a://lake/a/b: HeadObject: no such object (HTTP 404 NoSuchKey, request tx1)");
    }

    #[test]
    fn the_first_place_stays() {
        let error = Error::new(ErrorKind::NotFound, "x").at("a", "b").at("c", "d");
        assert_eq!(error.location().as_deref(), Some("s3a://a/b"));
    }
}
