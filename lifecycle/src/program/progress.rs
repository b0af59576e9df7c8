//! What a terminal shows while something is going on.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::connection::Connection;
use crate::listing::Lister;

/// Whether somebody sits before a terminal.
pub(super) fn is_watched(connection: &Connection) -> bool {
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

/// Shows on a terminal how many units of a run are through, until it is dropped.
pub(super) struct Units(ProgressBar);

impl Units {
    /// Of `all` units, where somebody watches.
    pub(super) fn of(is_watched: bool, all: u64, what: &'static str) -> Self {
        let target = if is_watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(all), target).with_message(what);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {human_pos} of {human_len} units, {eta} left")
        {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Another one is through.
    pub(super) fn add(&self) {
        self.0.inc(1);
    }
}

impl Drop for Units {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
