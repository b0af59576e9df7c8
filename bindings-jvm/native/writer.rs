//! Native methods of files that are being written.

use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jni::objects::{JByteArray, JClass, JString};
use jni::sys::{jboolean, jint, jlong};
use jni::{Env, EnvUnowned};
use s3core::ErrorKind;
use s3core::transfer::writer::ObjectWriter;

use crate::errors::{Failure, export};
use crate::ids::{Ids, Kind};
use crate::store::StoreClosed;
use crate::wait::{self, wait};
use crate::{memory, store};

static WRITERS: Ids<Writer> = Ids::new(Kind::Writer);

/// A file that is being written. Empty once a write has failed or was interrupted: what it held then is incomplete and
/// must never become visible.
///
/// An object that is dropped unclosed is given up by a task of the runtime, however long the gateway is away: nobody
/// here waits for a clean-up, neither a task that is being killed nor the thread that also brings the log lines.
struct Writer {
    object: Mutex<Option<ObjectWriter>>,
    store_closed: StoreClosed,
}

impl Writer {
    fn lock(&self) -> MutexGuard<'_, Option<ObjectWriter>> {
        self.object.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes are taken out of the Java array in pieces of this size.
const PIECE: usize = 64 << 10;

thread_local! {
    /// One piece on its way from a Java array to a part.
    static PIECE_BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_openWriter<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    path: JString<'local>,
    overwrite: jboolean,
) -> jlong {
    export(&mut env, |env| {
        let (object, store_closed) = store::open_writer(env, store, &path, overwrite)?;
        Ok(WRITERS.insert(Writer { object: Mutex::new(Some(object)), store_closed }))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_write<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    writer: jlong,
    data: JByteArray<'local>,
    offset: jint,
    length: jint,
) {
    export(&mut env, |env| {
        let writer = WRITERS.get(writer).ok_or_else(|| Failure::closed("Stream"))?;
        let mut slot = writer.lock();
        let object = slot.as_mut().ok_or_else(incomplete)?;
        let stop = || writer.store_closed.failure();
        let written = PIECE_BUFFER.with_borrow_mut(|piece| write(env, stop, object, &data, offset, length, piece));
        if written.is_err() {
            *slot = None;
        }
        written
    });
}

fn write(
    env: &mut Env<'_>,
    stop: impl Fn() -> Option<Failure>,
    object: &mut ObjectWriter,
    data: &JByteArray<'_>,
    offset: jint,
    length: jint,
    piece: &mut Vec<u8>,
) -> Result<(), Failure> {
    if let Some(failure) = stop() {
        return Err(failure);
    }
    let mut from = offset;
    let end = offset.checked_add(length).ok_or_else(|| Failure::internal("more bytes than a Java array holds"))?;
    while from < end {
        let taken = (end - from).min(PIECE as jint);
        piece.resize(taken as usize, 0);
        memory::take(env, data, from, piece)?;
        let written = object.try_write(piece);
        if let Some(rest) = piece.get(written..).filter(|rest| !rest.is_empty()) {
            wait(env, &stop, object.write(rest))?;
        }
        from += taken;
    }
    Ok(())
}

/// The object becomes visible here. Afterwards the id names nothing, whatever the outcome.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_closeWriter<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    writer: jlong,
) {
    export(&mut env, |env| {
        let writer = WRITERS.remove(writer).ok_or_else(|| Failure::closed("Stream"))?;
        let mut object = writer.lock().take().ok_or_else(incomplete)?;
        if let Some(failure) = writer.store_closed.failure() {
            return Err(failure);
        }
        // A killed task closes its streams while it unwinds: that must not make its output visible.
        if wait::is_interrupted(env)? {
            return Err(Failure::new(
                ErrorKind::Interrupted,
                "the thread was interrupted before the file was complete",
            ));
        }
        wait(env, || writer.store_closed.failure(), object.close())?;
        Ok(())
    });
}

/// Nothing becomes visible; returns at once. Does nothing where the writer is closed or aborted already.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_abortWriter<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    writer: jlong,
) {
    export(&mut env, |_env| {
        WRITERS.remove(writer);
        Ok(())
    });
}

fn incomplete() -> Failure {
    Failure::new(ErrorKind::Closed, "an earlier write of this file failed; nothing of it becomes visible")
}
