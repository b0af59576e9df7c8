"""Spark's event log on s3a: a stream that is flushed after every event and closed when the application ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.endpoint import Bucket, Endpoint
from support.session import spark_session


@pytest.mark.parametrize("rolling", [False, True], ids=["one file", "rolling"])
def test_event_log(tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket, rolling: bool) -> None:
    directory = f"events-{rolling}"
    bucket.write(f"{directory}/", b"")  # Spark wants the directory to exist
    settings = {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": bucket.url(directory),
        "spark.eventLog.rolling.enabled": str(rolling).lower(),
        "spark.eventLog.compress": "false",
    }
    with spark_session(tmp_path, jar, endpoint, settings) as spark:
        application = spark.sparkContext.applicationId
        assert spark.range(1000).selectExpr("sum(id) AS total").collect()[0].total == 499500

    logs = [key for key in bucket.objects(f"{directory}/") if application in key and "appstatus" not in key]
    assert len(logs) == 1
    assert not logs[0].endswith(".inprogress")
    names = [json.loads(line)["Event"] for line in bucket.read(logs[0]).splitlines()]
    assert names[0] == "SparkListenerLogStart"
    assert names[-1] == "SparkListenerApplicationEnd"
    assert "SparkListenerTaskEnd" in names
