"""Table 1: a Spark job on each peer, every step beside the same step on file:// in the same minute.

Each peer gets two new Sparks (worker.py): one on the peer and one on file://, which wait for each other. Both start anew for each peer
and warm up alike, because the JVM compiles what it runs often: a file:// that had lived longer would be faster, and so would look better
beside the last peer than beside the first. Steps are repeated until one takes long enough on file:// to be measured; all peers repeat it
as often.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.child import Child
from bench.peers import HERE, Peer, difference

STEPS = {
    "write flat": "write flat",
    "write partitioned": "write partitioned",
    "aggregate": "read, aggregate by partition",
    "read column": "read one column in full",
    "overwrite": "dynamic partition overwrite, 3 of 10",
}

# Seconds. The slowest step on the slowest peer takes a few minutes.
STEP_LIMIT = 1200


@dataclass(frozen=True)
class Sizes:
    """How much to do: rows of the table, tasks that write it, and seconds a step takes at least on file://."""

    rows: int
    step_seconds: float
    tasks: int = 16

    @classmethod
    def quick(cls) -> Sizes:
        return cls(20_000, 0.0, 2)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Outcome:
    """One step on a peer and on file://, directly one after the other. Times in seconds."""

    peer: str
    round: int
    step: str
    repeats: int
    seconds: float
    client_cpu: float
    server_cpu: dict[str, float]
    floor_seconds: float
    floor_client_cpu: float


@dataclass(frozen=True)
class SparkJob:
    """The job at one size, beside one file://, with scratch space in a directory."""

    floor: Peer
    sizes: Sizes
    directory: Path

    def repeats(self) -> dict[str, int]:
        """How often each step has to be repeated, found on a Spark that takes part in no pair."""
        if not self.sizes.step_seconds:
            return dict.fromkeys(STEPS, 1)
        with self._worker(self.floor, "repeats") as worker:
            # A quarter more: later runs are faster than this first one.
            repeats = {step: max(1, math.ceil(1.25 * self.sizes.step_seconds / worker.run(step, 1)["seconds"])) for step in STEPS}
            worker.clean()
        return repeats

    def measure(self, peer: Peer, repeats: Mapping[str, int], rounds: int) -> Iterator[list[Outcome]]:
        """Yields each round as soon as it is complete."""
        with self._worker(self.floor, f"file-beside-{peer.name}") as floor_worker, self._worker(peer, peer.name) as worker:
            for number in range(rounds):
                yield one_round(peer, worker, floor_worker, repeats, number)
                worker.clean()
                floor_worker.clean()

    def _worker(self, peer: Peer, name: str) -> Worker:
        return Worker(peer, self.sizes, self.directory, name)


def one_round(peer: Peer, worker: Worker, floor: Worker, repeats: Mapping[str, int], number: int) -> list[Outcome]:
    outcomes = []
    for step, count in repeats.items():
        measured: dict[Worker, dict[str, Any]] = {}
        for current in (floor, worker) if number % 2 == 0 else (worker, floor):
            before = current.peer.server_cpu()
            measured[current] = current.run(step, count)
            measured[current]["server_cpu"] = difference(before, current.peer.server_cpu())
        mine, its = measured[worker], measured[floor]
        outcome = Outcome(peer.name, number, step, count, mine["seconds"], mine["cpu"], mine["server_cpu"], its["seconds"], its["cpu"])
        print(
            f"{peer.title}, round {number + 1}: {step} x {count}: {outcome.seconds:.1f} s, file:// {outcome.floor_seconds:.1f} s",
            flush=True,
        )
        outcomes.append(outcome)
    return outcomes


class Worker:
    """A process with a Spark session that runs steps on request."""

    def __init__(self, peer: Peer, sizes: Sizes, directory: Path, name: str) -> None:
        self.peer = peer
        specification = json.dumps(
            {
                "url": peer.url,
                "jars": [str(jar) for jar in peer.jars],
                "options": peer.options,
                "rows": sizes.rows,
                "tasks": sizes.tasks,
                "scratch": str(directory / f"spark-{name}"),
            }
        )
        command = [sys.executable, "-m", "bench.worker", specification]
        self._child = Child(f"Spark on {peer.title}", command, HERE, HERE / "target" / f"spark-{name}.log")

    def __enter__(self) -> Worker:
        try:
            self._ask({"step": "warm up"})
        except BaseException:
            self._child.kill()
            self._child.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if error:
            self._child.kill()  # it may be amid a step
        self._child.stop()

    def run(self, step: str, repeats: int) -> dict[str, Any]:
        return self._ask({"step": step, "repeats": repeats})

    def clean(self) -> None:
        self._ask({"step": "clean"})

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._child.ask(json.dumps(request), STEP_LIMIT))
        return answer
