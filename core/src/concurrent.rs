//! Many operations at a time, of which none may be left unattended.

use std::collections::VecDeque;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};

use crate::Result;

/// Runs `operations`, up to `at_once` at a time, and returns what those that succeeded brought, with the first failure.
/// After a failure no further one is begun; all that were begun are waited for, so that what is done after this call is
/// done after them.
pub(crate) async fn run_all<T>(operations: Vec<BoxFuture<'_, Result<T>>>, at_once: usize) -> (Vec<T>, Result<()>) {
    let mut waiting = VecDeque::from(operations);
    let mut running = FuturesUnordered::new();
    let (mut done, mut outcome) = (Vec::new(), Ok(()));
    loop {
        while outcome.is_ok()
            && running.len() < at_once
            && let Some(operation) = waiting.pop_front()
        {
            running.push(operation);
        }
        match running.next().await {
            Some(Ok(brought)) => done.push(brought),
            Some(Err(failure)) => outcome = outcome.and(Err(failure)),
            None => return (done, outcome),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::FutureExt;

    use super::*;
    use crate::{Error, ErrorKind};

    #[tokio::test]
    async fn nothing_is_begun_after_a_failure_and_what_was_begun_ends() {
        let begun = AtomicUsize::new(0);
        let operation = |number| {
            let begun = &begun;
            async move {
                begun.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                if number == 3 { Err(Error::new(ErrorKind::Internal, "x")) } else { Ok(number) }
            }
            .boxed()
        };
        let (done, outcome) = run_all((0..100).map(operation).collect(), 4).await;
        assert!(outcome.is_err());
        assert!(done.contains(&0) && done.contains(&2));
        assert_eq!(done.len() + 1, begun.load(Ordering::Relaxed));
        assert!(begun.load(Ordering::Relaxed) < 10);
    }
}
