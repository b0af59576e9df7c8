//! Native methods of files that are being written.

use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jni::objects::{JByteArray, JClass, JObjectArray, JString};
use jni::sys::{jboolean, jint, jlong};
use jni::{Env, EnvUnowned};
use s3core::ErrorKind;
use s3core::commit::purge_before_first_write;
use s3core::fs::{CreateOptions, Existing};
use s3core::ops::ObjectAttributes;
use s3core::transfer::writer::ObjectWriter;

use crate::errors::{Failure, export};
use crate::ids::{Ids, Kind};
use crate::store::{Opener, StoreClosed};
use crate::wait::{self, wait};
use crate::{encode, memory, store};

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

/// What becomes of an existing file: the numbers of `org.s3core.hadoop.CreateRequest`.
const STAYS: jint = 0;
const STAYS_FOR_CERTAIN: jint = 1;
const IS_REPLACED: jint = 2;
const IS_REPLACED_IF: jint = 3;

/// `existing`: one of the numbers above; `etag` for the last of them, else null. `content_type` is null where nobody
/// says. `metadata`: names, each followed by its value.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_openWriter<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    path: JString<'local>,
    existing: jint,
    etag: JString<'local>,
    content_type: JString<'local>,
    metadata: JObjectArray<'local, JString<'local>>,
    unchecked: jboolean,
    as_upload: jboolean,
) -> jlong {
    export(&mut env, |env| {
        let path = path.try_to_string(env)?;
        let Opener { files, closed, .. } = store::opener(env, store, "op_create", &path)?;
        let existing = match existing {
            STAYS => Existing::Stays,
            STAYS_FOR_CERTAIN => Existing::StaysForCertain,
            IS_REPLACED => Existing::IsReplaced,
            IS_REPLACED_IF => Existing::IsReplacedIf(etag.try_to_string(env)?),
            other => return Err(Failure::internal(format!("no such way to treat an existing file: {other}"))),
        };
        let content_type = if content_type.is_null() { None } else { Some(content_type.try_to_string(env)?) };
        let mut attributes = ObjectAttributes { content_type, ..ObjectAttributes::default() };
        for index in (0..metadata.len(env)?.saturating_sub(1)).step_by(2) {
            let (name, value) = (store::text(env, &metadata, index)?, store::text(env, &metadata, index + 1)?);
            attributes.metadata.insert(name, value);
        }
        let options = CreateOptions { existing, attributes, unchecked, as_upload };
        let created = async {
            purge_before_first_write(&files).await;
            files.create_file(&path, options).await
        };
        let object = wait(env, wait::never, created)?;
        Ok(insert(object, closed))
    })
}

/// A part of an upload; closing it sends it.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_openPart<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    path: JString<'local>,
    upload: JString<'local>,
    number: jint,
) -> jlong {
    export(&mut env, |env| {
        let path = path.try_to_string(env)?;
        let Opener { files, closed, .. } = store::opener(env, store, "multipart_upload_part_put", &path)?;
        let number = u32::try_from(number).map_err(|_| Failure::internal("a negative part number"))?;
        Ok(insert(files.upload_part(&path, &upload.try_to_string(env)?, number), closed))
    })
}

fn insert(object: ObjectWriter, store_closed: StoreClosed) -> jlong {
    WRITERS.insert(Writer { object: Mutex::new(Some(object)), store_closed })
}

/// The requests that the file has taken so far by operation, encoded; none once a write has failed.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_writerRequests<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    writer: jlong,
) -> JByteArray<'local> {
    export(&mut env, |env| {
        let writer = WRITERS.get(writer).ok_or_else(|| Failure::closed("Stream"))?;
        let requests = writer.lock().as_ref().map(ObjectWriter::requests).unwrap_or_default();
        encode::to_java(env, &encode::counts(&requests))
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

/// The object becomes visible here. Returns its ETag and what it has cost, encoded. Afterwards the id names nothing,
/// whatever the outcome.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_closeWriter<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    writer: jlong,
) -> JByteArray<'local> {
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
        let written = wait(env, || writer.store_closed.failure(), object.close())?;
        encode::to_java(env, &encode::written(&written, &object.requests()))
    })
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
