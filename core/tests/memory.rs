//! The memory budget holds, whatever is open.

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
use support::{EMBEDDED, Service, content};
use tokio::sync::Mutex;

/// One at a time: what is measured is the process.
static ALONE: Mutex<()> = Mutex::const_new(());

const MIB: usize = 1 << 20;

/// Most memory that this process ever held resident, in bytes (`VmHWM`, which `clear_refs` sets back).
fn peak_resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_gib_are_written_and_read_in_less_than_256_mib() {
    let _alone = ALONE.lock().await;
    let files = Files::with(Service::Ceph, &[("fs.s3a.multipart.size", "64M")], 256 << 20).await;
    let block = content(8 * MIB, 1);
    let blocks = 512;
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = peak_resident();
    let mut writer = files.create_file("large", CreateOptions::default()).await.unwrap();
    for _ in 0..blocks {
        writer.write(&block).await.unwrap();
    }
    assert_eq!(writer.close().await.unwrap().length, (blocks * block.len()) as u64);
    let written = peak_resident() - before;

    let reader = files.open_file("large", Default::default()).await.unwrap();
    let mut position = 0;
    while position < reader.length() {
        let bytes = reader.read(position, MIB).await.unwrap();
        let at = position as usize % block.len();
        let upto = block.len().min(at + bytes.len());
        assert!(bytes[..upto - at] == block[at..upto], "other bytes at {position}");
        position += bytes.len() as u64;
    }
    let read = peak_resident() - before;
    drop(reader);
    // Before anything can fail: a cluster in memory has no room for a second one.
    files.delete("large", false).await.unwrap();
    println!(
        "4 GiB: {} MiB resident at most while written, {} MiB in all; {} MiB of the budget at most",
        written >> 20,
        read >> 20,
        files.budget().peak() >> 20
    );
    assert!(read < 256 << 20, "{read}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_writers_finish_in_64_mib() {
    let _alone = ALONE.lock().await;
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
}
