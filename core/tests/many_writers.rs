//! Many open files in little memory.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::time::Duration;

use s3core::fs::CreateOptions;
use support::files::Files;
use support::{EMBEDDED, content};

const MIB: usize = 1 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_writers_finish_in_64_mib() {
    let files = Files::with(EMBEDDED, &[("fs.s3a.multipart.size", "64M")], 64 << 20).await;
    let bytes = content(20 * MIB, 2);
    let mut writers = Vec::new();
    for number in 0..500 {
        writers.push(files.create_file(&format!("w/{number}"), CreateOptions::default()).await.unwrap());
    }
    // All of them at once, a little to each: nobody has a whole part when the budget is gone.
    for piece in bytes.chunks(2 * MIB) {
        for writer in &mut writers {
            writer.write(piece).await.unwrap();
        }
    }
    // In groups, which are removed again: 10 GB would be much for an endpoint in memory.
    let mut number = 0;
    while !writers.is_empty() {
        let group: Vec<_> =
            writers.drain(..50).map(|mut writer| tokio::spawn(async move { writer.close().await })).collect();
        for closing in group {
            let closed = tokio::time::timeout(Duration::from_secs(300), closing).await.expect("a writer hangs");
            assert_eq!(closed.unwrap().unwrap().length, bytes.len() as u64);
            number += 1;
        }
        let reader = files.open_file(&format!("w/{}", number - 1), Default::default()).await.unwrap();
        assert!(reader.read_range(0, bytes.len()).await.unwrap() == bytes);
        files.delete("w", true).await.unwrap();
    }
    println!("500 writers of 20 MiB: {} MiB of the budget at most", files.budget().peak() >> 20);
    assert!(files.budget().peak() <= 64 << 20);
    assert_eq!(files.budget().used(), 0);
}
