//! Reads that break off, ranges, and answers that do not fit.

use bytes::Bytes;

use super::*;
use crate::ops::scripted::{Answer, play};

fn whole(etag: &str, announced: usize, body: impl Into<Bytes>) -> Answer {
    Answer::new(200, body).header("etag", etag).header("content-length", announced.to_string())
}

fn part(etag: &str, range: &str, body: impl Into<Bytes>) -> Answer {
    Answer::new(206, body).header("etag", etag).header("content-range", format!("bytes {range}"))
}

#[tokio::test(start_paused = true)]
async fn a_broken_attempt_is_followed_by_one_for_the_rest() {
    let mut frames = Vec::new();
    let played = play(
        GetObject::new("b", "k", &mut frames),
        [
            whole("\"e\"", 10, "0123").broken(),
            part("\"e\"", "4-9/10", "45").broken(),
            Answer::error(503, "SlowDown"),
            part("\"e\"", "6-9/10", "6789"),
        ],
    )
    .await;
    let head = played.outcome.as_ref().unwrap();
    assert_eq!((head.length, head.range.clone(), head.etag.as_deref()), (10, 0..10, Some("e")));
    assert_eq!([played.header(0, "range"), played.header(0, "if-match")], [None, None]);
    assert_eq!([played.header(1, "range"), played.header(1, "if-match")], [Some("bytes=4-9"), Some("\"e\"")]);
    assert_eq!(played.header(2, "range"), Some("bytes=6-9"));
    assert_eq!(played.header(3, "range"), Some("bytes=6-9"));
    drop(played);
    assert_eq!(frames.concat(), b"0123456789");
}

#[tokio::test(start_paused = true)]
async fn a_read_goes_on_as_long_as_every_attempt_brings_something() {
    const STEP: usize = 300 << 10;
    const LENGTH: usize = 40 * STEP;
    let rest = |start: usize| part("e", &format!("{start}-{}/{LENGTH}", LENGTH - 1), vec![0; STEP]).broken();
    let answers =
        std::iter::once(whole("e", LENGTH, vec![0; STEP]).broken()).chain((1..40).map(|number| rest(number * STEP)));
    let mut frames = Vec::new();
    assert_eq!(play(GetObject::new("b", "k", &mut frames), answers).await.outcome.unwrap().length, LENGTH as u64);
    assert_eq!(frames.concat().len(), LENGTH);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_ends_early_is_resumed_too() {
    let mut frames = Vec::new();
    let mut get = GetObject::new("b", "k", &mut frames);
    get.range = Some(ByteRange::At { start: 2, length: 4 });
    let played = play(get, [part("e", "2-5/10", "23"), part("e", "4-5/10", "45")]).await;
    assert_eq!(played.outcome.as_ref().unwrap().range, 2..6);
    assert_eq!(played.header(0, "range"), Some("bytes=2-5"));
    assert_eq!(played.header(1, "range"), Some("bytes=4-5"));
    drop(played);
    assert_eq!(frames.concat(), b"2345");
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_break_after_the_last_byte() {
    let played = play(GetObject::new("b", "k", Vec::new()), [whole("e", 4, "0123").broken()]).await;
    assert_eq!(played.outcome.unwrap().length, 4);
}

#[tokio::test(start_paused = true)]
async fn an_object_replaced_between_attempts_is_changed() {
    for second in [Answer::error(412, "PreconditionFailed"), part("f", "2-3/4", "zz"), part("e", "2-4/5", "zzz")] {
        let mut frames = Vec::new();
        let played = play(GetObject::new("b", "k", &mut frames), [whole("e", 4, "01").broken(), second]).await;
        assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::Changed);
        assert_eq!(frames.concat(), b"01");
    }
}

#[tokio::test(start_paused = true)]
async fn the_callers_conditions_are_told_apart() {
    let mut get = GetObject::new("b", "k", Vec::new());
    get.if_match = Some("e".into());
    let played = play(get, [Answer::error(412, "PreconditionFailed")]).await;
    assert_eq!(played.header(0, "if-match"), Some("\"e\""));
    assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::PreconditionFailed);

    let mut get = GetObject::new("b", "k", Vec::new());
    get.if_none_match = Some("e".into());
    let played = play(get, [Answer::new(304, "")]).await;
    assert_eq!(played.header(0, "if-none-match"), Some("\"e\""));
    assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::PreconditionFailed);
}

#[tokio::test(start_paused = true)]
async fn ranges_end_where_the_object_does() {
    for (range, header, content_range, expected) in [
        (ByteRange::Last(3), "bytes=-3", "7-9/10", 7..10),
        (ByteRange::Last(99), "bytes=-99", "0-9/10", 0..10),
        (ByteRange::From(4), "bytes=4-", "4-9/10", 4..10),
        (ByteRange::At { start: 8, length: 50 }, "bytes=8-57", "8-9/10", 8..10),
        (ByteRange::At { start: 8, length: u64::MAX }, "bytes=8-18446744073709551615", "8-9/10", 8..10),
    ] {
        let body = "0123456789".get(expected.start as usize..expected.end as usize).unwrap();
        let mut get = GetObject::new("b", "k", Vec::new());
        get.range = Some(range);
        let played = play(get, [part("e", content_range, body)]).await;
        assert_eq!(played.header(0, "range"), Some(header));
        assert_eq!(played.outcome.unwrap().range, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_range_behind_the_end_is_out_of_range() {
    let mut get = GetObject::new("b", "k", Vec::new());
    get.range = Some(ByteRange::From(10));
    let played = play(get, [Answer::error(416, "InvalidRange")]).await;
    assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::OutOfRange);
}

#[tokio::test(start_paused = true)]
async fn other_bytes_than_asked_for_are_refused() {
    let attempts = crate::gateway::retry::RetryPolicy::default().brief_attempts as usize;
    let answers = (0..attempts).map(|_| part("e", "0-4/10", "01234"));
    let mut get = GetObject::new("b", "k", Vec::new());
    get.range = Some(ByteRange::From(5));
    assert_eq!(play(get, answers).await.outcome.unwrap_err().kind(), ErrorKind::Corrupted);
    let mut get = GetObject::new("b", "k", Vec::new());
    get.range = Some(ByteRange::From(5));
    let outcome = play(get, [whole("e", 10, "0123456789")]).await.outcome;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Unsupported);
    let answers = (0..attempts).map(|_| whole("e", 3, "0123"));
    let outcome = play(GetObject::new("b", "k", Vec::new()), answers).await.outcome;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Corrupted);
}

#[tokio::test(start_paused = true)]
async fn an_empty_object_has_a_head_and_no_frames() {
    let mut frames = Vec::new();
    let played = play(GetObject::new("b", "k", &mut frames), [whole("e", 0, "")]).await;
    assert_eq!(played.outcome.unwrap().length, 0);
    assert!(frames.concat().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_sinks_error_ends_the_read() {
    struct Full;
    impl Sink for Full {
        fn head(&mut self, _: &ObjectHead) -> Result<()> {
            Ok(())
        }
        fn frame(&mut self, _: Bytes) -> Result<()> {
            Err(Error::new(ErrorKind::Closed, "full"))
        }
    }
    let played = play(GetObject::new("b", "k", Full), [whole("e", 4, "0123")]).await;
    assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test(start_paused = true)]
async fn ranges_of_nothing_and_empty_keys_are_not_sent() {
    let mut get = GetObject::new("b", "k", Vec::new());
    get.range = Some(ByteRange::Last(0));
    assert_eq!(play(get, []).await.outcome.unwrap_err().kind(), ErrorKind::InvalidOption);
    let outcome = play(GetObject::new("b", "", Vec::new()), []).await.outcome;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::InvalidPath);
}
