//! A bucket's datasets on one page, for people: what lies there and how old it is, what is due, guards, trash, runs. The page
//! is one file that loads nothing.

mod charts;
mod sums;

use std::collections::BTreeMap;

use askama::Template;
use jiff::{Timestamp, ToSpan};

use crate::plan::holds::MetHold;
use crate::plan::line::{Amount, GuardVerdict};
use crate::policy::{Action, Policy};
use crate::run::record::{EmptiedTrash, RunRecord};
use crate::words::{action, count, counted, moment, size};

use charts::{Area, Bar, DAYS, DueOn, MAP};
pub use sums::DatasetSums;
use sums::{AHEAD, ALL_AGES, age};

/// Most runs on a page.
const RUNS: usize = 10;

/// What a page is made of.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// Its file.
    pub path: &'a str,
    /// The moment that ages are counted to.
    pub now: Timestamp,
    /// What lies in each dataset, in the policy's order.
    pub datasets: &'a [DatasetSums],
    /// What their guards say of what is due, in the same order.
    pub guards: &'a [Option<GuardVerdict>],
    /// The runs of the bucket, the newest first.
    pub runs: &'a [RunRecord],
    /// What runs have removed and keep.
    pub trash: &'a [KeptRow],
    /// What the policy's holds meet.
    pub holds: &'a [MetHold],
}

/// What a run has removed and keeps somewhere.
#[derive(Debug)]
pub struct KeptRow {
    run: String,
    place: &'static str,
    amount: Amount,
    until: Option<Timestamp>,
}

impl KeptRow {
    /// So much of a run's at a place, until when.
    pub fn of(run: &str, place: &'static str, amount: Amount, until: Option<Timestamp>) -> Self {
        Self { run: run.to_owned(), place, amount, until }
    }
}

impl Facts<'_> {
    /// The page.
    ///
    /// # Errors
    /// The page's form does not fit what it is made of: a defect.
    pub fn page(&self) -> Result<String, askama::Error> {
        let due = self.due();
        let highest = highest(&due);
        let total = sum(self.datasets.iter().map(|dataset| &dataset.total));
        let page = Page {
            bucket: &self.policy.bucket,
            policy: self.path,
            now: moment(self.now, &self.policy.zone),
            version: env!("CARGO_PKG_VERSION"),
            tiles: self.tiles(total),
            map: charts::map(self.datasets),
            map_size: MAP,
            ages: self.ages(),
            classes: self.classes(total.bytes),
            bars: charts::bars(&due, highest),
            bars_size: DAYS,
            highest: size(highest),
            days: [0, 10, 20, AHEAD].map(|day| Day { x: self.middle_of(day), name: self.day(day) }).into(),
            actions: self.actions(&due),
            due: self.due_rows(),
            guards: self.guards(),
            verdicts: self.verdicts(),
            trash: self.trash_rows(),
            warnings: self.holds.iter().filter(|hold| hold.nearest.is_some()).map(MetHold::to_string).collect(),
            runs: self.runs.iter().take(RUNS).map(|run| self.run(run)).collect(),
            more_runs: self.runs.len().saturating_sub(RUNS),
        };
        page.render()
    }

    fn tiles(&self, total: Amount) -> Vec<Tile> {
        let of_days = |from: usize, to: usize| {
            let due = self.datasets.iter().flat_map(|dataset| &dataset.due);
            sum(due.filter(|((_, day), _)| (from..=to).contains(day)).map(|(_, amount)| amount))
        };
        let (now, soon) = (of_days(0, 0), of_days(1, AHEAD));
        let trash = sum(self.trash.iter().map(|kept| &kept.amount));
        let tile = |name, amount: Amount, note| Tile { name, value: size(amount.bytes), note };
        vec![
            tile("in its datasets", total, counted(total.objects, "object")),
            tile("due now", now, counted(now.units, "unit")),
            tile("due within 30 days", soon, counted(soon.units, "unit")),
            tile("in the trash, hidden or in place", trash, counted(trash.objects, "object")),
        ]
    }

    /// The table beside the map.
    fn ages(&self) -> Vec<Vec<String>> {
        let row = |dataset: &DatasetSums| {
            let ages = dataset.ages.iter().map(|age| if age.objects == 0 { "–".to_owned() } else { size(age.bytes) });
            let objects = count(dataset.total.objects);
            [dataset.name.clone()].into_iter().chain(ages).chain([size(dataset.total.bytes), objects]).collect()
        };
        self.datasets.iter().map(row).collect()
    }

    fn classes(&self, total: u64) -> Vec<Class> {
        let mut classes: BTreeMap<&str, Amount> = BTreeMap::new();
        for (class, amount) in self.datasets.iter().flat_map(|dataset| &dataset.classes) {
            classes.entry(class).or_default().add(*amount);
        }
        let class = |(name, amount): (&str, Amount)| Class {
            name: name.to_owned(),
            size: size(amount.bytes),
            objects: count(amount.objects),
            percent: percent(amount.bytes, total),
        };
        classes.into_iter().map(class).collect()
    }

    /// What is due on each day, by action.
    fn due(&self) -> Vec<DueOn> {
        let mut days: BTreeMap<(usize, &'static str), Amount> = BTreeMap::new();
        for dataset in self.datasets {
            for ((rule, day), amount) in &dataset.due {
                days.entry((*day, self.action(dataset, rule))).or_default().add(*amount);
            }
        }
        let on = |((day, action), amount): ((usize, &'static str), Amount)| DueOn {
            day,
            name: self.day(day),
            action,
            units: amount.units,
            bytes: amount.bytes,
        };
        days.into_iter().map(on).collect()
    }

    fn due_rows(&self) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for dataset in self.datasets {
            for ((rule, day), amount) in &dataset.due {
                let cells = [self.day(*day), dataset.name.clone(), rule.clone(), self.action(dataset, rule).to_owned()];
                let amounts = [count(amount.units), count(amount.objects), size(amount.bytes)];
                rows.push((*day, cells.into_iter().chain(amounts).collect()));
            }
        }
        rows.sort_by_key(|(day, _)| *day);
        rows.into_iter().map(|(_, row)| row).collect()
    }

    fn actions(&self, due: &[DueOn]) -> Vec<&'static str> {
        let mut actions: Vec<_> = due.iter().map(|due| due.action).collect();
        actions.sort_unstable();
        actions.dedup();
        actions
    }

    fn action(&self, dataset: &DatasetSums, rule: &str) -> &'static str {
        let rules = self.policy.datasets.iter().filter(|own| own.name == dataset.name).flat_map(|own| &own.rules);
        let mut rules = rules.filter(|own| own.name == rule);
        rules.next().and_then(|rule| rule.action.as_ref()).map_or("keep", Action::name)
    }

    fn guards(&self) -> Vec<Guard> {
        let guards = self.datasets.iter().zip(self.guards);
        let guard = |(dataset, guard): (&DatasetSums, &Option<GuardVerdict>)| {
            let Some(guard) = guard else {
                let (state, note) = ("none", "no guard".to_owned());
                return Guard {
                    dataset: dataset.name.clone(),
                    percent: 0,
                    allowed: 0,
                    state,
                    note,
                    before: String::new(),
                };
            };
            let share = guard.share.0.max(guard.share.1);
            Guard {
                dataset: dataset.name.clone(),
                percent: share.ceil().clamp(0.0, 100.0) as u64,
                allowed: u64::from(guard.percent),
                state: if guard.exceeded {
                    "stopped"
                } else if share > f64::from(guard.percent) {
                    // Nothing is due that it could stop.
                    "exceeded"
                } else {
                    "passes"
                },
                note: format!(
                    "{}% of units, {}% of bytes; {}% allowed within {}",
                    guard.share.0, guard.share.1, guard.percent, guard.within
                ),
                before: format!("{}, {}", counted(guard.before.units, "unit"), size(guard.before.bytes)),
            }
        };
        guards.map(guard).collect()
    }

    fn verdicts(&self) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for dataset in self.datasets {
            for (word, amount) in &dataset.verdicts {
                let amounts = [count(amount.units), count(amount.objects), size(amount.bytes)];
                rows.push([dataset.name.clone(), (*word).to_owned()].into_iter().chain(amounts).collect());
            }
        }
        rows
    }

    fn trash_rows(&self) -> Vec<Vec<String>> {
        let row = |KeptRow { run, place, amount, until }: &KeptRow| {
            let until = until.map_or_else(|| "of a run without record".to_owned(), |until| self.moment(until));
            vec![run.clone(), count(amount.objects), size(amount.bytes), until, (*place).to_owned()]
        };
        self.trash.iter().map(row).collect()
    }

    fn run(&self, record: &RunRecord) -> Vec<String> {
        let mut actions: BTreeMap<&str, Amount> = BTreeMap::new();
        for (action, amount) in record.datasets.values().flat_map(|done| &done.actions) {
            actions.entry(action).or_default().add(*amount);
        }
        let done = actions.iter().map(|(name, amount)| {
            format!("{} {} ({})", action(name), counted(amount.units, "unit"), size(amount.bytes))
        });
        let emptied = record.emptied.iter().map(|EmptiedTrash { run, amount }| {
            format!(
                "emptied the trash of the run {run} ({}, {})",
                counted(amount.objects, "object"),
                size(amount.bytes)
            )
        });
        let done: Vec<_> = done.chain(emptied).collect();
        let command = if record.restores { "restore, " } else { "" };
        let waiting = record.waits().map(|waiting| format!(": {}", counted(waiting.units, "unit"))).unwrap_or_default();
        vec![
            record.run.clone(),
            self.moment(record.started),
            format!("{command}{}{waiting}", record.state.words()),
            if done.is_empty() { "nothing".to_owned() } else { done.join(", ") },
            count(record.skipped_count),
        ]
    }

    fn moment(&self, at: Timestamp) -> String {
        moment(at, &self.policy.zone)
    }

    /// The name of a day: 0 is now, 1 the rest of today.
    fn day(&self, number: usize) -> String {
        let Some(days) = number.checked_sub(1) else { return "now".to_owned() };
        let days = i64::try_from(days).unwrap_or_default();
        let at = self.now.to_zoned_datetime(self.policy.zone.clone()).checked_add(days.days());
        at.map_or_else(|_| String::new(), |at| at.date().to_string())
    }

    fn middle_of(&self, day: usize) -> f64 {
        (day as f64 + 0.5) * DAYS.0 / (AHEAD + 1) as f64
    }
}

fn sum<'a>(amounts: impl Iterator<Item = &'a Amount>) -> Amount {
    amounts.fold(Amount::default(), |mut sum, amount| {
        sum.add(*amount);
        sum
    })
}

/// Bytes of the day with the most.
fn highest(due: &[DueOn]) -> u64 {
    let mut days: BTreeMap<usize, u64> = BTreeMap::new();
    for one in due {
        *days.entry(one.day).or_default() += one.bytes;
    }
    days.into_values().max().unwrap_or_default()
}

fn percent(part: u64, all: u64) -> u64 {
    if all == 0 { 0 } else { (part as f64 / all as f64 * 100.0).round() as u64 }
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    bucket: &'a str,
    policy: &'a str,
    now: String,
    version: &'a str,
    tiles: Vec<Tile>,
    map: Vec<Area>,
    map_size: (f64, f64),
    ages: Vec<Vec<String>>,
    classes: Vec<Class>,
    bars: Vec<Bar>,
    bars_size: (f64, f64),
    /// What the whole height of the bars stands for.
    highest: String,
    days: Vec<Day>,
    actions: Vec<&'static str>,
    due: Vec<Vec<String>>,
    guards: Vec<Guard>,
    verdicts: Vec<Vec<String>>,
    trash: Vec<Vec<String>>,
    /// What is wrong with the policy.
    warnings: Vec<String>,
    runs: Vec<Vec<String>>,
    more_runs: usize,
}

impl Page<'_> {
    /// The ages' names.
    fn names(&self) -> [&'static str; ALL_AGES] {
        std::array::from_fn(age)
    }
}

struct Tile {
    name: &'static str,
    value: String,
    note: String,
}

struct Class {
    name: String,
    size: String,
    objects: String,
    percent: u64,
}

struct Day {
    x: f64,
    name: String,
}

struct Guard {
    dataset: String,
    percent: u64,
    allowed: u64,
    state: &'static str,
    note: String,
    before: String,
}
