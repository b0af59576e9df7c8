"""The classes against the error table of the core."""

from __future__ import annotations

import builtins
import pickle

import pytest
from s3core import _s3core, exceptions
from s3core.exceptions import NotFoundError, S3CoreError

ROWS = _s3core.error_table()
CLASSES = {name: getattr(exceptions, name) for name in exceptions.__all__ if name != "S3CoreError"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_kind_has_a_class(row: tuple[str, int, str, int, str]) -> None:
    assert issubclass(CLASSES[row[2]], S3CoreError)


def test_every_class_has_a_kind() -> None:
    assert set(CLASSES) == {row[2] for row in ROWS}


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_is_a_builtin_too(name: str) -> None:
    bases = [base for base in CLASSES[name].__mro__ if base.__module__ == "builtins"]
    assert bases[0] is not Exception
    same_name = getattr(builtins, name, None)
    assert same_name is None or issubclass(CLASSES[name], same_name)


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("NotFoundError", FileNotFoundError),
        ("AlreadyExistsError", FileExistsError),
        ("AccessDeniedError", PermissionError),
        ("CredentialsError", PermissionError),
        ("TimedOutError", TimeoutError),
        ("UnreachableError", ConnectionError),
        ("TrustError", ConnectionError),
        ("ProtocolError", ConnectionError),
        ("ConfigurationError", ValueError),
        ("ClosedError", ValueError),
        ("OutOfRangeError", EOFError),
        ("UnsupportedError", NotImplementedError),
        ("InternalError", RuntimeError),
    ],
)
def test_builtins_that_callers_catch(name: str, builtin: type[Exception]) -> None:
    assert issubclass(CLASSES[name], builtin)


@pytest.mark.parametrize("name", CLASSES)
def test_exceptions_survive_pickling(name: str) -> None:
    error = CLASSES[name]("s3a://lake/a: gone", code=7, operation="GetObject", bucket="lake", key="a", status=404)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), copy.code, copy.operation, copy.status) == ("s3a://lake/a: gone", 7, "GetObject", 404)


def test_os_errors_carry_number_and_place() -> None:
    error = NotFoundError("message", bucket="lake", key="a/b")
    assert (error.errno, error.filename, str(error)) == (2, "s3a://lake/a/b", "message")
