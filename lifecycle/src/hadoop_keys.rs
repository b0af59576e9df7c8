//! The `fs.s3a.*` and `fs.s3core.*` keys of `core-site.xml` and `spark-defaults.conf`, as a JVM on this machine has them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use quick_xml::de::from_str;
use s3core::{Error, ErrorKind, Result};
use serde::Deserialize;

#[derive(Deserialize)]
struct Site {
    #[serde(default, rename = "property")]
    properties: Vec<Property>,
}

#[derive(Deserialize)]
struct Property {
    name: Option<String>,
    value: Option<String>,
}

/// What a key of Hadoop's is called among Spark's.
const OF_SPARK: &str = "spark.hadoop.";

/// Hadoop expands a value so often at most (`Configuration.MAX_SUBST`).
const MOST_EXPANSIONS: usize = 20;

/// Reads `core-site.xml` of `HADOOP_CONF_DIR` and `YARN_CONF_DIR`, then `spark-defaults.conf` of `SPARK_CONF_DIR` or
/// `SPARK_HOME/conf`; later ones win.
///
/// # Errors
/// `InvalidOption` for a file that is there and cannot be read.
pub(crate) fn of_this_machine(environment: &dyn Fn(&str) -> Option<String>) -> Result<Vec<(String, String)>> {
    let directory = |name: &str| environment(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let mut all = BTreeMap::new();
    for site in ["HADOOP_CONF_DIR", "YARN_CONF_DIR"].into_iter().filter_map(directory) {
        if let Some((path, text)) = text_of(&site.join("core-site.xml"))? {
            let site: Site = from_str(&text).map_err(|failure| unreadable(&path, &failure))?;
            let set = site.properties.into_iter().filter_map(|property| Some((property.name?, property.value?)));
            all.extend(set.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())));
        }
    }
    let spark = directory("SPARK_CONF_DIR").or_else(|| Some(directory("SPARK_HOME")?.join("conf")));
    if let Some((_, text)) = spark.map(|conf| text_of(&conf.join("spark-defaults.conf"))).transpose()?.flatten() {
        all.extend(text.lines().filter_map(of_spark));
    }
    let is_ours = |name: &&String| name.starts_with("fs.s3a.") || name.starts_with("fs.s3core.");
    let names: Vec<_> = all.keys().filter(is_ours).cloned().collect();
    Ok(names
        .into_iter()
        .map(|name| (expanded(all.get(&name).map_or("", String::as_str), &all, environment), name))
        .map(|(value, name)| (name, value))
        .collect())
}

fn text_of(path: &Path) -> Result<Option<(PathBuf, String)>> {
    if !path.is_file() {
        return Ok(None);
    }
    fs::read_to_string(path).map(|text| Some((path.to_owned(), text))).map_err(|failure| unreadable(path, &failure))
}

fn unreadable(path: &Path, failure: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidOption, format!("{} cannot be read: {failure}", path.display()))
}

/// A line of Spark's properties: a key, then space, `=` or `:`, then the value.
fn of_spark(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let (name, value) =
        line.split_once(|character: char| character.is_whitespace() || character == '=' || character == ':')?;
    let value = value.trim_start().trim_start_matches(['=', ':']).trim();
    Some((name.strip_prefix(OF_SPARK)?.to_owned(), value.to_owned()))
}

/// `${other.key}` and `${env.NAME}` in a value.
fn expanded(value: &str, all: &BTreeMap<String, String>, environment: &dyn Fn(&str) -> Option<String>) -> String {
    let mut value = value.to_owned();
    for _ in 0..MOST_EXPANSIONS {
        let Some((before, name, after)) = variable(&value) else { break };
        let found = match name.strip_prefix("env.") {
            Some(name) => environment(name),
            None => all.get(name).cloned(),
        };
        let Some(found) = found else { break };
        value = format!("{before}{found}{after}");
    }
    value
}

/// The innermost variable, with what is before and after it.
fn variable(value: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = value.rsplit_once("${")?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_files_win_and_variables_are_expanded() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
        write(
            "core-site.xml",
            "<configuration><property><name>fs.s3a.endpoint</name><value>http://${host}:8000</value></property>\
             <property><name>host</name><value>${env.RGW}</value></property>\
             <property><name>fs.s3a.access.key</name><value> a </value></property></configuration>",
        );
        write(
            "spark-defaults.conf",
            "# mine\nspark.hadoop.fs.s3a.access.key  b\nspark.hadoop.fs.s3a.secret.key=c=d\nspark.x y\n",
        );
        let place = directory.path().display().to_string();
        let environment = |name: &str| match name {
            "HADOOP_CONF_DIR" | "SPARK_CONF_DIR" => Some(place.clone()),
            "RGW" => Some("rgw".to_owned()),
            _ => None,
        };
        let found = of_this_machine(&environment).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            found,
            [
                pair("fs.s3a.access.key", "b"),
                pair("fs.s3a.endpoint", "http://rgw:8000"),
                pair("fs.s3a.secret.key", "c=d"),
            ]
        );
    }

    #[test]
    fn a_file_that_is_no_xml_is_named() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("core-site.xml"), "<configuration><property>").unwrap();
        let place = directory.path().display().to_string();
        let failure = of_this_machine(&|name| (name == "HADOOP_CONF_DIR").then(|| place.clone())).unwrap_err();
        assert!(failure.message().contains("core-site.xml"), "{failure}");
    }
}
