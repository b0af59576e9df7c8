"""What our FileSystem in the session's JVM has sent and received, by its own counts."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3core.store import OperationCounts

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["Traffic", "traffic_of_session"]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests, and bytes of their bodies in both directions."""

    requests: int
    size: int

    @classmethod
    def of(cls, counts: Iterable[OperationCounts]) -> Traffic:
        """The sum over all operations."""
        counts = list(counts)
        return cls(
            sum(count.requests for count in counts), sum(count.bytes_sent + count.bytes_received for count in counts)
        )

    def __add__(self, other: Traffic) -> Traffic:
        """Both together."""
        return Traffic(self.requests + other.requests, self.size + other.size)


def traffic_of_session(spark: SparkSession, path: str) -> Traffic:
    """The counts of the FileSystem that serves ``path``, of this JVM (in local mode: of all there is).

    Hadoop's own statistics know no requests. The native counts are not part of the jar's public surface, so they are
    asked for by reflection; the wheel and its jar are of one version.
    """
    jvm = spark.sparkContext._jvm
    gateway = spark.sparkContext._gateway
    if jvm is None or gateway is None:
        return Traffic(0, 0)
    configuration = spark.sparkContext._jsc.hadoopConfiguration()
    files = jvm.org.apache.hadoop.fs.Path(path).getFileSystem(configuration)
    native = files.getClass().getClassLoader().loadClass("org.s3core.hadoop.Native")
    store = files.getClass().getDeclaredMethod("store", gateway.new_array(jvm.java.lang.Class, 0))
    store.setAccessible(True)
    parameters = gateway.new_array(jvm.java.lang.Class, 1)
    parameters[0] = jvm.java.lang.Long.TYPE
    statistics = native.getDeclaredMethod("statistics", parameters)
    statistics.setAccessible(True)
    arguments = gateway.new_array(jvm.java.lang.Object, 1)
    arguments[0] = store.invoke(files, gateway.new_array(jvm.java.lang.Object, 0))
    return _decode(bytes(statistics.invoke(None, arguments)))


def _decode(counts: bytes) -> Traffic:
    """A number of operations; for each its name, requests, retries, failures, bytes sent, bytes received."""
    (operations,) = struct.unpack_from(">i", counts)
    position, found = 4, []
    for _ in range(operations):
        (length,) = struct.unpack_from(">i", counts, position)
        position += 4 + length
        found.append(OperationCounts(*struct.unpack_from(">5q", counts, position)))
        position += 40
    return Traffic.of(found)
