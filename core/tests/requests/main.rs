//! What requests say because a bucket's options say so, and what gateways answer: encryption, ACL, tenants, quotas;
//! and the proxy that they go through.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where its preparations fail")]

#[path = "../support/mod.rs"]
mod support;

mod assumed_endpoint;
mod encryption;
mod headers;
mod proxies;
mod refusals;
mod tenants;

use s3core::Result;
use s3core::fs::{CreateOptions, Existing, FileSystem, OpenOptions};

use support::Place;
use support::files::Files;

/// The bucket of `place` under the test user's keys and further Hadoop options.
fn files(place: &Place, options: &[(&str, &str)]) -> FileSystem {
    let running = &place.running;
    let mut all = vec![
        ("fs.s3a.access.key", running.access_key.as_str()),
        ("fs.s3a.secret.key", running.secret_key.as_str()),
        ("fs.s3a.multipart.size", "8M"),
    ];
    all.extend(options);
    Files::reaching(&running.url, &place.bucket, &all, 64 << 20)
}

async fn write(files: &FileSystem, path: &str, bytes: &[u8]) -> Result<()> {
    let options = CreateOptions { existing: Existing::IsReplaced, ..CreateOptions::default() };
    let mut writer = files.create_file(path, options).await?;
    writer.write(bytes).await?;
    writer.close().await.map(|_| ())
}

async fn read(files: &FileSystem, path: &str) -> Result<Vec<u8>> {
    let reader = files.open_file(path, OpenOptions::default()).await?;
    reader.read_range(0, usize::try_from(reader.length()).unwrap()).await
}
