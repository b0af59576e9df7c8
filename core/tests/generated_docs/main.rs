//! `docs/options.md`, `docs/errors.md` and `docs/s3a.md` say what the tables in the code say. `S3CORE_WRITE_DOCS=1` writes
//! them.

mod s3a;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use s3core::ErrorKind;
use s3core::config::row::{Kind, Row, Unit};
use s3core::config::table::TABLE;
use s3core::error::Repeat;

#[test]
fn options_are_documented() {
    assert_up_to_date("options.md", &options());
}

#[test]
fn errors_are_documented() {
    assert_up_to_date("errors.md", &errors());
}

#[test]
fn what_becomes_of_s3a_is_documented() {
    assert_up_to_date("s3a.md", &s3a::page());
}

#[track_caller]
fn assert_up_to_date(name: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    if std::env::var_os("S3CORE_WRITE_DOCS").is_some() {
        let written = fs::write(&path, wanted);
        assert!(written.is_ok(), "{}: {written:?}", path.display());
    }
    let found = fs::read_to_string(&path);
    assert!(
        found.is_ok_and(|found| found == wanted),
        "docs/{name} is out of date; run: S3CORE_WRITE_DOCS=1 cargo test -p s3core --test generated_docs"
    );
}

const OPTIONS: &str = "\
# Options

Generated from `core/src/config/table/`.

An endpoint and keys are enough; everything else has a default that fits Ceph Radosgw and Amazon S3.

**Names.** `fs.s3core.NAME` in Hadoop's configuration (in Spark `spark.hadoop.fs.s3core.NAME`); in Python and on command
lines NAME with underscores (`multipart_size`). The names of S3A beside them mean the same. For one bucket B only:
`fs.s3core.bucket.B.NAME` and `fs.s3a.bucket.B.NAME`.

**Order.** The first that has a value counts: arguments, keys for the bucket, keys for every bucket (`fs.s3core.` before
`fs.s3a.`), environment, profile (`~/.aws/credentials`, `~/.aws/config`, or the files that `AWS_SHARED_CREDENTIALS_FILE`
and `AWS_CONFIG_FILE` name), default. A profile that an argument or Hadoop's configuration names goes before the
environment. An empty value is none. Access key and secret key are taken from one source, never mixed.

**Sizes** are bytes or whole numbers with K, M, G, T or P: `65536`, `64M`, `64MB`, `64MiB`, in powers of 1024.
**Times** are whole numbers with ms, s, m, h or d: `500ms`, `60s`, `5m`, `15 min`; without a unit they count as the table
says (as in S3A). An argument whose plain number would count in milliseconds needs a unit.
**Booleans** are `true` or `false` in either case.

An unknown `fs.s3core.` key is an error; what becomes of keys of S3A that are not in this table: [s3a.md](s3a.md).

";

fn options() -> String {
    let mut text = OPTIONS.to_owned();
    text.push_str("| `fs.s3core.` | of S3A, `fs.s3a.` | environment; profile | value | default | meaning |\n");
    text.push_str("|---|---|---|---|---|---|\n");
    for row in TABLE {
        let profile = row.profile.map(|key| format!("; `{key}`")).unwrap_or_default();
        let default = row.default.map(code).unwrap_or_default();
        let _ = writeln!(
            text,
            "| `{}` | {} | {}{profile} | {} | {default} | {} |",
            row.name,
            codes(row.hadoop),
            codes(row.environment),
            value(row),
            row.meaning
        );
    }
    text.push_str(
        "\n## Values that Hadoop ships\n\n`core-default.xml` gives these keys values that say nothing about what you want. \
         Without a bucket in the key such\na value counts as not given; to insist on it, use the `fs.s3core.` name.\n\n",
    );
    for row in TABLE {
        for shipped in row.shipped {
            let _ = writeln!(text, "- `fs.s3a.{}` = `{shipped}`", row.hadoop.first().copied().unwrap_or_default());
        }
    }
    text
}

fn value(row: &Row) -> String {
    match row.kind {
        Kind::Text => "text".to_owned(),
        Kind::Document => "text, over several lines too".to_owned(),
        Kind::Secret => "text, never shown".to_owned(),
        Kind::Boolean => "true, false".to_owned(),
        Kind::Size => "size".to_owned(),
        Kind::Time(Unit::Milliseconds) => "time, plain: ms".to_owned(),
        Kind::Time(Unit::Seconds) => "time, plain: s".to_owned(),
        Kind::Count => "number".to_owned(),
        Kind::Choice(words) => words.join(", "),
        Kind::List => "list with commas".to_owned(),
    }
}

fn errors() -> String {
    let mut text = "\
# Errors

Generated from `core/src/error.rs`. The numbers are the same in every language and release.

*Tried again*: \"patiently\" as long as `fs.s3core.retry.patience` allows, \"briefly\" as often as
`fs.s3core.attempts.maximum` allows; until an endpoint has answered once, no longer than
`fs.s3core.retry.first.contact`.

| code | kind | meaning | tried again | Java | Python, `s3core.exceptions` | exit status |
|---|---|---|---|---|---|---|
"
    .to_owned();
    for row in ErrorKind::TABLE {
        let repeat = match row.repeat {
            Repeat::Never => "no",
            Repeat::Patiently => "patiently",
            Repeat::Briefly => "briefly",
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {repeat} | `{}` | `{}` | {} |",
            row.code, row.name, row.meaning, row.java, row.python, row.exit
        );
    }
    text.push_str(S3LIFE);
    text
}

/// What `s3life` ends with, whose failures all mean the same to a script: look, and run it again.
const S3LIFE: &str = "
## Exit statuses of s3life

The table above is about the program `s3core`. `s3life` ends with

| exit status | |
|---|---|
| 0 | All that was to be done is done, or waits by design: for the gateway's lifecycle, for the time of the trash (units that cannot be copied, locked versions), for an approval or a notice. Units that somebody changed since they were planned, or wrote into since they went, are left and reported: that is the normal outcome. |
| 1 | A failure, with one line that says what helps. `apply`, `undo`, `restore` and `purge` have done what they could, and units were left because the gateway refused (rights, quota, locks), because a part of one is gone and could not be put back, or because there is no way to do it; of `undo` and `restore` also where nothing at all came back or moved. |
| 2 | Wrong arguments. |
| 3 | Of `plan --detailed-exitcode`: there is something to do. |

With `--output json` what these four did is on standard output also where they end with 1, with `refused` (units, and the reason of
the first); the line of a failure is on standard error as `error`.
";

fn codes(words: &[&str]) -> String {
    words.iter().copied().map(code).collect::<Vec<_>>().join(", ")
}

fn code(word: &str) -> String {
    format!("`{word}`")
}
