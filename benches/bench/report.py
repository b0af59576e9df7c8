"""The results as files: results.json has every figure, RESULTS.md the medians, results.svg the picture of the job table."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.calls import Call
from bench.chart import Bar, Group, chart
from bench.peers import FLOOR, NAMES, OURS, TITLES
from bench.requests import JOBS, JobRequests
from bench.spark_job import STEPS, Outcome

# For these, less is better.
COSTS = {"s", "s/GB"}


@dataclass(frozen=True)
class Failure:
    """A peer that was not measured to the end."""

    peer: str
    part: str
    reason: str


@dataclass
class Results:
    """All of one run."""

    machine: dict[str, str]
    sizes: dict[str, Any]
    job: list[Outcome] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    requests: list[JobRequests] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    @classmethod
    def read(cls, file: Path) -> Results:
        raw = json.loads(file.read_text())
        return cls(
            raw["machine"],
            raw["sizes"],
            [Outcome(**row) for row in raw["job"]],
            [Call(**row) for row in raw["calls"]],
            [JobRequests(**row) for row in raw["requests"]],
            [Failure(**row) for row in raw["failures"]],
        )

    def ratio(self, peer: str, step: str) -> float | None:
        """How much longer than file:// in the same pair of runs, median over the pairs."""
        return self._median(peer, step, lambda row: row.seconds / row.floor_seconds)

    def seconds(self, peer: str, step: str) -> float | None:
        """Of one repetition, median over the pairs."""
        return self._median(peer, step, lambda row: row.seconds / row.repeats)

    def floor_seconds(self, step: str) -> float:
        return median(row.floor_seconds / row.repeats for row in self.job if row.step == step)

    def repeats(self, step: str) -> int:
        return next(row.repeats for row in self.job if row.step == step)

    def failed(self, peer: str, part: str) -> bool:
        return any((failure.peer, failure.part) == (peer, part) for failure in self.failures)

    def job_peers(self) -> list[str]:
        return [name for name in NAMES if any(row.peer == name for row in self.job)]

    def call_peers(self) -> list[str]:
        return [name for name in [FLOOR, *NAMES] if any(call.peer == name for call in self.calls)]

    def cpu(self, peer: str, step: str) -> dict[str, float]:
        """CPU seconds of one repetition by process, medians over the pairs."""
        rows = [row for row in self.job if (row.peer, row.step) == (peer, step)]
        used = {"client": median(row.client_cpu / row.repeats for row in rows)}
        for process in rows[0].server_cpu:
            used[process] = median(row.server_cpu[process] / row.repeats for row in rows)
        return used

    def call(self, peer: str, name: str) -> float | None:
        values = [call.value for call in self.calls if (call.peer, call.name) == (peer, name)]
        return median(values) if values else None

    def _median(self, peer: str, step: str, value: Callable[[Outcome], float]) -> float | None:
        values = [value(row) for row in self.job if (row.peer, row.step) == (peer, step)]
        return median(values) if values else None


def write_all(results: Results, directory: Path, chart_file: Path | None = None) -> None:
    """The figures first: the others can be made from them. The chart is that of the job table; without one it stays as it is."""
    (directory / "results.json").write_text(json.dumps(asdict(results), indent=1) + "\n")
    (directory / "RESULTS.md").write_text(markdown(results))
    if results.job:
        (chart_file or directory / "results.svg").write_text(picture(results))


def markdown(results: Results) -> str:
    parts = [head(results)]
    if results.failures:
        parts.append(failures(results))
    if results.job:
        parts += [job_table(results), cpu_table(results)]
    if results.calls:
        parts.append(calls_table(results))
    if results.requests:
        parts.append(requests_table(results))
    return "\n\n".join(parts) + "\n"


def head(results: Results) -> str:
    machine = results.machine
    rounds = "; ".join(f"{TITLES[name]}: {count}" for name, count in results.sizes["rounds"].items())
    return (
        "# Results\n"
        f"Written by `make bench` on {machine['date']}; every figure of the run is in `results.json`.\n\n"
        f"{machine['processor']}, {machine['cores']} cores shared by Spark and a one-node Ceph {machine['ceph']} (OSD in memory), "
        f"{machine['memory']}, Linux {machine['kernel']}, {machine['java']}. Plain HTTP on loopback; file:// and HDFS lie in memory too. "
        "s3core and S3A use the gateway's defaults unless the column says otherwise; s3core has no option set but endpoint and keys.\n\n"
        f"Absolute figures are this machine's; compare within the run. Medians; pairs of runs with file://: {rounds}."
    )


def failures(results: Results) -> str:
    lines = [f"- {TITLES[failure.peer]}, {failure.part}: {failure.reason}" for failure in results.failures]
    return "**Failed**; the tables have what was measured before:\n\n" + "\n".join(lines)


def job_table(results: Results) -> str:
    peers = results.job_peers()
    rows = [
        [
            STEPS[step],
            f"{results.floor_seconds(step):.2f}",
            *(with_ratio(results, peer, step) for peer in peers),
            str(results.repeats(step)),
        ]
        for step in STEPS
    ]
    return (
        f"## A Spark job: {results.sizes['rows']:,} rows of Parquet, {results.sizes['tasks']} tasks, 10 partitions; "
        f"Spark {results.machine['spark']}, `local[4]`\n"
        "Seconds of one repetition and, in bold, how many times as long as on file:// in the same pair of runs. "
        "Each peer's Spark and the file:// beside it start anew and warm up alike. "
        "Each measurement repeats its step as often as the last column says.\n\n"
    ) + table(["step", "file://, s", *(TITLES[peer] for peer in peers), "repeats"], rows)


def with_ratio(results: Results, peer: str, step: str) -> str:
    seconds, ratio = results.seconds(peer, step), results.ratio(peer, step)
    return f"{seconds:.2f} (**{ratio:.2f}x**)" if seconds is not None and ratio is not None else "-"


def cpu_table(results: Results) -> str:
    peers = results.job_peers()
    rows = [
        [STEPS[step], *(", ".join(f"{name} {seconds:.1f}" for name, seconds in results.cpu(peer, step).items()) for peer in peers)]
        for step in STEPS
    ]
    return "### CPU seconds of one repetition\nClient and servers share the cores.\n\n" + table(
        ["step", *(TITLES[peer] for peer in peers)], rows
    )


def calls_table(results: Results) -> str:
    peers = results.call_peers()
    names = list(dict.fromkeys((call.name, call.unit) for call in results.calls))
    rows = [
        [f"{name}, {unit}" + (" (less is better)" if unit in COSTS else ""), *(figure(results.call(peer, name)) for peer in peers)]
        for name, unit in names
    ]
    return "## Plain FileSystem calls, one client thread\n" + table(["call", *(TITLES[peer] for peer in peers)], rows)


def requests_table(results: Results) -> str:
    columns = list(dict.fromkeys((found.peer, found.committer) for found in results.requests))
    by_column = {(found.peer, found.committer, found.job): found for found in results.requests}
    rows = [[title, *(requests_cell(by_column.get((*column, job))) for column in columns)] for job, title in JOBS.items()]
    titles = [f"{TITLES[peer]} {committer}".strip() for peer, committer in columns]
    return (
        "## Requests of a job, as the gateway has logged them\n"
        "Parquet from Spark, from the look at the destination to the end of the job's commit; in brackets how many were copies.\n\n"
    ) + table(["job", *titles], rows)


def requests_cell(found: JobRequests | None) -> str:
    if found is None:
        return "-"
    if not found.requests:
        return "refused"
    copies = found.requests.get("CopyObject", 0) + found.requests.get("UploadPartCopy", 0)
    return f"{found.total:,} ({copies:,})"


def figure(value: float | None) -> str:
    """Three significant digits, without exponents."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def picture(results: Results) -> str:
    groups = []
    for step, title in STEPS.items():
        bars = [Bar(TITLES[peer], ratio, peer == OURS) for peer in results.job_peers() if (ratio := results.ratio(peer, step)) is not None]
        groups.append(Group(title, bars))
    machine = results.machine
    subtitle = f"Spark {machine['spark']} on Ceph {machine['ceph']}, {results.sizes['rows']:,} rows of Parquet; 1 is a local disk in memory"
    return chart("Times as long as on file:// (less is better)", subtitle, groups)
