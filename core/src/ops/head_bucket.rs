//! HeadBucket: whether a bucket exists and may be used.

use std::time::SystemTime;

use http::Method;

use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;
use crate::{ErrorKind, Result};

use super::answer;
use super::request::about_bucket;

/// Asks for a bucket; the answer is also how to learn the gateway's time. Fails with `NoSuchBucket` or `AccessDenied`.
#[derive(Debug, Clone)]
pub struct HeadBucket {
    /// Bucket.
    pub bucket: String,
    /// Whether it is asked what the bucket holds: Radosgw from Squid on counts only then.
    pub usage: bool,
}

impl HeadBucket {
    /// The bucket of that name.
    pub fn new(bucket: &str) -> Self {
        Self { bucket: bucket.to_owned(), usage: false }
    }
}

/// A bucket that exists and may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketHead {
    /// The gateway's time when it answered (its `Date` header), in whole seconds.
    pub date: Option<SystemTime>,
    /// What it holds and may hold; of Radosgw.
    pub usage: Option<BucketUsage>,
}

/// What a bucket holds, and may hold at most. The gateway's caches make it some seconds old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketUsage {
    /// Objects, with all versions.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Most objects by the bucket's quota; None where it has none, or the gateway does not tell.
    pub most_objects: Option<u64>,
    /// Most bytes.
    pub most_bytes: Option<u64>,
    /// Whether the user has a quota for all buckets, which [`GetUsage`](super::GetUsage) tells; also where the gateway does not
    /// say it has none, as to others than the bucket's owner.
    pub is_user_limited: bool,
}

impl BucketUsage {
    fn of(response: &Response) -> Option<Self> {
        // A quota that is off is -1.
        let number = |name| response.header(name).and_then(|value| value.parse().ok());
        let is_off = |name| response.header(name) == Some("-1");
        Some(Self {
            objects: number("x-rgw-object-count")?,
            bytes: number("x-rgw-bytes-used")?,
            most_objects: number("x-rgw-quota-bucket-objects"),
            most_bytes: number("x-rgw-quota-bucket-size"),
            is_user_limited: !(is_off("x-rgw-quota-user-size") && is_off("x-rgw-quota-user-objects")),
        })
    }
}

impl Exchange for HeadBucket {
    type Output = BucketHead;

    fn operation(&self) -> &'static str {
        "HeadBucket"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, "")
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_bucket(Method::HEAD, &self.bucket);
        if self.usage {
            request.query.push(("read-stats", "true".to_owned()));
        }
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<BucketHead> {
        match answer::without_document(response).await {
            Ok(response) => Ok(BucketHead { date: response.date("date"), usage: BucketUsage::of(&response) }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(error.restated(ErrorKind::NoSuchBucket, "the bucket does not exist: check its name"))
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ops::scripted::{Answer, play};

    #[tokio::test(start_paused = true)]
    async fn a_missing_bucket_is_no_missing_object() {
        let error = play(HeadBucket::new("lake"), [Answer::new(404, "")]).await.outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSuchBucket);
        assert_eq!(error.location().as_deref(), Some("s3a://lake/"));
        let error = play(HeadBucket::new("lake"), [Answer::new(403, "")]).await.outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AccessDenied);
    }

    #[tokio::test(start_paused = true)]
    async fn radosgw_tells_what_a_bucket_holds_and_may_hold() {
        let answer = Answer::new(200, "")
            .header("x-rgw-object-count", "316")
            .header("x-rgw-bytes-used", "14155471")
            .header("x-rgw-quota-bucket-size", "-1")
            .header("x-rgw-quota-bucket-objects", "500");
        let played = play(HeadBucket { usage: true, ..HeadBucket::new("lake") }, [answer]).await;
        let (objects, bytes, most_objects, most_bytes) = (316, 14_155_471, Some(500), None);
        let usage = BucketUsage { objects, bytes, most_objects, most_bytes, is_user_limited: true };
        assert_eq!(played.outcome.unwrap().usage, Some(usage));
        let other = play(HeadBucket::new("lake"), [Answer::new(200, "")]).await;
        assert_eq!(other.outcome.unwrap().usage, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_without_a_quota_is_told() {
        for (size, objects, is_limited) in [("-1", "-1", false), ("-1", "500", true), ("4096", "-1", true)] {
            let answer = Answer::new(200, "")
                .header("x-rgw-object-count", "0")
                .header("x-rgw-bytes-used", "0")
                .header("x-rgw-quota-user-size", size)
                .header("x-rgw-quota-user-objects", objects);
            let head = play(HeadBucket::new("lake"), [answer]).await.outcome.unwrap();
            assert_eq!(head.usage.unwrap().is_user_limited, is_limited);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_gateways_time_is_told() {
        let wanted = SystemTime::UNIX_EPOCH + Duration::from_secs(1_763_158_400);
        for (date, expected) in [("Fri, 14 Nov 2025 22:13:20 GMT", Some(wanted)), ("yesterday", None)] {
            let answer = Answer::new(200, "").header("date", date);
            assert_eq!(play(HeadBucket::new("lake"), [answer]).await.outcome.unwrap().date, expected);
        }
    }
}
