"""A driver in a process of its own, to be killed in the middle of a job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from support.endpoint import Endpoint

PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from support.endpoint import Endpoint
from support.session import spark_session
from support.tables import *
endpoint = Endpoint({url!r}, {access_key!r}, {secret_key!r})
with spark_session(Path({directory!r}), Path({jar!r}), endpoint, {settings!r}) as spark:
{body}
"""


class Driver:
    """Runs `body`, statements in which `spark` is the session and everything of `support.tables` is known."""

    def __init__(self, directory: Path, jar: Path, endpoint: Endpoint, body: str, settings: Mapping[str, str] | None = None) -> None:
        directory.mkdir()
        program = directory / "driver.py"
        program.write_text(
            PROGRAM.format(
                here=str(Path(__file__).parents[1]),
                url=endpoint.url,
                access_key=endpoint.access_key,
                secret_key=endpoint.secret_key,
                directory=str(directory),
                jar=str(jar),
                settings=dict(settings or {}),
                body="\n".join(f"    {line}" for line in body.splitlines()),
            )
        )
        # A process group of its own, so that its JVM dies with it.
        self._process = subprocess.Popen([sys.executable, str(program)], start_new_session=True)

    def kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=30)
        time.sleep(1)  # its connections close

    def wait(self, seconds: float) -> None:
        """Waits until it has ended well."""
        assert self._process.wait(timeout=seconds) == 0

    def is_running(self) -> bool:
        return self._process.poll() is None
