//! Files below a work path as the file system shows them, before they are committed.

use s3core::ErrorKind;
use s3core::fs::{Existing, FileStatus};

use super::support::EMBEDDED;
use super::*;

struct Work {
    files: Files,
    job: Job,
    attempt: TaskAttempt,
}

impl Work {
    async fn new() -> Self {
        let files = Files::at(EMBEDDED).await;
        let job = job("j1");
        job.set_up(&files, false, ConflictMode::Append).await.unwrap();
        let attempt = attempt(&job, 0, 0);
        attempt.set_up(&files);
        Self { files, job, attempt }
    }

    fn path(&self, file: &str) -> String {
        format!("{}/{file}", self.attempt.work_path())
    }

    async fn write(&self, file: &str, length: usize) {
        write(&self.files, &self.path(file), &content(length, 1)).await.unwrap();
    }

    async fn commit(&self) -> Vec<String> {
        self.attempt.commit(&self.files).await.unwrap();
        self.job.commit(&self.files, CommitOptions::default()).await.unwrap();
        visible(&self.files).await
    }
}

async fn list(files: &FileSystem, path: &str, recursive: bool) -> Vec<FileStatus> {
    files.list(path, recursive).next_page().await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_file_has_a_status_without_a_request() {
    let work = Work::new().await;
    work.write("day=1/part-0", LARGE).await;
    let before = requests(&work.files, "HeadObject") + requests(&work.files, "ListObjectsV2");
    let status = work.files.status(&work.path("day=1/part-0")).await.unwrap();
    assert_eq!((status.length, status.is_directory, status.path), (LARGE as u64, false, work.path("day=1/part-0")));
    assert!(work.files.status(&work.path("day=1")).await.unwrap().is_directory);
    assert_eq!(requests(&work.files, "HeadObject") + requests(&work.files, "ListObjectsV2"), before);
    let missing = work.files.status(&work.path("day=2")).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_files_are_listed() {
    let work = Work::new().await;
    work.write("day=1/part-0", SMALL).await;
    work.write("day=1/part-1", LARGE).await;
    work.write("part-2", SMALL).await;
    let names = |entries: Vec<FileStatus>| -> Vec<String> { entries.into_iter().map(|entry| entry.path).collect() };
    let top = names(list(&work.files, &work.attempt.work_path(), false).await);
    // The attempt's marker is an ordinary object.
    assert_eq!(top, [work.path("_s3core_attempt"), work.path("day=1"), work.path("part-2")]);
    let day = list(&work.files, &work.path("day=1"), true).await;
    assert_eq!(day.iter().map(|entry| entry.length).collect::<Vec<_>>(), [SMALL as u64, LARGE as u64]);
    assert_eq!(names(list(&work.files, &work.path("part-2"), false).await), [work.path("part-2")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_file_can_be_deleted_and_written_anew() {
    let work = Work::new().await;
    work.write("part-0", LARGE).await;
    work.write("part-1", LARGE).await;
    work.write("dir/part-2", SMALL).await;
    assert!(work.files.delete(&work.path("part-0"), false).await.unwrap());
    assert!(!work.files.delete(&work.path("part-0"), false).await.unwrap());
    assert_eq!(work.files.delete(&work.path("dir"), false).await.unwrap_err().kind(), ErrorKind::DirectoryNotEmpty);
    assert!(work.files.delete(&work.path("dir"), true).await.unwrap());
    let refused = write(&work.files, &work.path("part-1"), b"x").await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
    let anew = CreateOptions { existing: Existing::IsReplaced, ..CreateOptions::default() };
    let mut writer = work.files.create_file(&work.path("part-1"), anew).await.unwrap();
    writer.write(b"anew").await.unwrap();
    writer.close().await.unwrap();
    assert_eq!(work.commit().await, ["out/table/part-1"]);
    assert_eq!(read(&work.files, "out/table/part-1").await.unwrap(), b"anew");
    assert_eq!(uploads(&work.files).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_file_cannot_be_read_and_an_uploaded_one_not_be_renamed() {
    let work = Work::new().await;
    work.write("large", LARGE).await;
    work.write("small", SMALL).await;
    let unread = read(&work.files, &work.path("large")).await.unwrap_err();
    assert!(unread.kind() == ErrorKind::NotFound && unread.message().contains("committed"), "{unread}");
    for (from, to) in [(work.path("large"), work.path("other")), (work.path("small"), "elsewhere".to_owned())] {
        let error = work.files.rename(&from, &to).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Unsupported && error.message().contains("final name"), "{error}");
    }
    assert!(work.files.rename(&work.path("small"), &work.path("day=1/renamed")).await.unwrap());
    assert_eq!(work.commit().await, ["out/table/day=1/renamed", "out/table/large"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_file_is_renamed_into_a_directory() {
    let work = Work::new().await;
    for name in ["tmp/a", "tmp/b", "tmp/c", "sub/there"] {
        work.write(name, SMALL).await;
    }
    work.files.make_directory(&work.path("made")).await.unwrap();
    assert!(work.files.rename(&work.path("tmp/a"), &work.attempt.work_path()).await.unwrap());
    assert!(work.files.rename(&work.path("tmp/b"), &work.path("sub")).await.unwrap());
    assert!(work.files.rename(&work.path("tmp/c"), &work.path("made")).await.unwrap());
    assert_eq!(work.commit().await, ["a", "made/c", "sub/b", "sub/there"].map(|name| format!("out/table/{name}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_file_and_an_ordinary_one_do_not_share_a_path() {
    let work = Work::new().await;
    work.write("pending", SMALL).await;
    write(&work.files, "tmp/one", b"moved").await.unwrap();
    write(&work.files, "tmp/two", b"moved").await.unwrap();
    let refused = work.files.rename("tmp/one", &work.path("pending")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
    work.files.rename("tmp/one", &work.path("moved")).await.unwrap();
    let refused = work.files.rename(&work.path("pending"), &work.path("moved")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
    // What is created over one that was moved here is the later of the two.
    let anew = CreateOptions { existing: Existing::IsReplaced, ..CreateOptions::default() };
    let mut writer = work.files.create_file(&work.path("moved"), anew).await.unwrap();
    writer.write(b"anew").await.unwrap();
    writer.close().await.unwrap();
    work.commit().await;
    assert_eq!(read(&work.files, "out/table/moved").await.unwrap(), b"anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_below_a_work_path_otherwise_is_moved_when_the_job_is_committed() {
    let work = Work::new().await;
    work.write("part-0", SMALL).await;
    write(&work.files, "tmp/made-elsewhere", b"moved").await.unwrap();
    work.files.rename("tmp/made-elsewhere", &work.path("sub/moved")).await.unwrap();
    work.files.make_directory(&work.path("empty")).await.unwrap();
    assert_eq!(work.commit().await, ["out/table/part-0", "out/table/sub/moved"]);
    assert_eq!(read(&work.files, "out/table/sub/moved").await.unwrap(), b"moved");
    assert!(work.files.status("out/table/empty").await.unwrap().is_directory);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_a_foreign_program_alone_are_committed_too() {
    let work = Work::new().await;
    let elsewhere = elsewhere(&work.files);
    write(&elsewhere, &work.path("part-0"), b"by another program").await.unwrap();
    assert!(work.attempt.needs_commit(&work.files).await.unwrap());
    assert_eq!(work.commit().await, ["out/table/part-0"]);
}
