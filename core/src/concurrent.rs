//! Many operations at a time, of which none may be left unattended.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::stream::{self, StreamExt};

use crate::Result;

/// Runs `operations`, up to `at_once` at a time, and returns what those that succeeded brought, with the first failure.
/// After a failure no further one is begun; all that were begun are waited for, so that what is done after this call is
/// done after them.
pub(crate) async fn run_all<T, F>(operations: impl IntoIterator<Item = F>, at_once: usize) -> (Vec<T>, Result<()>)
where
    F: Future<Output = Result<T>>,
{
    let goes_on = AtomicBool::new(true);
    let operations = operations.into_iter().take_while(|_| goes_on.load(Ordering::Relaxed));
    let mut ended = stream::iter(operations).buffer_unordered(at_once);
    let (mut done, mut outcome) = (Vec::new(), Ok(()));
    while let Some(result) = ended.next().await {
        match result {
            Ok(brought) => done.push(brought),
            Err(failure) => {
                goes_on.store(false, Ordering::Relaxed);
                outcome = outcome.and(Err(failure));
            }
        }
    }
    (done, outcome)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::{Error, ErrorKind};

    #[tokio::test]
    async fn nothing_is_begun_after_a_failure_and_what_was_begun_ends() {
        let begun = AtomicUsize::new(0);
        let operations = (0..100).map(|number| {
            let begun = &begun;
            async move {
                begun.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                if number == 3 { Err(Error::new(ErrorKind::Internal, "x")) } else { Ok(number) }
            }
        });
        let (done, outcome) = run_all(operations, 4).await;
        assert!(outcome.is_err());
        assert!(done.contains(&0) && done.contains(&2));
        assert_eq!(done.len() + 1, begun.load(Ordering::Relaxed));
        assert!(begun.load(Ordering::Relaxed) < 10);
    }
}
