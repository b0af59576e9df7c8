//! What a terminal shows while something is going on.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::connection::Connection;
use crate::listing::Lister;

/// Whether somebody sits before a terminal.
fn is_watched(connection: &Connection) -> bool {
    !connection.is_called() && io::stderr().is_terminal()
}

/// Says on a terminal how many objects were listed so far, until it is dropped.
pub(super) struct Listed {
    is_over: Arc<AtomicBool>,
    shown: Option<thread::JoinHandle<()>>,
}

impl Listed {
    /// Times a second that it is said.
    const RATE: u64 = 10;

    pub(super) fn of(connection: &Connection, lister: &Lister) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let shown = is_watched(connection).then(|| {
            let (listed, is_over) = (lister.listed(), Arc::clone(&is_over));
            thread::spawn(move || {
                let bar = ProgressBar::new_spinner();
                bar.set_style(ProgressStyle::default_spinner());
                while !is_over.load(Ordering::Relaxed) {
                    bar.set_message(format!("{} objects listed", listed.load(Ordering::Relaxed)));
                    bar.tick();
                    thread::sleep(Duration::from_millis(1000 / Self::RATE));
                }
                bar.finish_and_clear();
            })
        });
        Self { is_over, shown }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(shown) = self.shown.take() {
            // It has nothing to say any more.
            let _ = shown.join();
        }
    }
}
