"""What ``s3life apply`` asks on a terminal, and whom it does not ask."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest
from s3core.store import Store
from s3core.testing import Gateway

POLICY = """\
version: 1
defaults: {settle: 0h, guard: {max_removed: none}}
datasets:
  - name: events
    location: s3a://lake/events/
    age: {from: partition, time: "{day:%F}"}
    rules: [{name: drop, when: {older_than: 1y}, then: expire}]
"""

KEY = "events/day=2020-01-01/part-0"
QUESTION = "Carry it out? [y/N] "
END_OF_FILE = "\x04"

#: Seconds until an object is no longer too young to be planned.
SETTLED = 2.1

#: For a command that waits for an answer that does not come.
LIMIT = 60


class Terminal:
    """Somebody before a terminal, in a directory with a policy that has something to do."""

    def __init__(self, gateway: Gateway, directory: Path) -> None:
        self.gateway = gateway
        self.directory = directory

    def said(self, typed: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
        """What s3life says when this is typed; ``None`` where there is no terminal."""
        keyboard, terminal = pty.openpty()
        try:
            if typed is not None:
                # It waits in the terminal until it is read.
                os.write(keyboard, typed.encode())
            code = "import sys; from s3core.program import life; sys.exit(life())"
            return subprocess.run(
                [sys.executable, "-c", code, "--endpoint", self.gateway.endpoint, *arguments],
                env={"AWS_ACCESS_KEY_ID": self.gateway.access_key, "AWS_SECRET_ACCESS_KEY": self.gateway.secret_key},
                cwd=self.directory,
                stdin=subprocess.DEVNULL if typed is None else terminal,
                capture_output=True,
                text=True,
                timeout=LIMIT,
            )
        finally:
            os.close(keyboard)
            os.close(terminal)


@pytest.fixture
def terminal(gateway: Gateway, store: Store, tmp_path: Path) -> Terminal:
    store.put(KEY, b"rows")
    (tmp_path / "policy.yaml").write_text(POLICY)
    time.sleep(SETTLED)
    return Terminal(gateway, tmp_path)


def is_there(store: Store) -> bool:
    return [meta.key for meta in store.list("events/")] == [KEY]


@pytest.mark.parametrize("typed", ["y\n", " yes \n"])
def test_yes_carries_the_plan_out(terminal: Terminal, store: Store, typed: str) -> None:
    said = terminal.said(typed, "apply", "policy.yaml")
    assert (said.returncode, is_there(store)) == (0, False), said
    plan, _, after = said.stdout.partition(QUESTION)
    assert "planned: 1 unit with 1 object, 4 B" in plan
    assert "run 20" in after


def test_it_is_asked_about_all_that_a_plan_shows(terminal: Terminal, store: Store) -> None:
    hold = 'hold: [{path: "s3a://lake/events/day=2020-01-02/", reason: audit, owner: risk}]'
    (terminal.directory / "policy.yaml").write_text(POLICY.replace("datasets:", f"{hold}\ndatasets:"))
    store.put("events/day=2020-01-02/part-0", b"rows")
    store.put("events/day=2020-01-03/_temporary/0/part-0", b"rows")
    time.sleep(SETTLED)

    def lines(text: str) -> list[str]:
        of_now = ("ages are counted", "digest ", "to be applied until ", QUESTION.rstrip())
        return [line for line in text.splitlines() if not line.startswith(of_now)]

    plan = lines(terminal.said(None, "plan", "policy.yaml").stdout)
    for word in ("audit", "at work"):
        assert any(word in line for line in plan), plan
    assert lines(terminal.said("n\n", "apply", "policy.yaml").stdout) == plan


def test_anything_else_changes_nothing(terminal: Terminal, store: Store) -> None:
    for typed in ("n\n", "\n", "yn\n", END_OF_FILE):
        said = terminal.said(typed, "apply", "policy.yaml")
        assert (said.returncode, is_there(store)) == (1, True), said
        assert said.stdout.endswith(QUESTION), said
        assert "nothing was changed" in said.stderr, said
    assert [*store.list(".s3core/life/runs/")] == []


def test_a_plan_that_was_saved_is_shown_and_asked_about(terminal: Terminal, store: Store) -> None:
    assert terminal.said(None, "plan", "policy.yaml", "--out", "plan.jsonl").returncode == 0
    said = terminal.said("n\n", "apply", "--plan", "plan.jsonl")
    assert (said.returncode, said.stdout.count(QUESTION), is_there(store)) == (1, 1, True), said
    said = terminal.said("y\n", "apply", "--plan", "plan.jsonl")
    assert (said.returncode, said.stdout.count(QUESTION), is_there(store)) == (0, 1, False), said


def test_where_nobody_can_be_asked_nothing_is_changed(terminal: Terminal, store: Store) -> None:
    for typed, form in ((None, "text"), (None, "json"), ("y\n", "json")):
        said = terminal.said(typed, "--output", form, "apply", "policy.yaml")
        assert (said.returncode, said.stdout, is_there(store)) == (1, "", True), said
        told = json.loads(said.stderr)["error"] if form == "json" else said.stderr
        assert "nobody is there to be asked: look at `s3life plan`, then add `--yes`" in told


def test_nobody_is_asked_where_the_answer_is_given_or_nothing_is_due(terminal: Terminal, store: Store) -> None:
    said = terminal.said("n\n", "apply", "policy.yaml", "--yes")
    assert (said.returncode, QUESTION in said.stdout, is_there(store)) == (0, False, False), said
    said = terminal.said("", "apply", "policy.yaml")
    assert (said.returncode, QUESTION in said.stdout) == (0, False), said
    assert said.stdout.startswith("nothing is due")
    store.put(KEY, b"rows")
    time.sleep(SETTLED)
    said = terminal.said(None, "apply", "policy.yaml", "--yes")
    assert (said.returncode, is_there(store)) == (0, False), said
