"""Several attempts of one task, and executors that die or wake up at the wrong moment: each row is there exactly once."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyspark import TaskContext, cloudpickle
from pyspark.sql import SparkSession

from support.endpoint import Bucket, Endpoint
from support.proxy import Request, nth, proxy_before
from support.session import spark_session
from support.standalone import standalone_cluster
from support.tables import numbers, visible
from support.waiting import wait_for

ROWS_OF_A_TASK = 200
TASKS = 3
EVERY_ROW = list(range(TASKS * ROWS_OF_A_TASK))
# How soon an executor that says nothing is taken for lost.
IMPATIENCE = {"spark.network.timeout": "8s", "spark.executor.heartbeatInterval": "2s", "spark.network.timeoutInterval": "2s"}


@dataclass(frozen=True)
class Cluster:
    """What a Spark of two executors needs."""

    directory: Path
    jar: Path
    endpoint: Endpoint
    bucket: Bucket

    master: str

    def session(self, settings: dict[str, str], endpoint: Endpoint | None = None) -> Any:
        small = {"spark.executor.memory": "512m", "spark.hadoop.fs.s3core.committer.small.file.size": "0"}
        return spark_session(self.directory, self.jar, endpoint or self.endpoint, small | settings, self.master)


@pytest.fixture
def cluster(tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket) -> Iterator[Cluster]:
    with standalone_cluster(tmp_path) as master:
        yield Cluster(tmp_path, jar, endpoint, bucket, master)


def write(spark: SparkSession, target: str, at_the_end: Callable[[int, int], None]) -> None:
    """A table of TASKS tasks; `at_the_end(task, attempt)` runs when a task has produced its rows and its file is still open."""

    def rows(task: int, _: Iterable[int]) -> Iterator[tuple[int]]:
        for number in range(ROWS_OF_A_TASK):
            yield (task * ROWS_OF_A_TASK + number,)
        context = TaskContext.get()
        assert context is not None
        at_the_end(task, context.attemptNumber())

    numbers_of_tasks = spark.sparkContext.parallelize(range(TASKS), TASKS).mapPartitionsWithIndex(rows)
    spark.createDataFrame(numbers_of_tasks, "id int").write.parquet(target)


@contextmanager
def running(work: Callable[[], None]) -> Iterator[Future[None]]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(work)


def test_speculation_with_both_attempts_alive(cluster: Cluster) -> None:
    """The first attempt of a task waits until the speculative one has committed, and then goes on for as long as Spark lets it."""
    speculation = {
        "spark.speculation": "true",
        "spark.speculation.interval": "200ms",
        "spark.speculation.quantile": "0.5",
        "spark.speculation.multiplier": "1.1",
        "spark.speculation.minTaskRuntime": "200ms",
    }
    marks = cluster.directory

    def linger(task: int, attempt: int) -> None:
        if task == 0:
            (marks / f"attempt-{attempt}").touch()
            if attempt == 0:
                time.sleep(20)

    with cluster.session(speculation) as spark:
        write(spark, cluster.bucket.url("speculation"), linger)
        assert {path.name for path in marks.glob("attempt-*")} == {"attempt-0", "attempt-1"}
        assert numbers(spark, cluster.bucket, "speculation") == EVERY_ROW
    assert len(visible(cluster.bucket, "speculation")) == TASKS
    assert cluster.bucket.uploads("speculation/") == []


def test_executor_killed_while_its_task_commits(cluster: Cluster) -> None:
    """Its pending set is on its way when it dies: whether that has arrived nobody knows, and the task runs again."""
    mark = cluster.directory / "executor"

    def tell(task: int, attempt: int) -> None:
        if task == 0 and attempt == 0:
            mark.write_text(str(executor_of(os.getpid())))

    target = cluster.bucket.url("mid-commit")
    with proxy_before(cluster.endpoint.url) as proxy:
        behind = Endpoint(proxy.url, cluster.endpoint.access_key, cluster.endpoint.secret_key)
        commits = proxy.hold(lambda request: request.method == "PUT" and request.path.endswith("_000000.pendingset"))
        with cluster.session({}, behind) as spark, running(lambda: write(spark, target, tell)) as job:
            commits.wait_for_one(90)
            os.kill(int(mark.read_text()), signal.SIGKILL)
            commits.release()
            job.result(timeout=120)
            assert numbers(spark, cluster.bucket, "mid-commit") == EVERY_ROW
    assert len(visible(cluster.bucket, "mid-commit")) == TASKS


def test_zombie_that_wakes_up_after_the_job(cluster: Cluster) -> None:
    """An executor stands still in mid-write, is taken for lost, and goes on when the job is committed: nobody sees what it does."""
    mark = cluster.directory / "executor"

    def stand_still(task: int, attempt: int) -> None:
        if task == 0 and attempt == 0:
            executor = executor_of(os.getpid())
            mark.write_text(str(executor))
            os.kill(executor, signal.SIGSTOP)

    with (
        cluster.session(IMPATIENCE) as spark,
        running(lambda: write(spark, cluster.bucket.url("zombie"), stand_still)) as job,
    ):
        job.result(timeout=180)
        before = cluster.bucket.objects("zombie/")
        os.kill(int(mark.read_text()), signal.SIGCONT)
        time.sleep(10)
        after = {key: size for key, size in cluster.bucket.objects("zombie/").items() if "/_s3core_job-" not in key}
        assert after == before
        assert numbers(spark, cluster.bucket, "zombie") == EVERY_ROW


def begins_an_upload(request: Request) -> bool:
    return request.method == "POST" and request.query == "uploads"


def sends_a_part(request: Request) -> bool:
    return request.method == "PUT" and "partNumber=" in request.query


@pytest.mark.parametrize(
    ("sent", "status", "uploads"),
    [
        # The gateway begins an upload for whoever asks.
        pytest.param(begins_an_upload, 200, 1, id="upload"),
        # The upload that it is for was aborted by the job's commit.
        pytest.param(sends_a_part, 404, 0, id="part"),
    ],
)
def test_late_upload_of_a_zombie_stays_invisible(cluster: Cluster, sent: Callable[[Request], bool], status: int, uploads: int) -> None:
    """What an executor has sent before it stood still reaches the gateway when the job is committed without it."""
    mark, directory = cluster.directory / "executor", f"late-{status}"

    def tell(task: int, attempt: int) -> None:
        if task == 0 and attempt == 0:
            mark.write_text(str(executor_of(os.getpid())))

    with proxy_before(cluster.endpoint.url) as proxy:
        behind = Endpoint(proxy.url, cluster.endpoint.access_key, cluster.endpoint.secret_key)
        late = proxy.hold(nth(1, lambda request: "/part-00000-" in request.path and sent(request)))
        with (
            cluster.session(IMPATIENCE, behind) as spark,
            running(lambda: write(spark, cluster.bucket.url(directory), tell)) as job,
        ):
            late.wait_for_one(90)
            with standing_still(int(mark.read_text())):
                job.result(timeout=180)
                before = cluster.bucket.objects(f"{directory}/")
                assert proxy.status_of(late.request) is None
                late.release()
                wait_for(lambda: proxy.status_of(late.request))
                assert proxy.status_of(late.request) == status
                assert len(cluster.bucket.uploads(f"{directory}/")) == uploads
                assert cluster.bucket.objects(f"{directory}/") == before
            time.sleep(10)  # it goes on, if it can
            after = {key: size for key, size in cluster.bucket.objects(f"{directory}/").items() if "/_s3core_job-" not in key}
            assert after == before
            assert numbers(spark, cluster.bucket, directory) == EVERY_ROW


@contextmanager
def standing_still(process: int) -> Iterator[None]:
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # taken for lost, it may have been ended
            os.kill(process, signal.SIGCONT)


def executor_of(process: int) -> int:
    """The nearest ancestor of a Python worker that is a JVM."""
    while Path(f"/proc/{process}/comm").read_text().strip() != "java":
        process = int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])
    return process


# Executors cannot import this module: its functions travel to them as they are.
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]
