"""Structured Streaming with source, sink and checkpoint on s3a."""

from __future__ import annotations

import json
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from support.endpoint import Bucket, Endpoint
from support.session import spark_session


def test_a_checkpoint_is_the_first_use_of_s3a(tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket) -> None:
    """Streaming asks FileContext before any FileSystem: bound to the class that core-default.xml names, the query would not start."""
    with spark_session(tmp_path, jar, endpoint) as spark:
        stream = spark.readStream.format("rate").option("rowsPerSecond", 100).load()
        query = stream.writeStream.format("noop").option("checkpointLocation", bucket.url("first/checkpoint")).start()
        try:
            while not query.recentProgress and query.exception() is None:
                query.awaitTermination(1)
            assert query.exception() is None
        finally:
            query.stop()
    assert "first/checkpoint/metadata" in bucket.objects("first/checkpoint/")


def put_lines(bucket: Bucket, name: str, numbers: range) -> None:
    bucket.write(f"source/{name}.json", "\n".join(json.dumps({"number": number}) for number in numbers).encode())


def run_until_done(spark: SparkSession, bucket: Bucket) -> int:
    """Processes what is new, one file per batch, and stops; returns the number of batches that had data."""
    stream: DataFrame = spark.readStream.schema("number long").option("maxFilesPerTrigger", 1).json(bucket.url("source"))
    query = (
        stream.writeStream.format("parquet")
        .option("checkpointLocation", bucket.url("checkpoint"))
        .trigger(availableNow=True)
        .start(bucket.url("sink"))
    )
    assert query.awaitTermination(120)
    return sum(1 for progress in query.recentProgress if progress["numInputRows"])


def numbers(spark: SparkSession, bucket: Bucket) -> list[int]:
    return sorted(row.number for row in spark.read.parquet(bucket.url("sink")).collect())


def test_batches_are_processed_once_across_restarts(spark: SparkSession, bucket: Bucket) -> None:
    for part in range(3):
        put_lines(bucket, f"a{part}", range(part * 100, part * 100 + 100))
    assert run_until_done(spark, bucket) == 3
    assert numbers(spark, bucket) == list(range(300))

    put_lines(bucket, "b", range(300, 400))
    assert run_until_done(spark, bucket) == 1  # a new query on the old checkpoint: the first three files are not read again
    assert numbers(spark, bucket) == list(range(400))
    commits = [key for key in bucket.objects("checkpoint/commits/") if key.rsplit("/", 1)[1].isdigit()]
    assert len(commits) == 4


def test_state_is_kept_on_s3a(spark: SparkSession, bucket: Bucket) -> None:
    """Aggregations write a state file per batch and partition, renamed into place."""
    for part in range(2):
        put_lines(bucket, f"state/{part}", range(100))
        stream = spark.readStream.schema("number long").json(bucket.url("source/state"))
        query = (
            stream.groupBy((stream.number % 2).alias("odd"))
            .count()
            .writeStream.outputMode("complete")
            .format("memory")
            .queryName(f"counts_{part}")
            .option("checkpointLocation", bucket.url("state-checkpoint"))
            .trigger(availableNow=True)
            .start()
        )
        assert query.awaitTermination(120)
        counted = {row.odd: row["count"] for row in spark.table(f"counts_{part}").collect()}
        assert counted == {0: 50 * (part + 1), 1: 50 * (part + 1)}
