//! How a file is expected to be read, under every name that Hadoop has for it.

/// How a file is expected to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadPolicy {
    /// From the start until it is read otherwise.
    #[default]
    Adaptive,
    /// From the start to the end.
    Sequential,
    /// Pieces here and there: footers and columns.
    Random,
}

impl ReadPolicy {
    /// Every name that is understood.
    pub const NAMES: &'static [&'static str] = &[
        "adaptive",
        "default",
        "normal",
        "sequential",
        "whole-file",
        "avro",
        "csv",
        "json",
        "random",
        "vector",
        "columnar",
        "parquet",
        "orc",
        "hbase",
    ];

    /// The policy that one of Hadoop's names means (values of `fs.option.openfile.read.policy` and of
    /// `fs.s3a.experimental.input.fadvise`), in either case.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "adaptive" | "default" | "normal" => Self::Adaptive,
            "sequential" | "whole-file" | "avro" | "csv" | "json" => Self::Sequential,
            "random" | "vector" | "columnar" | "parquet" | "orc" | "hbase" => Self::Random,
            _ => return None,
        })
    }

    /// The first name of a comma list that is understood: callers list the newest first and older ones after it.
    pub fn from_names(names: &str) -> Option<Self> {
        names.split(',').find_map(Self::from_name)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("parquet, vector, random, adaptive", Some(ReadPolicy::Random))]
    #[case("futuristic, sequential, adaptive", Some(ReadPolicy::Sequential))]
    #[case("Normal", Some(ReadPolicy::Adaptive))]
    #[case("futuristic", None)]
    #[case("", None)]
    fn the_first_known_name_counts(#[case] names: &str, #[case] policy: Option<ReadPolicy>) {
        assert_eq!(ReadPolicy::from_names(names), policy);
    }

    #[test]
    fn every_listed_name_is_understood() {
        assert!(ReadPolicy::NAMES.iter().all(|name| ReadPolicy::from_name(name).is_some()));
    }
}
