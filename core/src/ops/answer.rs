//! What the answers of all operations have in common.

use serde::Deserialize;

use crate::http::Response;
use crate::{Error, ErrorKind, Result};

use super::digest::PayloadDigest;
use super::object_head::has_opaque_etag;
use super::{etag, failure, xml};

/// Longest XML answer: 5000 keys of 1024 bytes, each three times as long when it is encoded, fit twice.
const LONGEST_DOCUMENT: usize = 32 * 1024 * 1024;

/// The answer itself where it tells of success.
///
/// # Errors
/// What the answer tells of, translated.
pub(super) async fn success(response: Response) -> Result<Response> {
    if response.status.is_success() { Ok(response) } else { Err(failure::translated(response).await) }
}

/// An answer whose body does not matter; it is read so that the connection can be used again.
///
/// # Errors
/// What the answer tells of, translated.
pub(super) async fn without_document(response: Response) -> Result<Response> {
    let Response { status, headers, body } = success(response).await?;
    // The outcome stands in the head; a body that breaks off changes nothing about it.
    let _ = body.collect(LONGEST_DOCUMENT).await;
    let body = crate::http::ResponseBody::new(futures::stream::empty());
    Ok(Response { status, headers, body })
}

/// An answer that is an XML document.
pub(super) struct Document {
    text: bytes::Bytes,
    status: u16,
    request_id: Option<String>,
}

impl Document {
    /// Reads the answer's body, which may begin with blanks: gateways send them to keep a slow operation's connection
    /// alive, under a status of 200 that says nothing yet.
    ///
    /// # Errors
    /// What the answer tells of, translated, in its status or in an `Error` document under status 200; `WrongProtocol`
    /// where the document's root is not `root`.
    pub(super) async fn read(response: Response, root: &str) -> Result<Self> {
        let response = success(response).await?;
        let status = response.status.as_u16();
        let request_id = failure::request_id(&response.headers);
        let document = Self { text: response.body.collect(LONGEST_DOCUMENT).await?, status, request_id };
        let text = xml::text(&document.text)?;
        match xml::root(text) {
            Some(found) if found == root => Ok(document),
            Some(found) if found == "Error" => Err(document.blame(failure::under_success(&xml::parse(text)?))),
            None if text.is_empty() => {
                Err(document
                    .blame(Error::new(ErrorKind::Corrupted, "the answer is empty where a document was expected")))
            }
            _ => Err(document.blame(failure::no_s3_answer(text))),
        }
    }

    /// The document as it came.
    ///
    /// # Errors
    /// None that can happen: it was read as text before.
    pub(super) fn text(&self) -> Result<&str> {
        xml::text(&self.text)
    }

    /// The document's content.
    ///
    /// # Errors
    /// `Corrupted` where it is cut off or has another shape.
    pub(super) fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        xml::parse(xml::text(&self.text)?).map_err(|error| self.blame(error))
    }

    /// An error about this answer.
    pub(super) fn blame(&self, error: Error) -> Error {
        let code = error.service_code().map(str::to_owned);
        error.answered(self.status, code, self.request_id.clone())
    }
}

/// The ETag in the headers of an answer to an upload, compared with what was sent where that is known.
///
/// # Errors
/// `Corrupted` where they differ, or where there is none.
pub(super) fn written_etag(response: &Response, digest: &PayloadDigest) -> Result<String> {
    let etag = response.header("etag").and_then(etag::bare).ok_or_else(|| {
        Error::new(ErrorKind::Corrupted, "the gateway did not say under which ETag it stored the bytes")
    })?;
    match digest.etag() {
        Some(sent) if etag::md5_of(&etag).is_some() && etag != sent && !has_opaque_etag(response) => {
            let message = format!("the gateway stored bytes with the MD5 {etag}, and {sent} was sent");
            Err(Error::new(ErrorKind::Corrupted, message))
        }
        _ => Ok(etag),
    }
}
