"""Writers that are killed with SIGKILL in the middle of a file: nothing of it may ever be seen."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pyspark import cloudpickle
from pyspark.sql import SparkSession

from support.endpoint import Bucket, Endpoint
from support.jvm import start_jvm
from support.session import spark_session
from support.waiting import wait_for

MIB = 1024 * 1024
LINES = 300  # per task, of 100 KB each


def test_killed_virtual_machine_leaves_no_file(tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket) -> None:
    settings = endpoint.hadoop_settings() | {"fs.s3a.multipart.size": "8M"}
    with start_jvm(tmp_path, [jar]) as java:
        stream = java.file_system(bucket.url(""), settings).create(java.path(bucket.url("killed/large")))
        for _ in range(20):
            stream.write(bytes(MIB))
        wait_for(lambda: bucket.uploads("killed/") == ["killed/large"])  # some of it has reached the gateway
        small = java.file_system(bucket.url(""), settings).create(java.path(bucket.url("killed/small")))
        small.write(b"less than a part")
        java.kill()
    assert bucket.objects("killed/") == {}


@pytest.mark.parametrize("attempts", [4, 1], ids=["task is repeated", "job is given up"])
def test_killed_executor(tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket, attempts: int) -> None:
    """An executor dies in the middle of a task. Repeated: the output is complete, once. Given up: there is none."""
    settings = {"spark.hadoop.fs.s3a.multipart.size": "8M", "spark.task.maxFailures": str(attempts), "spark.executor.memory": "512m"}
    directory = f"executor-{attempts}"
    marker = tmp_path / "marker"
    with spark_session(tmp_path, jar, endpoint, settings, "local-cluster[2,1,1024]") as spark, ThreadPoolExecutor(1) as pool:
        job = pool.submit(write_slowly, spark, bucket.url(directory), marker)
        wait_for(lambda: marker.exists() or job.done(), 120)
        assert not job.done()
        wait_for(lambda: any("part-00001" in key for key in bucket.uploads(directory)))  # it is in the middle of its file
        assert [key for key in bucket.objects(directory) if "part-00001" in key] == []
        os.kill(int(marker.read_text()), signal.SIGKILL)

        failure = job.exception(timeout=240)
        if attempts == 1:
            assert failure is not None
            assert bucket.objects(directory) == {}
        else:
            assert failure is None
            keys = sorted(bucket.objects(directory))
            assert keys == [f"{directory}/{name}" for name in ("_SUCCESS", "part-00000", "part-00001", "part-00002")]
            for index in range(3):
                lines = bucket.read(keys[index + 1]).splitlines()
                assert [line.split(b" ")[:2] for line in lines] == [[b"%d" % index, b"%d" % number] for number in range(LINES)]


def write_slowly(spark: SparkSession, target: str, marker: Path) -> None:
    """Three tasks of LINES lines of 100 KB; the first attempt of the second stops in the middle and waits to be killed."""

    def lines(index: int, _: Iterable[int]) -> Iterable[str]:
        for number in range(LINES):
            if index == 1 and number == LINES * 2 // 3 and not marker.exists():
                partial = marker.with_suffix(".partial")
                partial.write_text(str(executor_of(os.getpid())))
                partial.rename(marker)
                time.sleep(600)
            yield f"{index} {number} ".ljust(100_000, "x")

    spark.sparkContext.parallelize(range(3), 3).mapPartitionsWithIndex(lines).saveAsTextFile(target)


def executor_of(process: int) -> int:
    """The nearest ancestor of a Python worker that is a JVM."""
    while Path(f"/proc/{process}/comm").read_text().strip() != "java":
        process = int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])
    return process


# Executors cannot import this module: its functions travel to them as they are.
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]
