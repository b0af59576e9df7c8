//! A listing that is looked into at keys that mostly ascend.

use s3core::gateway::Gateway;
use s3core::ops::ListObjectsV2;

use crate::act::Failure;
use crate::act::objects::listed;
use crate::plan::line::PlannedObject;

/// The objects behind one key and up to another one, as they are listed.
pub(super) struct Window {
    gateway: Gateway,
    bucket: String,
    objects: Vec<PlannedObject>,
    /// What it covers, once something was listed.
    covered: Option<Covered>,
}

struct Covered {
    /// Excluded.
    after: String,
    /// Included; None to the end.
    until: Option<String>,
}

impl Covered {
    fn holds(&self, key: &str) -> bool {
        self.after.as_str() < key && self.until.as_ref().is_none_or(|until| key <= until.as_str())
    }
}

impl Window {
    pub(super) fn new(gateway: &Gateway, bucket: &str) -> Self {
        Self { gateway: gateway.clone(), bucket: bucket.to_owned(), objects: Vec::new(), covered: None }
    }

    /// The object at a key.
    pub(super) async fn at(&mut self, key: &str) -> Result<Option<&PlannedObject>, Failure> {
        self.reach(key).await?;
        let found = self.objects.binary_search_by(|object| object.key.as_str().cmp(key));
        Ok(found.ok().and_then(|found| self.objects.get(found)))
    }

    /// The first object whose key is this one, or behind it, and begins with `prefix`.
    pub(super) async fn from(&mut self, key: &str, prefix: &str) -> Result<Option<&PlannedObject>, Failure> {
        let mut key = key.to_owned();
        let found = loop {
            self.reach(&key).await?;
            let found = self.objects.partition_point(|object| object.key < key);
            match self.covered.as_ref().and_then(|covered| covered.until.as_ref()) {
                Some(until) if found == self.objects.len() => key = format!("{until}\0"),
                _ => break found,
            }
        };
        Ok(self.objects.get(found).filter(|object| object.key.starts_with(prefix)))
    }

    /// Lists until the key is covered.
    async fn reach(&mut self, key: &str) -> Result<(), Failure> {
        if self.covered.as_ref().is_some_and(|covered| covered.holds(key)) {
            return Ok(());
        }
        let before = before(key);
        let until = self.covered.take().and_then(|covered| covered.until);
        let after = until.filter(|until| (before.as_str()..key).contains(&until.as_str())).unwrap_or(before);
        let mut list = ListObjectsV2::new(&self.bucket, "");
        list.start_after = Some(after.clone()).filter(|after| !after.is_empty());
        loop {
            let page = self.gateway.run(list.clone()).await?;
            self.objects = page.objects.into_iter().map(listed).collect();
            let last = self.objects.last().map(|last| last.key.clone());
            match (page.next, last) {
                (Some(token), last) if last.as_deref().is_none_or(|last| last < key) => {
                    list.continuation_token = Some(token);
                }
                (next, last) => {
                    self.covered = Some(Covered { after, until: next.and(last) });
                    return Ok(());
                }
            }
        }
    }
}

/// A key before this one, with few between them.
fn before(key: &str) -> String {
    let mut letters = key.chars();
    let last = letters.next_back().map(u32::from).unwrap_or_default();
    // Numbers of no letter lie before U+E000.
    let earlier = (0..last).rev().take(0x801).find_map(char::from_u32);
    letters.as_str().chars().chain(earlier).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_before_another_one_is_near_it() {
        for (key, expected) in [("ab/", "ab."), ("a\0", "a"), ("\u{e000}", "\u{d7ff}"), ("", ""), ("a", "`")] {
            assert_eq!(before(key), expected, "{key:?}");
        }
    }
}
