//! The resolver as a whole: order of the sources, errors, explanations.

mod addresses;
mod keys;
mod of_hadoop;
mod providers;
mod requests;

use std::collections::HashMap;
use std::fs;

use rstest::rstest;

use super::*;

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
