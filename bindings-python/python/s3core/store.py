"""Objects of one bucket, by key."""

from __future__ import annotations

import builtins
import errno
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from s3core import _s3core
from s3core.exceptions import ConfigurationError, S3CoreError

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Explained", "ObjectMeta", "OperationCounts", "Readable", "Store"]

#: Data that is not ``bytes`` already is copied in pieces of this size.
_PIECE = 4 * 2**20

#: Up to here an object is written in one request. Two of Radosgw's 4 MiB RADOS objects.
_ONE_REQUEST = 8 * 2**20


@dataclass(frozen=True, slots=True)
class ObjectMeta:
    """An object's properties.

    Attributes:
        key: relative to the store's prefix.
        size: in bytes.
        etag: without quotes.
        last_modified: aware, in UTC.
        storage_class: ``None`` where the gateway leaves it out, which means STANDARD.
        content_type: known to ``head`` only.
    """

    key: str
    size: int
    etag: str | None
    last_modified: datetime | None
    storage_class: str | None
    content_type: str | None = None


class Explained(NamedTuple):
    """One option, its value (secrets masked) and where it came from ("AWS_REGION", "default")."""

    option: str
    value: str
    origin: str


class OperationCounts(NamedTuple):
    """What one S3 operation has cost: repeated requests count as requests too, bytes are those of bodies."""

    requests: int
    retries: int
    failures: int
    bytes_sent: int
    bytes_received: int


@runtime_checkable
class Readable(Protocol):
    """A binary file object; ``None`` comes out of one in non-blocking mode that has nothing yet."""

    def read(self, size: int, /) -> bytes | None: ...


class Store:
    """One bucket, or the part of it below a prefix.

    Cheap to make, safe to share between threads, to pickle and to use after a fork; equal stores of a process share
    their connections. A pickle holds the keys that were given: treat it as a secret. Whatever waits for the gateway
    lets other threads run and can be interrupted by Ctrl-C.

    Every method raises subclasses of ``s3core.exceptions.S3CoreError``, which are also the fitting builtins: a missing
    object is a ``FileNotFoundError``, refused keys are a ``PermissionError``.
    """

    __slots__ = ("_bucket", "_given", "_inner", "_prefix")

    def __init__(
        self,
        url: str,
        *,
        endpoint: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
        region: str | None = None,
        **options: str | int | bool | None,
    ) -> None:
        """Nothing is sent.

        Args:
            url: ``s3a://bucket`` or ``s3a://bucket/prefix``; ``s3://`` means the same.
            endpoint: ``http://host:port``; without it ``AWS_ENDPOINT_URL``, the profile, then Amazon's.
            access_key: without keys: environment, then profile.
            secret_key: see ``access_key``.
            region: region that signatures name; Radosgw takes any.
            options: every other option by its keyword, ``multipart_size="64M"``; ``explain()`` shows them all.

        Raises:
            ConfigurationError: an option is unknown (the near match is named) or malformed.
            CredentialsError: no keys were found.
        """
        given = dict(endpoint=endpoint, access_key=access_key, secret_key=secret_key, region=region, **options)
        self._given = {name: value for name, value in given.items() if value is not None}
        self._bucket, self._prefix = _split(url)
        self._inner = _s3core.Store(self._bucket, [(name, _text(value)) for name, value in self._given.items()])

    @property
    def url(self) -> str:
        """``s3a://bucket/prefix``."""
        return f"s3a://{self._bucket}/{self._prefix}".rstrip("/")

    def get(self, key: str) -> bytes:
        """The whole object; large ones are read by several requests side by side."""
        return self._inner.get(self._prefix + key)

    def get_range(self, key: str, start: int, *, end: int | None = None, length: int | None = None) -> bytes:
        """A part of an object, shorter where the object ends before it does.

        Args:
            key: of the object.
            start: offset of the first byte.
            end: offset behind the last byte; or give ``length``; without both the rest of the object.
            length: number of bytes.

        Raises:
            OutOfRangeError: ``start`` lies behind the last byte.
            ValueError: a range that no object can have.
        """
        if end is not None and length is not None:
            raise ValueError("give end or length, not both")
        if end is not None:
            length = end - start
        if start < 0 or (length is not None and length < 0):
            raise ValueError(f"no range of an object begins at {start} and has {length} bytes")
        if length == 0:
            return b""
        return self._inner.get(self._prefix + key, start, length)

    def put(self, key: str, data: Buffer | Readable | Iterable[Buffer], *, content_type: str | None = None) -> None:
        """Writes an object, which becomes visible as a whole or, when this raises, not at all.

        Args:
            key: of the object; an existing one is replaced.
            data: bytes or any other buffer, a binary file object that is read to its end, or buffers one by one.
            content_type: kept with the object.

        Raises:
            BlockingIOError: a file object in non-blocking mode had nothing to read before its end.
        """
        key = self._prefix + key
        if isinstance(data, bytes) and len(data) <= _ONE_REQUEST:
            self._inner.put(key, data, content_type)
            return
        pieces = _pieces(data)
        begin: list[bytes] = []
        size = 0
        for piece in pieces:
            begin.append(piece)
            size += len(piece)
            if size > _ONE_REQUEST:
                break
        else:
            self._inner.put(key, b"".join(begin), content_type)
            return
        writer = self._inner.writer(key, content_type)
        try:
            for piece in begin:
                writer.write(piece)
            for piece in pieces:
                writer.write(piece)
            writer.close()
        except BaseException:
            # The first failure is the one to tell; what cannot be removed stays invisible.
            with suppress(S3CoreError):
                writer.abort()
            raise

    def head(self, key: str) -> ObjectMeta:
        """An object's properties."""
        return self._meta(self._inner.head(self._prefix + key))

    def list(self, prefix: str = "") -> Iterator[ObjectMeta]:
        """The objects whose keys begin with ``prefix``, in the order of keys, page by page as they are needed."""
        pages = self._inner.list(self._prefix + prefix)
        while (page := pages.next_page()) is not None:
            yield from map(self._meta, page)

    def delete(self, key: str) -> None:
        """Removes an object; that there is none is no error."""
        self._inner.delete(self._prefix + key)

    def create_bucket(self) -> None:
        """Makes the bucket.

        Raises:
            AlreadyExistsError: it is somebody else's; on some gateways also for an own one.
        """
        self._inner.create_bucket()

    def explain(self) -> builtins.list[Explained]:
        """Every option with its value and where that came from; secrets are masked."""
        return [Explained(*row) for row in self._inner.explain()]

    def statistics(self) -> dict[str, OperationCounts]:
        """Counts by S3 operation, of all equal stores of this process together."""
        return {name: OperationCounts(*counts) for name, counts in self._inner.statistics()}

    def _meta(self, row: tuple[str, int, str | None, float | None, str | None, str | None]) -> ObjectMeta:
        key, size, etag, modified, storage_class, content_type = row
        last_modified = None if modified is None else datetime.fromtimestamp(modified, UTC)
        return ObjectMeta(key.removeprefix(self._prefix), size, etag, last_modified, storage_class, content_type)

    def __repr__(self) -> str:
        return f"Store({self.url!r}, endpoint={self._inner.endpoint!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Store) and (self.url, self._given) == (other.url, other._given)

    def __hash__(self) -> int:
        return hash(self.url)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.url, self._given)


def _rebuild(url: str, given: dict[str, str | int | bool]) -> Store:
    return Store(url, **given)  # type: ignore[arg-type]


def _split(url: str) -> tuple[str, str]:
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("s3a", "s3"):
        raise ConfigurationError(f"{url!r} is no place for objects: write s3a://BUCKET or s3a://BUCKET/PREFIX")
    bucket, _, prefix = rest.partition("/")
    prefix = prefix.strip("/")
    return bucket, f"{prefix}/" if prefix else ""


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _pieces(data: Buffer | Readable | Iterable[Buffer]) -> Iterator[bytes]:
    """``data`` as ``bytes`` of at most ``_PIECE``: what is immutable can be read without the interpreter lock."""
    if isinstance(data, str):
        raise TypeError("an object holds bytes: encode the text")
    if isinstance(data, Readable):
        while piece := data.read(_PIECE):
            yield piece
        if piece is None:
            # Not the end: what has come so far is only a part of the object.
            raise BlockingIOError(
                errno.EAGAIN, "the source is in non-blocking mode and has nothing to read yet: put it in blocking mode"
            )
        return
    try:
        view = memoryview(data)  # type: ignore[arg-type]
    except TypeError:
        for buffer in data:  # type: ignore[union-attr]
            yield from _pieces(buffer)
        return
    with view, view.cast("B") as flat:
        for start in range(0, len(flat), _PIECE):
            yield bytes(flat[start : start + _PIECE])
