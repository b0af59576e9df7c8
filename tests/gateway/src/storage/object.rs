//! What the storage keeps about an object, an upload and a part.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::storage::blob::Data;

/// One version of one key. Replaced as a whole, never changed.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) key: String,
    /// Without quotes: an MD5 in hexadecimal, or `<md5 of md5s>-<parts>`.
    pub(crate) etag: String,
    /// Milliseconds since 1970.
    pub(crate) modified: i64,
    pub(crate) attributes: Attributes,
    pub(crate) checksums: Vec<Checksum>,
    /// Lengths of the parts in bytes, empty when it was not a multipart upload.
    pub(crate) parts: Vec<u64>,
    pub(crate) data: Data,
}

/// What the writer said about an object, and what it gets back with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attributes {
    /// Standard headers such as `content-type` and `cache-control`, by lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    /// `x-amz-meta-*` without that prefix.
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) storage_class: String,
    pub(crate) tags: Vec<(String, String)>,
    /// Who may do what; `None` stands for full control of the owner, and nobody else.
    #[serde(default)]
    pub(crate) acl: Option<Vec<Grant>>,
}

/// One right of an access control list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) grantee: Grantee,
    /// As S3 spells it, `READ`.
    pub(crate) permission: String,
}

/// Who has a right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Grantee {
    /// By id.
    User(String),
    /// By URI.
    Group(String),
}

/// A checksum as S3 words it: `x-amz-checksum-crc32c` has the algorithm `CRC32C`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checksum {
    pub(crate) algorithm: ChecksumAlgorithm,
    /// Base64; `<base64>-<parts>` when it was computed of the checksums of the parts.
    pub(crate) value: String,
    pub(crate) full_object: bool,
}

/// The algorithms of `x-amz-checksum-*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum ChecksumAlgorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// A multipart upload under way.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) id: String,
    pub(crate) key: String,
    /// Milliseconds since 1970.
    pub(crate) initiated: i64,
    pub(crate) attributes: Attributes,
    /// Asked for at creation: the algorithm, and whether the checksum covers the whole object.
    pub(crate) checksum: Option<(ChecksumAlgorithm, bool)>,
    pub(crate) parts: BTreeMap<u32, Part>,
}

/// One part of an upload.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) md5: [u8; 16],
    /// Milliseconds since 1970.
    pub(crate) modified: i64,
    pub(crate) checksums: Vec<Checksum>,
    pub(crate) data: Data,
}
