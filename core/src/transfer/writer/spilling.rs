//! What a writer gives back when memory is short: it sends its part early, or writes it to disk.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::task::JoinError;

use crate::{Error, ErrorKind, Result};

use super::super::budget::Holder;
use super::sizes::{EARLY, grown};
use super::{Form, Shared, State};

impl Holder for Shared {
    fn holds(&self) -> u64 {
        self.state.try_lock().map_or(0, |state| if state.spilling || state.closing { 0 } else { state.part.memory() })
    }

    fn is_cheap(&self) -> bool {
        self.state.try_lock().is_ok_and(|state| self.may_go_early(&state))
    }

    fn give_back(self: Arc<Self>) -> BoxFuture<'static, Result<bool>> {
        Box::pin(async move {
            {
                let state = self.lock();
                if self.may_go_early(&state) {
                    self.seal(state);
                    return Ok(true);
                }
            }
            // In a task of its own: who asked for the memory may go away, and must not take the part along.
            let spilling = tokio::spawn(self.spill());
            spilling.await.unwrap_or_else(|stopped| Err(spilling_was_stopped(stopped)))
        })
    }
}

impl Shared {
    /// Writes what the part holds in memory to its file. False where there is nothing to write now.
    async fn spill(self: Arc<Self>) -> Result<bool> {
        let taken = {
            let mut state = self.lock();
            if state.spilling || state.closing {
                return Ok(false);
            }
            let Some(taken) = state.part.take_memory() else {
                return Ok(false);
            };
            state.spilling = true;
            taken
        };
        let directory = self.settings.buffer_directory.clone();
        let spilled = tokio::task::spawn_blocking(move || taken.write(&directory)).await;
        let mut state = self.lock();
        state.spilling = false;
        let outcome = match spilled {
            Ok(Ok(spilled)) => {
                state.part.put_back_file(spilled);
                Ok(true)
            }
            Ok(Err((taken, failure))) => {
                state.part.put_back_memory(taken);
                Err(failure)
            }
            Err(stopped) => {
                // What was taken is lost, so the object cannot be completed any more.
                let failure = spilling_was_stopped(stopped);
                state.failure.get_or_insert_with(|| failure.clone());
                Err(failure)
            }
        };
        drop(state);
        self.changed.notify_waiters();
        outcome
    }

    fn may_go_early(&self, state: &State) -> bool {
        let is_cut = !matches!(self.target.form, Form::Part { .. });
        is_cut && !state.spilling && !state.closing && state.part.length() >= grown(EARLY, state.next_part)
    }
}

fn spilling_was_stopped(stopped: JoinError) -> Error {
    Error::new(ErrorKind::Internal, "spilling was stopped").caused_by(stopped)
}
