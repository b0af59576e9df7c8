//! Files that s3life has moved to its trash: whoever misses one is told how to bring it back.

use crate::ops::{HeadObject, ListObjectsV2};
use crate::{Error, ErrorKind};

use super::FileSystem;

/// Below it s3life keeps what runs have removed: `RUN/LEASE/KEY`.
const TRASH: &str = ".s3core/trash/";

/// Only so many of the latest runs are looked through.
const RUNS: usize = 8;

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
        for run in self.names_below(TRASH).await?.into_iter().rev().take(RUNS) {
            for lease in self.names_below(&format!("{TRASH}{run}/")).await? {
                let copy = format!("{TRASH}{run}/{lease}/{path}");
                match self.gateway().run(HeadObject::new(self.bucket(), &copy)).await {
                    Ok(_) => return Some(run),
                    Err(failure) if failure.kind() == ErrorKind::NotFound => {}
                    Err(_) => return None,
                }
            }
        }
        None
    }

    /// The names of the directories right below a prefix. One page: nobody keeps a thousand runs.
    async fn names_below(&self, prefix: &str) -> Option<Vec<String>> {
        let list = ListObjectsV2 { delimiter: Some("/".to_owned()), ..ListObjectsV2::new(self.bucket(), prefix) };
        let page = self.gateway().run(list).await.ok()?;
        let name = |common: &String| Some(common.strip_prefix(prefix)?.trim_end_matches('/').to_owned());
        Some(page.common_prefixes.iter().filter_map(name).collect())
    }
}
