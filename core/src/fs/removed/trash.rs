//! Files that lie in the trash of a run.

use std::sync::Arc;

use crate::ErrorKind;
use crate::fs::FileSystem;
use crate::ops::{HeadObject, ListObjectsV2};

/// Below it s3life keeps copies of what runs have removed: `RUN/LEASE/KEY`.
const TRASH: &str = ".s3core/trash/";

/// Only so many of the latest runs are looked through.
const RUNS: usize = 8;

pub(super) type Places = Arc<[Place]>;

/// Where one holder of the bucket's lease has put what a run removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    run: String,
    prefix: String,
}

impl FileSystem {
    /// The run in whose trash the file lies. `places` and `holding` were found a moment ago: all places, and those that hold
    /// anything of its directory.
    pub(super) async fn run_that_moved(
        &self,
        path: &str,
        places: Option<Places>,
        holding: Option<Places>,
    ) -> Option<String> {
        let (directory, _) = path.rsplit_once('/').unwrap_or_default();
        let holding = match holding {
            Some(holding) => holding,
            None => {
                let places = match places {
                    Some(places) => places,
                    None => self.places().await.unwrap_or_default().into(),
                };
                let holding = self.that_hold(directory, &places).await?.into();
                self.shared.removed.keep_places(directory, &places, &holding);
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
        for run in self.names_below(TRASH, None).await?.into_iter().rev().take(RUNS) {
            let leases = self.names_below(&format!("{TRASH}{run}/"), None).await?.into_iter();
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
}
