"""The program `s3life`: that of the wheel in dist/, or the one that S3CORE_TEST_S3LIFE names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.endpoint import Endpoint
from support.program import unpacked_wheel


@dataclass(frozen=True)
class Said:
    """What a command has said, and how it ended."""

    status: int
    out: str
    error: str


class Life:
    """Runs it in `directory`, which holds policies and plans."""

    def __init__(self, directory: Path, endpoint: Endpoint) -> None:
        self.directory = directory
        self.endpoint = endpoint
        keys = {"AWS_ACCESS_KEY_ID": endpoint.access_key, "AWS_SECRET_ACCESS_KEY": endpoint.secret_key}
        named = os.environ.get("S3CORE_TEST_S3LIFE")
        if named:
            self._command, self._environment = [named], os.environ | keys
        else:
            code = "import sys; from s3core.program import life; sys.exit(life())"
            self._command = [sys.executable, "-c", code]
            self._environment = os.environ | keys | {"PYTHONPATH": str(unpacked_wheel(directory / "wheel"))}

    def policy(self, text: str, name: str = "policy.yaml") -> None:
        (self.directory / name).write_text(text)

    def start(self, *arguments: str, endpoint: Endpoint | None = None) -> subprocess.Popen[str]:
        """Lets it run, by another address of the gateway where one is given."""
        command = [*self._command, "--endpoint", (endpoint or self.endpoint).url, *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.directory, env=self._environment, stdout=pipe, stderr=pipe, text=True)

    def say(self, *arguments: str) -> Said:
        process = self.start(*arguments)
        out, error = process.communicate(timeout=120)
        return Said(process.returncode, out, error)

    def run(self, *arguments: str) -> Any:
        """Gives what it prints for programs; it has to end well."""
        said = self.say("--output", "json", *arguments)
        assert said.status == 0, said
        return json.loads(said.out)

    def due(self, now: str, *arguments: str) -> dict[str, set[str]]:
        """Prefixes of the units that are due at a time, by dataset and rule."""
        plan = self.run("plan", "policy.yaml", "--now", now, *arguments)
        found: dict[str, set[str]] = {}
        for unit in plan["units"]:
            found.setdefault(f"{unit['dataset']}.{unit['rule']}", set()).add(unit["prefix"])
        return found
