//! Access control lists of what goes.

use std::collections::HashMap;

use s3core::Result;

use crate::listing::in_sight;
use crate::plan::line::PlannedObject;
use crate::run::journal::{BATCH, IntendedObject, IntendedUnit};

use super::objects::Objects;
use super::survey::is_same;

/// Copies have the list of whoever makes them: another one is written down, so that it comes back. Of what a holder that was
/// killed has removed, the list that it read stays; what is there as planned may have been given another one since. Copies are
/// made by this `user`. Returns the keys whose lists they may not read, with the reason.
///
/// # Errors
/// The gateway's.
pub(super) async fn learn(
    objects: &Objects<'_>,
    user: &str,
    units: &mut [IntendedUnit],
) -> Result<HashMap<String, String>> {
    let mut refused = HashMap::new();
    let mut copied: Vec<&mut IntendedObject> = units.iter_mut().flat_map(|unit| &mut unit.objects).collect();
    copied.retain(|object| object.trash.is_some());
    let ask = |(index, (planned, was_read)): (usize, (PlannedObject, bool))| async move {
        let list = objects.acl(&planned.key, user).await?;
        // Looked at afterwards: what is as planned then was there all the time. What may not be looked at is refused.
        let is_there = |found: Option<PlannedObject>| found.is_some_and(|found| is_same(&planned, &found));
        let counts = !was_read || in_sight(objects.find(&planned.key).await)?.is_none_or(is_there);
        Ok((index, list, counts))
    };
    for copied in copied.chunks_mut(BATCH) {
        let asked = copied.iter().map(|object| (object.planned.clone(), object.acl.is_some())).enumerate();
        for (index, list, counts) in objects.for_all(asked.collect(), ask).await? {
            match (copied.get_mut(index).filter(|_| counts), list) {
                (Some(object), Ok(list)) => object.acl = list,
                (Some(object), Err(reason)) => {
                    refused.insert(object.planned.key.clone(), reason);
                }
                (None, _) => {}
            }
        }
    }
    Ok(refused)
}
