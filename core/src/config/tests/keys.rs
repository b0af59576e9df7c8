//! Keys that are written somewhere, and what is said where they are not.

use rstest::rstest;

use super::*;

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
