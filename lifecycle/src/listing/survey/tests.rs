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
    let group = || Group::new(&wanted, ["t/a/", "t/b/", "t/c/", "t/d/", "t/e/", "t/f/"].map(str::to_owned).into());
    let left = |last: &str| {
        let mut group = group();
        group.leave_from(last);
        let part = group.finish();
        let names = |stretch: &VecDeque<String>| stretch.iter().map(|own| &own[2..3]).collect::<String>();
        (part.done, names(&part.large), names(&part.left))
    };
    for (last, done, large, small) in [
        ("t/a/1", 0, "abcde", "f"),
        ("t/A", 0, "abcde", "f"),
        ("t/b/1", 1, "", "bcdef"),
        ("t/b0", 2, "", "cdef"),
        ("t/f/1", 5, "", "f"),
        ("t/g", 6, "", ""),
    ] {
        assert_eq!(left(last), (done, large.to_owned(), small.to_owned()), "{last}");
    }
    assert_eq!(group().finish().done, 6);
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
    waiting.add_first("f/".to_owned());
    let taken: Vec<_> = std::iter::from_fn(|| waiting.take(9)).map(Vec::from).collect();
    assert_eq!(taken, [names(&["f/"]), names(&["d/", "e/"]), names(&["a/", "b/"])]);
    assert_eq!(waiting.directories, 0);
}
