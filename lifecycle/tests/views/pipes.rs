//! Whoever reads only the beginning gets the beginning, and the command ends as it would have ended.

use std::process::Stdio;

use super::lake::Lake;

const POLICY: &str = "\
version: 1
defaults: {settle: 0h, guard: {max_removed: none}}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules: [{name: drop, when: {older_than: 1y}, then: expire}]
";

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_is_no_failure() {
    let lake = Lake::new().await;
    lake.policy(POLICY);
    lake.put("events/day=2020-01-01/a").await;
    lake.rest().await;
    let plan: &[&str] = &["plan", "policy.yaml", "--detailed-exitcode"];
    let plan_for_programs: &[&str] = &["plan", "policy.yaml", "--output", "json"];
    for (arguments, status) in
        [(plan, 3), (plan_for_programs, 0), (&["history", "policy.yaml"], 0), (&["schema"], 0), (&["help"], 0)]
    {
        let mut child = lake.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), error.as_str()), (Some(status), ""), "{arguments:?}");
    }
}
