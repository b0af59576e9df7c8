//! Who takes the bytes of a read.

use bytes::Bytes;

use crate::Result;

use super::super::object_head::ObjectHead;

/// Takes an object's bytes as they arrive.
pub trait Sink: Send {
    /// Called once, before the first bytes: what object it is, how long, and which bytes of it will come.
    ///
    /// # Errors
    /// Ends the operation with that error.
    fn head(&mut self, head: &ObjectHead) -> Result<()>;

    /// Called with the next bytes, each byte once and in order, however many attempts it took. Must not block.
    ///
    /// # Errors
    /// Ends the operation with that error.
    fn frame(&mut self, frame: Bytes) -> Result<()>;
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn head(&mut self, head: &ObjectHead) -> Result<()> {
        (**self).head(head)
    }

    fn frame(&mut self, frame: Bytes) -> Result<()> {
        (**self).frame(frame)
    }
}

/// Keeps the frames.
impl Sink for Vec<Bytes> {
    fn head(&mut self, _head: &ObjectHead) -> Result<()> {
        Ok(())
    }

    fn frame(&mut self, frame: Bytes) -> Result<()> {
        self.push(frame);
        Ok(())
    }
}
