"""Where the demo runs: an endpoint in this process, or a gateway; and what went over the wire."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from s3core.demo.statistics import Traffic, traffic_of_session
from s3core.exceptions import AlreadyExistsError
from s3core.store import Store
from s3core.testing import Gateway

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["Endpoint", "embedded_endpoint", "remote_endpoint"]


class Endpoint:
    """One bucket somewhere, in it a prefix of this run's own."""

    def __init__(self, options: dict[str, str], bucket: str, gateway: Gateway | None) -> None:
        self.options = options
        self.secret_key = options.get("secret_key") or os.environ.get("AWS_SECRET_ACCESS_KEY")
        self.base = f"s3a://{bucket}/run-{uuid.uuid4().hex[:8]}"
        self.store = Store(self.base, **options)
        self._gateway = gateway
        self._session: SparkSession | None = None
        self._before = Traffic(0, 0)

    @property
    def description(self) -> str:
        """For the table's title."""
        kind = "embedded endpoint" if self._gateway else self.options["endpoint"]
        return f"{kind}, {self.base}"

    def watch(self, session: SparkSession | None) -> None:
        """Counts this session's requests from now on, where the endpoint itself does not count."""
        self._session = session

    def reset(self) -> None:
        """Begins to count anew."""
        self._before = self._count()

    def traffic(self) -> tuple[int, int]:
        """Requests, and bytes of their bodies in both directions, since ``reset``."""
        now = self._count()
        return now.requests - self._before.requests, now.size - self._before.size

    def clear(self) -> None:
        """Removes what this run wrote."""
        for meta in list(self.store.list()):
            self.store.delete(meta.key)

    def _count(self) -> Traffic:
        if self._gateway is not None:
            log = self._gateway.requests()
            return Traffic(len(log), sum(request.received + request.sent for request in log))
        own = Traffic.of(self.store.statistics().values())
        return own if self._session is None else own + traffic_of_session(self._session, self.base)


@contextmanager
def embedded_endpoint(bucket: str) -> Iterator[Endpoint]:
    """An endpoint in this process."""
    with Gateway(buckets=[bucket]) as gateway:
        options = {
            "endpoint": gateway.endpoint,
            "access_key": gateway.access_key,
            "secret_key": gateway.secret_key,
        }
        yield Endpoint(options, bucket, gateway)


@contextmanager
def remote_endpoint(options: dict[str, str], bucket: str) -> Iterator[Endpoint]:
    """A gateway; the bucket is made where it is missing.

    Args:
        options: endpoint and, where they do not come from the environment or a profile, keys.
        bucket: in it the run has a prefix of its own.

    Raises:
        S3CoreError: there is no gateway, or it refuses the keys.
    """
    with suppress(AlreadyExistsError):
        Store(f"s3a://{bucket}", **options).create_bucket()
    yield Endpoint(options, bucket, None)
