"""The Spark of one peer: reads requests as JSON lines, runs the steps of the job, answers with seconds. Started by spark_job.py."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from pyspark import SparkContext
from pyspark.sql import DataFrame, SparkSession

from bench.machine import cpu_seconds

PARTITIONS = 10
OVERWRITTEN = 3


class Job:
    """The steps, on a table of `rows` rows below `root`, written by `tasks` tasks."""

    def __init__(self, spark: SparkSession, root: str, rows: int, tasks: int) -> None:
        self._spark = spark
        self._root = root
        self._rows = rows
        self._tasks = tasks
        self.steps: dict[str, Callable[[int], None]] = {
            "write flat": self.write_flat,
            "write partitioned": self.write_partitioned,
            "aggregate": self.aggregate,
            "read column": self.read_column,
            "overwrite": self.overwrite,
        }

    def table(self) -> DataFrame:
        """Numbers that compress little and names that compress well, as in a fact table; every task has rows of every partition."""
        return self._spark.range(0, self._rows, 1, self._tasks).selectExpr(
            "id",
            f"cast(id % {PARTITIONS} AS int) AS part",
            "cast(pmod(hash(id), 1000000) AS int) AS customer",
            "pmod(xxhash64(id), 100000) / 100.0D AS amount",
            "concat('product-', pmod(hash(id, 1), 5000)) AS product",
            "timestamp_seconds(1700000000 + id) AS sold",
        )

    def write_flat(self, number: int) -> None:
        self.table().write.parquet(f"{self._root}/flat-{number}")

    def write_partitioned(self, number: int) -> None:
        self.table().write.partitionBy("part").parquet(f"{self._root}/partitioned-{number}")

    def aggregate(self, _: int) -> None:
        read = self._spark.read.parquet(f"{self._root}/partitioned-0")
        groups = read.groupBy("part").agg({"*": "count", "amount": "sum", "customer": "max"}).collect()
        self._check(len(groups) == PARTITIONS and sum(group["count(1)"] for group in groups) == self._rows)

    def read_column(self, _: int) -> None:
        read = self._spark.read.parquet(f"{self._root}/flat-0").selectExpr("count(product) AS found", "max(length(product)) AS longest")
        self._check(read.collect()[0].found == self._rows)

    def overwrite(self, _: int) -> None:
        changed = (
            self.table().where(f"part < {OVERWRITTEN}").selectExpr("id", "part", "customer", "amount + 1 AS amount", "product", "sold")
        )
        target = f"{self._root}/partitioned-0"
        changed.write.mode("overwrite").option("partitionOverwriteMode", "dynamic").partitionBy("part").parquet(target)

    def clean(self) -> None:
        path = self._spark._jvm.org.apache.hadoop.fs.Path(self._root)  # type: ignore[union-attr]
        path.getFileSystem(self._spark._jsc.hadoopConfiguration()).delete(path, True)

    def _check(self, holds: bool) -> None:
        if not holds:
            raise AssertionError(f"wrong result on {self._root}: a fast answer that is wrong is none")


def main() -> None:
    # What Spark and the JVM print must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    specification = json.loads(sys.argv[1])
    spark = session(specification)
    job = Job(spark, specification["url"], specification["rows"], specification["tasks"])
    small = Job(spark, specification["url"] + "-warm-up", max(100, specification["rows"] // 20), 2)
    context: Any = SparkContext
    jvm: int = context._gateway.proc.pid
    for line in sys.stdin:
        request = json.loads(line)
        processor, start = cpu_seconds(jvm), time.monotonic()
        run(request, job, small)
        answer = {"seconds": time.monotonic() - start, "cpu": round(cpu_seconds(jvm) - processor, 2)}
        print(json.dumps(answer), file=answers)
    spark.stop()


def run(request: dict[str, Any], job: Job, small: Job) -> None:
    """A step as often as asked, or every step on a small table so that classes are loaded and compiled before the first figure."""
    if request["step"] == "clean":
        job.clean()
    elif request["step"] == "warm up":
        job.clean()  # what a peer that failed has left on file://
        for _ in range(2):
            for step in small.steps.values():
                step(0)
            small.clean()
    else:
        for number in range(request["repeats"]):
            job.steps[request["step"]](number)


def session(specification: dict[str, Any]) -> SparkSession:
    options = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "2g",
        "spark.sql.shuffle.partitions": "4",
        "spark.driver.extraClassPath": ":".join(specification["jars"]),
        "spark.sql.warehouse.dir": specification["scratch"],
        "spark.local.dir": specification["scratch"],
        **{name if name.startswith("spark.") else f"spark.hadoop.{name}": value for name, value in specification["options"].items()},
    }
    builder = SparkSession.builder.master("local[4]").appName("bench")
    for name, value in options.items():
        if value:
            builder = builder.config(name, value)
    return builder.getOrCreate()


if __name__ == "__main__":
    main()
