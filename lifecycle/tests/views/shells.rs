//! What shells and `man` know of the commands.

use std::process::{Command, Output, Stdio};

fn s3life(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_s3life")).args(arguments).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    output
}

/// The commands as `s3life help` lists them.
fn commands() -> Vec<String> {
    let help = String::from_utf8(s3life(&["help"]).stdout).unwrap();
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let names =
        list.lines().take_while(|line| line.starts_with("  ")).filter_map(|line| line.split_whitespace().next());
    let names: Vec<_> = names.filter(|name| *name != "help").map(str::to_owned).collect();
    assert!(
        ["plan", "apply", "undo", "report", "man"].iter().all(|name| names.iter().any(|own| own == name)),
        "{names:?}"
    );
    names
}

#[test]
fn all_commands_have_manual_pages() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("man");
    s3life(&["man", "--out", place.to_str().unwrap()]);
    for name in commands() {
        let page = std::fs::read_to_string(place.join(format!("s3life-{name}.1"))).unwrap_or_else(|_| panic!("{name}"));
        assert!(page.contains(".TH") && page.contains("SYNOPSIS"), "{name}: {page}");
    }
    let main = std::fs::read_to_string(place.join("s3life.1")).unwrap();
    assert!(commands().iter().all(|name| main.contains(&format!("s3life\\-{name}(1)"))), "{main}");
}

#[test]
fn bash_takes_the_script_for_completion() {
    for shell in ["bash", "zsh", "fish"] {
        let script = s3life(&["completion", shell]).stdout;
        let text = String::from_utf8(script.clone()).unwrap();
        assert!(commands().iter().all(|name| text.contains(name.as_str())), "{shell}");
        if shell == "bash" {
            let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
            std::io::Write::write_all(&mut bash.stdin.take().unwrap(), &script).unwrap();
            assert!(bash.wait().unwrap().success());
        }
    }
}
