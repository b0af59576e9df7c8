//! A file system of one test.

use std::ops::Deref;

use s3core::config::{Options, Sources};
use s3core::fs::FileSystem;
use s3core::transfer::budget::MemoryBudget;

use super::{Place, Service, environment};

/// A new bucket as a file system, with parts of 8 MiB; the embedded endpoint, if it is that, ends with it.
pub struct Files {
    /// Where it lies.
    pub place: Place,
    files: FileSystem,
}

impl Files {
    /// In a new bucket at `service`.
    pub async fn at(service: Service) -> Self {
        Self::with(service, &[("fs.s3a.multipart.size", "8M")], 128 << 20).await
    }

    /// With these Hadoop options and a memory budget of `memory` bytes.
    pub async fn with(service: Service, hadoop: &[(&str, &str)], memory: u64) -> Self {
        let place = Place::at(service).await;
        let given = [
            ("fs.s3a.endpoint", place.running.url.as_str()),
            ("fs.s3a.access.key", place.running.access_key.as_str()),
            ("fs.s3a.secret.key", place.running.secret_key.as_str()),
        ];
        let sources = Sources {
            explicit: Vec::new(),
            hadoop: given.iter().chain(hadoop).map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
            environment: &|_| None,
            home: None,
        };
        let options = Options::resolve(&place.bucket, &sources).expect("options that are right");
        let files = FileSystem::new(&options, environment(), MemoryBudget::new(memory));
        Self { place, files }
    }
}

impl Deref for Files {
    type Target = FileSystem;

    fn deref(&self) -> &FileSystem {
        &self.files
    }
}
