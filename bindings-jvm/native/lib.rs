//! The native library inside the s3core jar: what `org.s3core.hadoop.Native` calls.
//!
//! Translation only: no policy and nothing about S3. Rooms: [`store`], [`reader`], [`writer`], [`uploads`] and [`commit`] hold the
//! exported functions by subject; [`ids`] what Java holds instead of pointers; [`wait`] how a Java thread waits; [`errors`] what
//! it is told when something fails; [`memory`] the only place that touches Java's memory; [`encode`] answers of several
//! fields; [`log`] the way to SLF4J; [`runtime`] what the process has one of.
//!
//! No Java code runs on runtime threads: every call into the JVM happens on the Java thread that called.

#![allow(unsafe_code, reason = "exported symbols count as unsafe; unsafe blocks are in `memory` only")]

mod commit;
mod encode;
mod errors;
mod ids;
mod log;
mod memory;
mod reader;
mod runtime;
mod store;
mod uploads;
mod wait;
mod writer;

use std::ffi::c_void;
use std::sync::OnceLock;

use jni::objects::{JClass, JString};
use jni::refs::Global;
use jni::sys::{JNI_VERSION_1_8, JavaVM, jboolean, jint, jlong};
use jni::{Env, EnvUnowned};

use crate::errors::{Failure, export};

/// `org.s3core.hadoop.Native` of the class loader that loaded this copy of the library. A lookup by name could find
/// the class of another loader.
static NATIVE_CLASS: OnceLock<Global<JClass<'static>>> = OnceLock::new();

fn native_class() -> Result<&'static Global<JClass<'static>>, Failure> {
    NATIVE_CLASS.get().ok_or_else(|| Failure::internal("the library was used before it was initialised"))
}

#[unsafe(no_mangle)]
extern "system" fn JNI_OnLoad(_vm: *mut JavaVM, _reserved: *mut c_void) -> jint {
    JNI_VERSION_1_8
}

/// A plain function without any JVM: for smoke tests, and for programs that open the library by hand.
#[unsafe(no_mangle)]
extern "C" fn s3core_jni_version_length() -> usize {
    s3core::VERSION.len()
}

#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_version<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> JString<'local> {
    export(&mut env, |env| Ok(env.new_string(s3core::VERSION)?))
}

/// `heap`: the JVM's largest heap in bytes. `first`: whether this is the first copy of the library in the process.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_initialize<'local>(
    mut env: EnvUnowned<'local>,
    class: JClass<'local>,
    heap: jlong,
    first: jboolean,
) {
    export(&mut env, |env| initialize(env, &class, heap, first));
}

fn initialize(env: &Env<'_>, class: &JClass<'_>, heap: jlong, first: bool) -> Result<(), Failure> {
    let class = env.new_global_ref(class)?;
    // A second call finds the class in its place.
    let _ = NATIVE_CLASS.set(class);
    log::install();
    runtime::describe_process(u64::try_from(heap).unwrap_or(0), first);
    Ok(())
}
