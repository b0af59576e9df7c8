"""What tests share: an embedded endpoint, a clean environment and a jar that no JVM loads."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import s3core.spark.install
import s3core.spark.settings
from s3core import __version__
from s3core.store import Store
from s3core.testing import Gateway


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "SPARK_", "PYSPARK_", "HADOOP_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway(buckets=["lake"]) as running:
        yield running


@pytest.fixture
def store(gateway: Gateway) -> Store:
    return gateway.store("lake")


@pytest.fixture
def jar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A jar of the right name, for tests of settings."""
    path = tmp_path / "jars" / f"s3core-hadoop-{__version__}.jar"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\nImplementation-Version: {__version__}\n")
    for module in (s3core.spark.settings, s3core.spark.install):
        monkeypatch.setattr(module, "jar_path", lambda: str(path))
    return str(path)
