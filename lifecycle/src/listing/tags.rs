//! Tags of listed objects, where rules ask for them: listings say nothing of them.

use std::collections::{BTreeMap, HashMap};

use futures::stream::{self, StreamExt, TryStreamExt};
use s3core::ops::{GetObjectTagging, ListedObject};
use s3core::{ErrorKind, Result};

use crate::policy::Dataset;

use super::{Lister, as_object};

/// Tags of objects, by their keys: of those that were asked for.
pub(crate) type Tags = HashMap<String, BTreeMap<String, String>>;

impl Lister {
    /// The tags of those objects that meet all other conditions of a rule that asks for tags: one request each.
    ///
    /// # Errors
    /// The gateway's.
    pub(crate) async fn tags(&self, dataset: &Dataset, page: &[ListedObject]) -> Result<Tags> {
        if !dataset.rules.iter().any(|rule| !rule.when.object.tags.is_empty()) {
            return Ok(Tags::new());
        }
        let none = Tags::new();
        let mut wanted = Vec::new();
        for listed in page {
            if dataset.asks_for_tags(&as_object(listed, &none)) {
                wanted.push(listed.key.clone());
            }
        }
        let asked = stream::iter(wanted).map(|key| async move {
            let _slot = self.gate.pass().await;
            match self.gateway.run(GetObjectTagging::new(&self.bucket, &key)).await {
                Ok(tags) => Ok(Some((key, tags))),
                // It was deleted since it was listed.
                Err(failure) if failure.kind() == ErrorKind::NotFound => Ok(None),
                Err(failure) => Err(failure),
            }
        });
        let tags: Vec<_> = asked.buffer_unordered(self.at_once).try_collect().await?;
        Ok(tags.into_iter().flatten().collect())
    }
}
