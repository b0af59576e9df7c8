"""What s3core raises: one base class, and for every kind of failure a class that is also the fitting builtin.

``except FileNotFoundError`` and ``except s3core.exceptions.NotFoundError`` both catch a missing object. The classes
follow the error table of the Rust core; a test compares the two.
"""

from __future__ import annotations

import builtins
import errno

__all__ = [
    "AccessDeniedError",
    "AlreadyExistsError",
    "ChangedError",
    "ClosedError",
    "ConfigurationError",
    "CorruptedError",
    "CredentialsError",
    "DirectoryNotEmptyError",
    "InternalError",
    "InterruptedError",
    "IsADirectoryError",
    "LocalDiskError",
    "NotADirectoryError",
    "NotFoundError",
    "OutOfRangeError",
    "PreconditionFailedError",
    "ProtocolError",
    "QuotaExceededError",
    "RequestError",
    "S3CoreError",
    "ThrottledError",
    "TimedOutError",
    "TrustError",
    "UnavailableError",
    "UnreachableError",
    "UnsupportedError",
]


class S3CoreError(Exception):
    """Base of everything that s3core raises.

    Attributes:
        code: number of the kind, the same in every language and release.
        operation: S3 operation that was under way ("GetObject"), where there was one.
        bucket: bucket that it happened to.
        key: key that it happened to.
        status: HTTP status, where the gateway answered.
        service_code: S3 error code ("NoSuchKey"), where the gateway sent one.
        request_id: the gateway's ``x-amz-request-id``.
    """

    #: What ``errno`` is set to in classes that are an ``OSError``.
    _errno: int | None = None

    def __init__(
        self,
        message: str,
        *,
        code: int = 0,
        operation: str | None = None,
        bucket: str | None = None,
        key: str | None = None,
        status: int | None = None,
        service_code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.operation = operation
        self.bucket = bucket
        self.key = key
        self.status = status
        self.service_code = service_code
        self.request_id = request_id
        if isinstance(self, OSError):
            _fill(self, self._errno, None if bucket is None else f"s3a://{bucket}/{key or ''}")

    def __str__(self) -> str:
        # OSError would print its errno and file name again, which the message names already.
        return str(self.args[0])

    def __reduce__(self) -> tuple[object, ...]:
        names = ("code", "operation", "bucket", "key", "status", "service_code", "request_id")
        return _restore, (type(self), str(self), {name: getattr(self, name) for name in names})


def _fill(error: OSError, number: int | None, filename: str | None) -> None:
    error.errno, error.filename = number, filename


def _restore(kind: type[S3CoreError], message: str, attributes: dict[str, object]) -> S3CoreError:
    """Unpickles an exception: pickle itself cannot pass keyword arguments."""
    return kind(message, **attributes)  # type: ignore[arg-type]


class ConfigurationError(S3CoreError, ValueError):
    """An option, a bucket name or a path is malformed, unknown or contradicts another."""


class CredentialsError(S3CoreError, PermissionError):
    """No keys were found, the gateway does not know them, or the clock is too far off for their signatures."""

    _errno = errno.EACCES


class AccessDeniedError(S3CoreError, PermissionError):
    """The keys are known but may not do this, or their user is suspended."""

    _errno = errno.EACCES


class NotFoundError(S3CoreError, FileNotFoundError):
    """No object, directory, upload or bucket of that name."""

    _errno = errno.ENOENT


class AlreadyExistsError(S3CoreError, FileExistsError):
    """Something of that name exists and was not to be replaced."""

    _errno = errno.EEXIST


class PreconditionFailedError(S3CoreError, OSError):
    """The object is not the one that was named by ETag or time."""

    _errno = errno.EAGAIN


class NotADirectoryError(S3CoreError, builtins.NotADirectoryError):
    """A file stands where a directory is needed."""

    _errno = errno.ENOTDIR


class IsADirectoryError(S3CoreError, builtins.IsADirectoryError):
    """A directory stands where a file is needed."""

    _errno = errno.EISDIR


class DirectoryNotEmptyError(S3CoreError, OSError):
    """A directory with entries was to be removed without its entries."""

    _errno = errno.ENOTEMPTY


class OutOfRangeError(S3CoreError, EOFError):
    """A read beyond the end of the object."""


class ChangedError(S3CoreError, OSError):
    """The object was replaced while it was being read."""

    _errno = errno.ESTALE


class QuotaExceededError(S3CoreError, OSError):
    """The user's or the bucket's quota is full."""

    _errno = errno.EDQUOT


class ThrottledError(S3CoreError, OSError):
    """The gateway asks for fewer requests, or is resharding the bucket."""

    _errno = errno.EBUSY


class UnavailableError(S3CoreError, OSError):
    """The gateway failed inside."""

    _errno = errno.EREMOTEIO


class UnreachableError(S3CoreError, ConnectionError):
    """No connection to the endpoint, or it broke before the answer was complete."""

    _errno = errno.ECONNREFUSED


class TimedOutError(S3CoreError, TimeoutError):
    """The gateway did not answer in time."""

    _errno = errno.ETIMEDOUT


class TrustError(S3CoreError, ConnectionError):
    """The endpoint's certificate is not trusted, or is for another name."""

    _errno = errno.EPROTO


class ProtocolError(S3CoreError, ConnectionError):
    """http was spoken to a TLS port, https to a plain one, or the port is no S3 endpoint."""

    _errno = errno.EPROTO


class CorruptedError(S3CoreError, OSError):
    """Bytes arrived that do not match their length, ETag or checksum."""

    _errno = errno.EIO


class UnsupportedError(S3CoreError, NotImplementedError):
    """The gateway, or S3 as such, cannot do this."""


class RequestError(S3CoreError, OSError):
    """The gateway refused the request."""

    _errno = errno.EIO


class InterruptedError(S3CoreError, builtins.InterruptedError):
    """The caller was interrupted or gave up."""

    _errno = errno.EINTR


class ClosedError(S3CoreError, ValueError):
    """The file or the store was closed."""


class LocalDiskError(S3CoreError, OSError):
    """The buffer directory cannot be written or read."""

    _errno = errno.EIO


class InternalError(S3CoreError, RuntimeError):
    """A defect in s3core: please report it."""
