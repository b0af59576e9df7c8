"""The program `s3core` of the wheel in dist/, which no environment of these tests has installed."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import zipfile
from pathlib import Path

from support.endpoint import Endpoint, MissingSettingError


class Program:
    """Runs it from `directory`, where the wheel is unpacked."""

    def __init__(self, directory: Path, endpoint: Endpoint) -> None:
        unpacked_wheel(directory)
        keys = {"AWS_ACCESS_KEY_ID": endpoint.access_key, "AWS_SECRET_ACCESS_KEY": endpoint.secret_key}
        self._environment = os.environ | keys | {"PYTHONPATH": str(directory), "AWS_ENDPOINT_URL": endpoint.url}

    def run(self, *arguments: str) -> str:
        """Gives what it prints; it has to end well."""
        code = "import sys; from s3core.program import main; sys.exit(main())"
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def unpacked_wheel(directory: Path) -> Path:
    """Unpacks the newest wheel in dist/ into `directory`."""
    wheels = Path(__file__).resolve().parents[3] / "dist"
    found = sorted(wheels.glob(f"s3core-*_{platform.machine()}.whl"), key=lambda wheel: wheel.stat().st_mtime)
    if not found:
        raise MissingSettingError(f"no s3core-*.whl in {wheels}: run make wheel")
    with zipfile.ZipFile(found[-1]) as wheel:
        wheel.extractall(directory)
    return directory
