"""Jars of other projects that a test puts beside ours."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def maven_jar(group: str, artifact: str, version: str) -> Path:
    """One jar without its dependencies, kept in ~/.cache/s3core/jars."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "s3core" / "jars"
    jar = cache / f"{artifact}-{version}.jar"
    if not jar.is_file():
        command = ["mvn", "--batch-mode", "--quiet", "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"]
        command += [f"-Dartifact={group}:{artifact}:{version}", f"-DoutputDirectory={cache}"]
        subprocess.run(command, check=True, cwd="/")  # not in a directory with a pom.xml of its own
    return jar
