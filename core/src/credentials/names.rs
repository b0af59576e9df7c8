//! Names of credential providers: own ones, and the classes that S3A users name.

use crate::config::row::Row;
use crate::{Error, ErrorKind, Result};

/// A place where keys are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// `access.key` and `secret.key` of Hadoop's configuration.
    Static,
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    Environment,
    /// A token in a file, for which STS gives keys.
    WebIdentity,
    /// The AWS profile files.
    Profile,
    /// The platform that runs a container.
    Container,
    /// The instance metadata service.
    Instance,
    /// A role that STS gives keys for.
    AssumedRole,
    /// No keys: unsigned requests.
    Anonymous,
}

/// Own names.
const NAMES: &[(&str, Place)] = &[
    ("static", Place::Static),
    ("environment", Place::Environment),
    ("web-identity", Place::WebIdentity),
    ("profile", Place::Profile),
    ("container", Place::Container),
    ("instance", Place::Instance),
    ("assumed-role", Place::AssumedRole),
    ("anonymous", Place::Anonymous),
];

/// Packages whose classes are known by their last name.
const PACKAGES: &[&str] = &["org.apache.hadoop.fs.s3a.", "com.amazonaws.", "software.amazon.awssdk."];

const SDK_DEFAULT: &[Place] =
    &[Place::Environment, Place::WebIdentity, Place::Profile, Place::Container, Place::Instance];
const OF_THE_MACHINE: &[Place] = &[Place::Container, Place::Instance];

/// Class names without package, of S3A and of the AWS SDKs 1 and 2, and what stands for them here.
const CLASSES: &[(&str, &[Place])] = &[
    ("SimpleAWSCredentialsProvider", &[Place::Static]),
    ("TemporaryAWSCredentialsProvider", &[Place::Static]),
    ("BasicAWSCredentialsProvider", &[Place::Static]),
    ("AnonymousAWSCredentialsProvider", &[Place::Anonymous]),
    ("AnonymousCredentialsProvider", &[Place::Anonymous]),
    ("AnonymousAWSCredentials", &[Place::Anonymous]),
    ("EnvironmentVariableCredentialsProvider", &[Place::Environment]),
    ("ProfileAWSCredentialsProvider", &[Place::Profile]),
    ("ProfileCredentialsProvider", &[Place::Profile]),
    ("DefaultCredentialsProvider", SDK_DEFAULT),
    ("DefaultAWSCredentialsProviderChain", SDK_DEFAULT),
    ("IAMInstanceCredentialsProvider", OF_THE_MACHINE),
    ("SharedInstanceCredentialProvider", OF_THE_MACHINE),
    ("SharedInstanceProfileCredentialsProvider", OF_THE_MACHINE),
    ("EC2ContainerCredentialsProviderWrapper", OF_THE_MACHINE),
    ("InstanceProfileCredentialsProvider", &[Place::Instance]),
    ("ContainerCredentialsProvider", &[Place::Container]),
    ("WebIdentityTokenCredentialsProvider", &[Place::WebIdentity]),
    ("WebIdentityTokenFileCredentialsProvider", &[Place::WebIdentity]),
    ("StsWebIdentityTokenFileCredentialsProvider", &[Place::WebIdentity]),
    ("AssumedRoleCredentialProvider", &[Place::AssumedRole]),
];

/// The places that `names` mean, in order, each once. `row` is the option that they are the value of.
///
/// # Errors
/// `UnknownProvider` for a name that is not known.
pub(super) fn read(names: &[String], row: &Row) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    for name in names {
        for place in of_name(name).ok_or_else(|| unknown(name, row))? {
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    Ok(places)
}

fn of_name(name: &str) -> Option<Vec<Place>> {
    if let Some((_, place)) = NAMES.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)) {
        return Some(vec![*place]);
    }
    PACKAGES.iter().find(|package| name.starts_with(*package))?;
    let class = name.rsplit(['.', '$']).next()?;
    CLASSES.iter().find(|(known, _)| *known == class).map(|(_, places)| places.to_vec())
}

fn unknown(name: &str, row: &Row) -> Error {
    let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
    let classes: Vec<_> = CLASSES.iter().map(|(class, _)| *class).collect();
    Error::new(
        ErrorKind::UnknownProvider,
        format!(
            "option {} (fs.s3a.{}): the credential provider \"{name}\" is not known here, and classes are not loaded; \
             write one or more of {}, or of the classes of S3A and the AWS SDKs {}",
            row.key(),
            row.hadoop.first().copied().unwrap_or(row.name),
            names.join(", "),
            classes.join(", ")
        ),
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::config::table::CREDENTIALS_PROVIDER;

    fn names(text: &str) -> Vec<String> {
        text.split(',').map(|name| name.trim().to_owned()).collect()
    }

    const ROW: Row = CREDENTIALS_PROVIDER;

    #[rstest]
    #[case("static,environment,profile,anonymous", &[Place::Static, Place::Environment, Place::Profile, Place::Anonymous])]
    #[case("Environment,container,INSTANCE", &[Place::Environment, Place::Container, Place::Instance])]
    #[case("web-identity,assumed-role", &[Place::WebIdentity, Place::AssumedRole])]
    #[case("org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider", &[Place::Static])]
    #[case("org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider", &[Place::Anonymous])]
    #[case("software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider", &[Place::Anonymous])]
    #[case("org.apache.hadoop.fs.s3a.auth.ProfileAWSCredentialsProvider", &[Place::Profile])]
    #[case("com.amazonaws.auth.profile.ProfileCredentialsProvider", &[Place::Profile])]
    #[case("com.amazonaws.auth.DefaultAWSCredentialsProviderChain", SDK_DEFAULT)]
    #[case("software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider", SDK_DEFAULT)]
    #[case("org.apache.hadoop.fs.s3a.auth.AssumedRoleCredentialProvider", &[Place::AssumedRole])]
    #[case("com.amazonaws.auth.InstanceProfileCredentialsProvider", &[Place::Instance])]
    #[case("com.amazonaws.auth.EC2ContainerCredentialsProviderWrapper", OF_THE_MACHINE)]
    #[case("com.amazonaws.auth.WebIdentityTokenCredentialsProvider", &[Place::WebIdentity])]
    #[case("software.amazon.awssdk.auth.credentials.WebIdentityTokenFileCredentialsProvider", &[Place::WebIdentity])]
    fn every_name_finds_its_place(#[case] text: &str, #[case] places: &[Place]) {
        assert_eq!(read(&names(text), &ROW).unwrap(), places);
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
            let places = [Place::Static, Place::Environment, Place::Container, Place::Instance];
            assert_eq!(read(&list, &ROW).unwrap(), places);
        }
    }

    #[rstest]
    #[case("com.example.SimpleAWSCredentialsProvider")]
    #[case("SimpleAWSCredentialsProvider")]
    #[case("vault")]
    fn an_unknown_name_lists_the_known_ones(#[case] name: &str) {
        let error = read(&names(name), &ROW).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownProvider);
        for part in [name, "fs.s3a.aws.credentials.provider", "web-identity", "ProfileAWSCredentialsProvider"] {
            assert!(error.message().contains(part), "{part}: {error}");
        }
    }
}
