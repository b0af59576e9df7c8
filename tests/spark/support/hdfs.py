"""HDFS in one JVM: a NameNode and a DataNode, by Hadoop's own MiniDFSCluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from support.jvm import start_jvm
from support.maven import maven_jar


@contextmanager
def hdfs_cluster(directory: Path, hadoop: str, jars: Sequence[Path]) -> Iterator[str]:
    """Runs one with `jars` on the class path of its daemons; gives its URL."""
    directory.mkdir()
    cluster_jars = [maven_jar("org.apache.hadoop", "hadoop-client-minicluster", hadoop), maven_jar("junit", "junit", "4.13.2")]
    with start_jvm(directory, [*jars, *cluster_jars], [f"-Dtest.build.data={directory}", f"-Duser.dir={directory}"]) as java:
        configuration = java.configuration({"hdfs.minidfs.basedir": str(directory / "dfs"), "dfs.replication": "1"})
        cluster = getattr(java.jvm.org.apache.hadoop.hdfs, "MiniDFSCluster$Builder")(configuration).numDataNodes(1).build()
        try:
            yield str(cluster.getFileSystem().getUri().toString())
        finally:
            cluster.shutdown()
