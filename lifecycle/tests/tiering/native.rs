//! `s3life native`, in a process of its own.

use std::time::Duration;

use rstest::rstest;
use s3core::ops::LifecycleRule;
use s3life::tier::Rules;
use serde_json::{Value, json};

use crate::lake::{Lake, Service};
use crate::{FOREIGN, RUN, held};

const POLICY: &str = "\
version: 1
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules:
      - {name: cool, when: {older_than: 30d}, then: {tier: COLD}}
";

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(Service::Embedded)]
#[tokio::test(flavor = "multi_thread")]
async fn own_and_foreign_rules_are_told_apart(#[case] service: Service) {
    let lake = Lake::at(service).await;
    lake.policy(POLICY);
    let nothing = format!("s3a://{}/ has no lifecycle rules\n", lake.bucket);
    assert_eq!(lake.run(&["native", "policy.yaml"]), nothing);
    let foreign = lake.put_rules(&FOREIGN).await;
    let own = LifecycleRule::transition(&format!("s3core-{RUN}-0"), "events/day=1/", 0, "COLD").unwrap();
    Rules::read(&lake.gateway, &lake.bucket).await.unwrap().replace(RUN, vec![own], held).await.unwrap();

    let told = lake.run(&["--output", "json", "native", "policy.yaml"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    let rules = told["rules"].as_array().unwrap();
    let brief = |rule: &Value| ["run", "id", "prefix", "datasets", "stops_plans"].map(|name| rule[name].clone());
    let expected = [
        [json!(RUN), json!(format!("s3core-{RUN}-0")), json!("events/day=1/"), json!(["events"]), json!(false)],
        [Value::Null, json!("theirs"), json!("other/"), json!([]), json!(false)],
        [Value::Null, json!("uploads"), json!(""), json!(["events"]), json!(false)],
    ];
    assert_eq!(rules.iter().map(brief).collect::<Vec<_>>(), expected);
    assert_eq!(rules[0]["actions"], json!([{"action": "Transition", "class": "COLD", "days": 0}]));
    assert_eq!(rules[1]["tags"], json!({"keep": "no & never", "team": "risk"}));
    assert_eq!([&rules[1]["xml"], &rules[2]["xml"]], [foreign[0].xml(), foreign[1].xml()]);

    let text = lake.run(&["native", "policy.yaml"]);
    let expected = format!(
        "s3core-{RUN}-0: of run {RUN}: Transition to COLD of `events/day=1/`, meets the dataset events\n\
         theirs: foreign: Expiration of `other/` with certain tags or sizes\n\
         uploads: foreign: AbortIncompleteMultipartUpload of ``, meets the dataset events\n"
    );
    assert_eq!(text, expected);
    let everything = "<Rule><ID>all</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><Expiration><Days>9000</Days>\
                      </Expiration></Rule>";
    lake.put_rules(&[everything]).await;
    let text = lake.run(&["native", "policy.yaml"]);
    let expected =
        "all: foreign: Expiration of ``, meets the dataset events, stops every plan: it is also about .s3core/\n";
    assert_eq!(text, expected);
    lake.remove().await;
}

/// Before somebody says yes, and where nobody is asked.
#[tokio::test(flavor = "multi_thread")]
async fn rules_of_others_are_named_by_plan_and_apply() {
    let lake = Lake::at(Service::Embedded).await;
    lake.policy(POLICY);
    lake.put("events/day=2020-01-01/a", "some bytes").await;
    lake.put_rules(&FOREIGN).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let named = "the lifecycle rule `uploads` of the bucket, which is not of s3life, works on events too: \
                 AbortIncompleteMultipartUpload\n";
    for arguments in [&["plan", "policy.yaml"][..], &["apply", "policy.yaml", "--yes"]] {
        let text = lake.run(arguments);
        assert!(text.starts_with(named) && !text.contains("`theirs`"), "{arguments:?}: {text}");
    }
    lake.remove().await;
}
