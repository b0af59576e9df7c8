"""A standalone cluster: a master and two workers, each on an address of its own, since Spark puts no two attempts of a task on one host."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyspark

HOME = Path(pyspark.__file__).parent
WORKERS = ("127.0.0.2", "127.0.0.3")


@contextmanager
def standalone_cluster(directory: Path, cores: int = 1, memory: str = "1g") -> Iterator[str]:
    """Runs one; gives the master's URL."""
    master = "org.apache.spark.deploy.master.Master"
    with ExitStack() as stack:
        log = directory / "master.log"
        stack.enter_context(_daemon(log, master, ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]))
        url = _wait_for(log, r"Starting Spark master at (spark://\S+)")
        for number, host in enumerate(WORKERS):
            work = directory / f"worker-{number}"
            options = [
                "--host",
                host,
                "--port",
                "0",
                "--webui-port",
                "0",
                "--cores",
                str(cores),
                "--memory",
                memory,
                "--work-dir",
                str(work),
                url,
            ]
            log = directory / f"worker-{number}.log"
            stack.enter_context(_daemon(log, "org.apache.spark.deploy.worker.Worker", options))
            _wait_for(log, "Successfully registered with master")
        yield url


@contextmanager
def _daemon(log: Path, main_class: str, arguments: Sequence[str]) -> Iterator[None]:
    command = [str(HOME / "bin" / "spark-class"), main_class, *arguments]
    environment = os.environ | {"SPARK_HOME": str(HOME), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_NO_DAEMONIZE": "1"}
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(log: Path, expression: str, seconds: float = 60) -> str:
    deadline = time.monotonic() + seconds
    while not (found := re.search(expression, log.read_text(errors="replace"))):
        assert time.monotonic() < deadline, f"{log} does not say {expression}:\n{log.read_text(errors='replace')[-2000:]}"
        time.sleep(0.1)
    return found.group(found.lastindex or 0)
