"""The jar in Spark's own ``jars`` folder: for clusters, images and servers whose JVMs nobody configures."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from s3core.exceptions import LocalDiskError
from s3core.spark.environment import spark_home
from s3core.spark.jar import JAR_NAME, is_our_jar, jar_path

__all__ = ["install", "installed_jars", "uninstall"]


def install(home: str | None = None) -> Path:
    """Copies the jar into ``jars`` of a Spark installation, and takes out jars of other versions of s3core.

    Args:
        home: Spark's home; else ``SPARK_HOME``, else the pyspark package.

    Returns:
        Where the jar is now.

    Raises:
        ConfigurationError: there is no such Spark installation.
        LocalDiskError: its folder cannot be written.
    """
    folder = spark_home(home) / "jars"
    target = folder / JAR_NAME
    incoming = folder / f".{JAR_NAME}.{os.getpid()}"
    try:
        shutil.copyfile(jar_path(), incoming)
        incoming.chmod(0o644)
        incoming.replace(target)
        for jar in installed_jars(home):
            if jar != target:
                jar.unlink()
    except OSError as failure:
        incoming.unlink(missing_ok=True)
        raise LocalDiskError(f"cannot install into {folder}: {failure.strerror}") from failure
    return target


def uninstall(home: str | None = None) -> list[Path]:
    """Removes every jar of s3core from ``jars``; returns what was removed. Raises as ``install`` does."""
    jars = installed_jars(home)
    try:
        for jar in jars:
            jar.unlink()
    except OSError as failure:
        raise LocalDiskError(f"cannot remove {failure.filename}: {failure.strerror}") from failure
    return jars


def installed_jars(home: str | None = None) -> list[Path]:
    """The jars of s3core in ``jars``, of any version."""
    return sorted(path for path in (spark_home(home) / "jars").iterdir() if is_our_jar(path.name))
