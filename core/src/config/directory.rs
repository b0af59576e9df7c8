//! Chooses the directory that buffers spill to.

use std::fs;
use std::path::{Path, PathBuf};

/// The first of `candidates` that can be written, made where it does not exist; the system's temporary directory
/// where none can. Hadoop fills `${…}` in before it hands a value on; a name that still holds one is no name.
pub(super) fn writable(candidates: &[String]) -> PathBuf {
    candidates
        .iter()
        .filter(|name| !name.contains("${"))
        .map(|name| {
            PathBuf::from(name.strip_prefix("file:").map_or(name.as_str(), |path| path.trim_start_matches("//")))
        })
        .find(|directory| is_writable(directory))
        .unwrap_or_else(std::env::temp_dir)
}

/// Tried with a file: permission bits say nothing about read-only mounts and full quotas.
fn is_writable(directory: &Path) -> bool {
    fs::create_dir_all(directory).is_ok() && tempfile::tempfile_in(directory).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_can_be_written_is_made_and_taken() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "x").unwrap();
        let wanted = root.path().join("a/b");
        let candidates = [
            "${hadoop.tmp.dir}/s3a".to_owned(),
            file.join("below").display().to_string(),
            wanted.display().to_string(),
        ];
        assert_eq!(writable(&candidates), wanted);
        assert!(wanted.is_dir());
    }

    #[test]
    fn file_uris_are_paths() {
        let root = tempfile::tempdir().unwrap();
        let plain = root.path().display().to_string();
        for candidate in [format!("file:{plain}"), format!("file://{plain}")] {
            assert_eq!(writable(&[candidate]), root.path());
        }
    }

    #[test]
    fn without_any_it_is_the_temporary_directory() {
        assert_eq!(writable(&["/proc/nothing/here".to_owned()]), std::env::temp_dir());
        assert_eq!(writable(&[]), std::env::temp_dir());
    }
}
