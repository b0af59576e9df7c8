"""Before the job is committed a foreign client sees nothing, also when the driver is killed; a second run has each row once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.driver import Driver
from support.endpoint import Bucket, Endpoint
from support.program import Program
from support.proxy import Held, Proxy, Request, nth, proxy_before
from support.session import spark_session
from support.tables import PARTITIONS, ROWS, numbers, overwrite, table, visible

# Hadoop's own committer in place of ours, which renames what tasks have written when the job ends.
V1 = {
    "spark.hadoop.spark.sql.parquet.output.committer.class": "org.apache.parquet.hadoop.ParquetOutputCommitter",
    "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "1",
}


@dataclass(frozen=True)
class Place:
    """Where a job runs, and where it writes."""

    directory: Path
    jar: Path
    endpoint: Endpoint
    bucket: Bucket


@pytest.fixture
def place(tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket) -> Place:
    return Place(tmp_path, jar, endpoint, bucket)


@pytest.fixture
def proxy(endpoint: Endpoint) -> Iterator[Proxy]:
    with proxy_before(endpoint.url) as running:
        yield running


def behind(proxy: Proxy, endpoint: Endpoint) -> Endpoint:
    return Endpoint(proxy.url, endpoint.access_key, endpoint.secret_key)


def end_of_job(proxy: Proxy, directory: str) -> Held:
    """Holds back the listing that a job's commit begins with: of our state, or of the tasks that v1 has renamed."""

    def begins_the_commit(request: Request) -> bool:
        lists = request.method == "GET" and "list-type=2" in request.query
        ours, v1 = f"prefix={directory}%2F_s3core_job-", f"prefix={directory}%2F_temporary%2F0%2F"
        return lists and (ours in request.query or (f"{v1}&" in f"{request.query}&" and "delimiter" in request.query))

    return proxy.hold(begins_the_commit)


COMMITTERS = pytest.mark.parametrize("committer", [{}, V1], ids=["ours", "v1"])


@COMMITTERS
def test_nothing_is_visible_before_the_job_is_committed(place: Place, proxy: Proxy, committer: dict[str, str]) -> None:
    """All tasks are committed, and the driver's first request of the job's commit is held back."""
    directory, bucket = f"before-{len(committer)}", place.bucket
    ends = end_of_job(proxy, directory)
    with (
        spark_session(place.directory, place.jar, behind(proxy, place.endpoint), committer) as spark,
        ThreadPoolExecutor(1) as pool,
    ):
        job = pool.submit(lambda: table(spark).write.partitionBy("part").parquet(bucket.url(directory)))
        ends.wait_for_one(60)
        assert not job.done()
        assert visible(bucket, directory) == []
        ends.release()
        job.result(timeout=120)
        assert numbers(spark, bucket, directory) == list(range(ROWS))


def test_driver_killed_between_task_and_job_commit(place: Place, proxy: Proxy) -> None:
    bucket, target = place.bucket, place.bucket.url("driver")
    ends = end_of_job(proxy, "driver")
    body = f"table(spark).write.mode('append').partitionBy('part').parquet({target!r})"
    driver = Driver(place.directory / "driver", place.jar, behind(proxy, place.endpoint), body)
    ends.wait_for_one(120)
    driver.kill()
    assert visible(bucket, "driver") == []
    with spark_session(place.directory, place.jar, place.endpoint) as spark:
        table(spark).write.mode("append").partitionBy("part").parquet(target)
        assert numbers(spark, bucket, "driver") == list(range(ROWS))


def test_driver_killed_between_two_completions_of_a_job_commit(place: Place, proxy: Proxy) -> None:
    """Some files are visible, the others pending: what docs/commits.md says ends what the driver had begun."""
    bucket, target = place.bucket, place.bucket.url("half")
    second = proxy.hold(nth(2, lambda request: request.method == "POST" and "uploadId=" in request.query))
    one_by_one = {"spark.hadoop.fs.s3a.committer.threads": "1", "spark.hadoop.fs.s3core.committer.small.file.size": "0"}
    body = f"table(spark).write.mode('append').parquet({target!r})"
    driver = Driver(place.directory / "driver", place.jar, behind(proxy, place.endpoint), body, one_by_one)
    second.wait_for_one(120)
    driver.kill()
    second.drop()
    assert (len(visible(bucket, "half")), len(bucket.uploads("half/"))) == (1, 3)
    program = Program(place.directory / "wheel", place.endpoint)
    (job,) = json.loads(program.run("uploads", "list", target, "--json"))["jobs"]
    assert (job["committed_tasks"], job["committed_files"]) == (4, 4)
    assert "completed" in program.run("uploads", "complete", target, job["job"], "--force")
    assert (len(visible(bucket, "half")), bucket.uploads("half/")) == (4, [])
    # The driver had all of its tasks, and would have put it.
    hidden = [key for key in bucket.objects("half/") if "/_" in key]
    assert hidden == ["half/_SUCCESS"]
    with spark_session(place.directory, place.jar, place.endpoint) as spark:
        assert numbers(spark, bucket, "half") == list(range(ROWS))


def test_what_a_killed_driver_of_v1_has_left_is_not_taken_along(place: Place, proxy: Proxy) -> None:
    """The second run would make the first one's committed tasks visible beside its own: it is told so instead."""
    bucket, target = place.bucket, place.bucket.url("driver-v1")
    ends = end_of_job(proxy, "driver-v1")
    body = f"table(spark).write.mode('append').partitionBy('part').parquet({target!r})"
    driver = Driver(place.directory / "driver", place.jar, behind(proxy, place.endpoint), body, V1)
    ends.wait_for_one(120)
    driver.kill()
    assert visible(bucket, "driver-v1") == []
    with spark_session(place.directory, place.jar, place.endpoint, V1) as spark:
        with pytest.raises(Exception, match="another job with Hadoop's FileOutputCommitter"):
            table(spark).write.mode("append").partitionBy("part").parquet(target)
        spark._jvm.org.apache.hadoop.fs.Path(f"{target}/_temporary").getFileSystem(  # type: ignore[union-attr]
            spark._jsc.hadoopConfiguration()
        ).delete(spark._jvm.org.apache.hadoop.fs.Path(f"{target}/_temporary"), True)  # type: ignore[union-attr]
        table(spark).write.mode("append").partitionBy("part").parquet(target)
        assert numbers(spark, bucket, "driver-v1") == list(range(ROWS))


def test_driver_killed_between_delete_and_rename_of_a_dynamic_overwrite(place: Place, proxy: Proxy) -> None:
    """The old files of a partition are gone, the new ones stand where Spark has staged them: complete, for whoever moves them."""
    bucket, target = place.bucket, place.bucket.url("killed")
    with spark_session(place.directory, place.jar, place.endpoint) as spark:
        table(spark).write.partitionBy("part").parquet(target)
    renames = proxy.hold(lambda request: request.is_copy)
    body = f"overwrite(spark.range(ROWS, ROWS + 20, 1, 2).selectExpr('id', 'id % 2 AS part'), {target!r})"
    driver = Driver(place.directory / "driver", place.jar, behind(proxy, place.endpoint), body)
    renames.wait_for_one(120)
    driver.kill()
    left = {part: [key for key in visible(bucket, "killed") if f"/part={part}/" in key] for part in range(PARTITIONS)}
    staged = [key for key in bucket.objects("killed/") if "/.spark-staging-" in key and key.endswith(".parquet")]
    assert len(staged) == 4
    assert all(left[part] or any(f"/part={part}/" in key for key in staged) for part in range(PARTITIONS))
    with spark_session(place.directory, place.jar, place.endpoint) as spark:
        overwrite(spark.range(ROWS, ROWS + 20, 1, 2).selectExpr("id", "id % 2 AS part"), target)
        assert numbers(spark, bucket, "killed") == [n for n in range(ROWS) if n % 10 > 1] + list(range(ROWS, ROWS + 20))
