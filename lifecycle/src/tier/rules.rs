//! The lifecycle rules of a bucket: those of s3life, and those of others.

use std::fmt;
use std::time::Duration;

use s3core::gateway::Gateway;
use s3core::ops::{
    DeleteBucketLifecycle, GetBucketLifecycleConfiguration, LifecycleConfiguration, LifecycleRule,
    PutBucketLifecycleConfiguration, RuleAction, RuleFilter,
};
use s3core::{Error, ErrorKind, Result};

use crate::pace::first;
use crate::policy::CONTROL_PREFIX;

/// First letters of the ids of all rules that s3life makes.
const OWN: &str = "s3core-";

/// Key of the tag of objects that move one by one, until they have moved.
pub const TAG: &str = "s3core-tier";

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

impl fmt::Display for Conflict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dataset, rule, actions } = self;
        write!(
            formatter,
            "the lifecycle rule `{rule}` of the bucket, which is not of s3life, works on {dataset} too: {}",
            actions.join(", ")
        )
    }
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
        self.check_own_state()?;
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

    /// Whether no rule of others works on what s3life keeps in the bucket.
    ///
    /// # Errors
    /// As [`Rules::conflicts`].
    pub fn check_own_state(&self) -> Result<()> {
        if let Some(rule) = self.foreign().find(|rule| rule.changes_objects() && rule.meets(CONTROL_PREFIX)) {
            let message = format!(
                "the lifecycle rule `{}` of the bucket is also about {CONTROL_PREFIX}, where s3life keeps its journals and \
                 its trash: give it a filter with a prefix that leaves them out, or disable it",
                rule.id()
            );
            return Err(Error::new(ErrorKind::InvalidOption, message).at(&self.bucket, ""));
        }
        Ok(())
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
        // Objects that one run has tagged are no other run's.
        let is_plain = |rule: &LifecycleRule| rule.filter().tags.is_empty();
        let gives_way = |rule: &LifecycleRule| match run_of(rule) {
            Some(own) if own == run => true,
            Some(_) if is_plain(rule) => rules.iter().any(|new| is_plain(new) && new.meets(&rule.filter().prefix)),
            _ => false,
        };
        let (leaving, mut merged): (Vec<_>, Vec<_>) = before.all().iter().cloned().partition(gives_way);
        if leaving.len() == rules.len() && rules.iter().all(|new| leaving.iter().any(|old| old.means(new))) {
            return Ok(());
        }
        merged.extend(rules);
        check()?;
        // At once: what others change after it was read is lost.
        if merged.is_empty() {
            first(self.gateway.run(DeleteBucketLifecycle::new(&self.bucket))).await?;
        } else {
            let configuration = LifecycleConfiguration {
                rules: merged.clone(),
                minimum_size: before.configuration.minimum_size.clone(),
            };
            first(self.gateway.run(PutBucketLifecycleConfiguration::new(&self.bucket, configuration))).await?;
        }
        self.read_back(before.all(), &merged).await
    }

    async fn read_back(&mut self, before: &[LifecycleRule], written: &[LifecycleRule]) -> Result<()> {
        let mut reads = 1;
        loop {
            *self = Self::read(&self.gateway, &self.bucket).await?;
            let Some(difference) = difference(before, written, self.all()) else { return Ok(()) };
            if reads == READS {
                return Err(Error::new(ErrorKind::Changed, difference).at(&self.bucket, ""));
            }
            reads += 1;
            self.gateway.environment().clock.sleep(PAUSE).await;
        }
    }
}

/// What is not as it was written, in a sentence.
fn difference(before: &[LifecycleRule], written: &[LifecycleRule], found: &[LifecycleRule]) -> Option<String> {
    if let Some(lost) = before.iter().find(|rule| run_of(rule).is_none() && !found.contains(rule)) {
        return Some(format!(
            "the lifecycle rule `{}` of the bucket, which is not s3life's, is no longer what it was: either somebody else \
             changed the configuration at the same time, or the gateway did not take back what it had given; it was {}",
            lost.id(),
            lost.xml()
        ));
    }
    let lacks = |rules: &[LifecycleRule], rule: &LifecycleRule| !rules.iter().any(|other| other.means(rule));
    let missing = written.iter().find(|rule| lacks(found, rule)).map(|rule| ("lost", rule));
    let odd = || found.iter().find(|rule| lacks(written, rule)).map(|rule| ("got", rule));
    let (verb, rule) = missing.or_else(odd)?;
    Some(format!("the lifecycle configuration of the bucket {verb} the rule `{}` while it was written", rule.id()))
}

/// Value of the tag by which a run moves objects to a class: rules for other classes, and of other runs, are not about them.
pub fn tag_value(run: &str, class: &str) -> String {
    format!("{run}.{class}")
}

/// Id of the rule with that number of a run.
pub(super) fn id(run: &str, number: usize) -> String {
    format!("{OWN}{run}-{number}")
}

/// The run that a rule belongs to; `None` for a rule that s3life has not made, whatever its id.
fn run_of(rule: &LifecycleRule) -> Option<&str> {
    let (run, number) = rule.id().strip_prefix(OWN)?.rsplit_once('-')?;
    let is_numbered = !run.is_empty() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let RuleFilter { prefix, tags, .. } = rule.filter();
    let filter = RuleFilter { prefix: prefix.clone(), tags: tags.clone(), ..RuleFilter::default() };
    let is_ours = tags.iter().all(|(key, _)| key == TAG) && tags.len() <= 1;
    let is_plain = matches!(rule.actions(), [RuleAction::Transition { days: Some(_), .. }]) && rule.filter() == &filter;
    (is_numbered && is_ours && is_plain && rule.is_enabled()).then_some(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEIRS: &str = "<Rule><ID>theirs</ID><Filter><Prefix>other/</Prefix></Filter><Status>Enabled</Status><Expiration>\
                          <Days>9</Days></Expiration></Rule>";

    fn rule(xml: &str) -> LifecycleRule {
        xml.parse().unwrap()
    }

    fn own(id: &str) -> LifecycleRule {
        LifecycleRule::transition(id, "events/", 0, "COLD").unwrap()
    }

    #[test]
    fn only_what_s3life_makes_is_its_own() {
        assert_eq!(run_of(&own(&id("2026-a", 12))), Some("2026-a"));
        let tagged =
            |key| LifecycleRule::transition_of_tagged(&id("2026-a", 0), "events/", (key, "v"), 0, "COLD").unwrap();
        assert_eq!((run_of(&tagged(TAG)), run_of(&tagged("team"))), (Some("2026-a"), None));
        assert!(tagged(TAG).means(&rule(tagged(TAG).xml())));
        for foreign in ["theirs", "s3core-", "s3core--1", "s3core-run", "s3core-run-", "s3core-run-x", "S3core-run-1"] {
            assert_eq!(run_of(&own(foreign)), None, "{foreign}");
        }
        let xml = own("s3core-run-1").xml().to_owned();
        for (part, other) in [
            ("Enabled", "Disabled"),
            ("<Transition>", "<Expiration><Days>1</Days></Expiration><Transition>"),
            ("</Prefix>", "</Prefix><Tag><Key>a</Key><Value>b</Value></Tag>"),
            ("<Days>0</Days>", "<Date>2030-01-01T00:00:00Z</Date>"),
        ] {
            assert_eq!(run_of(&rule(&xml.replace(part, other))), None, "{other}");
        }
    }

    #[test]
    fn what_is_read_back_is_compared_with_what_was_written() {
        let (theirs, ours) = (rule(THEIRS), own("s3core-run-0"));
        let (before, written) = ([theirs.clone()], [theirs.clone(), ours.clone()]);
        assert_eq!(difference(&before, &written, &[ours.clone(), theirs.clone()]), None);
        // In other words an own rule is still the same, one of somebody else's is not.
        let otherwise =
            |rule: &LifecycleRule| rule.xml().replace("<Status>Enabled</Status>", "<Status> Enabled </Status>");
        assert_eq!(difference(&before, &written, &[rule(&otherwise(&ours)), theirs.clone()]), None);
        let changed = difference(&before, &written, &[ours.clone(), rule(&otherwise(&theirs))]).unwrap();
        assert!(changed.contains("`theirs`") && changed.contains(THEIRS), "{changed}");
        let lost = difference(&before, &written, &before).unwrap();
        assert!(lost.contains("lost the rule `s3core-run-0`"), "{lost}");
        let more = difference(&before, &written, &[theirs, ours, own("s3core-run-1")]).unwrap();
        assert!(more.contains("got the rule `s3core-run-1`"), "{more}");
    }
}
