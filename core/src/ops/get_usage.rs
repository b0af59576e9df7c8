//! GetUsage: what a user holds and may hold, which only Radosgw tells.
//! <https://docs.ceph.com/en/latest/radosgw/s3/serviceops/#get-usage-stats>

use http::Method;
use serde::Deserialize;

use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;
use crate::{ErrorKind, Result};

use super::answer::Document;
use super::request::about_bucket;

/// Asks what the user of the keys holds in all buckets, and may hold at most.
#[derive(Debug, Clone, Copy, Default)]
pub struct GetUsage;

/// What a user holds, and may hold at most. The gateway's caches make it some seconds old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserUsage {
    /// Objects, with all versions.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Most objects by the user's quota; None where it has none.
    pub most_objects: Option<u64>,
    /// Most bytes.
    pub most_bytes: Option<u64>,
}

impl Exchange for GetUsage {
    /// None where the gateway does not tell.
    type Output = Option<UserUsage>;

    fn operation(&self) -> &'static str {
        "GetUsage"
    }

    fn place(&self) -> (&str, &str) {
        ("", "")
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_bucket(Method::GET, "");
        request.query.push(("usage", String::new()));
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<Option<UserUsage>> {
        // Others answer with the list of buckets, or may not be asked.
        let document = match Document::read(response, "Usage").await {
            Ok(document) => document,
            Err(failure) if is_no_answer(failure.kind()) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let Usage { summary } = document.parse()?;
        let most = |number: i64| u64::try_from(number).ok();
        Ok(summary.map(|summary| UserUsage {
            objects: summary.objects,
            bytes: summary.bytes,
            most_objects: most(summary.most_objects),
            most_bytes: most(summary.most_bytes),
        }))
    }
}

fn is_no_answer(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::WrongProtocol
            | ErrorKind::AccessDenied
            | ErrorKind::BadRequest
            | ErrorKind::Unsupported
            | ErrorKind::NotFound
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Usage {
    summary: Option<Summary>,
}

#[derive(Deserialize)]
struct Summary {
    #[serde(rename = "TotalEntries")]
    objects: u64,
    #[serde(rename = "TotalBytes")]
    bytes: u64,
    #[serde(rename = "QuotaMaxObjCount")]
    most_objects: i64,
    #[serde(rename = "QuotaMaxBytes")]
    most_bytes: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::scripted::{Answer, play};

    #[tokio::test(start_paused = true)]
    async fn radosgw_tells_what_a_user_holds_and_may_hold() {
        let answer = "<Usage><Entries></Entries><Summary><QuotaMaxBytes>100000768</QuotaMaxBytes><QuotaMaxObjCount>-1\
                      </QuotaMaxObjCount><TotalBytes>14256588</TotalBytes><TotalEntries>707</TotalEntries></Summary>\
                      <CapacityUsed></CapacityUsed></Usage>";
        let usage = UserUsage { objects: 707, bytes: 14_256_588, most_objects: None, most_bytes: Some(100_000_768) };
        assert_eq!(play(GetUsage, [Answer::new(200, answer)]).await.outcome.unwrap(), Some(usage));
    }

    #[tokio::test(start_paused = true)]
    async fn others_do_not_tell() {
        let buckets = "<ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>";
        for (status, text) in [(200, buckets), (403, "")] {
            assert_eq!(play(GetUsage, [Answer::new(status, text)]).await.outcome.unwrap(), None, "{status}");
        }
    }
}
