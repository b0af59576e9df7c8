"""TLS with a certificate authority that only Java's trust store knows, with a self-signed certificate in it, and with a file of ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from support.endpoint import Bucket, Endpoint, setting
from support.failure import failure_of
from support.jvm import start_jvm
from support.session import spark_session
from support.trust import trust_store


@dataclass(frozen=True)
class Secured:
    """A TLS endpoint and the certificate that makes it trusted."""

    endpoint: Endpoint
    certificate: Path


@pytest.fixture(scope="module", params=["private authority", "self-signed"])
def secured(request: pytest.FixtureRequest) -> Secured:
    if request.param == "self-signed":
        return Secured(Endpoint.from_environment("S3CORE_TEST_SELF_SIGNED_ENDPOINT"), Path(setting("S3CORE_TEST_SELF_SIGNED_FILE")))
    return Secured(Endpoint.from_environment("S3CORE_TEST_TLS_ENDPOINT"), Path(setting("S3CORE_TEST_CA_FILE")))


@pytest.mark.parametrize("kind", ["PKCS12", "JKS"])
def test_java_trust_store(tmp_path: Path, jar: Path, secured: Secured, bucket: Bucket, kind: str) -> None:
    store = trust_store(tmp_path, secured.certificate, kind)
    with start_jvm(tmp_path, [jar], store.java_options()) as java:
        file_system = java.file_system(bucket.url(""), secured.endpoint.hadoop_settings())
        java.write(file_system, bucket.url(f"trusted/{kind}"), b"secret")
        assert java.read(file_system, bucket.url(f"trusted/{kind}")) == b"secret"
    assert bucket.read(f"trusted/{kind}") == b"secret"


def test_certificate_file(tmp_path: Path, jar: Path, secured: Secured, bucket: Bucket) -> None:
    settings = secured.endpoint.hadoop_settings() | {"fs.s3core.ssl.ca.file": str(secured.certificate)}
    with start_jvm(tmp_path, [jar]) as java:
        file_system = java.file_system(bucket.url(""), settings)
        java.write(file_system, bucket.url("file"), b"secret")
        assert java.read(file_system, bucket.url("file")) == b"secret"


def test_an_unknown_certificate_is_refused(tmp_path: Path, jar: Path, secured: Secured, bucket: Bucket) -> None:
    """Without this one, the tests above would pass with a client that trusts everybody."""
    with start_jvm(tmp_path, [jar]) as java:
        path = java.path(bucket.url("file"))
        failure = failure_of(lambda: java.file_system(bucket.url(""), secured.endpoint.hadoop_settings()).getFileStatus(path))
    assert "javax.net.ssl.SSLHandshakeException" in failure.classes
    assert "fs.s3core.ssl.ca.file" in failure.text  # the remedy


def test_a_missing_certificate_file_is_named(tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket) -> None:
    settings = endpoint.hadoop_settings() | {"fs.s3core.ssl.ca.file": "/no/such/authority.pem"}
    with start_jvm(tmp_path, [jar]) as java:
        failure = failure_of(lambda: java.file_system(bucket.url(""), settings).getFileStatus(java.path(bucket.url("x"))))
    assert "fs.s3core.ssl.ca.file" in failure.text
    assert "/no/such/authority.pem" in failure.text


def test_spark_with_a_trust_store(tmp_path: Path, jar: Path, secured: Secured, bucket: Bucket) -> None:
    options = " ".join(trust_store(tmp_path, secured.certificate, "PKCS12").java_options())
    with spark_session(tmp_path, jar, secured.endpoint, {"spark.driver.extraJavaOptions": options}) as spark:
        target = bucket.url(f"spark-{secured.endpoint.url[-5:]}")
        spark.range(1000).write.parquet(target)
        assert spark.read.parquet(target).count() == 1000
