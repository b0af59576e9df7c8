//! Access control lists, and lifecycle rules that are kept and carried out.

use std::time::Duration;

use s3core_gateway::{Gateway, Quirks};

use crate::client::Client;
use crate::{KEY, start};

const RULES: &str = "/data?lifecycle=";

fn rule(id: &str, filter: &str, days: u32, class: &str) -> String {
    format!(
        "<Rule><ID>{id}</ID><Filter>{filter}</Filter><Status>Enabled</Status><Transition><Days>{days}</Days>\
         <StorageClass>{class}</StorageClass></Transition></Rule>"
    )
}

fn put(client: &Client, rules: &[String]) {
    let document = format!("<LifecycleConfiguration>{}</LifecycleConfiguration>", rules.concat());
    assert_eq!(client.put(RULES, document.as_bytes()).status, 200, "{document}");
}

fn class(client: &Client, path: &str) -> String {
    client.send("HEAD", path, &[], b"").header("x-amz-storage-class").unwrap_or("STANDARD").to_owned()
}

#[test]
fn rules_move_what_they_name() {
    let (gateway, client) = start(Quirks::Pacific);
    client.send("PUT", "/data/tagged", &[("x-amz-tagging", "team=risk")], b"four");
    client.put("/data/plain", b"four");
    gateway.set_backdating(Duration::from_secs(3 * 86_400));
    client.put("/data/old", b"four");
    gateway.set_backdating(Duration::ZERO);
    let tag = "<Tag><Key>team</Key><Value>risk</Value></Tag>";
    for (filter, days, class_named, moved) in [
        ("<Prefix>nothing</Prefix>".to_owned(), 0, "COLD", None),
        ("<Prefix/>".to_owned(), 0, "NOWHERE", None),
        ("<Prefix/>".to_owned(), 4, "COLD", None),
        ("<ObjectSizeGreaterThan>4</ObjectSizeGreaterThan>".to_owned(), 0, "COLD", None),
        (format!("<And><Prefix>ta</Prefix>{tag}</And>"), 0, "COLD", Some("/data/tagged")),
        ("<Prefix/>".to_owned(), 3, "COLD", Some("/data/old")),
        ("<Prefix>pl</Prefix>".to_owned(), 0, "COLD", Some("/data/plain")),
    ] {
        put(&client, &[rule("a", &filter, days, class_named)]);
        let before = client.send("HEAD", moved.unwrap_or("/data/plain"), &[], b"");
        assert_eq!(gateway.run_lifecycle(), usize::from(moved.is_some()), "{filter} {days} {class_named}");
        if let Some(path) = moved {
            let after = client.send("HEAD", path, &[], b"");
            assert_eq!(class(&client, path), "COLD", "{filter}");
            let unchanged = ["etag", "last-modified", "x-amz-tagging-count"];
            assert_eq!(unchanged.map(|name| after.header(name)), unchanged.map(|name| before.header(name)));
        }
    }
}

#[test]
fn rules_and_lists_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Gateway::builder().directory(folder.path()).keys("access", "secret").bucket("data").start().unwrap();
    let gateway = start();
    let client = Client::new(&gateway);
    assert_eq!((client.get(RULES).status, client.get(RULES).has("NoSuchLifecycleConfiguration")), (404, true));
    put(&client, &[rule("a", "<Prefix>x/</Prefix>", 1, "GLACIER"), rule("b", "<Prefix>y/</Prefix>", 2, "GLACIER")]);
    client.send("PUT", KEY, &[("x-amz-acl", "public-read")], b"x");
    let (rules, list) = (client.get(RULES).body, client.get(&format!("{KEY}?acl=")).body);
    assert!(
        String::from_utf8_lossy(&rules).contains("<ID>b</ID>") && String::from_utf8_lossy(&list).contains("AllUsers")
    );
    gateway.stop();

    let gateway = start();
    let client = Client::new(&gateway);
    assert_eq!((client.get(RULES).body, client.get(&format!("{KEY}?acl=")).body), (rules, list));
    assert_eq!(client.send("DELETE", RULES, &[], b"").status, 204);
    assert_eq!(client.get(RULES).status, 404);
    gateway.stop();

    let gateway = start();
    assert_eq!(Client::new(&gateway).get(RULES).status, 404);
}
