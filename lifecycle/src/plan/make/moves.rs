//! What runs have still to move, or bring back, as their plans say. A plan is read once: it never changes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::plan::document::PlanReader;
use crate::plan::line::{Amount, PlannedAction};
use crate::run::record::RunRecord;
use crate::run::store::Store;

use super::MakeError;

/// The plans that were read so far. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Moves(Arc<Mutex<HashMap<String, Arc<Units>>>>);

/// The units of a plan, as far as others may not touch them meanwhile.
#[derive(Debug, Default)]
pub(super) struct Units {
    digest: String,
    /// The prefixes of those that move.
    pub(super) moving: Vec<String>,
    /// The prefixes of those that go.
    pub(super) going: Vec<String>,
    /// What moves to an archive, by dataset.
    pub(super) archived: BTreeMap<String, Amount>,
}

impl Moves {
    /// The units of the plan of a run.
    pub(super) async fn of(&self, store: &Store, record: &RunRecord) -> Result<Arc<Units>, MakeError> {
        let known = self.known(|known| known.get(&record.run).cloned());
        if let Some(known) = known.filter(|known| known.digest == record.digest) {
            return Ok(known);
        }
        let file = store.plan(&record.run).await?;
        let mut plan = PlanReader::open(file.path())?;
        let mut units = Units { digest: plan.end().digest.clone(), ..Units::default() };
        while let Some((unit, _)) = plan.next_unit()? {
            if matches!(unit.action, PlannedAction::Archive(_)) {
                let amount = Amount { units: 1, objects: unit.objects, bytes: unit.bytes };
                units.archived.entry(unit.dataset).or_default().add(amount);
            }
            if unit.action.removes() {
                units.going.push(unit.prefix);
            } else {
                units.moving.push(unit.prefix);
            }
        }
        let units = Arc::new(units);
        self.known(|known| known.insert(record.run.clone(), Arc::clone(&units)));
        Ok(units)
    }

    /// Forgets all but those that are asked for.
    pub(super) fn keep_only(&self, is_asked_for: impl Fn(&str) -> bool) {
        self.known(|known| known.retain(|run, _| is_asked_for(run)));
    }

    fn known<T>(&self, work: impl FnOnce(&mut HashMap<String, Arc<Units>>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
