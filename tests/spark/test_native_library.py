"""Loading the native library where it is not easy: a temporary directory without execution, two class loaders in one JVM."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.endpoint import FILE_SYSTEM_CLASS, Bucket, Endpoint
from support.failure import failure_of
from support.jvm import start_jvm


@pytest.fixture
def java_without_execution(tmp_path: Path) -> tuple[str, Path]:
    """A program that starts Java with a temporary directory mounted noexec, and that directory."""
    directory = tmp_path / "noexec"
    directory.mkdir()
    program = tmp_path / "java-noexec"
    # A mount namespace of its own: no other process sees the mount, and it is gone when Java ends.
    script = f'mount -t tmpfs -o noexec none "{directory}" && exec java "$@"'
    program.write_text(f"#!/bin/sh\nexec unshare --map-root-user --mount sh -c '{script}' java \"$@\"\n")
    program.chmod(0o755)
    return str(program), directory


def test_temporary_directory_without_execution(
    tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket, java_without_execution: tuple[str, Path]
) -> None:
    """The library goes to the next directory that lets it run."""
    program, directory = java_without_execution
    with start_jvm(tmp_path, [jar], [f"-Djava.io.tmpdir={directory}"], program) as java:
        file_system = java.file_system(bucket.url(""), endpoint.hadoop_settings())
        java.write(file_system, bucket.url("noexec"), b"works")
    assert bucket.read("noexec") == b"works"


def test_no_directory_with_execution(
    tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket, java_without_execution: tuple[str, Path]
) -> None:
    """Where every candidate is noexec, the error lists them and says how to name another."""
    program, directory = java_without_execution
    with start_jvm(tmp_path, [jar], [f"-Djava.io.tmpdir={directory}", f"-Duser.dir={directory}"], program) as java:
        failure = failure_of(lambda: java.file_system(bucket.url(""), endpoint.hadoop_settings()))
    assert "java.io.IOException" in failure.classes
    assert "noexec" in failure.text
    assert "-Ds3core.tmpdir" in failure.text
    assert str(directory) in failure.text


def test_extracted_library_is_gone_after_loading(tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with start_jvm(tmp_path, [jar], [f"-Djava.io.tmpdir={temporary}"]) as java:
        file_system = java.file_system(bucket.url(""), endpoint.hadoop_settings())
        java.write(file_system, bucket.url("loaded"), b"works")
        left = [name for _, _, names in os.walk(temporary) for name in names if ".so" in name]
    assert left == []


def test_two_class_loaders(tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket) -> None:
    """Spark Connect's artifacts and Hive's isolated clients load the jar a second time; a library file can be loaded only once."""
    with start_jvm(tmp_path) as java:
        jvm = java.jvm
        classes, systems = [], []
        for number in range(2):
            loader = jvm.java.net.URLClassLoader(java.array(jvm.java.net.URL, [jvm.java.io.File(str(jar)).toURI().toURL()]))
            configuration = java.configuration(endpoint.hadoop_settings() | {"fs.s3a.impl.disable.cache": "true"})
            configuration.setClassLoader(loader)
            # Hadoop remembers classes by loader, so each Configuration gets the class of its own loader.
            systems.append(java.path(bucket.url("")).getFileSystem(configuration))
            classes.append(systems[number].getClass())
            java.write(systems[number], bucket.url(f"loader/{number}"), b"works")
        assert all(found.getName().startswith(FILE_SYSTEM_CLASS) for found in classes)
        assert not classes[0].equals(classes[1])
        assert java.read(systems[0], bucket.url("loader/1")) == b"works"
        assert java.read(systems[1], bucket.url("loader/0")) == b"works"
    assert bucket.objects("loader/") == {"loader/0": 5, "loader/1": 5}
