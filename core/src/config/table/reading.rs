//! How objects are read, listed and removed.

use Kind::{Boolean, Choice, Count, Size};

use super::super::read_policy::ReadPolicy;
use super::super::row::{Kind, Row};

options! {
    READING:

    READ_AHEAD_LIMIT = Row::new(
        "read.ahead.limit",
        Size,
        "Most bytes that one open file holds ahead of a sequential reader.",
    )
        .default("32M")
        .range(64 << 10, 4 << 30);
    READAHEAD_RANGE = Row::new(
        "readahead.range",
        Size,
        "Least number of bytes that a random read asks the gateway for.",
    )
        .hadoop(&["readahead.range"])
        .default("64K")
        .range(0, 1 << 30);
    INPUT_FADVISE = Row::new(
        "experimental.input.fadvise",
        Choice(ReadPolicy::NAMES),
        "How files are expected to be read where the one who opens them does not say.",
    )
        .hadoop(&["experimental.input.fadvise"])
        .default("adaptive");
    PAGING_MAXIMUM = Row::new(
        "paging.maximum",
        Count,
        "Most keys that one answer to a listing holds; gateways have a limit of their own, mostly 1000.",
    )
        .hadoop(&["paging.maximum"])
        .default("1000")
        .range(1, 1_000_000);
    BULK_DELETE_PAGE_SIZE = Row::new(
        "bulk.delete.page.size",
        Count,
        "Objects that one request removes, and most files of one call of Hadoop's bulk delete.",
    )
        .hadoop(&["bulk.delete.page.size"])
        .default("250")
        .range(1, 1000);
    MULTIOBJECTDELETE_ENABLE = Row::new(
        "multiobjectdelete.enable",
        Boolean,
        "Whether several objects may be removed in one request; for services that do not know it.",
    )
        .hadoop(&["multiobjectdelete.enable"])
        .default("true");
}
