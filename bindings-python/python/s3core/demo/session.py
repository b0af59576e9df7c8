"""The Spark session of the demo: nothing is set but what a user sets, and the event log goes to s3a as well."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from s3core.demo.endpoint import Endpoint
from s3core.spark import configure

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_event_log", "start_session"]

_EVENTS = "events/"


def start_session(endpoint: Endpoint, cores: int) -> SparkSession:
    """Starts a local session."""
    # Spark wants the event log's directory to exist.
    endpoint.store.put(_EVENTS, b"")
    builder = (
        SparkSession.builder.master(f"local[{cores}]")
        .appName("s3core demo")
        .config("spark.ui.enabled", False)
        .config("spark.ui.showConsoleProgress", False)
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", 4)
        .config("spark.eventLog.enabled", True)
        .config("spark.eventLog.dir", f"{endpoint.base}/{_EVENTS}")
        .config("spark.eventLog.compress", False)
    )
    session = configure(builder, **endpoint.options).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def check_event_log(endpoint: Endpoint) -> tuple[int, list[str]]:
    """Reads the event log of the ended application: it must be whole, readable and free of the secret key."""
    keys = [meta.key for meta in endpoint.store.list(_EVENTS) if meta.size > 0]
    lines = [line for key in keys for line in endpoint.store.get(key).splitlines() if line]
    events = {json.loads(line)["Event"] for line in lines}
    differences = [
        f"the event log has no {event}"
        for event in ("SparkListenerApplicationStart", "SparkListenerTaskEnd", "SparkListenerApplicationEnd")
        if event not in events
    ]
    differences += [f"{key} is left unfinished" for key in keys if key.endswith(".inprogress")]
    differences += ["a line of the event log holds the secret key"] * any(_leaks(lines, endpoint))
    return len(lines), differences


def _leaks(lines: list[bytes], endpoint: Endpoint) -> Iterator[bool]:
    secret = endpoint.secret_key
    return (secret is not None and secret.encode() in line for line in lines)
