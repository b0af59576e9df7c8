//! Where bytes lie: blobs that never change, and the runs of bytes of which objects are made.
//!
//! An object is a list of extents, so a copy shares the bytes of its source and completing a
//! multipart upload moves none.

mod writer;

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

pub(crate) use self::writer::{BlobWriter, FileWriter, MemoryWriter, TemporaryFile};

/// Bytes handed to the connection in one piece. Large, so that a GET costs few system calls.
pub(crate) const PIECE: usize = 1024 * 1024;

/// The content of an object or a part: extents in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Data {
    extents: Vec<Extent>,
    length: u64,
}

impl Data {
    pub(crate) fn new(extents: Vec<Extent>) -> Self {
        let length = extents.iter().map(|extent| extent.length).sum();
        Self { extents, length }
    }

    /// Length in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn extents(&self) -> &[Extent] {
        &self.extents
    }

    /// The bytes of `range`, which is cut to the length of the data.
    pub(crate) fn slice(&self, range: Range<u64>) -> Self {
        let mut extents = Vec::new();
        let mut start = 0;
        for extent in &self.extents {
            let end = start + extent.length;
            let from = range.start.max(start);
            let to = range.end.min(end);
            if from < to {
                extents.push(Extent {
                    blob: Arc::clone(&extent.blob),
                    offset: extent.offset + (from - start),
                    length: to - from,
                });
            }
            start = end;
        }
        Self::new(extents)
    }

    pub(crate) fn reader(self) -> DataReader {
        DataReader { extents: self.extents.into_iter(), current: None, remaining: self.length }
    }
}

impl FromIterator<Self> for Data {
    fn from_iter<T: IntoIterator<Item = Self>>(all: T) -> Self {
        Self::new(all.into_iter().flat_map(|data| data.extents).collect())
    }
}

/// A run of bytes in a blob.
#[derive(Clone, Debug)]
pub(crate) struct Extent {
    pub(crate) blob: Arc<Blob>,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// Reads data piece by piece; a piece has at most [`PIECE`] bytes and is never empty.
#[derive(Debug)]
pub(crate) struct DataReader {
    extents: std::vec::IntoIter<Extent>,
    current: Option<(Extent, Option<File>)>,
    remaining: u64,
}

impl DataReader {
    /// Bytes not read yet.
    pub(crate) fn remaining(&self) -> u64 {
        self.remaining
    }

    pub(crate) fn next_piece(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            let Some((extent, file)) = &mut self.current else {
                match self.extents.next() {
                    None => return Ok(None),
                    Some(extent) => {
                        let file = extent.blob.open(extent.offset)?;
                        self.current = Some((extent, file));
                        continue;
                    }
                }
            };
            if extent.length == 0 {
                self.current = None;
                continue;
            }
            let piece = match (&*extent.blob, file) {
                (Blob::Memory(memory), _) => memory.piece(extent.offset, extent.length),
                (Blob::File(_), Some(file)) => read_piece(file, extent.length)?,
                (Blob::File(_), None) => Bytes::new(),
            };
            if piece.is_empty() {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "stored data are shorter than their metadata say",
                ));
            }
            let length = piece.len() as u64;
            extent.offset += length;
            extent.length -= length;
            self.remaining -= length;
            return Ok(Some(piece));
        }
    }
}

fn read_piece(file: &File, limit: u64) -> io::Result<Bytes> {
    let wanted = usize::try_from(limit).map_or(PIECE, |limit| limit.min(PIECE));
    let mut buffer = Vec::with_capacity(wanted);
    // read_to_end fills spare capacity without zeroing it first.
    file.take(wanted as u64).read_to_end(&mut buffer)?;
    Ok(buffer.into())
}

/// The bytes of one upload body. Never changes once written.
#[derive(Debug)]
pub(crate) enum Blob {
    Memory(MemoryBlob),
    File(FileBlob),
}

impl Blob {
    fn open(&self, offset: u64) -> io::Result<Option<File>> {
        match self {
            Self::Memory(_) => Ok(None),
            Self::File(blob) => {
                let mut file = File::open(&blob.path)?;
                file.seek(SeekFrom::Start(offset))?;
                Ok(Some(file))
            }
        }
    }
}

/// A blob in memory: segments of [`PIECE`] bytes, the last one shorter.
#[derive(Debug)]
pub(crate) struct MemoryBlob {
    segments: Vec<Bytes>,
}

impl MemoryBlob {
    fn piece(&self, offset: u64, limit: u64) -> Bytes {
        let piece = PIECE as u64;
        let Some(segment) = usize::try_from(offset / piece).ok().and_then(|index| self.segments.get(index)) else {
            return Bytes::new();
        };
        let from = ((offset % piece) as usize).min(segment.len());
        let to = usize::try_from(limit).map_or(segment.len(), |limit| (from.saturating_add(limit)).min(segment.len()));
        segment.slice(from..to)
    }
}

/// A blob in a file. The file goes when neither a reader nor metadata on disk need it any more.
#[derive(Debug)]
pub(crate) struct FileBlob {
    path: PathBuf,
    name: String,
    /// Metadata files that name this blob. Kept apart from the `Arc`'s count, so that a gateway
    /// that stops keeps the files and a GET under way keeps reading what was deleted.
    references: AtomicUsize,
}

impl FileBlob {
    pub(crate) fn new(path: PathBuf, name: String) -> Self {
        Self { path, name, references: AtomicUsize::new(0) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn retain(&self) {
        self.references.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn release(&self) {
        self.references.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for FileBlob {
    fn drop(&mut self) {
        if self.references.load(Ordering::Relaxed) == 0 {
            // Failing costs disk space only: the next start removes files that nothing names.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_was_written_in_odd_steps() {
        let content: Vec<u8> = (0..3 * PIECE + 77).map(|index| (index % 251) as u8).collect();
        let data = memory(&content, 65_537);
        assert_eq!(data.length(), content.len() as u64);
        assert_eq!(read(data), content);
    }

    #[test]
    fn slices_across_extents_and_segments() {
        let content: Vec<u8> = (0..2 * PIECE + 10).map(|index| (index % 249) as u8).collect();
        let (left, right) = content.split_at(PIECE + 3);
        let data: Data = [memory(left, 1000), memory(right, 1000)].into_iter().collect();
        for range in [0..1, 0..content.len(), PIECE..PIECE + 9, PIECE + 2..2 * PIECE + 10, 5..5] {
            let slice = data.slice(range.start as u64..range.end as u64);
            assert_eq!(read(slice), content[range]);
        }
    }

    #[test]
    fn slice_beyond_the_end_is_cut() {
        assert_eq!(read(memory(b"hello", 2).slice(3..100)), b"lo");
    }

    #[test]
    fn file_blob_goes_with_its_last_reader_unless_metadata_name_it() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("aa/blob");
        let write = || {
            let mut writer = BlobWriter::File(
                FileWriter::create(folder.path().join("temporary"), target.clone(), "blob".to_owned()).unwrap(),
            );
            writer.write(b"some bytes").unwrap();
            writer.finish().unwrap()
        };
        let data = write();
        assert_eq!(read(data.slice(5..10)), b"bytes");
        assert!(target.exists());
        drop(data);
        assert!(!target.exists());

        let data = write();
        let Blob::File(blob) = &*data.extents()[0].blob else { panic!("not a file") };
        blob.retain();
        drop(data);
        assert!(target.exists());
    }

    fn memory(content: &[u8], step: usize) -> Data {
        let mut writer = BlobWriter::Memory(MemoryWriter::new(None));
        for chunk in content.chunks(step) {
            writer.write(chunk).unwrap();
        }
        writer.finish().unwrap()
    }

    fn read(data: Data) -> Vec<u8> {
        let mut reader = data.reader();
        let mut all = Vec::new();
        while let Some(piece) = reader.next_piece().unwrap() {
            assert!(piece.len() <= PIECE);
            all.extend_from_slice(&piece);
        }
        assert_eq!(reader.remaining(), 0);
        all
    }
}
