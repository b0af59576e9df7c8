"""Fixtures of s3life beside Spark: one metastore and one session that uses it, for all modules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from support.endpoint import Bucket, Endpoint
from support.life import Life
from support.metastore import hive_metastore
from support.proxy import Proxy, proxy_before
from support.session import spark_session


@pytest.fixture(scope="session")
def metastore(tmp_path_factory: pytest.TempPathFactory, jar: Path, endpoint: Endpoint) -> Iterator[str]:
    with hive_metastore(tmp_path_factory.mktemp("metastore"), jar, endpoint) as uri:
        yield uri


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory, jar: Path, endpoint: Endpoint, metastore: str) -> Iterator[SparkSession]:
    settings = {"spark.sql.catalogImplementation": "hive", "spark.hadoop.hive.metastore.uris": metastore}
    settings["spark.hadoop.hive.exec.dynamic.partition.mode"] = "nonstrict"
    with spark_session(tmp_path_factory.mktemp("spark"), jar, endpoint, settings) as session:
        yield session


@pytest.fixture
def lake(endpoint: Endpoint) -> Iterator[Bucket]:
    """A bucket of one test."""
    bucket = endpoint.new_bucket()
    yield bucket
    bucket.remove()


@pytest.fixture
def life(tmp_path: Path, endpoint: Endpoint) -> Life:
    return Life(tmp_path, endpoint)


@pytest.fixture
def proxy(endpoint: Endpoint) -> Iterator[Proxy]:
    with proxy_before(endpoint.url) as running:
        yield running
