"""Jars of other projects that a test puts beside ours."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "s3core" / "jars"


def maven_jar(group: str, artifact: str, version: str) -> Path:
    """One jar without its dependencies, kept in ~/.cache/s3core/jars."""
    jar = CACHE / f"{artifact}-{version}.jar"
    if not jar.is_file():
        # Not in a directory with a pom.xml of its own.
        _maven(f"{PLUGIN}:copy", [f"-Dartifact={group}:{artifact}:{version}", f"-DoutputDirectory={CACHE}"], Path("/"))
    return jar


def maven_jars(pom: Path, without_groups: Sequence[str]) -> list[Path]:
    """The dependencies of a pom.xml and theirs, but those of some groups; kept in a folder of ~/.cache/s3core/jars."""
    content = pom.read_bytes() + repr(without_groups).encode()
    folder = CACHE / f"{pom.parent.name}-{hashlib.sha256(content).hexdigest()[:12]}"
    if not folder.is_dir():
        unfinished = folder.with_suffix(f".{os.getpid()}")
        shutil.rmtree(unfinished, ignore_errors=True)
        options = [f"-DoutputDirectory={unfinished}", f"-DexcludeGroupIds={','.join(without_groups)}"]
        _maven(f"{PLUGIN}:copy-dependencies", options, pom.parent)
        unfinished.rename(folder)
    return sorted(folder.glob("*.jar"))


def _maven(goal: str, options: Sequence[str], directory: Path) -> None:
    subprocess.run(["mvn", "--batch-mode", "--quiet", goal, *options], check=True, cwd=directory)
