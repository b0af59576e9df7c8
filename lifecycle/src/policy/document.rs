//! A policy as it is written. Its shape is checked here and published as a JSON Schema; its meaning is checked by
//! [`super::Policy::read`].

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

/// A value, and where it stands in the file.
pub(super) type At<T> = Spanned<T>;

/// Which datasets tier and expire, and when.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Policy of s3life")]
pub(super) struct Document {
    /// Version of this format: 1.
    #[schemars(with = "u32")]
    pub(super) version: At<u32>,
    /// Time zone in which ages are counted, by its IANA name. Without it: UTC.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) zone: Option<At<String>>,
    /// What holds for every dataset that does not say otherwise.
    #[serde(default)]
    pub(super) defaults: Settings,
    /// What no rule touches.
    #[serde(default)]
    pub(super) hold: Vec<HoldEntry>,
    /// The datasets.
    #[schemars(with = "Vec<DatasetEntry>")]
    pub(super) datasets: At<Vec<DatasetEntry>>,
}

/// How carefully a dataset is treated.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    /// How long what was expired can be brought back. Without it: 7d.
    #[schemars(with = "Option<String>")]
    pub(super) trash: Option<At<String>>,
    /// Nothing is removed from a unit in which an object is younger. Without it: 7d.
    #[schemars(with = "Option<String>")]
    pub(super) settle: Option<At<String>>,
    /// How long `serve` announces a unit before it acts. Without it: 24h.
    #[schemars(with = "Option<String>")]
    pub(super) notice: Option<At<String>>,
    /// A job that wrote nothing for so long is taken for killed. At least 24h; without it: 7d.
    #[schemars(with = "Option<String>")]
    pub(super) abandoned_after: Option<At<String>>,
    /// What must not happen at once.
    pub(super) guard: Option<GuardEntry>,
}

/// What must not happen at once.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GuardEntry {
    /// Share of the dataset's bytes and units that may be removed within a time, `20% per 30d`, or `none`.
    #[schemars(with = "String")]
    pub(super) max_removed: At<String>,
}

/// A place that no rule touches.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HoldEntry {
    /// A directory, `s3a://BUCKET/PATH/`.
    #[schemars(with = "String")]
    pub(super) path: At<String>,
    /// Why.
    pub(super) reason: String,
    /// Who lifts it.
    #[serde(default)]
    pub(super) owner: String,
}

/// A dataset.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DatasetEntry {
    /// Letters, digits, `_` and `-`.
    #[schemars(with = "String")]
    pub(super) name: At<String>,
    /// Its directory, `s3a://BUCKET/PATH/`.
    #[schemars(with = "String")]
    pub(super) location: At<String>,
    /// What a unit's age counts from.
    #[schemars(with = "AgeEntry")]
    pub(super) age: At<AgeEntry>,
    /// `object`: each object is a unit of its own. Without it: partitions, or directories with `_SUCCESS`.
    #[serde(default)]
    #[schemars(with = "Option<UnitEntry>")]
    pub(super) unit: Option<At<UnitEntry>>,
    /// The metastore that knows its partitions.
    #[serde(default)]
    pub(super) catalog: Option<CatalogEntry>,
    /// How long what was expired can be brought back.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) trash: Option<At<String>>,
    /// Nothing is removed from a unit in which an object is younger.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) settle: Option<At<String>>,
    /// How long `serve` announces a unit before it acts.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) notice: Option<At<String>>,
    /// A job that wrote nothing for so long is taken for killed. At least 24h.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) abandoned_after: Option<At<String>>,
    /// What must not happen at once.
    #[serde(default)]
    pub(super) guard: Option<GuardEntry>,
    /// What happens when. Of several rules that apply the most final one counts: delete, expire, archive, tier.
    pub(super) rules: Vec<RuleEntry>,
}

/// What a unit's age counts from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AgeEntry {
    /// `partition`: the end of its time. `newest_object`: when its newest object was written.
    pub(super) from: AgeFrom,
    /// Partition columns with the format of their values: `{day:%Y-%m-%d}`, `{year}-{month}-{day}`, `{ts:epoch}`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) time: Option<At<String>>,
}

/// What a unit's age counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum AgeFrom {
    /// The end of the partition's time.
    Partition,
    /// When the unit's newest object was written.
    NewestObject,
}

/// What a rule decides on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum UnitEntry {
    /// Each object by itself.
    Object,
}

/// A Hive metastore.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CatalogEntry {
    /// `thrift://host:9083`, or several with commas between them.
    #[schemars(with = "String")]
    pub(super) uri: At<String>,
    /// `database.table`.
    #[schemars(with = "String")]
    pub(super) table: At<String>,
}

/// What happens to a unit, and when.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleEntry {
    /// Letters, digits, `_` and `-`.
    #[schemars(with = "String")]
    pub(super) name: At<String>,
    /// Conditions, of which all must hold.
    #[serde(default)]
    pub(super) when: WhenEntry,
    /// Units that no action touches.
    #[serde(default)]
    #[schemars(with = "Option<KeepEntry>")]
    pub(super) keep: Option<At<KeepEntry>>,
    /// What happens.
    #[serde(default)]
    #[schemars(with = "Option<ThenEntry>")]
    pub(super) then: Option<At<ThenEntry>>,
}

/// Conditions, of which all must hold.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WhenEntry {
    /// The unit's age: `12h`, `30d`, `2w`, `6mo`, `7y`.
    #[schemars(with = "Option<String>")]
    pub(super) older_than: Option<At<String>>,
    /// The object's size: `64M`.
    #[schemars(with = "Option<String>")]
    pub(super) larger_than: Option<At<String>>,
    /// The object's size: `64M`.
    #[schemars(with = "Option<String>")]
    pub(super) smaller_than: Option<At<String>>,
    /// The object's name, without directories: `*.tmp`.
    #[schemars(with = "Option<String>")]
    pub(super) name: Option<At<String>>,
    /// The object's storage class.
    #[schemars(with = "Option<String>")]
    pub(super) storage_class: Option<At<String>>,
    /// Tags of the object, with their values.
    pub(super) tags: BTreeMap<String, String>,
}

/// Units that no action touches: the newest ones, or the last of each month or year.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct KeepEntry {
    /// How many of the newest.
    pub(super) newest: Option<u32>,
    /// Of what: `partition`.
    pub(super) of: Option<KeptUnit>,
    /// The last partition of each.
    pub(super) last_of: Option<Stretch>,
    /// For how long; without it for ever.
    #[serde(rename = "for")]
    #[schemars(with = "Option<String>")]
    pub(super) lasting: Option<At<String>>,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum KeptUnit {
    /// Partitions.
    Partition,
}

/// A stretch of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stretch {
    /// Monday to Sunday (ISO 8601).
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

/// What happens to a unit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ThenEntry {
    /// It goes to another storage class, in place.
    Tier(String),
    /// It goes to a storage class from which it must be restored before it can be read.
    Archive(String),
    /// It goes to the trash.
    Expire,
    /// It goes for good.
    Delete(DeleteEntry),
    /// Uploads that are pending for longer than the rule says are aborted.
    AbortUploads,
    /// What killed jobs have left goes.
    SweepAbandoned,
}

/// How a unit goes for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum DeleteEntry {
    /// And cannot be brought back; needs `--confirm-delete NAME`.
    WithoutTrash,
}
