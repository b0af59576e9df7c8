//! A file system of one test.

use std::ops::Deref;

use s3core::config::{Options, Sources};
use s3core::environment::Environment;
use s3core::fs::{FileSystem, WorkPaths};
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
        let keys = [
            ("fs.s3a.access.key", place.running.access_key.as_str()),
            ("fs.s3a.secret.key", place.running.secret_key.as_str()),
        ];
        let all: Vec<_> = keys.iter().chain(hadoop).copied().collect();
        let files = Self::reaching(&place.running.url, &place.bucket, &all, memory);
        Self { place, files }
    }

    /// A bucket at `endpoint` with these Hadoop options, the keys among them.
    pub fn reaching(endpoint: &str, bucket: &str, hadoop: &[(&str, &str)], memory: u64) -> FileSystem {
        Self::in_world(environment(), endpoint, bucket, hadoop, memory)
    }

    /// The same with another clock, randomness or transport.
    pub fn in_world(
        environment: Environment,
        endpoint: &str,
        bucket: &str,
        hadoop: &[(&str, &str)],
        memory: u64,
    ) -> FileSystem {
        let sources = Sources {
            explicit: vec![("endpoint".to_owned(), endpoint.to_owned())],
            hadoop: hadoop.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
            environment: &|_| None,
            home: None,
        };
        let options = Options::resolve(bucket, &sources).expect("options that are right");
        FileSystem::new(&options, environment, MemoryBudget::new(memory), WorkPaths::new())
    }
}

impl Deref for Files {
    type Target = FileSystem;

    fn deref(&self) -> &FileSystem {
        &self.files
    }
}
