//! Files and directories on real Ceph and on the embedded endpoint: the same behaviour on both.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

#[path = "../support/mod.rs"]
mod support;

mod attributes;
mod directories;
mod exclusive;
mod hidden;
mod reading;
mod renaming;
mod trash;
mod uploads;
mod writing;

use s3core::Result;
use s3core::fs::{CreateOptions, Existing, FileStatus, FileSystem};
use s3core::transfer::writer::WrittenObject;

async fn write(file_system: &FileSystem, path: &str, bytes: &[u8]) -> Result<WrittenObject> {
    let mut writer =
        file_system.create_file(path, CreateOptions { existing: Existing::IsReplaced, ..Default::default() }).await?;
    writer.write(bytes).await?;
    writer.close().await
}

async fn read(file_system: &FileSystem, path: &str) -> Result<Vec<u8>> {
    let reader = file_system.open_file(path, Default::default()).await?;
    reader.read_range(0, reader.length() as usize).await
}

async fn entries(file_system: &FileSystem, path: &str, recursive: bool) -> Result<Vec<FileStatus>> {
    let mut listing = file_system.list(path, recursive);
    let mut all = Vec::new();
    while let Some(page) = listing.next_page().await? {
        all.extend(page);
    }
    Ok(all)
}

async fn paths(file_system: &FileSystem, path: &str, recursive: bool) -> Vec<String> {
    entries(file_system, path, recursive).await.unwrap().into_iter().map(|entry| entry.path).collect()
}
