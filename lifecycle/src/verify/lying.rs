//! What lies in the bucket, beside what was planned and what was written down of it.

use crate::act::Failure;
use crate::act::survey::is_same;
use crate::plan::document::PlanReader;
use crate::plan::line::{Amount, PlannedObject, PlannedUnit, Shape};
use crate::policy::CONTROL_PREFIX;
use crate::run::Bucket;
use crate::run::journal::Means;
use crate::run::keys;
use crate::run::record::{RunRecord, RunState};

use super::later::Later;
use super::window::Window;
use super::written::{Came, Written};
use super::{Proof, is_alike, words};

/// How a unit should be.
enum Expected<'u> {
    /// Gone. Its copies are in the trash, or are not any more; None where there were none.
    Gone(Option<bool>),
    /// In this class; None: in the one that it had.
    In(Option<&'u str>),
    /// Back; the time is another one.
    Back,
    /// Where it was, waiting for the end of the trash.
    Held,
    /// Here or in the trash, object by object; what was to go without a copy may be gone.
    Half,
    /// Under delete markers, or shown again: its versions tell.
    Versions,
    /// As if nothing had been planned.
    Left,
    /// The gateway has still to move it.
    Waiting,
    /// Nobody wrote down what came of it.
    Unknown,
}

/// Looks at what lies in the bucket.
pub(super) struct Lying<'a> {
    bucket: &'a Bucket,
    record: &'a RunRecord,
    written: &'a Written,
    live: Window,
    trash: Vec<(u64, Window)>,
    /// Whether tags set times there.
    tags_set_times: bool,
}

impl<'a> Lying<'a> {
    pub(super) fn new(bucket: &'a Bucket, record: &'a RunRecord, written: &'a Written) -> Self {
        let window = || Window::new(bucket.gateway(), bucket.name());
        let trash = written.leases.iter().map(|lease| (*lease, window())).collect();
        Self { bucket, record, written, live: window(), trash, tags_set_times: false }
    }

    /// Looks at each object of the plan.
    pub(super) async fn check(
        mut self,
        plan: &mut PlanReader,
        later: &mut Later,
        proof: &mut Proof,
    ) -> Result<(), Failure> {
        self.tags_set_times = plan.end().tags_set_times.unwrap_or_default();
        plan.rewind();
        while let Some((unit, objects)) = plan.next_unit()? {
            let expected = expected(self.record, self.written, &unit);
            let mut sum = Amount::default();
            for object in &objects {
                let is_right = match &expected {
                    Expected::Gone(copy) => self.is_gone(object, *copy, proof).await?,
                    Expected::Half => self.is_half_gone(object, &unit, later, proof).await?,
                    Expected::In(_) | Expected::Back | Expected::Held => {
                        self.is_there(object, &unit, &expected, later, proof).await?
                    }
                    _ => break,
                };
                if is_right {
                    sum.add(Amount { units: 0, objects: 1, bytes: object.bytes });
                }
            }
            sum.units = u64::from(sum.objects == objects.len() as u64);
            match expected {
                Expected::Gone(_) => {
                    proof.removed.add(sum);
                    self.look_for_others(&unit, &objects, proof).await?;
                }
                Expected::In(Some(_)) => proof.moved.add(sum),
                Expected::In(None) | Expected::Back => proof.back.add(sum),
                Expected::Held => proof.held.add(sum),
                Expected::Left => proof.left += 1,
                Expected::Half => proof.not_back += 1,
                Expected::Waiting => proof.waiting += 1,
                Expected::Unknown => {
                    proof.wrong(&unit.prefix, "what came of it, in the journal", "nothing in the journal");
                }
                Expected::Versions => {}
            }
        }
        Ok(())
    }

    async fn is_gone(
        &mut self,
        planned: &PlannedObject,
        copy: Option<bool>,
        proof: &mut Proof,
    ) -> Result<bool, Failure> {
        let key = &planned.key;
        let is_gone = match self.live.at(key).await? {
            None => true,
            Some(found) if is_since(self.record, found) && !is_same(planned, found) => {
                proof.changed(key, format!("it was written since: {}", words(found)));
                true
            }
            Some(found) => {
                proof.wrong(key, "nothing: the run has removed it", words(found));
                false
            }
        };
        let copies = match copy {
            Some(_) => self.copies(key).await?,
            None => return Ok(is_gone),
        };
        let good = copies.iter().find(|found| is_alike(found, planned));
        Ok(match (copy, good, copies.first()) {
            (Some(false), _, Some(found)) => {
                proof.wrong(&found.key, "nothing: the trash was emptied", words(found));
                false
            }
            (Some(true), None, Some(found)) => {
                proof.wrong(&found.key, words(planned), words(found));
                false
            }
            (Some(true), None, None) => {
                proof.changed(key, "its copy is gone from the trash: it cannot be brought back");
                is_gone
            }
            _ => is_gone,
        })
    }

    async fn is_half_gone(
        &mut self,
        planned: &PlannedObject,
        unit: &PlannedUnit,
        later: &mut Later,
        proof: &mut Proof,
    ) -> Result<bool, Failure> {
        if let Some(found) = self.live.at(&planned.key).await?.cloned() {
            return Ok(is_alike(&found, planned) || self.differs(planned, &found, words(planned), proof));
        }
        let in_place = self.written.last(&unit.prefix).is_some_and(|last| last.means == Means::InPlace);
        let is_emptied = matches!(self.record.state, RunState::Purging | RunState::Purged);
        if in_place || is_emptied || self.copies(&planned.key).await?.iter().any(|copy| is_alike(copy, planned)) {
            return Ok(true);
        }
        self.misses(planned, later, proof).await
    }

    async fn is_there(
        &mut self,
        planned: &PlannedObject,
        unit: &PlannedUnit,
        expected: &Expected<'_>,
        later: &mut Later,
        proof: &mut Proof,
    ) -> Result<bool, Failure> {
        let Some(found) = self.live.at(&planned.key).await?.cloned() else {
            return self.misses(planned, later, proof).await;
        };
        let class = match expected {
            Expected::In(Some(class)) => *class,
            _ => planned.class.as_str(),
        };
        let has_time = match expected {
            Expected::Back => true,
            Expected::In(_) if unit.moves_by_tags() && self.tags_set_times => true,
            _ => planned.written.as_second() == found.written.as_second(),
        };
        if is_alike(&found, planned) && has_time && found.class == class {
            return Ok(true);
        }
        if is_alike(&found, planned)
            && has_time
            && let Some(run) = later.moved(self.bucket, &planned.key).await?
        {
            proof.changed(&planned.key, format!("the run {run} has moved it to another storage class since"));
            return Ok(false);
        }
        let wanted = words(&PlannedObject { class: class.to_owned(), ..planned.clone() });
        Ok(self.differs(planned, &found, wanted, proof))
    }

    /// Something else is there. Returns false.
    fn differs(&self, planned: &PlannedObject, found: &PlannedObject, wanted: String, proof: &mut Proof) -> bool {
        let is_written_again = planned.written.as_second() != found.written.as_second();
        if is_since(self.record, found) && (is_written_again || !is_alike(planned, found)) {
            let what = if is_alike(planned, found) { "it was written or tagged again" } else { "it was written" };
            proof.changed(&planned.key, format!("{what} since: {}", words(found)));
        } else {
            proof.wrong(&planned.key, wanted, words(found));
        }
        false
    }

    /// Nothing is there. Returns false.
    async fn misses(&self, planned: &PlannedObject, later: &mut Later, proof: &mut Proof) -> Result<bool, Failure> {
        match later.removed(self.bucket, &planned.key).await? {
            Some(run) => proof.changed(&planned.key, format!("the run {run} has removed it since")),
            None => proof.wrong(&planned.key, words(planned), "nothing"),
        }
        Ok(false)
    }

    /// What lies in the run's trash of a key.
    async fn copies(&mut self, key: &str) -> Result<Vec<PlannedObject>, Failure> {
        let mut copies = Vec::new();
        for (lease, trash) in &mut self.trash {
            copies.extend(trash.at(&keys::trashed(&self.record.run, *lease, key)).await?.cloned());
        }
        Ok(copies)
    }

    /// Tells what came into a unit that is gone.
    async fn look_for_others(
        &mut self,
        unit: &PlannedUnit,
        planned: &[PlannedObject],
        proof: &mut Proof,
    ) -> Result<(), Failure> {
        if unit.shape == Shape::Object {
            return Ok(());
        }
        let mut at = unit.prefix.clone();
        while let Some(found) = self.live.from(&at, &unit.prefix).await? {
            if found.key.starts_with(CONTROL_PREFIX) {
                at = format!("{}0", CONTROL_PREFIX.trim_end_matches('/'));
                continue;
            }
            let is_planned = planned.binary_search_by(|planned| planned.key.cmp(&found.key)).is_ok();
            if !is_planned && is_since(self.record, found) {
                proof.changed(&found.key, format!("it came since: {}", words(found)));
            }
            at = format!("{}\0", found.key);
        }
        Ok(())
    }
}

/// Whether it was written after the run began.
pub(super) fn is_since(record: &RunRecord, found: &PlannedObject) -> bool {
    found.written.as_second() >= record.started.as_second()
}

fn expected<'u>(record: &RunRecord, written: &Written, unit: &'u PlannedUnit) -> Expected<'u> {
    let last = written.last(&unit.prefix);
    let came = last.and_then(|last| last.came);
    if let Some(class) = unit.action.class() {
        return match came {
            Some(Came::Restored) if !record.restores || record.undone => Expected::In(None),
            Some(Came::Done | Came::Restored) => Expected::In(Some(class)),
            None if record.state == RunState::WaitingForGateway => Expected::Waiting,
            _ => Expected::Left,
        };
    }
    let means = last.map(|last| last.means);
    match came {
        Some(Came::Left) => Expected::Left,
        Some(_) if means == Some(Means::Markers) => Expected::Versions,
        Some(Came::Done) => Expected::Gone(match record.state {
            _ if means != Some(Means::Copies) => None,
            // What a lock keeps is told by the command that empties it.
            RunState::Purging => None,
            state => Some(state != RunState::Purged),
        }),
        Some(Came::Restored) => Expected::Back,
        Some(Came::NotRestored) => Expected::Half,
        Some(Came::Held) => Expected::Held,
        // It was undone before the run came to it.
        None if last.is_none() && record.undone => Expected::Left,
        None => Expected::Unknown,
    }
}
