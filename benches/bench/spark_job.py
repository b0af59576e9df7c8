"""Table 1: a Spark job on each peer, every step beside the same step on file:// in the same minute.

Each peer has a Spark of its own (worker.py) that waits while another one runs. Steps are repeated until one takes long enough on file://
to be measured; all peers repeat it as often.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.peers import HERE, Peer, difference

STEPS = {
    "write flat": "write flat",
    "write partitioned": "write partitioned",
    "aggregate": "read, aggregate by partition",
    "read column": "read one column in full",
    "overwrite": "dynamic partition overwrite, 3 of 10",
}


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


def measure(floor: Peer, peers: Sequence[Peer], sizes: Sizes, rounds: Mapping[str, int], directory: Path) -> list[Outcome]:
    outcomes = []
    with Worker(floor, sizes, directory) as floor_worker:
        # A quarter more: later runs are faster than this first one.
        repeats = {step: max(1, math.ceil(1.25 * sizes.step_seconds / floor_worker.run(step, 1)["seconds"])) for step in STEPS}
        floor_worker.clean()
        for peer in peers:
            with Worker(peer, sizes, directory) as worker:
                for number in range(rounds[peer.name]):
                    outcomes += one_round(peer, worker, floor_worker, repeats, number)
    return outcomes


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
    worker.clean()
    floor.clean()
    return outcomes


class Worker:
    """A process with a Spark session that runs steps on request."""

    def __init__(self, peer: Peer, sizes: Sizes, directory: Path) -> None:
        self.peer = peer
        self._specification = json.dumps(
            {
                "url": peer.url,
                "jars": [str(jar) for jar in peer.jars],
                "options": peer.options,
                "rows": sizes.rows,
                "tasks": sizes.tasks,
                "scratch": str(directory / f"spark-{peer.name}"),
            }
        )
        self._log = (HERE / "target" / f"spark-{peer.name}.log").open("w")

    def __enter__(self) -> Worker:
        command = [sys.executable, "-m", "bench.worker", self._specification]
        self._process = subprocess.Popen(command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True)
        self._ask({"step": "warm up"})
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=120)
        self._log.close()

    def run(self, step: str, repeats: int) -> dict[str, Any]:
        return self._ask({"step": step, "repeats": repeats})

    def clean(self) -> None:
        self._ask({"step": "clean"})

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"Spark on {self.peer.title} failed at {request}: see {self._log.name}")
        answer: dict[str, Any] = json.loads(line)
        return answer
