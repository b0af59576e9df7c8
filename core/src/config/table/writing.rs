//! How objects are written.

use Kind::{Count, List, Size, Text};

use super::super::row::{Kind, Row};

options! {
    WRITING:

    MULTIPART_SIZE = Row::new(
        "multipart.size",
        Size,
        "Size of an upload's parts, rounded up to a multiple of 4 MiB (Ceph's stripe); at least 8 MiB.",
    )
        .hadoop(&["multipart.size"])
        .default("64M")
        .range(1, 5 << 30);
    MULTIPART_THRESHOLD = Row::new(
        "multipart.threshold",
        Size,
        "Objects of at least this size are copied in parts; 5M to 5G. One request copies up to 5G, and on Radosgw \
         moves no bytes.",
    )
        .hadoop(&["multipart.threshold"])
        .shipped(&["128M", "128MB", "134217728"])
        .default("5G")
        .range(1, 5 << 40);
    FAST_UPLOAD_ACTIVE_BLOCKS = Row::new(
        "fast.upload.active.blocks",
        Count,
        "Parts of one open file that are on their way at the same time.",
    )
        .hadoop(&["fast.upload.active.blocks"])
        .default("4")
        .range(1, 1000);
    BUFFER_DIR = Row::new(
        "buffer.dir",
        List,
        "Directories for parts that find no room in memory; the first that can be written is used. Without \
         one: the system's temporary directory.",
    )
        .hadoop(&["buffer.dir"]);
    MEMORY_LIMIT = Row::new(
        "memory.limit",
        Size,
        "Native memory for the buffers of this process. Without it: chosen from what the machine or container \
         has, 64M to 256M.",
    )
        .range(16 << 20, 1 << 50);
    CREATE_STORAGE_CLASS = Row::new(
        "create.storage.class",
        Text,
        "Storage class of new objects. Without it: the bucket's own.",
    )
        .hadoop(&["create.storage.class"]);
}
