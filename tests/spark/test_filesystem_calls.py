"""Hadoop's FileSystem calls with nothing set but fs.s3a.impl, endpoint and keys."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.endpoint import FILE_SYSTEM_CLASS, Bucket, Endpoint
from support.failure import failure_of
from support.jvm import Jvm, start_jvm


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory, jar: Path) -> Iterator[Jvm]:
    with start_jvm(tmp_path_factory.mktemp("jvm"), [jar]) as running:
        yield running


@pytest.fixture(scope="module")
def file_system(java: Jvm, endpoint: Endpoint, bucket: Bucket) -> Any:
    return java.file_system(bucket.url(""), endpoint.hadoop_settings())


def test_the_class_is_ours(file_system: Any) -> None:
    assert file_system.getClass().getName().startswith(FILE_SYSTEM_CLASS)
    assert file_system.getScheme() == "s3a"


def test_mkdirs_makes_every_parent(java: Jvm, file_system: Any, bucket: Bucket) -> None:
    assert file_system.mkdirs(java.path(bucket.url("a/b/c")))
    for directory in ("a", "a/b", "a/b/c"):
        assert file_system.getFileStatus(java.path(bucket.url(directory))).isDirectory()
    assert list(file_system.listStatus(java.path(bucket.url("a/b/c")))) == []


def test_create_is_seen_by_another_client(java: Jvm, file_system: Any, bucket: Bucket) -> None:
    java.write(file_system, bucket.url("created/file"), b"hello")
    assert bucket.read("created/file") == b"hello"
    status = file_system.getFileStatus(java.path(bucket.url("created/file")))
    assert (status.isFile(), status.getLen()) == (True, 5)


def test_read_gives_what_another_client_wrote(java: Jvm, file_system: Any, bucket: Bucket) -> None:
    body = bytes(range(256)) * 4096
    bucket.write("read/file", body)
    assert java.read(file_system, bucket.url("read/file")) == body


def test_a_file_of_several_parts(java: Jvm, endpoint: Endpoint, bucket: Bucket) -> None:
    settings = endpoint.hadoop_settings() | {"fs.s3a.multipart.size": "5M"}
    file_system = java.file_system(bucket.url(""), settings)
    block = bytes(range(251)) * 16711  # 4 MiB and a bit, of a length that fits no part
    stream = file_system.create(java.path(bucket.url("parts/file")))
    for _ in range(5):
        stream.write(block)
    stream.close()
    assert bucket.read("parts/file") == block * 5
    assert java.read(file_system, bucket.url("parts/file")) == block * 5
    assert bucket.uploads("parts/") == []


def test_the_first_write_removes_old_uploads(java: Jvm, endpoint: Endpoint, bucket: Bucket) -> None:
    bucket.client.create_multipart_upload(Bucket=bucket.name, Key="left/by a killed job")
    time.sleep(2)
    settings = endpoint.hadoop_settings() | {"fs.s3a.multipart.purge": "true", "fs.s3a.multipart.purge.age": "1s"}
    for purges in ("false", "true"):
        file_system = java.file_system(bucket.url(""), settings | {f"fs.s3a.bucket.{bucket.name}.multipart.purge": purges})
        assert bucket.uploads("left/") == ["left/by a killed job"], "nothing is removed before something is written"
        java.write(file_system, bucket.url(f"purged/{purges}"), b"x")
        assert bool(bucket.uploads("left/")) == (purges == "false")


def test_rename_moves_a_directory(java: Jvm, file_system: Any, bucket: Bucket) -> None:
    for name in ("one", "deep/two"):
        java.write(file_system, bucket.url(f"from/{name}"), name.encode())
    assert file_system.rename(java.path(bucket.url("from")), java.path(bucket.url("to")))
    assert bucket.objects("from/") == {}
    assert bucket.objects("to/") == {"to/deep/two": 8, "to/one": 3}
    assert bucket.read("to/deep/two") == b"deep/two"


def test_list_shows_files_and_directories(java: Jvm, file_system: Any, bucket: Bucket) -> None:
    for name in ("listed/a", "listed/b/c", "listed/b/d"):
        bucket.write(name, b"12345")
    entries = {
        status.getPath().getName(): (status.isDirectory(), status.getLen())
        for status in file_system.listStatus(java.path(bucket.url("listed")))
    }
    assert entries == {"a": (False, 5), "b": (True, 0)}
    files = file_system.listFiles(java.path(bucket.url("listed")), True)
    found = []
    while files.hasNext():
        found.append(files.next().getPath().toString())
    assert sorted(found) == [bucket.url("listed/a"), bucket.url("listed/b/c"), bucket.url("listed/b/d")]


def test_delete_removes_a_tree(java: Jvm, file_system: Any, bucket: Bucket) -> None:
    for number in range(20):
        bucket.write(f"doomed/{number % 3}/{number}", b"x")
    path = java.path(bucket.url("doomed"))
    assert "not empty" in failure_of(lambda: file_system.delete(path, False)).text.lower()
    assert file_system.delete(path, True)
    assert bucket.objects("doomed/") == {}
    assert not file_system.exists(path)
    assert not file_system.delete(path, True)


def test_a_missing_file_is_a_file_not_found_exception(java: Jvm, file_system: Any, bucket: Bucket) -> None:
    path = java.path(bucket.url("no/such/file"))
    for call in (file_system.getFileStatus, file_system.open, file_system.listStatus):
        failure = failure_of(lambda call=call: call(path))  # type: ignore[misc]
        assert failure.classes[0] == "java.io.FileNotFoundException"
        assert "no/such/file" in failure.messages[0]
