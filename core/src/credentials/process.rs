//! Keys that a program prints: `credential_process` of a profile ("Process credential provider" in the AWS SDKs and Tools
//! reference guide).

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Error, ErrorKind, Result};

use super::metadata;
use super::provider::{CommandLine, Issued};

/// A program that asks a person, or a service that does not answer, is ended after so long.
const LIMIT: Duration = Duration::from_secs(60);
/// What the program has started may keep its pipes open after its end: what it printed itself is there by then.
const AFTER_ITS_END: Duration = Duration::from_secs(1);
/// Most that is kept of what it prints.
const LONGEST_TEXT: usize = 256 * 1024;
const SOURCE: &str = "the program of credential_process";

/// # Errors
/// `NoCredentials` where the program fails, does not end, or prints no keys.
pub(super) async fn issue(command: &CommandLine) -> Result<Issued> {
    let CommandLine(line) = command.clone();
    let run = tokio::task::spawn_blocking(move || run(&line, LIMIT));
    run.await.unwrap_or_else(|stopped| Err(Error::new(ErrorKind::Closed, "the process ends").caused_by(stopped)))
}

fn run(line: &str, limit: Duration) -> Result<Issued> {
    let deadline = Instant::now() + limit;
    let started = Command::new("/bin/sh")
        .args(["-c", line])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn();
    let mut child = started.map_err(|cause| failed(&format!("could not be started: {cause}")))?;
    let printed = collect(child.stdout.take());
    let complaint = collect(child.stderr.take());
    let Some(status) = wait(&mut child, deadline) else {
        return Err(failed(&format!("did not end within {} s", limit.as_secs())));
    };
    if !status.success() {
        let complaint = text(&complaint);
        let last = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        return Err(failed(&format!("failed ({status}): {last}")));
    }
    metadata::keys(&text(&printed), SOURCE)
}

fn failed(reason: &str) -> Error {
    Error::new(ErrorKind::NoCredentials, format!("{SOURCE} {reason}"))
}

/// Reads in a thread of its own, so that a program with much to say does not wait for its reader.
fn collect(stream: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let Some(mut stream) = stream else { return };
        let mut buffer = [0; 4096];
        let mut kept = 0;
        // What was read before an error is all there is.
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            let bytes = buffer.get(..length.min(LONGEST_TEXT - kept)).unwrap_or_default();
            kept += bytes.len();
            if !bytes.is_empty() && sender.send(bytes.to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// What came, of a program that has ended.
fn text(receiver: &Receiver<Vec<u8>>) -> String {
    let deadline = Instant::now() + AFTER_ITS_END;
    let mut bytes = Vec::new();
    while let Ok(more) = receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        bytes.extend(more);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn wait(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    while Instant::now() < deadline {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(10));
    }
    // It may have ended just now. The shell's group has what the shell has started, too.
    let group = format!("kill -KILL -{}", child.id());
    let _ = Command::new("/bin/sh").args(["-c", &group]).stderr(Stdio::null()).status();
    let _ = child.kill();
    let _ = child.wait();
    None
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn printed_keys_are_taken() {
        let line = r#"echo '{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "s", "SessionToken": "t"}'"#;
        let keys = run(line, LIMIT).unwrap().credentials.unwrap();
        assert_eq!((keys.access_key.as_str(), keys.session_token.as_deref()), ("a", Some("t")));
    }

    #[rstest]
    #[case("echo 'no session' >&2; echo >&2; exit 3", "no session")]
    #[case("no-such-program-here", "no-such-program-here")]
    #[case("echo hello", "no JSON")]
    #[case("exec sleep 30", "did not end within")]
    fn a_program_without_keys_says_why(#[case] line: &str, #[case] part: &str) {
        let error = run(line, Duration::from_millis(300)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoCredentials);
        assert!(error.message().contains(part), "{error}");
    }

    #[test]
    fn what_a_program_leaves_running_is_not_waited_for() {
        let began = Instant::now();
        let line = "sleep 30 & echo '{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"s\"}'";
        assert!(run(line, LIMIT).is_ok());
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }

    #[test]
    fn a_program_that_does_not_end_is_ended_with_what_it_has_started() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("late");
        let line = format!("(sleep 1; touch {}) & wait", file.display());
        assert!(run(&line, Duration::from_millis(200)).unwrap_err().message().contains("did not end within"));
        thread::sleep(Duration::from_millis(1500));
        assert!(!file.exists());
    }

    #[test]
    fn a_program_that_prints_without_end_is_not_kept() {
        let error = run("head -c 3000000 /dev/zero | tr '\\0' x", LIMIT).unwrap_err();
        assert!(error.message().contains("no JSON"), "{error}");
        let printed = collect(Some(std::io::repeat(b'x').take(3_000_000)));
        assert_eq!(text(&printed).len(), LONGEST_TEXT);
    }

    #[test]
    fn a_talkative_program_does_not_wait_for_its_reader() {
        let line =
            "head -c 300000 /dev/zero | tr '\\0' x >&2; echo '{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"s\"}'";
        assert!(run(line, LIMIT).is_ok());
    }
}
