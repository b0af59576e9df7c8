"""Command line: measure, then write the results."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import calls, requests, spark_job
from bench.child import ChildError
from bench.machine import description
from bench.peers import FLOOR, HERE, NAMES, OURS, TITLES, Places, our_jar
from bench.report import Failure, Results, write_all

# In RAM, as the gateway's OSD is: nobody's figures are those of a disk.
MEMORY = Path("/dev/shm")
TABLES = ["job", "calls", "requests"]


def main() -> None:
    arguments = parse()
    output: Path = arguments.output or (HERE / "target" / "quick" if arguments.quick else HERE)
    if arguments.redo:
        write_all(Results.read(output / "results.json"), output, arguments.chart)
        return
    try:
        check(arguments)
    except OSError as error:
        sys.exit(f"bench: {error}")
    if arguments.check:
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # clean up on kill as on Ctrl-C
    output.mkdir(parents=True, exist_ok=True)
    results = measure(arguments, output)
    print((output / "RESULTS.md").read_text())
    if results.failures:
        sys.exit("bench: " + "\n".join(f"{TITLES[failure.peer]}, {failure.part}: {failure.reason}" for failure in results.failures))


def measure(arguments: argparse.Namespace, output: Path) -> Results:
    """Everything asked for. Results are written whenever there are new ones, so that nothing that comes later can lose them."""
    sizes = spark_job.Sizes.quick() if arguments.quick else spark_job.Sizes(arguments.rows, arguments.step_seconds)
    scale = 0.02 if arguments.quick else 1.0
    rounds = {name: 1 if arguments.quick else rounds_of(name, arguments) for name in arguments.peers}
    count = rounds | {FLOOR: max(rounds.values())}
    results = Results(description(), sizes.as_dict() | {"scale": scale, "rounds": rounds})

    def save() -> None:
        if results.job or results.calls or results.requests or results.failures:  # earlier results stay as long as there are no new ones
            write_all(results, output, arguments.chart)

    @contextlib.contextmanager
    def part(peer: str, title: str) -> Iterator[None]:
        """What fails in here concerns this peer alone."""
        try:
            yield
        except Exception as error:
            reason = str(error) if isinstance(error, ChildError) else f"{type(error).__name__}: {error}"
            print(f"{TITLES[peer]}, {title}: {reason}", flush=True)
            results.failures.append(Failure(peer, title, " ".join(reason.split())))
        save()

    with contextlib.ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="s3core-bench-", dir=MEMORY, ignore_cleanup_errors=True)
        directory = Path(stack.enter_context(temporary))
        places = stack.enter_context(Places(directory))
        floor = places.peer(FLOOR)
        peers = []
        for name in arguments.peers:
            with part(name, "start"):
                peers.append(places.peer(name))
        if "job" in arguments.tables:
            with part(FLOOR, "Spark job"):
                job = spark_job.SparkJob(floor, sizes, directory)
                repeats = job.repeats()
                for peer in peers:
                    with part(peer.name, "Spark job"):
                        for outcomes in job.measure(peer, repeats, rounds[peer.name]):
                            results.job += outcomes
                            save()
        if "calls" in arguments.tables:
            # Rounds go over all peers in turn, so that a slow minute of the machine hits everybody.
            for number in range(count[FLOOR]):
                for peer in [floor, *peers]:
                    if number < count[peer.name] and not results.failed(peer.name, "FileSystem calls"):
                        print(f"{peer.title}, round {number + 1}: FileSystem calls", flush=True)
                        with part(peer.name, "FileSystem calls"):
                            results.calls += calls.run(peer, scale, number)
        if "requests" in arguments.tables:
            # Counts do not depend on how fast the gateway is, and HDFS has none.
            for name in (name for name in ("s3core", "s3a") if name in arguments.peers):
                with part(name, "requests"):
                    for found in requests.run(places.logged_peer(name)):
                        print(f"{TITLES[name]} {found.committer}: {found.job}: {found.total} requests", flush=True)
                        results.requests.append(found)
    return results


def check(arguments: argparse.Namespace) -> None:
    """Whether everything is there, before anything takes time."""
    if OURS in arguments.peers:
        our_jar()
    needed = 1 if arguments.quick else 4
    free = shutil.disk_usage(MEMORY).free / 2**30
    if free < needed:
        raise OSError(
            f"{MEMORY} has {free:.1f} GiB free, and file:// and HDFS need {needed} there: "
            f"mount -o remount,size={needed + 2}G {MEMORY}, or --shm-size={needed + 2}g in a container"
        )


def rounds_of(peer: str, arguments: argparse.Namespace) -> int:
    count: int = arguments.s3a_pairs if peer.startswith("s3a") else arguments.pairs
    return count


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, one round: does it run at all")
    parser.add_argument("--peers", type=names, default=NAMES, help=f"comma-separated, default {','.join(NAMES)}")
    parser.add_argument("--tables", type=tables, default=TABLES, help="of job (which the chart shows), calls and requests; default all")
    parser.add_argument("--rows", type=int, default=4_000_000, help="rows of the Spark job's table (default %(default)s)")
    parser.add_argument("--step-seconds", type=float, default=8.0, help="a step is repeated until it takes this long on file://")
    parser.add_argument("--pairs", type=int, default=3, help="pairs of runs with file:// (default %(default)s)")
    parser.add_argument("--s3a-pairs", type=int, default=1, help="the same for S3A, whose steps take minutes (default %(default)s)")
    parser.add_argument("--output", type=Path, help="directory for the results (default: benches/)")
    parser.add_argument("--chart", type=Path, help="file for the chart of the job table (default: results.svg beside the results)")
    parser.add_argument("--redo", action="store_true", help="measure nothing: write RESULTS.md and the chart from results.json again")
    parser.add_argument("--check", action="store_true", help="measure nothing: look whether the jar and enough memory are there")
    return parser.parse_args()


def names(text: str) -> list[str]:
    return some_of(NAMES, text)


def tables(text: str) -> list[str]:
    return some_of(TABLES, text)


def some_of(known: list[str], text: str) -> list[str]:
    chosen = text.split(",")
    for name in chosen:
        if name not in known:
            raise argparse.ArgumentTypeError(f"{name}: not one of {', '.join(known)}")
    return chosen


if __name__ == "__main__":
    main()
