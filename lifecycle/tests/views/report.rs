//! `s3life report --html`: one page that says what lies there, what is due, and what was done.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

use super::lake::Lake;

const POLICY: &str = "\
version: 1
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    settle: 0h
    guard: {max_removed: 40% per 30d}
    rules: [{name: drop, when: {older_than: 1y}, then: expire}]
  - name: scratch
    location: s3a://BUCKET/tmp/
    age: {from: newest_object}
    unit: object
    guard: {max_removed: none}
    rules: [{name: cool, when: {older_than: 10d}, then: {tier: COLD}}]
";

#[tokio::test(flavor = "multi_thread")]
async fn a_page_shows_the_bucket() {
    let lake = Lake::new().await;
    lake.policy(POLICY);
    lake.put_all((1..=5).map(|day| format!("events/day=2020-01-0{day}/a"))).await;
    lake.put_all(["events/day=2999-01-01/a", "events/day=x/<a>&", "tmp/a", "tmp/b"]).await;
    lake.rest().await;
    let page = page(&lake, &[]);
    assert!(page.contains(&format!("<h1>s3a://{}</h1>", lake.bucket)), "{page}");
    // Nothing is loaded, from anywhere.
    for part in ["src=", "href=", "@import", "url(", "<script", "http:", "https:"] {
        assert!(!page.contains(part), "{part}");
    }
    let ages = [
        ["events", "10 B", "–", "–", "–", "–", "–", "50 B", "10 B", "70 B", "7"],
        ["scratch", "20 B", "–", "–", "–", "–", "–", "–", "–", "20 B", "2"],
    ];
    assert_eq!(rows(&page, "map"), ages);
    assert_eq!(rows(&page, "classes"), [["STANDARD", "", "100%", "90 B", "9"]]);
    let days: Vec<_> = rows(&page, "due").into_iter().map(|row| row[1..].join(" ")).collect();
    assert_eq!(days, ["events drop expire 5 5 50 B", "scratch cool tier 2 2 20 B"]);
    let guards = rows(&page, "guards");
    assert_eq!((guards[0][2].as_str(), guards[1][2].as_str()), ("stopped", "none"));
    assert!(guards[0][3].starts_with("71.43% of units"), "{guards:?}");
    assert_eq!(svgs(&page), [6, 2]);

    let said = lake.run(&["apply", "policy.yaml", "--yes", "--allow", "events=90%", "--output", "json"]);
    let run: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}"));
    let run = run["run"].as_str().unwrap();
    let page = self::page(&lake, &["--now", "2026-01-01T00:00:00Z"]);
    assert_eq!(rows(&page, "trash")[0][..3], [run, "5", "50 B"]);
    assert_eq!(rows(&page, "runs")[0][2..], ["done", "expire 5 units (50 B)", "0"]);
    assert_eq!(rows(&page, "verdicts")[0], ["events", "not yet", "1", "1", "10 B"]);
    // More is gone than is allowed, and nothing is due that the guard could stop.
    assert_eq!(rows(&page, "guards")[0][2], "exceeded");
}

fn page(lake: &Lake, arguments: &[&str]) -> String {
    let said = lake.run(&[&["report", "policy.yaml", "--html", "page.html"], arguments].concat());
    assert!(said.status == 0 && said.error.is_empty(), "{said:?}");
    std::fs::read_to_string(lake.path("page.html")).unwrap()
}

/// The cells of the table in a section.
fn rows(page: &str, section: &str) -> Vec<Vec<String>> {
    let (_, rest) = page.split_once(&format!("aria-labelledby=\"{section}\"")).unwrap();
    let (_, rest) = rest.split_once("<tbody>").unwrap_or_else(|| panic!("{section} has no table: {page}"));
    let (body, _) = rest.split_once("</tbody>").unwrap();
    let mut reader = Reader::from_str(body);
    let mut rows: Vec<Vec<String>> = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) if tag.name().as_ref() == "tr" => rows.push(Vec::new()),
            Event::Start(tag) if matches!(tag.name().as_ref(), "td" | "th") => {
                rows.last_mut().unwrap().push(String::new());
            }
            Event::Text(text) => {
                if let Some(cell) = rows.last_mut().and_then(|row| row.last_mut()) {
                    cell.push_str(text.trim());
                }
            }
            Event::Eof => return rows,
            _ => {}
        }
    }
}

/// How many rectangles each drawing has; each of them says what it shows.
fn svgs(page: &str) -> Vec<usize> {
    let drawings = page.split("<svg").skip(1).map(|rest| rest.split_once("</svg>").unwrap().0);
    let count = |drawing: &str| {
        assert_eq!(drawing.matches("<rect").count(), drawing.matches("\"><title>").count());
        drawing.matches("<rect").count()
    };
    drawings.map(count).collect()
}
