"""The wheel brings `s3life`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from s3core import __version__
from s3core.exceptions import NotFoundError
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


def life(gateway: Gateway, directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    keys = {"AWS_ACCESS_KEY_ID": gateway.access_key, "AWS_SECRET_ACCESS_KEY": gateway.secret_key}
    code = "import sys; from s3core.program import life; sys.exit(life())"
    call = [sys.executable, "-c", code, "--endpoint", gateway.endpoint, "--output", "json", *arguments]
    return subprocess.run(call, env=keys, cwd=directory, capture_output=True, text=True, timeout=60)


def test_a_partition_goes_and_comes_back(gateway: Gateway, store: Store, tmp_path: Path) -> None:
    store.put("events/day=2020-01-01/part-0", b"rows")
    store.put("events/day=2999-01-01/part-0", b"rows")
    (tmp_path / "policy.yaml").write_text(POLICY)
    time.sleep(2.1)
    applied = life(gateway, tmp_path, "apply", "policy.yaml", "--yes")
    assert (applied.returncode, applied.stderr) == (0, "")
    run = json.loads(applied.stdout)
    assert (run["state"], run["actions"]["expire"]["objects"]) == ("done", 1)
    with pytest.raises(NotFoundError):
        store.get("events/day=2020-01-01/part-0")
    undone = life(gateway, tmp_path, "undo", run["run"], "s3a://lake")
    assert (undone.returncode, undone.stderr) == (0, "")
    assert store.get("events/day=2020-01-01/part-0") == b"rows"


def test_wrong_arguments_end_with_2(gateway: Gateway, tmp_path: Path) -> None:
    assert life(gateway, tmp_path, "apply").returncode == 2
    assert __version__ in life(gateway, tmp_path, "--version").stdout
