//! The resolver as a whole: order of the sources, errors, explanations.

mod of_hadoop;

use std::collections::HashMap;
use std::fs;

use rstest::rstest;

use super::*;
use crate::gateway::{CustomerKey, Encryption};

/// Sources of a test; a home directory holds the profile files.
#[derive(Default)]
struct World {
    explicit: Vec<(String, String)>,
    hadoop: Vec<(String, String)>,
    environment: HashMap<String, String>,
    home: Option<tempfile::TempDir>,
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split_whitespace().map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

impl World {
    /// Keys that are enough, in Hadoop's configuration, and what else it says.
    fn hadoop(text: &str) -> Self {
        Self::bare(&format!("fs.s3a.access.key=devkey fs.s3a.secret.key=devsecret {text}"))
    }

    fn bare(text: &str) -> Self {
        Self { hadoop: pairs(text), ..Self::default() }
    }

    fn explicit(mut self, text: &str) -> Self {
        self.explicit = pairs(text);
        self
    }

    fn environment(mut self, text: &str) -> Self {
        self.environment = pairs(text).into_iter().collect();
        self
    }

    fn profiles(mut self, credentials: &str, config: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".aws")).unwrap();
        fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
        fs::write(home.path().join(".aws/config"), config).unwrap();
        self.home = Some(home);
        self
    }

    fn resolve(&self) -> Result<Options> {
        self.resolve_for("lake")
    }

    fn resolve_for(&self, bucket: &str) -> Result<Options> {
        Options::resolve(
            bucket,
            &Sources {
                explicit: self.explicit.clone(),
                hadoop: self.hadoop.clone(),
                environment: &|name| self.environment.get(name).cloned(),
                home: self.home.as_ref().map(|home| home.path().to_owned()),
            },
        )
    }

    #[track_caller]
    fn options(&self) -> Options {
        self.resolve().unwrap()
    }

    #[track_caller]
    fn error(&self) -> Error {
        self.resolve().map(|_| ()).unwrap_err()
    }
}

#[track_caller]
fn explained(options: &Options, name: &str) -> (String, String) {
    let line = options.explain().into_iter().find(|line| line.option == format!("fs.s3core.{name}")).unwrap();
    (line.value, line.origin)
}

#[test]
fn endpoint_and_keys_are_enough() {
    let options = World::hadoop("fs.s3a.endpoint=http://rgw:8000").options();
    assert_eq!(options.gateway.endpoint.to_string(), "http://rgw:8000");
    assert!(options.gateway.path_style);
    assert_eq!(options.gateway.region, "us-east-1");
    assert_eq!(options.gateway.credentials.lasting().unwrap().access_key, "devkey");
    assert_eq!(options.gateway.retry, RetryPolicy::default());
    assert_eq!(options.transfer.part_size, 64 << 20);
    assert_eq!(options.transfer.upload_concurrency, 4);
    assert_eq!(options.transfer.memory_limit, None);
    assert_eq!(options.transfer.buffer_directory, std::env::temp_dir());
    assert!(options.transport.trust.use_system_store);
    assert_eq!(options.gateway.user_agent, "");
}

/// The values of `core-default.xml` of Hadoop 2.10, 3.3 and 3.4 that would be wrong on Ceph.
#[rstest]
#[case("fs.s3a.connection.maximum=15 fs.s3a.attempts.maximum=20")]
#[case("fs.s3a.connection.maximum=96 fs.s3a.attempts.maximum=20")]
#[case("fs.s3a.connection.maximum=96 fs.s3a.attempts.maximum=5")]
fn what_hadoop_ships_is_no_wish(#[case] shipped: &str) {
    let text = format!("fs.s3a.endpoint=http://rgw fs.s3a.path.style.access=false fs.s3a.buffer.dir= {shipped}");
    let options = World::hadoop(&text).options();
    assert!(options.gateway.path_style);
    assert_eq!(options.transport.maximum_connections, 96);
    assert_eq!(options.gateway.retry.brief_attempts, 8);
    assert_eq!(explained(&options, "path.style.access"), ("true".to_owned(), "default for the endpoint".to_owned()));
}

#[test]
fn the_providers_that_hadoop_ships_do_not_shut_the_profile_out() {
    let mut world =
        World::bare("fs.s3core.profile=dev").profiles("[dev]\naws_access_key_id=dk\naws_secret_access_key=ds\n", "");
    let list = "
        org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider,
        org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider,
        software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider,
        org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider
    ";
    world.hadoop.push(("fs.s3a.aws.credentials.provider".to_owned(), list.to_owned()));
    assert_eq!(world.options().gateway.credentials.lasting().unwrap().access_key, "dk");
}

#[rstest]
#[case("fs.s3a.bucket.lake.path.style.access=false")]
#[case("fs.s3core.path.style.access=false")]
fn a_wish_for_virtual_hosts_that_hadoop_does_not_ship_counts(#[case] wish: &str) {
    assert!(!World::hadoop(&format!("fs.s3a.endpoint=http://rgw {wish}")).options().gateway.path_style);
}

/// Each case takes the strongest source of the one before away.
#[rstest]
#[case(0, "explicit", "argument region")]
#[case(1, "own-bucket", "fs.s3core.bucket.lake.region")]
#[case(2, "bucket", "fs.s3a.bucket.lake.endpoint.region")]
#[case(3, "own-plain", "fs.s3core.region")]
#[case(4, "plain", "fs.s3a.endpoint.region")]
#[case(5, "variable", "AWS_REGION")]
#[case(6, "second-variable", "AWS_DEFAULT_REGION")]
#[case(7, "profile", "profile default in ~/.aws/config")]
#[case(8, "us-east-1", "default")]
fn stronger_sources_win(#[case] taken_away: usize, #[case] region: &str, #[case] origin: &str) {
    let from = |index: usize, text: &'static str| if index < taken_away { "" } else { text };
    let hadoop = [
        from(1, "fs.s3core.bucket.lake.region=own-bucket"),
        from(2, "fs.s3a.bucket.lake.endpoint.region=bucket"),
        from(3, "fs.s3core.region=own-plain"),
        from(4, "fs.s3a.endpoint.region=plain"),
        "fs.s3a.bucket.other.endpoint.region=other",
    ];
    let options = World::hadoop(&hadoop.join(" "))
        .explicit(from(0, "region=explicit"))
        .environment(&[from(5, "AWS_REGION=variable"), from(6, "AWS_DEFAULT_REGION=second-variable")].join(" "))
        .profiles("", from(7, "[default]\nregion = profile\n"))
        .options();
    assert_eq!(options.gateway.region, region);
    assert_eq!(explained(&options, "region"), (region.to_owned(), origin.to_owned()));
}

#[test]
fn buckets_with_dots_find_their_own_keys() {
    let world = World::hadoop("fs.s3a.bucket.data.lake.endpoint=http://one fs.s3core.bucket.data.lake.region=here");
    let options = world.resolve_for("data.lake").unwrap();
    assert_eq!(options.gateway.endpoint.host, "one");
    assert_eq!(options.gateway.region, "here");
    world.resolve_for("data").unwrap();
}

#[test]
fn a_profile_that_is_asked_for_goes_before_the_environment() {
    let credentials = "[dev]\naws_access_key_id=dk\naws_secret_access_key=ds\n";
    let world = World::bare("")
        .environment("AWS_ACCESS_KEY_ID=ek AWS_SECRET_ACCESS_KEY=es AWS_PROFILE=dev")
        .profiles(credentials, "[profile dev]\nendpoint_url = http://rgw:7480\n");
    let options = world.options();
    assert_eq!(options.gateway.credentials.lasting().unwrap().access_key, "ek");
    assert_eq!(options.gateway.endpoint.to_string(), "http://rgw:7480");

    let options = world.explicit("profile=dev").options();
    assert_eq!(explained(&options, "secret.key"), ("***".to_owned(), "profile dev in ~/.aws/credentials".to_owned()));
    assert_eq!(options.gateway.credentials.lasting().unwrap().access_key, "dk");
}

#[test]
fn both_keys_come_from_one_source() {
    let options = World::bare("fs.s3a.secret.key=plain fs.s3a.session.token=plain fs.s3a.access.key=plain")
        .explicit("access_key=mine secret_key=mine")
        .options();
    let keys = options.gateway.credentials.lasting().unwrap().clone();
    assert_eq!((keys.access_key.as_str(), keys.secret_key.as_str(), keys.session_token), ("mine", "mine", None));
}

#[rstest]
#[case(World::bare("").explicit("access_key=visible"), "argument access_key", "argument secret_key")]
#[case(World::bare("").explicit("secret_key=hidden"), "argument secret_key", "argument access_key")]
#[case(World::bare("").explicit("session_token=hidden"), "argument session_token", "argument access_key")]
#[case(World::bare("fs.s3a.secret.key=hidden"), "fs.s3a.secret.key", "fs.s3a.access.key")]
#[case(
    World::hadoop("fs.s3a.bucket.lake.access.key=k"),
    "fs.s3a.bucket.lake.access.key",
    "fs.s3a.bucket.lake.secret.key"
)]
#[case(World::bare("").environment("AWS_ACCESS_KEY_ID=k"), "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
#[case(
    World::bare("").profiles("[default]\naws_secret_access_key=hidden\n", ""),
    "profile default in ~/.aws/credentials",
    "aws_access_key_id in profile default"
)]
fn half_a_pair_names_what_is_missing(#[case] world: World, #[case] given: &str, #[case] missing: &str) {
    let error = world.error();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    assert!(error.message().starts_with(given), "{error}");
    assert!(error.message().contains(&format!("set {missing} too")), "{error}");
    assert!(!error.message().contains("hidden"), "{error}");
}

#[test]
fn no_keys_at_all_lists_the_places() {
    let error = World::bare("fs.s3a.endpoint=http://rgw").profiles("[dev]\nregion=x\n", "").error();
    assert_eq!(error.kind(), ErrorKind::NoCredentials);
    for place in [
        "bucket lake",
        "argument access_key",
        "fs.s3a.bucket.lake.access.key",
        "fs.s3a.access.key",
        "AWS_ACCESS_KEY_ID",
        "profile default in ~/.aws/credentials (no such profile) and ~/.aws/config (no such profile)",
        "fs.s3core.anonymous=true",
    ] {
        assert!(error.message().contains(place), "{place}: {error}");
    }
}

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

#[rstest]
#[case("fs.s3a.aws.credentials.provider=org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider")]
#[case("fs.s3core.credentials.provider=profile,anonymous")]
#[case("fs.s3core.anonymous=TRUE fs.s3a.access.key=k fs.s3a.secret.key=s")]
fn unsigned_requests_are_asked_for(#[case] text: &str) {
    let options = World::bare(text).options();
    assert!(options.gateway.credentials.is_anonymous());
    assert_eq!(explained(&options, "access.key"), (String::new(), "none: unsigned requests".to_owned()));
}

#[test]
fn keys_and_anonymous_in_one_call_contradict_each_other() {
    let error = World::bare("").explicit("access_key=k secret_key=s anonymous=true").error();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
}

#[test]
fn the_provider_list_sets_the_order() {
    let options = World::hadoop("fs.s3core.credentials.provider=environment,static")
        .environment("AWS_ACCESS_KEY_ID=ek AWS_SECRET_ACCESS_KEY=es AWS_SESSION_TOKEN=et")
        .options();
    assert_eq!(explained(&options, "access.key"), ("ek".to_owned(), "AWS_ACCESS_KEY_ID".to_owned()));
    assert_eq!(explained(&options, "session.token"), ("***".to_owned(), "AWS_SESSION_TOKEN".to_owned()));
}

#[rstest]
#[case("fs.s3core.endpont=x", "fs.s3core.endpoint")]
#[case("fs.s3core.endpoint.region=x", "fs.s3core.region")]
#[case("fs.s3core.bucket.lake.acces.key=x", "fs.s3core.bucket.lake.access.key")]
#[case("fs.s3core.Region=x", "fs.s3core.region")]
fn an_unknown_own_key_names_the_near_one(#[case] text: &str, #[case] near: &str) {
    let error = World::hadoop(text).error();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    assert!(error.message().contains(text.trim_end_matches("=x")), "{error}");
    assert!(error.message().contains(&format!("did you mean {near}?")), "{error}");
}

#[rstest]
#[case("endpoint_ulr=x", "did you mean endpoint?")]
#[case("secretkey=x", "did you mean secret_key?")]
#[case("fs.s3a.access.key=x", "did you mean access_key?")]
#[case("colour_of_the_sky=x", "docs/options.md")]
fn an_unknown_argument_names_the_near_one(#[case] text: &str, #[case] remedy: &str) {
    let error = World::hadoop("").explicit(text).error();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    assert!(error.message().contains(remedy), "{error}");
}

#[rstest]
#[case("multipart_size=16M")]
#[case("multipart.size=16M")]
#[case("fs.s3core.multipart.size=16M")]
fn arguments_have_own_names(#[case] text: &str) {
    assert_eq!(World::hadoop("").explicit(text).options().transfer.part_size, 16 << 20);
}

#[rstest]
#[case("fs.s3a.multipart.size=64X", &["fs.s3core.multipart.size", "\"64X\"", "fs.s3a.multipart.size", "64MiB"])]
#[case("fs.s3a.multipart.size=6G", &["\"6G\"", "5G"])]
#[case("fs.s3a.connection.timeout=soon", &["\"soon\"", "60s", "milliseconds"])]
#[case("fs.s3a.connection.timeout=0", &["\"0\"", "1ms to 1d"])]
#[case("fs.s3core.retry.patience=1w", &["\"1w\"", "seconds"])]
#[case("fs.s3a.path.style.access=yes", &["\"yes\"", "true or false"])]
#[case("fs.s3a.connection.maximum=0", &["1 to 10000"])]
#[case("fs.s3a.connection.maximum=many", &["whole number"])]
#[case("fs.s3a.experimental.input.fadvise=fast", &["\"fast\"", "sequential"])]
#[case("fs.s3a.bucket.lake.endpoint=http://rgw/lake", &["fs.s3a.bucket.lake.endpoint", "http://rgw,"])]
#[case("fs.s3a.endpoint.region=eu/west", &["fs.s3a.endpoint.region", "eu/west"])]
#[case("fs.s3a.endpoint=http://10.0.0.1 fs.s3core.path.style.access=false", &["path.style.access", "address"])]
fn a_bad_value_names_key_origin_value_and_spelling(#[case] text: &str, #[case] parts: &[&str]) {
    let error = World::hadoop(text).error();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    for part in parts {
        assert!(error.message().contains(part), "{part}: {error}");
    }
}

#[test]
fn a_time_in_a_call_says_its_unit() {
    let error = World::hadoop("").explicit("connection_timeout=60").error();
    assert!(error.message().contains("60s or 60ms"), "{error}");
    let options = World::hadoop("").explicit("connection_timeout=60s retry_patience=60").options();
    assert_eq!(options.gateway.limits.answer, Duration::from_secs(60));
    assert_eq!(options.gateway.retry.patience, Duration::from_secs(60));
}

#[rstest]
#[case("8388608", 8 << 20)]
#[case("5M", 8 << 20)]
#[case("65M", 68 << 20)]
#[case("104857600", 100 << 20)]
#[case("5G", 5 << 30)]
fn parts_are_multiples_of_cephs_stripe(#[case] written: &str, #[case] bytes: u64) {
    assert_eq!(World::hadoop(&format!("fs.s3a.multipart.size={written}")).options().transfer.part_size, bytes);
}

#[rstest]
#[case("", "https://s3.us-east-1.amazonaws.com", "us-east-1", false)]
#[case("fs.s3a.endpoint= fs.s3a.endpoint.region=eu-west-1", "https://s3.eu-west-1.amazonaws.com", "eu-west-1", false)]
#[case("fs.s3a.endpoint=s3.eu-west-1.amazonaws.com", "https://s3.eu-west-1.amazonaws.com", "eu-west-1", false)]
#[case("fs.s3a.endpoint=rgw:8000", "https://rgw:8000", "us-east-1", true)]
#[case("fs.s3a.endpoint=rgw:8000 fs.s3a.connection.ssl.enabled=false", "http://rgw:8000", "us-east-1", true)]
fn endpoint_region_and_style_follow_from_each_other(
    #[case] text: &str,
    #[case] endpoint: &str,
    #[case] region: &str,
    #[case] path_style: bool,
) {
    let gateway = World::hadoop(text).options().gateway;
    assert_eq!(gateway.endpoint.to_string(), endpoint);
    assert_eq!(gateway.region, region);
    assert_eq!(gateway.path_style, path_style);
}

#[test]
fn bucket_names_are_checked_for_the_style() {
    World::hadoop("fs.s3a.endpoint=http://rgw").resolve_for("data_lake").unwrap();
    let error = World::hadoop("").resolve_for("data_lake").map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidPath);
}

#[test]
fn amazon_buckets_with_dots_are_reached_in_path_style() {
    assert!(World::hadoop("").resolve_for("data.lake").unwrap().gateway.path_style);
}

#[rstest]
#[case("", None)]
#[case("fs.s3a.proxy.host=proxy", Some("http://proxy"))]
#[case("fs.s3a.proxy.host=proxy fs.s3a.proxy.port=3128", Some("http://proxy:3128"))]
#[case("fs.s3a.proxy.host=proxy fs.s3a.proxy.ssl.enabled=true", Some("https://proxy"))]
#[case("fs.s3a.bucket.lake.proxy.host=[::1] fs.s3core.proxy.port=1", Some("http://[::1]:1"))]
#[case("fs.s3a.bucket.other.proxy.host=proxy", None)]
fn the_proxy_is_named_as_s3a_names_it(#[case] text: &str, #[case] address: Option<&str>) {
    let proxy = World::hadoop(text).options().transport.proxy;
    assert_eq!(proxy.map(|proxy| proxy.endpoint.to_string()).as_deref(), address);
}

#[rstest]
#[case("fs.s3a.proxy.port=1", "without fs.s3a.proxy.host")]
#[case("fs.s3a.proxy.host=http://proxy", "alone")]
#[case("fs.s3a.proxy.host=a:b@proxy", "alone")]
#[case("fs.s3a.proxy.host=proxy fs.s3a.proxy.port=0", "from 1 to 65535")]
#[case("fs.s3a.proxy.host=proxy fs.s3a.proxy.username=alice", "without the other")]
#[case("fs.s3a.proxy.host=proxy fs.s3a.proxy.password=wonder", "without the other")]
fn a_proxy_that_cannot_be_names_the_remedy(#[case] text: &str, #[case] part: &str) {
    let error = World::hadoop(text).resolve().map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    assert!(error.message().contains(part) && !error.message().contains("wonder"), "{error}");
}

#[test]
fn no_explanation_shows_a_secret() {
    let named = "fs.s3a.proxy.host=p fs.s3a.proxy.username=alice fs.s3a.proxy.password=wonder";
    let proxied = World::hadoop(named).options();
    let shown = format!("{proxied:?} {:?} {:?}", proxied.explain(), proxied.transport);
    assert!(!shown.contains("wonder") && !shown.contains("YWxpY2U6d29uZGVy"), "{shown}");
    let options = World::hadoop("fs.s3a.session.token=swordfish").options();
    let shown = format!("{options:?} {:?} {:?}", options.explain(), options.gateway.credentials);
    assert!(shown.contains("devkey") && shown.contains("***"));
    assert!(!shown.contains("swordfish") && !shown.contains("devsecret"), "{shown}");
    assert_eq!(options.explain().len(), table::TABLE.len());
}

#[test]
fn a_key_inside_an_endpoint_is_not_repeated() {
    let error = World::hadoop("fs.s3a.endpoint=http://me:swordfish@rgw").error();
    assert!(!error.message().contains("swordfish"), "{error}");
}

#[test]
fn other_settings_reach_their_place() {
    let directory = tempfile::tempdir().unwrap();
    let options = World::hadoop(&format!(
        "fs.s3a.buffer.dir=${{hadoop.tmp.dir}}/s3a,{} fs.s3core.memory.limit=512M fs.s3a.create.storage.class=COLD \
         fs.s3a.user.agent.prefix=reports fs.s3a.readahead.range=1M fs.s3a.experimental.input.fadvise=random \
         fs.s3a.paging.maximum=5000 fs.s3a.multipart.threshold=2147483647 fs.s3a.connection.establish.timeout=5000 \
         fs.s3a.bulk.delete.page.size=20 fs.s3a.connection.idle.time=5m fs.s3core.ssl.ca.file=/etc/ca.pem fs.s3core.ssl.system.store=false \
         fs.s3a.connection.maximum=11 fs.s3a.attempts.maximum=3 fs.s3a.fast.upload.active.blocks=2 \
         fs.s3a.committer.threads=7",
        directory.path().display()
    ))
    .options();
    assert_eq!(options.transfer.buffer_directory, directory.path());
    let shown = directory.path().display().to_string();
    assert_eq!(explained(&options, "buffer.dir"), (shown, "fs.s3a.buffer.dir".to_owned()));
    assert_eq!(options.transfer.memory_limit, Some(512 << 20));
    assert_eq!(options.transfer.storage_class.as_deref(), Some("COLD"));
    assert_eq!(options.gateway.user_agent, "reports");
    assert_eq!(options.transfer.random_read, 1 << 20);
    assert_eq!(options.read_policy, ReadPolicy::Random);
    assert_eq!((options.paging_maximum, options.delete_maximum), (5000, 20));
    assert_eq!(options.transfer.copy_threshold, 2_147_483_647);
    assert_eq!(options.gateway.limits.connect, Duration::from_secs(5));
    assert_eq!(options.transport.idle_connection_limit, Duration::from_secs(300));
    assert_eq!(options.transport.trust.ca_file, Some(PathBuf::from("/etc/ca.pem")));
    assert!(!options.transport.trust.use_system_store);
    assert_eq!((options.transport.maximum_connections, options.gateway.retry.brief_attempts), (11, 3));
    assert_eq!((options.transfer.upload_concurrency, options.commit.concurrency), (2, 7));
}

#[test]
fn a_service_without_multi_object_delete_gets_keys_one_by_one() {
    let options = World::hadoop("fs.s3a.multiobjectdelete.enable=false fs.s3a.bulk.delete.page.size=20").options();
    assert_eq!(options.delete_maximum, 1);
    let error = World::hadoop("fs.s3a.bulk.delete.page.size=0").error();
    assert!(error.message().contains("bulk.delete.page.size"), "{error}");
}

const CUSTOMERS_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

#[rstest]
#[case("", Encryption::AsTheBucket)]
#[case("fs.s3a.encryption.algorithm=aes256", Encryption::Gateway)]
#[case("fs.s3a.server-side-encryption-algorithm=AES256", Encryption::Gateway)]
#[case(
    "fs.s3a.encryption.algorithm=SSE-KMS",
    Encryption::KeyService { key: None, context: None, dual: false }
)]
#[case(
    "fs.s3a.encryption.algorithm=DSSE-KMS fs.s3a.server-side-encryption.key=k fs.s3a.encryption.context=b=2,a=1",
    Encryption::KeyService { key: Some("k".into()), context: Some("eyJhIjoiMSIsImIiOiIyIn0=".into()), dual: true }
)]
#[case(
    "fs.s3a.encryption.algorithm=AES256 fs.s3a.bucket.lake.encryption.algorithm=SSE-KMS",
    Encryption::KeyService { key: None, context: None, dual: false }
)]
#[case(
    &format!("fs.s3a.endpoint=https://rgw fs.s3a.encryption.algorithm=SSE-C fs.s3a.encryption.key={CUSTOMERS_KEY}"),
    Encryption::Customer(CustomerKey::from_base64(CUSTOMERS_KEY).unwrap())
)]
fn encryption_is_understood_as_s3a_spells_it(#[case] text: &str, #[case] encryption: Encryption) {
    assert_eq!(World::hadoop(text).options().gateway.requests.encryption, encryption);
}

#[rstest]
#[case("algorithm=SSE-C", ErrorKind::UnusableEncryption, "no encryption key was declared in fs.s3a.encryption.key")]
#[case("algorithm=SSE-C fs.s3a.encryption.key=short", ErrorKind::UnusableEncryption, "256 bits")]
#[case(
    "algorithm=SSE-C fs.s3a.endpoint=http://rgw fs.s3a.encryption.key=swordfish",
    ErrorKind::UnusableEncryption,
    "use an https:// endpoint"
)]
#[case("algorithm=AES256 fs.s3a.encryption.key=swordfish", ErrorKind::UnusableEncryption, "SSE-KMS or SSE-C")]
#[case("algorithm=ROT13", ErrorKind::UnusableEncryption, "Unknown encryption algorithm ROT13")]
#[case("algorithm=ROT13", ErrorKind::UnusableEncryption, "SSE-KMS")]
#[case("algorithm=CSE-KMS fs.s3a.encryption.key=k", ErrorKind::Unsupported, "left out on purpose")]
#[case("algorithm=CSE-CUSTOM", ErrorKind::Unsupported, "SSE-C")]
#[case("algorithm=SSE-KMS fs.s3a.encryption.context=project", ErrorKind::UnusableEncryption, "project=lake")]
fn encryption_that_cannot_be_names_the_remedy(#[case] text: &str, #[case] kind: ErrorKind, #[case] part: &str) {
    let error = World::hadoop(&format!("fs.s3a.encryption.{text}")).error();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.message().contains(part), "{error}");
    assert!(!error.message().contains("swordfish"), "{error}");
}

#[rstest]
#[case("PublicRead", "public-read")]
#[case("public-read", "public-read")]
#[case("BucketOwnerFullControl", "bucket-owner-full-control")]
#[case("Private", "private")]
fn canned_acls_have_s3as_names_and_s3s(#[case] written: &str, #[case] sent: &str) {
    let options = World::hadoop(&format!("fs.s3a.acl.default={written}")).options();
    assert_eq!(options.gateway.requests.acl.as_deref(), Some(sent));
}

#[test]
fn headers_of_ones_own_are_pairs() {
    let headers = |text: &str| World::hadoop(&format!("fs.s3a.client.s3.custom.headers={text}"));
    let given = headers("x-site=berlin,x-team=a;b").options().gateway.requests.headers;
    let given: Vec<_> = given.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    assert_eq!(given, [("x-site", "berlin"), ("x-team", "a, b")]);
    for wrong in ["x-site", "=swordfish", "x@site=swordfish", "x-site=a,sword@fish=b", "x-site=\u{e9}swordfish"] {
        let error = headers(wrong).error();
        assert!(error.message().contains("fs.s3a.client.s3.custom.headers"), "{error}");
        assert!(!error.message().contains("sword"), "{error}");
    }
    let options = headers("x-site=berlin").options();
    assert_eq!(explained(&options, "custom.headers").0, "***");
    assert!(!format!("{:?} {:?}", options, options.gateway.requests).contains("berlin"));
}

#[rstest]
fn headers_that_requests_need_themselves_are_refused(
    #[values("Host", "range", "Content-Length", "authorization", "X-Amz-Date", "x-amz-copy-source", "if-match")]
    name: &str,
) {
    let error = World::hadoop(&format!("fs.s3a.client.s3.custom.headers=x-site=a,{name}=b")).error();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    assert!(error.message().contains(&name.to_lowercase()), "{error}");
}

#[test]
fn a_tenant_is_one_word() {
    let tenant = |name: &str| World::hadoop(&format!("fs.s3core.bucket.lake.tenant={name}"));
    assert_eq!(tenant("science_1").options().gateway.requests.tenant.as_deref(), Some("science_1"));
    assert_eq!(tenant("science_1").resolve_for("other").unwrap().gateway.requests.tenant, None);
    assert!(tenant("science:lake").error().message().contains("letters, digits and underscores"));
}
