//! Writes a plan, line by line.

use std::fs;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::plan::headroom::Headroom;
use crate::plan::line::{
    Amount, DatasetSummary, End, Header, Line, PlannedObject, PlannedTrash, PlannedUnit, PlannedUpload,
};

use super::failure::PlanError;
use super::lines;
use super::tally::Tally;

/// Writes a plan to a temporary file of this machine.
pub struct PlanWriter {
    header: Header,
    file: BufWriter<NamedTempFile>,
    written: Written,
    /// The unit that objects are being added to, and how things stood before it.
    unit: Option<(PlannedUnit, Amount, Written)>,
    tags_set_times: Option<bool>,
    headroom: Option<Headroom>,
}

/// What was written so far. A unit that turns out to have changed is taken back, so that this can be kept.
#[derive(Clone)]
struct Written {
    length: u64,
    hasher: Sha256,
    planned: Amount,
    tally: Tally,
}

/// A plan that was made: it is removed when this is dropped, unless it was saved.
#[derive(Debug)]
pub struct WrittenPlan {
    file: NamedTempFile,
    /// Its first line.
    pub header: Header,
    /// Its last line.
    pub end: End,
    /// What it does, in short.
    pub tally: Tally,
}

impl PlanWriter {
    /// A plan that begins with `header`.
    ///
    /// # Errors
    /// [`PlanError::Write`].
    pub fn new(header: Header) -> Result<Self, PlanError> {
        let file = NamedTempFile::with_prefix("s3life-plan-")
            .map_err(|source| PlanError::Write { place: std::env::temp_dir(), source })?;
        let written = Written { length: 0, hasher: Sha256::new(), planned: Amount::default(), tally: Tally::default() };
        let mut writer =
            Self { header, file: BufWriter::new(file), written, unit: None, tags_set_times: None, headroom: None };
        let line = Line::Plan(writer.header.clone());
        writer.add(&line)?;
        Ok(writer)
    }

    /// Begins a unit: its objects come next, by [`Self::object`], and then [`Self::end_unit`].
    ///
    /// # Errors
    /// [`PlanError::Write`].
    pub fn begin_unit(&mut self, unit: PlannedUnit) -> Result<(), PlanError> {
        self.unit = Some((unit.clone(), Amount::default(), self.written.clone()));
        self.written.tally.add_unit(&unit);
        self.add(&Line::Unit(unit))
    }

    /// Adds an object of the unit that was begun.
    ///
    /// # Errors
    /// [`PlanError::Write`].
    pub fn object(&mut self, object: PlannedObject) -> Result<(), PlanError> {
        if let Some((unit, found, _)) = &mut self.unit {
            found.objects += 1;
            found.bytes += object.bytes;
            self.written.tally.add_object(unit, &object);
        }
        self.add(&Line::Object(object))
    }

    /// Ends the unit that was begun. Where its objects are not as many and as large as it said, it is taken back, and the
    /// answer is false.
    ///
    /// # Errors
    /// [`PlanError::Write`].
    pub fn end_unit(&mut self) -> Result<bool, PlanError> {
        let Some((unit, found, before)) = self.unit.take() else { return Ok(false) };
        if (found.objects, found.bytes) != (unit.objects, unit.bytes) {
            self.go_back(before)?;
            return Ok(false);
        }
        self.written.planned.add(Amount { units: 1, ..found });
        Ok(true)
    }

    /// Adds a unit that is an object.
    ///
    /// # Errors
    /// [`PlanError::Write`].
    pub fn single(&mut self, unit: PlannedUnit, object: PlannedObject) -> Result<(), PlanError> {
        self.written.tally.add_unit(&unit);
        self.written.tally.add_object(&unit, &object);
        self.written.planned.add(Amount { units: 1, objects: 1, bytes: object.bytes });
        self.add(&Line::Unit(unit))?;
        self.add(&Line::Object(object))
    }

    /// Takes back the unit that was begun, with its objects.
    ///
    /// # Errors
    /// [`PlanError::Write`].
    pub fn drop_unit(&mut self) -> Result<(), PlanError> {
        self.unit.take().map_or(Ok(()), |(_, _, before)| self.go_back(before))
    }

    /// Adds an upload to be aborted.
    ///
    /// # Errors
    /// [`PlanError::Write`].
    pub fn upload(&mut self, upload: PlannedUpload) -> Result<(), PlanError> {
        self.written.tally.add_upload(&upload);
        self.add(&Line::Upload(upload))
    }

    /// Adds a trash to be emptied.
    ///
    /// # Errors
    /// [`PlanError::Write`].
    pub fn trash(&mut self, trash: PlannedTrash) -> Result<(), PlanError> {
        self.written.tally.add_trash(&trash);
        self.add(&Line::Trash(trash))
    }

    /// What was planned so far, by dataset and rule.
    pub fn tally(&self) -> &Tally {
        &self.written.tally
    }

    /// Says whether the gateway sets the modification time of objects whose tags change.
    pub fn tags_set_times(&mut self, tags_set_times: bool) {
        self.tags_set_times = Some(tags_set_times);
    }

    /// Says how much room there is for copies.
    pub fn headroom(&mut self, headroom: Option<Headroom>) {
        self.headroom = headroom;
    }

    /// Ends the plan.
    ///
    /// # Errors
    /// [`PlanError::Write`].
    pub fn finish(mut self, datasets: Vec<DatasetSummary>) -> Result<WrittenPlan, PlanError> {
        let planned = self.written.planned;
        let mut end = End {
            datasets,
            planned,
            tags_set_times: self.tags_set_times,
            headroom: self.headroom,
            digest: String::new(),
        };
        let line = self.text(&Line::End(end.clone()))?;
        let before = line.strip_suffix(lines::AFTER_DIGEST).unwrap_or_default();
        self.write(before.as_bytes())?;
        end.digest = lines::hexadecimal(&self.written.hasher.clone().finalize());
        let rest = format!("{}{}", end.digest, lines::AFTER_DIGEST);
        self.write(rest.as_bytes())?;
        self.file.flush().map_err(|source| self.failed(source))?;
        let place = self.place();
        let Self { header, file, written, .. } = self;
        let file = file.into_inner().map_err(|failure| PlanError::Write { place, source: failure.into_error() })?;
        Ok(WrittenPlan { file, header, end, tally: written.tally })
    }

    fn add(&mut self, line: &Line) -> Result<(), PlanError> {
        let text = self.text(line)?;
        self.write(text.as_bytes())
    }

    fn text(&self, line: &impl Serialize) -> Result<String, PlanError> {
        let text = serde_json::to_string(line).map_err(|failure| self.failed(failure.into()))?;
        Ok(text + "\n")
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PlanError> {
        self.written.hasher.update(bytes);
        self.written.length += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|source| self.failed(source))
    }

    fn go_back(&mut self, before: Written) -> Result<(), PlanError> {
        let length = before.length;
        self.written = before;
        let back = self.file.flush().and_then(|()| self.file.get_ref().as_file().set_len(length));
        let back = back.and_then(|()| self.file.seek(SeekFrom::Start(length)));
        back.map(|_| ()).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> PlanError {
        PlanError::Write { place: self.place(), source }
    }

    fn place(&self) -> PathBuf {
        self.file.get_ref().path().to_owned()
    }
}

impl WrittenPlan {
    /// Where it lies.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Saves a copy.
    ///
    /// # Errors
    /// [`PlanError::Save`].
    pub fn save(&self, path: &Path) -> Result<(), PlanError> {
        fs::copy(self.path(), path).map(|_| ()).map_err(|source| PlanError::Save { path: path.to_owned(), source })
    }
}
