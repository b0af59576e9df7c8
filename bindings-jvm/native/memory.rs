//! The only place that touches Java's memory: byte arrays by region copies, direct buffers by their address.
//!
//! Never a critical section: before JDK 22 one such section keeps the whole heap from being collected.

use bytes::Bytes;
use jni::Env;
use jni::objects::{JByteArray, JByteBuffer, JObject};
use s3core::ErrorKind;

use crate::errors::Failure;

/// Where read bytes go.
pub(crate) enum Destination<'call, 'local> {
    /// A byte array, from this index on.
    Array(&'call JByteArray<'local>, usize),
    /// A direct buffer's memory.
    Direct(DirectMemory<'call, 'local>),
}

/// Memory of a direct buffer that the caller holds for the time of the call.
pub(crate) struct DirectMemory<'call, 'local> {
    /// Keeps the buffer reachable while its memory is written.
    _buffer: &'call JByteBuffer<'local>,
    start: *mut u8,
    length: usize,
}

impl<'call, 'local> Destination<'call, 'local> {
    /// `length` bytes of a direct buffer from `offset` on.
    pub(crate) fn direct(
        env: &Env<'_>,
        buffer: &'call JByteBuffer<'local>,
        offset: usize,
        length: usize,
    ) -> Result<Self, Failure> {
        let address = env.get_direct_buffer_address(buffer)?;
        let capacity = env.get_direct_buffer_capacity(buffer)?;
        if offset.checked_add(length).is_none_or(|end| end > capacity) {
            return Err(Failure::new(
                ErrorKind::Internal,
                format!("{length} bytes at {offset} do not fit into a buffer of {capacity}"),
            ));
        }
        // SAFETY: the JVM vouches for `capacity` bytes at `address`, and `offset` lies within them.
        let start = unsafe { address.add(offset) };
        Ok(Self::Direct(DirectMemory { _buffer: buffer, start, length }))
    }

    /// Copies `bytes` to `position` bytes after the beginning.
    pub(crate) fn put(&self, env: &Env<'_>, position: usize, bytes: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Array(array, offset) => {
                let index = i32::try_from(offset + position)
                    .map_err(|_| Failure::internal("an index beyond the largest Java array"))?;
                Ok(array.set_region(env, index, signed(bytes))?)
            }
            Self::Direct(memory) => {
                if position.checked_add(bytes.len()).is_none_or(|end| end > memory.length) {
                    return Err(Failure::internal("more bytes than were asked for"));
                }
                // SAFETY: the target lies inside the buffer (checked above), which `_buffer` keeps alive; `bytes` is
                // Rust memory and cannot overlap it. Only this thread writes: Java gave the range to this call.
                unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), memory.start.add(position), bytes.len()) };
                Ok(())
            }
        }
    }

    /// Copies each of `pieces` to its position.
    pub(crate) fn put_all(
        &self,
        env: &Env<'_>,
        mut pieces: impl Iterator<Item = (usize, Bytes)>,
    ) -> Result<(), Failure> {
        pieces.try_for_each(|(position, bytes)| self.put(env, position, &bytes))
    }
}

/// Copies `target.len()` bytes of `array` from `offset` on.
pub(crate) fn take(env: &Env<'_>, array: &JByteArray<'_>, offset: i32, target: &mut [u8]) -> Result<(), Failure> {
    // SAFETY: u8 and i8 have the same size, alignment and valid values.
    let target = unsafe { std::slice::from_raw_parts_mut(target.as_mut_ptr().cast::<i8>(), target.len()) };
    Ok(array.get_region(env, offset, target)?)
}

/// Whether `object` is a byte array rather than a direct buffer.
pub(crate) fn is_array(env: &mut Env<'_>, object: &JObject<'_>) -> Result<bool, Failure> {
    Ok(env.is_instance_of(object, jni::jni_str!("[B"))?)
}

fn signed(bytes: &[u8]) -> &[i8] {
    // SAFETY: u8 and i8 have the same size, alignment and valid values.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast::<i8>(), bytes.len()) }
}
