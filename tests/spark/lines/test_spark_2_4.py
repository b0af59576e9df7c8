"""The oldest line, Spark 2.4 on Hadoop 2.7 and Scala 2.11, by SQL in a JVM: its Python needs an interpreter that has had its day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.endpoint import Bucket, Endpoint, setting
from support.jvm import Jvm, start_jvm
from support.tables import ROWS, visible


@dataclass(frozen=True)
class OldSpark:
    """A session of Spark 2.4. Everything is SQL."""

    java: Jvm
    session: Any
    bucket: Bucket

    def run(self, statement: str) -> list[list[Any]]:
        """Rows of a query's answer."""
        answer = self.session.sql(statement)
        return [[row.get(column) for column in range(row.length())] for row in answer.collectAsList()]

    def copies(self) -> int:
        path = self.java.path(self.bucket.url(""))
        counts = path.getFileSystem(self.session.sparkContext().hadoopConfiguration()).requests()
        return int(counts["CopyObject"][0]) if counts.containsKey("CopyObject") else 0


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory, jar: Path, endpoint: Endpoint, bucket: Bucket) -> Iterator[OldSpark]:
    directory = tmp_path_factory.mktemp("old")
    home = Path(setting("S3CORE_TEST_OLD_SPARK_HOME"))
    program = str(Path(setting("S3CORE_TEST_OLD_JAVA_HOME")) / "bin" / "java")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(directory / "warehouse"),
        "spark.local.dir": str(directory / "local"),
        **{f"spark.hadoop.{name}": value for name, value in endpoint.hadoop_settings().items()},
    }
    with start_jvm(directory, [jar], java=program, spark_jars=home / "jars") as java:
        builder = java.jvm.org.apache.spark.sql.SparkSession.builder().master("local[2]").appName("s3core")
        for name, value in settings.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        assert session.version().startswith("2.4.")
        assert java.jvm.java.lang.System.getProperty("java.version").startswith("1.8.")
        yield OldSpark(java, session, bucket)
        session.stop()


@pytest.mark.parametrize("file_format", ["csv", "json", "orc", "parquet", "text"])
def test_what_is_written_is_read_and_nothing_is_copied(spark: OldSpark, bucket: Bucket, file_format: str) -> None:
    column = "CAST(id AS string) AS value" if file_format == "text" else "id"
    directory = f"format_{file_format}"
    rows = f"SELECT {column} FROM range(0, {ROWS}, 1, 4)"
    spark.run(f"CREATE TABLE {directory} USING {file_format} LOCATION '{bucket.url(directory)}' AS {rows}")
    spark.run(f"INSERT INTO {directory} {rows}")
    name = "value" if file_format == "text" else "id"
    assert spark.run(f"SELECT count(*), sum(CAST({name} AS bigint)) FROM {directory}") == [[2 * ROWS, ROWS * (ROWS - 1)]]
    assert len(visible(bucket, directory)) == 8
    assert spark.copies() == 0
    assert [key for key in bucket.objects(f"{directory}/") if "_temporary" in key or "_s3core_job" in key] == []


def test_dynamic_overwrite(spark: OldSpark, bucket: Bucket) -> None:
    """One copy for each new file: Spark stages them, and moves them when the job has ended."""
    spark.run(
        f"CREATE TABLE parts USING parquet PARTITIONED BY (part) LOCATION '{bucket.url('parts')}'"
        f" AS SELECT id, CAST(id % 3 AS int) AS part FROM range(0, {ROWS}, 1, 2)"
    )
    before, copies = set(visible(bucket, "parts")), spark.copies()
    assert copies == 0
    spark.run("SET spark.sql.sources.partitionOverwriteMode=dynamic")
    spark.run("INSERT OVERWRITE TABLE parts SELECT 7 AS id, 1 AS part")
    assert spark.run("SELECT part, count(*) FROM parts GROUP BY part ORDER BY part") == [[0, 334], [1, 1], [2, 333]]
    assert spark.copies() == 1
    assert {key for key in before if "/part=1/" not in key} < set(visible(bucket, "parts"))


def test_rdd_of_the_old_api(spark: OldSpark, bucket: Bucket) -> None:
    before = spark.copies()
    spark.session.range(0, ROWS, 1, 4).toJavaRDD().saveAsTextFile(bucket.url("rdd"))
    assert spark.session.read().textFile(bucket.url("rdd")).count() == ROWS
    assert spark.copies() == before
