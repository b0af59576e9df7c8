"""TLS with the gateway of a real Ceph, whose certificate an authority of its own has signed."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
import s3core
from s3core.exceptions import ConfigurationError, TrustError

Keys = dict[str, str]


def setting(name: str) -> str:
    value = os.environ.get(name)
    assert value, f"{name} is not set: run this suite under tests/ceph/with-ceph.sh --tls -- ..."
    return value


@pytest.fixture
def keys() -> Keys:
    return {
        "endpoint": setting("S3CORE_TEST_TLS_ENDPOINT"),
        "access_key": setting("S3CORE_TEST_ACCESS_KEY"),
        "secret_key": setting("S3CORE_TEST_SECRET_KEY"),
    }


@pytest.fixture
def bucket(keys: Keys) -> Iterator[str]:
    url = f"s3a://python-{uuid.uuid4().hex[:16]}"
    store = s3core.Store(url, **keys | {"endpoint": setting("S3CORE_TEST_ENDPOINT")})
    store.create_bucket()
    yield url
    for meta in store.list():
        store.delete(meta.key)


@pytest.mark.parametrize("size", [0, 1000, 20 * 2**20])
def test_an_authority_of_ones_own(keys: Keys, bucket: str, size: int) -> None:
    data = os.urandom(size)
    store = s3core.Store(bucket, ssl_ca_file=setting("S3CORE_TEST_CA_FILE"), **keys)
    store.put("x", data)
    assert store.get("x") == data


def test_the_variable_of_aws_names_it_too(keys: Keys, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", setting("S3CORE_TEST_CA_FILE"))
    s3core.Store(bucket, **keys).put("x", b"secret")


def test_an_unknown_certificate_is_refused(keys: Keys) -> None:
    """Without this one, the tests above would pass with a client that trusts everybody."""
    with pytest.raises(TrustError, match=r"ssl\.ca\.file"):
        s3core.Store("s3a://lake", **keys).get("x")


def test_a_missing_file_is_named(keys: Keys) -> None:
    with pytest.raises(ConfigurationError, match=r"/no/such/authority\.pem"):
        s3core.Store("s3a://lake", ssl_ca_file="/no/such/authority.pem", **keys).get("x")
