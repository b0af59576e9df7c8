//! Native methods of stores: one bucket with one configuration, its paths and directories.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jni::objects::{JByteArray, JClass, JLongArray, JObjectArray, JString};
use jni::sys::{jboolean, jlong};
use jni::{Env, EnvUnowned, jni_sig, jni_str};
use s3core::config::{Explained, Options, ReadPolicy, Sources};
use s3core::fs::{FileSystem, Listing, Summary, check_path};
use s3core::gateway::audit;

use crate::errors::{Failure, export};
use crate::ids::{Ids, Kind};
use crate::wait::{self, wait};
use crate::{encode, native_class, runtime};

static STORES: Ids<Store> = Ids::new(Kind::Store);
static LISTINGS: Ids<Mutex<Listing>> = Ids::new(Kind::Listing);

struct Store {
    files: FileSystem,
    read_policy: ReadPolicy,
    foreign: Vec<String>,
    closed: StoreClosed,
}

/// Whether a store was closed; shared with every file that was opened by it, so that none of them outlives it.
#[derive(Clone, Default)]
pub(crate) struct StoreClosed(Arc<AtomicBool>);

impl StoreClosed {
    /// What calls on the store's files fail with from now on, where it was closed.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.0.load(Ordering::Acquire).then(|| Failure::closed(STORE))
    }

    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// What a store is called in Hadoop's messages.
const STORE: &str = "Filesystem";

impl Store {
    fn find(id: jlong) -> Result<Arc<Self>, Failure> {
        STORES.get(id).ok_or_else(|| Failure::closed(STORE))
    }
}

/// Whether this configuration speaks TLS, so that certificates are wanted. `keys_and_values`: every `fs.s3a.*` and
/// `fs.s3core.*` key of a Hadoop configuration, each followed by its value.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_usesTls<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    bucket: JString<'local>,
    keys_and_values: JObjectArray<'local, JString<'local>>,
) -> jboolean {
    export(&mut env, |env| {
        let options = resolve(env, &bucket, &keys_and_values)?;
        Ok(options.speaks_tls())
    })
}

/// `trusted`: DER certificates that the JVM trusts. Nothing is sent.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_openStore<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    bucket: JString<'local>,
    keys_and_values: JObjectArray<'local, JString<'local>>,
    trusted: JObjectArray<'local, JByteArray<'local>>,
) -> jlong {
    export(&mut env, |env| {
        let _context = runtime::runtime()?.enter();
        let mut options = resolve(env, &bucket, &keys_and_values)?;
        options.transport.trust.additional.extend(certificates(env, &trusted)?);
        Ok(STORES.insert(Store {
            files: FileSystem::new(
                &options,
                runtime::environment(&options)?,
                runtime::budget(&options),
                runtime::work_paths(),
            ),
            read_policy: options.read_policy,
            foreign: options.foreign().iter().map(|one| one.key.clone()).collect(),
            closed: StoreClosed::default(),
        }))
    })
}

/// Ends the store and every file that was opened by it: reads and writes fail, and what is being written stays
/// invisible.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_closeStore<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
) {
    export(&mut env, |_env| {
        if let Some(store) = STORES.remove(store) {
            store.closed.set();
        }
        Ok(())
    });
}

/// Forgets a store that nobody can call any more. Its files live on: a stream may well outlast the FileSystem object
/// that opened it.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_releaseStore<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
) {
    export(&mut env, |_env| {
        STORES.remove(store);
        Ok(())
    });
}

/// One status, encoded.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_status<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    path: JString<'local>,
) -> JByteArray<'local> {
    export(&mut env, |env| {
        let path = path.try_to_string(env)?;
        let files = files_for(env, store, "op_get_file_status", &[&path])?;
        let status = wait(env, wait::never, files.status(&path))?;
        encode::to_java(env, &encode::statuses(&[status]))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_openListing<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    path: JString<'local>,
    recursive: jboolean,
) -> jlong {
    export(&mut env, |env| {
        let path = path.try_to_string(env)?;
        let operation = if recursive { "op_list_files" } else { "op_list_status" };
        let files = files_for(env, store, operation, &[&path])?;
        Ok(LISTINGS.insert(Mutex::new(files.list(&path, recursive))))
    })
}

/// The next page, encoded; null at the end.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_nextPage<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    listing: jlong,
) -> JByteArray<'local> {
    export(&mut env, |env| {
        let listing = LISTINGS.get(listing).ok_or_else(|| Failure::closed("Listing"))?;
        let mut listing = listing.lock().unwrap_or_else(PoisonError::into_inner);
        match wait(env, wait::never, listing.next_page())? {
            Some(page) => encode::to_java(env, &encode::statuses(&page)),
            None => Ok(JByteArray::default()),
        }
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_closeListing<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    listing: jlong,
) {
    export(&mut env, |_env| {
        LISTINGS.remove(listing);
        Ok(())
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_delete<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    path: JString<'local>,
    recursive: jboolean,
) -> jboolean {
    export(&mut env, |env| {
        let path = path.try_to_string(env)?;
        let files = files_for(env, store, "op_delete", &[&path])?;
        wait(env, wait::never, files.delete(&path, recursive))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_rename<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    from: JString<'local>,
    to: JString<'local>,
) -> jboolean {
    export(&mut env, |env| {
        let (from, to) = (from.try_to_string(env)?, to.try_to_string(env)?);
        let files = files_for(env, store, "op_rename", &[&from, &to])?;
        wait(env, wait::never, files.rename(&from, &to))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_makeDirectory<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    path: JString<'local>,
) {
    export(&mut env, |env| {
        let path = path.try_to_string(env)?;
        let files = files_for(env, store, "op_mkdirs", &[&path])?;
        wait(env, wait::never, files.make_directory(&path))
    });
}

/// Files, directories and bytes of a tree.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_summary<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    path: JString<'local>,
) -> JLongArray<'local> {
    export(&mut env, |env| {
        let path = path.try_to_string(env)?;
        let files = files_for(env, store, "op_get_content_summary", &[&path])?;
        let Summary { files, directories, bytes } = wait(env, wait::never, files.summary(&path))?;
        encode::longs(env, [files, directories, bytes])
    })
}

/// When an object was written, and its headers, encoded.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_headers<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    path: JString<'local>,
) -> JByteArray<'local> {
    export(&mut env, |env| {
        let path = path.try_to_string(env)?;
        let files = files_for(env, store, "op_xattr_get_map", &[&path])?;
        let headers = wait(env, wait::never, files.headers(&path))?;
        encode::to_java(env, &encode::headers(&headers))
    })
}

/// Lines of option, value (secrets masked) and origin, encoded; then the foreign keys with two empty columns.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_explain<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
) -> JByteArray<'local> {
    export(&mut env, |env| {
        let store = Store::find(store)?;
        let known = store.files.explain().iter();
        let known = known.map(|Explained { option, value, origin }| [option.as_str(), value, origin]);
        let foreign = store.foreign.iter().map(|key| [key.as_str(), "", ""]);
        encode::to_java(env, &encode::table(&known.chain(foreign).collect::<Vec<_>>()))
    })
}

/// Counts of requests and bytes by operation, encoded.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_statistics<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
) -> JByteArray<'local> {
    export(&mut env, |env| {
        let counts = Store::find(store)?.files.gateway().statistics().snapshot();
        encode::to_java(env, &encode::counts(&counts))
    })
}

/// Limit, bytes in use and largest use of the memory budget; zeros before the first store is opened.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_memory<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> JLongArray<'local> {
    export(&mut env, |env| {
        let budget = runtime::current_budget();
        encode::longs(env, budget.map_or([0; 3], |budget| [budget.limit(), budget.used(), budget.peak()]))
    })
}

/// The files of a store for one call of Hadoop's on these paths. What it sends says so in the Referer header.
pub(crate) fn files_for(
    env: &mut Env<'_>,
    store: jlong,
    operation: &'static str,
    paths: &[&str],
) -> Result<FileSystem, Failure> {
    let store = Store::find(store)?;
    if store.files.gateway().is_audited() && !audit::thread_is_named() {
        let number = env.call_static_method(native_class()?, jni_str!("threadId"), jni_sig!("()J"), &[])?.j()?;
        audit::name_thread(u64::try_from(number).unwrap_or_default());
    }
    for path in paths {
        check_path(store.files.bucket(), path)?;
    }
    Ok(store.files.for_call(operation, paths))
}

/// Most files of one call that removes files of a store.
pub(crate) fn delete_maximum(store: jlong) -> Result<usize, Failure> {
    Ok(Store::find(store)?.files.delete_maximum())
}

/// What opening a file of a store for this call of Hadoop's needs.
pub(crate) fn opener(env: &mut Env<'_>, store: jlong, operation: &'static str, path: &str) -> Result<Opener, Failure> {
    let files = files_for(env, store, operation, &[path])?;
    let store = Store::find(store)?;
    Ok(Opener { files, read_policy: store.read_policy, closed: store.closed.clone() })
}

pub(crate) struct Opener {
    pub(crate) files: FileSystem,
    /// How files are read where nobody says.
    pub(crate) read_policy: ReadPolicy,
    pub(crate) closed: StoreClosed,
}

fn resolve<'local>(
    env: &mut Env<'local>,
    bucket: &JString<'_>,
    keys_and_values: &JObjectArray<'_, JString<'local>>,
) -> Result<Options, Failure> {
    let bucket = bucket.try_to_string(env)?;
    let mut hadoop = Vec::new();
    let count = keys_and_values.len(env)?;
    for index in (0..count.saturating_sub(1)).step_by(2) {
        hadoop.push((text(env, keys_and_values, index)?, text(env, keys_and_values, index + 1)?));
    }
    let environment = |name: &str| std::env::var(name).ok();
    let sources = Sources { explicit: Vec::new(), hadoop, environment: &environment, home: std::env::home_dir() };
    Ok(Options::resolve(&bucket, &sources)?)
}

/// The element at `index` of an array of strings.
pub(crate) fn text<'local>(
    env: &mut Env<'local>,
    texts: &JObjectArray<'_, JString<'local>>,
    index: usize,
) -> Result<String, Failure> {
    let element = texts.get_element(env, index)?;
    let text = element.try_to_string(env)?;
    // Hundreds of keys would overflow the frame of local references.
    env.delete_local_ref(element);
    Ok(text)
}

fn certificates<'local>(
    env: &mut Env<'local>,
    trusted: &JObjectArray<'_, JByteArray<'local>>,
) -> Result<Vec<Vec<u8>>, Failure> {
    let count = trusted.len(env)?;
    let mut certificates = Vec::with_capacity(count);
    for index in 0..count {
        let element = trusted.get_element(env, index)?;
        certificates.push(env.convert_byte_array(&element)?);
        env.delete_local_ref(element);
    }
    Ok(certificates)
}
