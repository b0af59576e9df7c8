"""Fixtures of the ways to run Spark: jobs that anyone could have written, and a gateway that counts what they ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.endpoint import Bucket, Endpoint
from support.java import compile_job
from support.proxy import Proxy, proxy_before

PYTHON_JOB = """
import sys
from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("job").getOrCreate()
target = sys.argv[1]
spark.range(0, 1000, 1, 4).selectExpr("id", "id % 3 AS part").write.partitionBy("part").parquet(target + "/table")
spark.read.parquet(target + "/table").selectExpr("cast(sum(id) AS string) AS total").write.text(target + "/total")
spark.stop()
"""
JAVA_JOB = """
import org.apache.spark.sql.SparkSession;

public class Job {
  public static void main(String[] arguments) {
    SparkSession spark = SparkSession.builder().appName("job").getOrCreate();
    String target = arguments[0];
    spark.range(0, 1000, 1, 4).selectExpr("id", "id % 3 AS part").write().partitionBy("part").parquet(target + "/table");
    spark.read().parquet(target + "/table").selectExpr("cast(sum(id) AS string) AS total").write().text(target + "/total");
    spark.stop();
  }
}
"""


@dataclass(frozen=True)
class Jobs:
    """One job in two languages: it writes a table, reads it back, and writes the sum of its numbers."""

    python: Path
    jar: Path

    def check(self, bucket: Bucket, directory: str) -> None:
        """Whether one run of the job into `directory` did all that."""
        objects = bucket.objects(f"{directory}/")
        assert len([key for key in objects if "/table/part=" in key and key.endswith(".parquet")]) == 12
        assert {f"{directory}/table/_SUCCESS", f"{directory}/total/_SUCCESS"} <= set(objects)
        total = "".join(bucket.read(key).decode() for key in objects if "/total/part-" in key)
        assert total.split() == [str(sum(range(1000)))]
        assert [key for key in objects if "_temporary" in key or "_s3core_job" in key] == []
        assert bucket.uploads(f"{directory}/") == []


@pytest.fixture(scope="session")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    directory = tmp_path_factory.mktemp("jobs")
    (directory / "job.py").write_text(PYTHON_JOB)
    return Jobs(directory / "job.py", compile_job(directory, "Job", JAVA_JOB))


@pytest.fixture(scope="module")
def proxy(endpoint: Endpoint) -> Iterator[Proxy]:
    """What all processes of a cluster ask the gateway goes through it."""
    with proxy_before(endpoint.url) as running:
        yield running


@pytest.fixture
def nothing_copied(proxy: Proxy) -> Iterator[None]:
    """The test writes, and nothing is renamed by copies: whichever process it was, it had our committers."""
    before = len(proxy.requests)
    yield
    requests = proxy.requests[before:]
    assert any(request.method == "PUT" for request in requests)
    assert [request.path for request in requests if request.is_copy] == []
