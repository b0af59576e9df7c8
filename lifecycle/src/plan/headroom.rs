//! Room that quotas leave for the copies that a plan makes in the trash. Radosgw's accounts count each copy fully, also where
//! it is a reference to the same bytes.

use s3core::gateway::Gateway;
use s3core::ops::{GetUsage, HeadBucket};
use serde::{Deserialize, Serialize};

use super::line::Amount;

/// Units that are worked on at a time: so many copies lie beside what they are copies of.
pub(crate) const UNITS_AT_ONCE: usize = 4;

/// What is copied, and the room for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headroom {
    /// All copies in the trash.
    pub copies: Amount,
    /// Most of them beside what they are copies of, which goes unit by unit.
    pub at_once: Amount,
    /// What the bucket's quota leaves.
    pub bucket: Room,
    /// What the quota of the keys' user leaves in all buckets.
    pub user: Room,
    /// Whether that may be too little: a unit that finds no room is held.
    pub short: bool,
}

/// What a quota leaves; without it nothing is limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Objects.
    pub objects: Option<u64>,
    /// Bytes.
    pub bytes: Option<u64>,
}

impl Room {
    fn new(most: (Option<u64>, Option<u64>), used: (u64, u64)) -> Self {
        let left = |most: Option<u64>, used| most.map(|most| most.saturating_sub(used));
        Self { objects: left(most.0, used.0), bytes: left(most.1, used.1) }
    }

    fn has(&self, wanted: Amount) -> bool {
        self.objects.is_none_or(|left| left >= wanted.objects) && self.bytes.is_none_or(|left| left >= wanted.bytes)
    }
}

impl Headroom {
    /// Asks what quotas leave. `largest` is the largest unit. None where the gateway does not tell.
    ///
    /// # Errors
    /// The gateway's.
    pub(super) async fn read(
        gateway: &Gateway,
        bucket: &str,
        copies: Amount,
        largest: Amount,
    ) -> s3core::Result<Option<Self>> {
        let head = gateway.run(HeadBucket { usage: true, ..HeadBucket::new(bucket) }).await?;
        let Some(usage) = head.usage else { return Ok(None) };
        let of_bucket = Room::new((usage.most_objects, usage.most_bytes), (usage.objects, usage.bytes));
        // Radosgw looks at each of the user's buckets for that.
        let of_user = if usage.is_user_limited { gateway.run(GetUsage).await? } else { None };
        let of_user = of_user.map_or_else(Room::default, |usage| {
            Room::new((usage.most_objects, usage.most_bytes), (usage.objects, usage.bytes))
        });
        Ok(Some(Self::new(copies, largest, of_bucket, of_user)))
    }

    fn new(copies: Amount, largest: Amount, bucket: Room, user: Room) -> Self {
        let most = UNITS_AT_ONCE as u64;
        let at_once = Amount {
            units: copies.units.min(most),
            objects: copies.objects.min(largest.objects.saturating_mul(most)),
            bytes: copies.bytes.min(largest.bytes.saturating_mul(most)),
        };
        Self { copies, at_once, bucket, user, short: !bucket.has(at_once) || !user.has(at_once) }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::no_quota((None, None), false)]
    #[case::enough((Some(40), Some(4_000)), false)]
    #[case::too_few_objects((Some(39), None), true)]
    #[case::too_few_bytes((None, Some(3_999)), true)]
    fn room_is_needed_for_the_units_that_are_worked_on(
        #[case] left: (Option<u64>, Option<u64>),
        #[case] is_short: bool,
    ) {
        let copies = Amount { units: 100, objects: 900, bytes: 90_000 };
        let largest = Amount { units: 1, objects: 10, bytes: 1_000 };
        let room = Room { objects: left.0, bytes: left.1 };
        for (bucket, user) in [(room, Room::default()), (Room::default(), room)] {
            let headroom = Headroom::new(copies, largest, bucket, user);
            assert_eq!(headroom.at_once, Amount { units: 4, objects: 40, bytes: 4_000 });
            assert_eq!(headroom.short, is_short);
        }
    }

    #[test]
    fn a_single_unit_is_copied_once() {
        let one = Amount { units: 1, objects: 10, bytes: 1_000 };
        let room = Room::new((Some(100), Some(5_000)), (90, 6_000));
        assert_eq!(room, Room { objects: Some(10), bytes: Some(0) });
        let headroom = Headroom::new(one, one, room, Room::default());
        assert_eq!((headroom.at_once, headroom.short), (one, true));
    }
}
