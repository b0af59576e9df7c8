//! Files that s3life has moved to its trash: whoever misses one is told how to bring it back.
//!
//! A few files a second that are missing are looked for one by one. Where a job misses thousands, what was found a moment ago
//! serves the others: which runs have something in the trash, and of which directories.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::ops::{HeadObject, ListObjectsV2};
use crate::{Error, ErrorKind};

use super::FileSystem;

/// Below it s3life keeps what runs have removed: `RUN/LEASE/KEY`.
const TRASH: &str = ".s3core/trash/";

/// Only so many of the latest runs are looked through.
const RUNS: usize = 8;

/// How long what was found serves.
const LIFETIME: Duration = Duration::from_secs(1);
/// Looks in that time that nothing found before serves.
const FRESH: u32 = 8;
/// Directories that are remembered.
const DIRECTORIES: usize = 1024;

/// What was found in the trash a moment ago.
#[derive(Default)]
pub(super) struct Trash {
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    began: Option<Instant>,
    looks: u32,
    places: Option<Places>,
    /// The places that hold anything of a directory.
    directories: HashMap<String, Places>,
}

type Places = Arc<[Place]>;

/// Where one holder of the bucket's lease has put what a run removed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    run: String,
    prefix: String,
}

impl Trash {
    /// What serves a file in this directory that is missed at `now`: all places, and those that hold anything of the directory.
    fn serves(&self, directory: &str, now: Instant) -> (Option<Places>, Option<Places>) {
        let mut found = self.lock();
        if found.began.is_none_or(|began| now.saturating_duration_since(began) >= LIFETIME) {
            *found = Found { began: Some(now), ..Found::default() };
        }
        found.looks += 1;
        if found.looks <= FRESH {
            return (None, None);
        }
        (found.places.clone(), found.directories.get(directory).cloned())
    }

    fn keep(&self, directory: &str, places: &Places, holding: &Places) {
        let mut found = self.lock();
        found.places = Some(Arc::clone(places));
        if found.directories.len() < DIRECTORIES {
            found.directories.insert(directory.to_owned(), Arc::clone(holding));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FileSystem {
    /// The failure of opening or reading a file that is not there. Where it is in the trash of a run of s3life, it names
    /// the run and the command that brings it back. One request where nothing is in the trash.
    pub(super) async fn removed(&self, path: &str, failure: Error) -> Error {
        if failure.kind() != ErrorKind::NotFound {
            return failure;
        }
        let Some(run) = self.run_that_removed(path).await else { return failure };
        let message = format!(
            "no such file any more: the run {run} of s3life has moved it to its trash; `s3life undo {run} s3a://{}` \
             brings it back",
            self.bucket()
        );
        failure.restated(ErrorKind::NotFound, message)
    }

    /// What cannot be looked up stays unsaid: the failure to be told is another.
    async fn run_that_removed(&self, path: &str) -> Option<String> {
        let (directory, _) = path.rsplit_once('/').unwrap_or_default();
        let (places, holding) = self.shared.trash.serves(directory, self.now());
        let holding = match holding {
            Some(holding) => holding,
            None => {
                let places = match places {
                    Some(places) => places,
                    None => self.places().await.unwrap_or_default().into(),
                };
                let holding = self.that_hold(directory, &places).await?.into();
                self.shared.trash.keep(directory, &places, &holding);
                holding
            }
        };
        for Place { run, prefix } in holding.iter() {
            match self.gateway().run(HeadObject::new(self.bucket(), &format!("{prefix}{path}"))).await {
                Ok(_) => return Some(run.clone()),
                Err(failure) if failure.kind() == ErrorKind::NotFound => {}
                Err(_) => return None,
            }
        }
        None
    }

    /// Of the latest runs, those first.
    async fn places(&self) -> Option<Vec<Place>> {
        let mut places = Vec::new();
        for run in self.names_below(TRASH).await?.into_iter().rev().take(RUNS) {
            let leases = self.names_below(&format!("{TRASH}{run}/")).await?.into_iter();
            places.extend(leases.map(|lease| Place { prefix: format!("{TRASH}{run}/{lease}/"), run: run.clone() }));
        }
        Some(places)
    }

    /// Those that hold anything of a directory.
    async fn that_hold(&self, directory: &str, places: &[Place]) -> Option<Vec<Place>> {
        let mut holding = Vec::new();
        for place in places {
            let prefix = match directory {
                "" => place.prefix.clone(),
                _ => format!("{}{directory}/", place.prefix),
            };
            let list = ListObjectsV2 { max_keys: Some(1), ..ListObjectsV2::new(self.bucket(), &prefix) };
            if !self.gateway().run(list).await.ok()?.objects.is_empty() {
                holding.push(place.clone());
            }
        }
        Some(holding)
    }

    /// The names of the directories right below a prefix. One page: nobody keeps a thousand runs.
    async fn names_below(&self, prefix: &str) -> Option<Vec<String>> {
        let list = ListObjectsV2 { delimiter: Some("/".to_owned()), ..ListObjectsV2::new(self.bucket(), prefix) };
        let page = self.gateway().run(list).await.ok()?;
        let name = |common: &String| Some(common.strip_prefix(prefix)?.trim_end_matches('/').to_owned());
        Some(page.common_prefixes.iter().filter_map(name).collect())
    }
}
