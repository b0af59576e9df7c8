//! AWS profile files: `~/.aws/credentials` and `~/.aws/config` ("Shared config and credentials files" in the AWS SDKs
//! and Tools reference guide).

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};

use ini::{Ini, ParseOption};

use crate::{Error, ErrorKind, Result};

/// One profile, merged from both files; the credentials file goes first.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    name: String,
    values: BTreeMap<String, Found>,
    files: Vec<File>,
}

/// A value and the file that it stands in.
pub(crate) struct Found {
    pub(crate) text: String,
    pub(crate) file: String,
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "*** in {}", self.file)
    }
}

/// A file that was looked at.
#[derive(Debug)]
struct File {
    shown: String,
    state: State,
    profiles: Vec<String>,
}

#[derive(Debug)]
enum State {
    Read { has_profile: bool },
    Missing,
    Broken(String),
}

/// The two files that profiles are in.
pub(crate) struct ProfileFiles<'a> {
    environment: &'a dyn Fn(&str) -> Option<String>,
    home: Option<&'a Path>,
    credentials: Option<String>,
}

impl<'a> ProfileFiles<'a> {
    pub(crate) fn new(environment: &'a dyn Fn(&str) -> Option<String>, home: Option<&'a Path>) -> Self {
        Self { environment, home, credentials: None }
    }

    /// Names the file with the keys.
    pub(crate) fn credentials_are_in(&mut self, path: &str) {
        self.credentials = Some(path.to_owned());
    }

    /// The profile that somebody asked for.
    ///
    /// # Errors
    /// `InvalidOption` where neither file has it, or one cannot be read.
    pub(crate) fn named(&self, name: &str, origin: &str) -> Result<Profile> {
        let profile = self.optional(name);
        if profile.files.iter().any(|file| matches!(file.state, State::Read { has_profile: true })) {
            return Ok(profile);
        }
        let known: Vec<_> = profile.files.iter().flat_map(|file| file.profiles.iter().map(String::as_str)).collect();
        let known = if known.is_empty() { String::new() } else { format!(" (they have {})", known.join(", ")) };
        Err(Error::new(
            ErrorKind::InvalidOption,
            format!("{origin} names the profile \"{name}\", which was not found: {}{known}", profile.looked_at()),
        ))
    }

    /// The profile of that name, with nothing in it where there is none.
    pub(crate) fn optional(&self, name: &str) -> Profile {
        let mut profile = Profile { name: name.to_owned(), ..Profile::default() };
        let variable = |name: &str| (self.environment)(name).filter(|path| !path.trim().is_empty());
        let credentials = self.credentials.clone().or_else(|| variable("AWS_SHARED_CREDENTIALS_FILE"));
        let section = if name == "default" { name.to_owned() } else { format!("profile {name}") };
        let places = [(credentials, "credentials", name.to_owned()), (variable("AWS_CONFIG_FILE"), "config", section)];
        for (given, file, section) in places {
            let given = given.map(|path| expand(&path, self.home));
            let Some(path) = given.or_else(|| Some(self.home?.join(".aws").join(file))) else {
                continue;
            };
            profile.take(&path, &shown(&path, self.home), &section);
        }
        profile
    }
}

impl Profile {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn take(&mut self, path: &Path, shown: &str, section: &str) {
        let (state, profiles) = match read(path) {
            Ok(None) => (State::Missing, Vec::new()),
            Err(complaint) => (State::Broken(complaint), Vec::new()),
            Ok(Some(ini)) => {
                let found = ini.section(Some(section));
                for (key, value) in found.into_iter().flat_map(ini::Properties::iter) {
                    let text = without_comment(value).to_owned();
                    self.values
                        .entry(key.to_ascii_lowercase())
                        .or_insert_with(|| Found { text, file: shown.to_owned() });
                }
                let profiles = ini.sections().flatten().map(|name| name.trim_start_matches("profile ").to_owned());
                (State::Read { has_profile: found.is_some() }, profiles.collect())
            }
        };
        self.files.push(File { shown: shown.to_owned(), state, profiles });
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Found> {
        self.values.get(key)
    }

    /// Where a value of `file` came from.
    pub(crate) fn origin(&self, file: &str) -> String {
        format!("profile {} in {file}", self.name)
    }

    /// What was found in each file, for an error about keys that are missing.
    pub(crate) fn looked_at(&self) -> String {
        let files = self.files.iter().map(|file| match &file.state {
            State::Missing => format!("{} (no such file)", file.shown),
            State::Broken(complaint) => format!("{} ({complaint})", file.shown),
            State::Read { has_profile: false } => format!("{} (no such profile)", file.shown),
            State::Read { has_profile: true } => match self.unsupported(&file.shown) {
                Some(key) => format!("{} ({key} is not supported)", file.shown),
                None => format!("{} (no keys)", file.shown),
            },
        });
        let files: Vec<_> = files.collect();
        if files.is_empty() {
            return format!("profile {} (no home directory)", self.name);
        }
        format!("profile {} in {}", self.name, files.join(" and "))
    }

    /// A way to keys that a profile may name and that is not one of ours.
    fn unsupported(&self, file: &str) -> Option<&'static str> {
        ["sso_session", "sso_start_url"].into_iter().find(|key| self.get(key).is_some_and(|found| found.file == file))
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "profile {}", self.name)
    }
}

fn read(path: &Path) -> Result<Option<Ini>, String> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), IoErrorKind::NotFound | IoErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error.to_string()),
    };
    // Secrets hold backslashes and quotes as they stand.
    let plain = ParseOption { enabled_quote: false, enabled_escape: false, ..ParseOption::default() };
    Ini::load_from_str_opt(&text, plain).map(Some).map_err(|error| format!("line {}: {}", error.line, error.msg))
}

/// A value without the comment that AWS's tools allow behind white space.
fn without_comment(value: &str) -> &str {
    let end = [" #", "\t#", " ;", "\t;"].iter().filter_map(|mark| value.find(mark)).min();
    end.and_then(|end| value.get(..end)).unwrap_or(value).trim()
}

fn expand(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

fn shown(path: &Path, home: Option<&Path>) -> String {
    match home.and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    struct Home(tempfile::TempDir);

    impl Home {
        fn with(credentials: &str, config: &str) -> Self {
            let home = tempfile::tempdir().unwrap();
            fs::create_dir(home.path().join(".aws")).unwrap();
            fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
            fs::write(home.path().join(".aws/config"), config).unwrap();
            Self(home)
        }

        fn named(&self, name: &str) -> Result<Profile> {
            self.files().named(name, "AWS_PROFILE")
        }

        fn files(&self) -> ProfileFiles<'_> {
            ProfileFiles::new(&|_| None, Some(self.0.path()))
        }
    }

    fn text<'a>(profile: &'a Profile, key: &str) -> Option<&'a str> {
        profile.get(key).map(|found| found.text.as_str())
    }

    #[test]
    fn both_files_are_merged_and_the_credentials_file_wins() {
        let home = Home::with(
            "[dev]\naws_access_key_id = one\n",
            "[default]\nregion=no\n[profile dev]\naws_access_key_id = two\nregion = here\n",
        );
        let profile = home.named("dev").unwrap();
        assert_eq!(text(&profile, "aws_access_key_id"), Some("one"));
        assert_eq!(text(&profile, "region"), Some("here"));
        let found = profile.get("region").unwrap();
        assert_eq!(profile.origin(&found.file), "profile dev in ~/.aws/config");
    }

    #[rstest]
    #[case("ab\\cd/ef+gh=", "ab\\cd/ef+gh=")]
    #[case("\"quoted\"", "\"quoted\"")]
    #[case("a#b;c", "a#b;c")]
    #[case("value # remark", "value")]
    #[case("value\t; remark", "value")]
    #[case("  spaces  ", "spaces")]
    fn values_are_taken_as_they_stand(#[case] written: &str, #[case] read: &str) {
        let home = Home::with(&format!("# remark\n; remark\n\n[default]\naws_secret_access_key = {written}\n"), "");
        assert_eq!(text(&home.named("default").unwrap(), "aws_secret_access_key"), Some(read));
    }

    #[test]
    fn nested_settings_of_the_aws_tools_do_no_harm() {
        let home = Home::with("", "[default]\ns3 =\n  addressing_style = path\n  max_bandwidth = 1\nregion = here\n");
        assert_eq!(text(&home.named("default").unwrap(), "region"), Some("here"));
    }

    #[test]
    fn variables_name_other_files() {
        let home = Home::with("", "");
        fs::write(home.0.path().join("mine"), "[default]\nregion=mine\n").unwrap();
        let variable = |name: &str| (name == "AWS_SHARED_CREDENTIALS_FILE").then(|| "~/mine".to_owned());
        let mut files = ProfileFiles::new(&variable, Some(home.0.path()));
        let profile = files.optional("default");
        assert_eq!(text(&profile, "region"), Some("mine"));
        assert_eq!(profile.origin(&profile.get("region").unwrap().file), "profile default in ~/mine");
        fs::write(home.0.path().join("yours"), "[default]\nregion=yours\n").unwrap();
        files.credentials_are_in("~/yours");
        assert_eq!(text(&files.optional("default"), "region"), Some("yours"));
    }

    #[test]
    fn a_profile_that_does_not_exist_names_files_and_profiles() {
        let home = Home::with("[prod]\nregion=x\n", "[profile test]\nregion=x\n");
        let error = home.named("dev").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOption);
        for part in ["AWS_PROFILE", "\"dev\"", "~/.aws/credentials", "~/.aws/config", "prod, test"] {
            assert!(error.message().contains(part), "{part}: {error}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_matters_only_where_its_profile_was_asked_for() {
        let home = Home::with("[default\nnonsense", "");
        let error = home.named("default").unwrap_err();
        assert!(error.message().contains("~/.aws/credentials (line "), "{error}");
        assert!(home.files().optional("default").get("region").is_none());
    }

    #[test]
    fn ways_to_keys_that_are_not_supported_are_named() {
        let home = Home::with("", "[profile dev]\nsso_start_url = https://x\n");
        assert!(home.named("dev").unwrap().looked_at().contains("sso_start_url is not supported"));
    }

    #[test]
    fn without_a_home_there_is_no_profile() {
        let profile = ProfileFiles::new(&|_| None, None).optional("default");
        assert_eq!(profile.looked_at(), "profile default (no home directory)");
    }

    #[test]
    fn debug_shows_no_secret() {
        let home = Home::with("[default]\naws_secret_access_key=swordfish\n", "");
        assert!(!format!("{:?}", home.named("default").unwrap()).contains("swordfish"));
    }
}
