//! The index of one bucket: its keys in order, and its uploads.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use s3s::dto::LifecycleRule;

use crate::storage::object::{Object, Upload};

/// One bucket.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
    contents: RwLock<Contents>,
}

impl Bucket {
    pub(crate) fn new(name: String, created: i64) -> Self {
        Self { name, created, contents: RwLock::default() }
    }

    pub(crate) fn object(&self, key: &str) -> Option<Arc<Object>> {
        self.read().objects.get(key).cloned()
    }

    pub(crate) fn list(&self, query: &ListQuery<'_>) -> ListPage {
        list(&self.read().objects, query)
    }

    pub(crate) fn upload(&self, key: &str, id: &str) -> Option<Upload> {
        self.read().uploads.get(&(key.to_owned(), id.to_owned())).cloned()
    }

    /// Uploads in the order of key and id, without their parts.
    pub(crate) fn uploads(&self, prefix: &str, after: Option<(String, String)>) -> Vec<Upload> {
        let contents = self.read();
        let start = match after {
            Some(after) if after.0.as_str() >= prefix => Bound::Excluded(after),
            _ => Bound::Included((prefix.to_owned(), String::new())),
        };
        contents
            .uploads
            .range((start, Bound::Unbounded))
            .take_while(|((key, _), _)| key.starts_with(prefix))
            .map(|(_, upload)| Upload {
                id: upload.id.clone(),
                key: upload.key.clone(),
                initiated: upload.initiated,
                attributes: upload.attributes.clone(),
                checksum: upload.checksum,
                parts: BTreeMap::new(),
            })
            .collect()
    }

    /// The lifecycle rules.
    pub(crate) fn lifecycle(&self) -> Option<Vec<LifecycleRule>> {
        self.read().lifecycle.as_ref().map(|lifecycle| lifecycle.rules.clone())
    }

    /// Whether the rules have waited that long; then they wait anew.
    pub(crate) fn takes_lifecycle_turn(&self, now: Instant, delay: Duration) -> bool {
        let is_due = |lifecycle: &Lifecycle| now.duration_since(lifecycle.since) >= delay;
        if !self.read().lifecycle.as_ref().is_some_and(is_due) {
            return false;
        }
        match &mut self.write().lifecycle {
            Some(lifecycle) if is_due(lifecycle) => {
                lifecycle.since = now;
                true
            }
            _ => false,
        }
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Contents> {
        self.contents.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Contents> {
        self.contents.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) objects: BTreeMap<String, Arc<Object>>,
    /// By key and upload id, the order in which ListMultipartUploads answers.
    pub(super) uploads: BTreeMap<(String, String), Upload>,
    pub(super) lifecycle: Option<Lifecycle>,
    /// A writer may still hold a bucket that DeleteBucket has taken out of the storage.
    pub(super) deleted: bool,
}

/// Lifecycle rules, and since when they wait to be carried out.
#[derive(Debug)]
pub(super) struct Lifecycle {
    pub(super) rules: Vec<LifecycleRule>,
    pub(super) since: Instant,
}

/// Which keys to list.
#[derive(Debug)]
pub(crate) struct ListQuery<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) delimiter: Option<&'a str>,
    /// Only what comes after this key or common prefix.
    pub(crate) after: Option<&'a str>,
    pub(crate) limit: usize,
}

/// Keys and common prefixes in order.
#[derive(Debug, Default)]
pub(crate) struct ListPage {
    pub(crate) entries: Vec<ListEntry>,
    pub(crate) truncated: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum ListEntry {
    Object(Arc<Object>),
    CommonPrefix(String),
}

impl ListEntry {
    /// What a following page starts after.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Object(object) => &object.key,
            Self::CommonPrefix(prefix) => prefix,
        }
    }
}

/// Seeks past each common prefix instead of walking the keys below it, so a page costs the number
/// of its entries times a search, however many keys the bucket holds.
fn list(objects: &BTreeMap<String, Arc<Object>>, query: &ListQuery<'_>) -> ListPage {
    let mut page = ListPage::default();
    if query.limit == 0 {
        return page;
    }
    let delimiter = query.delimiter.filter(|delimiter| !delimiter.is_empty());
    let common_prefix = |key: &str| {
        let delimiter = delimiter?;
        let at = key.get(query.prefix.len()..)?.find(delimiter)?;
        key.get(..query.prefix.len() + at + delimiter.len()).map(str::to_owned)
    };

    let mut passed: Option<String> = None;
    let mut start = match query.after {
        Some(after) if after >= query.prefix => {
            if common_prefix(after).as_deref() == Some(after) {
                passed = Some(after.to_owned());
                Bound::Excluded(past(after))
            } else {
                Bound::Excluded(after.to_owned())
            }
        }
        _ => Bound::Included(query.prefix.to_owned()),
    };
    'seek: loop {
        for (key, object) in objects.range((start, Bound::Unbounded)) {
            if !key.starts_with(query.prefix) {
                return page;
            }
            if passed.as_deref().is_some_and(|passed| key.starts_with(passed)) {
                continue;
            }
            if page.entries.len() == query.limit {
                page.truncated = true;
                return page;
            }
            match common_prefix(key) {
                None => page.entries.push(ListEntry::Object(Arc::clone(object))),
                Some(prefix) => {
                    start = Bound::Excluded(past(&prefix));
                    passed = Some(prefix.clone());
                    page.entries.push(ListEntry::CommonPrefix(prefix));
                    continue 'seek;
                }
            }
        }
        return page;
    }
}

/// A string after nearly every key that starts with `prefix`; `passed` catches the rest.
fn past(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use rstest::rstest;

    use super::*;
    use crate::storage::blob::Data;
    use crate::storage::object::Attributes;

    const KEYS: [&str; 9] = ["a", "a/1", "a/2", "a/b/3", "b", "b/1", "c\u{10FFFF}\u{10FFFF}", "d//", "d/x"];

    #[rstest]
    #[case("", None, &KEYS)]
    #[case("", Some("/"), &["a", "a/", "b", "b/", "c\u{10FFFF}\u{10FFFF}", "d/"])]
    #[case("a/", Some("/"), &["a/1", "a/2", "a/b/"])]
    #[case("a", Some("/"), &["a", "a/"])]
    #[case("d/", Some("/"), &["d//", "d/x"])]
    #[case("c", Some("\u{10FFFF}"), &["c\u{10FFFF}"])]
    #[case("nothing", Some("/"), &[])]
    fn pages_of_every_size_hold_the_same(
        #[case] prefix: &str,
        #[case] delimiter: Option<&str>,
        #[case] expected: &[&str],
    ) {
        let objects = index(KEYS.iter().map(|key| (*key).to_owned()));
        for limit in 1..=expected.len() + 1 {
            let mut found = Vec::new();
            let mut after: Option<String> = None;
            loop {
                let page = list(&objects, &ListQuery { prefix, delimiter, after: after.as_deref(), limit });
                assert!(page.entries.len() <= limit);
                found.extend(page.entries.iter().map(|entry| entry.name().to_owned()));
                if !page.truncated {
                    break;
                }
                after = found.last().cloned();
            }
            assert_eq!(found, expected, "limit {limit}");
        }
    }

    #[test]
    fn starts_after_a_key_that_is_not_there() {
        let objects = index(KEYS.iter().map(|key| (*key).to_owned()));
        let page = list(&objects, &ListQuery { prefix: "a", delimiter: None, after: Some("a/1x"), limit: 10 });
        let names: Vec<_> = page.entries.iter().map(ListEntry::name).collect();
        assert_eq!(names, ["a/2", "a/b/3"]);
    }

    #[test]
    fn common_prefixes_of_many_keys_need_no_walk() {
        let objects = index((0..200_000).map(|number| format!("{}/{number:06}", number % 2)));
        let started = Instant::now();
        for _ in 0..1000 {
            let page = list(&objects, &ListQuery { prefix: "", delimiter: Some("/"), after: None, limit: 1000 });
            assert_eq!(page.entries.len(), 2);
        }
        // A walk would visit 200,000,000 keys.
        assert!(started.elapsed() < Duration::from_secs(2));
    }

    fn index(keys: impl Iterator<Item = String>) -> BTreeMap<String, Arc<Object>> {
        keys.map(|key| {
            let object = Object {
                key: key.clone(),
                etag: String::new(),
                modified: 0,
                attributes: Attributes::default(),
                checksums: Vec::new(),
                parts: Vec::new(),
                data: Data::default(),
            };
            (key, Arc::new(object))
        })
        .collect()
    }
}
