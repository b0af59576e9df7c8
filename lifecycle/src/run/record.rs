//! What is known of a run as a whole: `run.json`, replaced under a condition on its ETag.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::plan::line::{Amount, PolicySource};

use super::left::{Left, Refused, Skipped};

/// What is known of a run as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its name: the moment it began and the first digits of its plan's digest. Names sort by time.
    pub run: String,
    /// The policy.
    pub policy: PolicySource,
    /// Digest of its plan.
    pub digest: String,
    /// When it began, by the gateway's clock.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// How far it is.
    pub state: RunState,
    /// Host and process that last worked on it.
    pub holder: String,
    /// Number of the lease that they held: nobody with an earlier one may change the record any more.
    pub lease: u64,
    /// What it did, by dataset.
    pub datasets: BTreeMap<String, DatasetDone>,
    /// What it did not do, and why: at most [`RunRecord::MOST_REPORTED`].
    pub skipped: Vec<Skipped>,
    /// Number of all that it did not do.
    pub skipped_count: u64,
    /// Since when its trash may be emptied; None where nothing went there.
    pub trash_until: Option<Timestamp>,
    /// Whether what was brought back may be planned again.
    pub released: bool,
    /// Whether it moves units out of their storage class because somebody asked for them, rather than a policy: they stay until
    /// it is released.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restores: bool,
    /// Whether somebody had it brought back, whatever came of that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undone: bool,
    /// The trash of earlier runs that it has emptied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emptied: Vec<EmptiedTrash>,
    /// When it was last seen to get on, while it waits for the gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Timestamp>,
    /// What the gateway has still to move, there or back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// Places of the holds for which something stayed when its trash was emptied, with the numbers of their units; all else went.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held_for: BTreeMap<String, u64>,
    /// Those among `skipped_count` that somebody has to see to.
    #[serde(default, skip_serializing_if = "Refused::is_none")]
    pub refused: Refused,
}

/// The trash of a run that is gone for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmptiedTrash {
    /// The run.
    pub run: String,
    /// What lay there.
    #[serde(flatten)]
    pub amount: Amount,
}

/// Units that wait for the gateway's lifecycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Their number.
    pub units: u64,
    /// Since when there are any.
    pub since: Timestamp,
}

impl Waiting {
    /// So many units at `now`; `before` is what was known of them.
    pub fn of(units: u64, now: Timestamp, before: Option<Self>) -> Option<Self> {
        (units > 0).then(|| Self { units, since: before.map_or(now, |before| before.since) })
    }
}

impl RunRecord {
    /// Of a run that begins now, under the lease with this number.
    pub fn begun(
        policy: PolicySource,
        digest: &str,
        started: Timestamp,
        lease: u64,
        datasets: BTreeMap<String, DatasetDone>,
    ) -> Self {
        Self {
            run: String::new(),
            policy,
            digest: digest.to_owned(),
            started,
            finished: None,
            state: RunState::Running,
            holder: String::new(),
            lease,
            datasets,
            skipped: Vec::new(),
            skipped_count: 0,
            trash_until: None,
            released: false,
            restores: false,
            undone: false,
            emptied: Vec::new(),
            moved: None,
            waiting: None,
            held_for: BTreeMap::new(),
            refused: Refused::default(),
        }
    }

    /// Length of [`RunRecord::skipped`].
    pub const MOST_REPORTED: usize = 1000;

    /// What it waits for now.
    pub fn waits(&self) -> Option<Waiting> {
        self.waiting.filter(|_| matches!(self.state, RunState::WaitingForGateway | RunState::Undoing))
    }

    /// Takes down what it has left.
    pub fn has_left(&mut self, left: &Left) {
        self.skipped.clone_from(&left.skipped.first);
        self.skipped_count = left.skipped.count;
        self.refused.clone_from(&left.refused);
    }

    /// Whether units stay where it, or bringing it back, has left them, until it is released.
    pub fn came_back(&self) -> bool {
        let is_back = |done: &DatasetDone| done.undone.units > 0 || done.moved_back.units > 0;
        self.restores || self.undone || self.datasets.values().any(is_back)
    }

    /// Whether its trash may be emptied at `now`. The copies of units that did not come back are still wanted.
    pub fn trash_is_due(&self, now: Timestamp) -> bool {
        let is_over = match self.state {
            RunState::Done | RunState::Purging => true,
            RunState::Undone => self.skipped_count == 0,
            _ => false,
        };
        is_over && self.trash_until.is_some_and(|until| until <= now)
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// It is under way, or was killed: `apply` goes on with it.
    Running,
    /// Its work is done, except what the gateway does by its lifecycle rules.
    WaitingForGateway,
    /// All is done.
    Done,
    /// What it removed is being brought back: `undo` goes on with it.
    Undoing,
    /// What it removed was brought back.
    Undone,
    /// Its trash is being emptied: nothing can be brought back any more.
    Purging,
    /// Its trash is empty.
    Purged,
}

impl RunState {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::WaitingForGateway => "waiting for gateway",
            Self::Done => "done",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
            Self::Purging => "purging",
            Self::Purged => "purged",
        }
    }
}

/// What a run did in a dataset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DatasetDone {
    /// First letters of the dataset's keys.
    pub prefix: String,
    /// All that lay in it when it was planned.
    pub total: Amount,
    /// What was done, by the action's name; also [`HELD`] and [`NOT_RESTORED`].
    pub actions: BTreeMap<String, Amount>,
    /// What was brought back.
    pub undone: Amount,
    /// What moved back to the storage class that it had.
    #[serde(default)]
    pub moved_back: Amount,
}

/// In place of an action's name, of units that wait where they are because they cannot be copied. People are told another
/// word: what a hold of a policy keeps is held, too.
pub const HELD: &str = "held";
/// In place of an action's name, of units of which a part is gone and could not be put back.
pub const NOT_RESTORED: &str = "not_restored";
