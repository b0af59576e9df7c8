//! What the holds of a policy meet. One that is mistyped meets nothing, and nobody would hear of it.

use std::collections::BTreeMap;
use std::fmt;

use s3core::gateway::Gateway;
use s3core::ops::ListObjectsV2;
use serde::Serialize;

use crate::listing::in_sight;
use crate::places::directories_above;
use crate::plan::make::Past;
use crate::policy::{Hold, Policy};

/// A hold of a policy, with what it meets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MetHold {
    /// Its place, `s3a://BUCKET/PATH/`.
    pub path: String,
    /// Why it holds.
    pub reason: String,
    /// Who lifts it.
    pub owner: String,
    /// Units that it holds, and no hold before it: those that lie there, and those that a run keeps.
    pub units: u64,
    /// Where nothing lies at its place: the nearest one where something does.
    pub nearest: Option<String>,
}

impl MetHold {
    /// The holds of a policy, in its order. `units` are the numbers of those that each holds, by its index, as far as they are
    /// known; `past` knows what runs keep.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn all(
        gateway: &Gateway,
        policy: &Policy,
        mut units: BTreeMap<usize, u64>,
        past: &Past,
    ) -> s3core::Result<Vec<Self>> {
        for (hold, kept) in past.held_back.values().flat_map(|held| &held.holds) {
            if let Some(index) = policy.holds.iter().position(|own| own.prefix == hold.prefix) {
                *units.entry(index).or_default() += kept.units;
            }
        }
        let place = |prefix: &str| format!("s3a://{}/{prefix}", policy.bucket);
        let mut holds = Vec::with_capacity(policy.holds.len());
        for (index, Hold { prefix, reason, owner }) in policy.holds.iter().enumerate() {
            let units = units.get(&index).copied().unwrap_or_default();
            let mut met =
                Self { path: place(prefix), reason: reason.clone(), owner: owner.clone(), units, nearest: None };
            if units == 0 {
                let nearest = in_sight(nearest(gateway, &policy.bucket, prefix).await)?;
                met.nearest = nearest.filter(|nearest| nearest != prefix).map(|nearest| place(&nearest));
            }
            holds.push(met);
        }
        Ok(holds)
    }
}

/// What is said of one that meets nothing; nothing of others.
impl fmt::Display for MetHold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(nearest) = &self.nearest else { return Ok(()) };
        write!(
            formatter,
            "the hold at {} meets nothing that lies there; the nearest place is {nearest}: correct the path, unless it is \
             for something that is still to come",
            self.path
        )
    }
}

/// What was asked for, where something lies there; else the innermost directory around it where something does.
pub(crate) async fn nearest(gateway: &Gateway, bucket: &str, wanted: &str) -> s3core::Result<String> {
    let first = async |prefix: &str| {
        let list = ListObjectsV2 { max_keys: Some(1), ..ListObjectsV2::new(bucket, prefix) };
        let page = gateway.run(list).await?;
        Ok::<_, s3core::Error>(page.objects.into_iter().next().map(|object| object.key))
    };
    let is_directory = wanted.is_empty() || wanted.ends_with('/');
    if first(wanted).await?.is_some_and(|key| is_directory || key == wanted) {
        return Ok(wanted.to_owned());
    }
    if !is_directory && first(&format!("{wanted}/")).await?.is_some() {
        return Ok(wanted.to_owned());
    }
    for directory in directories_above(wanted) {
        if first(directory).await?.is_some() {
            return Ok(directory.to_owned());
        }
    }
    Ok(String::new())
}
