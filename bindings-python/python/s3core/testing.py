"""An S3 endpoint for tests: starts in milliseconds, needs no installation, checks signatures.

::

    with s3core.testing.Gateway(buckets=["lake"]) as gateway:
        store = gateway.store("lake")
        store.put("a", b"1")
        assert gateway.request_counts() == {"PutObject": 1}
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType
from typing import Literal, NamedTuple, Self

from s3core import _s3core
from s3core.store import Store

__all__ = ["FaultKind", "Gateway", "Request"]

#: What ``Gateway.inject`` can do to a request.
FaultKind = Literal["slow_down", "internal_error", "reset", "lose_reply", "stall", "cut_body", "corrupt_body"]


class Request(NamedTuple):
    """One request as the gateway saw it; ``received`` and ``sent`` are bytes of the bodies."""

    operation: str
    method: str
    bucket: str
    key: str
    status: int
    received: int
    sent: int


class Gateway:
    """An S3 endpoint on 127.0.0.1, in this process, from entering ``with`` to leaving it.

    Attributes:
        endpoint: ``http://127.0.0.1:port``.
        access_key: the one that is accepted.
        secret_key: belongs to it.
    """

    def __init__(
        self,
        *,
        buckets: Sequence[str] = (),
        directory: str | os.PathLike[str] | None = None,
        port: int = 0,
        access_key: str | None = None,
        secret_key: str | None = None,
        quirks: Literal["aws", "pacific", "reef", "tentacle"] = "aws",
        delay: float = 0.0,
        bandwidth: int | None = None,
        nagle: bool = False,
    ) -> None:
        """Starts it; ``close`` or the end of ``with`` stops it.

        Args:
            buckets: to make at the start.
            directory: where objects are kept and survive a restart; without it in memory.
            port: 0 takes a free one.
            access_key: random without it; give both keys or none.
            secret_key: belongs to ``access_key``.
            quirks: behave like AWS or like Radosgw of this Ceph release.
            delay: seconds that each request waits.
            bandwidth: bytes per second of all bodies together, in each direction.
            nagle: answer as a Radosgw with default options does, without TCP_NODELAY.

        Raises:
            OSError: the port or the directory cannot be had.
            ValueError: half a pair of keys.
        """
        if (access_key is None) != (secret_key is None):
            raise ValueError("give access_key and secret_key, or neither")
        self._running = _s3core.Gateway(
            directory=None if directory is None else os.fspath(directory),
            port=port,
            keys=None if access_key is None or secret_key is None else (access_key, secret_key),
            buckets=buckets,
            quirks=quirks,
            delay=timedelta(seconds=delay),
            bandwidth=bandwidth,
            nagle=nagle,
        )
        self.endpoint = self._running.endpoint
        self.access_key = self._running.access_key
        self.secret_key = self._running.secret_key

    def store(self, path: str, **options: str | int | bool | None) -> Store:
        """A store for ``bucket`` or ``bucket/prefix`` of this gateway."""
        return Store(
            f"s3a://{path}",
            endpoint=self.endpoint,
            access_key=self.access_key,
            secret_key=self.secret_key,
            **options,  # type: ignore[arg-type]
        )

    def requests(self) -> list[Request]:
        """The last 100,000 requests, in the order of arrival."""
        return [Request(*record) for record in self._running.requests()]

    def request_counts(self) -> dict[str, int]:
        """How often each S3 operation was asked for."""
        return self._running.request_counts()

    def reset_requests(self) -> None:
        """Empties the log and sets all counts to zero."""
        self._running.reset_requests()

    def inject(
        self,
        kind: FaultKind,
        *,
        operation: str | None = None,
        key_prefix: str | None = None,
        at: int = 0,
        delay: float = 0.0,
        nth: int | None = None,
        times: int | None = None,
    ) -> None:
        """Lets requests fail.

        Args:
            kind: what happens to them.
            operation: only to this S3 operation ("UploadPart").
            key_prefix: only where the key begins so.
            at: for bodies: the offset of the byte that is cut at or corrupted.
            delay: for "stall": seconds.
            nth: only the request of this number, from 1, among those.
            times: at most so often.
        """
        self._running.inject(
            kind,
            operation=operation,
            key_prefix=key_prefix,
            at=at,
            delay=timedelta(seconds=delay),
            nth=nth,
            times=times,
        )

    def clear_faults(self) -> None:
        """Disarms all faults."""
        self._running.clear_faults()

    def close(self) -> None:
        """Closes all connections and frees the port; a second call does nothing."""
        self._running.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
