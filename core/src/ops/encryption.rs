//! Makes sure that a gateway which is asked to encrypt does so, before anything is there to be read.

use crate::Result;
use crate::gateway::Gateway;

use super::{AbortMultipartUpload, CreateMultipartUpload};

/// Asks with an upload that is never completed: once a PUT is answered, its bytes have taken the place of others.
///
/// # Errors
/// `Unsupported` where the gateway does not encrypt, and its own refusals.
pub(super) async fn make_sure(gateway: &Gateway, bucket: &str, key: &str) -> Result<()> {
    let encrypting = gateway.encrypting();
    if !encrypting.is_wanted() || encrypting.of_writes() == Some(true) {
        return Ok(());
    }
    let id = gateway.run(CreateMultipartUpload::new(bucket, key)).await?;
    encrypting.found_of_writes(true);
    give_up(gateway, bucket, key, &id).await;
    Ok(())
}

/// Removes an upload that nobody needs.
pub(super) async fn give_up(gateway: &Gateway, bucket: &str, key: &str, id: &str) {
    if let Err(failure) = gateway.run(AbortMultipartUpload::new(bucket, key, id)).await {
        tracing::warn!(%failure, bucket, key, id, "an empty upload could not be removed; it stays pending, invisible");
    }
}
