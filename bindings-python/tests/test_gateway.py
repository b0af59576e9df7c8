"""The endpoint that users get for their own tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from s3core import __version__
from s3core.exceptions import UnavailableError
from s3core.testing import Gateway


def test_objects_in_a_directory_survive(tmp_path: Path) -> None:
    with Gateway(directory=tmp_path / "data", buckets=["lake"]) as gateway:
        gateway.store("lake").put("x", b"abc")
    with Gateway(directory=tmp_path / "data") as gateway:
        assert gateway.store("lake").get("x") == b"abc"


def test_keys_can_be_chosen() -> None:
    with Gateway(access_key="me", secret_key="mine") as gateway:
        assert (gateway.access_key, gateway.secret_key) == ("me", "mine")
    with pytest.raises(ValueError, match="neither"):
        Gateway(access_key="me")


def test_requests_are_logged(gateway: Gateway) -> None:
    gateway.store("lake").put("x", b"abc")
    (request,) = gateway.requests()
    assert (request.operation, request.bucket, request.key, request.status) == ("PutObject", "lake", "x", 200)
    assert request.received == 3
    gateway.reset_requests()
    assert gateway.request_counts() == {}


@pytest.mark.parametrize("kind", ["slow_down", "internal_error", "reset", "lose_reply", "cut_body"])
def test_a_fault_is_ridden_out(gateway: Gateway, kind: str) -> None:
    store = gateway.store("lake")
    store.put("x", b"abcdef")
    gateway.reset_requests()
    gateway.inject(kind, operation="GetObject", at=3, times=1)  # type: ignore[arg-type]
    assert store.get("x") == b"abcdef"
    assert gateway.request_counts() == {"GetObject": 2}


def test_faults_can_be_cleared(gateway: Gateway) -> None:
    store = gateway.store("lake", attempts_maximum=2)
    store.put("x", b"abc")
    gateway.inject("internal_error", operation="GetObject")
    with pytest.raises(UnavailableError):
        store.get("x")
    gateway.clear_faults()
    assert store.get("x") == b"abc"


def test_a_stopped_gateway_says_so(gateway: Gateway) -> None:
    gateway.close()
    gateway.close()
    with pytest.raises(ValueError, match="stopped"):
        gateway.requests()


def test_unknown_names() -> None:
    with pytest.raises(ValueError, match="pacific"):
        Gateway(quirks="octopus")  # type: ignore[arg-type]
    with Gateway() as gateway, pytest.raises(ValueError, match="no fault"):
        gateway.inject("fire")  # type: ignore[arg-type]


def test_the_program(tmp_path: Path) -> None:
    program = str(Path(sys.executable).parent / "s3core")
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    assert version.stdout == f"s3core {__version__}\n"
    wrong = subprocess.run([program, "gatewy"], check=False, capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "usage: s3core gateway" in wrong.stderr
    command = [program, "gateway", "--dir", str(tmp_path), "--access-key", "a", "--secret-key", "b"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert "endpoint=http://127.0.0.1:" in running.stdout.readline()
        running.terminate()
        assert running.wait(10) == 0
