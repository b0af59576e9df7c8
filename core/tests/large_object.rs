//! What one large object takes of memory: alone in its process, since the process is what is measured.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use s3core::fs::CreateOptions;
use support::files::Files;
use support::{Service, content};

const MIB: usize = 1 << 20;

/// Most memory that this process ever held resident, in bytes (`VmHWM`, which `clear_refs` sets back).
fn peak_resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_gib_are_written_and_read_in_less_than_256_mib() {
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
