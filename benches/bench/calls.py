"""Table 2: plain FileSystem calls from one client thread, by one small Java program that knows nothing but Hadoop's FileSystem."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyspark

from bench.peers import FLOOR, HERE, Peer

MODULE_OPTIONS = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in ("java.lang", "java.nio", "java.util", "sun.nio.ch")]


@dataclass(frozen=True)
class Call:
    """One figure of one run."""

    peer: str
    round: int
    name: str
    value: float
    unit: str


def measure(peers: Sequence[Peer], scale: float, rounds: Mapping[str, int]) -> list[Call]:
    """Rounds go over all peers in turn, so that a slow minute of the machine hits everybody."""
    count = dict.fromkeys([FLOOR], max(rounds.values())) | dict(rounds)
    figures = []
    for number in range(max(count.values())):
        for peer in peers:
            if number < count[peer.name]:
                print(f"{peer.title}, round {number + 1}: FileSystem calls", flush=True)
                figures += run(peer, scale, number)
    return figures


def run(peer: Peer, scale: float, number: int) -> list[Call]:
    # Spark's own Hadoop, for every peer the same; its client jars include the one for HDFS.
    class_path = [HERE / "target" / "classes", *peer.jars, Path(pyspark.__file__).parent / "jars" / "*"]
    command = ["java", *MODULE_OPTIONS, "-Xmx1g", "-cp", os.pathsep.join(map(str, class_path)), "org.s3core.benches.FileSystemCalls"]
    command += [f"{peer.url}-calls", str(scale), *(f"{name}={value}" for name, value in peer.options.items())]
    log = HERE / "target" / f"calls-{peer.name}.log"
    with log.open("w") as errors:
        finished = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=errors, text=True)
    if finished.returncode != 0:
        raise RuntimeError(f"FileSystem calls on {peer.title} failed: see {log}")
    lines = (line.split("\t") for line in finished.stdout.splitlines() if line.count("\t") == 2)
    return [Call(peer.name, number, name, float(value), unit) for name, value, unit in lines]
