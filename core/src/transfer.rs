//! Large objects inside one memory budget: reading with read-ahead, writing while the writer still writes, copying on
//! the server.

pub mod budget;
pub(crate) mod copy;
pub(crate) mod pending;
pub mod reader;
mod upload;
pub mod writer;

use std::path::PathBuf;

/// How objects are moved.
#[derive(Debug, Clone)]
pub struct TransferSettings {
    /// Size of an upload's parts in bytes, a multiple of 4 MiB (`rgw_obj_stripe_size`): other sizes leave a small
    /// second RADOS object behind every part.
    pub part_size: u64,
    /// Where writers spill when the memory budget is short.
    pub buffer_directory: PathBuf,
    /// Memory for buffers of this process in bytes; `None` lets [`budget::MemoryBudget::suitable`] choose.
    pub memory_limit: Option<u64>,
    /// Most bytes that one reader holds ahead of its caller.
    pub read_ahead_limit: u64,
    /// Parts of one writer that are on their way at the same time.
    pub upload_concurrency: usize,
    /// Least number of bytes that a random read asks for.
    pub random_read: u64,
    /// Objects of at least this many bytes are copied in parts; CopyObject takes up to 5 GiB.
    pub copy_threshold: u64,
    /// Storage class of new objects; `None` is the bucket's default.
    pub storage_class: Option<String>,
}
