"""A real one-node Ceph as a context manager, over the scripts of this folder.

    with Ceph(tls=True) as ceph:
        client = connect(ceph.endpoint, ceph.access_key, ceph.secret_key)

When ``S3CORE_TEST_ENDPOINT`` is set, for example by ``with-ceph.sh``, that endpoint is used: nothing is started and
nothing is stopped, so that all suites of one run share one cluster.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

HERE = Path(__file__).resolve().parent
PREFIX = "S3CORE_TEST_"


class CephError(RuntimeError):
    """A cluster could not be started, read or stopped, or lacks what was asked of it."""


class Ceph:
    """One cluster: started on entry, stopped and removed on exit.

    ``release`` is ``"reef"`` or ``"tentacle"`` (needs root), or ``None`` for the machine's own Ceph. A named release is
    always started, whatever the environment says. The properties are valid inside the ``with`` block.
    """

    def __init__(
        self,
        *,
        tls: bool = False,
        tcp_nodelay: bool = False,
        gateways: int = 1,
        release: str | None = None,
    ) -> None:
        self._options = ["--gateways", str(gateways)]
        self._options += ["--tls"] if tls else []
        self._options += ["--tcp-nodelay"] if tcp_nodelay else []
        self._release = release
        self._started: Path | None = None
        self.environment: dict[str, str] = {}
        """The variables of the cluster, for child processes: ``{**os.environ, **ceph.environment}``."""

    def __enter__(self) -> Self:
        if self._release is None and os.environ.get(PREFIX + "ENDPOINT"):
            self.environment = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
        else:
            self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    @property
    def endpoint(self) -> str:
        """``http://127.0.0.1:PORT`` of the first gateway, which runs on its own defaults."""
        return self._variable("ENDPOINT", "a cluster")

    @property
    def endpoints(self) -> list[str]:
        """All gateways on their own defaults; they serve the same data."""
        return self._variable("ENDPOINTS", "a cluster").split(",")

    @property
    def access_key(self) -> str:
        return self._variable("ACCESS_KEY", "a cluster")

    @property
    def secret_key(self) -> str:
        return self._variable("SECRET_KEY", "a cluster")

    @property
    def nodelay_endpoint(self) -> str:
        """A gateway with ``tcp_nodelay=1``."""
        return self._variable("NODELAY_ENDPOINT", "--tcp-nodelay")

    @property
    def tls_endpoint(self) -> str:
        """``https://127.0.0.1:PORT``; its certificate is signed by the authority in :attr:`ca_file`."""
        return self._variable("TLS_ENDPOINT", "--tls")

    @property
    def ca_file(self) -> Path:
        """The private authority's certificate, PEM."""
        return Path(self._variable("CA_FILE", "--tls"))

    @property
    def self_signed_endpoint(self) -> str:
        """``https://127.0.0.1:PORT``; its certificate, :attr:`self_signed_file`, signs itself."""
        return self._variable("SELF_SIGNED_ENDPOINT", "--tls")

    @property
    def self_signed_file(self) -> Path:
        """The self-signed certificate, PEM."""
        return Path(self._variable("SELF_SIGNED_FILE", "--tls"))

    @property
    def version(self) -> str:
        """For example ``16.2.15``."""
        return self._variable("CEPH_VERSION", "a cluster of up.sh")

    @property
    def release(self) -> str:
        """For example ``pacific``."""
        return self._variable("CEPH_RELEASE", "a cluster of up.sh")

    @property
    def directory(self) -> Path:
        """Configuration, logs and admin sockets of the cluster."""
        return Path(self._variable("CEPH_DIR", "a cluster of up.sh"))

    def cpu_seconds(self) -> dict[str, float]:
        """User and system CPU seconds used so far by each gateway (``rgw-0``, ...) and by the OSD (``osd.0``)."""
        lines = _run([HERE / "cpu.sh", self.directory]).splitlines()
        return {name: float(seconds) for name, seconds in (line.split() for line in lines)}

    def _variable(self, name: str, source: str) -> str:
        try:
            return self.environment[PREFIX + name]
        except KeyError:
            raise CephError(f"{PREFIX}{name} is not set: this needs {source} (tests/ceph/with-ceph.sh)") from None

    def _start(self) -> None:
        directory = Path(tempfile.mkdtemp(prefix="s3core-ceph."))
        self._started = directory
        try:
            if self._release is None:
                _run([HERE / "install.sh"])
                _run([HERE / "up.sh", directory, *self._options])
            else:
                _run([HERE / "release.sh", "up", self._release, directory, *self._options])
        except CephError:
            raise  # the script has stopped what it started, and its message names the logs
        except BaseException:  # an interrupt ends the script before it can clean up
            self._stop()
            raise
        lines = (directory / "env").read_text(encoding="utf-8").splitlines()
        self.environment = dict(line.split("=", 1) for line in lines)

    def _stop(self) -> None:
        if self._started is None:
            return
        directory, self._started = self._started, None
        if self._release is None:
            _run([HERE / "down.sh", directory])
        else:
            _run([HERE / "release.sh", "down", self._release, directory])


def _run(command: Sequence[str | Path]) -> str:
    """Standard output of a script; its standard error becomes the message of a :class:`CephError`."""
    arguments = [str(part) for part in command]
    finished = subprocess.run(arguments, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if finished.returncode != 0:
        raise CephError(f"{Path(command[0]).name} failed with status {finished.returncode}:\n{finished.stderr}")
    return finished.stdout
