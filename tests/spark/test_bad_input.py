"""What users get wrong: one clear error each, naming the option and the remedy, in a running Spark session, and soon.

Every case is a bucket of its own in one session: options given for that bucket alone make the mistake.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from support.endpoint import Bucket, Endpoint, setting
from support.failure import Failure, failure_of
from support.jvm import start_jvm
from support.waiting import wait_for

PATIENCE = 30.0  # seconds until everything fails, as long as an endpoint has never answered


@dataclass(frozen=True)
class Mistake:
    """Options of bucket `bucket` that are wrong, and what the error has to say."""

    bucket: str
    options: dict[str, str]
    java_class: str
    words: list[str] = field(default_factory=list)


def mistakes() -> list[Mistake]:
    plain, access_key, secret_key = (setting(f"S3CORE_TEST_{name}") for name in ("ENDPOINT", "ACCESS_KEY", "SECRET_KEY"))
    secured = setting("S3CORE_TEST_TLS_ENDPOINT")
    with_path = f"{plain}/some/path"
    nowhere = "http://no-such-host.invalid:8000"
    denied = "java.nio.file.AccessDeniedException"
    protocol = "java.net.ProtocolException"
    malformed = "java.lang.IllegalArgumentException"
    io_error = "java.io.IOException"
    provider = "fs.s3a.aws.credentials.provider"
    algorithm = "fs.s3a.encryption.algorithm"
    sse_c, customers_key = {algorithm: "SSE-C"}, "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    own = r"check fs\.s3a\.bucket\."
    no_proxy = {"fs.s3a.proxy.host": "127.0.0.1", "fs.s3a.proxy.port": "1"}
    unsupported = "java.lang.UnsupportedOperationException"
    return [
        Mistake("wrong-key", {"fs.s3a.access.key": "nobody", "fs.s3a.secret.key": secret_key}, denied, [rf"{own}wrong-key\.access"]),
        Mistake("wrong-secret", {"fs.s3a.access.key": access_key, "fs.s3a.secret.key": "wrong"}, denied, [rf"{own}wrong-secret\.secret"]),
        Mistake("half-a-key", {"fs.s3a.access.key": "nobody"}, malformed, ["half-a-key.access.key", "half-a-key.secret.key"]),
        Mistake("plain-to-tls", {"fs.s3a.endpoint": with_scheme("http", secured)}, protocol, ["endpoint", "https"]),
        Mistake("tls-to-plain", {"fs.s3a.endpoint": with_scheme("https", plain)}, protocol, ["endpoint", "http"]),
        Mistake("endpoint-with-path", {"fs.s3a.endpoint": with_path}, malformed, ["endpoint", "/some/path"]),
        Mistake("no-such-host", {"fs.s3a.endpoint": nowhere}, "java.net.UnknownHostException", ["no-such-host.invalid", "endpoint"]),
        Mistake("unknown-provider", {provider: "com.example.MyProvider"}, io_error, ["com.example.MyProvider", "static, environment"]),
        Mistake("role-without-arn", {provider: "assumed-role"}, malformed, ["assumed.role.arn"]),
        Mistake("key-in-the-clear", sse_c | {"fs.s3a.encryption.key": customers_key}, io_error, ["SSE-C", "TLS", "https://"]),
        Mistake("sse-c-without-key", sse_c, io_error, ["SSE-C is enabled but no encryption key was declared in fs.s3a.encryption.key"]),
        Mistake("encryption-in-the-client", {algorithm: "CSE-KMS"}, unsupported, ["CSE-KMS", "on purpose"]),
        Mistake("access-point", {"fs.s3a.accesspoint.arn": "arn:aws:s3:::x"}, unsupported, ["access points", "on purpose"]),
        Mistake("time-in-words", {"fs.s3a.connection.timeout": "soon"}, malformed, ["connection.timeout", "soon", "60s"]),
        Mistake("proxy-without-host", {"fs.s3a.proxy.port": "3128"}, malformed, ["proxy.port is set without fs.s3a.proxy.host"]),
        Mistake("no-proxy-there", no_proxy, "java.net.ConnectException", ["the proxy http://127.0.0.1:1", "fs.s3a.proxy.host"]),
        Mistake("size-in-words", {"fs.s3a.multipart.size": "huge"}, malformed, ["multipart.size", "huge"]),
    ]


def with_scheme(scheme: str, url: str) -> str:
    return f"{scheme}://{url.split('://')[1]}"


def use(spark: SparkSession, bucket: str) -> list[tuple[str, Failure, float]]:
    """Reads and writes `bucket`; both have to fail. Gives what was done, the failure, and how long it took in seconds."""
    outcomes = []
    actions: dict[str, Callable[[], object]] = {
        "read": lambda: spark.read.parquet(f"s3a://{bucket}/table"),
        "write": lambda: spark.range(10).write.parquet(f"s3a://{bucket}/table"),
    }
    for name, action in actions.items():
        start = time.monotonic()
        failure = failure_of(action)
        outcomes.append((name, failure, time.monotonic() - start))
    return outcomes


@contextmanager
def options(spark: SparkSession, values: dict[str, str]) -> Iterator[None]:
    """Sets Hadoop options of the running session, for file systems that are made meanwhile."""
    configuration = spark._jsc.hadoopConfiguration()
    for name, value in values.items():
        configuration.set(name, value)
    try:
        yield
    finally:
        for name in values:
            configuration.unset(name)


def for_bucket(bucket: str, values: dict[str, str]) -> dict[str, str]:
    return {name.replace("fs.s3a.", f"fs.s3a.bucket.{bucket}.", 1): value for name, value in values.items()}


def check(spark: SparkSession, bucket: str, java_class: str, words: list[str]) -> None:
    for action, failure, seconds in use(spark, bucket):
        assert java_class in failure.classes, f"{action}: {failure.text}"
        for word in words:
            assert re.search(word, failure.text, re.IGNORECASE), f"{action}: {word!r} is not in: {failure.text}"
        assert seconds <= PATIENCE, f"{action} took {seconds:.1f} s"


@pytest.mark.parametrize("mistake", mistakes(), ids=lambda mistake: mistake.bucket)
def test_mistake(spark: SparkSession, mistake: Mistake) -> None:
    with options(spark, for_bucket(mistake.bucket, mistake.options)):
        check(spark, mistake.bucket, mistake.java_class, mistake.words)


def test_path_that_leaves_the_bucket(spark: SparkSession, bucket: Bucket) -> None:
    path = f"s3a://{bucket.name}/../other-bucket/table"
    for action in (lambda: spark.read.parquet(path), lambda: spark.range(10).write.parquet(path)):
        failure = failure_of(action)
        assert "java.lang.IllegalArgumentException" in failure.classes, failure.text
        assert "leaves the bucket" in failure.text


def test_unknown_option_of_ours_names_the_near_match(spark: SparkSession) -> None:
    with options(spark, {"fs.s3core.memory.limt": "64M"}):
        check(spark, "unknown-option", "java.lang.IllegalArgumentException", ["fs.s3core.memory.limt", "fs.s3core.memory.limit"])


def test_slip_in_an_option_of_s3a_is_told_once(tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket) -> None:
    """It has no effect and is no error, since every release has options that others do not know."""
    settings = endpoint.hadoop_settings() | {"fs.s3a.conection.maximum": "7", "fs.s3a.option.of.another.release": "60s"}
    with start_jvm(tmp_path, [jar], ["-Dorg.apache.logging.log4j.level=WARN"]) as java:
        for _ in range(2):
            java.write(java.file_system(bucket.url(""), settings), bucket.url("slip"), b"x")
        wait_for(lambda: "did you mean" in java.output())
        lines = [line for line in java.output().splitlines() if "did you mean" in line]
    assert len(lines) == 1
    assert "WARN" in lines[0]
    assert lines[0].endswith(": fs.s3a.conection.maximum (did you mean fs.s3a.connection.maximum?)")


def test_unknown_options_of_s3a_are_no_error(spark: SparkSession, bucket: Bucket) -> None:
    """Every Hadoop release brings its own list of them in core-default.xml."""
    with options(spark, {"fs.s3a.option.of.another.release": "60s", f"fs.s3a.bucket.{bucket.name}.no.such.option": "x"}):
        spark.range(10).write.parquet(bucket.url("foreign"))
    assert spark.read.parquet(bucket.url("foreign")).count() == 10


@pytest.mark.parametrize("bucket", ["no-such-bucket-here", "under_scored"])
def test_missing_bucket(spark: SparkSession, bucket: str) -> None:
    """A bucket that is not there is no missing path: Spark would take that for an empty place to write to, or tell the user to look for a
    file. With an underscore, java.net.URI finds no host in the name, which must not become a null pointer or an empty bucket."""
    for action, failure, seconds in use(spark, bucket):
        assert re.search(rf"{bucket}.*bucket.*(not exist|no such|underscore)", failure.text, re.IGNORECASE), f"{action}: {failure.text}"
        assert seconds <= PATIENCE


def test_port_that_nobody_listens_on(spark: SparkSession) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound, not listening: nobody else can take the port meanwhile
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with options(spark, for_bucket("refused", {"fs.s3a.endpoint": url})):
            check(spark, "refused", "java.net.ConnectException", [re.escape(url.split("//")[1]), "endpoint"])


def test_endpoint_that_never_answers(spark: SparkSession) -> None:
    """The worse kind of unreachable: the connection is there, and nothing comes."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with options(spark, for_bucket("silent", {"fs.s3a.endpoint": url})):
            for action, failure, seconds in use(spark, "silent"):
                assert any(name.startswith("java.net.") for name in failure.classes), f"{action}: {failure.text}"
                assert url.split("//")[1] in failure.text, f"{action}: {failure.text}"
                assert seconds <= PATIENCE, f"{action} took {seconds:.1f} s"


def test_secrets_are_in_no_error(spark: SparkSession) -> None:
    with options(spark, for_bucket("hidden", {"fs.s3a.secret.key": "do-not-print-me"})):
        for action, failure, _ in use(spark, "hidden"):
            assert "do-not-print-me" not in failure.text, action
