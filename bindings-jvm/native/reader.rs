//! Native methods of open files that are read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use jni::objects::{JByteArray, JByteBuffer, JClass, JIntArray, JLongArray, JObject, JObjectArray, JString};
use jni::sys::{jint, jlong};
use jni::{Env, EnvUnowned};
use s3core::ErrorKind;
use s3core::config::ReadPolicy;
use s3core::fs::OpenOptions;
use s3core::transfer::reader::ObjectReader;

use crate::encode;
use crate::errors::{Failure, export};
use crate::ids::{Ids, Kind};
use crate::memory::{self, Destination};
use crate::store::{self, Opener, StoreClosed};
use crate::wait::{self, wait};

static READERS: Ids<Reader> = Ids::new(Kind::Reader);

/// An open file and whether its stream or its store was closed: a read under way in another thread then ends within a
/// slice.
struct Reader {
    object: ObjectReader,
    is_closed: AtomicBool,
    store_closed: StoreClosed,
}

impl Reader {
    fn find(id: jlong) -> Result<Arc<Self>, Failure> {
        let reader = READERS.get(id).ok_or_else(|| Failure::closed("Stream"))?;
        reader.stop().map_or(Ok(reader), Err)
    }

    fn stop(&self) -> Option<Failure> {
        let closed = self.is_closed.load(Ordering::Acquire).then(|| Failure::closed("Stream"));
        closed.or_else(|| self.store_closed.failure())
    }

    /// Bytes at `position` without waiting where they are in memory.
    fn next(&self, env: &mut Env<'_>, position: u64, at_most: usize) -> Result<Bytes, Failure> {
        match self.object.try_read(position, at_most) {
            Some(bytes) => Ok(bytes),
            None => wait(env, || self.stop(), self.object.read(position, at_most)),
        }
    }

    /// Fills `destination` with what one wait brings and with what is in memory behind it. 0 at the end.
    fn fill(
        &self,
        env: &mut Env<'_>,
        position: u64,
        at_most: usize,
        destination: &Destination<'_, '_>,
    ) -> Result<usize, Failure> {
        let mut bytes = self.next(env, position, at_most)?;
        let mut filled = 0;
        while !bytes.is_empty() {
            destination.put(env, filled, &bytes)?;
            filled += bytes.len();
            if filled == at_most {
                break;
            }
            bytes = self.object.try_read(position + filled as u64, at_most - filled).unwrap_or_default();
        }
        Ok(filled)
    }
}

/// `length` and `random_read` are -1, `etag` and `policies` null where the caller does not say. `policies`: names of read
/// policies between commas, of which the first known one counts.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_openReader<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    path: JString<'local>,
    length: jlong,
    etag: JString<'local>,
    policies: JString<'local>,
    random_read: jlong,
) -> jlong {
    export(&mut env, |env| {
        let path = path.try_to_string(env)?;
        let Opener { files, read_policy, closed } = store::opener(env, store, "op_open", &path)?;
        let policies = optional(env, &policies)?;
        let options = OpenOptions {
            length: u64::try_from(length).ok(),
            etag: optional(env, &etag)?,
            policy: policies.and_then(|names| ReadPolicy::from_names(&names)).unwrap_or(read_policy),
            random_read: u64::try_from(random_read).ok(),
        };
        let object = wait(env, wait::never, files.open_file(&path, options))?;
        Ok(READERS.insert(Reader { object, is_closed: AtomicBool::new(false), store_closed: closed }))
    })
}

/// What the reader has cost so far, encoded.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_readerCounts<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    reader: jlong,
) -> JByteArray<'local> {
    export(&mut env, |env| {
        let object = &READERS.get(reader).ok_or_else(|| Failure::closed("Stream"))?.object;
        encode::to_java(env, &encode::reader(&object.requests(), &object.counts()))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_readerLength<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    reader: jlong,
) -> jlong {
    export(&mut env, |_env| Ok(jlong::try_from(Reader::find(reader)?.object.length()).unwrap_or(jlong::MAX)))
}

/// Sequential read: at least one byte, 0 at the end.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_read<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    reader: jlong,
    position: jlong,
    target: JByteArray<'local>,
    offset: jint,
    length: jint,
) -> jint {
    export(&mut env, |env| {
        let destination = Destination::Array(&target, size(offset)?);
        read(env, reader, position, length, &destination)
    })
}

/// Sequential read into a direct buffer.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_readDirect<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    reader: jlong,
    position: jlong,
    target: JByteBuffer<'local>,
    offset: jint,
    length: jint,
) -> jint {
    export(&mut env, |env| {
        let destination = Destination::direct(env, &target, size(offset)?, size(length)?)?;
        read(env, reader, position, length, &destination)
    })
}

fn read(
    env: &mut Env<'_>,
    reader: jlong,
    position: jlong,
    length: jint,
    destination: &Destination<'_, '_>,
) -> Result<jint, Failure> {
    let filled = Reader::find(reader)?.fill(env, unsigned(position)?, size(length)?, destination)?;
    Ok(filled as jint)
}

/// Exactly `length` bytes at `position`, whatever is read sequentially beside it.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_readRange<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    reader: jlong,
    position: jlong,
    target: JByteArray<'local>,
    offset: jint,
    length: jint,
) {
    export(&mut env, |env| {
        let (position, length) = (unsigned(position)?, size(length)?);
        let reader = Reader::find(reader)?;
        let destination = Destination::Array(&target, size(offset)?);
        let mut ranges = reader.object.ranges(&[(position, length)])?;
        while let Some(fetched) = wait(env, || reader.stop(), ranges.next())? {
            destination.put_all(env, fetched.within(position, length))?;
        }
        Ok(())
    });
}

/// Many ranges at once: `targets` are byte arrays and direct buffers, each filled from its `offset` on. Returns how many
/// requests it took, and the bytes between the ranges that came along.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_readRanges<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    reader: jlong,
    positions: JLongArray<'local>,
    lengths: JIntArray<'local>,
    targets: JObjectArray<'local>,
    offsets: JIntArray<'local>,
) -> JLongArray<'local> {
    export(&mut env, |env| {
        let cost = read_ranges(env, reader, &positions, &lengths, &targets, &offsets)?;
        encode::longs(env, cost)
    })
}

fn read_ranges(
    env: &mut Env<'_>,
    reader: jlong,
    positions: &JLongArray<'_>,
    lengths: &JIntArray<'_>,
    targets: &JObjectArray<'_>,
    offsets: &JIntArray<'_>,
) -> Result<[u64; 2], Failure> {
    let reader = Reader::find(reader)?;
    let count = positions.len(env)?;
    let (mut starts, mut sizes, mut indices) = (vec![0; count], vec![0; count], vec![0; count]);
    positions.get_region(env, 0, &mut starts)?;
    lengths.get_region(env, 0, &mut sizes)?;
    offsets.get_region(env, 0, &mut indices)?;
    let ranges = starts
        .iter()
        .zip(&sizes)
        .map(|(start, length)| Ok((unsigned(*start)?, size(*length)?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    let mut fetching = reader.object.ranges(&ranges)?;
    while let Some(fetched) = wait(env, || reader.stop(), fetching.next())? {
        for (index, (&(position, length), &offset)) in ranges.iter().zip(&indices).enumerate() {
            let mut pieces = fetched.within(position, length).peekable();
            if pieces.peek().is_some() {
                let target = targets.get_element(env, index)?;
                put_pieces(env, target, size(offset)?, length, pieces)?;
            }
        }
    }
    Ok([fetching.requests() as u64, fetching.unwanted()])
}

fn put_pieces(
    env: &mut Env<'_>,
    target: JObject<'_>,
    offset: usize,
    length: usize,
    pieces: impl Iterator<Item = (usize, Bytes)>,
) -> Result<(), Failure> {
    if memory::is_array(env, &target)? {
        let array = env.cast_local::<JByteArray<'_>>(target)?;
        Destination::Array(&array, offset).put_all(env, pieces)?;
        env.delete_local_ref(array);
    } else {
        let buffer = env.cast_local::<JByteBuffer<'_>>(target)?;
        Destination::direct(env, &buffer, offset, length)?.put_all(env, pieces)?;
        env.delete_local_ref(buffer);
    }
    Ok(())
}

/// Least number of bytes that a random read asks for from now on.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_setReadahead<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    reader: jlong,
    bytes: jlong,
) {
    export(&mut env, |_env| {
        Reader::find(reader)?.object.set_random_read(unsigned(bytes)?);
        Ok(())
    });
}

/// Gives back memory and connections; the next read begins anew. Does nothing where the reader is closed already:
/// Java's method declares no exception, and a close in another thread may come first.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_unbuffer<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    reader: jlong,
) {
    export(&mut env, |_env| {
        if let Some(reader) = READERS.get(reader) {
            reader.object.unbuffer();
        }
        Ok(())
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_closeReader<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    reader: jlong,
) {
    export(&mut env, |_env| {
        if let Some(reader) = READERS.remove(reader) {
            reader.is_closed.store(true, Ordering::Release);
            reader.object.unbuffer();
        }
        Ok(())
    });
}

fn optional(env: &Env<'_>, text: &JString<'_>) -> Result<Option<String>, Failure> {
    Ok(if text.is_null() { None } else { Some(text.try_to_string(env)?) })
}

fn unsigned(position: jlong) -> Result<u64, Failure> {
    u64::try_from(position).map_err(|_| Failure::new(ErrorKind::OutOfRange, format!("negative position {position}")))
}

fn size(length: jint) -> Result<usize, Failure> {
    usize::try_from(length).map_err(|_| Failure::new(ErrorKind::OutOfRange, format!("negative length {length}")))
}
