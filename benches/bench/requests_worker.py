"""The Spark whose jobs' requests are counted: reads names of jobs, runs them, answers "done" or "refused". Started by requests.py."""

from __future__ import annotations

import json
import os
import sys

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession

from bench.worker import session

ROWS = 16_000
PARTITIONS = 10


def main() -> None:
    # What Spark and the JVM print must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    specification = json.loads(sys.argv[1])
    spark = session(specification | {"scratch": os.environ.get("TMPDIR", "/tmp")})
    for line in sys.stdin:
        print(run(spark, specification["url"], line.strip()), file=answers)
    spark.stop()


def run(spark: SparkSession, url: str, job: str) -> str:
    if job == "warm up":
        table(spark, 2).write.parquet(f"{url}/warm-up")
    elif job == "one":
        table(spark, 1).write.parquet(f"{url}/one")
    elif job == "hundred":
        table(spark, 100).write.parquet(f"{url}/hundred")
    elif job == "partitioned":
        table(spark, 16).write.partitionBy("part").parquet(f"{url}/partitioned")
    else:
        try:
            overwriting = table(spark, 16).write.mode("overwrite").option("partitionOverwriteMode", "dynamic")
            overwriting.partitionBy("part").parquet(f"{url}/partitioned")
        except Py4JJavaError as failure:
            if "does not support dynamicPartitionOverwrite" in str(failure):
                return "refused"
            raise
    return "done"


def table(spark: SparkSession, tasks: int) -> DataFrame:
    """Every task has rows of every partition."""
    return spark.range(0, ROWS, 1, tasks).selectExpr("id", f"id % {PARTITIONS} AS part", "uuid() AS name")


if __name__ == "__main__":
    main()
