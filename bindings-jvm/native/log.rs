//! The way of log lines to SLF4J: runtime threads put records into a bounded channel, one Java thread takes them out.
//!
//! No Java code runs on runtime threads, so nothing here calls into the JVM but the two exported functions. A full
//! channel drops records and says how many.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jni::EnvUnowned;
use jni::objects::{JByteArray, JClass, JString};
use jni::sys::jint;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

use crate::encode;
use crate::errors::export;

/// Rooms with a logger of their own, `org.s3core.<room>`; everything else is "core".
const ROOMS: [&str; 10] =
    ["config", "credentials", "gateway", "http", "sign", "ops", "transfer", "fs", "commit", "core"];
const WARN: u8 = 2;
/// Records that wait for the Java thread; more are dropped.
const WAITING_RECORDS: usize = 1024;

static LEVELS: [AtomicU8; ROOMS.len()] = [const { AtomicU8::new(WARN) }; ROOMS.len()];
static RECORDS: OnceLock<Mutex<Receiver<LogRecord>>> = OnceLock::new();

struct LogRecord {
    severity: u8,
    room: &'static str,
    message: String,
}

/// Sends this library's log lines to the channel, from now on.
pub(crate) fn install() {
    RECORDS.get_or_init(|| {
        let (sender, receiver) = sync_channel(WAITING_RECORDS);
        // Each copy of the library has a tracing of its own, so nobody can have been first.
        let _ = tracing::subscriber::set_global_default(ToJava { sender, dropped: AtomicU64::new(0) });
        Mutex::new(receiver)
    });
}

/// Names of the rooms between commas, in the order of `setLogLevels`.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_logRooms<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> JString<'local> {
    export(&mut env, |env| Ok(env.new_string(ROOMS.join(","))?))
}

/// Severity from 0 (nothing) to 5 (trace) of each room.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_setLogLevels<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    levels: JByteArray<'local>,
) {
    export(&mut env, |env| {
        let given = env.convert_byte_array(&levels)?;
        let mut changed = false;
        for (level, given) in LEVELS.iter().zip(given) {
            changed |= level.swap(given, Ordering::Relaxed) != given;
        }
        if changed {
            tracing::callsite::rebuild_interest_cache();
        }
        Ok(())
    });
}

/// The next record, encoded; null where none comes within `milliseconds`.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_nextLogRecord<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    milliseconds: jint,
) -> JByteArray<'local> {
    export(&mut env, |env| {
        let patience = Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0));
        match next(patience) {
            Some(record) => encode::to_java(env, &encode::log_record(record.severity, record.room, &record.message)),
            None => Ok(JByteArray::default()),
        }
    })
}

fn next(patience: Duration) -> Option<LogRecord> {
    let records = RECORDS.get()?.lock().unwrap_or_else(PoisonError::into_inner);
    records.recv_timeout(patience).ok()
}

struct ToJava {
    sender: SyncSender<LogRecord>,
    dropped: AtomicU64,
}

impl Subscriber for ToJava {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && severity(metadata.level()) <= level_of(room_of(metadata.target()))
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // Asked again after each change of the levels.
        if self.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let most = LEVELS.iter().map(|level| level.load(Ordering::Relaxed)).max();
        Some(match most.unwrap_or(0) {
            0 => LevelFilter::OFF,
            1 => LevelFilter::ERROR,
            2 => LevelFilter::WARN,
            3 => LevelFilter::INFO,
            4 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        })
    }

    fn event(&self, event: &Event<'_>) {
        let mut message = String::new();
        event.record(&mut Text(&mut message));
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let _ = write!(message, " [{dropped} earlier lines were lost]");
        }
        let metadata = event.metadata();
        let record = LogRecord { severity: severity(metadata.level()), room: room_of(metadata.target()), message };
        if self.sender.try_send(record).is_err() {
            self.dropped.fetch_add(dropped + 1, Ordering::Relaxed);
        }
    }

    // Spans carry nothing that SLF4J could show.
    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

/// Writes an event as "message name=value name=value".
struct Text<'event>(&'event mut String);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            // The message comes after the fields that stand before it in the macro; a log line begins with it.
            let fields = std::mem::take(self.0);
            let _ = write!(self.0, "{value:?}{fields}");
        } else {
            let _ = write!(self.0, " {}={value:?}", field.name());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, " {}={value}", field.name());
    }
}

fn severity(level: &Level) -> u8 {
    match *level {
        Level::ERROR => 1,
        Level::WARN => WARN,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}

/// `s3core::http::connection` belongs to "http".
fn room_of(target: &str) -> &'static str {
    let room = target.split("::").nth(1).unwrap_or_default();
    ROOMS.into_iter().find(|known| *known == room).unwrap_or("core")
}

fn level_of(room: &str) -> u8 {
    let place = ROOMS.iter().position(|known| *known == room);
    place.and_then(|place| LEVELS.get(place)).map_or(0, |level| level.load(Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("s3core::http::connection::pool", "http")]
    #[case("s3core::fs", "fs")]
    #[case("s3core", "core")]
    #[case("s3core_jni::store", "core")]
    fn a_target_belongs_to_a_room(#[case] target: &str, #[case] room: &str) {
        assert_eq!(room_of(target), room);
    }

    #[test]
    fn events_reach_the_channel_at_and_above_the_level() {
        install();
        tracing::warn!(target: "s3core::http", pause = 3, "trying again");
        tracing::info!(target: "s3core::http", "not shown");
        let record = next(Duration::from_secs(1)).unwrap();
        assert_eq!((record.severity, record.room, record.message.as_str()), (WARN, "http", "trying again pause=3"));
        assert!(next(Duration::ZERO).is_none());
    }
}
