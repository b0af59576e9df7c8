//! One resolver for every option, and where each value came from.
//!
//! Order of the sources: what the caller says, Hadoop's `fs.s3core.bucket.B.*` and `fs.s3a.bucket.B.*`, Hadoop's
//! `fs.s3core.*` and `fs.s3a.*`, environment, AWS profile, default. A profile that the caller or Hadoop's
//! configuration names goes before the environment. [`table`] lists the options, [`row`] says what one is.

mod bucket;
mod directory;
mod encryption;
pub(crate) mod endpoint;
mod nearest;
pub mod others;
mod proxy;
mod read_policy;
mod requests;
pub mod row;
pub(crate) mod sources;
pub mod table;
mod values;

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::credentials::chain::{self, Chosen};
use crate::fs::CommitSettings;
use crate::gateway::GatewaySettings;
use crate::gateway::retry::RetryPolicy;
use crate::http::connection::{TransportSettings, TrustSettings};
use crate::http::{Endpoint, Limits};
use crate::transfer::TransferSettings;
use crate::{Error, ErrorKind, Result};

pub use read_policy::ReadPolicy;

use others::Foreign;
use row::Row;
use sources::{Given, Resolver};
use values::Value;

/// Where options are looked for.
pub struct Sources<'a> {
    /// Arguments of Python and flags of programs: own names (`endpoint`, `access_key`) or full ones (`fs.s3core.…`).
    pub explicit: Vec<(String, String)>,
    /// Every `fs.s3a.*` and `fs.s3core.*` key of a Hadoop Configuration, with `${…}` already filled in.
    pub hadoop: Vec<(String, String)>,
    /// Environment variables by name.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// The user's home directory, for `~/.aws`.
    pub home: Option<PathBuf>,
}

/// All settings for one bucket.
#[derive(Clone)]
pub struct Options {
    /// The bucket.
    pub bucket: String,
    /// How the gateway is reached.
    pub gateway: GatewaySettings,
    /// How objects are moved.
    pub transfer: TransferSettings,
    /// How the output of jobs is committed.
    pub commit: CommitSettings,
    /// How connections are made and kept.
    pub transport: TransportSettings,
    /// How files are read where the one who opens them does not say.
    pub read_policy: ReadPolicy,
    /// Most keys of one page of a listing.
    pub paging_maximum: u32,
    /// Most keys of one request that removes several; 1 where the service does not know such requests.
    pub delete_maximum: usize,
    explained: Vec<Explained>,
    foreign: Vec<Foreign>,
}

/// One option, its value and where that came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Full own name, `fs.s3core.endpoint`.
    pub option: String,
    /// The value as it was written, `***` for secrets, empty where there is none.
    pub value: String,
    /// `fs.s3a.bucket.lake.endpoint`, `AWS_REGION`, `profile dev in ~/.aws/credentials`, `default`.
    pub origin: String,
}

impl Options {
    /// Settings for `bucket`.
    ///
    /// # Errors
    /// `InvalidOption` for an unknown own option, a value that cannot be read or half a pair of keys; `InvalidPath`
    /// for a bucket name that S3 cannot hold; `Unsupported` for what is left out on purpose; `NoCredentials` where no keys are found and unsigned requests were not
    /// asked for.
    pub fn resolve(bucket: &str, sources: &Sources<'_>) -> Result<Self> {
        let resolver = Resolver::new(bucket, sources)?;
        others::refuse(&resolver)?;
        let mut settings = Settings::read(&resolver)?;
        let (endpoint, region) = settings.address(&resolver)?;
        let path_style = settings.path_style(&resolver, &endpoint, bucket)?;
        bucket::check(bucket, path_style)?;
        let keys = chain::choose(&resolver, &endpoint, &region)?;
        settings.explain_keys(&keys);
        let requests = requests::read(&resolver, &endpoint)?;
        let proxy = proxy::read(&resolver)?;
        let buffer_directory = directory::writable(&settings.list(&table::BUFFER_DIR));
        settings.explain_choice(&table::BUFFER_DIR, buffer_directory.display().to_string());

        Ok(Self {
            bucket: bucket.to_owned(),
            gateway: GatewaySettings {
                endpoint,
                endpoint_is_assumed: resolver.find(&table::ENDPOINT).is_none(),
                path_style,
                region,
                credentials: keys.chain,
                limits: Limits {
                    connect: settings.time(&table::CONNECTION_ESTABLISH_TIMEOUT),
                    answer: settings.time(&table::CONNECTION_TIMEOUT),
                    idle: settings.time(&table::CONNECTION_STALL_TIMEOUT),
                },
                retry: RetryPolicy {
                    first_contact: settings.time(&table::RETRY_FIRST_CONTACT),
                    patience: settings.time(&table::RETRY_PATIENCE),
                    brief_attempts: settings.count(&table::ATTEMPTS_MAXIMUM),
                },
                user_agent: settings.text(&table::USER_AGENT_PREFIX),
                requests,
            },
            transfer: TransferSettings {
                part_size: part_size(settings.number(&table::MULTIPART_SIZE)),
                buffer_directory,
                memory_limit: settings.given(&table::MEMORY_LIMIT).then(|| settings.number(&table::MEMORY_LIMIT)),
                read_ahead_limit: settings.number(&table::READ_AHEAD_LIMIT),
                random_read: settings.number(&table::READAHEAD_RANGE),
                copy_threshold: settings.number(&table::MULTIPART_THRESHOLD).clamp(LEAST_COPIED_PART, LARGEST_COPY),
                upload_concurrency: settings.count(&table::FAST_UPLOAD_ACTIVE_BLOCKS) as usize,
                storage_class: settings.optional_text(&table::CREATE_STORAGE_CLASS),
            },
            commit: CommitSettings {
                largest_kept: settings.number(&table::COMMITTER_SMALL_FILE_SIZE),
                concurrency: settings.count(&table::COMMITTER_THREADS) as usize,
                keep_uncommitted: settings.time(&table::UPLOADS_MAX_AGE),
                keep_committed: settings.time(&table::UPLOADS_COMMITTED_MAX_AGE),
                purge_older_than: settings
                    .flag(&table::MULTIPART_PURGE)
                    .then(|| settings.time(&table::MULTIPART_PURGE_AGE)),
            },
            transport: TransportSettings {
                proxy,
                trust: TrustSettings {
                    ca_file: settings.optional_text(&table::SSL_CA_FILE).map(PathBuf::from),
                    additional: Vec::new(),
                    use_system_store: settings.flag(&table::SSL_SYSTEM_STORE),
                },
                maximum_connections: settings.count(&table::CONNECTION_MAXIMUM) as usize,
                idle_connection_limit: settings.time(&table::CONNECTION_IDLE_TIME),
            },
            read_policy: ReadPolicy::from_name(&settings.text(&table::INPUT_FADVISE)).unwrap_or_default(),
            paging_maximum: settings.count(&table::PAGING_MAXIMUM),
            delete_maximum: match settings.flag(&table::MULTIOBJECTDELETE_ENABLE) {
                true => settings.count(&table::BULK_DELETE_PAGE_SIZE) as usize,
                false => 1,
            },
            explained: settings.explained,
            foreign: resolver.foreign(),
        })
    }

    /// Whether TLS is spoken: to the endpoint, the proxy, or whoever issues keys.
    pub fn speaks_tls(&self) -> bool {
        self.gateway.endpoint.tls
            || self.gateway.credentials.speaks_tls()
            || self.transport.proxy.as_ref().is_some_and(|proxy| proxy.endpoint.tls)
    }

    /// Every option with its value and its origin, secrets masked, in the order of the table.
    pub fn explain(&self) -> Vec<Explained> {
        self.explained.clone()
    }

    /// Keys of `fs.s3a.` that were given and that no row of the table reads, sorted.
    pub fn foreign(&self) -> &[Foreign] {
        &self.foreign
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = self.explained.iter().filter(|one| one.origin != sources::DEFAULT);
        f.debug_struct("Options").field("bucket", &self.bucket).field("given", &given.collect::<Vec<_>>()).finish()
    }
}

/// CopyObject takes objects of up to 5 GiB (S3 API; `rgw_max_put_size` on Radosgw).
const LARGEST_COPY: u64 = 5 << 30;
/// Smallest part that S3 takes.
const LEAST_COPIED_PART: u64 = 5 << 20;

/// 4 MiB is Ceph's `rgw_obj_stripe_size`; S3 takes parts from 5 MiB on.
fn part_size(wanted: u64) -> u64 {
    wanted.next_multiple_of(4 << 20).max(8 << 20)
}

/// The value of every row.
struct Settings {
    values: Vec<(&'static str, Option<Value>)>,
    explained: Vec<Explained>,
}

impl Settings {
    fn read(resolver: &Resolver<'_>) -> Result<Self> {
        let mut settings = Self { values: Vec::new(), explained: Vec::new() };
        for row in table::TABLE {
            let given = resolver.find(row).or_else(|| Given::default_of(row));
            settings.explained.push(Explained {
                option: row.key(),
                value: given.as_ref().map(|given| given.shown(row)).unwrap_or_default(),
                origin: given.as_ref().map_or_else(|| sources::DEFAULT.to_owned(), |given| given.origin.clone()),
            });
            settings.values.push((row.name, given.map(|given| given.read(row)).transpose()?));
        }
        Ok(settings)
    }

    fn value(&self, row: &Row) -> Option<&Value> {
        self.values.iter().find(|(name, _)| *name == row.name)?.1.as_ref()
    }

    fn given(&self, row: &Row) -> bool {
        self.value(row).is_some()
    }

    fn optional_text(&self, row: &Row) -> Option<String> {
        match self.value(row)? {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn text(&self, row: &Row) -> String {
        self.optional_text(row).unwrap_or_default()
    }

    fn flag(&self, row: &Row) -> bool {
        matches!(self.value(row), Some(Value::Flag(true)))
    }

    fn number(&self, row: &Row) -> u64 {
        match self.value(row) {
            Some(Value::Number(number)) => *number,
            _ => 0,
        }
    }

    /// A number whose range ends below 2^32.
    fn count(&self, row: &Row) -> u32 {
        u32::try_from(self.number(row)).unwrap_or(u32::MAX)
    }

    fn time(&self, row: &Row) -> Duration {
        match self.value(row) {
            Some(Value::Time(time)) => *time,
            _ => Duration::ZERO,
        }
    }

    fn list(&self, row: &Row) -> Vec<String> {
        match self.value(row) {
            Some(Value::List(words)) => words.clone(),
            _ => Vec::new(),
        }
    }

    /// Says where a value came from that no source had but that follows from other options.
    fn derived(&mut self, row: &Row, value: String, origin: &str) {
        if let Some(line) = self.explained.iter_mut().find(|line| line.option == row.key()) {
            line.value = value;
            origin.clone_into(&mut line.origin);
        }
    }

    /// The endpoint and the region: each may follow from the other.
    fn address(&mut self, resolver: &Resolver<'_>) -> Result<(Endpoint, String)> {
        let mut region = self.text(&table::REGION);
        if region.is_empty() || !region.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
            let complaint = "write letters, digits and hyphens (us-east-1)";
            return Err(resolver.find(&table::REGION).map_or_else(
                || Error::new(ErrorKind::Internal, "the default region is not valid"),
                |given| given.invalid(&table::REGION, complaint),
            ));
        }
        let Some(given) = resolver.find(&table::ENDPOINT) else {
            let endpoint = endpoint::of_amazon(&region);
            self.derived(&table::ENDPOINT, endpoint.to_string(), "default for the region");
            return Ok((endpoint, region));
        };
        let endpoint = endpoint::parse(given.text.trim(), self.flag(&table::CONNECTION_SSL_ENABLED))
            .map_err(|complaint| given.invalid(&table::ENDPOINT, &complaint))?;
        if resolver.find(&table::REGION).is_none()
            && let Some(own) = endpoint::region_of(&endpoint)
        {
            own.clone_into(&mut region);
            self.derived(&table::REGION, region.clone(), "the endpoint's name");
        }
        Ok((endpoint, region))
    }

    /// As asked for; else path style wherever a bucket's name cannot be counted on to be a host: outside Amazon, and
    /// there for names with dots, which no certificate covers.
    fn path_style(&mut self, resolver: &Resolver<'_>, endpoint: &Endpoint, bucket: &str) -> Result<bool> {
        let row = &table::PATH_STYLE_ACCESS;
        let Some(given) = resolver.find(row) else {
            let path_style = !endpoint::is_amazon(endpoint) || bucket.contains('.');
            self.derived(row, path_style.to_string(), "default for the endpoint");
            return Ok(path_style);
        };
        let path_style = self.flag(row);
        if !path_style && endpoint.host.parse::<IpAddr>().is_ok() {
            return Err(
                given.invalid(row, "the endpoint is an address, which no bucket name can be put before; remove it")
            );
        }
        Ok(path_style)
    }

    /// Says which of several given values is used.
    fn explain_choice(&mut self, row: &Row, value: String) {
        if let Some(line) = self.explained.iter_mut().find(|line| line.option == row.key()) {
            line.value = value;
        }
    }

    fn explain_keys(&mut self, keys: &Chosen) {
        for (row, value, origin) in keys.explained() {
            self.derived(row, value, &origin);
        }
    }
}

#[cfg(test)]
mod tests;
