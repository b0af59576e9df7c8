"""Spark sessions, each in a JVM of its own: what a class loader or a system property has seen once, stays seen."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark import SparkContext
from pyspark.sql import SparkSession

from support.endpoint import Endpoint


@contextmanager
def spark_session(
    directory: Path,
    jar: Path,
    endpoint: Endpoint,
    settings: Mapping[str, str] | None = None,
    master: str = "local[2]",
) -> Iterator[SparkSession]:
    """A session that knows our jar by spark.jars, and endpoint and keys; `settings` are Spark options on top, an empty value unsets one."""
    builder = SparkSession.builder.master(master).appName("s3core")
    options = {
        "spark.jars": str(jar),
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(directory / "warehouse"),
        "spark.local.dir": str(directory / "local"),
        **{f"spark.hadoop.{name}": value for name, value in endpoint.hadoop_settings().items()},
        **(settings or {}),
    }
    for name, value in options.items():
        if value:
            builder = builder.config(name, value)
    session = builder.getOrCreate()
    try:
        yield session
    except Py4JJavaError as error:
        raise AssertionError(str(error)) from None  # its text comes out of the JVM, which is about to end
    finally:
        session.stop()
        _end_virtual_machine()


def _end_virtual_machine() -> None:
    """PySpark keeps its JVM for the next session of the process; the next test wants a new one."""
    context: Any = SparkContext
    gateway = context._gateway
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(timeout=60)
    context._gateway = None
    context._jvm = None
    # Left behind by the launcher, it would make the next session try to talk to the JVM that has just ended.
    os.environ.pop("PYSPARK_GATEWAY_PORT", None)
    os.environ.pop("PYSPARK_GATEWAY_SECRET", None)
