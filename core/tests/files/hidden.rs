//! Whoever misses a file that s3life has hidden under a delete marker is told so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures::future::BoxFuture;
use rstest::rstest;
use s3core::environment::Environment;
use s3core::fs::FileSystem;
use s3core::http::{Endpoint, Limits, Request, Response, Transport};
use s3core::ops::{DeleteObject, PutBucketVersioning};
use s3core::{ErrorKind, Result};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::support::files::Files;
use crate::support::{Place, Service, environment};

const FILE: &str = "events/day=1/part-0.parquet";
/// Somebody else deletes it while the run is at work.
const OTHER: &str = "events/day=1/other.parquet";

/// The journal of a run that is at work now, as s3life writes it.
struct Run {
    files: Files,
    name: String,
}

impl Run {
    async fn begun() -> Self {
        let files = Files::at(Service::Ceph).await;
        files.place.gateway.run(PutBucketVersioning::new(&files.place.bucket, true)).await.unwrap();
        for path in [FILE, OTHER] {
            files.place.put(path, b"rows".to_vec()).await;
        }
        let form = format_description!("[year][month][day]T[hour][minute][second]Z-a1b2c3");
        let run = Self { files, name: OffsetDateTime::now_utc().format(form).unwrap() };
        run.is("running").await;
        run
    }

    async fn put(&self, name: &str, text: String) {
        self.files.place.put(&format!(".s3core/life/runs/{}/{name}", self.name), text).await;
    }

    async fn is(&self, state: &str) {
        self.has_done(state, "").await;
    }

    async fn has_done(&self, state: &str, actions: &str) {
        let datasets = format!(r#"{{"events":{{"prefix":"events/","actions":{{{actions}}}}}}}"#);
        let record = format!(r#"{{"run":"{}","state":"{state}","datasets":{datasets}}}"#, self.name);
        self.put("run.json", record).await;
    }

    async fn intends(&self, batch: u64, keys: &[&str]) {
        self.intends_together(batch, (batch, batch), keys).await;
    }

    /// The batch is one of these, which are concluded together.
    async fn intends_together(&self, batch: u64, (first, last): (u64, u64), keys: &[&str]) {
        let objects: Vec<_> = keys.iter().map(|key| format!(r#"{{"key":"{key}","version":"v"}}"#)).collect();
        let text = format!(
            "{{\"lease\":7,\"sequence\":{batch},\"lines\":1,\"group\":{{\"first\":{first},\"last\":{last}}}}}\n\
             {{\"prefix\":\"events/day=1/\",\"means\":\"markers\",\"objects\":[{}]}}\n",
            objects.join(",")
        );
        self.put(&format!("journal/00000007-{batch:08}-intent.jsonl"), text).await;
    }

    async fn concludes(&self, batch: u64, markers: &[&str]) {
        self.concludes_in_part(&format!("{batch:08}-outcome"), "", markers).await;
    }

    /// With this after the number of lines.
    async fn concludes_in_part(&self, half: &str, head: &str, markers: &[&str]) {
        let markers: Vec<_> = markers.iter().map(|marker| format!(r#"{{"key":"k","version":"{marker}"}}"#)).collect();
        let text = format!(
            "{{\"lease\":7,\"sequence\":2,\"lines\":1{head}}}\n{{\"prefix\":\"events/day=1/\",\"markers\":[{}]}}\n",
            markers.join(",")
        );
        self.put(&format!("journal/00000007-{half}.jsonl"), text).await;
    }

    /// Deletes a file; returns the marker.
    async fn hides(&self, path: &str) -> String {
        let Place { gateway, bucket, .. } = &self.files.place;
        gateway.run(DeleteObject::new(bucket, path)).await.unwrap().version_id.unwrap()
    }

    async fn told(&self, path: &str) -> String {
        let failure = self.files.status(path).await.unwrap_err();
        assert_eq!(failure.kind(), ErrorKind::NotFound);
        failure.message().to_owned()
    }

    fn undo(&self) -> String {
        format!("`s3life undo {} s3a://{}`", self.name, self.files.place.bucket)
    }
}

#[tokio::test]
async fn a_hidden_file_names_the_run_whose_marker_it_is() {
    let run = Run::begun().await;
    run.intends(1, &["events/day=0/a", "events/day=0/b"]).await;
    run.concludes(1, &["m1", "m2"]).await;
    run.intends(2, &[FILE, OTHER]).await;
    let marker = run.hides(FILE).await;
    run.hides(OTHER).await;
    let begun = run.told(FILE).await;
    assert!(begun.contains(&format!("{} brings back what the run has hidden", run.undo())), "{begun}");

    run.concludes(2, &["m3", &marker]).await;
    let hidden = run.told(FILE).await;
    assert!(hidden.contains(&format!("under a delete marker; {} brings it back", run.undo())), "{hidden}");
    let other = run.told(OTHER).await;
    assert!(!other.contains("s3life"), "{other}");
    let failure = run.files.open_file(FILE, Default::default()).await.err().unwrap();
    assert!(failure.message().contains(&run.undo()), "{failure}");
}

/// The run had written down that it would take what somebody deletes when the run has been killed, but never this file.
#[tokio::test]
async fn what_others_delete_beside_a_run_that_was_killed_names_none() {
    let run = Run::begun().await;
    run.intends(1, &[FILE]).await;
    run.hides(OTHER).await;
    let other = run.told(OTHER).await;
    assert!(!other.contains("s3life"), "{other}");
    let never = run.told("events/day=1/never.parquet").await;
    assert!(!never.contains("s3life"), "{never}");
}

/// A unit of many objects: what was about to go is in several batches, and what came of it, beside the first, in two parts.
#[tokio::test]
async fn a_large_unit_is_told_in_parts() {
    let run = Run::begun().await;
    run.intends_together(2, (2, 3), &["events/day=1/a"]).await;
    run.intends_together(3, (2, 3), &[FILE, OTHER]).await;
    let marker = run.hides(FILE).await;
    run.hides(OTHER).await;
    run.concludes_in_part("00000002-rest-2", r#","part":{"number":2,"of":2}"#, &[&marker]).await;
    run.concludes_in_part("00000002-outcome", r#","part":{"number":1,"of":2}"#, &["m1"]).await;
    let told = run.told(FILE).await;
    assert!(told.contains(&format!("{} brings it back", run.undo())), "{told}");
    let other = run.told(OTHER).await;
    assert!(!other.contains("s3life"), "{other}");
}

#[rstest]
#[case::emptied("purged", r#""expire":{}"#, "for good or emptied its trash: nothing of that comes back")]
#[case::for_good("done", r#""delete":{}"#, "for good or emptied its trash: nothing of that comes back")]
#[case::in_part("done", r#""delete":{},"expire":{}"#, "brings it back")]
#[case::undone("undone", r#""expire":{}"#, "brings it back")]
#[tokio::test]
async fn what_a_run_cannot_bring_back_is_told_as_such(
    #[case] state: &str,
    #[case] actions: &str,
    #[case] expected: &str,
) {
    let run = Run::begun().await;
    run.intends(1, &[FILE]).await;
    let marker = run.hides(FILE).await;
    run.concludes(1, &[&marker]).await;
    run.has_done(state, actions).await;
    let told = run.told(FILE).await;
    assert!(told.contains(&run.name) && told.contains(expected), "{told}");
}

/// What came of the batch is in more objects than are read, or than this user may read.
#[tokio::test]
async fn a_journal_that_cannot_be_read_leaves_the_time_of_the_run() {
    let run = Run::begun().await;
    run.intends(1, &[FILE]).await;
    run.hides(FILE).await;
    run.concludes_in_part("00000001-outcome", r#","part":{"number":1,"of":9}"#, &["m1"]).await;
    let told = run.told(FILE).await;
    let expected = format!(
        "made while the run {} of s3life was at work in the bucket; `s3life explain POLICY s3a://{}/{FILE}`",
        run.name, run.files.place.bucket
    );
    assert!(told.contains(&expected), "{told}");
}

/// Nothing of the run's was under way when the marker was made.
#[tokio::test]
async fn a_file_that_was_deleted_before_or_after_a_run_names_none() {
    let run = Run::begun().await;
    run.hides(FILE).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    run.intends(1, &[FILE]).await;
    run.concludes_in_part("00000001-outcome", r#","part":{"number":1,"of":9}"#, &["m1"]).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    run.hides(OTHER).await;
    for path in [FILE, OTHER] {
        let told = run.told(path).await;
        assert!(!told.contains("s3life"), "{told}");
    }
}

/// It had come back by then.
#[tokio::test]
async fn a_file_that_is_deleted_after_a_run_went_on_names_none() {
    let run = Run::begun().await;
    run.intends(1, &[FILE]).await;
    for half in ["intent", "outcome"] {
        run.put(&format!("journal/00000009-00000001-{half}.jsonl"), String::new()).await;
    }
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    run.hides(FILE).await;
    let told = run.told(FILE).await;
    assert!(!told.contains("s3life"), "{told}");
}

/// Counts requests.
struct Counting(Arc<dyn Transport>, Arc<AtomicU64>);

impl Transport for Counting {
    fn send(&self, endpoint: &Endpoint, request: Request, limits: Limits) -> BoxFuture<'static, Result<Response>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.send(endpoint, request, limits)
    }
}

/// The run's bucket, seen by a process that remembers nothing of it, with the number of its requests.
fn counted(run: &Run) -> (FileSystem, Arc<AtomicU64>) {
    let (world, count) = (environment(), Arc::<AtomicU64>::default());
    let transport = Arc::new(Counting(Arc::clone(&world.transport), Arc::clone(&count)));
    let (running, bucket) = (&run.files.place.running, &run.files.place.bucket);
    let keys = [("fs.s3a.access.key", &*running.access_key), ("fs.s3a.secret.key", &*running.secret_key)];
    (Files::in_world(Environment { transport, ..world }, &running.url, bucket, &keys, 64 << 20), count)
}

#[tokio::test]
async fn a_miss_costs_little() {
    let run = Run::begun().await;
    run.intends(1, &[FILE]).await;
    let marker = run.hides(FILE).await;
    run.concludes(1, &[&marker]).await;
    let (files, count) = counted(&run);
    for (path, most) in [("events/day=1/never.parquet", 2), (FILE, 6)] {
        let before = count.load(Ordering::SeqCst);
        files.status(path).await.unwrap_err();
        // Beside GET and LIST of the file itself.
        assert_eq!(count.load(Ordering::SeqCst) - before, 2 + most, "{path}");
    }
    // A job that misses thousands.
    let (began, before) = (Instant::now(), count.load(Ordering::SeqCst));
    let mut told = 0;
    for number in 0..200 {
        let path = if number % 2 == 0 { FILE } else { "events/day=2/never.parquet" };
        told += usize::from(files.status(path).await.unwrap_err().message().contains("s3life undo"));
    }
    let beyond = count.load(Ordering::SeqCst) - before - 2 * 200;
    let most = (began.elapsed().as_secs() + 1) * 8 * 6 + 200;
    assert!(beyond <= most, "{beyond}, of {most} in {:?}", began.elapsed());
    assert_eq!(told, 100);
}
