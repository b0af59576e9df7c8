"""What our FileSystem in the session's JVM has sent and received, by its own counts."""

from __future__ import annotations

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

    Hadoop's own statistics know no requests.
    """
    jvm = spark.sparkContext._jvm
    if jvm is None:
        return Traffic(0, 0)
    configuration = spark.sparkContext._jsc.hadoopConfiguration()
    counts = jvm.org.apache.hadoop.fs.Path(path).getFileSystem(configuration).requests()
    return Traffic.of(OperationCounts(*counts[operation]) for operation in counts)
