"""Children that behave badly."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.child import Child, ChildError, why

# A Python that starts another process in its own group, as a worker its JVM, prints its number, and minds nothing.
STUBBORN = "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"


@pytest.fixture
def stubborn(tmp_path: Path) -> Iterator[Child]:
    child = start(STUBBORN, tmp_path)
    yield child
    child.kill()
    child.stop()


def start(program: str, directory: Path) -> Child:
    return Child("Peer", [sys.executable, "-c", program], directory, directory / "log")


def running(process: int) -> bool:
    state = Path(f"/proc/{process}/stat")
    return state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def gone(process: int) -> bool:
    """Within a moment: a signal takes effect when the process is scheduled."""
    end = time.monotonic() + 5
    while running(process) and time.monotonic() < end:
        time.sleep(0.01)
    return not running(process)


def test_one_that_does_not_answer_is_killed_with_its_children(stubborn: Child) -> None:
    grandchild = int(stubborn.ask("", 10))
    assert running(grandchild)
    with pytest.raises(ChildError, match=r"Peer failed at a step: no answer within 0 s"):
        stubborn.ask("a step", 0.1)
    assert gone(grandchild)


def test_one_that_does_not_end_is_killed(stubborn: Child) -> None:
    grandchild = int(stubborn.ask("", 10))
    stubborn.stop(0.1)
    assert gone(stubborn.process)
    assert gone(grandchild)


def test_one_that_answers_and_ends(tmp_path: Path) -> None:
    child = start("import sys\nfor line in sys.stdin: print(line.upper(), end='', flush=True)", tmp_path)
    assert child.ask("a step", 10) == "A STEP"
    child.stop()
    assert gone(child.process)


def test_the_reason_is_that_of_its_log(tmp_path: Path) -> None:
    child = start("raise ValueError('the disk is full')", tmp_path)
    with pytest.raises(ChildError, match=r"Peer failed at a step: ValueError: the disk is full \(benches/target/log\)"):
        child.ask("a step", 10)
    child.stop()


def test_the_innermost_exception_counts(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "26/01/01 WARN Task: an Error that was met\n"
        "py4j.protocol.Py4JJavaError: An error occurred while calling o81.parquet.\n"
        ": org.apache.spark.SparkException: Job aborted.\n\tat org.apache.spark.Job.run(Job.scala:1)\n"
        "Caused by: java.io.IOException: no route to host\n\tat java.net.Socket.connect(Socket.java:1)\n"
    )
    assert why(log) == "Caused by: java.io.IOException: no route to host (benches/target/log)"
    log.write_text("")
    assert why(log) == "it ended (benches/target/log)"
