//! Who asks and why, told to the gateway's log: S3A's audit, a URL in the header `Referer`
//! (<https://hadoop.apache.org/docs/stable/hadoop-aws/tools/hadoop-aws/auditing.html>). Whoever reads such logs finds the
//! call, its paths, the user and the thread of every request, under the names that S3A has for them.

use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use http::HeaderValue;
use http::header::RANGE;

use super::OperationRequest;

/// What the header says about this process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditSettings {
    /// The user, as the host system names it.
    pub principal: Option<String>,
    /// Names the process.
    pub process: Option<String>,
    /// The job that it works for.
    pub job: Option<String>,
    /// Attributes that are left out: `p1`, `pr` and so on.
    pub filter: Vec<String>,
}

thread_local! {
    static THREAD: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Tells by which number the host language knows the calling thread.
pub fn name_thread(number: u64) {
    THREAD.set(Some(number));
}

/// Whether the calling thread has been named.
pub fn thread_is_named() -> bool {
    THREAD.get().is_some()
}

/// Makes the spans of one gateway.
#[derive(Debug)]
pub(super) struct Auditor {
    settings: AuditSettings,
    /// Names the file system.
    id: String,
    spans: AtomicU64,
}

impl Auditor {
    /// `bits` are random ones.
    pub(super) fn new(settings: AuditSettings, bits: u128) -> Self {
        Self { settings, id: uuid(bits), spans: AtomicU64::new(0) }
    }

    /// One call, which may send several requests.
    pub(super) fn span(self: &Arc<Self>, operation: &str, paths: &[&str], now: SystemTime) -> Span {
        let number = self.spans.fetch_add(1, Ordering::Relaxed) + 1;
        let id = format!("{}-{number:08}", self.id);
        let milliseconds = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let AuditSettings { principal, process, job, filter } = &self.settings;
        let mut url = Url { text: String::with_capacity(512), filter, is_first: true };
        let _ = write!(url.text, "https://audit.example.org/hadoop/1/{operation}/{id}/?");
        url.push("op", operation);
        for (name, path) in ["p1", "p2"].into_iter().zip(paths) {
            url.push(name, path);
        }
        for (name, value) in [("pr", principal), ("ps", process), ("ji", job)] {
            if let Some(value) = value {
                url.push(name, value);
            }
        }
        url.push("id", &id);
        url.push("fs", &self.id);
        if let Some(thread) = THREAD.get() {
            url.push("t0", &thread.to_string());
        }
        url.push("ts", &milliseconds.to_string());
        let Url { text, is_first, .. } = url;
        Span { auditor: Arc::clone(self), head: text, is_empty: is_first }
    }
}

/// One call of the host language's.
#[derive(Debug)]
pub(super) struct Span {
    auditor: Arc<Auditor>,
    head: String,
    is_empty: bool,
}

impl Span {
    /// The header of one of its requests.
    pub(super) fn referrer(&self, request: &OperationRequest) -> Option<HeaderValue> {
        let mut url = Url { text: self.head.clone(), filter: &self.auditor.settings.filter, is_first: self.is_empty };
        if let Some(thread) = THREAD.get() {
            url.push("t1", &thread.to_string());
        }
        if let Some(range) = request.headers.get(RANGE).and_then(|range| range.to_str().ok()?.strip_prefix("bytes=")) {
            url.push("rg", range);
        }
        if request.deletes > 0 {
            url.push("ks", &request.deletes.to_string());
        }
        HeaderValue::try_from(url.text).ok()
    }
}

struct Url<'a> {
    text: String,
    filter: &'a [String],
    is_first: bool,
}

impl Url<'_> {
    fn push(&mut self, name: &str, value: &str) {
        if self.filter.iter().any(|left_out| left_out == name) {
            return;
        }
        if !self.is_first {
            self.text.push('&');
        }
        self.is_first = false;
        let _ = write!(self.text, "{name}=");
        for byte in value.bytes() {
            // What RFC 3986 allows in a query, without what separates attributes.
            if byte.is_ascii_alphanumeric() || b"-._~/:@,;!$'()*".contains(&byte) {
                self.text.push(char::from(byte));
            } else {
                let _ = write!(self.text, "%{byte:02X}");
            }
        }
    }
}

/// Version 4 of RFC 9562.
fn uuid(bits: u128) -> String {
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let mut text = String::with_capacity(36);
    for (index, digit) in hex.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;

    use super::*;

    fn referrer(settings: AuditSettings, request: &OperationRequest) -> String {
        let auditor = Arc::new(Auditor::new(settings, 0));
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_763_158_400_123);
        auditor.span("op_open", &["s3a://lake/skipped"], now);
        let span = auditor.span("op_rename", &["s3a://lake/a b=c&d", "s3a://lake/\u{e9}"], now);
        span.referrer(request).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn the_call_is_told_under_the_names_that_s3a_has() {
        let settings = AuditSettings {
            principal: Some("alice/host@REALM".into()),
            process: Some("p-1".into()),
            job: Some("job_7".into()),
            filter: Vec::new(),
        };
        name_thread(42);
        let mut request = OperationRequest::new(Method::GET, "lake", "k");
        request.headers.insert(RANGE, HeaderValue::from_static("bytes=0-9"));
        request.deletes = 3;
        assert_eq!(
            referrer(settings, &request),
            "https://audit.example.org/hadoop/1/op_rename/00000000-0000-4000-8000-000000000000-00000002/?op=op_rename\
             &p1=s3a://lake/a%20b%3Dc%26d&p2=s3a://lake/%C3%A9&pr=alice/host@REALM&ps=p-1&ji=job_7\
             &id=00000000-0000-4000-8000-000000000000-00000002&fs=00000000-0000-4000-8000-000000000000&t0=42\
             &ts=1763158400123&t1=42&rg=0-9&ks=3"
        );
    }

    #[test]
    fn attributes_can_be_left_out() {
        let filter = ["op", "p1", "id", "fs", "ts"].map(str::to_owned).to_vec();
        let request = OperationRequest::new(Method::GET, "lake", "k");
        let text = referrer(AuditSettings { filter, ..AuditSettings::default() }, &request);
        assert!(text.contains("/?p2=s3a://lake/%C3%A9"), "{text}");
        assert!(!text.contains("op=") && !text.contains("ts="), "{text}");
    }

    #[test]
    fn random_bits_become_uuids() {
        assert_eq!(uuid(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
