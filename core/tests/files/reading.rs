//! Reading: sequentially, by position, many ranges at once.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rstest::rstest;
use s3core::ErrorKind;
use s3core::config::ReadPolicy;
use s3core::fs::OpenOptions;
use s3core::transfer::reader::{ObjectReader, ReadCountsSnapshot};
use s3core_gateway::Fault;

use super::support::files::Files;
use super::support::{EMBEDDED, Service, content};
use super::write;

const MIB: usize = 1 << 20;

async fn read_on(reader: &ObjectReader, mut position: u64, step: usize) -> s3core::Result<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let bytes = match reader.try_read(position, step) {
            Some(bytes) => bytes,
            None => reader.read(position, step).await?,
        };
        if bytes.is_empty() {
            return Ok(all);
        }
        position += bytes.len() as u64;
        all.extend_from_slice(&bytes);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_policy_and_step_reads_the_same_bytes(
    #[values(Service::Ceph, EMBEDDED)] service: Service,
    #[values(ReadPolicy::Adaptive, ReadPolicy::Sequential, ReadPolicy::Random)] policy: ReadPolicy,
    #[values(100_000, 3 * MIB, 64 * MIB)] step: usize,
) {
    let files = Files::at(service).await;
    let bytes = content(20 * MIB + 17, 1);
    write(&files, "file", &bytes).await.unwrap();
    let reader = files.open_file("file", OpenOptions { policy, ..Default::default() }).await.unwrap();
    assert!(read_on(&reader, 0, step).await.unwrap() == bytes);
    assert!(read_on(&reader, 5 * MIB as u64 + 3, step).await.unwrap() == bytes[5 * MIB + 3..]);
    drop(reader);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(files.budget().used(), 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_columnar_file_is_opened_with_its_footer(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    for length in [0, 10, 65_536, MIB] {
        let bytes = content(length, 1);
        write(&files, "table.parquet", &bytes).await.unwrap();
        let before = files.gateway().statistics().snapshot();
        let reader = files.open_file("table.parquet", Default::default()).await.unwrap();
        assert_eq!(reader.length(), length as u64);
        let footer = length.min(1000);
        let read = reader.read_range((length - footer) as u64, footer).await.unwrap();
        assert!(read == bytes[length - footer..]);
        let after = files.gateway().statistics().snapshot();
        let requests = |name: &str| {
            after.get(name).map_or(0, |counts| counts.requests) - before.get(name).map_or(0, |counts| counts.requests)
        };
        // An empty object has no last bytes, so that some gateways refuse to send them and it takes a second look.
        assert_eq!(requests("GetObject"), 1);
        assert!(requests("HeadObject") <= u64::from(length == 0));
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn ranges_come_in_the_order_asked_for(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    let bytes = content(9 * MIB, 1);
    write(&files, "file", &bytes).await.unwrap();
    let reader = files.open_file("file", Default::default()).await.unwrap();
    let ranges = [(8 * MIB as u64, MIB), (0, 100), (150, 10), (4 * MIB as u64, 3 * MIB), (7, 0)];
    let mut read: Vec<Vec<u8>> = ranges.iter().map(|(_, length)| vec![0; *length]).collect();
    let mut under_way = reader.ranges(&ranges).unwrap();
    while let Some(fetched) = under_way.next().await.unwrap() {
        for (&(position, length), target) in ranges.iter().zip(&mut read) {
            for (offset, piece) in fetched.within(position, length) {
                target[offset..offset + piece.len()].copy_from_slice(&piece);
            }
        }
    }
    for (&(position, length), read) in ranges.iter().zip(&read) {
        assert!(*read == bytes[position as usize..position as usize + length]);
    }
    for (position, length) in [(9 * MIB as u64, 1), (0, 9 * MIB + 1), (u64::MAX, 1)] {
        assert_eq!(reader.ranges(&[(position, length)]).map(|_| ()).unwrap_err().kind(), ErrorKind::OutOfRange);
        assert_eq!(reader.read_range(position, length).await.unwrap_err().kind(), ErrorKind::OutOfRange);
    }
    assert!(reader.read(9 * MIB as u64, 10).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_object_is_not_mixed_with_the_old_one(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    write(&files, "file", &content(3 * MIB, 1)).await.unwrap();
    let reader = files.open_file("file", Default::default()).await.unwrap();
    reader.read(0, 10).await.unwrap();
    write(&files, "file", &vec![0; 3 * MIB]).await.unwrap();
    assert_eq!(reader.read(2 * MIB as u64, 10).await.unwrap_err().kind(), ErrorKind::Changed);
    assert_eq!(reader.read_range(MIB as u64, 10).await.unwrap_err().kind(), ErrorKind::Changed);
    files.delete("file", false).await.unwrap();
    assert_eq!(reader.read(2 * MIB as u64, 10).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_answers_are_resumed_where_they_broke() {
    let files = Files::at(EMBEDDED).await;
    let bytes = content(20 * MIB, 1);
    write(&files, "file", &bytes).await.unwrap();
    files.place.faults().add(Fault::cut_body(700_000).operation("GetObject").every(2));
    files.place.faults().add(Fault::slow_down().operation("GetObject").every(3));
    let reader = files.open_file("file", Default::default()).await.unwrap();
    assert!(read_on(&reader, 0, 100_000).await.unwrap() == bytes);
    assert!(files.place.faults().injected() >= 4);
    // What had arrived was not asked for again.
    let received = files.gateway().statistics().snapshot()["GetObject"].bytes_received;
    assert!(received < bytes.len() as u64 * 11 / 10, "{received}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_sequential_reader_asks_in_growing_steps(#[values(65_536, MIB, 8 * MIB)] step: usize) {
    let files = Files::at(EMBEDDED).await;
    write(&files, "file", &content(64 * MIB, 1)).await.unwrap();
    let reader = files.open_file("file", Default::default()).await.unwrap();
    assert_eq!(read_on(&reader, 0, step).await.unwrap().len(), 64 * MIB);
    let requests = files.gateway().statistics().snapshot()["GetObject"].requests;
    assert!((8..=16).contains(&requests), "{requests}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_a_file_may_be_out_of_date(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    write(&files, "file", &content(1000, 1)).await.unwrap();
    for length in [100, 10_000] {
        let known = OpenOptions { length: Some(length), ..OpenOptions::default() };
        let reader = files.open_file("file", known).await.unwrap();
        let failure = reader.read_range(0, length as usize).await.unwrap_err();
        assert_eq!(failure.kind(), ErrorKind::Changed, "{failure}");
        assert_eq!(reader.read(0, 10).await.unwrap_err().kind(), ErrorKind::Changed);
    }
    let known = OpenOptions { length: Some(1000), ..OpenOptions::default() };
    let reader = files.open_file("file", known).await.unwrap();
    assert!(reader.read_range(0, 500).await.unwrap() == content(1000, 1)[..500]);
    // Another object of that length is another object all the same: its ETag was that of the first answer.
    write(&files, "file", &content(1000, 2)).await.unwrap();
    assert_eq!(reader.read_range(500, 500).await.unwrap_err().kind(), ErrorKind::Changed);
    assert_eq!((reader.counts().requests, reader.counts().replaced), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_bytes_that_are_given_up_asks_again() {
    let files = Files::at(EMBEDDED).await;
    let bytes = content(4 * MIB, 1);
    write(&files, "file", &bytes).await.unwrap();
    let reader = Arc::new(files.open_file("file", Default::default()).await.unwrap());
    files.place.faults().add(Fault::stall(Duration::from_secs(3)).operation("GetObject").times(1));
    let waiting = tokio::spawn({
        let reader = Arc::clone(&reader);
        async move { reader.read(0, 2 * MIB).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    reader.unbuffer();
    let began = Instant::now();
    let read = tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap().unwrap().unwrap();
    assert!(!read.is_empty() && read == bytes[..read.len()]);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let counts = reader.counts();
    assert_eq!((counts.requests, counts.given_up, counts.bytes_given_up), (2, 1, 2 * MIB as u64), "{counts:?}");
}

/// Sixteen readers ask for 24 MiB each where there are 16 MiB of memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ranges_stay_within_the_memory_budget() {
    let files = Files::with(EMBEDDED, &[], 16 << 20).await;
    let bytes = Arc::new(content(24 * MIB, 1));
    write(&files, "file", &bytes).await.unwrap();
    let readers = (0..16).map(|_| {
        let (files, bytes) = (files.clone(), Arc::clone(&bytes));
        tokio::spawn(async move {
            let reader = files.open_file("file", Default::default()).await.unwrap();
            let mut ranges = reader.ranges(&[(0, bytes.len())]).unwrap();
            while let Some(fetched) = ranges.next().await.unwrap() {
                assert!(files.budget().used() > 0, "what is handed out counts");
                for (offset, piece) in fetched.within(0, bytes.len()) {
                    assert!(piece == bytes[offset..offset + piece.len()]);
                }
            }
        })
    });
    futures::future::try_join_all(readers).await.unwrap();
    assert_eq!(files.budget().used(), 0);
}

#[rstest]
#[case(&[], 64 << 10)]
#[case(&[("fs.s3a.readahead.range", "1M")], 1 << 20)]
#[tokio::test(flavor = "multi_thread")]
async fn a_random_read_asks_for_the_readahead_range(#[case] hadoop: &[(&str, &str)], #[case] expected: u64) {
    let files = Files::with(EMBEDDED, hadoop, 128 << 20).await;
    write(&files, "file", &content(3 * MIB, 1)).await.unwrap();
    let options = OpenOptions { policy: ReadPolicy::Random, ..OpenOptions::default() };
    let reader = files.open_file("file", options).await.unwrap();
    reader.read(MIB as u64, 10).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(files.gateway().statistics().snapshot()["GetObject"].bytes_received, expected);
    reader.set_random_read(100);
    reader.read(10, 10).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(files.gateway().statistics().snapshot()["GetObject"].bytes_received, expected + 100);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_columnar_file_is_asked_for_once_in_a_second(
    #[values(Service::Ceph, EMBEDDED)] service: Service,
    #[values("file.parquet", "file.orc")] name: &str,
) {
    let writer = Files::at(service).await;
    let place = &writer.place.running;
    let keys = [("fs.s3a.access.key", place.access_key.as_str()), ("fs.s3a.secret.key", place.secret_key.as_str())];
    let files = Files::reaching(&place.url, &writer.place.bucket, &keys, 128 << 20);
    let (old, new) = (content(300_000, 1), content(200_000, 2));
    write(&writer, name, &old).await.unwrap();
    assert_eq!(writer.status(name).await.unwrap().length, 300_000);
    assert!(!writer.gateway().statistics().snapshot().contains_key("GetObject"), "what was just written is not read");
    // As Parquet's readers do: twice status, open, footer.
    for _ in 0..2 {
        let status = files.status(name).await.unwrap();
        assert_eq!((status.length, status.is_directory), (300_000, false));
        assert!(status.modified > SystemTime::UNIX_EPOCH && status.etag.is_some());
        let reader = files.open_file(name, Default::default()).await.unwrap();
        assert!(reader.read_range(299_000, 1000).await.unwrap() == old[299_000..]);
    }
    let counts = files.gateway().statistics().snapshot();
    assert_eq!((counts["GetObject"].requests, counts.len()), (1, 1), "{counts:?}");

    // What another process writes is seen a second later, what this one does at once.
    write(&writer, name, &new).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(files.status(name).await.unwrap().length, 200_000);
    write(&files, name, &old).await.unwrap();
    assert_eq!(files.status(name).await.unwrap().length, 300_000);
    let reader = files.open_file(name, Default::default()).await.unwrap();
    assert!(reader.read_range(0, 300_000).await.unwrap() == old);
    files.rename(name, "elsewhere.orc").await.unwrap();
    assert_eq!(files.status(name).await.unwrap_err().kind(), ErrorKind::NotFound);
    drop(reader);
    files.delete("elsewhere.orc", false).await.unwrap();
    assert_eq!(files.status("elsewhere.orc").await.unwrap_err().kind(), ErrorKind::NotFound);
    write(&files, "directory.parquet/part", b"x").await.unwrap();
    assert!(files.status("directory.parquet").await.unwrap().is_directory);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_counts_what_it_costs_and_what_was_in_vain(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    write(&files, "file", &content(3 * MIB, 1)).await.unwrap();
    let options = || OpenOptions { policy: ReadPolicy::Random, random_read: Some(1000), ..OpenOptions::default() };
    let reader = files.open_file("file", options()).await.unwrap();
    assert_eq!(reader.read(100, 500).await.unwrap().len(), 500);
    assert_eq!((reader.counts().requests, reader.counts().received), (1, 1000));
    // 100 bytes of the request are passed over, and 350 stay behind when the reader goes elsewhere.
    reader.read(700, 50).await.unwrap();
    reader.read(2_000_000, 10).await.unwrap();
    let counts = reader.counts();
    assert_eq!((counts.requests, counts.skipped, counts.discarded, counts.given_up), (2, 100, 350, 0), "{counts:?}");
    let requests = reader.requests();
    assert_eq!((requests["HeadObject"].requests, requests["GetObject"].requests), (1, 2));

    let ranges = files.open_file("file", options()).await.unwrap();
    let mut reading = ranges.ranges(&[(0, 100), (1100, 100), (50, 100), (1_000_000, 10)]).unwrap();
    assert_eq!((reading.requests(), reading.unwanted()), (2, 950));
    while reading.next().await.unwrap().is_some() {}
    let expected =
        ReadCountsSnapshot { requests: 2, ended: 2, received: 1210, discarded: 950, ..ReadCountsSnapshot::default() };
    assert_eq!(ranges.counts(), expected);

    let all = files.gateway().statistics().snapshot();
    let parts = [&reader, &ranges].map(|reader| reader.requests()["GetObject"].requests);
    assert_eq!(all["GetObject"].requests, parts.iter().sum::<u64>());
}
