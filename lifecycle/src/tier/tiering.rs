//! The units of one run that move to a storage class, a few at a time.

use std::collections::VecDeque;

use s3core::gateway::Gateway;
use s3core::ops::{LifecycleRule, ListObjectsV2};
use s3core::{Error, ErrorKind, Result};

use super::rules::{Rules, TAG, id, tag_value};
use crate::listing::STANDARD;
use crate::policy::CONTROL_PREFIX;

/// How many units move at a time where nobody says otherwise. Radosgw lists a bucket once for each rule, and works on the fewer
/// objects at a time the more rules there are; but it begins once a day (`rgw_lifecycle_work_time`), so that no more than these
/// move in a day.
pub const AT_ONCE: usize = 50;

/// Age at which a rule moves an object, in days: a unit that is due is moved when the gateway comes to it. AWS wants 30 for some
/// classes, and says so.
const DAYS: u32 = 0;

/// A unit that moves to a storage class. Back is the same, with the former class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierUnit {
    /// First letters of its keys, up to a slash.
    pub prefix: String,
    /// Where it moves.
    pub class: String,
}

/// The units of one run.
pub struct Tiering {
    gateway: Gateway,
    bucket: String,
    run: String,
    at_once: usize,
    rules: Rules,
    /// With their numbers in the run.
    waiting: VecDeque<(usize, TierUnit)>,
    moving: Vec<(usize, TierUnit)>,
    /// Where tagged objects move, with the numbers of the rules: they stay until nobody asks for them any more.
    tagged: Vec<(usize, TierUnit)>,
}

impl Tiering {
    /// Moves these units for a run, `at_once` of them at a time, and what has the run's tag for the class below the prefixes of
    /// `tagged`. Nothing is changed yet. A run that is taken over is given all of its units.
    ///
    /// # Errors
    /// The gateway's, and `Unsupported` for a unit that is no directory: a prefix without a slash at its end is that of other
    /// keys, too.
    pub async fn start(
        gateway: &Gateway,
        bucket: &str,
        run: &str,
        units: Vec<TierUnit>,
        tagged: Vec<TierUnit>,
        at_once: usize,
    ) -> Result<Self> {
        for unit in &units {
            let is_own_state = unit.prefix.starts_with(CONTROL_PREFIX) || CONTROL_PREFIX.starts_with(&unit.prefix);
            if !unit.prefix.ends_with('/') || is_own_state {
                let message =
                    "a lifecycle rule moves whole directories: this is none, or s3life's own state lies in it";
                return Err(Error::new(ErrorKind::Unsupported, message).at(bucket, &unit.prefix));
            }
        }
        Ok(Self {
            gateway: gateway.clone(),
            bucket: bucket.to_owned(),
            run: run.to_owned(),
            at_once: at_once.max(1),
            rules: Rules::read(gateway, bucket).await?,
            tagged: (units.len()..).zip(tagged).collect(),
            waiting: units.into_iter().enumerate().collect(),
            moving: Vec::new(),
        })
    }

    /// Looks which units have moved, and lets their rules make room for those of the next ones. Returns the units that are
    /// done since the last call; one without objects is done. To be called again until [`Tiering::is_done`]; how long that
    /// takes is the gateway's affair.
    ///
    /// `check` is called before the bucket's configuration is written: the caller holds the lease of the bucket.
    ///
    /// # Errors
    /// As [`Rules::replace`]; what was not told as done is told by the next call.
    pub async fn progress(&mut self, check: impl Fn() -> Result<()>) -> Result<Vec<TierUnit>> {
        let (mut done, mut moving) = (Vec::new(), Vec::new());
        let mut begun = 0;
        for (is_waiting, unit) in
            self.moving.iter().map(|unit| (false, unit)).chain(self.waiting.iter().map(|unit| (true, unit)))
        {
            if is_waiting && moving.len() >= self.at_once {
                break;
            }
            begun += usize::from(is_waiting);
            if self.has_moved(&unit.1).await? {
                done.push(unit.1.clone());
            } else {
                moving.push(unit.clone());
            }
        }
        let rules = moving
            .iter()
            .map(|(number, unit)| LifecycleRule::transition(&id(&self.run, *number), &unit.prefix, DAYS, &unit.class));
        let tagged = self.tagged.iter().map(|(number, TierUnit { prefix, class })| {
            let tag = (TAG, tag_value(&self.run, class));
            LifecycleRule::transition_of_tagged(&id(&self.run, *number), prefix, (tag.0, &tag.1), DAYS, class)
        });
        let rules = rules.chain(tagged).collect::<Result<Vec<_>>>()?;
        self.rules.replace(&self.run, rules, check).await?;
        self.waiting.drain(..begun);
        self.moving = moving;
        Ok(done)
    }

    /// Whether all units are in their classes, and no rule of the run is left. Not while tagged objects are to move.
    pub fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.moving.is_empty() && self.tagged.is_empty()
    }

    /// Units that the gateway has rules for, and units that wait for their turn.
    pub fn left(&self) -> (usize, usize) {
        (self.moving.len(), self.waiting.len())
    }

    async fn has_moved(&self, unit: &TierUnit) -> Result<bool> {
        let mut list = ListObjectsV2::new(&self.bucket, &unit.prefix);
        loop {
            let page = self.gateway.run(list.clone()).await?;
            if page.objects.iter().any(|object| object.storage_class.as_deref().unwrap_or(STANDARD) != unit.class) {
                return Ok(false);
            }
            match page.next {
                Some(token) => list.continuation_token = Some(token),
                None => return Ok(true),
            }
        }
    }
}
