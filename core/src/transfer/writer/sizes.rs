//! How large parts are, and how many an object has.

/// A part of at least this size may go out before it is full; smaller ones would leave too many behind. Two RADOS
/// objects of `rgw_obj_stripe_size`.
pub(super) const EARLY: u64 = 8 << 20;
/// After so many parts the next ones are twice as large: parts of 8 MiB reach 5 TiB, the largest object there is, with
/// fewer than [`MOST_PARTS`].
const PARTS_PER_SIZE: u32 = 1_000;
/// Most parts of an upload (S3 API).
pub(super) const MOST_PARTS: u32 = 10_000;
/// Largest part (S3 API).
pub(super) const LARGEST_PART: u64 = 5 << 30;

/// The size of the part of that number, where the first have `size`.
pub(super) fn grown(size: u64, number: u32) -> u64 {
    size.saturating_mul(1 << (number / PARTS_PER_SIZE).min(16)).min(LARGEST_PART)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_reach_the_largest_object() {
        let total: u64 = (1..=MOST_PARTS).map(|number| grown(EARLY, number)).sum();
        assert!(total >= 5 << 40, "{total}");
        assert_eq!((grown(EARLY, 1), grown(EARLY, 999), grown(EARLY, 1000)), (EARLY, EARLY, 2 * EARLY));
        assert_eq!(grown(5 << 30, 9999), LARGEST_PART);
    }
}
