"""What Spark sets by itself where the user has set nothing: errors name what the user has, or has not, done."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.endpoint import Bucket, Endpoint
from support.failure import failure_of
from support.session import spark_session


def test_forgotten_endpoint_is_named(tmp_path: Path, jar: Path, endpoint: Endpoint) -> None:
    """Spark up to 3.5 sets Amazon's address by itself where there is none. Nothing leaves this machine: the proxy is not there."""
    nowhere = {"spark.hadoop.fs.s3a.proxy.host": "127.0.0.1", "spark.hadoop.fs.s3a.proxy.port": "1"}
    with spark_session(tmp_path, jar, endpoint, {"spark.hadoop.fs.s3a.endpoint": "", **nowhere}) as spark:
        failure = failure_of(lambda: spark.read.parquet("s3a://lake/table"))
    assert "no fs.s3a.endpoint was set, so Amazon S3 was assumed (https://s3.us-east-1.amazonaws.com)" in failure.text


def test_wrong_key_of_the_environment_is_looked_for_there(
    tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spark copies such keys into Hadoop's options, where nobody would look for them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", endpoint.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    without_keys = {"spark.hadoop.fs.s3a.access.key": "", "spark.hadoop.fs.s3a.secret.key": ""}
    with spark_session(tmp_path, jar, endpoint, without_keys) as spark:
        failure = failure_of(lambda: spark.read.parquet(bucket.url("table")))
    assert "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment of" in failure.text
