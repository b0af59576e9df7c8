//! In which ways a server answers unlike AWS S3: one table of behaviours, a row per release.
//!
//! Each row was measured on that Radosgw release (Pacific 16.2.15, Reef 18.2.7, Tentacle 20.2.4).

use std::fmt;
use std::str::FromStr;

/// The server whose behaviour the gateway shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quirks {
    /// AWS S3 as documented.
    #[default]
    Aws,
    /// Radosgw of Ceph 16.
    Pacific,
    /// Radosgw of Ceph 18.
    Reef,
    /// Radosgw of Ceph 20.
    Tentacle,
}

impl Quirks {
    /// Every server the gateway can show.
    pub const ALL: [Self; 4] = [Self::Aws, Self::Pacific, Self::Reef, Self::Tentacle];

    /// The name used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Pacific => "pacific",
            Self::Reef => "reef",
            Self::Tentacle => "tentacle",
        }
    }

    pub(crate) fn behaviour(self) -> &'static Behaviour {
        match self {
            Self::Aws => &AWS,
            Self::Pacific => &PACIFIC,
            Self::Reef => &REEF,
            Self::Tentacle => &TENTACLE,
        }
    }
}

impl fmt::Display for Quirks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Quirks {
    type Err = UnknownQuirks;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|quirks| quirks.name() == name).ok_or_else(|| UnknownQuirks(name.to_owned()))
    }
}

/// A name that is not one of [`Quirks::ALL`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown quirks {0:?}; known are aws, pacific, reef and tentacle")]
pub struct UnknownQuirks(String);

/// How one server behaves where servers differ.
#[derive(Debug)]
pub(crate) struct Behaviour {
    /// PutObject takes the quotes off `If-Match`. Where it does not, only a bare ETag ever matches.
    pub(crate) put_if_match_unquotes: bool,
    /// A write with `If-Match` to a key that is not there is a 404, else a 412.
    pub(crate) put_if_match_missing_is_404: bool,
    /// CompleteMultipartUpload honours `If-Match` and `If-None-Match`.
    pub(crate) conditional_complete: bool,
    /// DeleteObject and DeleteObjects honour `If-Match` and its kin.
    pub(crate) conditional_delete: bool,
    /// CopyObject honours `If-None-Match` and `If-Match` for its target.
    pub(crate) conditional_copy: bool,
    /// The name of the headers that CopyObject reads conditions on its source from.
    pub(crate) copy_source_conditions: CopySourceConditions,
    /// What becomes of `x-amz-checksum-*`.
    pub(crate) checksums: Checksums,
    /// GetObjectAttributes answers; where not, with a 500.
    pub(crate) object_attributes: bool,
    /// GetObject and HeadObject honour `partNumber`.
    pub(crate) part_number: bool,
    /// The ETag element in the answer of CompleteMultipartUpload.
    pub(crate) complete_etag: EtagElement,
    /// The same when the request is repeated after it succeeded.
    pub(crate) replay_etag: EtagElement,
    /// The ETag element in the answer of UploadPartCopy.
    pub(crate) part_copy_etag: EtagElement,
    /// CompleteMultipartUpload sorts the parts listed, and refuses a list that leaves one out.
    pub(crate) complete_takes_all_parts: bool,
    /// Part numbers are 1 to 10,000.
    pub(crate) checks_part_numbers: bool,
    /// ListParts of an unknown upload is a NoSuchKey, not a NoSuchUpload.
    pub(crate) list_parts_no_such_key: bool,
    /// UploadPartCopy decodes the source's key once too often: `a%20b` copies `a b` if that is
    /// there. Those servers crash at a `%` that starts no escape, which is a NoSuchKey here.
    pub(crate) part_source_decoded_twice: bool,
    /// The ETag element in the answer of CopyObject.
    pub(crate) copy_etag: EtagElement,
    /// CompleteMultipartUpload of an unknown upload is a 500 that claims a completion in progress,
    /// not a 404.
    pub(crate) complete_unknown_is_500: bool,
    /// PutObjectTagging and PutObjectAcl set LastModified.
    pub(crate) tagging_modifies: bool,
    /// DeleteObject honours `x-amz-delete-if-unmodified-since`.
    pub(crate) delete_if_unmodified_since: bool,
    /// An empty body in aws-chunked form is refused with XAmzContentSHA256Mismatch.
    pub(crate) refuses_empty_chunked: bool,
    /// LastModified has no milliseconds in lists.
    pub(crate) whole_seconds: bool,
    /// The most keys in a page of ListObjects.
    pub(crate) max_keys: usize,
    /// Storage classes that exist without configuration.
    pub(crate) storage_classes: &'static [&'static str],
    /// The error code for another storage class.
    pub(crate) storage_class_error: &'static str,
}

/// See [`Behaviour::copy_source_conditions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CopySourceConditions {
    /// `x-amz-copy-source-if-match` and its kin.
    Aws,
    /// `x-amz-copy-if-match` and its kin; those of AWS are ignored.
    Radosgw,
}

/// See [`Behaviour::checksums`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checksums {
    /// Checked and kept.
    Kept,
    /// Checked and kept when `x-amz-sdk-checksum-algorithm` is sent as well, else dropped.
    KeptWhenNamed,
    /// Dropped without a word.
    Dropped,
}

/// How an ETag stands in an XML answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EtagElement {
    Quoted,
    Bare,
    Empty,
}

const AWS: Behaviour = Behaviour {
    put_if_match_unquotes: true,
    put_if_match_missing_is_404: true,
    conditional_complete: true,
    conditional_delete: true,
    conditional_copy: true,
    copy_source_conditions: CopySourceConditions::Aws,
    checksums: Checksums::Kept,
    object_attributes: true,
    part_number: true,
    complete_etag: EtagElement::Quoted,
    replay_etag: EtagElement::Quoted,
    part_copy_etag: EtagElement::Quoted,
    complete_takes_all_parts: false,
    checks_part_numbers: true,
    list_parts_no_such_key: false,
    part_source_decoded_twice: false,
    copy_etag: EtagElement::Quoted,
    complete_unknown_is_500: false,
    tagging_modifies: false,
    delete_if_unmodified_since: false,
    refuses_empty_chunked: false,
    whole_seconds: true,
    max_keys: 1000,
    storage_classes: &[
        "STANDARD",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER",
        "GLACIER_IR",
        "DEEP_ARCHIVE",
    ],
    storage_class_error: "InvalidStorageClass",
};

const PACIFIC: Behaviour = Behaviour {
    put_if_match_unquotes: false,
    put_if_match_missing_is_404: false,
    conditional_complete: false,
    conditional_delete: false,
    conditional_copy: false,
    copy_source_conditions: CopySourceConditions::Radosgw,
    checksums: Checksums::Dropped,
    object_attributes: false,
    part_number: false,
    complete_etag: EtagElement::Empty,
    replay_etag: EtagElement::Bare,
    part_copy_etag: EtagElement::Bare,
    complete_takes_all_parts: true,
    checks_part_numbers: false,
    list_parts_no_such_key: true,
    part_source_decoded_twice: true,
    copy_etag: EtagElement::Bare,
    complete_unknown_is_500: true,
    tagging_modifies: true,
    delete_if_unmodified_since: true,
    refuses_empty_chunked: true,
    whole_seconds: false,
    max_keys: 1000,
    storage_classes: &["STANDARD", "COLD"],
    storage_class_error: "InvalidArgument",
};

const REEF: Behaviour = Behaviour {
    copy_source_conditions: CopySourceConditions::Aws,
    complete_etag: EtagElement::Bare,
    replay_etag: EtagElement::Empty,
    copy_etag: EtagElement::Quoted,
    tagging_modifies: false,
    refuses_empty_chunked: false,
    ..PACIFIC
};

const TENTACLE: Behaviour = Behaviour {
    put_if_match_unquotes: true,
    put_if_match_missing_is_404: true,
    conditional_complete: true,
    conditional_delete: true,
    checksums: Checksums::KeptWhenNamed,
    object_attributes: true,
    part_number: true,
    complete_etag: EtagElement::Quoted,
    replay_etag: EtagElement::Quoted,
    part_copy_etag: EtagElement::Quoted,
    part_source_decoded_twice: false,
    whole_seconds: true,
    max_keys: 5000,
    ..REEF
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_understood() {
        for quirks in Quirks::ALL {
            assert_eq!(quirks.to_string().parse(), Ok(quirks));
        }
    }

    #[test]
    fn unknown_name_is_told_with_the_known_ones() {
        let message = "squid".parse::<Quirks>().unwrap_err().to_string();
        assert!(message.contains("\"squid\""), "{message}");
        for quirks in Quirks::ALL {
            assert!(message.contains(quirks.name()), "{message}");
        }
    }
}
