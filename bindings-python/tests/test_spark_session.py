"""``configure`` and ``attach`` with a real JVM, each in a Python of its own, against the embedded endpoint."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from s3core.testing import Gateway

#: What every script begins with: the gateway's address and keys, and a builder that starts quietly.
PRELUDE = """
import os, sys, urllib.request
from pathlib import Path
import s3core.spark
from pyspark.sql import SparkSession
from s3core.exceptions import ConfigurationError

keys = dict(endpoint=os.environ["GATEWAY"], access_key=os.environ["ACCESS"], secret_key=os.environ["SECRET"])
builder = (
    SparkSession.builder.master("local[2]")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.ui.enabled", False)
    .config("spark.sql.shuffle.partitions", 2)
)

def round_trip(spark):
    spark.range(100).write.mode("overwrite").parquet("s3a://lake/numbers")
    assert spark.read.parquet("s3a://lake/numbers").count() == 100
    # On an executor's side, through the old API too.
    assert spark.sparkContext.textFile("s3a://lake/text").map(len).collect() == [5, 4]

def command_lines():
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes().replace(b"\\0", b" ").decode(errors="replace")
        except OSError:
            pass
"""

Run = Callable[..., str]


@pytest.fixture
def run(gateway: Gateway, tmp_path: Path) -> Run:
    """Runs a script, given as text, and returns what it printed."""
    gateway.store("lake").put("text", b"first\nlast\n")

    def call(code: str, *, command: list[str] | None = None) -> str:
        script = tmp_path / "script.py"
        script.write_text(PRELUDE + textwrap.dedent(code))
        environment = os.environ | {
            "GATEWAY": gateway.endpoint,
            "ACCESS": gateway.access_key,
            "SECRET": gateway.secret_key,
            "PYSPARK_PYTHON": sys.executable,
        }
        ended = subprocess.run(
            [*(command or [sys.executable]), str(script)],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr[-4000:]
        assert gateway.secret_key not in ended.stdout + ended.stderr
        return ended.stdout

    return call


def test_a_configured_session_works_and_keeps_its_secrets(run: Run, tmp_path: Path, gateway: Gateway) -> None:
    (tmp_path / "events").mkdir()
    printed = run(
        f"""
        builder.config("spark.ui.enabled", True).config("spark.ui.port", 0)
        builder.config("spark.eventLog.enabled", True).config("spark.eventLog.dir", "{tmp_path.as_uri()}/events")
        s3core.spark.configure(builder, **keys).config("spark.app.name", "set afterwards")
        spark = builder.getOrCreate()
        round_trip(spark)
        assert spark.sparkContext.appName == "set afterwards"
        lines = [line for line in command_lines() if "fs.s3a.impl" in line]
        assert lines
        print("on the command line:", any(keys["secret_key"] in line for line in lines))
        context = spark.sparkContext
        pages = ["/environment/", f"/api/v1/applications/{{context.applicationId}}/environment"]
        shown = [urllib.request.urlopen(context.uiWebUrl + page).read().decode() for page in pages]
        assert "spark.hadoop.fs.s3a.secret.key" in shown[1]
        print("in SQL's SET:", any(keys["secret_key"] in str(row) for row in spark.sql("SET -v").collect()))
        print("in the UI:", any(keys["secret_key"] in page for page in shown))

        # A task's Python is a fork of a fork.
        store = s3core.Store("s3a://lake", **keys)
        assert store.get("text") == b"first\\nlast\\n"
        in_tasks = spark.sparkContext.parallelize(range(8), 4).map(lambda _: len(store.get("text")))
        assert in_tasks.collect() == [11] * 8
        spark.stop()

        # The JVM runs on: a second session finds the class and needs no new class path.
        again = SparkSession.builder.master("local[1]").config("spark.ui.enabled", False)
        spark = s3core.spark.configure(again, **keys).getOrCreate()
        round_trip(spark)
        spark.stop()

        # A third one reaches the endpoint that it names, not that of the others.
        from s3core.testing import Gateway

        with Gateway(buckets=["lake"]) as other:
            theirs = dict(endpoint=other.endpoint, access_key=other.access_key, secret_key=other.secret_key)
            third = SparkSession.builder.master("local[1]").config("spark.ui.enabled", False)
            spark = s3core.spark.configure(third, **theirs).getOrCreate()
            spark.range(3).write.parquet("s3a://lake/third")
            assert list(s3core.Store("s3a://lake", **theirs).list("third/"))
            assert not list(store.list("third/"))
            spark.stop()
        """
    )
    assert printed.splitlines() == ["on the command line: False", "in SQL's SET: False", "in the UI: False"]
    logs = [path.read_text() for path in (tmp_path / "events").rglob("*") if path.is_file()]
    assert any("SparkListenerEnvironmentUpdate" in log for log in logs)
    assert not any(gateway.secret_key in log for log in logs)


def test_attach_to_a_running_session(run: Run) -> None:
    run(
        """
        spark = builder.getOrCreate()
        try:
            s3core.spark.configure(SparkSession.builder, **keys)
        except ConfigurationError as refusal:
            assert "attach" in str(refusal)
        else:
            sys.exit("configure() must refuse a running session")
        s3core.spark.attach(spark, **keys)
        round_trip(spark)
        s3core.spark.attach(spark, **keys)
        round_trip(spark)
        """
    )


def test_a_second_attach_reaches_its_own_endpoint(run: Run) -> None:
    run(
        """
        from s3core.testing import Gateway

        def file_system(spark):
            path = spark._jvm.org.apache.hadoop.fs.Path("s3a://lake/")
            return path.getFileSystem(spark._jsc.hadoopConfiguration())

        spark = builder.getOrCreate()
        s3core.spark.attach(spark, **keys)
        round_trip(spark)
        first = file_system(spark)
        s3core.spark.attach(spark, **keys)
        assert file_system(spark).equals(first), "nothing has changed"
        with Gateway(buckets=["lake"]) as other:
            theirs = dict(endpoint=other.endpoint, access_key=other.access_key, secret_key=other.secret_key)
            s3core.spark.attach(spark, **theirs)
            spark.range(3).write.parquet("s3a://lake/second")
            assert spark.read.parquet("s3a://lake/second").count() == 3
            assert list(s3core.Store("s3a://lake", **theirs).list("second/"))
            assert not list(s3core.Store("s3a://lake", **keys).list("second/"))
        s3core.spark.attach(spark, **keys)
        assert spark.read.parquet("s3a://lake/numbers").count() == 100
        """
    )


def test_attach_does_not_leave_executors_with_another_endpoint(run: Run) -> None:
    run(
        """
        spark = builder.master("local-cluster[1,1,1024]").config("spark.executor.memory", "512m").getOrCreate()
        s3core.spark.attach(spark, **keys)
        round_trip(spark)
        s3core.spark.attach(spark, **keys)
        try:
            s3core.spark.attach(spark, **keys | dict(endpoint="http://127.0.0.1:1"))
        except ConfigurationError as refusal:
            assert "s3a://lake was opened with other options" in str(refusal), refusal
            assert "start it anew" in str(refusal)
        else:
            sys.exit("the executors go on with the first endpoint")
        round_trip(spark)
        """
    )


def test_attach_explains_a_class_that_was_missed_before(run: Run) -> None:
    run(
        """
        spark = builder.config("spark.hadoop.fs.s3a.impl", "org.s3core.hadoop.S3CoreFileSystem").getOrCreate()
        try:
            spark.read.text("s3a://lake/text").count()
        except Exception as failure:
            assert "S3CoreFileSystem not found" in str(failure)
        else:
            sys.exit("there is no jar yet")
        try:
            s3core.spark.attach(spark, **keys)
        except ConfigurationError as refusal:
            assert "restart the session" in str(refusal)
        else:
            sys.exit("Hadoop remembers the class as missing")
        """
    )


def test_under_spark_submit(run: Run) -> None:
    import pyspark

    submit = str(Path(pyspark.__file__).parent / "bin" / "spark-submit")
    run(
        """
        try:
            s3core.spark.configure(builder, **keys)
        except ConfigurationError as refusal:
            assert "conf --format=submit" in str(refusal)
        else:
            sys.exit("the JVM runs already, without the jar")
        """,
        command=[submit],
    )
    printed = subprocess.run(
        [sys.executable, "-m", "s3core.spark", "conf", "--format=submit"], check=True, capture_output=True, text=True
    )
    run(
        "round_trip(s3core.spark.configure(builder, **keys).getOrCreate())",
        command=[submit, *shlex.split(printed.stdout.replace("\\\n", ""))],
    )
