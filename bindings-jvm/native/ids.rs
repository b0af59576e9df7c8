//! Ids that Java holds instead of pointers.
//!
//! An id names a slot, the slot's generation and the kind of thing in it. A stale or foreign id finds nothing, so that
//! a close() during a read, a double close and a finalizer that comes late are all harmless.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The kinds of things that Java holds ids of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Store = 1,
    Listing = 2,
    Reader = 3,
    Writer = 4,
}

const INDEX_BITS: u32 = 32;
const GENERATION_BITS: u32 = 24;
const LAST_GENERATION: u32 = (1 << GENERATION_BITS) - 1;

/// Things of one kind, by id.
pub(crate) struct Ids<T> {
    kind: Kind,
    slots: Mutex<Slots<T>>,
}

struct Slots<T> {
    all: Vec<Slot<T>>,
    free: Vec<u32>,
}

struct Slot<T> {
    generation: u32,
    content: Option<Arc<T>>,
}

impl<T> Ids<T> {
    pub(crate) const fn new(kind: Kind) -> Self {
        Self { kind, slots: Mutex::new(Slots { all: Vec::new(), free: Vec::new() }) }
    }

    /// Keeps `content` and returns its id, which is positive.
    pub(crate) fn insert(&self, content: T) -> i64 {
        let content = Some(Arc::new(content));
        let mut slots = self.lock();
        let free = slots.free.pop();
        let (index, generation) = match free.and_then(|index| Some((index, slots.all.get_mut(index as usize)?))) {
            Some((index, slot)) => {
                slot.content = content;
                (index, slot.generation)
            }
            None => {
                let index = slots.all.len() as u32;
                slots.all.push(Slot { generation: 0, content });
                (index, 0)
            }
        };
        self.id(index, generation)
    }

    /// What `id` names, while nobody has removed it.
    pub(crate) fn get(&self, id: i64) -> Option<Arc<T>> {
        let (index, generation) = self.parts(id)?;
        let slots = self.lock();
        let slot = slots.all.get(index as usize)?;
        if slot.generation == generation { slot.content.clone() } else { None }
    }

    /// Takes away what `id` names; threads that are using it keep it until they are done.
    pub(crate) fn remove(&self, id: i64) -> Option<Arc<T>> {
        let (index, generation) = self.parts(id)?;
        let mut slots = self.lock();
        let slot = slots.all.get_mut(index as usize)?;
        if slot.generation != generation {
            return None;
        }
        let content = slot.content.take()?;
        // A slot whose generations are used up is retired, so that no id ever names a second thing.
        if slot.generation < LAST_GENERATION {
            slot.generation += 1;
            slots.free.push(index);
        }
        Some(content)
    }

    fn id(&self, index: u32, generation: u32) -> i64 {
        let kind = i64::from(self.kind as u8) << (INDEX_BITS + GENERATION_BITS);
        kind | i64::from(generation) << INDEX_BITS | i64::from(index)
    }

    fn parts(&self, id: i64) -> Option<(u32, u32)> {
        if id >> (INDEX_BITS + GENERATION_BITS) != i64::from(self.kind as u8) {
            return None;
        }
        Some((id as u32, (id >> INDEX_BITS) as u32 & LAST_GENERATION))
    }

    fn lock(&self) -> MutexGuard<'_, Slots<T>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_one_thing_only() {
        let ids = Ids::new(Kind::Reader);
        let first = ids.insert("first");
        assert_eq!(ids.get(first).as_deref(), Some(&"first"));
        assert_eq!(ids.remove(first).as_deref(), Some(&"first"));
        let second = ids.insert("second");
        assert_ne!(first, second);
        assert_eq!(first as u32, second as u32, "the slot is used again");
        assert_eq!(ids.get(first), None);
        assert_eq!(ids.remove(first), None);
        assert_eq!(ids.get(second).as_deref(), Some(&"second"));
    }

    #[test]
    fn ids_of_another_kind_name_nothing() {
        let readers = Ids::new(Kind::Reader);
        let writers = Ids::new(Kind::Writer);
        let reader = readers.insert(());
        writers.insert(());
        assert_eq!(writers.get(reader), None);
        for id in [0, -1, i64::MAX, i64::MIN] {
            assert_eq!(readers.get(id), None);
        }
    }

    #[test]
    fn what_is_in_use_outlives_its_id() {
        let ids = Ids::new(Kind::Store);
        let id = ids.insert(String::from("busy"));
        let user = ids.get(id).unwrap();
        ids.remove(id);
        assert_eq!(*user, "busy");
        assert_eq!(ids.get(id), None);
    }

    #[test]
    fn a_slot_retires_before_an_id_repeats() {
        let ids = Ids::new(Kind::Listing);
        let id = ids.insert(1);
        ids.slots.lock().unwrap().all[0].generation = LAST_GENERATION;
        let last = ids.id(0, LAST_GENERATION);
        assert_ne!(id, last);
        assert_eq!(ids.remove(last).as_deref(), Some(&1));
        assert_eq!(ids.insert(2) as u32, 1, "a new slot");
    }
}
