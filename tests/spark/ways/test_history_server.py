"""The History Server on event logs that lie on s3a: of applications that have ended, and of one that runs."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.daemon import daemon, wait_for_line
from support.driver import Driver
from support.endpoint import Bucket, Endpoint
from support.installation import install_spark, spark_settings
from support.session import spark_session

# A log is rolled at 10 MiB at the earliest. Descriptions of a MiB are written with each job and each of its stages.
ROLLS = """
for number in range(8):
    spark.sparkContext.setJobDescription(str(number) + "x" * (1 << 20))
    spark.range(10).count()
"""
WAITS = """
import time
while not Path({mark!r}).exists():
    time.sleep(0.1)
"""


@dataclass(frozen=True)
class HistoryServer:
    """One that runs, asked by its REST interface, and what applications need to be seen by it."""

    url: str
    jar: Path
    endpoint: Endpoint
    directory: str

    def event_log(self, rolling: bool) -> dict[str, str]:
        return {
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": self.directory,
            "spark.eventLog.rolling.enabled": str(rolling).lower(),
            "spark.eventLog.rolling.maxFileSize": "10m",
            "spark.eventLog.compress": "false",
        }

    def application(self, identity: str) -> dict[str, Any]:
        """The application, as soon as the server has found it."""
        deadline = time.monotonic() + 60
        while not (found := [each for each in self._get("applications") if each["id"] == identity]):
            assert time.monotonic() < deadline, f"the History Server does not find {identity}"
            time.sleep(0.5)
        application: dict[str, Any] = found[0]
        return application

    def jobs(self, identity: str) -> Any:
        return self._get(f"applications/{identity}/jobs")

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}", timeout=30) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, jar: Path, endpoint: Endpoint, bucket: Bucket) -> Iterator[HistoryServer]:
    directory = tmp_path_factory.mktemp("history")
    bucket.write("events/", b"")  # Spark wants the directory to exist
    settings = {
        "spark.history.fs.logDirectory": bucket.url("events"),
        "spark.history.fs.update.interval": "1s",
        "spark.history.ui.port": "0",
    }
    spark = install_spark(directory / "home", [jar], spark_settings(endpoint.hadoop_settings()) | settings)
    log = directory / "server.log"
    with daemon(spark.home, log, "org.apache.spark.deploy.history.HistoryServer"):
        port = wait_for_line(log, r"Bound HistoryServer to \S+, and started at http://\S+:(\d+)")
        yield HistoryServer(f"http://127.0.0.1:{port}", jar, endpoint, bucket.url("events"))


@pytest.mark.parametrize("rolling", [False, True], ids=["one file", "rolling"])
def test_application_that_has_ended(tmp_path: Path, server: HistoryServer, rolling: bool) -> None:
    with spark_session(tmp_path, server.jar, server.endpoint, server.event_log(rolling)) as spark:
        identity = spark.sparkContext.applicationId
        assert spark.range(1000).count() == 1000
    assert server.application(identity)["attempts"][0]["completed"]
    assert {job["status"] for job in server.jobs(identity)} == {"SUCCEEDED"}


def test_application_that_runs(tmp_path: Path, server: HistoryServer) -> None:
    """Of a rolling log, what is full is an object; the newest file, like a log in one file, is one when it is closed."""
    mark, name = tmp_path / "end", tmp_path / "identity"
    body = f"Path({str(name)!r}).write_text(spark.sparkContext.applicationId)\n" + ROLLS + WAITS.format(mark=str(mark))
    driver = Driver(tmp_path / "driver", server.jar, server.endpoint, body, server.event_log(rolling=True))
    try:
        deadline = time.monotonic() + 90
        while not name.exists():
            assert time.monotonic() < deadline, "the driver does not start"
            time.sleep(0.1)
        identity = name.read_text()
        assert not server.application(identity)["attempts"][0]["completed"]
        assert {job["status"] for job in server.jobs(identity)} >= {"SUCCEEDED"}
        mark.touch()
        driver.wait(60)
    finally:
        if driver.is_running():
            driver.kill()
    deadline = time.monotonic() + 60
    while not server.application(identity)["attempts"][0]["completed"]:
        assert time.monotonic() < deadline, "the History Server does not see that it has ended"
        time.sleep(0.5)
    assert {job["description"][0] for job in server.jobs(identity)} == set("01234567")
