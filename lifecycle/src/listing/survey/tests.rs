//! What a listing of adjacent directories counts, and what it leaves.

use super::*;
use crate::policy::Policy;

#[test]
fn directories_share_a_page_once_their_sizes_are_known() {
    let mut sizes = Sizes::default();
    assert_eq!((sizes.together(100), sizes.page(1)), (1, PAGE));
    sizes.add(8, 40);
    assert_eq!((sizes.together(2000), sizes.together(300), sizes.together(7), sizes.page(7)), (1000, 300, 100, 168));
    assert_eq!(sizes.page(1000), PAGE);
    sizes.add(8, 40_000);
    assert_eq!(sizes.together(2000), 1);
    let empty = Sizes { directories: 3, objects: 0 };
    assert_eq!((empty.together(600), empty.together(1)), (600, 500));
}

#[test]
fn what_a_page_does_not_reach_is_left() {
    let policy = "version: 1\ndatasets:\n  - name: t\n    location: s3a://lake/t/\n    age: {from: newest_object}\n    \
                  rules: [{name: drop, when: {older_than: 1d}, then: expire}]\n";
    let policy = Policy::read(policy).unwrap();
    let wanted = Wanted { dataset: policy.datasets[0].clone(), zone: policy.zone.clone(), kept: None };
    let group = || Group::new(&wanted, ["t/a/", "t/b/", "t/c/", "t/d/"].map(str::to_owned).into());
    let left = |part: Part| (part.done, Vec::from(part.left));
    let rest = |names: &[&str]| names.iter().map(|name| format!("t/{name}/")).collect::<Vec<_>>();

    let mut inside = group();
    assert_eq!(inside.cut(Some("t/b/1")).as_deref(), Some("t/b/"));
    assert!(inside.is_one());
    assert_eq!(left(inside.finish()), (2, rest(&["c", "d"])));

    let mut between = group();
    assert_eq!(between.cut(Some("t/b0")), None);
    assert_eq!(left(between.finish()), (2, rest(&["c", "d"])));

    let mut behind = group();
    assert_eq!(behind.cut(Some("t/e")), None);
    assert_eq!(left(behind.finish()), (4, rest(&[])));

    assert_eq!(left(group().finish()), (4, rest(&[])));
    let held = ["t/a", "t/a/", "t/a/1", "t/a0", "t/b-c/1", "t/b/", "t/z"].map(|key| group().holds(key));
    assert_eq!(held, [false, true, true, false, false, true, false]);
}

#[test]
fn only_adjacent_directories_are_taken_together() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let mut waiting = Waiting::from(names(&["c/", "d/", "e/"]));
    assert_eq!(waiting.take(1).map(Vec::from), Some(names(&["c/"])));
    waiting.add(names(&["a/", "b/"]).into());
    waiting.add(VecDeque::new());
    assert_eq!(waiting.directories, 4);
    let taken: Vec<_> = std::iter::from_fn(|| waiting.take(9)).map(Vec::from).collect();
    assert_eq!(taken, [names(&["d/", "e/"]), names(&["a/", "b/"])]);
    assert_eq!(waiting.directories, 0);
}
