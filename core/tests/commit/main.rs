//! Commits of tasks and jobs on real Ceph and on the embedded endpoint.

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

mod attempts;
mod conflicts;
mod failures;
mod jobs;
mod plain_path;
mod purges;
mod surveys;
mod work_paths;

use std::time::Duration;

use s3core::Result;
use s3core::commit::{CommitOptions, ConflictMode, Job, TaskAttempt};
use s3core::fs::{CreateOptions, FileSystem};
use s3core::ops::ListMultipartUploads;
use s3core::transfer::writer::WrittenObject;
use support::files::Files;
use support::{Service, content};

/// A file that is uploaded in two parts, and one that is kept.
const LARGE: usize = 9 << 20;
const SMALL: usize = 1000;

fn job(id: &str) -> Job {
    Job::new("out/table", id).unwrap()
}

fn attempt(job: &Job, task: u32, number: u32) -> TaskAttempt {
    TaskAttempt::new(job.clone(), &format!("task_{task}"), &format!("attempt_{task}_{number}")).unwrap()
}

/// Another process: the same bucket, none of what this one knows.
fn elsewhere(files: &Files) -> FileSystem {
    elsewhere_with(files, &[])
}

fn elsewhere_with(files: &Files, options: &[(&str, &str)]) -> FileSystem {
    let running = &files.place.running;
    let mut keys = vec![
        ("fs.s3a.access.key", running.access_key.as_str()),
        ("fs.s3a.secret.key", running.secret_key.as_str()),
        ("fs.s3a.multipart.size", "8M"),
    ];
    keys.extend(options);
    Files::reaching(&running.url, &files.place.bucket, &keys, 64 << 20)
}

async fn write(files: &FileSystem, path: &str, bytes: &[u8]) -> Result<WrittenObject> {
    let mut writer = files.create_file(path, CreateOptions::default()).await?;
    writer.write(bytes).await?;
    writer.close().await
}

/// Writes `file` as an attempt that is set up here.
async fn write_as(files: &FileSystem, attempt: &TaskAttempt, file: &str, bytes: &[u8]) {
    attempt.set_up(files);
    write(files, &format!("{}/{file}", attempt.work_path()), bytes).await.unwrap();
}

async fn read(files: &FileSystem, path: &str) -> Result<Vec<u8>> {
    let reader = files.open_file(path, Default::default()).await?;
    reader.read_range(0, reader.length() as usize).await
}

/// Every file of the bucket.
async fn all_files(files: &FileSystem) -> Vec<String> {
    let mut listing = files.list("", true);
    let mut all = Vec::new();
    while let Some(page) = listing.next_page().await.unwrap() {
        all.extend(page.into_iter().map(|entry| entry.path));
    }
    all
}

/// What a reader of the destination sees: names that begin with an underscore are hidden, as in Spark and Hadoop.
async fn visible(files: &FileSystem) -> Vec<String> {
    let hidden = |path: &str| path.split('/').any(|name| name.starts_with('_') && !name.contains('='));
    all_files(files).await.into_iter().filter(|path| !hidden(path)).collect()
}

async fn uploads(files: &FileSystem) -> usize {
    let page = files.gateway().run(ListMultipartUploads::new(files.bucket(), "")).await.unwrap();
    page.uploads.len()
}

fn requests(files: &FileSystem, operation: &str) -> u64 {
    files.gateway().statistics().snapshot().get(operation).map_or(0, |counts| counts.requests)
}

/// Lets what is written from now on look so much older.
fn backdate(files: &Files, by: Duration) {
    files.place.running.embedded.as_ref().unwrap().set_backdating(by);
}
