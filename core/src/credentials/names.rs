//! Names of credential providers: own ones, and the classes that S3A users name.

use crate::{Error, ErrorKind, Result};

/// A place where keys are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    /// `access.key` and `secret.key` of Hadoop's configuration.
    Static,
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    Environment,
    /// The AWS profile files.
    Profile,
    /// No keys: unsigned requests.
    Anonymous,
}

/// Packages whose classes are known by their last name.
const PACKAGES: &[&str] = &["org.apache.hadoop.fs.s3a.", "com.amazonaws.", "software.amazon.awssdk."];

/// Class names without package, of S3A and of the AWS SDKs 1 and 2, and what stands for them here. None: a source of
/// keys that is passed over, because `core-default.xml` lists it for everybody and users list it beside others.
const CLASSES: &[(&str, &[Provider])] = &[
    ("SimpleAWSCredentialsProvider", &[Provider::Static]),
    ("TemporaryAWSCredentialsProvider", &[Provider::Static]),
    ("AnonymousAWSCredentialsProvider", &[Provider::Anonymous]),
    ("AnonymousCredentialsProvider", &[Provider::Anonymous]),
    ("AnonymousAWSCredentials", &[Provider::Anonymous]),
    ("EnvironmentVariableCredentialsProvider", &[Provider::Environment]),
    ("ProfileAWSCredentialsProvider", &[Provider::Profile]),
    ("ProfileCredentialsProvider", &[Provider::Profile]),
    ("DefaultCredentialsProvider", &[Provider::Environment, Provider::Profile]),
    ("DefaultAWSCredentialsProviderChain", &[Provider::Environment, Provider::Profile]),
    ("IAMInstanceCredentialsProvider", &[]),
    ("SharedInstanceCredentialProvider", &[]),
    ("InstanceProfileCredentialsProvider", &[]),
    ("EC2ContainerCredentialsProviderWrapper", &[]),
    ("ContainerCredentialsProvider", &[]),
    ("WebIdentityTokenCredentialsProvider", &[]),
    ("WebIdentityTokenFileCredentialsProvider", &[]),
    ("AssumedRoleCredentialProvider", &[]),
];

/// The places that `names` mean, in order, each once.
///
/// # Errors
/// `InvalidOption` for a name that is not known.
pub(crate) fn read(names: &[String]) -> Result<Vec<Provider>> {
    let mut places = Vec::new();
    for name in names {
        for place in of_name(name).ok_or_else(|| unknown(name))? {
            if !places.contains(place) {
                places.push(*place);
            }
        }
    }
    Ok(places)
}

/// Those of `names` that are passed over.
pub(crate) fn passed_over(names: &[String]) -> Vec<&str> {
    names.iter().filter(|name| of_name(name).is_some_and(<[Provider]>::is_empty)).map(String::as_str).collect()
}

fn of_name(name: &str) -> Option<&'static [Provider]> {
    match name.to_ascii_lowercase().as_str() {
        "static" => return Some(&[Provider::Static]),
        "environment" => return Some(&[Provider::Environment]),
        "profile" => return Some(&[Provider::Profile]),
        "anonymous" => return Some(&[Provider::Anonymous]),
        _ => {}
    }
    PACKAGES.iter().find(|package| name.starts_with(*package))?;
    let class = name.rsplit('.').next()?;
    CLASSES.iter().find(|(known, _)| *known == class).map(|(_, places)| *places)
}

fn unknown(name: &str) -> Error {
    let classes: Vec<_> = CLASSES.iter().filter(|(_, places)| !places.is_empty()).map(|(class, _)| *class).collect();
    Error::new(
        ErrorKind::InvalidOption,
        format!(
            "option fs.s3core.credentials.provider (fs.s3a.aws.credentials.provider): \"{name}\" is not known here, and \
             classes are not loaded; write static, environment, profile or anonymous, or one of the classes of S3A and \
             the AWS SDKs {}",
            classes.join(", ")
        ),
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split(',').map(|name| name.trim().to_owned()).collect()
    }

    #[rstest]
    #[case("static,environment,profile,anonymous", &[Provider::Static, Provider::Environment, Provider::Profile, Provider::Anonymous])]
    #[case("Environment", &[Provider::Environment])]
    #[case("org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider", &[Provider::Static])]
    #[case("org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider", &[Provider::Anonymous])]
    #[case("software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider", &[Provider::Anonymous])]
    #[case("org.apache.hadoop.fs.s3a.auth.ProfileAWSCredentialsProvider", &[Provider::Profile])]
    #[case("com.amazonaws.auth.profile.ProfileCredentialsProvider", &[Provider::Profile])]
    #[case("com.amazonaws.auth.DefaultAWSCredentialsProviderChain", &[Provider::Environment, Provider::Profile])]
    #[case("org.apache.hadoop.fs.s3a.auth.AssumedRoleCredentialProvider", &[])]
    #[case("com.amazonaws.auth.InstanceProfileCredentialsProvider", &[])]
    fn every_name_finds_its_place(#[case] text: &str, #[case] places: &[Provider]) {
        assert_eq!(read(&names(text)).unwrap(), places);
    }

    #[test]
    fn the_list_of_core_default_is_understood_on_both_sdks() {
        for environment in ["com.amazonaws.auth", "software.amazon.awssdk.auth.credentials"] {
            let list = names(&format!(
                "org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider,
                 org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider,
                 {environment}.EnvironmentVariableCredentialsProvider,
                 org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider"
            ));
            assert_eq!(read(&list).unwrap(), [Provider::Static, Provider::Environment]);
            assert_eq!(passed_over(&list), ["org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider"]);
        }
    }

    #[rstest]
    #[case("com.example.SimpleAWSCredentialsProvider")]
    #[case("SimpleAWSCredentialsProvider")]
    #[case("vault")]
    fn an_unknown_name_lists_the_known_ones(#[case] name: &str) {
        let error = read(&names(name)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOption);
        assert!(error.message().contains(name) && error.message().contains("ProfileAWSCredentialsProvider"), "{error}");
    }
}
