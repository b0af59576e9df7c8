//! The gateway over HTTP, through a client whose signatures are made by `aws-sigv4`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy allows them in test functions, not in what those share"
)]

mod client;
mod lifecycle;

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use client::Client;
use rstest::rstest;
use s3core_gateway::{Fault, Gateway, Quirks, StartError};

const KEY: &str = "/data/dir/object";

#[test]
fn objects_go_round() {
    let (gateway, client) = start(Quirks::Aws);
    let body: Vec<u8> = (0..3_000_000_u32).map(|index| (index % 251) as u8).collect();
    assert_eq!(client.put(KEY, &body).status, 200);
    assert_eq!(client.get(KEY).body, body);
    for (range, expected) in
        [("bytes=0-9", 0..10), ("bytes=2999990-", 2_999_990..3_000_000), ("bytes=-5", 2_999_995..3_000_000)]
    {
        let answer = client.send("GET", KEY, &[("range", range)], b"");
        assert_eq!((answer.status, answer.body.as_slice()), (206, &body[expected]), "{range}");
    }
    assert_eq!(client.send("GET", KEY, &[("range", "bytes=3000000-")], b"").status, 416);
    let head = client.send("HEAD", KEY, &[], b"");
    assert_eq!((head.status, head.header("content-length")), (200, Some("3000000")));
    assert_eq!(client.send("DELETE", KEY, &[], b"").status, 204);
    assert_eq!(client.get(KEY).status, 404);
    let counts = gateway.request_counts();
    assert_eq!((counts["PutObject"], counts["GetObject"], counts["HeadObject"], counts["DeleteObject"]), (1, 6, 1, 1));
    let get = &gateway.requests()[1];
    assert_eq!((get.key.as_str(), get.status, get.sent), ("dir/object", 200, 3_000_000));
}

#[test]
fn signatures_are_checked() {
    let (_gateway, client) = start(Quirks::Aws);
    let wrong_secret = client.with_keys("access", "wrong").get(KEY);
    assert_eq!((wrong_secret.status, wrong_secret.has("SignatureDoesNotMatch")), (403, true));
    let wrong_access = client.with_keys("wrong", "secret").get(KEY);
    assert_eq!((wrong_access.status, wrong_access.has("InvalidAccessKeyId")), (403, true));
}

#[rstest]
#[case(Quirks::Aws, 200, 412, 412, 404)]
#[case(Quirks::Pacific, 412, 204, 200, 500)]
#[case(Quirks::Reef, 412, 204, 200, 500)]
#[case(Quirks::Tentacle, 200, 412, 412, 500)]
fn conditions_as_the_release_has_them(
    #[case] quirks: Quirks,
    #[case] put_quoted: u16,
    #[case] delete_wrong: u16,
    #[case] complete_existing: u16,
    #[case] complete_unknown: u16,
) {
    let (_gateway, client) = start(quirks);
    let etag = client.put(KEY, b"one").header("etag").unwrap().to_owned();
    assert_eq!(client.send("PUT", KEY, &[("if-none-match", "*")], b"two").status, 412);
    assert_eq!(client.send("PUT", KEY, &[("if-match", &etag)], b"one").status, put_quoted);
    assert_eq!(client.send("PUT", KEY, &[("if-match", etag.trim_matches('"'))], b"one").status, 200);
    let (path, parts) = client.upload(KEY, &[b"part"]);
    assert_eq!(client.send("POST", &path, &[("if-none-match", "*")], &parts).status, complete_existing);
    let unknown = client.send("POST", &format!("{KEY}?uploadId=none"), &[], &parts);
    let replayed = if complete_existing == 200 { 200 } else { complete_unknown };
    assert_eq!(unknown.status, replayed);
    assert_eq!(client.send("DELETE", KEY, &[("if-match", "\"wrong\"")], b"").status, delete_wrong);
    assert_eq!(client.send("POST", &format!("{KEY}x?uploadId=none"), &[], &parts).status, complete_unknown);
}

#[rstest]
#[case(Quirks::Aws, "quoted")]
#[case(Quirks::Pacific, "empty")]
#[case(Quirks::Reef, "bare")]
#[case(Quirks::Tentacle, "quoted")]
fn multipart_etag_and_how_the_answer_words_it(#[case] quirks: Quirks, #[case] form: &str) {
    let (_gateway, client) = start(quirks);
    let first = vec![b'a'; 5 << 20];
    let (path, parts) = client.upload(KEY, &[&first, b"tail"]);
    let text = String::from_utf8(client.send("POST", &path, &[], &parts).body).unwrap().replace("&quot;", "\"");
    let etag = client.send("HEAD", KEY, &[], b"").header("etag").unwrap().to_owned();
    assert!(etag.ends_with("-2\""), "{etag}");
    let element = match form {
        "quoted" => etag,
        "bare" => etag.trim_matches('"').to_owned(),
        _ => String::new(),
    };
    assert!(text.contains(&format!("<ETag>{element}</ETag>")), "{text}");
    assert_eq!(client.get(KEY).body, [first, b"tail".to_vec()].concat());
}

#[test]
fn a_hundred_conditional_writers_have_one_winner() {
    let (_gateway, client) = start(Quirks::Aws);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..100)
            .map(|number| {
                let client = &client;
                scope.spawn(move || {
                    client.send("PUT", KEY, &[("if-none-match", "*")], format!("{number}").as_bytes()).status
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 99);
}

#[test]
fn errors_are_injected_and_counted() {
    let (gateway, client) = start(Quirks::Aws);
    let id = gateway.faults().add(Fault::slow_down().operation("PutObject").every(2).retry_after(3));
    let statuses: Vec<u16> = (0..4).map(|_| client.put(KEY, b"x").status).collect();
    assert_eq!(statuses, [200, 503, 200, 503]);
    assert_eq!((gateway.faults().injected(), gateway.faults().injected_by(id)), (2, 2));
    gateway.faults().clear();
    gateway.faults().add(Fault::error_in_body("InternalError").times(1));
    let answer = client.put(KEY, b"y");
    assert_eq!((answer.status, answer.has("<Code>InternalError</Code>")), (200, true));
    assert_eq!(client.get(KEY).body, b"x");
    assert_eq!(gateway.requests().iter().filter(|request| request.fault.is_some()).count(), 3);
}

#[test]
fn the_log_says_which_object_it_was() {
    let (gateway, client) = start(Quirks::Aws);
    let etag = client.put(KEY, b"x").header("etag").unwrap().trim_matches('"').to_owned();
    let copy = "/data/copy";
    gateway.faults().add(Fault::lose_reply().operation("DeleteObject").times(1));
    client.send("PUT", copy, &[("x-amz-copy-source", KEY)], b"");
    client.try_send("DELETE", KEY, &[], b"").unwrap_err();
    client.send("DELETE", KEY, &[], b"");
    client.send("DELETE", copy, &[("if-match", "\"wrong\"")], b"");
    client.send("DELETE", copy, &[], b"");
    let log = gateway.requests();
    let etags: Vec<_> = log.iter().map(|record| (record.operation, record.etag.as_deref())).collect();
    let (some, delete) = (Some(etag.as_str()), "DeleteObject");
    let removed = [(delete, some), (delete, None), (delete, None), (delete, some)];
    assert_eq!(etags, [&[("PutObject", some), ("CopyObject", some)][..], &removed].concat());
}

#[test]
fn connections_break_as_asked() {
    let (gateway, client) = start(Quirks::Aws);
    let body = vec![7; 2_000_000];
    client.put(KEY, &body);

    gateway.faults().add(Fault::reset().times(1));
    assert_eq!(client.try_send("GET", KEY, &[], b"").unwrap_err().kind(), ErrorKind::ConnectionReset);

    gateway.faults().add(Fault::lose_reply().operation("PutObject").times(1));
    assert!(client.try_send("PUT", "/data/lost", &[], b"kept").is_err());
    assert_eq!(client.get("/data/lost").body, b"kept");

    gateway.faults().add(Fault::cut_body(1_500_000).times(1));
    let cut = client.try_send("GET", KEY, &[], b"").unwrap();
    assert_eq!((cut.status, cut.body.len()), (200, 1_500_000));

    gateway.faults().add(Fault::corrupt_body(1_234_567).times(1));
    let corrupt = client.get(KEY).body;
    let changed: Vec<usize> = (0..body.len()).filter(|index| corrupt[*index] != body[*index]).collect();
    assert_eq!(changed, [1_234_567]);

    gateway.faults().add(Fault::corrupt_upload(3).times(1));
    let refused = client.put(KEY, b"signed");
    assert_eq!((refused.status, refused.has("XAmzContentSHA256Mismatch")), (400, true));
    assert_eq!(gateway.faults().injected(), 5);

    gateway.faults().add(Fault::cut_body(10).times(1));
    assert_eq!(client.get("/data/lost").body, b"kept");
    assert_eq!(gateway.faults().injected(), 5, "a body too short to be hit was counted");
}

#[test]
fn slow_when_asked() {
    let (gateway, client) = start(Quirks::Aws);
    client.put(KEY, &vec![1; 500_000]);
    let time = || {
        let started = Instant::now();
        assert_eq!(client.get(KEY).body.len(), 500_000);
        started.elapsed()
    };
    gateway.set_delay(Duration::from_millis(300));
    assert!(time() >= Duration::from_millis(300));
    gateway.set_delay(Duration::ZERO);
    gateway.set_bandwidth(Some(1_000_000));
    assert!(time() >= Duration::from_millis(450));
    gateway.set_bandwidth(None);
    gateway.faults().add(Fault::stall_body(250_000, Duration::from_millis(300)));
    assert!(time() >= Duration::from_millis(300));
    assert_eq!(gateway.faults().injected(), 1);
}

#[test]
fn a_directory_survives_a_restart_and_shares_copies() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Gateway::builder().directory(folder.path()).keys("access", "secret").bucket("data").start();
    let gateway = start().unwrap();
    let client = Client::new(&gateway);
    let part = vec![3; 5 << 20];
    let (path, parts) = client.upload(KEY, &[&part, b"tail"]);
    let (open, open_parts) = client.upload("/data/open", &[b"half"]);
    assert_eq!(client.send("POST", &path, &[], &parts).status, 200);
    assert_eq!(client.send("PUT", "/data/a/../b", &[("x-amz-copy-source", KEY)], b"").status, 200);
    assert_eq!(client.send("DELETE", KEY, &[], b"").status, 204);
    assert!(matches!(start(), Err(StartError::Directory(_))), "a second gateway may not use the directory");
    gateway.stop();

    let gateway = start().unwrap();
    let client = Client::new(&gateway);
    assert_eq!(client.get("/data/a/../b").body, [part, b"tail".to_vec()].concat());
    assert_eq!(client.get(KEY).status, 404);
    assert_eq!(client.send("POST", &open, &[], &open_parts).status, 200);
    assert_eq!(client.get("/data/open").body, b"half");
    for key in ["/data/a/../b", "/data/open"] {
        assert_eq!(client.send("DELETE", key, &[], b"").status, 204);
    }
    gateway.stop();
    let files = std::fs::read_dir(folder.path().join("blobs")).unwrap();
    let left: usize = files.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count()).sum();
    assert_eq!(left, 0, "deleted data stay on the disk");
}

#[test]
fn seeds_are_objects_that_nobody_put() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Gateway::builder().directory(folder.path()).keys("access", "secret").bucket("data").start().unwrap();
    let gateway = start();
    gateway.set_backdating(Duration::from_secs(86_400));
    gateway.seed("data", b"four", ["a", "b"].map(str::to_owned)).unwrap();
    let missing = gateway.seed("nowhere", b"four", ["a".to_owned()]).unwrap_err();
    assert!(missing.to_string().contains("nowhere"), "{missing}");
    assert!(gateway.request_counts().is_empty());
    let client = Client::new(&gateway);
    client.put("/data/c", b"four");
    gateway.set_backdating(Duration::ZERO);
    let [seeded, put] = ["/data/b", "/data/c"].map(|path| client.get(path));
    assert_eq!(seeded.body, b"four");
    for name in ["etag", "last-modified", "content-length"] {
        assert_eq!(seeded.header(name), put.header(name));
    }
    assert_eq!(client.send("DELETE", "/data/a", &[], b"").status, 204);
    gateway.stop();
    let gateway = start();
    assert_eq!(Client::new(&gateway).get("/data/b").body, b"four");
}

#[test]
fn wrong_starts_are_told() {
    let gateway = Gateway::builder().start().unwrap();
    let port = gateway.endpoint().rsplit(':').next().unwrap().parse().unwrap();
    let taken = Gateway::builder().port(port).start().unwrap_err().to_string();
    assert!(taken.contains("choose another port"), "{taken}");
    let name = Gateway::builder().bucket("a_b").start().unwrap_err().to_string();
    assert!(name.contains("\"a_b\""), "{name}");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("photo"), "x").unwrap();
    let foreign = Gateway::builder().directory(folder.path()).start().unwrap_err().to_string();
    assert!(foreign.contains("choose an empty one"), "{foreign}");
    for (arguments, status) in [
        (vec!["--quirks", "squid"], 2),
        (vec!["--bandwidth", "0"], 2),
        (vec!["--bucket", "a_b"], 1),
        (vec!["--help"], 0),
    ] {
        let arguments = arguments.into_iter().map(str::to_owned).collect();
        assert_eq!(s3core_gateway::run(arguments), status);
    }
}

fn start(quirks: Quirks) -> (Gateway, Client) {
    let gateway = Gateway::builder().keys("access", "secret").bucket("data").quirks(quirks).start().unwrap();
    let client = Client::new(&gateway);
    (gateway, client)
}
