//! The one table of options: what each is called in every source, how it is spelled and what it is when nobody says.
//!
//! A new option is one more entry in the room of its subject and one line where [`Options`](super::Options) is put
//! together; spelling, order of the sources, errors, `explain()` and `docs/options.md` follow from the entry.

macro_rules! options {
    ($room:ident: $($constant:ident = $row:expr;)*) => {
        $(pub(crate) const $constant: Row = $row;)*

        /// Those of this room.
        pub(super) const $room: &[Row] = &[$($constant),*];
    };
}

mod address;
mod commits;
mod keys;
mod reading;
mod requests;
mod transport;
mod writing;

use super::row::Row;

pub(crate) use address::*;
pub(crate) use commits::*;
pub(crate) use keys::*;
pub(crate) use reading::*;
pub(crate) use requests::*;
pub(crate) use transport::*;
pub(crate) use writing::*;

/// Every option, grouped by subject.
pub const TABLE: &[Row] = &ALL;

const ALL: [Row; count(ROOMS)] = joined(ROOMS);
const ROOMS: &[&[Row]] = &[ADDRESS, KEYS, TRANSPORT, WRITING, REQUESTS, COMMITS, READING];

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

const fn count(mut rooms: &[&[Row]]) -> usize {
    let mut count = 0;
    while let [room, others @ ..] = rooms {
        count += room.len();
        rooms = others;
    }
    count
}

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, which refuses an index that is not there")]
const fn joined<const COUNT: usize>(mut rooms: &[&[Row]]) -> [Row; COUNT] {
    let mut all = [ENDPOINT; COUNT];
    let mut index = 0;
    while let [room, others @ ..] = rooms {
        let mut rows = *room;
        while let [row, further @ ..] = rows {
            all[index] = *row;
            index += 1;
            rows = further;
        }
        rooms = others;
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_name_is_taken_twice() {
        let mut names = HashSet::new();
        let mut hadoop = HashSet::new();
        let mut environment = HashSet::new();
        for row in TABLE {
            assert!(names.insert(row.name), "{}", row.name);
            assert!(row.hadoop.iter().all(|name| hadoop.insert(*name)), "{}", row.name);
            assert!(row.environment.iter().all(|name| environment.insert(*name)), "{}", row.name);
        }
    }

    #[test]
    fn names_are_lower_case_words_between_dots() {
        for row in TABLE {
            assert!(
                row.name.split('.').all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase())),
                "{}",
                row.name
            );
            assert!(!row.hadoop.iter().any(|name| name.starts_with("fs.")), "{}", row.name);
        }
    }
}
