//! What users of S3A bring along: every option of every line of Hadoop, and every spelling of its values.

use rstest::rstest;

use super::super::others::Does;
use super::*;

/// What `core-default.xml` says of `fs.s3a.` on five lines of Hadoop: the lines, the key, the value.
const DEFAULTS: &str = include_str!("hadoop_defaults.txt");

fn defaults(line: &str) -> Vec<(String, String)> {
    let rows = DEFAULTS.lines().map(|row| row.split_once(" | ").unwrap());
    let rows = rows.filter(|(lines, _)| line.is_empty() || lines.split(' ').any(|one| one == line));
    rows.map(|(_, pair)| pair.split_once(" =").unwrap()).map(|(key, value)| (key.into(), value.trim().into())).collect()
}

#[rstest]
fn every_option_that_hadoop_ships_is_known_and_its_value_read(
    #[values("2.7.7", "2.10.2", "3.3.6", "3.4.3", "3.5.0")] line: &str,
) {
    let mut world = World::hadoop("");
    let shipped = defaults(line);
    assert!(shipped.len() > 20);
    // Keys of the user's own go after Hadoop's.
    world.hadoop.splice(0..0, shipped);
    let options = world.options();
    let unknown: Vec<_> = options.foreign().iter().filter(|one| one.other.is_none()).map(|one| &one.key).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[rstest]
fn what_hadoop_ships_is_read_for_one_bucket_too(#[values("2.7.7", "2.10.2", "3.3.6", "3.4.3", "3.5.0")] line: &str) {
    let mut world = World::hadoop("");
    // These would choose other keys than the test's, or none.
    let shipped = defaults(line).into_iter().filter(|(key, _)| !key.ends_with("aws.credentials.provider"));
    world.hadoop.extend(shipped.map(|(key, value)| (key.replacen("fs.s3a.", "fs.s3a.bucket.lake.", 1), value)));
    let options = world.options();
    assert!(options.foreign().iter().all(|one| one.other.is_some() && one.key.starts_with("fs.s3a.bucket.lake.")));
}

#[test]
fn keys_that_no_row_reads_are_listed_with_a_remark() {
    let options = World::hadoop(
        "fs.s3a.impl=x fs.s3a.impl.disable.cache=true fs.s3a.threads.max=64 fs.s3a.bucket.lake.threads.max=1 \
         fs.s3a.bucket.other.threads.max=1 fs.s3a.bucket.lake.endpoint=http://rgw fs.azure.account=x fs.s3a.colour=red \
         fs.s3a.block.size=64M fs.s3a.endpont=x fs.s3a.bucket.lake.conection.maximum=3",
    )
    .options();
    let found: Vec<_> =
        options.foreign().iter().map(|one| (one.key.as_str(), one.other.map(|other| other.does))).collect();
    let wanted = [
        ("fs.s3a.block.size", Some(Does::ReadByTheJar)),
        ("fs.s3a.bucket.lake.conection.maximum", None),
        ("fs.s3a.bucket.lake.threads.max", Some(Does::Nothing)),
        ("fs.s3a.colour", None),
        ("fs.s3a.endpont", None),
        ("fs.s3a.threads.max", Some(Does::Nothing)),
    ];
    assert_eq!(found, wanted);
    let meant: Vec<_> = options.foreign().iter().filter_map(|one| one.meant.as_deref()).collect();
    assert_eq!(meant, ["fs.s3a.bucket.lake.connection.maximum", "fs.s3a.endpoint"]);
    let remark = |key: &str| options.foreign().iter().find(|one| one.key == key).unwrap().remark.clone();
    assert!(remark("fs.s3a.bucket.lake.conection.maximum").contains("fs.s3a.bucket.lake.connection.maximum?"));
    assert!(remark("fs.s3a.endpont").contains("fs.s3a.endpoint?"));
    assert!(remark("fs.s3a.colour").contains("docs/options.md"));
}

#[rstest]
#[case("fs.s3a.access.grants.enabled=true", "S3 Access Grants")]
#[case("fs.s3a.bucket.lake.accesspoint.arn=arn:aws:s3:eu-west-1:1:accesspoint/x", "access points")]
#[case("fs.s3a.accesspoint.required=true", "access points")]
#[case("fs.s3a.endpoint.fips=true", "FIPS")]
#[case("fs.s3a.http.signer.enabled=TRUE", "never loaded")]
#[case("fs.s3a.metadatastore.impl=org.apache.hadoop.fs.s3a.s3guard.DynamoDBMetadataStore", "S3Guard")]
#[case("fs.s3a.select.sql=SELECT", "S3 Select")]
#[case("fs.s3a.encryption.algorithm=CSE-KMS", "in the client")]
#[case("fs.s3a.server-side-encryption-algorithm=CSE-CUSTOM", "in the client")]
fn what_is_left_out_on_purpose_is_refused(#[case] text: &str, #[case] part: &str) {
    let error = World::hadoop(text).resolve().map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.message().contains(part) && error.message().contains(text.split('=').next().unwrap()), "{error}");
}

#[rstest]
#[case("fs.s3a.access.grants.enabled=false fs.s3a.endpoint.fips=False")]
#[case("fs.s3a.metadatastore.impl=org.apache.hadoop.fs.s3a.s3guard.LocalMetadataStore")]
#[case("fs.s3a.bucket.other.accesspoint.arn=arn:aws:s3:eu-west-1:1:accesspoint/x")]
#[case("fs.s3a.endpoint.fips=true fs.s3a.bucket.lake.endpoint.fips=false")]
#[case("fs.s3a.signing-algorithm=S3SignerType fs.s3a.ssl.channel.mode=openssl fs.s3a.fast.upload.buffer=bytebuffer")]
fn what_asks_for_nothing_is_not(#[case] text: &str) {
    World::hadoop(text).options();
}

/// Numbers without a unit count as on the lines of Hadoop that read them so.
#[rstest]
#[case("connection.timeout=200000", 200_000)]
#[case("connection.timeout=200s", 200_000)]
#[case("connection.timeout=5m", 300_000)]
#[case("bucket.lake.connection.timeout=1h", 3_600_000)]
fn times_are_spelled_as_on_every_line_of_hadoop(#[case] text: &str, #[case] milliseconds: u128) {
    let options = World::hadoop(&format!("fs.s3a.{text}")).options();
    assert_eq!(options.gateway.limits.answer.as_millis(), milliseconds);
}

#[rstest]
#[case("multipart.size=104857600", 100 << 20)]
#[case("multipart.size=100M", 100 << 20)]
#[case("multipart.size=100MB", 100 << 20)]
#[case("multipart.size=102400k", 100 << 20)]
#[case("multipart.size=1G", 1 << 30)]
#[case("bucket.lake.multipart.size=32MiB", 32 << 20)]
fn sizes_are_spelled_as_on_every_line_of_hadoop(#[case] text: &str, #[case] bytes: u64) {
    assert_eq!(World::hadoop(&format!("fs.s3a.{text}")).options().transfer.part_size, bytes);
}

#[test]
fn a_purge_is_asked_for_with_an_age() {
    let day = 24 * 3600;
    for (text, age) in [
        ("", None),
        ("fs.s3a.multipart.purge=true", Some(day)),
        ("fs.s3a.multipart.purge=true fs.s3a.multipart.purge.age=3600", Some(3600)),
        ("fs.s3a.bucket.lake.multipart.purge=true fs.s3a.multipart.purge.age=2d", Some(2 * day)),
        ("fs.s3a.multipart.purge=true fs.s3a.bucket.lake.multipart.purge=false", None),
    ] {
        assert_eq!(World::hadoop(text).options().commit.purge_older_than.map(|age| age.as_secs()), age, "{text}");
    }
}
