"""The jar that the wheel carries."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path

from s3core._s3core import __version__
from s3core.exceptions import ConfigurationError

__all__ = ["FILE_CONTEXT_CLASS", "FILE_SYSTEM_CLASS", "JAR_NAME", "is_our_jar", "jar_path", "version_of_jar"]

#: What ``fs.s3a.impl`` is set to.
FILE_SYSTEM_CLASS = "org.s3core.hadoop.S3CoreFileSystem"

#: What ``fs.AbstractFileSystem.s3a.impl`` is set to: Structured Streaming asks for it before the jar can bind it.
FILE_CONTEXT_CLASS = "org.s3core.hadoop.S3Core"

#: Name of the jar of this version; executors find it under this name in their working directory.
JAR_NAME = f"s3core-hadoop-{__version__}.jar"

_ANY_VERSION = re.compile(r"s3core-hadoop-\d[^/]*\.jar\Z")


def jar_path() -> str:
    """Absolute path of the jar, for ``--jars``, images and other tools.

    Raises:
        ConfigurationError: this installation holds no jar of its own version.
    """
    path = Path(__file__).resolve().parent.parent / "jars" / JAR_NAME
    if not path.is_file():
        raise ConfigurationError(
            f"{path} is missing: this is not a complete wheel of s3core {__version__}; reinstall it, "
            "or run bindings-python/build.sh in a source tree"
        )
    return os.fspath(path)


def is_our_jar(location: str) -> bool:
    """Whether a path or URI names a jar of s3core, of any version."""
    return _ANY_VERSION.search(location.rpartition("/")[2]) is not None


def version_of_jar(path: str) -> str | None:
    """``Implementation-Version`` of the jar's manifest."""
    with zipfile.ZipFile(path) as jar:
        for line in jar.read("META-INF/MANIFEST.MF").decode().splitlines():
            name, _, value = line.partition(": ")
            if name == "Implementation-Version":
                return value.strip()
    return None
