//! Answers of several fields in one byte array: a JNI call costs more than reading a few numbers out of bytes.
//!
//! Numbers are big-endian and strings are a length and UTF-8, as `java.io.DataInputStream` reads them; the other side
//! is `org.s3core.hadoop.Decoder`.

use std::time::{SystemTime, UNIX_EPOCH};

use jni::Env;
use jni::objects::{JByteArray, JLongArray};
use s3core::fs::{FileStatus, Headers};
use s3core::gateway::statistics::StatisticsSnapshot;
use s3core::transfer::reader::ReadCountsSnapshot;
use s3core::transfer::writer::WrittenObject;

use crate::errors::Failure;

const DIRECTORY: u8 = 1;
const ETAG: u8 = 2;
const STORAGE_CLASS: u8 = 4;

/// Files and directories: their number, then for each flags, length, milliseconds since 1970, path, ETag and storage
/// class, the last two where the flags say so.
pub(crate) fn statuses(statuses: &[FileStatus]) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + statuses.len() * 128);
    int(&mut out, statuses.len());
    for status in statuses {
        let mut flags = 0;
        if status.is_directory {
            flags |= DIRECTORY;
        }
        if status.etag.is_some() {
            flags |= ETAG;
        }
        if status.storage_class.is_some() {
            flags |= STORAGE_CLASS;
        }
        out.push(flags);
        long(&mut out, status.length);
        long(&mut out, milliseconds(status.modified));
        string(&mut out, &status.path);
        for text in [&status.etag, &status.storage_class].into_iter().flatten() {
            string(&mut out, text);
        }
    }
    out
}

/// Number of operations, then for each its name, requests, retries, failures, bytes sent and bytes received.
pub(crate) fn counts(counts: &StatisticsSnapshot) -> Vec<u8> {
    let mut out = Vec::new();
    int(&mut out, counts.len());
    for (operation, counts) in counts {
        string(&mut out, operation);
        for count in [counts.requests, counts.retries, counts.failures, counts.bytes_sent, counts.bytes_received] {
            long(&mut out, count);
        }
    }
    out
}

/// What a reader has cost: requests by operation, then its own counts.
pub(crate) fn reader(requests: &StatisticsSnapshot, counts: &ReadCountsSnapshot) -> Vec<u8> {
    let mut out = self::counts(requests);
    let ReadCountsSnapshot { requests, ended, replaced, given_up, bytes_given_up, received, skipped, discarded } =
        *counts;
    for count in [requests, ended, replaced, given_up, bytes_given_up, received, skipped, discarded] {
        long(&mut out, count);
    }
    out
}

/// What a file became: its ETag, empty where it is pending, then the requests that it took by operation.
pub(crate) fn written(object: &WrittenObject, requests: &StatisticsSnapshot) -> Vec<u8> {
    let mut out = Vec::new();
    string(&mut out, object.etag.as_deref().unwrap_or_default());
    out.extend_from_slice(&counts(requests));
    out
}

/// Milliseconds since 1970 of an object's last change, 0 where it is not known, then lines of a header's name and text.
pub(crate) fn headers(headers: &Headers) -> Vec<u8> {
    let mut out = Vec::new();
    long(&mut out, headers.modified.map_or(0, milliseconds));
    let lines: Vec<_> = headers.texts.iter().map(|(name, text)| [name.as_str(), text.as_str()]).collect();
    out.extend_from_slice(&table(&lines));
    out
}

/// A number of lines of strings.
pub(crate) fn table<const COLUMNS: usize>(lines: &[[&str; COLUMNS]]) -> Vec<u8> {
    let mut out = Vec::new();
    int(&mut out, lines.len());
    for text in lines.iter().flatten() {
        string(&mut out, text);
    }
    out
}

/// Numbers as a Java array of long.
pub(crate) fn longs<'local, const COUNT: usize>(
    env: &mut Env<'local>,
    numbers: [u64; COUNT],
) -> Result<JLongArray<'local>, Failure> {
    let array = env.new_long_array(COUNT)?;
    array.set_region(env, 0, &numbers.map(|number| i64::try_from(number).unwrap_or(i64::MAX)))?;
    Ok(array)
}

/// One line of the log: severity from 1 (error) to 5 (trace), room, message.
pub(crate) fn log_record(severity: u8, room: &str, message: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + room.len() + message.len());
    out.push(severity);
    string(&mut out, room);
    string(&mut out, message);
    out
}

/// The bytes as a Java array.
pub(crate) fn to_java<'local>(env: &mut Env<'local>, bytes: &[u8]) -> Result<JByteArray<'local>, Failure> {
    Ok(env.byte_array_from_slice(bytes)?)
}

fn int(out: &mut Vec<u8>, value: usize) {
    out.extend_from_slice(&u32::try_from(value).unwrap_or(u32::MAX).to_be_bytes());
}

fn long(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_be_bytes());
}

fn string(out: &mut Vec<u8>, text: &str) {
    int(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_status_is_laid_out_as_the_decoder_reads_it() {
        let file = FileStatus {
            path: "a/é".into(),
            is_directory: false,
            length: 258,
            modified: UNIX_EPOCH + Duration::from_millis(7),
            etag: Some("e".into()),
            storage_class: None,
        };
        let expected = [
            &[0, 0, 0, 1, ETAG][..],
            &[0, 0, 0, 0, 0, 0, 1, 2],
            &[0, 0, 0, 0, 0, 0, 0, 7],
            &[0, 0, 0, 4, b'a', b'/', 0xc3, 0xa9],
            &[0, 0, 0, 1, b'e'],
        ];
        assert_eq!(statuses(&[file]), expected.concat());
    }

    #[test]
    fn flags_say_which_strings_follow() {
        let directory = FileStatus {
            path: String::new(),
            is_directory: true,
            length: 0,
            modified: UNIX_EPOCH,
            etag: None,
            storage_class: Some("COLD".into()),
        };
        let bytes = statuses(&[directory]);
        assert_eq!(bytes[4], DIRECTORY | STORAGE_CLASS);
        assert_eq!(&bytes[bytes.len() - 8..], b"\0\0\0\x04COLD");
    }

    #[test]
    fn a_reader_s_counts_follow_its_requests() {
        let counts = ReadCountsSnapshot { requests: 1, discarded: 7, ..ReadCountsSnapshot::default() };
        let bytes = reader(&StatisticsSnapshot::new(), &counts);
        assert_eq!((bytes.len(), bytes[11], bytes[67]), (4 + 8 * 8, 1, 7));
    }

    #[test]
    fn a_written_file_begins_with_its_etag() {
        let object = WrittenObject { etag: Some("e".into()), length: 5 };
        assert_eq!(written(&object, &StatisticsSnapshot::new()), b"\0\0\0\x01e\0\0\0\0");
        let pending = WrittenObject { etag: None, length: 5 };
        assert_eq!(written(&pending, &StatisticsSnapshot::new()), [0; 8]);
    }

    #[test]
    fn a_log_record_begins_with_its_severity() {
        assert_eq!(log_record(2, "http", "m"), b"\x02\0\0\0\x04http\0\0\0\x01m");
    }
}
