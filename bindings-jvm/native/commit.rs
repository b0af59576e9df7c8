//! Native methods of committers: jobs and task attempts by their names.

use jni::objects::{JClass, JLongArray, JString};
use jni::sys::{jboolean, jlong};
use jni::{Env, EnvUnowned};
use s3core::commit::{CommitOptions, ConflictMode, Job, TaskAttempt};

use crate::errors::{Failure, export};
use crate::store::files_for;
use crate::wait::{self, wait, wait_for_cleaning, wait_until_stopped};

#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_setUpJob<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    destination: JString<'local>,
    job: JString<'local>,
    again: jboolean,
    committer: JString<'local>,
    conflict_mode: JString<'local>,
) {
    export(&mut env, |env| {
        let job = named_job(env, &destination, &job)?;
        let files = files_for(env, store, "committer_setup_job", &[job.destination()])?;
        let conflict = conflict(env, &committer, &conflict_mode)?;
        wait(env, wait::never, job.set_up(&files, again, conflict))
    });
}

/// Number and bytes of the files that became visible.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_commitJob<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    destination: JString<'local>,
    job: JString<'local>,
    mark_success: jboolean,
    committer: JString<'local>,
    conflict_mode: JString<'local>,
) -> JLongArray<'local> {
    export(&mut env, |env| {
        let job = named_job(env, &destination, &job)?;
        let files = files_for(env, store, "committer_commit_job", &[job.destination()])?;
        let conflict = conflict(env, &committer, &conflict_mode)?;
        let options = CommitOptions { mark_success, conflict, ..CommitOptions::default() };
        let stop = options.stop.clone();
        let committed = wait_until_stopped(env, &stop, job.commit(&files, options))?;
        let figures = [committed.files, committed.bytes].map(|figure| i64::try_from(figure).unwrap_or(i64::MAX));
        let array = env.new_long_array(figures.len())?;
        array.set_region(env, 0, &figures)?;
        Ok(array)
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_abortJob<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    destination: JString<'local>,
    job: JString<'local>,
) {
    export(&mut env, |env| {
        let job = named_job(env, &destination, &job)?;
        let files = files_for(env, store, "committer_abort_job", &[job.destination()])?;
        wait_for_cleaning(env, job.abort(&files))
    });
}

/// The path at which the attempt creates its files, without a leading slash.
#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_workPath<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    destination: JString<'local>,
    job: JString<'local>,
    task: JString<'local>,
    attempt: JString<'local>,
) -> JString<'local> {
    export(&mut env, |env| {
        let attempt = named_attempt(env, &destination, &job, &task, &attempt)?;
        Ok(env.new_string(attempt.work_path())?)
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_setUpTask<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    destination: JString<'local>,
    job: JString<'local>,
    task: JString<'local>,
    attempt: JString<'local>,
) {
    export(&mut env, |env| {
        let attempt = named_attempt(env, &destination, &job, &task, &attempt)?;
        attempt.set_up(&files_for(env, store, "committer_setup_task", &[&attempt.work_path()])?);
        Ok(())
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_needsTaskCommit<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    destination: JString<'local>,
    job: JString<'local>,
    task: JString<'local>,
    attempt: JString<'local>,
) -> jboolean {
    export(&mut env, |env| {
        let attempt = named_attempt(env, &destination, &job, &task, &attempt)?;
        let files = files_for(env, store, "committer_needs_task_commit", &[&attempt.work_path()])?;
        wait(env, wait::never, attempt.needs_commit(&files))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_commitTask<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    destination: JString<'local>,
    job: JString<'local>,
    task: JString<'local>,
    attempt: JString<'local>,
) {
    export(&mut env, |env| {
        let attempt = named_attempt(env, &destination, &job, &task, &attempt)?;
        let files = files_for(env, store, "committer_commit_task", &[&attempt.work_path()])?;
        wait(env, wait::never, attempt.commit(&files))
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_org_s3core_hadoop_Native_abortTask<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    destination: JString<'local>,
    job: JString<'local>,
    task: JString<'local>,
    attempt: JString<'local>,
) {
    export(&mut env, |env| {
        let attempt = named_attempt(env, &destination, &job, &task, &attempt)?;
        let files = files_for(env, store, "committer_abort_task", &[&attempt.work_path()])?;
        wait_for_cleaning(env, attempt.abort(&files))
    });
}

/// The options `fs.s3a.committer.name` and `fs.s3a.committer.staging.conflict-mode` of the job.
fn conflict(env: &Env<'_>, committer: &JString<'_>, mode: &JString<'_>) -> Result<ConflictMode, Failure> {
    Ok(ConflictMode::of(&committer.try_to_string(env)?, &mode.try_to_string(env)?)?)
}

fn named_job(env: &Env<'_>, destination: &JString<'_>, job: &JString<'_>) -> Result<Job, Failure> {
    let (destination, job) = (destination.try_to_string(env)?, job.try_to_string(env)?);
    Ok(Job::new(&destination, &job)?)
}

fn named_attempt(
    env: &Env<'_>,
    destination: &JString<'_>,
    job: &JString<'_>,
    task: &JString<'_>,
    attempt: &JString<'_>,
) -> Result<TaskAttempt, Failure> {
    let job = named_job(env, destination, job)?;
    let (task, attempt) = (task.try_to_string(env)?, attempt.try_to_string(env)?);
    Ok(TaskAttempt::new(job, &task, &attempt)?)
}
