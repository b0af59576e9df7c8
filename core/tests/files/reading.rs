//! Reading: sequentially, by position, many ranges at once.

use rstest::rstest;
use s3core::ErrorKind;
use s3core::config::ReadPolicy;
use s3core::fs::OpenOptions;
use s3core::transfer::reader::ObjectReader;
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
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
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
        let read = reader.read_range((length - footer) as u64, footer).await.unwrap().concat();
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
    let read = reader.read_ranges(&ranges).await.unwrap();
    for (&(position, length), pieces) in ranges.iter().zip(read) {
        assert!(pieces.concat() == bytes[position as usize..position as usize + length]);
    }
    for (position, length) in [(9 * MIB as u64, 1), (0, 9 * MIB + 1), (u64::MAX, 1)] {
        assert_eq!(reader.read_ranges(&[(position, length)]).await.unwrap_err().kind(), ErrorKind::OutOfRange);
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

#[tokio::test(flavor = "multi_thread")]
async fn a_sequential_reader_asks_in_growing_steps() {
    let files = Files::at(EMBEDDED).await;
    write(&files, "file", &content(64 * MIB, 1)).await.unwrap();
    let reader = files.open_file("file", Default::default()).await.unwrap();
    assert_eq!(read_on(&reader, 0, 65_536).await.unwrap().len(), 64 * MIB);
    let requests = files.gateway().statistics().snapshot()["GetObject"].requests;
    assert!((8..=16).contains(&requests), "{requests}");
}
