//! No command sends more requests in a second than it was asked to.

use std::time::{Duration, Instant};

use super::POLICY;
use super::lake::Lake;

#[tokio::test(flavor = "multi_thread")]
async fn every_command_keeps_to_the_rate() {
    const RATE: u32 = 40;
    let endpoint = s3core_gateway::Gateway::builder().start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(POLICY);
    lake.put_all((1..4).map(|day| format!("events/day=2020-01-0{day}/a"))).await;
    lake.rest().await;
    let mut run = String::new();
    for command in ["apply", "undo", "purge"] {
        let rate = RATE.to_string();
        let paced = ["--output", "json", "--requests-per-second", &rate, command];
        let rest = if command == "apply" { vec!["policy.yaml", "--yes"] } else { vec![&*run, "policy.yaml"] };
        let yes = if command == "purge" { ["--yes"].as_slice() } else { &[] };
        endpoint.reset_requests();
        let began = Instant::now();
        let said = lake.run(&[&paced, rest.as_slice(), yes].concat());
        let took = began.elapsed();
        assert_eq!(said.status, 0, "{said:?}");
        let answer: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        answer["run"].as_str().unwrap().clone_into(&mut run);
        // The renewals of the lease wait for nobody, and there is none in so short a time.
        let sent = u32::try_from(endpoint.requests().len()).unwrap();
        assert!(sent > 20 && took >= Duration::from_secs(1) * (sent - 1) / RATE, "{command}: {sent} in {took:?}");
    }
}
