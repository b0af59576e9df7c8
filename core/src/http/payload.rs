//! A request body that can be sent again: pieces of memory and of spilled files.

use std::fs::File;
use std::future::Future;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

/// A request body of known length. Cloning shares the bytes.
#[derive(Debug, Clone, Default)]
pub struct Payload {
    pieces: Vec<Piece>,
    length: u64,
}

/// Consecutive bytes of a body.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Bytes in memory.
    Memory(Bytes),
    /// Bytes of a file, which nobody writes to any more.
    File {
        /// The file.
        file: Arc<File>,
        /// Where the bytes begin.
        offset: u64,
        /// How many there are.
        length: u64,
    },
}

impl Piece {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Payload {
    /// No body.
    pub fn empty() -> Self {
        Self::default()
    }

    /// A body of these pieces, in this order.
    pub fn from_pieces(pieces: Vec<Piece>) -> Self {
        let length = pieces.iter().map(Piece::len).sum();
        Self { pieces, length }
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The pieces.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self::from_pieces(vec![Piece::Memory(bytes)])
    }
}

/// A file's bytes are read in steps of this size, outside the runtime's threads, one step ahead of the socket.
const FILE_STEP: u64 = 512 * 1024;

/// One sending of a payload, as hyper takes it: of exact length, so never in chunked form.
#[derive(Debug)]
pub struct PayloadBody {
    pieces: std::vec::IntoIter<Piece>,
    file: Option<FilePiece>,
    remaining: u64,
}

#[derive(Debug)]
struct FilePiece {
    file: Arc<File>,
    offset: u64,
    length: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl PayloadBody {
    /// Sends `payload` from its beginning.
    pub fn new(payload: &Payload) -> Self {
        Self { pieces: payload.pieces.clone().into_iter(), file: None, remaining: payload.length }
    }
}

impl Body for PayloadBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        loop {
            if let Some(file) = &mut self.file {
                match ready!(file.poll_read(context)) {
                    Some(read) => {
                        let read = read?;
                        self.remaining -= read.len() as u64;
                        return Poll::Ready(Some(Ok(Frame::data(read))));
                    }
                    None => self.file = None,
                }
            }
            match self.pieces.next() {
                None => return Poll::Ready(None),
                Some(piece) if piece.is_empty() => {}
                Some(Piece::Memory(bytes)) => {
                    self.remaining -= bytes.len() as u64;
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Piece::File { file, offset, length }) => {
                    self.file = Some(FilePiece { file, offset, length, reading: None });
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

impl FilePiece {
    /// The next step of the file; `None` at the piece's end.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.reading.is_none() {
            self.reading = self.start_reading();
        }
        let Some(reading) = &mut self.reading else {
            return Poll::Ready(None);
        };
        let read = ready!(Pin::new(reading).poll(context));
        self.reading = self.start_reading();
        Poll::Ready(Some(read.unwrap_or_else(|stopped| Err(io::Error::other(stopped)))))
    }

    fn start_reading(&mut self) -> Option<JoinHandle<io::Result<Bytes>>> {
        let step = self.length.min(FILE_STEP);
        if step == 0 {
            return None;
        }
        let (file, offset) = (Arc::clone(&self.file), self.offset);
        self.offset += step;
        self.length -= step;
        Some(tokio::task::spawn_blocking(move || {
            let mut bytes = BytesMut::zeroed(usize::try_from(step).unwrap_or(usize::MAX));
            file.read_exact_at(&mut bytes, offset)?;
            Ok(bytes.freeze())
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    async fn send(payload: &Payload) -> Vec<u8> {
        let mut body = PayloadBody::new(payload);
        let mut sent = Vec::new();
        while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            sent.extend_from_slice(&frame.unwrap().into_data().unwrap());
            assert_eq!(body.size_hint().exact(), Some(payload.len() - sent.len() as u64));
        }
        sent
    }

    #[tokio::test]
    async fn memory_and_file_pieces_are_sent_in_order_and_again() {
        let content: Vec<u8> = (0..3 * FILE_STEP + 17).map(|i| (i % 251) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"skipped").unwrap();
        file.write_all(&content).unwrap();
        let payload = Payload::from_pieces(vec![
            Piece::Memory(Bytes::from_static(b"head")),
            Piece::Memory(Bytes::new()),
            Piece::File { file: Arc::new(file), offset: 7, length: content.len() as u64 },
            Piece::Memory(Bytes::from_static(b"tail")),
        ]);
        let expected = [b"head".as_slice(), &content, b"tail"].concat();
        assert_eq!(payload.len(), expected.len() as u64);
        assert_eq!(send(&payload).await, expected);
        assert_eq!(send(&payload).await, expected);
    }
}
