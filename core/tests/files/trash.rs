//! Whoever misses a file that s3life has moved to its trash is told so.

use std::time::Instant;

use rstest::rstest;
use s3core::ErrorKind;
use s3core::fs::OpenOptions;
use s3core::ops::DeleteObject;

use crate::support::files::Files;
use crate::support::{EMBEDDED, Service};

#[rstest]
#[tokio::test]
async fn a_file_in_the_trash_names_its_run_and_the_command(
    #[values(Service::Ceph, EMBEDDED)] service: Service,
    #[values("events/day=1/part-0.parquet", "events/day=1/a text")] path: &str,
    #[values(true, false)] is_known: bool,
) {
    let files = Files::at(service).await;
    files.place.put(path, b"rows".to_vec()).await;
    let options = OpenOptions { length: is_known.then_some(4), ..OpenOptions::default() };
    // Opened before it goes: the read finds out.
    let reader = if is_known { Some(files.open_file(path, options.clone()).await.unwrap()) } else { None };
    files.place.put(".s3core/trash/20261125T120000Z-a1b2c3/2/other", b"x".to_vec()).await;
    files.place.put(&format!(".s3core/trash/20261124T120000Z-d4e5f6/17/{path}"), b"rows".to_vec()).await;
    files.place.gateway.run(DeleteObject::new(&files.place.bucket, path)).await.unwrap();
    let failures = match reader {
        Some(reader) => {
            let ranges = async { reader.read_range(0, 4).await };
            vec![reader.read(0, 4).await.unwrap_err(), ranges.await.unwrap_err()]
        }
        None => vec![files.open_file(path, options).await.err().unwrap()],
    };
    for failure in failures {
        assert_eq!(failure.kind(), ErrorKind::NotFound);
        let command = format!("`s3life undo 20261124T120000Z-d4e5f6 s3a://{}`", files.place.bucket);
        assert!(failure.message().contains(&command), "{failure}");
    }
}

#[rstest]
#[tokio::test]
async fn who_asks_for_the_status_of_a_tables_file_is_told_too(
    #[values(Service::Ceph, EMBEDDED)] service: Service,
    #[values("day=1/part-0.parquet", "day=1/part-0", "day=1/a.orc", "day=1/000000_0")] path: &str,
) {
    let files = Files::at(service).await;
    let missing = files.status(path).await.unwrap_err();
    assert!(missing.kind() == ErrorKind::NotFound && !missing.message().contains("s3life"), "{missing}");
    files.place.put(&format!(".s3core/trash/20261124T120000Z-d4e5f6/17/{path}"), b"rows".to_vec()).await;
    let moved = files.status(path).await.unwrap_err();
    assert!(
        moved.kind() == ErrorKind::NotFound && moved.message().contains("s3life undo 20261124T120000Z-d4e5f6"),
        "{moved}"
    );
}

#[rstest]
#[tokio::test]
async fn a_file_that_never_was_is_just_missing(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    let failure = files.open_file("never", OpenOptions::default()).await.err().unwrap();
    assert_eq!(failure.kind(), ErrorKind::NotFound);
    assert!(!failure.message().contains("s3life"), "{failure}");
}

/// A job that misses thousands of files is told of each that is in the trash, and asks for little more than each of them.
#[rstest]
#[tokio::test]
async fn many_that_are_missing_cost_little(#[values(true, false)] has_trash: bool) {
    let files = Files::at(EMBEDDED).await;
    if has_trash {
        for run in 10..30 {
            files
                .place
                .put(&format!(".s3core/trash/202611{run}T120000Z-a1b2c3/7/day=1/part-7777"), b"rows".to_vec())
                .await;
        }
    }
    let embedded = files.place.running.embedded.as_ref().unwrap();
    embedded.reset_requests();
    let began = Instant::now();
    let mut told = Vec::new();
    for number in 0..2_000 {
        let failure = files.status(&format!("day=2/part-{number}")).await.unwrap_err();
        assert!(failure.kind() == ErrorKind::NotFound && !failure.message().contains("s3life"), "{failure}");
        if number % 500 == 499 {
            told.push(files.status("day=1/part-7777").await.unwrap_err());
        }
    }
    // Beside HEAD and LIST of the file itself.
    let beyond = embedded.request_counts().values().sum::<u64>() - 2 * 2_004;
    // What there is, and of eight runs with one lease each 17 listings, eight times a second, and HEAD.
    let each = if has_trash { 19 } else { 1 };
    let most = (began.elapsed().as_secs() + 1) * 8 * each + 40;
    assert!(beyond <= most, "{beyond}, of {most} in {:?}", began.elapsed());
    let named = told.iter().filter(|failure| failure.message().contains("`s3life undo 20261129T120000Z-a1b2c3 "));
    assert_eq!(named.count(), if has_trash { 4 } else { 0 });
}
