"""Command line: measure, then write the results."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import tempfile
from pathlib import Path

from bench import calls, spark_job
from bench.machine import description
from bench.peers import FLOOR, NAMES, Peer, Places
from bench.report import Results, write_all

HERE = Path(__file__).resolve().parents[1]


def main() -> None:
    arguments = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # clean up on kill as on Ctrl-C
    output: Path = arguments.output or (HERE / "target" / "quick" if arguments.quick else HERE)
    output.mkdir(parents=True, exist_ok=True)
    sizes = spark_job.Sizes.quick() if arguments.quick else spark_job.Sizes(arguments.rows, arguments.step_seconds)
    scale = 0.02 if arguments.quick else 1.0
    with contextlib.ExitStack() as stack:
        # In RAM, as the gateway's OSD is: nobody's figures are those of a disk.
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="s3core-bench-", dir="/dev/shm")))
        places = stack.enter_context(Places(directory))
        floor = places.peer(FLOOR)
        peers = [places.peer(name) for name in arguments.peers]
        rounds = {peer.name: 1 if arguments.quick else rounds_of(peer, arguments) for peer in peers}
        results = Results(description(), sizes.as_dict() | {"scale": scale, "rounds": rounds})
        if "job" in arguments.tables:
            results.job = spark_job.measure(floor, peers, sizes, rounds, directory)
        if "calls" in arguments.tables:
            results.calls = calls.measure([floor, *peers], scale, rounds)
    write_all(results, output)
    print((output / "RESULTS.md").read_text())


def rounds_of(peer: Peer, arguments: argparse.Namespace) -> int:
    count: int = arguments.pairs if peer.ours else arguments.peer_pairs
    return count


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, one round: does it run at all")
    parser.add_argument("--peers", type=names, default=NAMES, help=f"comma-separated, default {','.join(NAMES)}")
    parser.add_argument("--tables", type=lambda text: text.split(","), default=["job", "calls"], help="job, calls or both (default)")
    parser.add_argument("--rows", type=int, default=4_000_000, help="rows of the Spark job's table (default %(default)s)")
    parser.add_argument("--step-seconds", type=float, default=8.0, help="a step is repeated until it takes this long on file://")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of runs of s3core and file:// (default %(default)s)")
    parser.add_argument("--peer-pairs", type=int, default=2, help="pairs of runs of every other peer and file:// (default %(default)s)")
    parser.add_argument("--output", type=Path, help="directory for the results (default: benches/)")
    return parser.parse_args()


def names(text: str) -> list[str]:
    chosen = text.split(",")
    for name in chosen:
        if name not in NAMES:
            raise argparse.ArgumentTypeError(f"{name}: not one of {', '.join(NAMES)}")
    return chosen


if __name__ == "__main__":
    main()
