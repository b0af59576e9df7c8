//! A pending set: what one committed task has written, as one object.
//!
//! A line of JSON names the files; the bytes of those that were kept rather than uploaded follow it, one after the other.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::http::{Payload, Piece};
use crate::ops::{CompletedPart, ObjectAttributes};
use crate::transfer::pending::{PendingBody, PendingUpload};
use crate::{Error, ErrorKind, Result};

use super::{VERSION, internal};

/// What a task has written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PendingSet {
    version: u32,
    pub(super) job: String,
    pub(super) task: String,
    pub(super) attempt: String,
    pub(super) files: Vec<SetFile>,
    /// Uploads of earlier attempts whose pending set this one has replaced. The job's commit may have read that one, so
    /// only it can know when they are of no use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) replaced: Vec<ReplacedUpload>,
}

/// An upload that a replaced pending set has named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReplacedUpload {
    /// Path below the destination.
    pub(super) path: String,
    pub(super) id: String,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SetFile {
    /// Path below the destination.
    pub(super) path: String,
    /// Length in bytes.
    pub(super) length: u64,
    pub(super) content: SetContent,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SetContent {
    /// At the gateway.
    Upload {
        id: String,
        /// ETags of the parts, from part 1 on.
        parts: Vec<String>,
    },
    /// In the pending set, from this byte after the line on.
    Body { offset: u64, attributes: SetAttributes },
}

/// What will be stored beside the bytes of a file: [`ObjectAttributes`] as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SetAttributes {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    storage_class: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
}

impl From<&ObjectAttributes> for SetAttributes {
    fn from(attributes: &ObjectAttributes) -> Self {
        let ObjectAttributes { content_type, storage_class, metadata, .. } = attributes.clone();
        Self { content_type, storage_class, metadata }
    }
}

impl From<&SetAttributes> for ObjectAttributes {
    fn from(attributes: &SetAttributes) -> Self {
        let SetAttributes { content_type, storage_class, metadata } = attributes.clone();
        Self { content_type, storage_class, metadata, ..Self::default() }
    }
}

impl PendingSet {
    pub(super) fn new(job: &str, task: &str, attempt: &str) -> Self {
        let (job, task, attempt) = (job.to_owned(), task.to_owned(), attempt.to_owned());
        Self { version: VERSION, job, task, attempt, files: Vec::new(), replaced: Vec::new() }
    }

    /// Notes what `earlier`, which this set replaces, has named.
    pub(super) fn replace(&mut self, earlier: Self) {
        let own: HashSet<_> = self.files.iter().filter_map(SetFile::upload_id).collect();
        let named = earlier.files.iter().filter_map(|file| Some((file.path.as_str(), file.upload_id()?)));
        let named = named.filter(|(_, id)| !own.contains(id));
        let named = named.map(|(path, id)| ReplacedUpload { path: path.to_owned(), id: id.to_owned() });
        self.replaced = named.chain(earlier.replaced.iter().cloned()).collect();
    }

    /// Adds a file that was uploaded.
    pub(super) fn add_upload(&mut self, path: &str, upload: &PendingUpload) {
        let parts = upload.parts.iter().map(|part| part.etag.clone()).collect();
        let content = SetContent::Upload { id: upload.upload_id.clone(), parts };
        self.files.push(SetFile { path: path.to_owned(), length: upload.length, content });
    }

    /// Adds a file whose bytes will follow; `offset` is the number of bytes that precede them.
    pub(super) fn add_body(&mut self, path: &str, body: &PendingBody, attributes: &ObjectAttributes, offset: u64) {
        let content = SetContent::Body { offset, attributes: attributes.into() };
        self.files.push(SetFile { path: path.to_owned(), length: body.payload.len(), content });
    }

    /// The object's content, with `bodies` in the order in which they were added.
    ///
    /// # Errors
    /// `Internal` where JSON cannot hold it.
    pub(super) fn payload(&self, bodies: impl IntoIterator<Item = Payload>) -> Result<Payload> {
        let mut line = serde_json::to_vec(self).map_err(|failure| internal(&failure))?;
        line.push(b'\n');
        let mut pieces = vec![Piece::Memory(line.into())];
        bodies.into_iter().for_each(|body| pieces.extend_from_slice(body.pieces()));
        Ok(Payload::from_pieces(pieces))
    }

    /// Reads an object's content; the bytes after the line are given beside.
    ///
    /// # Errors
    /// `Corrupted` for what is no pending set, `Unsupported` for one of a newer version.
    pub(super) fn read(content: &Bytes) -> Result<(Self, Bytes)> {
        let corrupted = |why: String| Error::new(ErrorKind::Corrupted, format!("this is no pending set: {why}"));
        let end = content.iter().position(|byte| *byte == b'\n');
        let end = end.ok_or_else(|| corrupted("it has no first line".to_owned()))?;
        let set: Self = serde_json::from_slice(content.get(..end).unwrap_or_default())
            .map_err(|failure| corrupted(failure.to_string()))?;
        if set.version != VERSION {
            let message = format!("the pending set has version {}: use the s3core that wrote it", set.version);
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let bodies = content.slice(end + 1..);
        let kept = set.kept();
        if kept != bodies.len() as u64 {
            return Err(corrupted(format!("{kept} bytes should follow its first line, {} do", bodies.len())));
        }
        Ok((set, bodies))
    }

    /// Bytes of the files that are in the set.
    pub(super) fn kept(&self) -> u64 {
        self.files.iter().filter(|file| file.upload_id().is_none()).map(|file| file.length).sum()
    }
}

impl SetFile {
    /// Id of its upload; `None` where its bytes are in the set.
    pub(super) fn upload_id(&self) -> Option<&str> {
        match &self.content {
            SetContent::Upload { id, .. } => Some(id),
            SetContent::Body { .. } => None,
        }
    }
}

/// The parts of an upload by their ETags.
pub(super) fn completed_parts(etags: &[String]) -> Vec<CompletedPart> {
    (1..).zip(etags).map(|(number, etag)| CompletedPart { number, etag: etag.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> (PendingSet, Bytes) {
        let mut set = PendingSet::new("job", "task", "attempt");
        let parts = completed_parts(&["e1".to_owned(), "e2".to_owned()]);
        set.add_upload("day=1/a", &PendingUpload { upload_id: "2~x".into(), parts, length: 9 });
        let body = PendingBody { payload: Bytes::from_static(b"kept\n").into(), _memory: None };
        let attributes = ObjectAttributes { content_type: Some("text/plain".into()), ..ObjectAttributes::default() };
        set.add_body("b", &body, &attributes, 0);
        let payload = set.payload([body.payload]).unwrap();
        let bytes: Vec<u8> = payload
            .pieces()
            .iter()
            .flat_map(|piece| match piece {
                Piece::Memory(bytes) => bytes.to_vec(),
                Piece::File { .. } => panic!("nothing was spilled"),
            })
            .collect();
        (set, bytes.into())
    }

    #[test]
    fn what_is_written_is_read() {
        let (set, content) = example();
        let (read, bodies) = PendingSet::read(&content).unwrap();
        assert_eq!((read, bodies.as_ref()), (set, b"kept\n".as_slice()));
    }

    #[test]
    fn what_is_cut_or_newer_is_refused() {
        let (mut set, content) = example();
        let kind = |content: &[u8]| PendingSet::read(&Bytes::copy_from_slice(content)).unwrap_err().kind();
        assert_eq!(kind(&content[..content.len() - 1]), ErrorKind::Corrupted);
        assert_eq!(kind(&content[..10]), ErrorKind::Corrupted);
        assert_eq!(kind(b"{}\n"), ErrorKind::Corrupted);
        set.version = 2;
        let mut newer = serde_json::to_vec(&set).unwrap();
        newer.push(b'\n');
        assert_eq!(kind(&newer), ErrorKind::Unsupported);
    }
}
