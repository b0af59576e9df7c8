//! One S3 operation, as the loop over attempts sees it.

use std::future::Future;
use std::time::Duration;

use http::{HeaderMap, Method};

use crate::http::{Payload, Response};
use crate::sign::PayloadHash;
use crate::{Error, Result};

use super::{Concern, Gateway};

/// One S3 operation: makes the request of each attempt and reads its answer.
///
/// An exchange may keep what an earlier attempt brought (`&mut self`): a ranged GET asks for the rest only.
pub trait Exchange: Send {
    /// What a successful answer means.
    type Output: Send;

    /// S3 name of the operation, "GetObject".
    fn operation(&self) -> &'static str;

    /// Bucket and key, for error messages; the key is empty where the operation is about the bucket.
    fn place(&self) -> (&str, &str);

    /// The request of the next attempt.
    ///
    /// # Errors
    /// `InvalidPath` or `InvalidOption` for what S3 cannot hold.
    fn request(&mut self) -> Result<OperationRequest>;

    /// Reads the answer, its body included. An answer with an error status is the exchange's to translate.
    fn read(&mut self, response: Response) -> impl Future<Output = Result<Self::Output>> + Send;

    /// Called before the first attempt: finds out what must be known before anything is changed.
    fn prepare(&mut self, gateway: &Gateway) -> impl Future<Output = Result<()>> + Send {
        let _ = gateway;
        async { Ok(()) }
    }

    /// Takes back what was done otherwise than it was asked for: stored without the encryption that was wanted.
    fn undo(&mut self, gateway: &Gateway, output: Self::Output) -> impl Future<Output = ()> + Send {
        let _ = (gateway, output);
        async {}
    }

    /// Bytes that the attempts so far have brought and that no further attempt asks for again.
    fn progress(&self) -> u64 {
        0
    }

    /// How long a busy gateway is waited for, where that is `usual` for others.
    fn patience(&self, usual: Duration) -> Duration {
        usual
    }

    /// Called before an attempt after one whose outcome is unknown (the connection broke after the request left, a
    /// 500 to a write). Returns the output where the operation is found done, so that it is not repeated blindly. What
    /// `gateway` is asked here shares the time of the operation.
    fn settle(
        &mut self,
        gateway: &Gateway,
        failure: &Error,
    ) -> impl Future<Output = Result<Option<Self::Output>>> + Send {
        let _ = (gateway, failure);
        async { Ok(None) }
    }
}

/// A request before it is signed.
#[derive(Debug, Clone)]
pub struct OperationRequest {
    /// HTTP method.
    pub method: Method,
    /// Bucket name; empty for ListBuckets.
    pub bucket: String,
    /// Object key, not encoded; empty for operations on the bucket.
    pub key: String,
    /// What it has to do with an object's bytes.
    pub concern: Concern,
    /// Bucket and key of the object that is copied, not encoded.
    pub copy_source: Option<(String, String)>,
    /// Number of objects that it deletes.
    pub deletes: usize,
    /// Query parameters, not encoded, without value where the value is empty ("uploads").
    pub query: Vec<(&'static str, String)>,
    /// Headers besides those that signing adds.
    pub headers: HeaderMap,
    /// The body.
    pub payload: Payload,
    /// SHA-256 of the body, or that it is unsigned.
    pub payload_hash: PayloadHash,
}

impl OperationRequest {
    /// A request without query, headers and body. The key is empty for operations on the bucket.
    pub fn new(method: Method, bucket: &str, key: &str) -> Self {
        Self {
            method,
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            concern: Concern::None,
            copy_source: None,
            deletes: 0,
            query: Vec::new(),
            headers: HeaderMap::new(),
            payload: Payload::empty(),
            payload_hash: PayloadHash::Empty,
        }
    }
}
