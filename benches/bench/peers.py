"""Who is measured: file systems, each with the jars and options that it needs, on the same machine."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3
import botocore.config
from botocore.exceptions import BotoCoreError, ClientError

from bench.child import Child
from bench.machine import cpu_seconds

HERE = Path(__file__).resolve().parents[1]
FLOOR = "file"
OURS = "s3core"
START_LIMIT = 120  # seconds
NAMES = ["s3core", "s3a", "s3a-nodelay", "hdfs"]
TITLES = {
    "file": "file://",
    "s3core": "s3core",
    "s3a": "S3A 3.3.4",
    "s3a-nodelay": "S3A 3.3.4, gateway with tcp_nodelay=1",
    "hdfs": "HDFS 3.3.6",
}


@dataclass(frozen=True)
class Peer:
    """A file system: where to write, and what Spark and a plain JVM need to reach it."""

    name: str
    url: str
    jars: list[Path] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    server: Servers | None = None

    @property
    def title(self) -> str:
        return TITLES[self.name]

    def server_cpu(self) -> dict[str, float]:
        """CPU seconds used so far by the processes that serve this peer."""
        return self.server.cpu() if self.server else {}


class Servers:
    """The processes behind a file system, as far as their CPU time is concerned."""

    def cpu(self) -> dict[str, float]:
        raise NotImplementedError


class Places:
    """Makes the peers, starts what they need, and removes it at the end."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._buckets: list[tuple[Any, str]] = []
        self._hdfs: Hdfs | None = None

    def __enter__(self) -> Places:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._hdfs:
            self._hdfs.stop()
        for client, bucket in self._buckets:
            try:
                for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                    for entry in page.get("Contents", []):
                        client.delete_object(Bucket=bucket, Key=entry["Key"])
                client.delete_bucket(Bucket=bucket)
            except (BotoCoreError, ClientError) as failure:  # figures are worth more than a clean test cluster
                print(f"the bucket {bucket} stays: {failure}", flush=True)

    def logged_peer(self, name: str) -> Peer:
        """The same client on the gateway that logs every request."""
        return self.peer(name, "S3CORE_TEST_OPS_LOG_ENDPOINT")

    def peer(self, name: str, endpoint: str = "S3CORE_TEST_ENDPOINT") -> Peer:
        if name == "file":
            return Peer(name, f"file://{self._directory}/floor")
        if name == "hdfs":
            self._hdfs = Hdfs(self._directory / "hdfs")
            return Peer(name, f"{self._hdfs.url}/bench", options={"dfs.replication": "1"}, server=self._hdfs)
        if name == "s3core":
            url, options = self._bucket(endpoint)
            return Peer(name, url, [our_jar()], options | {"fs.s3a.impl": "org.s3core.hadoop.S3CoreFileSystem"}, Ceph("rgw-0"))
        nodelay = name == "s3a-nodelay"
        url, options = self._bucket("S3CORE_TEST_NODELAY_ENDPOINT" if nodelay else endpoint)
        options |= {
            "fs.s3a.path.style.access": "true",
            # Its default signature fails on Radosgw over plain http: this is the only way it works there at all.
            "fs.s3a.signing-algorithm": "S3SignerType",
        }
        return Peer(name, url, sorted((HERE / "target" / "s3a").glob("*.jar")), options, Ceph("rgw-tcp-nodelay" if nodelay else "rgw-0"))

    def _bucket(self, variable: str) -> tuple[str, dict[str, str]]:
        if variable not in os.environ:
            raise RuntimeError(f"{variable} is not set: start the cluster with tests/ceph/with-ceph.sh --tcp-nodelay --ops-log")
        endpoint, access_key, secret_key = (os.environ[name] for name in (variable, "S3CORE_TEST_ACCESS_KEY", "S3CORE_TEST_SECRET_KEY"))
        client, bucket = new_bucket(endpoint, access_key, secret_key)
        self._buckets.append((client, bucket))
        options = {"fs.s3a.endpoint": endpoint, "fs.s3a.access.key": access_key, "fs.s3a.secret.key": secret_key}
        return f"s3a://{bucket}/bench", options


class Ceph(Servers):
    """One gateway and the OSD behind it."""

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway

    def cpu(self) -> dict[str, float]:
        script = HERE.parent / "tests" / "ceph" / "cpu.sh"
        lines = subprocess.run([script, os.environ["S3CORE_TEST_CEPH_DIR"]], check=True, capture_output=True, text=True).stdout.splitlines()
        seconds = {name: float(value) for name, value in (line.split() for line in lines)}
        return {"gateway": seconds[self._gateway], "OSD": seconds["osd.0"]}


class Hdfs(Servers):
    """A name node and a data node in one process."""

    def __init__(self, directory: Path) -> None:
        class_path = f"{HERE / 'target' / 'classes'}:{(HERE / 'target' / 'hdfs.classpath').read_text().strip()}"
        command = ["java", "-Xmx1g", "-cp", class_path, "org.s3core.benches.HdfsServer", str(directory)]
        self._child = Child("HDFS", command, HERE, HERE / "target" / "hdfs.log")
        try:
            self.url = self._child.ask("", START_LIMIT)
        except BaseException:
            self.stop()
            raise

    def cpu(self) -> dict[str, float]:
        return {"HDFS": cpu_seconds(self._child.process)}

    def stop(self) -> None:
        self._child.stop()


def our_jar() -> Path:
    named = os.environ.get("S3CORE_TEST_JAR")
    jars = [Path(named)] if named else sorted((HERE.parent / "dist").glob("s3core-hadoop-*.jar"), key=lambda jar: jar.stat().st_mtime)
    if not jars:
        raise FileNotFoundError("no s3core-hadoop-*.jar in dist/: run make jar")
    if not jars[-1].is_file():
        raise FileNotFoundError(f"there is no {jars[-1]}, which S3CORE_TEST_JAR names")
    return jars[-1]


def new_bucket(endpoint: str, access_key: str, secret_key: str) -> tuple[Any, str]:
    """A client, and the name of a bucket that it has just made."""
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=botocore.config.Config(s3={"addressing_style": "path"}),
    )
    bucket = f"bench-{uuid.uuid4().hex[:12]}"
    client.create_bucket(Bucket=bucket)
    return client, bucket


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What was used in between."""
    return {name: round(after[name] - before[name], 2) for name in after}
