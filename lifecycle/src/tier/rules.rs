//! The lifecycle rules of a bucket: those of s3life, and those of others.

use std::time::Duration;

use s3core::gateway::Gateway;
use s3core::ops::{
    DeleteBucketLifecycle, GetBucketLifecycleConfiguration, LifecycleConfiguration, LifecycleRule,
    PutBucketLifecycleConfiguration, RuleAction, RuleFilter,
};
use s3core::{Error, ErrorKind, Result};

use crate::policy::CONTROL_PREFIX;

/// First letters of the ids of all rules that s3life makes.
const OWN: &str = "s3core-";

/// How often a configuration is read again before it counts as not written, and the pause between: gateways keep what they
/// have read of a bucket for a moment.
const READS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

/// The lifecycle rules of a bucket.
#[derive(Clone)]
pub struct Rules {
    gateway: Gateway,
    bucket: String,
    configuration: LifecycleConfiguration,
}

/// A rule of somebody else's that works on a dataset, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Name of the dataset.
    pub dataset: String,
    /// Id of the rule.
    pub rule: String,
    /// What the rule does, by S3's names.
    pub actions: Vec<String>,
}

impl Rules {
    /// Reads the rules of a bucket.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn read(gateway: &Gateway, bucket: &str) -> Result<Self> {
        let configuration = gateway.run(GetBucketLifecycleConfiguration::new(bucket)).await?;
        Ok(Self { gateway: gateway.clone(), bucket: bucket.to_owned(), configuration })
    }

    /// All rules, in the gateway's order.
    pub fn all(&self) -> &[LifecycleRule] {
        &self.configuration.rules
    }

    /// Those of others.
    pub fn foreign(&self) -> impl Iterator<Item = &LifecycleRule> {
        self.all().iter().filter(|rule| run_of(rule).is_none())
    }

    /// Those that s3life has made, with their runs.
    pub fn own(&self) -> impl Iterator<Item = (&str, &LifecycleRule)> {
        self.all().iter().filter_map(|rule| Some((run_of(rule)?, rule)))
    }

    /// Rules of others that work on datasets, which are given with name and prefix.
    ///
    /// # Errors
    /// `InvalidOption` where such a rule would remove or move what s3life keeps in the bucket: journals and trash. One that
    /// tidies up uploads, old versions or delete markers does not.
    pub fn conflicts<'a>(&self, datasets: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Vec<Conflict>> {
        if let Some(rule) = self.foreign().find(|rule| rule.changes_objects() && rule.meets(CONTROL_PREFIX)) {
            let message = format!(
                "the lifecycle rule `{}` of the bucket is also about {CONTROL_PREFIX}, where s3life keeps its journals and \
                 its trash: give it a filter with a prefix that leaves them out, or disable it",
                rule.id()
            );
            return Err(Error::new(ErrorKind::InvalidOption, message).at(&self.bucket, ""));
        }
        let mut conflicts = Vec::new();
        for (dataset, prefix) in datasets {
            let met = self.foreign().filter(|rule| rule.is_enabled() && rule.meets(prefix));
            conflicts.extend(met.map(|rule| Conflict {
                dataset: dataset.to_owned(),
                rule: rule.id().to_owned(),
                actions: rule.actions().iter().map(|action| action.name().to_owned()).collect(),
            }));
        }
        Ok(conflicts)
    }

    /// Lets a run have exactly these rules, and no other run a rule on their prefixes: reads the configuration anew, merges,
    /// writes it where that changes anything, and reads it back. `check` is called before it is written.
    ///
    /// # Errors
    /// That of `check`, the gateway's, and `Changed` where the rules are not what was written: a foreign one is told with its
    /// text.
    pub async fn replace(
        &mut self,
        run: &str,
        rules: Vec<LifecycleRule>,
        check: impl Fn() -> Result<()>,
    ) -> Result<()> {
        *self = Self::read(&self.gateway, &self.bucket).await?;
        let before = self.clone();
        let gives_way = |rule: &LifecycleRule| match run_of(rule) {
            Some(own) => own == run || rules.iter().any(|new| new.meets(&rule.filter().prefix)),
            None => false,
        };
        let (leaving, mut merged): (Vec<_>, Vec<_>) = before.all().iter().cloned().partition(gives_way);
        if leaving.len() == rules.len() && rules.iter().all(|new| leaving.iter().any(|old| old.means(new))) {
            return Ok(());
        }
        merged.extend(rules);
        check()?;
        if merged.is_empty() {
            self.gateway.run(DeleteBucketLifecycle::new(&self.bucket)).await?;
        } else {
            let configuration = LifecycleConfiguration {
                rules: merged.clone(),
                minimum_size: before.configuration.minimum_size.clone(),
            };
            self.gateway.run(PutBucketLifecycleConfiguration::new(&self.bucket, configuration)).await?;
        }
        self.read_back(&before, &merged).await
    }

    async fn read_back(&mut self, before: &Self, written: &[LifecycleRule]) -> Result<()> {
        let mut reads = 1;
        loop {
            *self = Self::read(&self.gateway, &self.bucket).await?;
            let Some(difference) = self.difference(before, written) else { return Ok(()) };
            if reads == READS {
                return Err(Error::new(ErrorKind::Changed, difference).at(&self.bucket, ""));
            }
            reads += 1;
            self.gateway.environment().clock.sleep(PAUSE).await;
        }
    }

    /// What is not as it was written, in a sentence.
    fn difference(&self, before: &Self, written: &[LifecycleRule]) -> Option<String> {
        if let Some(lost) = before.foreign().find(|rule| !self.all().contains(rule)) {
            return Some(format!(
                "the lifecycle rule `{}` of the bucket, which is not s3life's, is no longer what it was: either somebody else \
                 changed the configuration at the same time, or the gateway did not take back what it had given; it was {}",
                lost.id(),
                lost.xml()
            ));
        }
        let kept = |rule: &&LifecycleRule| self.all().iter().any(|found| found.means(rule));
        let is_expected = |rule: &&LifecycleRule| written.iter().any(|known| known.means(rule));
        let missing = written.iter().find(|rule| !kept(rule)).map(|rule| ("lost", rule));
        let odd = self.all().iter().find(|rule| !is_expected(rule)).map(|rule| ("got", rule));
        let (verb, rule) = missing.or(odd)?;
        Some(format!("the lifecycle configuration of the bucket {verb} the rule `{}` while it was written", rule.id()))
    }
}

/// Id of the rule with that number of a run.
pub(super) fn id(run: &str, number: usize) -> String {
    format!("{OWN}{run}-{number}")
}

/// The run that a rule belongs to; `None` for a rule that s3life has not made, whatever its id.
fn run_of(rule: &LifecycleRule) -> Option<&str> {
    let (run, number) = rule.id().strip_prefix(OWN)?.rsplit_once('-')?;
    let is_numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let filter = RuleFilter { prefix: rule.filter().prefix.clone(), ..RuleFilter::default() };
    let is_plain = matches!(rule.actions(), [RuleAction::Transition { days: Some(_), .. }]) && rule.filter() == &filter;
    (is_numbered && is_plain && rule.is_enabled()).then_some(run)
}
