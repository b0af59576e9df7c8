//! Keys that somebody issues: roles, platforms, profiles that lead to them.

use rstest::rstest;

use super::*;

/// What the provider chain says of itself.
#[track_caller]
fn asked(world: &World) -> String {
    let (value, origin) = explained(&world.options(), "access.key");
    assert_eq!(value, "");
    origin.strip_prefix("asked for when they are needed: ").unwrap().to_owned()
}

#[test]
fn the_instance_is_asked_by_default_where_its_keys_are_good() {
    assert_eq!(asked(&World::bare("")), "instance metadata at http://169.254.169.254");
    let ceph = "fs.s3a.endpoint=http://rgw";
    assert_eq!(World::bare(ceph).error().kind(), ErrorKind::NoCredentials);
    let named = World::bare(ceph).environment("AWS_EC2_METADATA_SERVICE_ENDPOINT=http://[fd00:ec2::254]");
    assert_eq!(asked(&named), "instance metadata at http://[fd00:ec2::254]");
    let class = "fs.s3a.aws.credentials.provider=com.amazonaws.auth.InstanceProfileCredentialsProvider";
    assert_eq!(asked(&World::bare(&format!("{ceph} {class}"))), "instance metadata at http://169.254.169.254");
    let off = World::bare(&format!("{ceph} {class}")).environment("AWS_EC2_METADATA_DISABLED=true").error();
    assert!(off.message().contains("AWS_EC2_METADATA_DISABLED"), "{off}");
}

#[rstest]
#[case("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/x", "http://169.254.170.2")]
#[case("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1/credentials", "http://169.254.170.23")]
#[case("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://[::1]:9000", "http://[::1]:9000")]
#[case("AWS_CONTAINER_CREDENTIALS_FULL_URI=https://keys.example/a?b=c", "https://keys.example")]
fn a_container_names_its_platform(#[case] variable: &str, #[case] address: &str) {
    let world = World::bare("fs.s3a.endpoint=http://rgw").environment(variable);
    assert_eq!(asked(&world), format!("container credentials at {address}"));
}

#[test]
fn keys_do_not_cross_the_network_unencrypted() {
    let variable = "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://keys.example/a";
    let error = World::bare("fs.s3a.endpoint=http://rgw").environment(variable).error();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    assert!(error.message().contains("https://"), "{error}");
}

const ROLE: &str = "fs.s3a.aws.credentials.provider=org.apache.hadoop.fs.s3a.auth.AssumedRoleCredentialProvider \
                    fs.s3a.assumed.role.arn=arn:aws:iam:::role/r";

#[rstest]
#[case::radosgw_itself("fs.s3a.endpoint=http://rgw:8000", "http://rgw:8000")]
#[case::amazons_of_the_region("fs.s3a.endpoint.region=eu-west-1", "https://sts.eu-west-1.amazonaws.com")]
#[case::amazons_of_another(
    "fs.s3a.endpoint.region=eu-west-1 fs.s3a.assumed.role.sts.endpoint.region=us-west-2",
    "https://sts.us-west-2.amazonaws.com"
)]
#[case::as_named("fs.s3a.endpoint=http://rgw fs.s3a.assumed.role.sts.endpoint=sts.example", "https://sts.example")]
fn roles_are_taken_on_at_the_sts_of_the_service(#[case] text: &str, #[case] sts: &str) {
    assert_eq!(asked(&World::hadoop(&format!("{ROLE} {text}"))), format!("role arn:aws:iam:::role/r of {sts}"));
}

#[rstest]
#[case("fs.s3a.aws.credentials.provider=assumed-role", "fs.s3a.assumed.role.arn")]
#[case(&format!("{ROLE} fs.s3a.assumed.role.credentials.provider=assumed-role"), "its own keys")]
#[case(&format!("{ROLE} fs.s3a.assumed.role.session.duration=13h"), "12h")]
#[case(&format!("{ROLE} fs.s3a.assumed.role.credentials.provider=com.example.Provider"), "com.example.Provider")]
fn a_role_without_what_it_needs_is_an_error(#[case] text: &str, #[case] part: &str) {
    let error = World::hadoop(&format!("fs.s3a.endpoint=http://rgw {text}")).error();
    let kind = if part.ends_with("Provider") { ErrorKind::UnknownProvider } else { ErrorKind::InvalidOption };
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.message().contains(part), "{error}");
}

#[rstest]
#[case::nobody("fs.s3a.endpoint=http://rgw fs.s3a.access.key=k fs.s3a.secret.key=s", false)]
#[case::endpoint("fs.s3a.endpoint=https://rgw fs.s3a.access.key=k fs.s3a.secret.key=s", true)]
#[case::sts(
    "fs.s3a.endpoint=http://rgw fs.s3a.assumed.role.sts.endpoint=https://sts fs.s3a.assumed.role.arn=r \
     fs.s3a.aws.credentials.provider=assumed-role fs.s3a.access.key=k fs.s3a.secret.key=s",
    true
)]
#[case::plain_sts(
    "fs.s3a.endpoint=http://rgw fs.s3a.assumed.role.arn=r fs.s3a.aws.credentials.provider=assumed-role \
     fs.s3a.access.key=k fs.s3a.secret.key=s",
    false
)]
#[case::container("fs.s3a.endpoint=http://rgw fs.s3core.container.credentials.uri=https://keys/x", true)]
#[case::base_of_a_role(
    "fs.s3a.endpoint=http://rgw fs.s3a.assumed.role.arn=r fs.s3a.aws.credentials.provider=assumed-role \
     fs.s3a.assumed.role.credentials.provider=container fs.s3core.container.credentials.uri=https://keys/x",
    true
)]
#[case::proxy(
    "fs.s3a.endpoint=http://rgw fs.s3a.access.key=k fs.s3a.secret.key=s fs.s3a.proxy.host=p fs.s3a.proxy.ssl.enabled=true",
    true
)]
fn whoever_speaks_tls_needs_issuers_to_trust(#[case] text: &str, #[case] speaks_tls: bool) {
    assert_eq!(World::bare(text).options().speaks_tls(), speaks_tls);
}

#[test]
fn a_role_needs_keys_of_somebody_else() {
    let error = World::bare(&format!("fs.s3a.endpoint=http://rgw {ROLE}")).error();
    assert_eq!(error.kind(), ErrorKind::NoCredentials);
    assert!(error.message().contains("AWS_ACCESS_KEY_ID"), "{error}");
}

#[test]
fn a_web_identity_needs_a_role() {
    let error = World::bare("").environment("AWS_WEB_IDENTITY_TOKEN_FILE=/var/token").error();
    assert!(error.message().contains("AWS_ROLE_ARN"), "{error}");
}

const PLATFORM: &str = "AWS_WEB_IDENTITY_TOKEN_FILE=/var/token AWS_ROLE_ARN=arn:aws:iam:::role/r";

#[rstest]
#[case::amazon("", "https://sts.us-east-1.amazonaws.com")]
#[case::named_provider("fs.s3a.endpoint=http://rgw fs.s3core.credentials.provider=web-identity", "http://rgw")]
#[case::named_service("fs.s3a.endpoint=http://rgw fs.s3a.assumed.role.sts.endpoint=http://sts", "http://sts")]
#[case::named_token("fs.s3a.endpoint=http://rgw fs.s3core.web.identity.token.file=/t", "http://rgw")]
fn the_token_of_a_platform_is_shown_where_that_is_meant(#[case] text: &str, #[case] sts: &str) {
    let shown = asked(&World::bare(text).environment(PLATFORM));
    assert!(shown.starts_with(&format!("web identity for role arn:aws:iam:::role/r of {sts}")), "{shown}");
}

#[test]
fn the_token_of_a_platform_is_not_shown_to_others_than_amazon() {
    let error = World::bare("fs.s3a.endpoint=http://rgw").environment(PLATFORM).error();
    assert_eq!(error.kind(), ErrorKind::NoCredentials, "{error}");
    assert!(error.message().contains("fs.s3a.assumed.role.sts.endpoint"), "{error}");
    let world = World::bare("fs.s3a.endpoint=http://rgw").environment(PLATFORM);
    let world = world.profiles("[default]\naws_access_key_id=dk\naws_secret_access_key=ds\n", "");
    assert_eq!(world.options().gateway.credentials.lasting().unwrap().access_key, "dk");
}

#[rstest]
#[case::role("role_arn = arn:r\nsource_profile = base", "role arn:r of http://rgw")]
#[case::own_keys(
    "role_arn = arn:r\nsource_profile = default\naws_access_key_id = k\naws_secret_access_key = s",
    "role arn:r of http://rgw"
)]
#[case::web_identity("role_arn = arn:r\nweb_identity_token_file = /t", "web identity for role arn:r of http://rgw")]
#[case::instance("role_arn = arn:r\ncredential_source = Ec2InstanceMetadata", "role arn:r of http://rgw")]
#[case::process("credential_process = /opt/keys --token swordfish", "credential_process")]
fn profiles_lead_to_keys(#[case] profile: &str, #[case] shown: &str) {
    let config = format!("[default]\n{profile}\n[profile base]\naws_access_key_id = k\naws_secret_access_key = s\n");
    let world = World::bare("fs.s3a.endpoint=http://rgw").profiles("", &config);
    assert_eq!(asked(&world), shown);
    assert!(!format!("{:?}", world.options().gateway.credentials).contains("swordfish"));
}

#[rstest]
#[case("role_arn = arn:r", "source_profile")]
#[case("role_arn = arn:r\nsource_profile = nobody", "\"nobody\"")]
#[case("role_arn = arn:r\nsource_profile = empty", "\"empty\" has no keys")]
#[case("role_arn = arn:r\nsource_profile = ring", "its own source")]
#[case("role_arn = arn:r\nsource_profile = default", "has no keys")]
#[case("role_arn = arn:r\nsource_profile = half", "aws_secret_access_key")]
#[case("role_arn = arn:r\ncredential_source = Sun", "Ec2InstanceMetadata")]
#[case("role_arn = arn:r\nsource_profile = half\ncredential_source = Environment", "exclude each other")]
#[case("role_arn = arn:r\nsource_profile = half\nmfa_serial = x", "mfa_serial")]
#[case("role_arn = arn:r\nsource_profile = half\nduration_seconds = long", "duration_seconds")]
fn a_profile_that_leads_nowhere_says_why(#[case] profile: &str, #[case] part: &str) {
    let others =
        "[profile empty]\n[profile half]\naws_access_key_id=k\n[profile ring]\nrole_arn=r\nsource_profile=default\n";
    let error =
        World::bare("fs.s3a.endpoint=http://rgw").profiles("", &format!("[default]\n{profile}\n{others}")).error();
    assert_eq!(error.kind(), ErrorKind::InvalidOption, "{error}");
    assert!(error.message().contains(part), "{error}");
}
