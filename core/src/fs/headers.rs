//! What S3 says of an object besides its bytes.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::ops::{HeadObject, METADATA_PREFIX, ObjectHead, WriteId};
use crate::{ErrorKind, Result};

use super::{FileSystem, keys};

/// What S3 says of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// Headers by their names in lower case; user metadata with its prefix `x-amz-meta-`. ETags are without quotes.
    pub texts: BTreeMap<String, String>,
    /// When it was written; `None` for a directory without a marker.
    pub modified: Option<SystemTime>,
}

const CONTENT_LENGTH: &str = "content-length";
const CONTENT_TYPE: &str = "content-type";
/// Content type of markers, as S3A's.
pub(super) const DIRECTORY: &str = "application/x-directory";

impl FileSystem {
    /// The headers of a file, or of the marker of a directory. One request for a file.
    ///
    /// # Errors
    /// `NotFound` where nothing stands at `path`.
    pub async fn headers(&self, path: &str) -> Result<Headers> {
        if keys::is_root(path) {
            self.check_bucket().await?;
            return Ok(of_directory());
        }
        if let Some(pending) = self.pending_status(path) {
            let mut headers = of_directory();
            if !pending.is_directory {
                headers.texts.remove(CONTENT_TYPE);
                headers.texts.insert(CONTENT_LENGTH.to_owned(), pending.length.to_string());
            }
            return Ok(headers);
        }
        for key in [path, &keys::directory(path)] {
            match self.gateway().run(HeadObject::new(self.bucket(), key)).await {
                Ok(head) => return Ok(of_object(head)),
                Err(failure) if failure.kind() == ErrorKind::NotFound => {}
                Err(failure) => return Err(self.with_reason(key, failure).await),
            }
        }
        if self.has_keys_below(path).await? { Ok(of_directory()) } else { Err(self.not_found(path)) }
    }
}

fn of_directory() -> Headers {
    let texts = [(CONTENT_LENGTH, "0"), (CONTENT_TYPE, DIRECTORY)];
    Headers { texts: texts.map(|(name, text)| (name.to_owned(), text.to_owned())).into(), modified: None }
}

fn of_object(head: ObjectHead) -> Headers {
    let known = [
        (CONTENT_LENGTH, Some(head.length.to_string())),
        (CONTENT_TYPE, head.content_type),
        ("etag", head.etag),
        ("x-amz-storage-class", head.storage_class),
    ];
    let known = known.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?)));
    let others = head.others.into_iter().map(|(name, text)| (name.to_owned(), text));
    let metadata = head.metadata.into_iter().filter(|(name, _)| name != WriteId::METADATA);
    let metadata = metadata.map(|(name, text)| (format!("{METADATA_PREFIX}{name}"), text));
    Headers { texts: known.chain(others).chain(metadata).collect(), modified: head.modified }
}
