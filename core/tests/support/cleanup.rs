//! Removes what a test leaves behind: the Ceph of a test run keeps its objects in memory.

use s3core::Result;
use s3core::gateway::{Gateway, GatewaySettings};
use s3core::ops::{AbortMultipartUpload, DeleteBucket, DeleteObject, ListMultipartUploads, ListObjectsV2};

use super::environment;

/// Removes a bucket with everything in it, from wherever it is called: in a runtime and with connections of its own.
/// What cannot be removed stays; the test has its verdict already.
pub fn remove(settings: GatewaySettings, bucket: &str) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let gateway = Gateway::new(settings, environment());
            runtime.map(|runtime| runtime.block_on(empty_and_remove(&gateway, bucket)))
        });
    });
}

async fn empty_and_remove(gateway: &Gateway, bucket: &str) -> Result<()> {
    let mut list = ListMultipartUploads::new(bucket, "");
    loop {
        let page = gateway.run(list.clone()).await?;
        for upload in page.uploads {
            gateway.run(AbortMultipartUpload::new(bucket, &upload.key, &upload.upload_id)).await?;
        }
        let Some(next) = page.next else { break };
        list.marker = Some(next);
    }
    let mut list = ListObjectsV2::new(bucket, "");
    loop {
        let page = gateway.run(list.clone()).await?;
        let deletions = page.objects.iter().map(|object| gateway.run(DeleteObject::new(bucket, &object.key)));
        for outcome in futures::future::join_all(deletions).await {
            outcome?;
        }
        let Some(next) = page.next else { break };
        list.continuation_token = Some(next);
    }
    gateway.run(DeleteBucket::new(bucket)).await
}
