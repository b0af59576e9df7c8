//! Reads a plan: all of it once to verify it, then unit by unit.

use std::fs::{File, Metadata};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::plan::line::{End, FORMAT, Header, Line, PlannedObject, PlannedTrash, PlannedUnit, PlannedUpload};
use crate::policy::Policy;

use super::failure::PlanError;
use super::lines;
use super::rules::PlanChecker;
use super::tally::Tally;

/// A plan that was verified.
#[derive(Debug)]
pub struct PlanReader {
    file: PlanFile,
    header: Header,
    end: End,
    tally: Tally,
    lines: Lines,
    /// The unit whose line was read while the objects of the one before it were.
    next: Option<PlannedUnit>,
}

impl PlanReader {
    /// Opens a plan and verifies it as a whole: digest, format, sums, order, and that every line stays inside its unit
    /// and dataset. Its policy is not at hand: that is for runs that are resumed or undone.
    ///
    /// # Errors
    /// [`PlanError`], never after the first unit was given out, except `Moving`.
    pub fn open(path: &Path) -> Result<Self, PlanError> {
        Self::verified(path, None)
    }

    /// The same, and verifies that `policy`, whose text has this SHA-256, means what the plan does: its datasets and
    /// rules with their actions, its holds, its guards.
    ///
    /// # Errors
    /// [`PlanError`], never after the first unit was given out, except `Moving`.
    pub fn open_for(path: &Path, policy: &Policy, sha256: &str) -> Result<Self, PlanError> {
        Self::verified(path, Some((policy, sha256)))
    }

    fn verified(path: &Path, policy: Option<(&Policy, &str)>) -> Result<Self, PlanError> {
        let file = PlanFile::open(path)?;
        let mut lines = file.lines();
        let header = lines.header()?;
        let mut checker = PlanChecker::new(&header, policy).map_err(|reason| file.unfit(reason))?;
        let mut tally = Tally::default();
        let mut unit = None;
        let end = loop {
            let line = lines.next()?.ok_or_else(|| file.cut(lines.number))?;
            checker.check(&line, lines.number).map_err(|reason| file.wrong(lines.number, reason))?;
            match line {
                Line::Unit(planned) => {
                    tally.add_unit(&planned);
                    unit = Some(planned);
                }
                Line::Object(object) => {
                    if let Some(unit) = &unit {
                        tally.add_object(unit, &object);
                    }
                }
                Line::Upload(upload) => tally.add_upload(&upload),
                Line::Trash(trash) => tally.add_trash(&trash),
                Line::End(end) => break end,
                Line::Plan(_) => return Err(file.wrong(lines.number, "a plan has one first line".to_owned())),
            }
        };
        let found = lines.digest();
        if lines.next()?.is_some() {
            return Err(file.wrong(lines.number, "something stands behind the last line".to_owned()));
        }
        if found != end.digest {
            return Err(PlanError::Digest { path: file.path.clone(), found, written: end.digest });
        }
        checker.check_end(&end).map_err(|(line, reason)| file.wrong(line.unwrap_or(lines.number), reason))?;
        if let Some((policy, _)) = policy {
            checker.check_policy(&end, policy).map_err(|reason| file.unfit(reason))?;
        }
        let lines = file.lines();
        Ok(Self { file, header, end, tally, lines, next: None })
    }

    /// What was planned.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The sums.
    pub fn end(&self) -> &End {
        &self.end
    }

    /// What it does, in short.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.tally.is_empty()
    }

    /// The next unit with its objects. None after the last one.
    ///
    /// # Errors
    /// `Moving`, and `Read`.
    pub fn next_unit(&mut self) -> Result<Option<(PlannedUnit, Vec<PlannedObject>)>, PlanError> {
        let mut objects = Vec::new();
        self.file.check_still()?;
        while let Some(line) = self.lines.next()? {
            match line {
                Line::Object(object) => objects.push(object),
                Line::Unit(unit) => {
                    if let Some(before) = self.next.replace(unit) {
                        return self.whole(before, objects);
                    }
                }
                _ => {}
            }
        }
        match self.next.take() {
            Some(last) => self.whole(last, objects),
            None => Ok(None),
        }
    }

    /// Begins again with the first unit.
    pub fn rewind(&mut self) {
        self.lines = self.file.lines();
        self.next = None;
    }

    /// The uploads that are aborted.
    ///
    /// # Errors
    /// `Moving`, and `Read`.
    pub fn uploads(&self) -> impl Iterator<Item = Result<PlannedUpload, PlanError>> + use<> {
        self.others(|line| if let Line::Upload(upload) = line { Some(upload) } else { None })
    }

    /// The trash that is emptied.
    ///
    /// # Errors
    /// `Moving`, and `Read`.
    pub fn trash(&self) -> impl Iterator<Item = Result<PlannedTrash, PlanError>> + use<> {
        self.others(|line| if let Line::Trash(trash) = line { Some(trash) } else { None })
    }

    fn others<T>(&self, wanted: fn(Line) -> Option<T>) -> impl Iterator<Item = Result<T, PlanError>> + use<T> {
        let mut lines = self.file.lines();
        std::iter::from_fn(move || {
            loop {
                match lines.next().transpose()? {
                    Ok(line) => {
                        if let Some(found) = wanted(line) {
                            return Some(lines.file.check_still().map(|()| found));
                        }
                    }
                    Err(failure) => return Some(Err(failure)),
                }
            }
        })
    }

    /// What was verified cannot be otherwise now, unless somebody writes to the file.
    fn whole(
        &self,
        unit: PlannedUnit,
        objects: Vec<PlannedObject>,
    ) -> Result<Option<(PlannedUnit, Vec<PlannedObject>)>, PlanError> {
        self.file.check_still()?;
        if objects.len() as u64 != unit.objects {
            return Err(PlanError::Moving { path: self.file.path.clone() });
        }
        Ok(Some((unit, objects)))
    }
}

/// The file of a plan, and how it was when it was opened.
#[derive(Debug, Clone)]
struct PlanFile {
    path: PathBuf,
    file: Arc<File>,
    was: (u64, i64, i64),
}

impl PlanFile {
    fn open(path: &Path) -> Result<Self, PlanError> {
        let read = |source| PlanError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(read)?;
        let was = state(&file.metadata().map_err(read)?);
        Ok(Self { path: path.to_owned(), file: Arc::new(file), was })
    }

    fn check_still(&self) -> Result<(), PlanError> {
        match self.file.metadata() {
            Ok(now) if state(&now) == self.was => Ok(()),
            _ => Err(PlanError::Moving { path: self.path.clone() }),
        }
    }

    fn lines(&self) -> Lines {
        let from = BufReader::new(From { file: Arc::clone(&self.file), offset: 0 });
        Lines { file: self.clone(), from, text: String::new(), number: 0, hasher: Sha256::new() }
    }

    fn cut(&self, line: u64) -> PlanError {
        PlanError::Cut { path: self.path.clone(), line }
    }

    fn wrong(&self, line: u64, reason: String) -> PlanError {
        PlanError::Line { path: self.path.clone(), line, reason }
    }

    fn unfit(&self, reason: String) -> PlanError {
        PlanError::Policy { path: self.path.clone(), reason }
    }
}

fn state(metadata: &Metadata) -> (u64, i64, i64) {
    (metadata.size(), metadata.mtime(), metadata.mtime_nsec())
}

/// Reads a file at an offset of its own.
#[derive(Debug)]
struct From {
    file: Arc<File>,
    offset: u64,
}

impl Read for From {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read_at(buffer, self.offset)?;
        self.offset += length as u64;
        Ok(length)
    }
}

/// The lines of a plan, as they are read.
#[derive(Debug)]
struct Lines {
    file: PlanFile,
    from: BufReader<From>,
    text: String,
    /// Number of the last line that was read.
    number: u64,
    /// Of what stands before the digest.
    hasher: Sha256,
}

impl Lines {
    fn next(&mut self) -> Result<Option<Line>, PlanError> {
        if !self.text_of_next()? {
            return Ok(None);
        }
        let line = serde_json::from_str(&self.text);
        let line =
            line.map_err(|failure| self.file.wrong(self.number, format!("it is no line of a plan: {failure}")))?;
        let digested = match line {
            Line::End(_) => lines::before_digest(&self.text)
                .ok_or_else(|| self.file.wrong(self.number, "it does not end with a digest".to_owned()))?,
            _ => &self.text,
        };
        self.hasher.update(digested.as_bytes());
        Ok(Some(line))
    }

    /// The first line. What is of another format may have any shape beside.
    fn header(&mut self) -> Result<Header, PlanError> {
        if !self.text_of_next()? {
            return Err(self.file.cut(0));
        }
        let value: serde_json::Value = serde_json::from_str(&self.text).unwrap_or_default();
        let text = |name: &str| value.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let format = value.get("format").and_then(serde_json::Value::as_u64).filter(|_| text("kind") == "plan");
        let Some(format) = format else {
            return Err(self.file.wrong(1, "no plan begins so".to_owned()));
        };
        if format != u64::from(FORMAT) {
            let format = u32::try_from(format).unwrap_or(u32::MAX);
            return Err(PlanError::Format { path: self.file.path.clone(), format, s3life: text("s3life") });
        }
        match serde_json::from_str(&self.text) {
            Ok(Line::Plan(header)) => {
                self.hasher.update(self.text.as_bytes());
                Ok(header)
            }
            Ok(_) => Err(self.file.wrong(1, "no plan begins so".to_owned())),
            Err(failure) => Err(self.file.wrong(1, format!("it is no line of a plan: {failure}"))),
        }
    }

    /// Reads the next line; false at the end.
    fn text_of_next(&mut self) -> Result<bool, PlanError> {
        let read = lines::read(&mut self.from, &mut self.text);
        let is_there = read.map_err(|source| match source.kind() {
            io::ErrorKind::InvalidData => self.file.wrong(self.number + 1, source.to_string()),
            _ => PlanError::Read { path: self.file.path.clone(), source },
        })?;
        if is_there {
            self.number += 1;
            if !self.text.ends_with('\n') {
                return Err(self.file.cut(self.number));
            }
        }
        Ok(is_there)
    }

    fn digest(&self) -> String {
        lines::hexadecimal(&self.hasher.clone().finalize())
    }
}
