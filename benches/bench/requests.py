"""Table 3: requests of whole jobs, counted in the gateway's own log. They do not depend on the machine."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.child import Child, ChildError
from bench.peers import HERE, Peer

JOBS = {
    "one": "1 task, 1 file",
    "hundred": "100 tasks, 1 file each",
    "partitioned": "16 tasks, 10 partitions each",
    "overwrite": "16 tasks overwrite 10 partitions",
}

#: Committers of S3A by what they need; the first one is what S3A does when nothing is set.
S3A_COMMITTERS = ("v1", "directory", "magic")

LIMIT = 600  # seconds for a job

#: The gateway writes a line when an answer is complete, which is a moment after the client has it. Seconds without a new one.
SETTLED = 1.0

#: Names of Radosgw's ops log for S3 operations.
NAMES = {
    "abort_multipart": "AbortMultipartUpload",
    "complete_multipart": "CompleteMultipartUpload",
    "copy_obj": "CopyObject",
    "delete_obj": "DeleteObject",
    "init_multipart": "CreateMultipartUpload",
    "list_bucket": "ListObjects",
    "list_bucket_multiparts": "ListMultipartUploads",
    "list_multipart": "ListParts",
    "multi_object_delete": "DeleteObjects",
    "stat_bucket": "HeadBucket",
}


@dataclass(frozen=True)
class JobRequests:
    """Requests of one job, by S3 operation; none where the committer refuses it."""

    peer: str
    committer: str
    job: str
    requests: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.requests.values())


def run(peer: Peer) -> Iterable[JobRequests]:
    """Every job with every committer of a peer."""
    for committer in S3A_COMMITTERS if peer.name.startswith("s3a") else ("",):
        yield from _with_committer(with_committer(peer, committer), committer)


def with_committer(peer: Peer, committer: str) -> Peer:
    """S3A's committers need a jar of Spark's and three settings each."""
    if committer in ("", "v1"):
        return peer
    cloud = sorted((HERE / "target" / "spark-hadoop-cloud").glob("*.jar"))
    options = {
        "fs.s3a.committer.name": committer,
        "fs.s3a.committer.magic.enabled": "true",
        "spark.sql.sources.commitProtocolClass": "org.apache.spark.internal.io.cloud.PathOutputCommitProtocol",
        "spark.sql.parquet.output.committer.class": "org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter",
        "mapreduce.outputcommitter.factory.scheme.s3a": "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory",
    }
    return replace(peer, jars=[*peer.jars, *cloud], options=peer.options | options)


def _with_committer(peer: Peer, committer: str) -> Iterable[JobRequests]:
    specification = {"url": f"{peer.url}-requests-{committer}", "jars": [str(jar) for jar in peer.jars], "options": peer.options}
    log = Path(os.environ["S3CORE_TEST_OPS_LOG_FILE"])
    command = [sys.executable, "-m", "bench.requests_worker", json.dumps(specification)]
    child = Child(f"Spark on {peer.title}", command, HERE, HERE / "target" / f"requests-{peer.name}-{committer or 'own'}.log")
    try:
        child.ask("warm up", LIMIT)
        for job in JOBS:
            before = settled_size(log)
            if child.ask(job, LIMIT) == "refused":
                yield JobRequests(peer.name, committer, job, {})
                continue
            settled_size(log)
            with log.open(errors="replace") as lines:
                lines.seek(before)
                yield JobRequests(peer.name, committer, job, dict(Counter(operations(lines.read()))))
    except ChildError:
        child.kill()
        raise
    finally:
        child.stop()


def settled_size(log: Path) -> int:
    """The size of a log once nothing is added any more."""
    size = -1
    while (now := log.stat().st_size) != size:
        size = now
        time.sleep(SETTLED)
    return size


def operations(log: str) -> Iterable[str]:
    """S3 names of the operations in a piece of the gateway's log: objects of a JSON array that has no end yet, not always a line each."""
    decoder = json.JSONDecoder()
    position = 0
    while (position := log.find("{", position)) >= 0:
        entry, position = decoder.raw_decode(log, position)
        yield operation(entry)


def operation(entry: Mapping[str, Any]) -> str:
    """A part is a put_obj like any other, and HEAD is a get_obj."""
    name, request = str(entry["operation"]), str(entry["uri"])
    if name == "put_obj":
        return "UploadPart" if "partNumber=" in request else "PutObject"
    if name == "get_obj":
        return "HeadObject" if request.startswith("HEAD ") else "GetObject"
    return NAMES.get(name, name)
