"""What Spark sets by itself where the user has set nothing: errors name what the user has, or has not, done."""

from __future__ import annotations

from pathlib import Path

from support.endpoint import Endpoint
from support.failure import failure_of
from support.session import spark_session


def test_forgotten_endpoint_is_named(tmp_path: Path, jar: Path, endpoint: Endpoint) -> None:
    """Spark up to 3.5 sets Amazon's address by itself where there is none. Nothing leaves this machine: the proxy is not there."""
    nowhere = {"spark.hadoop.fs.s3a.proxy.host": "127.0.0.1", "spark.hadoop.fs.s3a.proxy.port": "1"}
    with spark_session(tmp_path, jar, endpoint, {"spark.hadoop.fs.s3a.endpoint": "", **nowhere}) as spark:
        failure = failure_of(lambda: spark.read.parquet("s3a://lake/table"))
    assert "no fs.s3a.endpoint was set, so Amazon S3 was assumed (https://s3.us-east-1.amazonaws.com)" in failure.text
