"""Objects by key, against the embedded endpoint."""

from __future__ import annotations

import array
import io
import os
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import s3core
from s3core.exceptions import (
    ChangedError,
    ConfigurationError,
    CredentialsError,
    NotFoundError,
    OutOfRangeError,
    ProtocolError,
    UnreachableError,
)
from s3core.testing import Gateway

LARGE = 21 * 2**20 + 7


def test_what_was_put_is_got(store: s3core.Store) -> None:
    store.put("a/b", b"hello")
    assert store.get("a/b") == b"hello"


@pytest.mark.parametrize("size", [0, 1, 8 * 2**20, 8 * 2**20 + 1, LARGE])
def test_objects_of_every_size(store: s3core.Store, size: int) -> None:
    data = os.urandom(size)
    store.put("x", data)
    assert store.get("x") == data


def test_large_objects_are_written_in_parts_and_read_in_ranges(gateway: Gateway, store: s3core.Store) -> None:
    data = os.urandom(LARGE)
    small_parts = gateway.store("lake", multipart_size="8M")
    small_parts.put("x", data)
    assert gateway.request_counts()["UploadPart"] == 3
    gateway.reset_requests()
    assert store.get("x") == data
    assert gateway.request_counts() == {"GetObject": 3}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("bytearray", bytearray(b"abcdef")),
        ("memoryview", memoryview(b"abcdef")),
        ("array", array.array("H", [25185, 25699, 26213])),
        ("file", io.BytesIO(b"abcdef")),
        ("iterator", iter([b"ab", bytearray(b"cd"), b"", b"ef"])),
    ],
)
def test_data_comes_in_many_forms(store: s3core.Store, name: str, data: object) -> None:
    store.put(name, data)  # type: ignore[arg-type]
    assert store.get(name) == b"abcdef"


def test_large_file_objects_are_streamed(store: s3core.Store) -> None:
    data = os.urandom(LARGE)
    store.put("x", io.BytesIO(data))
    assert store.get("x") == data


@pytest.mark.parametrize("size", [5, LARGE])
def test_a_source_that_does_not_block_is_refused(store: s3core.Store, size: int) -> None:
    class NonBlocking(io.RawIOBase):
        left = size

        def readinto(self, buffer: bytearray) -> int | None:  # type: ignore[override]
            count = min(len(buffer), self.left)
            self.left -= count
            return count or None

    with pytest.raises(BlockingIOError, match="non-blocking mode"):
        store.put("x", NonBlocking())
    assert list(store.list()) == []


def test_text_is_refused(store: s3core.Store) -> None:
    with pytest.raises(TypeError, match="encode the text"):
        store.put("x", "text")  # type: ignore[arg-type]


def test_an_iterator_that_fails_leaves_nothing(store: s3core.Store) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(4):
            yield bytes(4 * 2**20)
        raise RuntimeError("the source is gone")

    with pytest.raises(RuntimeError, match="the source is gone"):
        store.put("x", pieces())
    assert list(store.list()) == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"start": 0, "end": 3}, b"abc"),
        ({"start": 2, "length": 3}, b"cde"),
        ({"start": 4}, b"ef"),
        ({"start": 4, "end": 100}, b"ef"),
        ({"start": 2, "end": 2}, b""),
    ],
)
def test_ranges(store: s3core.Store, arguments: dict[str, int], expected: bytes) -> None:
    store.put("x", b"abcdef")
    assert store.get_range("x", **arguments) == expected


def test_large_ranges(store: s3core.Store) -> None:
    data = os.urandom(LARGE)
    store.put("x", data)
    assert store.get_range("x", 5, end=LARGE - 3) == data[5:-3]


def test_a_range_behind_the_end(store: s3core.Store) -> None:
    store.put("x", b"abc")
    with pytest.raises(OutOfRangeError):
        store.get_range("x", 3, length=1)


@pytest.mark.parametrize("arguments", [{"start": -1}, {"start": 3, "end": 2}, {"start": 0, "end": 1, "length": 1}])
def test_impossible_ranges(store: s3core.Store, arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"range|end or length"):
        store.get_range("x", **arguments)


def test_head(store: s3core.Store) -> None:
    store.put("x", b"abc", content_type="text/plain")
    meta = store.head("x")
    assert (meta.key, meta.size, meta.content_type) == ("x", 3, "text/plain")
    assert meta.etag == "900150983cd24fb0d6963f7d28e17f72"
    assert meta.last_modified is not None
    assert abs(datetime.now(UTC) - meta.last_modified) < timedelta(minutes=1)


def test_list_goes_over_pages(gateway: Gateway) -> None:
    store = gateway.store("lake", paging_maximum=10)
    for number in range(25):
        store.put(f"a/{number:02}", b"x")
    store.put("b", b"")
    gateway.reset_requests()
    assert [meta.key for meta in store.list("a/")] == [f"a/{number:02}" for number in range(25)]
    assert gateway.request_counts() == {"ListObjectsV2": 3}
    assert [meta.key for meta in store.list("a/1")] == [f"a/{number}" for number in range(10, 20)]


def test_a_prefix_is_not_part_of_the_keys(gateway: Gateway) -> None:
    raw = gateway.store("lake/raw")
    raw.put("x", b"1")
    gateway.store("lake").put("rawer", b"2")
    assert [meta.key for meta in raw.list()] == ["x"]
    assert raw.head("x").key == "x"
    assert gateway.store("lake").get("raw/x") == b"1"


@pytest.mark.parametrize("key", ["ä/ö ü+%&?#", "a//b", "directory/", "a=1/b:2"])
def test_unusual_keys(store: s3core.Store, key: str) -> None:
    store.put(key, b"x")
    assert store.get(key) == b"x"
    assert [meta.key for meta in store.list()] == [key]


def test_delete(store: s3core.Store) -> None:
    store.put("x", b"")
    store.delete("x")
    store.delete("x")
    assert list(store.list()) == []


def test_create_bucket(gateway: Gateway) -> None:
    store = gateway.store("new-bucket")
    with pytest.raises(NotFoundError):
        store.put("x", b"")
    store.create_bucket()
    store.put("x", b"")


def test_errors_say_what_happened_to_what(store: s3core.Store) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        store.get("no/such")
    error = caught.value
    assert isinstance(error, NotFoundError)
    assert (error.code, error.operation, error.bucket, error.key) == (10, "GetObject", "lake", "no/such")
    assert (error.status, error.service_code) == (404, "NoSuchKey")
    assert error.request_id
    assert "s3a://lake/no/such" in str(error)


def test_an_object_that_changes_while_it_is_read(gateway: Gateway, store: s3core.Store) -> None:
    store.put("x", os.urandom(LARGE))
    gateway.inject("stall", operation="GetObject", delay=0.5, nth=2)

    def replaced() -> None:
        from threading import Timer

        Timer(0.2, store.put, ("x", b"short")).start()

    replaced()
    with pytest.raises((ChangedError, OutOfRangeError)):
        store.get("x")


def test_wrong_keys(gateway: Gateway) -> None:
    for keys in (("nobody", "x"), (gateway.access_key, "wrong")):
        store = s3core.Store("s3a://lake", endpoint=gateway.endpoint, access_key=keys[0], secret_key=keys[1])
        with pytest.raises(CredentialsError):
            store.get("x")


def test_no_keys() -> None:
    with pytest.raises(CredentialsError, match="AWS_ACCESS_KEY_ID"):
        s3core.Store("s3a://lake", endpoint="http://127.0.0.1:1")


def test_an_endpoint_that_is_not_there() -> None:
    store = s3core.Store(
        "s3a://lake", endpoint="http://127.0.0.1:1", access_key="a", secret_key="b", retry_first_contact="1s"
    )
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1"):
        store.get("x")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"endpont": "http://x"}, "did you mean endpoint"),
        ({"multipart_sise": "8M"}, "did you mean multipart_size"),
        ({"multipart_size": "big"}, "multipart"),
        ({"access_key": "a"}, "secret"),
        ({"endpoint": "http://x/path"}, "path"),
    ],
)
def test_bad_options(options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        s3core.Store("s3a://lake", **options)


def test_bucket_names_that_are_no_host_names(gateway: Gateway) -> None:
    keys = {"access_key": "a", "secret_key": "b"}
    assert s3core.Store("s3a://my_bucket", endpoint=gateway.endpoint, **keys).url == "s3a://my_bucket"
    with pytest.raises(ConfigurationError, match=r"path\.style"):
        s3core.Store("s3a://my_bucket", endpoint="https://s3.eu-west-1.amazonaws.com", **keys)


def test_a_gateway_without_tls_is_told_from_one_with(gateway: Gateway) -> None:
    endpoint = gateway.endpoint.replace("http:", "https:")
    store = s3core.Store("s3a://lake", endpoint=endpoint, access_key="a", secret_key="b")
    with pytest.raises(ProtocolError, match="https"):
        store.get("x")


@pytest.mark.parametrize("url", ["lake", "http://lake", "s3a://", "s3a://a b"])
def test_bad_urls(url: str) -> None:
    with pytest.raises(ConfigurationError):
        s3core.Store(url, access_key="a", secret_key="b", endpoint="http://127.0.0.1:1")


def test_secrets_are_shown_nowhere(gateway: Gateway, store: s3core.Store) -> None:
    assert gateway.secret_key not in repr(store)
    assert gateway.secret_key not in repr(store.explain())
    assert repr(store) == f"Store('s3a://lake', endpoint='{gateway.endpoint}')"


def test_explain_names_the_origin(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    rows = {row.option: (row.value, row.origin) for row in gateway.store("lake").explain()}
    assert rows["region"] == ("eu-west-1", "AWS_REGION")
    assert rows["endpoint"] == (gateway.endpoint, "argument endpoint")
    assert rows["secret_key"][0] == "***"


def test_statistics(gateway: Gateway) -> None:
    store = gateway.store("lake")
    store.put("x", b"abc")
    gateway.inject("internal_error", operation="GetObject", times=1)
    store.get("x")
    counts = store.statistics()
    assert counts["PutObject"] == (1, 0, 0, 3, 0)
    assert counts["GetObject"][:3] == (2, 1, 0)


def test_stores_are_pickled(store: s3core.Store) -> None:
    store.put("x", b"abc")
    copy = pickle.loads(pickle.dumps(store))
    assert copy == store
    assert hash(copy) == hash(store)
    assert copy.get("x") == b"abc"
