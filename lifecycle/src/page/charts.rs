//! Where the shapes of a page's charts lie.

use std::cmp::Reverse;

use streemap::{Rect, squarify};

use super::sums::{AHEAD, ALL_AGES, DatasetSums, age};
use crate::words::{counted, size};

/// Size of the map of datasets, in the units of its drawing.
pub(super) const MAP: (f64, f64) = (960.0, 420.0);

/// Height of the line that a dataset's name stands in.
const NAME: f64 = 22.0;

/// Between two datasets, and between two ages.
const GAP: f64 = 2.0;

/// A letter is about so wide.
const LETTER: f64 = 7.0;

/// A dataset in the map.
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    /// As much of its name as fits.
    pub(super) name: String,
    pub(super) title: String,
    pub(super) cells: Vec<Cell>,
}

/// The objects of one age in it.
pub(super) struct Cell {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) age: usize,
    /// Its size, where that fits.
    pub(super) label: String,
    pub(super) title: String,
}

/// The map of datasets and ages, by bytes.
pub(super) fn map(datasets: &[DatasetSums]) -> Vec<Area> {
    const NOWHERE: Rect<f64> = Rect { x: 0.0, y: 0.0, w: 0.0, h: 0.0 };
    let mut placed: Vec<_> =
        datasets.iter().filter(|dataset| dataset.total.bytes > 0).map(|dataset| (dataset, NOWHERE)).collect();
    placed.sort_by_key(|(dataset, _)| Reverse(dataset.total.bytes));
    squarify(
        Rect::from_size(MAP.0, MAP.1),
        &mut placed,
        |(dataset, _)| dataset.total.bytes as f64,
        |(_, rect), place| *rect = place,
    );
    placed.into_iter().map(|(dataset, rect)| area(dataset, shrunk(rect))).collect()
}

fn area(dataset: &DatasetSums, rect: Rect<f64>) -> Area {
    let has_name = rect.h > 2.0 * NAME;
    let top = if has_name { NAME } else { 0.0 };
    let inside = Rect { y: rect.y + top, h: rect.h - top, ..rect };
    let mut cells: Vec<_> = (0..ALL_AGES).filter_map(|age| Some((age, dataset.ages.get(age)?, inside))).collect();
    cells.retain(|(_, amount, _)| amount.bytes > 0);
    cells.sort_by_key(|(_, amount, _)| Reverse(amount.bytes));
    squarify(inside, &mut cells, |(_, amount, _)| amount.bytes as f64, |(_, _, rect), place| *rect = place);
    let cell = |(number, amount, rect): (usize, &crate::plan::line::Amount, Rect<f64>)| {
        let rect = shrunk(rect);
        let bytes = size(amount.bytes);
        let label = if rect.h > NAME { fitting(&bytes, rect.w) } else { String::new() };
        Cell {
            x: rect.x,
            y: rect.y,
            width: rect.w,
            height: rect.h,
            age: number,
            label: if label == bytes { label } else { String::new() },
            title: format!("{}, {}: {bytes}, {}", dataset.name, age(number), counted(amount.objects, "object")),
        }
    };
    Area {
        x: rect.x,
        y: rect.y,
        width: rect.w,
        height: rect.h,
        name: if has_name { fitting(&dataset.name, rect.w) } else { String::new() },
        title: format!("{}: {}, {}", dataset.name, size(dataset.total.bytes), counted(dataset.total.objects, "object")),
        cells: cells.into_iter().map(cell).collect(),
    }
}

fn shrunk(rect: Rect<f64>) -> Rect<f64> {
    Rect { w: (rect.w - GAP).max(0.5), h: (rect.h - GAP).max(0.5), ..rect }
}

/// As much of a text as fits into a width.
fn fitting(text: &str, width: f64) -> String {
    let room = ((width - 8.0) / LETTER).max(0.0) as usize;
    if text.chars().count() <= room {
        return text.to_owned();
    }
    match room {
        0..4 => String::new(),
        _ => text.chars().take(room - 1).chain(['…']).collect(),
    }
}

/// Size of the chart of what is due, without its axes.
pub(super) const DAYS: (f64, f64) = (900.0, 180.0);

/// What is due on one day, by one action.
pub(super) struct Bar {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) action: &'static str,
    pub(super) title: String,
}

/// Of one day: the action, in words what is due by it, and bytes.
pub(super) struct DueOn {
    /// Its number from now.
    pub(super) day: usize,
    /// Its name.
    pub(super) name: String,
    pub(super) action: &'static str,
    pub(super) units: u64,
    pub(super) bytes: u64,
}

/// One bar for each day and action, one above the other. `highest` is what the whole height stands for.
pub(super) fn bars(due: &[DueOn], highest: u64) -> Vec<Bar> {
    let step = DAYS.0 / (AHEAD + 1) as f64;
    let mut filled = [0.0; AHEAD + 1];
    let bar = |due: &DueOn| {
        let base = filled.get_mut(due.day)?;
        let height = (due.bytes as f64 / highest.max(1) as f64 * DAYS.1).max(1.5);
        *base += height;
        Some(Bar {
            x: due.day as f64 * step,
            y: DAYS.1 - *base,
            width: step - 3.0,
            height: (height - 1.0).max(1.0),
            action: due.action,
            title: format!("{}: {} {}, {}", due.name, due.action, counted(due.units, "unit"), size(due.bytes)),
        })
    };
    due.iter().filter_map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::line::Amount;

    fn dataset(name: &str, ages: [u64; ALL_AGES]) -> DatasetSums {
        let amount = |bytes| Amount { units: 0, objects: 1, bytes };
        let total = amount(ages.iter().sum());
        DatasetSums { name: name.to_owned(), ages: ages.map(amount), total, ..DatasetSums::default() }
    }

    #[test]
    fn areas_are_as_large_as_what_they_show_and_inside_the_map() {
        let datasets = [dataset("small", [0, 0, 100, 0, 0, 0, 0, 0]), dataset("large", [200, 0, 0, 0, 0, 0, 500, 200])];
        let areas = map(&datasets);
        let names: Vec<_> = areas.iter().map(|area| area.name.as_str()).collect();
        assert_eq!(names, ["large", "small"]);
        let share = areas[1].width * areas[1].height / (MAP.0 * MAP.1);
        assert!((0.08..0.11).contains(&share), "{share}");
        let ages: Vec<_> = areas[0].cells.iter().map(|cell| (cell.age, cell.label.as_str())).collect();
        assert_eq!(ages, [(6, "500 B"), (0, "200 B"), (7, "200 B")]);
        for cell in areas.iter().flat_map(|area| &area.cells) {
            assert!(cell.x >= 0.0 && cell.x + cell.width <= MAP.0 && cell.y + cell.height <= MAP.1);
        }
        assert!(map(&[dataset("empty", [0; ALL_AGES])]).is_empty());
    }

    #[test]
    fn bars_of_a_day_stand_on_each_other() {
        let due = |action, bytes| DueOn { day: 2, name: "2026-11-27".to_owned(), action, units: 1, bytes };
        let bars = bars(&[due("expire", 75), due("tier", 25)], 100);
        assert_eq!((bars[0].y, bars[1].y), (DAYS.1 * 0.25, 0.0));
        assert_eq!(bars[0].title, "2026-11-27: expire 1 unit, 75 B");
    }

    #[test]
    fn names_are_cut_to_what_fits() {
        assert_eq!(fitting("events", 60.0), "events");
        assert_eq!(fitting("events_of_a_year", 64.0), "events_…");
        assert_eq!(fitting("events", 20.0), "");
    }
}
