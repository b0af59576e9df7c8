"""Table 2: plain FileSystem calls from one client thread, by one small Java program that knows nothing but Hadoop's FileSystem."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pyspark

from bench.child import ChildError, why
from bench.peers import HERE, Peer

MODULE_OPTIONS = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in ("java.lang", "java.nio", "java.util", "sun.nio.ch")]

LIMIT = 1800  # seconds


@dataclass(frozen=True)
class Call:
    """One figure of one run."""

    peer: str
    round: int
    name: str
    value: float
    unit: str


def run(peer: Peer, scale: float, number: int) -> list[Call]:
    """One round on one peer."""
    # Spark's own Hadoop, for every peer the same; its client jars include the one for HDFS.
    class_path = [HERE / "target" / "classes", *peer.jars, Path(pyspark.__file__).parent / "jars" / "*"]
    command = ["java", *MODULE_OPTIONS, "-Xmx1g", "-cp", os.pathsep.join(map(str, class_path)), "org.s3core.benches.FileSystemCalls"]
    command += [f"{peer.url}-calls", str(scale), *(f"{name}={value}" for name, value in peer.options.items())]
    log = HERE / "target" / f"calls-{peer.name}.log"
    with log.open("w") as errors:
        try:
            finished = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=errors, text=True, timeout=LIMIT)
        except subprocess.TimeoutExpired:  # it was killed; the message would have the command with its keys
            raise ChildError(f"FileSystem calls on {peer.title} failed in round {number + 1}: not done within {LIMIT} s") from None
    if finished.returncode != 0:
        raise ChildError(f"FileSystem calls on {peer.title} failed in round {number + 1}: {why(log)}")
    lines = (line.split("\t") for line in finished.stdout.splitlines() if line.count("\t") == 2)
    return [Call(peer.name, number, name, float(value), unit) for name, value, unit in lines]
