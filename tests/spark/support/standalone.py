"""A standalone cluster: a master and two workers, each on an address of its own, since Spark puts no two attempts of a task on one host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyspark

from support.daemon import daemon, wait_for_line

HOME = Path(pyspark.__file__).parent
WORKERS = ("127.0.0.2", "127.0.0.3")


@contextmanager
def standalone_cluster(directory: Path, cores: int = 1, memory: str = "1g", home: Path = HOME) -> Iterator[str]:
    """Runs one; gives the master's URL."""
    master = "org.apache.spark.deploy.master.Master"
    with ExitStack() as stack:
        log = directory / "master.log"
        stack.enter_context(daemon(home, log, master, ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]))
        url = wait_for_line(log, r"Starting Spark master at (spark://\S+)")
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
            stack.enter_context(daemon(home, log, "org.apache.spark.deploy.worker.Worker", options))
            wait_for_line(log, "Successfully registered with master")
        yield url
