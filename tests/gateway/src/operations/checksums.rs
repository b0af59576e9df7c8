//! `x-amz-checksum-*`: which ones a request carries, and computing them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::{S3Error, S3ErrorCode, S3Result};

use crate::operations::Operations;
use crate::operations::attributes::text;
use crate::quirks::Checksums;
use crate::storage::blob::Data;
use crate::storage::object::{Checksum, ChecksumAlgorithm, Part};

impl ChecksumAlgorithm {
    const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// The name in `x-amz-checksum-algorithm`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    fn header(self) -> String {
        format!("x-amz-checksum-{}", self.name().to_ascii_lowercase())
    }

    fn hasher(self) -> ChecksumHasher {
        let mut hasher = ChecksumHasher::default();
        match self {
            Self::Crc32 => hasher.crc32 = Some(Crc32::new()),
            Self::Crc32c => hasher.crc32c = Some(Crc32c::new()),
            Self::Crc64Nvme => hasher.crc64nvme = Some(Crc64Nvme::new()),
            Self::Sha1 => hasher.sha1 = Some(Sha1::new()),
            Self::Sha256 => hasher.sha256 = Some(Sha256::new()),
        }
        hasher
    }

    fn value(self, hasher: ChecksumHasher) -> String {
        let checksums = hasher.finalize();
        match self {
            Self::Crc32 => checksums.checksum_crc32,
            Self::Crc32c => checksums.checksum_crc32c,
            Self::Crc64Nvme => checksums.checksum_crc64nvme,
            Self::Sha1 => checksums.checksum_sha1,
            Self::Sha256 => checksums.checksum_sha256,
        }
        .unwrap_or_default()
    }
}

impl Operations {
    /// Whether checksums are kept that a request with these headers names.
    pub(super) fn keeps_checksums(&self, headers: &HeaderMap) -> bool {
        match self.behaviour().checksums {
            Checksums::Kept => true,
            Checksums::KeptWhenNamed => {
                headers.contains_key("x-amz-sdk-checksum-algorithm")
                    || headers.contains_key("x-amz-checksum-algorithm")
                    || headers.contains_key("x-amz-trailer")
            }
            Checksums::Dropped => false,
        }
    }

    /// What to compute while the body of this request arrives.
    pub(super) fn expected_checksum(&self, headers: &HeaderMap) -> Option<ExpectedChecksum> {
        if !self.keeps_checksums(headers) {
            return None;
        }
        let trailer = text(headers, "x-amz-trailer").map(str::to_ascii_lowercase);
        ChecksumAlgorithm::ALL.into_iter().find_map(|algorithm| {
            let header = algorithm.header();
            let value = text(headers, &header).map(str::to_owned);
            (value.is_some() || trailer.as_ref() == Some(&header)).then(|| ExpectedChecksum {
                algorithm,
                hasher: algorithm.hasher(),
                value,
            })
        })
    }
}

/// A checksum under computation, with the value that the client claims.
pub(super) struct ExpectedChecksum {
    algorithm: ChecksumAlgorithm,
    hasher: ChecksumHasher,
    /// None until the trailer of the body has come.
    value: Option<String>,
}

impl ExpectedChecksum {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// Compares with the claimed value, which is in `trailer` when it was in no header.
    pub(super) fn verify(self, trailer: Option<&HeaderMap>) -> S3Result<Checksum> {
        let computed = self.algorithm.value(self.hasher);
        let claimed = self.value.or_else(|| text(trailer?, &self.algorithm.header()).map(str::to_owned));
        if claimed.as_ref() != Some(&computed) {
            let message = format!("The {} you specified did not match the calculated checksum.", self.algorithm.name());
            return Err(S3Error::with_message(S3ErrorCode::BadDigest, message));
        }
        Ok(Checksum { algorithm: self.algorithm, value: computed, full_object: true })
    }
}

/// The checksum of a completed upload; none when a part came without one.
pub(super) fn of_upload(
    algorithm: ChecksumAlgorithm,
    full_object: bool,
    parts: &[&Part],
    data: &Data,
) -> std::io::Result<Option<Checksum>> {
    let mut hasher = algorithm.hasher();
    let value = if full_object {
        let mut reader = data.clone().reader();
        while let Some(piece) = reader.next_piece()? {
            hasher.update(&piece);
        }
        algorithm.value(hasher)
    } else {
        for part in parts {
            let checksum = part.checksums.iter().find(|checksum| checksum.algorithm == algorithm);
            let Some(bytes) = checksum.and_then(|checksum| BASE64_STANDARD.decode(&checksum.value).ok()) else {
                return Ok(None);
            };
            hasher.update(&bytes);
        }
        format!("{}-{}", algorithm.value(hasher), parts.len())
    };
    Ok(Some(Checksum { algorithm, value, full_object }))
}

/// Fills the checksum fields of an S3 answer from the checksums kept.
macro_rules! set_checksums {
    ($output:expr, $checksums:expr) => {
        for checksum in $checksums {
            let value = Some(checksum.value.clone());
            match checksum.algorithm {
                $crate::storage::object::ChecksumAlgorithm::Crc32 => $output.checksum_crc32 = value,
                $crate::storage::object::ChecksumAlgorithm::Crc32c => $output.checksum_crc32c = value,
                $crate::storage::object::ChecksumAlgorithm::Crc64Nvme => $output.checksum_crc64nvme = value,
                $crate::storage::object::ChecksumAlgorithm::Sha1 => $output.checksum_sha1 = value,
                $crate::storage::object::ChecksumAlgorithm::Sha256 => $output.checksum_sha256 = value,
            }
        }
    };
}
pub(super) use set_checksums;

/// The `x-amz-checksum-type` of what is kept.
pub(super) fn checksum_type(checksums: &[Checksum]) -> Option<s3s::dto::ChecksumType> {
    checksums.first().map(|checksum| {
        let name = if checksum.full_object { "FULL_OBJECT" } else { "COMPOSITE" };
        s3s::dto::ChecksumType::from(name.to_owned())
    })
}
