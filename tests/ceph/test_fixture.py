"""The fixture itself: what it starts answers, and what it stops is gone. Takes about a minute."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ceph_fixture import HERE, PREFIX, Ceph, CephError


@pytest.fixture(autouse=True)
def no_shared_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests start their own clusters, also when the suite runs beside a shared one."""
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
def directory() -> Iterator[Path]:
    """A place for a cluster; pytest's own temporary directories may be too long for Ceph's sockets."""
    with tempfile.TemporaryDirectory(prefix="s3core-ceph.") as parent:
        yield Path(parent) / "c"


def request(ceph: Ceph, method: str, url: str, *options: str) -> tuple[int, str]:
    """Status and body of one signed request."""
    finished = subprocess.run(
        [
            *("curl", "-s", "--noproxy", "*", "-X", method, "-w", "\n%{http_code}", *options),
            *("-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "--aws-sigv4", "aws:amz:us-east-1:s3"),
            *("--user", f"{ceph.access_key}:{ceph.secret_key}", url),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    body, _, status = finished.stdout.rpartition("\n")
    return int(status), body


def script(name: str, *arguments: str | Path, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    command = [str(part) for part in (HERE / name, *arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, "PATH": path})


def processes(directory: Path) -> list[str]:
    return script("down.sh", "--list", directory).stdout.splitlines()


def test_every_endpoint_serves_the_same_data() -> None:
    with Ceph(tls=True, tcp_nodelay=True, gateways=2) as ceph:
        ca = ("--cacert", str(ceph.ca_file))
        self_signed = ("--cacert", str(ceph.self_signed_file))
        assert request(ceph, "PUT", f"{ceph.endpoint}/bucket")[0] == 200
        assert request(ceph, "PUT", f"{ceph.endpoint}/bucket/key", "-d", "content")[0] == 200
        assert len(ceph.endpoints) == 2
        for endpoint in [*ceph.endpoints, ceph.nodelay_endpoint]:
            assert request(ceph, "GET", f"{endpoint}/bucket/key") == (200, "content")
        for endpoint, trust in [(ceph.tls_endpoint, ca), (ceph.self_signed_endpoint, self_signed)]:
            by_name = endpoint.replace("127.0.0.1", "localhost")
            assert request(ceph, "GET", f"{endpoint}/bucket/key", *trust) == (200, "content")
            assert request(ceph, "GET", f"{by_name}/bucket/key", *trust) == (200, "content")
            assert request(ceph, "GET", f"{endpoint}/bucket/key")[0] == 0, "a certificate nobody told curl about"
        cold = ("-d", "x", "-H", "x-amz-storage-class: COLD")
        assert request(ceph, "PUT", f"{ceph.endpoint}/bucket/cold", *cold)[0] == 200
        assert "<StorageClass>COLD</StorageClass>" in request(ceph, "GET", f"{ceph.endpoint}/bucket")[1]


def test_two_clusters_run_side_by_side_and_stop_apart() -> None:
    with Ceph() as first:
        with Ceph() as second:
            assert second.endpoint != first.endpoint
            assert request(second, "PUT", f"{second.endpoint}/bucket")[0] == 200
            assert request(first, "HEAD", f"{first.endpoint}/bucket", "-I")[0] == 404
            stopped = second.directory
            assert len(processes(stopped)) == 4
        assert processes(stopped) == []
        assert not stopped.exists()
        assert request(first, "GET", f"{first.endpoint}/")[0] == 200


def test_cpu_seconds_grow_with_the_work() -> None:
    with Ceph(tcp_nodelay=True) as ceph:
        before = ceph.cpu_seconds()
        assert before.keys() == {"rgw-0", "rgw-tcp-nodelay", "osd.0"}
        request(ceph, "PUT", f"{ceph.endpoint}/bucket")
        body = ceph.directory / "body"
        body.write_bytes(bytes(64 << 20))
        assert request(ceph, "PUT", f"{ceph.endpoint}/bucket/key", "-T", str(body))[0] == 200
        after = ceph.cpu_seconds()
        assert after["rgw-0"] > before["rgw-0"]
        assert after["osd.0"] > before["osd.0"]


def test_an_endpoint_in_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + "ENDPOINT", "http://127.0.0.1:1")
    with Ceph() as ceph:
        assert ceph.endpoint == "http://127.0.0.1:1"
        with pytest.raises(CephError, match=r"S3CORE_TEST_TLS_ENDPOINT is not set: this needs --tls"):
            _ = ceph.tls_endpoint


def test_a_failed_start_shows_the_log_and_leaves_nothing(directory: Path, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    broken = programs / "radosgw"
    broken.write_text("#!/bin/sh\necho broken on purpose >&2\nexit 1\n")
    broken.chmod(0o755)
    finished = script("up.sh", directory, path=f"{programs}:{os.environ['PATH']}")
    assert finished.returncode == 1
    assert "broken on purpose" in finished.stderr
    assert f"logs are kept in {directory}" in finished.stderr
    assert processes(directory) == []


def test_down_refuses_a_directory_that_is_no_cluster(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert script("down.sh", tmp_path).returncode == 1
    assert (tmp_path / "file").exists()


def test_with_ceph_passes_the_status_on(directory: Path) -> None:
    command = 'test -n "$S3CORE_TEST_ENDPOINT" && exit 7'
    assert script("with-ceph.sh", "--directory", directory, "--", "sh", "-c", command).returncode == 7
    assert processes(directory) == []
    assert not directory.exists()


@pytest.mark.parametrize("when", ["while it starts", "while the command runs"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_with_ceph_leaves_nothing_behind_on_a_signal(directory: Path, tmp_path: Path, number: signal.Signals, when: str) -> None:
    running = tmp_path / "running"
    sign = directory / "osd.0.pid" if when == "while it starts" else running
    command = [str(HERE / "with-ceph.sh"), "--directory", str(directory), "--"]
    command += ["sh", "-c", f"touch {running}; exec sleep 300"]
    process = subprocess.Popen(command, start_new_session=True)
    deadline = time.monotonic() + 120
    while not sign.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    assert process.wait(60) == 128 + number
    assert processes(directory) == []
    assert not directory.exists()
    assert running.exists() == (when != "while it starts")
