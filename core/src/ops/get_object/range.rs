//! Which bytes of an object a read is about.

use std::ops::Range;

use crate::{Error, ErrorKind, Result};

/// Which bytes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// From this offset to the end.
    From(u64),
    /// So many bytes (at least 1) from an offset, or fewer where the object ends before.
    At {
        /// Offset of the first byte.
        start: u64,
        /// Number of bytes.
        length: u64,
    },
    /// The last so many bytes (at least 1), or all where the object is shorter.
    Last(u64),
}

impl ByteRange {
    pub(super) fn header(self) -> Result<String> {
        match self {
            Self::At { length: 0, .. } | Self::Last(0) => {
                Err(Error::new(ErrorKind::InvalidOption, "a range of no bytes cannot be asked for"))
            }
            Self::From(start) => Ok(format!("bytes={start}-")),
            Self::At { start, length } => Ok(format!("bytes={start}-{}", start.saturating_add(length - 1))),
            Self::Last(length) => Ok(format!("bytes=-{length}")),
        }
    }

    /// The bytes that this means in an object of that length.
    pub(super) fn within(self, total: u64) -> Range<u64> {
        match self {
            Self::From(start) => start.min(total)..total,
            Self::At { start, length } => start.min(total)..start.saturating_add(length).min(total),
            Self::Last(length) => total.saturating_sub(length)..total,
        }
    }
}
