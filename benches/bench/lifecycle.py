"""What s3life costs beside the least that its work can cost; lifecycle.sh starts it.

On the embedded endpoint, which answers at once, so that what is seen is the program's own cost, and on real Ceph.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.child import Child
from bench.machine import processor
from bench.peers import HERE, new_bucket
from bench.report import figure, table
from bench.requests import operations, settled_size

EMBEDDED_KEYS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "benchbench"}

#: What a plan is made of: days as partitions, or each object by itself.
PARTITIONS = ('{from: partition, time: "{day:%F}"}', "")
OBJECTS = ("{from: newest_object}", "unit: object")

#: Later than all partitions; a plan may be made for any time.
NOW = "2030-01-01T00:00:00Z"

#: Seconds for an endpoint with ten million objects to be there.
START_LIMIT = 300

#: Plans of more objects take minutes, and are made once.
MOST_REPEATED = 2_000_000

#: Objects younger than two seconds are never planned.
SETTLED = 3.0

#: Runs a command and prints its seconds and peak resident memory as the kernel counted them. A small process of its own, because the
#: kernel counts what the process that starts a child has, too.
COUNT = """
import os, sys, time
start = time.monotonic()
nowhere = os.open(os.devnull, os.O_WRONLY)
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, nowhere, 1)])
_, status, usage = os.wait4(child, 0)
print('{"seconds": %f, "mebibytes": %f}' % (time.monotonic() - start, usage.ru_maxrss / 1024))
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""


@dataclass(frozen=True)
class Endpoint:
    """An endpoint with one bucket, and how many requests it had since it was asked last."""

    title: str
    url: str
    bucket: str
    keys: dict[str, str]
    requests: Callable[[], int]


@dataclass
class Measured:
    """What the runs of one command took."""

    seconds: list[float] = field(default_factory=list)
    mebibytes: list[float] = field(default_factory=list)  # at most, resident
    requests: list[int] = field(default_factory=list)


def main() -> None:
    arguments = parse()
    sections = []
    with tempfile.TemporaryDirectory() as directory:
        runs = Runs(Path(directory), arguments.target, arguments.runs)
        for objects in arguments.plan:
            with embedded(runs, objects) as endpoint:
                sections.append(runs.plans(endpoint, objects))
        if arguments.expire:
            with embedded(runs, arguments.expire) as endpoint:
                sections.append(runs.expiries(endpoint, arguments.expire))
        if arguments.ceph:
            sections.append(runs.expiries(ceph(runs, arguments.ceph), arguments.ceph))
    text = "\n\n".join([head(arguments.runs), *sections]) + "\n"
    print(text)
    if arguments.out:
        arguments.out.write_text(text)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="lifecycle.sh", description="Measures s3life beside bare listings, copies and deletes.")
    plan = "to plan, on the embedded endpoint, which takes 0.7 KiB for each"
    parser.add_argument("--plan", type=int, nargs="*", default=[1_000_000, 10_000_000], metavar="OBJECTS", help=plan)
    parser.add_argument("--expire", type=int, default=100_000, metavar="OBJECTS", help="to expire and bring back, on the embedded endpoint")
    parser.add_argument("--ceph", type=int, default=10_000, metavar="OBJECTS", help="to expire and bring back, on real Ceph")
    parser.add_argument("--runs", type=int, default=3, help="of each; the table has their medians")
    parser.add_argument("--target", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def head(runs: int) -> str:
    version = os.environ["S3CORE_TEST_CEPH_VERSION"]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        "# What s3life costs\n\n"
        "Written by `benches/lifecycle.sh`. Objects of one byte in 400 day partitions. Ratios are to the last line of each table, in the "
        f"same run; medians of {runs}.\n\n"
        f"{time.strftime('%Y-%m-%d')}, {processor()}, {os.cpu_count()} cores, {memory:.0f} GiB; Ceph {version}."
    )


class Runs:
    """Commands, one after the other, as often as asked."""

    def __init__(self, directory: Path, target: Path, runs: int) -> None:
        self.directory = directory
        self.target = target
        self.runs = runs
        self._measured: dict[str, Measured] = {}

    def plans(self, endpoint: Endpoint, objects: int) -> str:
        self._measured = {}
        remote = f":s3,provider=Other,endpoint='{endpoint.url}',access_key_id=bench,secret_access_key=benchbench:{endpoint.bucket}"
        runs = self.runs if objects <= MOST_REPEATED else 1
        for _ in range(runs):
            for title, rule in (("`s3life plan`, 400 partitions", PARTITIONS), ("`s3life plan`, each object a unit", OBJECTS)):
                self.measure(endpoint, title, self._s3life(endpoint, "plan", self._policy(endpoint, rule), "--now", NOW))
            lsf = ["rclone", "lsf", "-R", "--format", "pst", "--use-server-modtime", "--config", os.devnull, remote]
            self.measure(endpoint, "`rclone lsf -R`", lsf)
        return self.section(f"Plan {objects:,} objects, {endpoint.title}{', once' if runs < self.runs else ''}", objects)

    def expiries(self, endpoint: Endpoint, objects: int) -> str:
        self._measured = {}
        policy, plan = self._policy(endpoint, PARTITIONS), str(self.directory / "plan.jsonl")
        bucket = f"s3a://{endpoint.bucket}"
        move = [str(self.target / "examples" / "bucket"), "move", endpoint.url, endpoint.bucket]
        for _ in range(self.runs):
            self._run(endpoint, self._s3life(endpoint, "plan", policy, "--out", plan))
            self.measure(endpoint, "`s3life apply`", self._s3life(endpoint, "apply", "--plan", plan, "--yes"))
            history = json.loads(self._run(endpoint, self._s3life(endpoint, "--output", "json", "history", bucket)))
            run = history[0]["run"]
            self.measure(endpoint, "`s3life verify`", self._s3life(endpoint, "verify", run, bucket))
            self.measure(endpoint, "`s3life undo`", self._s3life(endpoint, "undo", run, bucket))
            self._run(endpoint, self._s3life(endpoint, "release", run, bucket))
            self.measure(endpoint, "bare copy and delete", [*move, "events/", "elsewhere/"])
            self._run(endpoint, [*move, "elsewhere/", "events/"])
            time.sleep(SETTLED)
        return self.section(f"Expire {objects:,} objects and bring them back, {endpoint.title}", objects)

    def section(self, title: str, objects: int) -> str:
        peer = statistics.median(list(self._measured.values())[-1].seconds)
        rows = []
        for name, measured in self._measured.items():
            seconds = statistics.median(measured.seconds)
            requests = statistics.median(measured.requests)
            memory = f"{max(measured.mebibytes):.0f}"
            rows.append([name, figure(seconds), f"{seconds / peer:.2f}x", memory, f"{requests:,.0f}", figure(requests / objects)])
        return f"## {title}\n{table(['command', 's', 'ratio', 'MiB at most', 'requests', 'for each object'], rows)}"

    def _s3life(self, endpoint: Endpoint, *arguments: str) -> list[str]:
        return [str(self.target / "s3life"), "--endpoint", endpoint.url, *arguments]

    def _policy(self, endpoint: Endpoint, rule: tuple[str, str]) -> str:
        age, unit = rule
        file = self.directory / "policy.yaml"
        file.write_text(
            "version: 1\ndatasets:\n"
            f"  - name: events\n    location: s3a://{endpoint.bucket}/events/\n    age: {age}\n    settle: 0h\n"
            f"    guard: {{max_removed: none}}\n    {unit}\n"
            "    rules: [{name: drop, when: {older_than: 1d}, then: expire}]\n"
        )
        return str(file)

    def _run(self, endpoint: Endpoint, command: Sequence[str]) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"} | endpoint.keys
        return subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True).stdout

    def measure(self, endpoint: Endpoint, title: str, command: Sequence[str]) -> None:
        endpoint.requests()
        counted = json.loads(self._run(endpoint, [sys.executable, "-I", "-S", "-c", COUNT, *command]))
        measured = self._measured.setdefault(title, Measured())
        measured.seconds.append(counted["seconds"])
        measured.mebibytes.append(counted["mebibytes"])
        measured.requests.append(endpoint.requests())
        print(f"{endpoint.title}: {title}: {counted['seconds']:.1f} s", file=sys.stderr, flush=True)


@contextmanager
def embedded(runs: Runs, objects: int) -> Iterator[Endpoint]:
    """Has its objects in memory when it starts."""
    command = ["env", *(f"{name}={value}" for name, value in EMBEDDED_KEYS.items()), str(runs.target / "examples" / "bucket")]
    child = Child("the embedded endpoint", [*command, "serve", "bench", str(objects)], HERE, runs.directory / "endpoint.log")
    try:
        url = child.ask("", START_LIMIT)
        yield Endpoint("embedded endpoint", url, "bench", EMBEDDED_KEYS, lambda: int(child.ask("requests", START_LIMIT)))
    finally:
        child.stop()


def ceph(runs: Runs, objects: int) -> Endpoint:
    """A new bucket of the cluster that the environment names."""
    url = os.environ["S3CORE_TEST_OPS_LOG_ENDPOINT"]
    keys = {"AWS_ACCESS_KEY_ID": os.environ["S3CORE_TEST_ACCESS_KEY"], "AWS_SECRET_ACCESS_KEY": os.environ["S3CORE_TEST_SECRET_KEY"]}
    _, bucket = new_bucket(url, *keys.values())
    environment = os.environ | keys
    subprocess.run([runs.target / "examples" / "bucket", "fill", url, bucket, str(objects)], check=True, env=environment)
    time.sleep(SETTLED)
    log = Path(os.environ["S3CORE_TEST_OPS_LOG_FILE"])
    read = settled_size(log)

    def requests() -> int:
        nonlocal read
        start, read = read, settled_size(log)
        with log.open("rb") as lines:
            lines.seek(start)
            return sum(1 for _ in operations(lines.read(read - start).decode()))

    return Endpoint("Ceph", url, bucket, keys, requests)


if __name__ == "__main__":
    main()
