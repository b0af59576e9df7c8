//! Keys that a program prints: `credential_process` of a profile ("Process credential provider" in the AWS SDKs and Tools
//! reference guide).

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::{Error, ErrorKind, Result};

use super::metadata;
use super::provider::{CommandLine, Issued};

/// A program that asks a person, or a service that does not answer, is ended after so long.
const LIMIT: Duration = Duration::from_secs(60);
const SOURCE: &str = "the program of credential_process";

/// # Errors
/// `NoCredentials` where the program fails, does not end, or prints no keys.
pub(super) async fn issue(command: &CommandLine) -> Result<Issued> {
    let CommandLine(line) = command.clone();
    let run = tokio::task::spawn_blocking(move || run(&line, LIMIT));
    run.await.unwrap_or_else(|stopped| Err(Error::new(ErrorKind::Closed, "the process ends").caused_by(stopped)))
}

fn run(line: &str, limit: Duration) -> Result<Issued> {
    let started = Command::new("/bin/sh")
        .args(["-c", line])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = started.map_err(|cause| failed(&format!("could not be started: {cause}")))?;
    let printed = collect(child.stdout.take());
    let complaint = collect(child.stderr.take());
    let Some(status) = wait(&mut child, limit) else {
        return Err(failed(&format!("did not end within {} s", limit.as_secs())));
    };
    if !status.success() {
        let complaint = complaint.join().unwrap_or_default();
        let last = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        return Err(failed(&format!("failed ({status}): {last}")));
    }
    metadata::keys(&printed.join().unwrap_or_default(), SOURCE)
}

fn failed(reason: &str) -> Error {
    Error::new(ErrorKind::NoCredentials, format!("{SOURCE} {reason}"))
}

/// Reads in a thread of its own, so that a program with much to say does not wait for its reader.
fn collect(stream: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is all there is.
        let _ = stream.map(|mut stream| stream.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let began = Instant::now();
    while began.elapsed() < limit {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(10));
    }
    // It may have ended just now.
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
    fn a_talkative_program_does_not_wait_for_its_reader() {
        let line =
            "head -c 300000 /dev/zero | tr '\\0' x >&2; echo '{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"s\"}'";
        assert!(run(line, LIMIT).is_ok());
    }
}
