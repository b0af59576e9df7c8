"""A program that reads requests as lines and answers with lines: never waited for without a limit, and killed with all that it started."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

REASON = re.compile(r'(?:Exception in thread "[^"]*" |Caused by: |: )?[\w.$]+(?:Exception|Error)\b.*')


class ChildError(Exception):
    """It has ended, or did not answer in time. The message has the reason that it gave in its log."""


class Child:
    """Ends when its input does. What it prints as an error goes to a log."""

    def __init__(self, title: str, command: Sequence[str], directory: Path, log: Path) -> None:
        self._title = title
        self._log = log
        self._late = False
        with log.open("w") as errors:
            # A process group of its own, so that the JVM below a Python process is killed with it.
            self._process = subprocess.Popen(
                command, cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests = self._process.stdin
        self._answers = self._process.stdout

    @property
    def process(self) -> int:
        return self._process.pid

    def ask(self, request: str, limit: float) -> str:
        """Sends a line, empty for none, and returns the next line of the answer. Fails when that takes longer than `limit` seconds."""
        timer = threading.Timer(limit, self._too_late)
        timer.start()
        try:
            if request:
                self._requests.write(request + "\n")
                self._requests.flush()
            line = self._answers.readline()
        except OSError:  # it has ended
            line = ""
        finally:
            timer.cancel()
        if not line:
            self.kill()
            what = f"no answer within {limit:.0f} s" if self._late else why(self._log)
            raise ChildError(f"{self._title} failed at {request or 'its start'}: {what}")
        return line.rstrip("\n")

    def stop(self, limit: float = 120) -> None:
        """Waits `limit` seconds for it to end, then kills it: figures that are there must not be lost by a slow end."""
        with contextlib.suppress(OSError):
            self._requests.close()
        try:
            self._process.wait(limit)
        except subprocess.TimeoutExpired:
            print(f"{self._title} did not end within {limit:.0f} s and was killed", flush=True)
            self.kill()
            self._process.wait()
        self._answers.close()

    def kill(self) -> None:
        if self._process.poll() is None:  # otherwise the number may already be somebody else's
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _too_late(self) -> None:
        self._late = True
        self.kill()


def why(log: Path) -> str:
    """The innermost exception that a log names, or where the log is."""
    named = [line.removeprefix(": ") for line in log.read_text(errors="replace").splitlines() if REASON.fullmatch(line)]
    return f"{named[-1][:300] if named else 'it ended'} (benches/target/{log.name})"
