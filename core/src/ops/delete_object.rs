//! DeleteObject: removes one object or one version of it.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>

use std::time::SystemTime;

use http::Method;
use http::header::IF_MATCH;

use crate::Result;
use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;

use super::answer;
use super::request::{about_object, set_header, set_header_if_some};
use super::timestamp;

/// Removes an object. That there was none is success too.
///
/// The conditions hold only on gateways that know them: Radosgw before 20.2.1 ignores `If-Match` and deletes
/// (`unmodified_since` works there), AWS knows nothing of `unmodified_since`.
///
/// A bucket that keeps versions puts a delete marker over the object, whatever `unmodified_since` says (Radosgw, up
/// to Tentacle): whether it lies over the version that was meant, [`ListObjectVersions`](super::ListObjectVersions)
/// shows. So does which marker an attempt has made whose answer was lost: to the next one Radosgw before Tentacle
/// answers without an id, and later releases put a second marker. Where versioning is suspended, a deletion with
/// `unmodified_since` must not be sent: the object cannot be read any more, and stays in listings.
#[derive(Debug, Clone)]
pub struct DeleteObject {
    /// Bucket.
    pub bucket: String,
    /// Key.
    pub key: String,
    /// Only where the object has this ETag, without quotes; else `PreconditionFailed`.
    pub if_match: Option<String>,
    /// Only where the object was not written after this time, compared in whole seconds; else `PreconditionFailed`.
    /// Radosgw's own header, `x-amz-delete-if-unmodified-since`.
    pub unmodified_since: Option<SystemTime>,
    /// Only this version, for good; a delete marker is a version, too. `None` removes the object, which a bucket with
    /// versions keeps.
    pub version_id: Option<String>,
}

/// What became of an object that was deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeletedObject {
    /// Whether a delete marker was made, or, where a version was named, removed.
    pub is_delete_marker: bool,
    /// Id of the delete marker that was made, or of the version that was removed; `None` in a bucket without versions.
    pub version_id: Option<String>,
}

impl DeleteObject {
    /// Unconditionally.
    pub fn new(bucket: &str, key: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            if_match: None,
            unmodified_since: None,
            version_id: None,
        }
    }
}

impl Exchange for DeleteObject {
    type Output = DeletedObject;

    fn operation(&self) -> &'static str {
        "DeleteObject"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.key)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_object(Method::DELETE, &self.bucket, &self.key)?;
        request.deletes = 1;
        request.query.extend(self.version_id.clone().map(|version| ("versionId", version)));
        set_header_if_some(&mut request, IF_MATCH.as_str(), self.if_match.as_deref())?;
        if let Some(time) = self.unmodified_since {
            set_header(&mut request, "x-amz-delete-if-unmodified-since", &timestamp::for_deletion(time)?)?;
        }
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<DeletedObject> {
        let response = answer::without_document(response).await?;
        Ok(DeletedObject {
            is_delete_marker: response.header("x-amz-delete-marker") == Some("true"),
            version_id: response.header("x-amz-version-id").map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::scripted::{Answer, play};

    #[tokio::test(start_paused = true)]
    async fn a_delete_marker_is_named() {
        let marked = Answer::new(204, "").header("x-amz-delete-marker", "true").header("x-amz-version-id", "m1");
        let played = play(DeleteObject::new("lake", "k"), [marked]).await;
        assert_eq!(played.lines(), ["DELETE /lake/k"]);
        let marker = DeletedObject { is_delete_marker: true, version_id: Some("m1".into()) };
        assert_eq!(played.outcome.unwrap(), marker);
        let played = play(DeleteObject::new("lake", "k"), [Answer::new(204, "")]).await;
        assert_eq!(played.outcome.unwrap(), DeletedObject::default());
    }

    #[tokio::test(start_paused = true)]
    async fn a_version_is_named() {
        let mut delete = DeleteObject::new("lake", "k");
        delete.version_id = Some("a+b".into());
        let removed = Answer::new(204, "").header("x-amz-version-id", "a+b");
        let played = play(delete, [removed]).await;
        assert_eq!(played.lines(), ["DELETE /lake/k?versionId=a%2Bb"]);
        assert_eq!(played.outcome.unwrap().version_id.as_deref(), Some("a+b"));
    }
}
