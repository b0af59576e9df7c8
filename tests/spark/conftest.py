"""Fixtures of the suite: the endpoint, the jar, a bucket per module, and a JVM or Spark session where a test asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest
from pyspark.sql import SparkSession

from support.endpoint import Bucket, Endpoint, MissingSettingError, jar_under_test
from support.jvm import Jvm, start_jvm
from support.session import spark_session


def pytest_report_header() -> str:
    return f"PySpark {pyspark.__version__}"


def pytest_sessionstart() -> None:
    """Nothing here can run without these; one sentence is better than an error per test."""
    try:
        for variable in ("S3CORE_TEST_ENDPOINT", "S3CORE_TEST_TLS_ENDPOINT", "S3CORE_TEST_SELF_SIGNED_ENDPOINT"):
            Endpoint.from_environment(variable)
        jar_under_test()
    except MissingSettingError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.fixture(scope="session")
def jar() -> Path:
    return jar_under_test()


@pytest.fixture(scope="session")
def endpoint() -> Endpoint:
    return Endpoint.from_environment()


@pytest.fixture(scope="module")
def bucket(endpoint: Endpoint) -> Iterator[Bucket]:
    bucket = endpoint.new_bucket()
    yield bucket
    bucket.remove()


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory, jar: Path, endpoint: Endpoint) -> Iterator[SparkSession]:
    """The session of a module: our jar by spark.jars, fs.s3a.impl, endpoint and keys, nothing else."""
    with spark_session(tmp_path_factory.mktemp("spark"), jar, endpoint) as session:
        yield session


@pytest.fixture
def java(tmp_path: Path, jar: Path) -> Iterator[Jvm]:
    """A JVM of the test's own, in which nothing has touched a file system yet."""
    with start_jvm(tmp_path, [jar]) as running:
        yield running
