"""A Spark session that listed a table before its partitions went reads equal rows, or is told where the files are."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession

from support.endpoint import Bucket, Endpoint
from support.life import Life
from support.proxy import Proxy, nth

PARTITIONS = 20
ROWS = 10
REST = 2.2
#: Seconds for which a reader keeps the end of a columnar file that it has seen, of a small one all of it.
REMEMBERED = 1.5


@pytest.fixture
def table(spark: SparkSession, lake: Bucket) -> Iterator[DataFrame]:
    """20 partitions that are due, listed by the session."""
    rows = spark.range(PARTITIONS * ROWS).selectExpr("id", f"concat('2020-01-', lpad(1 + id % {PARTITIONS}, 2, '0')) AS day")
    rows.repartition(2, "day").write.partitionBy("day").parquet(lake.url("events"))
    time.sleep(REST)
    listed = spark.read.parquet(lake.url("events"))
    assert total(listed) == everything()
    yield listed
    listed.unpersist()


def everything() -> tuple[int, int]:
    return PARTITIONS * ROWS, sum(range(PARTITIONS * ROWS))


def total(table: DataFrame) -> tuple[int, int]:
    """Rows, and the sum of their numbers."""
    row = table.selectExpr("count(id)", "sum(id)").first()
    assert row is not None
    return row[0], row[1] or 0


def policy(bucket: Bucket, action: str) -> str:
    return (
        "version: 1\ndefaults: {settle: 0h, guard: {max_removed: none}}\ndatasets:\n"
        f'  - name: events\n    location: {bucket.url("events")}/\n    age: {{from: partition, time: "{{day:%F}}"}}\n'
        f"    rules: [{{name: rule, when: {{older_than: 1y}}, then: {action}}}]\n"
    )


def read(table: DataFrame) -> str | None:
    """Reads all of it: equal rows, or the message of the exception that Spark has got from our file system."""
    try:
        assert total(table) == everything()
    except Py4JJavaError as error:
        text = str(error.java_exception)
        assert "FileNotFoundException: s3a://" in text
        return text
    return None


def test_rows_are_equal_or_the_exception_names_the_run(table: DataFrame, lake: Bucket, life: Life, proxy: Proxy) -> None:
    """Read again and again while partitions go, once for certain when some are gone and others are not."""
    life.policy(policy(lake, "expire"))
    copies = proxy.hold(lambda request: request.is_copy)
    removals = proxy.hold(nth(PARTITIONS // 2, lambda request: request.method == "DELETE" and "/events/" in request.path))
    process = life.start("apply", "policy.yaml", "--yes", endpoint=Endpoint(proxy.url, life.endpoint.access_key, life.endpoint.secret_key))
    copies.wait_for_one(60)
    assert read(table) is None  # the run is in the bucket, and nothing has gone
    copies.release()
    removals.wait_for_one(60)
    assert 0 < len(lake.objects("events/day=")) < PARTITIONS
    time.sleep(REMEMBERED)
    told = [read(table)]
    removals.release()
    between = []
    while process.poll() is None:
        between.append(read(table))
    assert process.returncode == 0
    time.sleep(REMEMBERED)
    told.append(read(table))
    # Equal rows, where a reader has just seen the file.
    told += [text for text in between if text is not None]

    (run,) = life.run("history", "policy.yaml")
    command = f"s3life undo {run['run']} s3a://{lake.name}"
    for text in told:
        assert text is not None
        assert command in text
        assert f"the run {run['run']} of s3life has moved it to its trash" in text
    life.run("undo", run["run"], "policy.yaml")
    assert read(table) is None


def test_the_exception_names_the_run_where_versions_are_kept(table: DataFrame, lake: Bucket, life: Life) -> None:
    lake.client.put_bucket_versioning(Bucket=lake.name, VersioningConfiguration={"Status": "Enabled"})
    life.policy(policy(lake, "expire"))
    run = life.run("apply", "policy.yaml", "--yes")["run"]
    assert lake.objects("events/day=") == {}
    time.sleep(REMEMBERED)
    told = read(table)
    assert told is not None
    assert f"the run {run} of s3life has hidden it under a delete marker; `s3life undo {run} s3a://{lake.name}`" in told
    life.run("undo", run, "policy.yaml")
    assert read(table) is None


def test_a_table_reads_the_same_before_during_and_after_it_tiers(table: DataFrame, lake: Bucket, life: Life) -> None:
    life.policy(policy(lake, "{tier: COLD}"))
    state, deadline = "waiting-for-gateway", time.monotonic() + 120
    while state == "waiting-for-gateway":
        assert time.monotonic() < deadline
        state = life.run("apply", "policy.yaml", "--yes")["state"]
        assert read(table) is None
    pages = lake.client.get_paginator("list_objects_v2").paginate(Bucket=lake.name, Prefix="events/day=")
    assert {entry["StorageClass"] for page in pages for entry in page["Contents"]} == {"COLD"}
    assert (state, read(table)) == ("done", None)
