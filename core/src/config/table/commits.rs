//! How the output of jobs becomes visible, and what becomes of that of killed ones.

use Kind::{Boolean, Count, Size, Time};

use super::super::row::{Kind, Row, Unit};
use super::{DAY, HOUR};

options! {
    COMMITS:

    COMMITTER_THREADS = Row::new(
        "committer.threads",
        Count,
        "Files that the commit of a job makes visible at the same time.",
    )
        .hadoop(&["committer.threads"])
        .shipped(&["8"])
        .default("32")
        .range(1, 1000);
    COMMITTER_SMALL_FILE_SIZE = Row::new(
        "committer.small.file.size",
        Size,
        "Largest file that a task keeps until it is committed rather than uploads: one request instead of three. 1 MiB \
         of such files at most for each task.",
    )
        .default("256K")
        .range(0, 1 << 20);

    UPLOADS_MAX_AGE = Row::new(
        "uploads.max.age",
        Time(Unit::Seconds),
        "How long uploads of killed writers are kept, where nobody knows whose they are. The next job at the same \
         destination removes older ones.",
    )
        .default("24h")
        .range(HOUR, 3650 * DAY);
    UPLOADS_COMMITTED_MAX_AGE = Row::new(
        "uploads.committed.max.age",
        Time(Unit::Seconds),
        "How long a killed job is kept whose tasks were committed, so that it can be completed: `s3core uploads`.",
    )
        .default("7d")
        .range(HOUR, 3650 * DAY);

    MULTIPART_PURGE = Row::new(
        "multipart.purge",
        Boolean,
        "Whether the first write to a bucket removes old uploads that are pending anywhere in it. Those of committed tasks \
         stay.",
    )
        .hadoop(&["multipart.purge"])
        .default("false");
    MULTIPART_PURGE_AGE = Row::new(
        "multipart.purge.age",
        Time(Unit::Seconds),
        "How old these uploads are: older than any file takes to be written.",
    )
        .hadoop(&["multipart.purge.age"])
        .default("24h")
        .range(1000, 3650 * DAY);
}
