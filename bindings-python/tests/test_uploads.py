"""Jobs that were killed: `s3core uploads`."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from s3core.exceptions import ConfigurationError, NotFoundError, UnsupportedError
from s3core.store import Store
from s3core.testing import Gateway
from s3core.uploads import Completed, Uploads

JOB = "7c1d"


@pytest.fixture
def killed(store: Store) -> None:
    begin(store, "events")


def begin(store: Store, destination: str, **given: str) -> None:
    """A job of one committed task, whose small file is in its pending set."""
    state = f"{destination}/_s3core_job-{JOB}"
    record = {"version": 1, "job": JOB, "destination": destination, **given}
    store.put(f"{state}/_s3core_job", json.dumps(record).encode())
    body = b"what the task wrote"
    file = {"path": "day=1/part-0", "length": len(body), "content": {"body": {"offset": 0, "attributes": {}}}}
    pending = {"version": 1, "job": JOB, "task": "task_0", "attempt": "attempt_0", "files": [file]}
    store.put(f"{state}/task_0.pendingset", json.dumps(pending).encode() + b"\n" + body)


def uploads(gateway: Gateway, path: str = "") -> Uploads:
    keys = {"access_key": gateway.access_key, "secret_key": gateway.secret_key}
    return Uploads(f"s3a://lake/{path}", endpoint=gateway.endpoint, **keys)


def command(gateway: Gateway, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own, with keys from the environment."""
    keys = {"AWS_ACCESS_KEY_ID": gateway.access_key, "AWS_SECRET_ACCESS_KEY": gateway.secret_key}
    code = "import sys; from s3core.program import main; sys.exit(main())"
    call = [sys.executable, "-c", code, "uploads", *arguments, "--endpoint", gateway.endpoint]
    return subprocess.run(call, env=keys, capture_output=True, text=True, timeout=60)


@pytest.mark.usefixtures("killed")
def test_a_killed_job_is_found_and_completed(gateway: Gateway, store: Store) -> None:
    (job,) = uploads(gateway).list().jobs
    assert (job.job, job.destination, job.committed) == (JOB, "s3a://lake/events", [])
    assert (job.committed_tasks, job.committed_files) == (1, 1)
    assert job.last_written is not None
    assert job.last_written.tzinfo is not None
    with pytest.raises(UnsupportedError, match="may be under way"):
        uploads(gateway, "events").complete(JOB)
    done = uploads(gateway, "events").complete(JOB, mark_success=True, force=True)
    assert done == Completed("s3a://lake/events", files=1, size=19, is_marked=True)
    assert store.get("events/day=1/part-0") == b"what the task wrote"
    assert sorted(entry.key for entry in store.list()) == ["events/_SUCCESS", "events/day=1/part-0"]


def test_a_jobs_mode_is_the_one_it_was_begun_with(gateway: Gateway, store: Store) -> None:
    begin(store, "events", conflict="replace")
    store.put("events/day=0/old", b"old")
    assert uploads(gateway).complete(JOB, force=True).files == 1
    assert sorted(entry.key for entry in store.list()) == ["events/day=1/part-0"]


@pytest.mark.usefixtures("killed")
@pytest.mark.parametrize(
    ("record", "is_marked"),
    [
        (b'{"version":1,"mark_success":true}', True),
        (b'{"version":1,"mark_success":false}', False),
        (b"", False),
        (None, False),
    ],
)
def test_success_is_marked_where_the_jobs_own_commit_would_have(
    gateway: Gateway, store: Store, record: bytes | None, is_marked: bool
) -> None:
    if record is not None:
        store.put(f"events/_s3core_job-{JOB}/_s3core_commit", record)
    assert uploads(gateway).complete(JOB, force=True).is_marked == is_marked
    assert ("events/_SUCCESS" in [entry.key for entry in store.list()]) == is_marked


def test_a_dynamic_overwrite_is_not_completed(gateway: Gateway, store: Store) -> None:
    begin(store, "events/.spark-staging-1")
    with pytest.raises(UnsupportedError, match=r"Run the job again.*s3core uploads abort s3a://lake/events/.spark"):
        uploads(gateway).complete(JOB, force=True)


@pytest.mark.usefixtures("killed")
def test_a_killed_job_is_aborted(gateway: Gateway, store: Store) -> None:
    uploads(gateway).abort(JOB)
    assert list(store.list()) == []


@pytest.mark.usefixtures("killed")
def test_nothing_young_is_purged(gateway: Gateway) -> None:
    assert uploads(gateway).purge() == (0, 0)
    assert len(uploads(gateway).list().jobs) == 1


@pytest.mark.usefixtures("killed")
def test_an_unknown_job_names_those_that_are_there(gateway: Gateway) -> None:
    with pytest.raises(NotFoundError, match=f"no job other below s3a://lake/.*{JOB}"):
        uploads(gateway).complete("other", force=True)


def test_the_first_write_removes_old_uploads(gateway: Gateway) -> None:
    keys = {"AWS_ACCESS_KEY_ID": gateway.access_key, "AWS_SECRET_ACCESS_KEY": gateway.secret_key}
    dies = """
import os, sys, time, s3core
def pieces():
    for _ in range(3):
        yield bytes(8 << 20)
    time.sleep(1)
    os._exit(0)
s3core.Store("s3a://lake", endpoint=sys.argv[1], multipart_size="8M").put("left", pieces())
"""
    subprocess.run([sys.executable, "-c", dies, gateway.endpoint], env=keys, check=True, timeout=60)
    time.sleep(2)
    assert len(uploads(gateway).list().unattributed) == 1
    gateway.store("lake").put("a", b"x")
    assert len(uploads(gateway).list().unattributed) == 1
    options = {"access_key": gateway.access_key, "secret_key": gateway.secret_key, "endpoint": gateway.endpoint}
    Store("s3a://lake", multipart_purge="true", multipart_purge_age="1s", **options).put("b", b"x")
    assert uploads(gateway).list().unattributed == []


def test_a_place_that_is_none() -> None:
    with pytest.raises(ConfigurationError, match="s3a://BUCKET/PATH"):
        Uploads("events")


@pytest.mark.usefixtures("killed")
def test_the_program(gateway: Gateway, store: Store) -> None:
    listed = command(gateway, "list", "s3a://lake/events")
    assert listed.returncode == 0
    assert f"job {JOB} at s3a://lake/events" in listed.stdout
    assert "1 committed tasks, 1 files that completing it makes visible" in listed.stdout
    assert json.loads(command(gateway, "list", "s3a://lake", "--json").stdout)["jobs"][0]["job"] == JOB
    missing = command(gateway, "complete", "s3a://lake/events", "other")
    assert (missing.returncode, missing.stdout) == (4, "")
    assert missing.stderr.startswith("error: no job other")
    refused = command(gateway, "complete", "s3a://lake/events", JOB)
    assert refused.returncode != 0
    assert "--force" in refused.stderr
    completed = command(gateway, "complete", "s3a://lake/events", JOB, "--force")
    first, second = completed.stdout.splitlines()
    assert first == f"completed {JOB}: 1 files of 19 bytes"
    assert second.startswith("did not put s3a://lake/events/_SUCCESS: ")
    assert [entry.key for entry in store.list()] == ["events/day=1/part-0"]
    assert command(gateway, "list", "s3a://lake").stdout == "nothing is pending\n"
    assert command(gateway, "purge", "s3a://lake").stdout == "removed 0 uploads and 0 jobs\n"
