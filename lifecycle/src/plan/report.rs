//! A plan in words, for people.

use std::fmt::{self, Write as _};
use std::path::Path;

use crate::inventory::{JobTree, Upload};
use crate::policy::Policy;
use crate::tier::TAG;

use super::document::{PlanReader, RuleTally, Tally};
use super::headroom::{Headroom, Room};
use super::holds::MetHold;
use super::line::{Amount, DatasetSummary, End, GuardVerdict, Header};
use super::make::{DatasetNotes, Jobs};
use crate::words::{self, counted, in_zone, size};

/// A plan in words.
pub struct Report<'a> {
    /// Its first line.
    pub header: &'a Header,
    /// Its last line.
    pub end: &'a End,
    /// What it does, in short.
    pub tally: &'a Tally,
    /// What was found when it was made, in the order of datasets; empty where it was read.
    pub notes: &'a [DatasetNotes],
    /// Its policy, to name holds.
    pub policy: Option<&'a Policy>,
    /// What those holds meet, where that is known.
    pub holds: &'a [MetHold],
}

impl<'a> Report<'a> {
    /// Of a plan that was read.
    pub fn of(plan: &'a PlanReader) -> Self {
        Self { header: plan.header(), end: plan.end(), tally: plan.tally(), notes: &[], policy: None, holds: &[] }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Header { bucket, zone, now, policy, .. } = self.header;
        writeln!(formatter, "ages are counted in {zone}, up to {}", in_zone(*now, zone))?;
        writeln!(formatter, "bucket s3a://{bucket}, policy {}", Path::new(&policy.path).display())?;
        for (index, dataset) in self.end.datasets.iter().enumerate() {
            self.dataset(formatter, dataset, self.notes.get(index))?;
        }
        let Amount { units, objects, bytes } = self.tally.trash;
        if units > 0 {
            let (runs, objects) = (counted(units, "earlier run"), counted(objects, "object"));
            let names = self.tally.trash_runs.join(", ");
            let more = if units > self.tally.trash_runs.len() as u64 { " and others" } else { "" };
            writeln!(
                formatter,
                "\ntrash of {runs} is emptied: {objects}, {}, gone for good: {names}{more}",
                size(bytes)
            )?;
        }
        for hold in self.holds.iter().filter(|hold| hold.nearest.is_some()) {
            writeln!(formatter, "\nWARNING: {hold}")?;
        }
        let Amount { units, objects, bytes } = self.end.planned;
        let (units, objects) = (counted(units, "unit"), counted(objects, "object"));
        write!(formatter, "\nplanned: {units} with {objects}, {}", size(bytes))?;
        writeln!(formatter, "{}", self.copied())?;
        if let Some(headroom) = &self.end.headroom {
            headroom_lines(formatter, headroom)?;
        }
        writeln!(formatter, "digest {}", self.end.digest)?;
        let Header { created, expires, .. } = self.header;
        if now > created {
            return writeln!(formatter, "not to be applied: at the gateway it is {}", in_zone(*created, zone));
        }
        writeln!(formatter, "to be applied until {}", in_zone(*expires, zone))
    }
}

impl Report<'_> {
    /// What is really copied. Of what goes nothing is where versions are kept: then there is no headroom to tell.
    fn copied(&self) -> String {
        let goes_by_copies = self.end.headroom.is_some();
        let is_copied = |rule: &&RuleTally| goes_by_copies || !rule.removes();
        let (count, bytes) = self
            .tally
            .rules
            .values()
            .filter(is_copied)
            .fold((0, 0), |(count, bytes), rule| (count + rule.copied.0, bytes + rule.copied.1));
        if count == 0 {
            return String::new();
        }
        let objects = counted(count, "object");
        let others = if count < self.end.planned.objects { ", the others by reference" } else { "" };
        format!("; the bytes of {objects} ({}) are really copied{others}", size(bytes))
    }

    fn dataset(
        &self,
        formatter: &mut fmt::Formatter<'_>,
        dataset: &DatasetSummary,
        notes: Option<&DatasetNotes>,
    ) -> fmt::Result {
        let DatasetSummary { name, prefix, total, left, outside, guard, .. } = dataset;
        writeln!(formatter, "\n{name}, s3a://{}/{prefix}: {}", self.header.bucket, amount(*total))?;
        let mut nothing = true;
        for ((_, rule), tally) in self.tally.rules.iter().filter(|((own, _), _)| own == name) {
            nothing = false;
            rule_lines(formatter, rule, tally)?;
            if tally.tagged > 0 {
                self.tags_line(formatter, tally.tagged)?;
            }
        }
        if nothing {
            writeln!(formatter, "  nothing is due")?;
        }
        if !left.is_empty() {
            let words: Vec<_> = left.iter().map(|(word, count)| format!("{count} {word}")).collect();
            writeln!(formatter, "  left: {}", words.join(", "))?;
        }
        if outside.objects > 0 {
            writeln!(formatter, "  in no unit: {}, {}", counted(outside.objects, "object"), size(outside.bytes))?;
        }
        if total.units == 0 && outside.objects > 0 {
            writeln!(
                formatter,
                "  nothing there is a unit: `s3life explain` says what its directories are to be called"
            )?;
        }
        if let Some(nearest) = notes.and_then(|notes| notes.nearest.as_ref()) {
            writeln!(
                formatter,
                "  nothing lies there; the nearest place where something does is s3a://{}/{nearest}: correct the location, \
                 unless its data has gone or is still to come",
                self.header.bucket
            )?;
        }
        if let Some(notes) = notes {
            self.notes(formatter, notes)?;
        }
        match guard {
            Some(guard) => guard_line(formatter, name, guard),
            None => Ok(()),
        }
    }

    fn tags_line(&self, formatter: &mut fmt::Formatter<'_>, objects: u64) -> fmt::Result {
        let moves = if objects == 1 { "moves" } else { "move" };
        let objects = counted(objects, "object");
        write!(formatter, "    {objects} {moves} one by one: each has the tag {TAG} until it has moved")?;
        match self.end.tags_set_times {
            Some(true) => {
                writeln!(formatter, "; this gateway sets its modification time to now with each change of tags")
            }
            _ => writeln!(formatter),
        }
    }

    fn notes(&self, formatter: &mut fmt::Formatter<'_>, notes: &DatasetNotes) -> fmt::Result {
        if let (count, Some(first)) = &notes.undated {
            let partitions = counted(*count, "partition");
            writeln!(formatter, "  undated: {partitions} whose values say no time, such as {first}")?;
        }
        for (index, count) in &notes.held {
            let Some(hold) = self.policy.and_then(|policy| policy.holds.get(*index)) else { continue };
            let owner = if hold.owner.is_empty() { String::new() } else { format!(", until {} lifts it", hold.owner) };
            let units = counted(*count, "unit");
            writeln!(formatter, "  held: {units} at {} for {}{owner}", hold.prefix, hold.reason)?;
        }
        if notes.is_denied {
            let right = "s3:DeleteObject, and s3:DeleteObjectVersion where the bucket keeps versions";
            writeln!(formatter, "  these keys may remove nothing here, so that `apply` refuses: it needs {right}")?;
        }
        for (run, count) in &notes.undone {
            let (units, policy) = (counted(*count, "unit"), &self.header.policy.path);
            writeln!(
                formatter,
                "  undone: {units} by the run {run}: no rule works there until `s3life release {run} {policy}`"
            )?;
        }
        for (until, count) in &notes.waiting {
            let until = in_zone(*until, &self.header.zone);
            let units = counted(*count, "unit");
            writeln!(
                formatter,
                "  in place until {until}, because they cannot be copied, then to go without a copy unless undone: {units}"
            )?;
        }
        for table in &notes.tables {
            writeln!(
                formatter,
                "  {} is {}: old data goes by {}",
                if table.prefix.is_empty() { "the bucket" } else { &table.prefix },
                table.format.name(),
                table.format.procedure()
            )?;
        }
        if let [first, ..] = notes.at_work.listed.as_slice() {
            let all = match notes.at_work.count {
                1 => String::new(),
                count => format!("{}, such as ", trees_and_uploads(count)),
            };
            writeln!(formatter, "  at work: {all}{}", first.key)?;
        }
        for tree in &notes.at_work_above {
            writeln!(formatter, "  at work around it: {tree}")?;
        }
        self.abandoned(formatter, &notes.abandoned)?;
        match &notes.running {
            Some(run) => {
                writeln!(formatter, "  the run {run} is under way here: nothing is planned until it has ended")
            }
            None => Ok(()),
        }
    }

    fn abandoned(&self, formatter: &mut fmt::Formatter<'_>, Jobs { count, listed }: &Jobs) -> fmt::Result {
        if *count > 0 {
            writeln!(formatter, "  abandoned: {}", trees_and_uploads(*count))?;
        }
        for JobTree { key, newest, objects, bytes, upload, .. } in listed.iter().take(ABANDONED) {
            let last = in_zone(*newest, &self.header.zone);
            match upload {
                Some(Upload { id, begun, .. }) if begun < newest => {
                    let begun = in_zone(*begun, &self.header.zone);
                    writeln!(formatter, "    {key}: the upload {id}, begun {begun}, its newest part sent {last}")?;
                }
                Some(Upload { id, .. }) => writeln!(formatter, "    {key}: the upload {id}, begun {last}")?,
                None => {
                    let objects = counted(*objects, "object");
                    writeln!(formatter, "    {key}: {objects}, {}, the newest of {last}", size(*bytes))?;
                }
            }
        }
        match count.saturating_sub(ABANDONED as u64) {
            0 => Ok(()),
            rest => writeln!(formatter, "    and {} more: see `--output json`", words::count(rest)),
        }
    }
}

/// Most lines on what killed jobs have left in a dataset.
const ABANDONED: usize = 10;

fn trees_and_uploads(count: u64) -> String {
    match count {
        1 => "a tree or upload of a job".to_owned(),
        _ => format!("{} trees and uploads of jobs", words::count(count)),
    }
}

fn rule_lines(formatter: &mut fmt::Formatter<'_>, rule: &str, tally: &RuleTally) -> fmt::Result {
    if tally.uploads > 0 {
        writeln!(formatter, "  {rule} ({}): {}", tally.action, counted(tally.uploads, "upload"))?;
    }
    let Some((first, last)) = &tally.ends else { return Ok(()) };
    writeln!(formatter, "  {rule} ({}): {}", tally.action, amount(tally.planned))?;
    let ends = if first == last { first.clone() } else { format!("{first} to {last}") };
    writeln!(formatter, "    {ends}")
}

fn headroom_lines(formatter: &mut fmt::Formatter<'_>, headroom: &Headroom) -> fmt::Result {
    let Headroom { copies, at_once, bucket, user, short } = headroom;
    write!(
        formatter,
        "copies in the trash: {}, {}, by the accounts of quotas; room in the bucket's quota: {}, in the user's: {}",
        counted(copies.objects, "object"),
        size(copies.bytes),
        room(*bucket),
        room(*user)
    )?;
    if *short {
        write!(
            formatter,
            "\nWARNING: that may be too little for the units that are copied at a time, up to {}, {}: a unit that \
             finds no room stays in its place until the trash's time is over",
            counted(at_once.objects, "object"),
            size(at_once.bytes)
        )?;
    }
    writeln!(formatter)
}

fn room(room: Room) -> String {
    match (room.objects, room.bytes) {
        (None, None) => "no limit".to_owned(),
        (Some(objects), None) => counted(objects, "object"),
        (None, Some(bytes)) => size(bytes),
        (Some(objects), Some(bytes)) => format!("{}, {}", counted(objects, "object"), size(bytes)),
    }
}

fn guard_line(formatter: &mut fmt::Formatter<'_>, dataset: &str, guard: &GuardVerdict) -> fmt::Result {
    let GuardVerdict { percent, within, before, share: (units, bytes), exceeded, .. } = guard;
    let mut line = format!("  guard: {units}% of units and {bytes}% of bytes within {within}, {percent}% allowed");
    if before.units > 0 {
        // Writing to a string cannot fail.
        let _ = write!(line, ", {} by earlier runs", counted(before.units, "unit"));
    }
    if *exceeded {
        let _ = write!(line, ": STOPPED; if all of it shall go, `--allow {dataset}={}%`", guard.needed());
    }
    writeln!(formatter, "{line}")
}

fn amount(Amount { units, objects, bytes }: Amount) -> String {
    format!("{}, {}, {}", counted(units, "unit"), counted(objects, "object"), size(bytes))
}
