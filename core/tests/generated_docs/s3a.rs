//! `docs/s3a.md`: what becomes of each feature and option of S3A, and the test that shows it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use s3core::config::others::{Does, OTHERS, Other};
use s3core::config::table::TABLE;

use super::{code, codes};

/// A file of this repository and the name of a test in it.
type Test = (&'static str, &'static str);

const CONFIG: &str = "core/src/config/tests.rs";
const KEYS: &str = "core/src/config/tests/keys.rs";
const PROVIDERS: &str = "core/src/config/tests/providers.rs";
const ADDRESSES: &str = "core/src/config/tests/addresses.rs";
const OF_HADOOP: &str = "core/src/config/tests/of_hadoop.rs";
const ROLES: &str = "core/tests/credentials/roles.rs";
const PLATFORMS: &str = "core/tests/credentials/platforms.rs";
const HEADERS: &str = "core/tests/requests/headers.rs";
const ENCRYPTION: &str = "core/tests/requests/encryption.rs";
const PROXIES: &str = "core/tests/requests/proxies.rs";
const DIRECTORIES: &str = "core/tests/files/directories.rs";
const ATTRIBUTES: &str = "core/tests/files/attributes.rs";
const READING: &str = "core/tests/files/reading.rs";
const WRITING: &str = "core/tests/files/writing.rs";
const PURGES: &str = "core/tests/commit/purges.rs";
const SETTINGS: &str = "bindings-jvm/src/test/java/org/s3core/hadoop/StoreSettingsTest.java";
const STREAM: &str = "bindings-jvm/src/test/java/org/s3core/hadoop/StreamTest.java";
const JAR_OPTIONS: &str = "bindings-jvm/src/test/java/org/s3core/hadoop/JarOptionsTest.java";
const REFERRER: &str = "bindings-jvm/src/test/java/org/s3core/hadoop/ReferrerTest.java";
const COMMITTERS: &str = "tests/committers/src/test/java/org/s3core/committers/CommitProtocolTest.java";
const BAD_INPUT: &str = "tests/spark/test_bad_input.py";

/// What S3A can do, what s3core does there, and what shows it.
const FEATURES: &[(&str, &str, &[Test])] = &[
    (
        "`fs.s3a.impl` and `fs.AbstractFileSystem.s3a.impl`",
        "`org.s3core.hadoop.S3CoreFileSystem` answers for both once the first is set",
        &[("tests/spark/test_binding_traps.py", "test_file_context")],
    ),
    (
        "Options for one bucket, `fs.s3a.bucket.B.*`",
        "as in S3A, for every option",
        &[
            (OF_HADOOP, "what_hadoop_ships_is_read_for_one_bucket_too"),
            (CONFIG, "buckets_with_dots_find_their_own_keys"),
        ],
    ),
    (
        "Sizes and times in every spelling",
        "the same on every line of Hadoop: `64M`, `64MB`, `67108864`; `60s`, `60000`",
        &[
            (OF_HADOOP, "sizes_are_spelled_as_on_every_line_of_hadoop"),
            (OF_HADOOP, "times_are_spelled_as_on_every_line_of_hadoop"),
        ],
    ),
    (
        "Secrets in Hadoop credential providers (jceks)",
        "every secret that S3A looks up there, for every bucket and for one",
        &[(SETTINGS, "everySecretOfS3aIsLookedUp"), (SETTINGS, "secretsComeOutOfCredentialProviders")],
    ),
    (
        "Credential providers by class name",
        "names of S3A and of both AWS SDKs mean providers of s3core; no class is loaded; an unknown name is an error",
        &[
            ("core/src/credentials/names.rs", "an_unknown_name_lists_the_known_ones"),
            (KEYS, "the_provider_list_sets_the_order"),
        ],
    ),
    (
        "Assumed roles",
        "STS of Radosgw or Amazon; renewed before they expire",
        &[
            (ROLES, "a_role_may_do_what_its_policy_says"),
            (ROLES, "sessions_of_a_few_seconds_last_as_long_as_the_upload"),
        ],
    ),
    (
        "Web identity, containers, instances",
        "as the AWS SDKs; by default an instance is asked on Amazon's endpoints only, so that nobody waits for it elsewhere, and \
         the token of a platform is shown to Amazon only",
        &[
            ("core/tests/credentials/web_identity.rs", "a_token_of_a_trusted_provider_gives_the_role"),
            (PROVIDERS, "the_token_of_a_platform_is_not_shown_to_others_than_amazon"),
            (PLATFORMS, "a_container_shows_the_token_of_its_file"),
            (PLATFORMS, "an_instance_is_asked_by_version_two_of_the_service"),
        ],
    ),
    (
        "Tokens that expire",
        "an upload goes on with new keys; where there are none, `AccessDeniedException`",
        &[
            ("core/tests/credentials/expiry.rs", "an_upload_goes_on_with_new_keys_when_its_token_expires"),
            ("core/tests/credentials/expiry.rs", "keys_that_stay_the_same_are_tried_once"),
        ],
    ),
    (
        "A clock that is wrong (`RequestTimeTooSkewed`)",
        "the gateway's clock is believed, after one refused request",
        &[("core/tests/credentials/skew.rs", "the_gateways_clock_is_believed")],
    ),
    ("Delegation tokens", "left out: each process looks for keys itself", &[(OF_HADOOP, OTHERS_KNOWN)]),
    (
        "SSE-S3, SSE-KMS, DSSE-KMS, SSE-C",
        "as in S3A, renames of plain files included; a gateway that does not encrypt is an error before anything is stored",
        &[
            (ENCRYPTION, "what_is_written_is_encrypted_and_read_back"),
            (ENCRYPTION, "nothing_is_taken_for_encrypted_that_is_not"),
            (ENCRYPTION, "what_was_plain_is_encrypted_where_it_is_renamed"),
        ],
    ),
    ("CSE-KMS, CSE-CUSTOM", "left out on purpose: `UnsupportedOperationException`", &[(OF_HADOOP, LEFT_OUT)]),
    (
        "Audit: the Referer header",
        "the same form and names, on every request of a call of Hadoop's",
        &[(REFERRER, "everyRequestNamesItsCall"), (REFERRER, "pathsUserAndThreadAreNamed")],
    ),
    (
        "Directory markers",
        "kept (`keep`); trees that were written without them, or by the `delete` policy, read the same",
        &[
            (DIRECTORIES, "trees_of_the_delete_policy_read_the_same"),
            (DIRECTORIES, "a_made_directory_exists_and_is_empty"),
        ],
    ),
    (
        "Committers: `file`, `directory`, `partitioned`, `magic`",
        "one way of committing under every name: no renames, see [commits.md](commits.md)",
        &[(COMMITTERS, "theFactoryMakesOursForEveryNameOfS3A"), (COMMITTERS, "aJobFromItsBeginningToItsEnd")],
    ),
    (
        "Change detection",
        "every read demands the ETag that the file had when it was opened",
        &[(READING, "a_replaced_object_is_not_mixed_with_the_old_one")],
    ),
    (
        "Vectored reads",
        "ranges that lie near each other are fetched together, inside the memory budget",
        &[(STREAM, "vectoredReadsFillWhatWasAllocated"), (READING, "ranges_come_in_the_order_asked_for")],
    ),
    ("ETags in statuses (`EtagSource`)", "as in S3A", &[(STREAM, "statusesHaveETags")]),
    (
        "Hadoop's contract of file systems",
        "its own tests pass",
        &[("tests/contract/src/test/java/org/s3core/contract/TestRename.java", "TestRename")],
    ),
    (
        "Quotas and suspended users of Radosgw",
        "errors of their own, which are not tried again",
        &[
            ("core/tests/requests/refusals.rs", "a_full_quota_has_its_own_error_and_is_not_waited_for"),
            ("core/tests/requests/refusals.rs", "a_suspended_user_has_its_own_error_and_is_not_waited_for"),
        ],
    ),
    (
        "Tenants of Radosgw (S3A has no option for them)",
        "`fs.s3core.bucket.B.tenant`",
        &[("core/tests/requests/tenants.rs", "a_tenants_bucket_is_found_by_its_option")],
    ),
    (
        "Settings that are wrong",
        "one exception that names option and remedy, within 30 s",
        &[(BAD_INPUT, "test_mistake"), (BAD_INPUT, "test_path_that_leaves_the_bucket")],
    ),
    ("S3Guard, S3 Select, access points, access grants, FIPS", "left out on purpose", &[(OF_HADOOP, LEFT_OUT)]),
];

const OTHERS_KNOWN: &str = "keys_that_no_row_reads_are_listed_with_a_remark";
const LEFT_OUT: &str = "what_is_left_out_on_purpose_is_refused";

/// What shows that an option does what it says: own names.
const SHOWN: &[(&[&str], Test)] = &[
    (&["endpoint", "region", "path.style.access"], (ADDRESSES, "endpoint_region_and_style_follow_from_each_other")),
    (&["connection.ssl.enabled"], (ADDRESSES, "endpoint_region_and_style_follow_from_each_other")),
    (&["access.key", "secret.key", "session.token"], (KEYS, "both_keys_come_from_one_source")),
    (&["profile", "profile.file"], (PROVIDERS, "profiles_lead_to_keys")),
    (&["credentials.provider"], (KEYS, "the_provider_list_sets_the_order")),
    (&["assumed.role.arn", "assumed.role.session.name"], (ROLES, "a_role_may_do_what_its_policy_says")),
    (&["assumed.role.session.duration"], (ROLES, "sessions_of_a_few_seconds_last_as_long_as_the_upload")),
    (&["assumed.role.policy"], (ROLES, "a_policy_of_the_session_narrows_the_roles_own")),
    (&["assumed.role.external.id"], ("core/src/credentials/sts.rs", "a_form_says_what_was_asked_for")),
    (&["assumed.role.credentials.provider"], (PROVIDERS, "a_role_needs_keys_of_somebody_else")),
    (
        &["assumed.role.sts.endpoint", "assumed.role.sts.endpoint.region"],
        (PROVIDERS, "roles_are_taken_on_at_the_sts_of_the_service"),
    ),
    (&["proxy.host", "proxy.port"], (PROXIES, "everything_goes_through_the_proxy")),
    (&["proxy.username", "proxy.password"], (PROXIES, "who_asks_must_be_known_to_the_proxy")),
    (&["proxy.ssl.enabled"], ("core/tests/transport/proxies.rs", "a_proxy_that_speaks_tls_tunnels_tls")),
    (
        &["connection.maximum"],
        ("core/tests/transport/reuse.rs", "there_are_never_more_connections_than_the_maximum_and_turns_come_in_order"),
    ),
    (
        &["connection.establish.timeout"],
        ("core/tests/transport/failures.rs", "a_silent_address_is_unreachable_after_the_connect_limit"),
    ),
    (&["connection.timeout"], ("core/tests/transport/failures.rs", "an_answer_that_does_not_come_times_out")),
    (
        &["connection.idle.time"],
        ("core/tests/transport/reuse.rs", "an_unused_connection_is_closed_after_the_idle_limit"),
    ),
    (
        &["attempts.maximum"],
        ("core/tests/requests/refusals.rs", "a_gateway_that_fails_inside_is_asked_as_often_as_the_option_says"),
    ),
    (&["user.agent.prefix"], (HEADERS, "every_request_has_the_headers_that_were_asked_for_and_they_are_signed")),
    (&["buffer.dir"], (WRITING, "a_full_disk_fails_the_one_who_needs_memory_and_harms_no_other")),
    (&["multipart.size"], (WRITING, "sizes_around_the_part_size_come_back_equal")),
    (&["multipart.threshold"], ("core/tests/files/renaming.rs", "a_large_file_is_copied_in_parts")),
    (&["fast.upload.active.blocks"], (WRITING, "as_many_parts_are_under_way_as_the_option_says")),
    (
        &["committer.threads"],
        ("core/tests/commit/jobs.rs", "as_many_files_become_visible_at_a_time_as_the_option_says"),
    ),
    (&["create.storage.class"], (HEADERS, "new_objects_have_the_storage_class")),
    (&["object.content.encoding"], (HEADERS, "new_objects_have_the_content_encoding")),
    (&["acl.default"], (HEADERS, "new_objects_have_the_canned_acl")),
    (
        &["encryption.algorithm", "encryption.key", "encryption.context"],
        (ENCRYPTION, "what_is_written_is_encrypted_and_read_back"),
    ),
    (
        &["requester.pays.enabled", "custom.headers"],
        (HEADERS, "every_request_has_the_headers_that_were_asked_for_and_they_are_signed"),
    ),
    (&["audit.enabled", "audit.referrer.enabled"], (REFERRER, "theAuditCanBeTurnedOff")),
    (&["audit.referrer.filter"], ("core/src/gateway/audit.rs", "attributes_can_be_left_out")),
    (
        &["multipart.purge", "multipart.purge.age"],
        (PURGES, "the_first_write_removes_old_uploads_and_none_of_committed_tasks"),
    ),
    (&["readahead.range"], (READING, "a_random_read_asks_for_the_readahead_range")),
    (&["experimental.input.fadvise"], (READING, "every_policy_and_step_reads_the_same_bytes")),
    (&["paging.maximum"], ("core/tests/files/renaming.rs", "a_tree_of_many_pages_moves_and_goes")),
    (&["bulk.delete.page.size"], (ATTRIBUTES, "many_files_are_removed_in_one_request")),
    (&["multiobjectdelete.enable"], (ATTRIBUTES, "where_many_cannot_be_removed_at_once_each_is_alone")),
];

/// What shows that the jar reads an option.
const SHOWN_IN_THE_JAR: &[(&str, Test)] = &[
    ("block.size", (STREAM, "theBlockSizeIsTheOneThatWasAskedFor")),
    ("committer.name", (COMMITTERS, "theFactoryMakesOursForEveryNameOfS3A")),
    ("committer.staging.conflict-mode", ("core/tests/commit/conflicts.rs", "earlier_files_stay_or_go")),
    ("committer.uuid", (SETTINGS, "theAuditNamesUserProcessAndJob")),
    ("downgrade.syncable.exceptions", (STREAM, "syncFailsWhereTheUserWantsThat")),
    ("create.performance", (JAR_OPTIONS, "filesAreCreatedUncheckedWhereThatIsAskedFor")),
    ("etag.checksum.enabled", (JAR_OPTIONS, "checksumsAreEtagsWhereTheyAreAskedFor")),
    ("optimized.copy.from.local.enabled", (JAR_OPTIONS, "localFilesAreCopiedAsAskedFor")),
    ("performance.flags", (JAR_OPTIONS, "filesAreCreatedUncheckedWhereThatIsAskedFor")),
    ("impl", ("tests/spark/test_filesystem_calls.py", "test_the_class_is_ours")),
    ("security.credential.provider.path", (SETTINGS, "secretsComeOutOfCredentialProviders")),
];

const HEAD: &str = "\
# S3A, feature by feature

Generated from the tables in `core/src/config/` and `core/tests/generated_docs/s3a.rs`; a test checks that every option of
S3A is here, and that every test that is named here exists.

Whoever comes from S3A changes one line, `fs.s3a.impl=org.s3core.hadoop.S3CoreFileSystem`, and keeps paths and options.

## Features

| S3A | s3core | shown by |
|---|---|---|
";

/// The page.
pub(super) fn page() -> String {
    let mut text = HEAD.to_owned();
    for (feature, does, tests) in FEATURES {
        let shown: Vec<_> = tests.iter().map(link).collect();
        let _ = writeln!(text, "| {feature} | {does} | {} |", shown.join(", "));
    }
    text.push_str("\n## Options that are read\n\n[options.md](options.md) has spelling and defaults.\n\n");
    text.push_str("| `fs.s3a.` | meaning | shown by |\n|---|---|---|\n");
    for row in TABLE.iter().filter(|row| !row.hadoop.is_empty()) {
        let test = SHOWN.iter().find(|(names, _)| names.contains(&row.name)).map(|(_, test)| test);
        let _ = writeln!(text, "| {} | {} | {} |", codes(row.hadoop), row.meaning, shown(row.name, test));
    }
    text.push_str("\n## Options that the jar reads\n\n| `fs.s3a.` | meaning | shown by |\n|---|---|---|\n");
    for other in OTHERS.iter().filter(|other| other.does == Does::ReadByTheJar) {
        let test = SHOWN_IN_THE_JAR.iter().find(|(name, _)| *name == other.name).map(|(_, test)| test);
        let _ = writeln!(text, "| {} | {} | {} |", code(other.name), other.remark, shown(other.name, test));
    }
    let refused = link(&(OF_HADOOP, LEFT_OUT));
    let _ = writeln!(
        text,
        "\n## Options that are refused\n\nWith another value than these they are an `UnsupportedOperationException`: \
         {refused}.\n\n| `fs.s3a.` | unless it is | why |\n|---|---|---|"
    );
    for other in OTHERS {
        if let Does::Refused { unless } = other.does {
            let _ = writeln!(text, "| {} | {} | {} |", name(other), codes(unless), other.remark);
        }
    }
    let known = link(&(OF_HADOOP, "every_option_that_hadoop_ships_is_known_and_its_value_read"));
    let _ = writeln!(
        text,
        "\n## Options that need no setting here\n\nThey may stand in a configuration and change nothing; \
         `python -m s3core.spark doctor` lists those that do: {known}, {}.\n\n| `fs.s3a.` | why |\n|---|---|",
        link(&(OF_HADOOP, OTHERS_KNOWN))
    );
    for other in OTHERS.iter().filter(|other| other.does == Does::Nothing) {
        let _ = writeln!(text, "| {} | {} |", name(other), other.remark);
    }
    text
}

#[test]
fn what_the_jar_reads_for_a_bucket_is_known() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../bindings-jvm/src/main/java/org/s3core/hadoop/S3CoreFileSystem.java");
    let source = fs::read_to_string(path).unwrap();
    let constants: Vec<_> =
        source.match_indices("keyFor(conf, bucket, ").map(|(at, call)| &source[at + call.len()..]).collect();
    assert!(constants.len() > 5, "{}", constants.len());
    for constant in constants {
        let (constant, _) = constant.split_once(')').unwrap();
        let (_, option) = source.split_once(&format!("String {constant} = \"")).unwrap();
        let (option, _) = option.split_once('"').unwrap();
        let other = OTHERS.iter().find(|other| other.name == option);
        assert!(other.is_some_and(|other| other.does == Does::ReadByTheJar), "{option}");
    }
}

/// `prefetch.*` for all that begin so.
fn name(other: &Other) -> String {
    if other.name.ends_with('.') { code(&format!("{}*", other.name)) } else { code(other.name) }
}

#[track_caller]
fn shown(name: &str, test: Option<&Test>) -> String {
    assert!(test.is_some(), "no test of core/tests/generated_docs/s3a.rs shows fs.s3a.{name}: name one there");
    test.map(link).unwrap_or_default()
}

/// Whether what is declared after `before` is run as a test, and no mere function.
fn is_test(word: &str, name: &str, before: &str) -> bool {
    // What stands directly above: attributes and annotations, after the last line that is empty.
    let above = before.rsplit("\n\n").next().unwrap_or_default();
    match word {
        "fn " => ["#[test]", "#[rstest]", "#[tokio::test"].iter().any(|attribute| above.contains(attribute)),
        "void " => above.contains("@Test") || above.contains("@ParameterizedTest"),
        "def " => name.starts_with("test_"),
        _ => name.starts_with("Test"),
    }
}

#[test]
fn a_function_that_is_no_test_shows_nothing() {
    assert!(is_test("fn ", "a", "}\n\n/// Why.\n#[rstest]\n#[case(1)]\n"));
    assert!(is_test("void ", "a", "}\n\n  @Test\n  "));
    assert!(!is_test("fn ", "a", "#[test]\nfn b() {}\n\n"));
    assert!(!is_test("def ", "helper", ""));
}

/// The test as a link to its file; it has to be there.
#[track_caller]
fn link(&(file, test): &Test) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let source = fs::read_to_string(&path).unwrap_or_default();
    let is_there = ["fn ", "void ", "def ", "class "].iter().any(|word| {
        source.match_indices(&format!("{word}{test}")).any(|(start, found)| {
            let (before, rest) = (source.get(..start).unwrap_or_default(), source.get(start + found.len()..));
            let ends = rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
            ends && is_test(word, test, before)
        })
    });
    assert!(is_there, "{file} has no test {test}, which docs/s3a.md names");
    format!("[{test}](../{file})")
}
