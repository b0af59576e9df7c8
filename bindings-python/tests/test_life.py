"""The wheel brings `s3life`, and `s3core.life` what it does as values."""

from __future__ import annotations

import builtins
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from s3core import __version__, life
from s3core.exceptions import ConfigurationError, NotFoundError, PreconditionFailedError
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


def life_program(gateway: Gateway, directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    keys = {"AWS_ACCESS_KEY_ID": gateway.access_key, "AWS_SECRET_ACCESS_KEY": gateway.secret_key}
    code = "import sys; from s3core.program import life; sys.exit(life())"
    call = [sys.executable, "-c", code, "--endpoint", gateway.endpoint, "--output", "json", *arguments]
    return subprocess.run(call, env=keys, cwd=directory, capture_output=True, text=True, timeout=60)


def test_a_partition_goes_and_comes_back(gateway: Gateway, store: Store, tmp_path: Path) -> None:
    store.put("events/day=2020-01-01/part-0", b"rows")
    store.put("events/day=2999-01-01/part-0", b"rows")
    (tmp_path / "policy.yaml").write_text(POLICY)
    time.sleep(2.1)
    applied = life_program(gateway, tmp_path, "apply", "policy.yaml", "--yes")
    assert (applied.returncode, applied.stderr) == (0, "")
    run = json.loads(applied.stdout)
    assert (run["state"], run["actions"]["expire"]["objects"]) == ("done", 1)
    with pytest.raises(NotFoundError):
        store.get("events/day=2020-01-01/part-0")
    undone = life_program(gateway, tmp_path, "undo", run["run"], "s3a://lake")
    assert (undone.returncode, undone.stderr) == (0, "")
    assert store.get("events/day=2020-01-01/part-0") == b"rows"


def test_wrong_arguments_end_with_2(gateway: Gateway, tmp_path: Path) -> None:
    assert life_program(gateway, tmp_path, "apply").returncode == 2
    assert __version__ in life_program(gateway, tmp_path, "--version").stdout


@pytest.fixture
def keys(gateway: Gateway) -> dict[str, Any]:
    return {"endpoint": gateway.endpoint, "access_key": gateway.access_key, "secret_key": gateway.secret_key}


@pytest.fixture
def policy(store: Store, tmp_path: Path) -> str:
    """A policy, three partitions that are due, and one that is not."""
    for day in ("2020-01-01", "2020-01-02", "2020-01-03", "2999-01-01"):
        store.put(f"events/day={day}/part-0", day.encode())
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return str(path)


@pytest.fixture
def settled(policy: str) -> str:
    """The same, when what was written is no longer too young to be planned."""
    time.sleep(2.1)
    return policy


def test_a_plan_is_made_applied_and_undone(settled: str, keys: dict[str, Any], store: Store) -> None:
    plan = life.plan(settled, **keys)
    assert (plan.planned, plan.is_empty, plan.stopped) == (life.Amount(3, 3, 30), False, None)
    assert (plan.bucket, plan.policy, plan.zone, plan.foreign_rules) == ("lake", settled, "UTC", ())
    assert [(rule.rule, rule.action, rule.planned.units) for rule in plan.rules] == [("drop", "expire", 3)]
    assert (plan.datasets[0].left, plan.datasets[0].exceeded) == ({"not yet": 1}, None)
    assert plan.expires - plan.created == timedelta(days=1)

    copy = pickle.loads(pickle.dumps(plan))
    assert copy == plan
    run = life.apply(copy, **keys)
    assert run is not None
    assert (run.state, run.actions, run.digest) == ("done", {"expire": life.Amount(3, 3, 30)}, plan.digest)
    assert pickle.loads(pickle.dumps(run)) == run
    with pytest.raises(NotFoundError):
        store.get("events/day=2020-01-01/part-0")
    with pytest.raises(ConfigurationError, match="carried out before"):
        life.apply(plan, **keys)

    (gone,) = life.explain("s3a://lake/events/day=2020-01-01/part-0", settled, **keys)
    assert (gone.verdict, gone.run, gone.until) == ("removed", run.run, run.trash_until)
    assert gone.command == f"s3life undo {run.run} {settled}"

    status = life.status("s3a://lake", **keys)
    assert (status.hidden, status.held) == ((), ())
    assert ([(trash.run, trash.objects) for trash in status.trash], status.lease) == ([(run.run, 3)], None)
    (told,) = life.history(settled, **keys)
    assert (told.run, told.actions, told.started) == (run.run, run.actions, run.started)
    assert (told.command, told.waiting, told.refused) == ("apply", None, 0)
    undone = life.undo(run, "s3a://lake", **keys)
    assert (undone.restored, undone.left, undone.refused) == ({"events": life.Amount(3, 3, 30)}, (), 0)
    assert store.get("events/day=2020-01-01/part-0") == b"2020-01-01"
    assert life.status(settled, **keys).unreleased == (life.Kept(run.run, life.Amount(3, 3, 30), None),)
    assert life.history(settled, **keys)[0].state == "undone"


def test_a_run_is_proven(settled: str, keys: dict[str, Any], store: Store) -> None:
    run = life.apply(settled, yes=True, **keys)
    assert run is not None
    proof = life.verify(run, settled, **keys)
    assert (proof.run, proof.proven, proof.state, proof.removed) == (run.run, True, "done", life.Amount(3, 3, 30))
    assert (proof.wrong, proof.changed, proof.left, proof.not_back, proof.waiting) == ((), (), 0, 0, 0)
    assert (proof.aborted, proof.uploads_left, proof.aborts_unwritten) == (0, 0, 0)
    assert pickle.loads(pickle.dumps(proof)) == proof

    store.put("events/day=2020-01-01/part-0", b"of somebody else")
    copy = next(entry for entry in store.list(".s3core/trash/") if entry.key.endswith("day=2020-01-02/part-0"))
    store.put(copy.key, b"something else")
    proof = life.verify(run.run, "s3a://lake", **keys)
    assert (proof.proven, proof.wrong_count, proof.changed_count) == (False, 1, 1)
    (wrong,) = proof.wrong
    assert (wrong.key, wrong.expected[:8], wrong.found[:8]) == (copy.key, "10 bytes", "14 bytes")
    (change,) = proof.changed
    assert change.key == "events/day=2020-01-01/part-0"
    assert change.change.startswith("it was written since: 16 bytes")

    with pytest.raises(NotFoundError, match="has no run"):
        life.verify("20200101T000000Z-abcdef", settled, **keys)


def test_a_plan_lists_what_killed_jobs_have_left(settled: str, keys: dict[str, Any], store: Store) -> None:
    store.put("events/day=2020-01-03/_temporary/0/part-1", b"rows")
    at_work = life.plan(settled, **keys)
    assert (at_work.jobs_at_work, at_work.jobs_abandoned, at_work.planned.units) == (1, 0, 2)
    plan = life.plan(settled, now=datetime.now(UTC) + timedelta(days=8), **keys)
    assert (plan.jobs_at_work, plan.jobs_abandoned, plan.planned.units) == (0, 1, 3)
    (job,) = plan.jobs
    assert job == life.Job("events", "events/day=2020-01-03/_temporary/", None, job.newest, 1, 4, abandoned=True)
    assert abs(job.newest - datetime.now(UTC)) < timedelta(minutes=5)
    assert pickle.loads(pickle.dumps(plan)) == plan


def test_a_plan_says_what_quotas_leave(settled: str, keys: dict[str, Any], tmp_path: Path) -> None:
    # The embedded endpoint tells nothing of quotas, and Radosgw does.
    assert life.plan(settled, **keys).headroom is None
    names = {
        "endpoint": "S3CORE_TEST_ENDPOINT",
        "access_key": "S3CORE_TEST_ACCESS_KEY",
        "secret_key": "S3CORE_TEST_SECRET_KEY",
    }
    ceph: dict[str, Any] = {name: os.environ[variable] for name, variable in names.items()}
    bucket = f"python-{uuid.uuid4().hex[:16]}"
    store = Store(f"s3a://{bucket}", **ceph)
    store.create_bucket()
    store.put("events/day=2020-01-01/part-0", b"2020-01-01")
    path = tmp_path / "ceph.yaml"
    path.write_text(POLICY.replace("s3a://lake/", f"s3a://{bucket}/"))
    time.sleep(3)
    plan = life.plan(path, **ceph)
    one, unlimited = life.Amount(1, 1, 10), life.Room(None, None)
    assert plan.headroom == life.Headroom(one, one, unlimited, unlimited, short=False)
    assert pickle.loads(pickle.dumps(plan)) == plan
    store.delete("events/day=2020-01-01/part-0")


def test_a_plan_is_a_table_of_arrow(
    settled: str, keys: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = life.plan(settled, out=tmp_path / "plan.jsonl", **keys)
    assert (saved.path, saved.text) == (tmp_path / "plan.jsonl", None)
    table = saved.to_arrow()
    assert table == life.plan(settled, now=saved.now, **keys).to_arrow()
    assert table.column("key").to_pylist() == [f"events/day=2020-01-0{day}/part-0" for day in (1, 2, 3)]
    row = table.to_pylist()[0]
    assert (row["dataset"], row["rule"], row["action"], row["to_class"]) == ("events", "drop", "expire", None)
    assert (row["unit"], row["bytes"], row["storage_class"]) == ("events/day=2020-01-01/", 10, "STANDARD")
    assert row["since"] == datetime(2021, 1, 2, tzinfo=UTC)
    assert abs(row["written"] - datetime.now(UTC)) < timedelta(minutes=5)
    reviewed = (tmp_path / "plan.jsonl").read_bytes()
    life.plan(settled, out=tmp_path / "plan.jsonl", expires="1h", **keys)
    with pytest.raises(PreconditionFailedError, match="holds another plan by now"):
        life.apply(saved, **keys)
    (tmp_path / "plan.jsonl").write_bytes(reviewed)
    run = life.apply(saved, **keys)
    assert run is not None
    assert run.actions["expire"].objects == 3

    found = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ModuleNotFoundError("No module named 'pyarrow'", name="pyarrow")
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModuleNotFoundError, match="pip install pyarrow"):
        saved.to_arrow()


def test_the_inventory_is_parquet_to_pyarrow(policy: str, gateway: Gateway, tmp_path: Path) -> None:
    said = life_program(gateway, tmp_path, "inventory", policy, "--out", "lake.parquet")
    assert (said.returncode, said.stderr, json.loads(said.stdout)["objects"]) == (0, "", 4)
    table = pq.read_table(tmp_path / "lake.parquet")
    assert table.schema.field("written").type == pa.timestamp("us", "UTC")
    assert table.column("verdict").to_pylist() == ["due", "due", "due", "not yet"]
    assert table.column("due").to_pylist()[0] == datetime(2021, 1, 2, tzinfo=UTC)


def test_places_are_explained(policy: str, keys: dict[str, Any]) -> None:
    (told,) = life.explain("s3a://lake/events/day=2999-01-01/part-0", policy, **keys)
    assert (told.verdict, told.rule, told.when) == ("not yet", "drop", datetime(3000, 1, 2, tzinfo=UTC))
    assert (told.objects, told.bytes, told.classes) == (1, 10, {"STANDARD": 10})
    (nothing,) = life.explain("s3a://lake/events/nothing", policy, **keys)
    assert (nothing.verdict, nothing.rule, nothing.run) == ("nothing", None, None)
    assert "the nearest place where something does is s3a://lake/events/" in nothing.reason


def test_nobody_is_asked(settled: str, keys: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="nobody is asked"):
        life.apply(settled, **keys)
    run = life.apply(settled, yes=True, **keys)
    assert run is not None
    assert run.actions["expire"].units == 3
    assert life.apply(settled, yes=True, **keys) is None


def test_failures_are_the_wheels_exceptions(settled: str, keys: dict[str, Any], tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("version: 1\ndatasets:\n  - name: events\n")
    with pytest.raises(ConfigurationError, match=r"wrong\.yaml:3:"):
        life.plan(wrong, **keys)
    with pytest.raises(ConfigurationError, match="names no zone"):
        life.plan(settled, now=datetime(2026, 1, 1), **keys)
    with pytest.raises(NotFoundError, match="has no run"):
        life.undo("20200101T000000Z-abcdef", "s3a://lake", **keys)
    with pytest.raises(NotFoundError, match="does not exist"):
        life.status("s3a://nowhere", **keys)
    guarded = tmp_path / "guarded.yaml"
    guarded.write_text(POLICY.replace("max_removed: none", "max_removed: 20% per 30d"))
    plan = life.plan(guarded, **keys)
    assert "events (75% of its units and 75% of its bytes, 20% per 30d allowed)" in str(plan.stopped)
    assert plan.datasets[0].exceeded
    with pytest.raises(PreconditionFailedError, match="--allow"):
        life.apply(plan, **keys)
    assert life.plan(guarded, allow={"events": 80}, **keys).stopped is None


def test_ctrl_c_ends_what_waits_and_other_threads_run(policy: str, keys: dict[str, Any]) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with it ignored
    beats = 0

    def interrupt() -> None:
        nonlocal beats
        for _ in range(10):
            time.sleep(0.05)
            beats += 1
        os.kill(os.getpid(), signal.SIGINT)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        thread = threading.Thread(target=interrupt)
        begun = time.monotonic()
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            life.plan(policy, **{**keys, "endpoint": endpoint})
        assert (beats, time.monotonic() - begun < 5) == (10, True)
        thread.join()
