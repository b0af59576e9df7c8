"""What Spark and Hadoop count of a job on our jar and on stock S3A 3.3.4, in one run on one gateway: the same bytes and records.

Where a reader skips something, S3A counts a little more: bytes between what was asked for, and the rest of a request that it reads
to its end when the file is closed. Ours counts what the reader got.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from support.endpoint import Bucket, Endpoint
from support.maven import maven_jar
from support.session import spark_session

S3A = [("org.apache.hadoop", "hadoop-aws", "3.3.4"), ("com.amazonaws", "aws-java-sdk-bundle", "1.12.262")]
ROWS = 50_000
FORMATS = ("parquet", "csv", "text")
SCHEMA = {"parquet": "value string, part bigint", "csv": "value string, part bigint", "text": "value string"}

STOCK = {
    "spark.hadoop.fs.s3a.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
    "spark.hadoop.fs.s3a.path.style.access": "true",
    # Its default signature fails on Radosgw over plain http.
    "spark.hadoop.fs.s3a.signing-algorithm": "S3SignerType",
}


def run(spark: SparkSession, url: str) -> str:
    """Jobs in every format and by both APIs; gives the name of the file system's class."""
    frame = spark.range(0, ROWS, 1, 4).selectExpr("cast(id AS string) AS value", "id % 7 AS part")
    for file_format in FORMATS:
        written = frame.select("value") if file_format == "text" else frame
        written.write.format(file_format).save(f"{url}/{file_format}")
    spark.sparkContext.parallelize(range(ROWS), 4).saveAsTextFile(f"{url}/rdd")
    for file_format in FORMATS:
        # With a schema, since inferring one reads a piece of a file, as large as the network has brought by then.
        read = spark.read.schema(SCHEMA[file_format]).format(file_format).load(f"{url}/{file_format}")
        assert len(read.collect()) == ROWS
    assert spark.sparkContext.textFile(f"{url}/rdd").count() == ROWS
    jvm: Any = spark._jvm
    return str(jvm.org.apache.hadoop.fs.Path(url).getFileSystem(spark._jsc.hadoopConfiguration()).getClass().getName())


def written(spark: SparkSession) -> int:
    """Bytes written by all threads of the JVM, as Hadoop counts them for the scheme."""
    jvm: Any = spark._jvm
    return sum(one.getBytesWritten() for one in jvm.org.apache.hadoop.fs.FileSystem.getAllStatistics() if one.getScheme() == "s3a")


def counted_by_stage(log: Path) -> list[dict[str, int]]:
    """Bytes and records of each stage that read or wrote something, in order: what the UI shows as input and output."""
    stages: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for line in log.read_text().splitlines():
        event = json.loads(line)
        if event["Event"] == "SparkListenerTaskEnd":
            metrics = event["Task Metrics"]
            for group in ("Input Metrics", "Output Metrics"):
                for name, value in metrics[group].items():
                    stages[event["Stage ID"]][name] += value
    return [dict(stages[stage]) for stage in sorted(stages) if any(stages[stage].values())]


def test_counts_of_a_job_are_those_of_s3a(tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket) -> None:
    stock_jars = ",".join(str(maven_jar(*coordinates)) for coordinates in S3A)
    settings = {"ours": {}, "stock": STOCK | {"spark.jars": stock_jars}}
    classes, stages, sums = {}, {}, {}
    for name, own in settings.items():
        directory = tmp_path / name
        directory.mkdir()
        (directory / "events").mkdir()
        logged = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": f"file://{directory}/events"}
        with spark_session(directory, jar, endpoint, own | logged) as spark:
            classes[name] = run(spark, bucket.url(name))
            sums[name] = written(spark)
        (log,) = (directory / "events").iterdir()
        stages[name] = counted_by_stage(log)
    assert classes["ours"].startswith("org.s3core.hadoop.")
    assert classes["stock"] == "org.apache.hadoop.fs.s3a.S3AFileSystem"
    ours, stock = stages["ours"], stages["stock"]
    assert [len(ours), len(stock)] == [2 * (len(FORMATS) + 1)] * 2  # each is written, then each is read
    of_parquet = len(FORMATS) + 1
    skipped = stock[of_parquet].pop("Bytes Read") - ours[of_parquet].pop("Bytes Read")
    assert 0 <= skipped < ours[0]["Bytes Written"] / 20
    assert ours == stock
    assert sums["ours"] == sums["stock"] == sum(stage["Bytes Written"] for stage in ours)
    assert all(stage["Bytes Written"] > ROWS or stage["Bytes Read"] > ROWS for number, stage in enumerate(ours) if number != of_parquet)
