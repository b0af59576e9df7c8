//! How s3life reaches a bucket, and what it lists there.

use std::sync::Arc;
use std::time::SystemTime;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use s3core::config::{Options, Sources};
use s3core::environment::{Environment, SystemClock, SystemRandom};
use s3core::gateway::Gateway;
use s3core::http::connection::HttpTransport;
use s3core::ops::{ListMultipartUploads, ListObjectsV2};
use s3core::{Error, ErrorKind, Result};
use tokio::runtime::{Builder, Runtime};

use crate::hadoop_keys;
use crate::inventory::{Inventory, InventoryBuilder, Object};
use crate::policy::Dataset;
use crate::tier::Rules;

/// The class of an object that names none.
const STANDARD: &str = "STANDARD";

/// A bucket, with the threads that requests run on.
pub struct Connection {
    gateway: Gateway,
    bucket: String,
    runtime: Runtime,
}

impl Connection {
    /// Of a bucket, by the options that s3core reads everywhere: `endpoint`, Hadoop's files, the environment, the AWS
    /// profile. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidOption` and the like, as s3core's.
    pub fn new(bucket: &str, endpoint: Option<&str>) -> Result<Self> {
        let explicit = endpoint.map(|endpoint| ("endpoint".to_owned(), endpoint.to_owned())).into_iter().collect();
        let environment = |name: &str| std::env::var(name).ok();
        let hadoop = hadoop_keys::of_this_machine(&environment)?;
        let sources = Sources { explicit, hadoop, environment: &environment, home: std::env::home_dir() };
        let options = Options::resolve(bucket, &sources)?;
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("s3life").enable_all().build();
        let runtime = runtime.map_err(|failure| {
            Error::new(ErrorKind::Internal, "the process may not start threads").caused_by(failure)
        })?;
        let gateway = {
            let _context = runtime.enter();
            let transport = Arc::new(HttpTransport::new(options.transport)?);
            let environment = Environment { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom), transport };
            Gateway::new(options.gateway, environment)
        };
        Ok(Self { gateway, bucket: bucket.to_owned(), runtime })
    }

    /// Lists a dataset and its pending uploads.
    ///
    /// # Errors
    /// The gateway's.
    pub fn inventory(&self, dataset: &Dataset, zone: &TimeZone, now: &ZonedDateTime) -> Result<Inventory> {
        self.runtime.block_on(async {
            let mut builder = InventoryBuilder::new(dataset, zone);
            let mut list = ListObjectsV2::new(&self.bucket, &dataset.prefix);
            loop {
                let page = self.gateway.run(list.clone()).await?;
                for object in &page.objects {
                    builder.add(&Object {
                        key: &object.key,
                        bytes: object.length,
                        written: timestamp(object.modified),
                        class: object.storage_class.as_deref().unwrap_or(STANDARD),
                    });
                }
                match page.next {
                    Some(token) => list.continuation_token = Some(token),
                    None => break,
                }
            }
            let uploads = self.uploads(&dataset.prefix).await?;
            Ok(builder.finish(&uploads, now))
        })
    }

    /// Reads the bucket's lifecycle rules.
    ///
    /// # Errors
    /// The gateway's.
    pub fn rules(&self) -> Result<Rules> {
        self.runtime.block_on(Rules::read(&self.gateway, &self.bucket))
    }

    async fn uploads(&self, prefix: &str) -> Result<Vec<(String, Timestamp)>> {
        let mut list = ListMultipartUploads::new(&self.bucket, prefix);
        let mut uploads = Vec::new();
        loop {
            let page = self.gateway.run(list.clone()).await?;
            uploads.extend(page.uploads.into_iter().map(|upload| (upload.key, timestamp(upload.initiated))));
            match page.next {
                Some(next) => list.marker = Some(next),
                None => return Ok(uploads),
            }
        }
    }
}

/// What has no time is taken for just written: it is never old enough for anything.
fn timestamp(time: Option<SystemTime>) -> Timestamp {
    time.and_then(|time| Timestamp::try_from(time).ok()).unwrap_or(Timestamp::MAX)
}
