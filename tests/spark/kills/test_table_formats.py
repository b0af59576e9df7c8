"""Delta Lake and Iceberg tables that two JVMs append to at the same time, while a proxy loses one reply in ten: each row is there once.

Both commit a version by making one file that must not exist yet: Delta creates it, Iceberg's Hadoop catalog renames it. Both have locks
within a JVM only.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from support.driver import Driver
from support.endpoint import Bucket, Endpoint
from support.maven import maven_jar
from support.proxy import Proxy, proxy_before
from support.session import spark_session

#: Of each writer. `make test` has less time than `make test-all`.
COMMITS = int(os.environ.get("S3CORE_TEST_TABLE_COMMITS", "16"))
WRITERS = 2

DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}
ICEBERG = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.lake.type": "hadoop",
}

DELTA_JARS = [("io.delta", "delta-spark_2.12", "3.3.2"), ("io.delta", "delta-storage", "3.3.2")]
ICEBERG_JARS = [("org.apache.iceberg", "iceberg-spark-runtime-3.5_2.12", "1.9.2")]

APPEND = """
for commit in range({commits}):
    spark.sql(f"INSERT INTO {table} VALUES ({writer}, {{commit}})")
"""


def settings_of(table_format: str, jar: Path, bucket: Bucket) -> tuple[dict[str, str], str]:
    """Spark's settings, and the name of the table."""
    jars = [maven_jar(*coordinates) for coordinates in (DELTA_JARS if table_format == "delta" else ICEBERG_JARS)]
    settings = {"spark.jars": ",".join(map(str, [jar, *jars])), "spark.sql.shuffle.partitions": "1"}
    if table_format == "delta":
        return settings | DELTA, f"delta.`{bucket.url('delta')}`"
    return settings | ICEBERG | {"spark.sql.catalog.lake.warehouse": bucket.url("iceberg")}, "lake.db.numbers"


def create(table_format: str, table: str) -> str:
    if table_format == "delta":
        return f"CREATE TABLE {table} (writer int, commit int) USING delta"
    # Four retries, the default, are too few for two writers that commit as fast as they can.
    return f"CREATE TABLE {table} (writer int, commit int) USING iceberg TBLPROPERTIES ('commit.retry.num-retries'='100')"


def lose_one_reply_in_ten(proxy: Proxy) -> None:
    dice = random.Random(42)
    proxy.lose_replies(lambda _: dice.random() < 0.1)


@pytest.mark.parametrize("table_format", ["delta", "iceberg"])
def test_two_writers(tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket, table_format: str) -> None:
    settings, table = settings_of(table_format, jar, bucket)
    with spark_session(tmp_path, jar, endpoint, settings) as spark:
        spark.sql(create(table_format, table))
    with proxy_before(endpoint.url) as proxy:
        lose_one_reply_in_ten(proxy)
        behind = Endpoint(proxy.url, endpoint.access_key, endpoint.secret_key)
        bodies = [APPEND.format(commits=COMMITS, table=table, writer=writer) for writer in range(WRITERS)]
        drivers = [Driver(tmp_path / f"writer-{number}", jar, behind, body, settings) for number, body in enumerate(bodies)]
        for driver in drivers:
            driver.wait(900)
        assert proxy.lost > COMMITS
    with spark_session(tmp_path, jar, endpoint, settings) as spark:
        found = sorted(tuple(row) for row in spark.sql(f"SELECT writer, commit FROM {table}").collect())
    assert found == [(writer, commit) for writer in range(WRITERS) for commit in range(COMMITS)]
