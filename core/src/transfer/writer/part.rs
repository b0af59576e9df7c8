//! The part that a writer fills: chunks of memory that grow in small steps, behind what was spilled to a file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::http::{Payload, Piece};
use crate::ops::{PayloadDigest, PayloadHasher};
use crate::transfer::budget::{MemoryBudget, Reservation, SMALLEST};
use crate::{Error, ErrorKind, Result};

/// Chunks grow with the part, so that many small files waste little, up to this size.
const LARGEST_CHUNK: u64 = 1 << 20;

/// One part of an upload while it is filled. Whoever owns it owns its memory and its file.
#[derive(Default)]
pub(super) struct PartBuffer {
    spilled: Option<Spilled>,
    full_chunks: Vec<Bytes>,
    chunk: BytesMut,
    /// Bytes of `chunk` that may be filled: what is reserved for it.
    room: usize,
    reservation: Option<Reservation>,
    length: u64,
    hasher: PayloadHasher,
}

/// The beginning of a part, in an unnamed file that vanishes with its last owner.
pub(super) struct Spilled {
    file: File,
    length: u64,
}

/// What became of data that was to be appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Appended {
    /// Bytes that were taken.
    pub(super) taken: usize,
    /// The part has reached its size.
    pub(super) full: bool,
    /// Bytes of memory that the next chunk needs and that were not free; 0 where none are needed.
    pub(super) wants: u64,
}

impl PartBuffer {
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Bytes of the budget that it holds.
    pub(super) fn memory(&self) -> u64 {
        self.reservation.as_ref().map_or(0, Reservation::bytes)
    }

    /// Takes as much of `data` as the part's `size` and the free memory allow, and digests it on the way.
    pub(super) fn append(&mut self, data: &[u8], size: u64, budget: &MemoryBudget) -> Appended {
        let mut taken = 0;
        loop {
            let left = usize::try_from(size.saturating_sub(self.length)).unwrap_or(usize::MAX);
            let rest = data.get(taken..).unwrap_or_default();
            if left == 0 || rest.is_empty() {
                return Appended { taken, full: left == 0, wants: 0 };
            }
            if self.room == 0 {
                let next = self.next_chunk(size);
                let Some(reservation) = budget.try_reserve(next).or_else(|| budget.try_reserve(SMALLEST)) else {
                    return Appended { taken, full: false, wants: SMALLEST };
                };
                self.grow(reservation);
            }
            let step = rest.len().min(self.room).min(left);
            let (step_bytes, _) = rest.split_at(step);
            self.chunk.extend_from_slice(step_bytes);
            self.hasher.update(step_bytes);
            self.room -= step;
            self.length += step as u64;
            taken += step;
        }
    }

    fn next_chunk(&self, size: u64) -> u64 {
        let grown = (self.length / 4).next_power_of_two().clamp(SMALLEST, LARGEST_CHUNK);
        grown.min(size.saturating_sub(self.length).next_multiple_of(SMALLEST))
    }

    /// Begins a chunk in `reservation`.
    pub(super) fn grow(&mut self, reservation: Reservation) {
        self.end_chunk();
        self.room = usize::try_from(reservation.bytes()).unwrap_or(usize::MAX);
        self.chunk = BytesMut::with_capacity(self.room);
        match &mut self.reservation {
            Some(all) => all.merge(reservation),
            None => self.reservation = Some(reservation),
        }
    }

    fn end_chunk(&mut self) {
        let chunk = std::mem::take(&mut self.chunk).freeze();
        if !chunk.is_empty() {
            self.full_chunks.push(chunk);
        }
        self.room = 0;
    }

    /// The body to send, its digest, and the memory that it stays in until it was sent.
    pub(super) fn into_payload(mut self) -> (Payload, PayloadDigest, Option<Reservation>) {
        self.end_chunk();
        let spilled =
            self.spilled.map(|Spilled { file, length }| Piece::File { file: Arc::new(file), offset: 0, length });
        let memory = self.full_chunks.into_iter().map(Piece::Memory);
        let payload = Payload::from_pieces(spilled.into_iter().chain(memory).collect());
        (payload, self.hasher.finish(), self.reservation.map(Reservation::now_in_flight))
    }

    /// Takes out what is in memory, to be spilled. `None` where nothing is.
    pub(super) fn take_memory(&mut self) -> Option<TakenMemory> {
        self.end_chunk();
        let reservation = self.reservation.take()?;
        let chunks = std::mem::take(&mut self.full_chunks);
        Some(TakenMemory { chunks, spilled: self.spilled.take(), reservation: reservation.now_in_flight() })
    }

    /// Puts back the file that holds what was taken.
    pub(super) fn put_back_file(&mut self, spilled: Spilled) {
        self.spilled = Some(spilled);
    }

    /// Puts back what was taken and could not be written.
    pub(super) fn put_back_memory(&mut self, TakenMemory { mut chunks, spilled, reservation }: TakenMemory) {
        let mut reservation = reservation.no_longer_in_flight();
        self.spilled = spilled;
        chunks.append(&mut self.full_chunks);
        self.full_chunks = chunks;
        if let Some(newer) = self.reservation.take() {
            reservation.merge(newer);
        }
        self.reservation = Some(reservation);
    }
}

/// Memory on its way to disk.
pub(super) struct TakenMemory {
    chunks: Vec<Bytes>,
    spilled: Option<Spilled>,
    reservation: Reservation,
}

impl TakenMemory {
    /// Appends it to the part's file, which is made in `directory` where there is none. Blocks.
    ///
    /// # Errors
    /// `LocalDisk`, with what could not be written.
    pub(super) fn write(self, directory: &Path) -> Result<Spilled, (Self, Error)> {
        match self.append_to_file(directory) {
            Ok(spilled) => Ok(spilled),
            Err(failure) => {
                let message = format!(
                    "the memory budget is short and {} cannot take what is buffered ({failure}): make room there, set \
                     fs.s3a.buffer.dir to a directory with room, or raise fs.s3core.memory.limit",
                    directory.display()
                );
                Err((self, Error::new(ErrorKind::LocalDisk, message).caused_by(failure)))
            }
        }
    }

    fn append_to_file(&self, directory: &Path) -> io::Result<Spilled> {
        let file = match &self.spilled {
            Some(spilled) => spilled.file.try_clone()?,
            None => tempfile::tempfile_in(directory)?,
        };
        let mut length = self.spilled.as_ref().map_or(0, |spilled| spilled.length);
        for chunk in &self.chunks {
            // By position: what an earlier, failed attempt left behind the end is written over.
            file.write_all_at(chunk, length)?;
            length += chunk.len() as u64;
        }
        Ok(Spilled { file, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn content(part: PartBuffer) -> Vec<u8> {
        use std::os::unix::fs::FileExt;
        let (payload, ..) = part.into_payload();
        let mut all = Vec::new();
        for piece in payload.pieces() {
            match piece {
                Piece::Memory(bytes) => all.extend_from_slice(bytes),
                Piece::File { file, offset, length } => {
                    let mut read = vec![0; *length as usize];
                    file.read_exact_at(&mut read, *offset).unwrap();
                    all.extend_from_slice(&read);
                }
            }
        }
        all
    }

    #[test]
    fn a_part_takes_no_more_than_its_size_and_no_more_than_is_free() {
        let budget = MemoryBudget::new(MIB);
        let mut part = PartBuffer::default();
        let appended = part.append(&vec![7; 5000], 4000, &budget);
        assert_eq!(appended, Appended { taken: 4000, full: true, wants: 0 });

        let mut large = PartBuffer::default();
        let appended = large.append(&vec![7; 4 << 20], 8 * MIB, &budget);
        assert_eq!(appended, Appended { taken: (MIB - SMALLEST) as usize, full: false, wants: SMALLEST });
        assert_eq!(budget.used(), MIB);
    }

    #[test]
    fn what_is_spilled_comes_first_and_frees_its_memory() {
        let budget = MemoryBudget::new(2 * MIB);
        let directory = tempfile::tempdir().unwrap();
        let mut part = PartBuffer::default();
        part.append(&[1; 100_000], MIB, &budget);
        for fill in [2, 3] {
            let spilled = part.take_memory().unwrap().write(directory.path()).ok().unwrap();
            part.put_back_file(spilled);
            assert_eq!((budget.used(), part.memory()), (0, 0));
            part.append(&[fill; 100_000], MIB, &budget);
        }
        assert_eq!(part.length(), 300_000);
        let expected = [[1; 100_000], [2; 100_000], [3; 100_000]].concat();
        assert!(content(part) == expected);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_buffer_directory_that_is_gone_names_the_option() {
        let budget = MemoryBudget::new(2 * MIB);
        let mut part = PartBuffer::default();
        part.append(b"x", MIB, &budget);
        let (taken, failure) = part.take_memory().unwrap().write(Path::new("/nowhere")).err().unwrap();
        assert_eq!(failure.kind(), ErrorKind::LocalDisk);
        assert!(failure.message().contains("fs.s3a.buffer.dir"), "{failure}");
        part.append(b"y", MIB, &budget);
        part.put_back_memory(taken);
        assert_eq!((part.length(), part.memory(), budget.used()), (2, 2 * SMALLEST, 2 * SMALLEST));
        assert_eq!(content(part), b"xy");
    }
}
