"""YARN in one JVM: a ResourceManager and a NodeManager that start containers as processes, by Hadoop's own MiniYARNCluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from support.jvm import start_jvm
from support.maven import maven_jar

# What the mini-cluster's jar uses and does not bring.
UNSHADED = {
    "3.3.4": [
        ("junit", "junit", "4.13.2"),
        ("org.bouncycastle", "bcprov-jdk15on", "1.70"),
        ("org.bouncycastle", "bcpkix-jdk15on", "1.70"),
        ("org.bouncycastle", "bcutil-jdk15on", "1.70"),
    ],
    "3.5.0": [
        ("org.junit.jupiter", "junit-jupiter-api", "5.13.4"),
        ("org.junit.platform", "junit-platform-commons", "1.13.4"),
        ("org.opentest4j", "opentest4j", "1.3.0"),
        ("org.bouncycastle", "bcprov-jdk18on", "1.82"),
        ("org.bouncycastle", "bcpkix-jdk18on", "1.82"),
        ("org.bouncycastle", "bcutil-jdk18on", "1.82"),
    ],
}
LIMITS = {
    "yarn.scheduler.capacity.root.queues": "default",
    "yarn.scheduler.capacity.root.default.capacity": "100",
    "yarn.scheduler.capacity.maximum-am-resource-percent": "0.9",
    "yarn.nodemanager.resource.memory-mb": "4096",
    "yarn.scheduler.minimum-allocation-mb": "256",
    "yarn.nodemanager.vmem-check-enabled": "false",
    # The disk of a test machine may be nearly full.
    "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": "100",
    "yarn.nodemanager.delete.debug-delay-sec": "600",
}


@contextmanager
def yarn_cluster(directory: Path, hadoop: str, jars: Sequence[Path], settings: Mapping[str, str]) -> Iterator[Path]:
    """Runs one with `jars` on the class path of its daemons and `settings` in their core-site.xml; gives a HADOOP_CONF_DIR."""
    site = directory / "site"
    site.mkdir(parents=True)
    lines = [f"<property><name>{name}</name><value>{value}</value></property>" for name, value in settings.items()]
    (site / "core-site.xml").write_text(f"<configuration>{''.join(lines)}</configuration>")
    cluster_jars = [
        maven_jar(*coordinates) for coordinates in [("org.apache.hadoop", "hadoop-client-minicluster", hadoop), *UNSHADED[hadoop]]
    ]
    options = [f"-Duser.dir={directory}", "-Djava.net.preferIPv4Stack=true", f"-Djava.io.tmpdir={directory}"]
    with start_jvm(directory, [site, *jars, *cluster_jars], options) as java:
        configuration = java.jvm.org.apache.hadoop.yarn.conf.YarnConfiguration()
        for name, value in LIMITS.items():
            configuration.set(name, value)
        cluster = java.jvm.org.apache.hadoop.yarn.server.MiniYARNCluster("s3core", 1, 1, 1)
        cluster.init(configuration)
        cluster.start()
        try:
            conf = directory / "conf"
            conf.mkdir()
            output = java.jvm.java.io.FileOutputStream(str(conf / "yarn-site.xml"))
            cluster.getConfig().writeXml(output)
            output.close()
            yield conf
        finally:
            cluster.stop()
