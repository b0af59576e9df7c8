"""The Java that Spark would be started with, and whether this Spark runs on it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Java", "NoJavaError", "find_java", "judge_java", "spark_version"]

#: Seconds that a JVM has to print its version.
_PATIENCE = 60

#: Spark from this version on, and the Java versions that its documentation names; others may work or not.
_NAMED: tuple[tuple[tuple[int, int], tuple[int, ...]], ...] = (
    ((4, 0), (17, 21)),
    ((3, 3), (8, 11, 17)),
    ((3, 0), (8, 11)),
    ((2, 0), (8,)),
)

#: Java 17 is the one that every Spark from 3.3 on runs on.
_REMEDY = "install Java 17 (on Debian openjdk-17-jre-headless) and set JAVA_HOME to it"


class NoJavaError(Exception):
    """Spark would find no Java; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class Java:
    """A Java as it describes itself.

    Attributes:
        version: 8, 11, 17 and so on.
        name: the first line that it prints.
        origin: how Spark comes to it: ``/path/bin/java of JAVA_HOME``.
    """

    version: int
    name: str
    origin: str


def find_java(environment: Mapping[str, str]) -> Java:
    """Asks the Java that Spark's ``bin/spark-class`` takes: that of ``JAVA_HOME``, else that of ``PATH``.

    Raises:
        NoJavaError: there is none, or it does not start.
    """
    home = environment.get("JAVA_HOME")
    if home:
        program = os.fspath(Path(home) / "bin" / "java")
        if not os.access(program, os.X_OK):
            raise NoJavaError(
                f"JAVA_HOME is {home}, which has no bin/java, and Spark takes that and no other: {_REMEDY}, or unset it"
            )
        origin = f"{program} of JAVA_HOME"
    else:
        program = shutil.which("java", path=environment.get("PATH", os.defpath)) or ""
        if not program:
            raise NoJavaError(f"JAVA_HOME is not set and PATH has no java: {_REMEDY}")
        origin = f"{program} in PATH"
    try:
        ended = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise NoJavaError(f"{origin} does not start: {failure}; {_REMEDY}") from failure
    printed = (ended.stderr + ended.stdout).strip()
    found = re.search(r'version "(?:1\.)?(\d+)', printed)
    if ended.returncode != 0 or found is None:
        raise NoJavaError(f"{origin} does not tell its version, it prints {printed[:200]!r}: {_REMEDY}")
    lines = [line for line in printed.splitlines() if "version" in line]
    return Java(int(found[1]), lines[0], origin)


def judge_java(java: int, spark: tuple[int, int] | None) -> tuple[str, str]:
    """The state of a finding about this version of Java under that of Spark, and what follows from it."""
    named = next((versions for since, versions in _NAMED if spark is not None and spark >= since), None)
    if spark is None or named is None:
        return "ok", ""
    title = f"Spark {spark[0]}.{spark[1]}"
    known = " and ".join(filter(None, [", ".join(map(str, named[:-1])), str(named[-1])]))
    if java < named[0]:
        return "FAIL", f"; {title} needs Java {named[0]} at least: set JAVA_HOME to one, it names {known}"
    if java > named[-1]:
        return "note", f"; {title} names Java {known} only: where it does not start, set JAVA_HOME to one of these"
    return "ok", f"; {title} names Java {known}"


def spark_version(home: Path) -> tuple[int, int] | None:
    """Spark's major and minor version, by the name of its main jar."""
    for jar in (home / "jars").glob("spark-core_*.jar"):
        found = re.fullmatch(r"spark-core_[\d.]+-(\d+)\.(\d+)\..*", jar.name)
        if found is not None:
            return int(found[1]), int(found[2])
    return None
