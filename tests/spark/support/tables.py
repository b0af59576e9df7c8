"""A small table that jobs write, and what is there of it."""

from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession

from support.endpoint import Bucket

ROWS = 1000
PARTITIONS = 10


def visible(bucket: Bucket, directory: str) -> list[str]:
    """What readers see: Spark and Hadoop hide names that begin with an underscore or a dot."""
    keys = bucket.objects(f"{directory}/")
    return sorted(key for key in keys if not any(name.startswith(("_", ".")) for name in key.split("/")))


def numbers(spark: SparkSession, bucket: Bucket, directory: str, file_format: str = "parquet") -> list[int]:
    return sorted(row[0] for row in spark.read.format(file_format).load(bucket.url(directory)).select("id").collect())


def table(spark: SparkSession, tasks: int = 4) -> Any:
    return spark.range(0, ROWS, 1, tasks).selectExpr("id", f"id % {PARTITIONS} AS part")


def overwrite(frame: Any, url: str) -> None:
    frame.write.mode("overwrite").option("partitionOverwriteMode", "dynamic").partitionBy("part").parquet(url)


def copies(spark: SparkSession, bucket: Bucket) -> int:
    """CopyObject requests of this JVM's file system."""
    jvm: Any = spark._jvm
    path = jvm.org.apache.hadoop.fs.Path(bucket.url(""))
    counts = path.getFileSystem(spark._jsc.hadoopConfiguration()).requests()
    return int(counts["CopyObject"][0]) if counts.containsKey("CopyObject") else 0
