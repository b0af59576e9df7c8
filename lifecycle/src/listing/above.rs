//! What lies in the directories around a dataset and concerns it: the log of a table whose files the dataset holds, and jobs that
//! write there.
//!
//! Each directory up to the bucket's root costs a request, and one that holds many names some more: these are never read as a
//! whole.

use futures::future::try_join_all;
use jiff::Timestamp;
use s3core::Result;
use s3core::ops::ListObjectsV2;

use crate::inventory::{Above, JOBS, LOGS, VERSION_HINT, is_iceberg, is_state_of_job};
use crate::places::directories_above;

use super::{Lister, PAGE, in_sight, timestamp};

/// Names that are looked through for those that mean something. Where there are more, each of these is asked for: Radosgw seeks
/// every directory by itself.
const NAMES: u32 = 100;

/// What the names of Iceberg's metadata begin with, in the order of asking: those of tables without a catalog come last of
/// thousands.
const METADATA: [&str; 2] = ["v", ""];

/// Pages of a job's tree, or of metadata, that are looked through. Iceberg's `00000-….metadata.json` come first.
const PAGES: usize = 20;

impl Lister {
    /// What lies around a place, as far as the keys may list it. Of a job's tree it is enough that something `is_young` in it.
    ///
    /// # Errors
    /// The gateway's.
    pub(super) async fn above(&self, place: &str, is_young: impl Fn(Timestamp) -> bool + Sync) -> Result<Above> {
        let mut above = Above::default();
        for directory in directories_above(place) {
            // Some users may look into their own datasets only.
            let Some(keys) = in_sight(self.telling_keys(directory).await)? else { continue };
            for key in keys {
                let name = key.get(directory.len()..).unwrap_or_default();
                if is_state_of_job(name) {
                    if !place.starts_with(&key) && in_sight(self.holds_young(&key, &is_young).await)? == Some(true) {
                        above.add_job(key);
                    }
                } else if name != "metadata/" {
                    above.look_at(&key);
                } else if in_sight(self.holds_iceberg(&key).await)? == Some(true) {
                    above.look_at(&format!("{key}{VERSION_HINT}"));
                }
            }
        }
        Ok(above)
    }

    /// The keys right in a directory whose names mean something; of directories with their slash.
    async fn telling_keys(&self, directory: &str) -> Result<Vec<String>> {
        let mut list = ListObjectsV2::new(&self.bucket, directory);
        list.delimiter = Some("/".to_owned());
        list.max_keys = Some(NAMES);
        let page = self.page(&list).await?;
        if page.next.is_some() {
            let names = LOGS.iter().chain(&JOBS);
            let asked = names.map(|name| async move { self.keys_like(directory, name).await });
            return Ok(try_join_all(asked).await?.concat());
        }
        let keys = page.objects.into_iter().map(|object| object.key).chain(page.common_prefixes);
        let tells = |key: &String| {
            let name = key.get(directory.len()..).unwrap_or_default();
            LOGS.contains(&name) || is_state_of_job(name)
        };
        Ok(keys.filter(tells).collect())
    }

    /// The key of a name in a directory, if it is there. One of [`JOBS`] without a slash stands for all names that begin so.
    async fn keys_like(&self, directory: &str, name: &str) -> Result<Vec<String>> {
        let key = format!("{directory}{name}");
        let mut list = ListObjectsV2::new(&self.bucket, &key);
        if LOGS.contains(&name) || name.ends_with('/') {
            list.max_keys = Some(1);
            let first = self.page(&list).await?.objects.into_iter().next();
            let is_there = first.is_some_and(|first| name.ends_with('/') || first.key == key);
            return Ok(is_there.then_some(key).into_iter().collect());
        }
        list.delimiter = Some("/".to_owned());
        let mut found = Vec::new();
        loop {
            let page = self.page(&list).await?;
            found.extend(page.common_prefixes);
            match page.next {
                Some(token) => list.continuation_token = Some(token),
                None => return Ok(found),
            }
        }
    }

    /// Whether something in a directory is young; no more is listed than shows it. One that is too large to be looked through
    /// counts as young.
    async fn holds_young(&self, directory: &str, is_young: impl Fn(Timestamp) -> bool) -> Result<bool> {
        let mut list = ListObjectsV2 { max_keys: Some(PAGE), ..ListObjectsV2::new(&self.bucket, directory) };
        for _ in 0..PAGES {
            let page = self.page(&list).await?;
            if page.objects.iter().any(|object| is_young(timestamp(object.modified))) {
                return Ok(true);
            }
            match page.next {
                Some(token) => list.continuation_token = Some(token),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Whether a directory holds the metadata of an Iceberg table.
    async fn holds_iceberg(&self, directory: &str) -> Result<bool> {
        for name in METADATA {
            let mut list = ListObjectsV2::new(&self.bucket, &format!("{directory}{name}"));
            list.delimiter = Some("/".to_owned());
            for _ in 0..PAGES {
                let page = self.page(&list).await?;
                let mut names = page.objects.iter().filter_map(|object| object.key.strip_prefix(directory));
                if names.any(is_iceberg) {
                    return Ok(true);
                }
                match page.next {
                    Some(token) => list.continuation_token = Some(token),
                    None => break,
                }
            }
        }
        Ok(false)
    }
}
