"""Spark's own daemons, each in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def daemon(
    home: Path, log: Path, main_class: str, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Runs `main_class` of the Spark in `home` until the end; what it prints goes to `log`."""
    command = [str(home / "bin" / "spark-class"), main_class, *arguments]
    settings = {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_NO_DAEMONIZE": "1"}
    with log.open("w") as output:
        variables = os.environ | settings | dict(environment or {})
        process = subprocess.Popen(command, stdout=output, stderr=output, env=variables, cwd=log.parent)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_for_line(log: Path, expression: str, seconds: float = 60) -> str:
    """Waits until `log` matches `expression`; gives its last group, or all of the match."""
    deadline = time.monotonic() + seconds
    while not (found := re.search(expression, log.read_text(errors="replace"))):
        assert time.monotonic() < deadline, f"{log} does not say {expression}:\n{log.read_text(errors='replace')[-2000:]}"
        time.sleep(0.1)
    return found.group(found.lastindex or 0)
