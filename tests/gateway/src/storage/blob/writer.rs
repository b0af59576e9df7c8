//! Blobs in the making: bytes are taken in order, and a blob is there when all have come.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::storage::blob::{Blob, Data, Extent, FileBlob, MemoryBlob, PIECE};

/// Takes the bytes of one upload body in order.
#[derive(Debug)]
pub(crate) enum BlobWriter {
    Memory(MemoryWriter),
    File(FileWriter),
}

impl BlobWriter {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Memory(writer) => {
                writer.write(bytes);
                Ok(())
            }
            Self::File(writer) => writer.write(bytes),
        }
    }

    /// Makes the bytes written so far a blob.
    pub(crate) fn finish(self) -> io::Result<Data> {
        let (blob, length) = match self {
            Self::Memory(writer) => writer.finish(),
            Self::File(writer) => writer.finish()?,
        };
        Ok(Data::new(vec![Extent { blob: Arc::new(blob), offset: 0, length }]))
    }
}

/// Gathers bytes in segments, so that large objects need no large allocation and small ones
/// do not hold on to the connection's buffer.
#[derive(Debug)]
pub(crate) struct MemoryWriter {
    segments: Vec<Bytes>,
    current: BytesMut,
    expected: usize,
    length: u64,
}

impl MemoryWriter {
    /// `expected` is the length in bytes, where known; it only sizes the buffers.
    pub(crate) fn new(expected: Option<u64>) -> Self {
        Self {
            segments: Vec::new(),
            current: BytesMut::new(),
            expected: expected.and_then(|length| usize::try_from(length).ok()).unwrap_or(PIECE),
            length: 0,
        }
    }

    fn write(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len() as u64;
        while !bytes.is_empty() {
            if self.current.capacity() == 0 {
                self.current = BytesMut::with_capacity(self.expected.clamp(1, PIECE));
            }
            let (head, rest) = bytes.split_at(bytes.len().min(PIECE - self.current.len()));
            self.current.extend_from_slice(head);
            bytes = rest;
            if self.current.len() == PIECE {
                self.segments.push(std::mem::take(&mut self.current).freeze());
                self.expected = self.expected.saturating_sub(PIECE);
            }
        }
    }

    fn finish(mut self) -> (Blob, u64) {
        if !self.current.is_empty() {
            self.segments.push(self.current.freeze());
        }
        let blob = MemoryBlob { segments: self.segments };
        (Blob::Memory(blob), self.length)
    }
}

/// Writes to a temporary file that gets its name when it is complete.
#[derive(Debug)]
pub(crate) struct FileWriter {
    file: File,
    temporary: TemporaryFile,
    target: PathBuf,
    name: String,
    length: u64,
}

impl FileWriter {
    pub(crate) fn create(temporary: PathBuf, target: PathBuf, name: String) -> io::Result<Self> {
        Ok(Self {
            file: File::create_new(&temporary)?,
            temporary: TemporaryFile(Some(temporary)),
            target,
            name,
            length: 0,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn finish(self) -> io::Result<(Blob, u64)> {
        self.temporary.rename(&self.target)?;
        Ok((Blob::File(FileBlob::new(self.target, self.name)), self.length))
    }
}

/// A file that is removed unless it was renamed.
#[derive(Debug)]
pub(crate) struct TemporaryFile(Option<PathBuf>);

impl TemporaryFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(Some(path))
    }

    /// Renames to `target`, making its folder where that is missing.
    pub(crate) fn rename(mut self, target: &Path) -> io::Result<()> {
        let Some(path) = self.0.take() else {
            return Ok(());
        };
        let renamed = match fs::rename(&path, target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                target.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::rename(&path, target))
            }
            other => other,
        };
        if renamed.is_err() {
            self.0 = Some(path);
        }
        renamed
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_file_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let temporary = folder.path().join("temporary");
        let mut writer = FileWriter::create(temporary.clone(), folder.path().join("blob"), "blob".to_owned()).unwrap();
        writer.write(b"half").unwrap();
        assert!(temporary.exists());
        drop(writer);
        assert!(!temporary.exists());
    }
}
