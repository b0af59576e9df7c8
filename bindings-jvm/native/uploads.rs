//! Native methods of uploads whose parts Java sends by itself, and of removing many files.

use jni::EnvUnowned;
use jni::objects::{JByteArray, JClass, JIntArray, JObjectArray, JString};
use jni::sys::{jint, jlong};
use s3core::ops::CompletedPart;

use crate::encode;
use crate::errors::{Failure, export};
use crate::store::{self, files_for};
use crate::wait::{self, wait};

/// The id of a new upload.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_beginUpload<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    path: JString<'local>,
) -> JString<'local> {
    export(&mut env, |env| {
        let path = path.try_to_string(env)?;
        let files = files_for(env, store, "multipart_upload_started", &[&path])?;
        let id = wait(env, wait::never, files.begin_upload(&path))?;
        Ok(env.new_string(id)?)
    })
}

/// Makes the file of these parts visible; returns its ETag.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_completeUpload<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    path: JString<'local>,
    upload: JString<'local>,
    numbers: JIntArray<'local>,
    etags: JObjectArray<'local, JString<'local>>,
) -> JString<'local> {
    export(&mut env, |env| {
        let (path, upload) = (path.try_to_string(env)?, upload.try_to_string(env)?);
        let files = files_for(env, store, "multipart_upload_completed", &[&path])?;
        let mut all = vec![0; numbers.len(env)?];
        numbers.get_region(env, 0, &mut all)?;
        let mut parts = Vec::with_capacity(all.len());
        for (index, number) in all.into_iter().enumerate() {
            let number = u32::try_from(number).map_err(|_| Failure::internal("a negative part number"))?;
            parts.push(CompletedPart { number, etag: store::text(env, &etags, index)? });
        }
        let etag = wait(env, wait::never, files.complete_upload(&path, &upload, parts))?;
        Ok(env.new_string(etag)?)
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_abortUpload<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    path: JString<'local>,
    upload: JString<'local>,
) {
    export(&mut env, |env| {
        let (path, upload) = (path.try_to_string(env)?, upload.try_to_string(env)?);
        let files = files_for(env, store, "multipart_upload_aborted", &[&path])?;
        wait(env, wait::never, files.abort_upload(&path, &upload))
    });
}

/// Aborts every upload below a directory; returns how many there were.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_abortUploadsBelow<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    path: JString<'local>,
) -> jint {
    export(&mut env, |env| {
        let path = path.try_to_string(env)?;
        let files = files_for(env, store, "multipart_upload_abort_under_path_invoked", &[&path])?;
        let aborted = wait(env, wait::never, files.abort_uploads_below(&path))?;
        Ok(jint::try_from(aborted).unwrap_or(jint::MAX))
    })
}

/// Most files of one call of `deleteFiles`.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_deleteMaximum<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
) -> jint {
    export(&mut env, |_env| Ok(jint::try_from(store::delete_maximum(store)?).unwrap_or(jint::MAX)))
}

/// Removes files; returns lines of those that are still there, each with the reason, encoded.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_deleteFiles<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    paths: JObjectArray<'local, JString<'local>>,
) -> JByteArray<'local> {
    export(&mut env, |env| {
        let files = files_for(env, store, "op_bulk_delete", &[])?;
        let mut all = Vec::new();
        for index in 0..paths.len(env)? {
            all.push(store::text(env, &paths, index)?);
        }
        let failures = wait(env, wait::never, files.delete_files(all))?;
        let reasons: Vec<_> = failures.iter().map(|failure| failure.error.to_string()).collect();
        let lines: Vec<_> =
            failures.iter().zip(&reasons).map(|(failure, reason)| [failure.key.as_str(), reason]).collect();
        encode::to_java(env, &encode::table(&lines))
    })
}
