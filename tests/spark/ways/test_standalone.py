"""A standalone cluster of two workers: drivers on the submitting machine and in the cluster, programs and files from s3a."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.endpoint import Bucket, Endpoint
from support.installation import Installation, install_spark, spark_settings
from support.jvm import MODULE_OPTIONS
from support.proxy import Proxy
from support.standalone import standalone_cluster
from ways.conftest import Jobs

EXTRAS_JOB = """
import sys
from pyspark import SparkFiles
from pyspark.sql import SparkSession

import helper

spark = SparkSession.builder.appName("extras").getOrCreate()


def row(number):
    import helper

    with open(SparkFiles.get("plain.txt")) as plain, open(SparkFiles.get("packed") + "/inner.txt") as inner:
        return f"{helper.double(number)} {plain.read()} {inner.read()}"


assert helper.double(1) == 2
spark.sparkContext.parallelize(range(2), 2).map(row).saveAsTextFile(sys.argv[1])
spark.stop()
"""


@dataclass(frozen=True)
class Cluster:
    """A standalone cluster and a Spark to submit from."""

    master: str
    spark: Installation

    def submit(self, *arguments: str) -> None:
        self.spark.submit(["--master", self.master, *arguments])


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory, jar: Path, endpoint: Endpoint, proxy: Proxy) -> Iterator[dict[str, Cluster]]:
    """One that has our jar in its jars/, and one that has never heard of us."""
    settings = spark_settings(Endpoint(proxy.url, endpoint.access_key, endpoint.secret_key).hadoop_settings())
    with ExitStack() as stack:
        running = {}
        for name, jars in {"installed": [jar], "bare": []}.items():
            directory = tmp_path_factory.mktemp(name)
            spark = install_spark(directory / "home", jars, settings)
            # A driver in the cluster takes a core and memory of its own.
            master = stack.enter_context(standalone_cluster(directory, cores=2, memory="2g", home=spark.home))
            running[name] = Cluster(master, spark)
        yield running


@pytest.mark.usefixtures("nothing_copied")
@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_program_in_java_on_s3a(clusters: dict[str, Cluster], jobs: Jobs, bucket: Bucket, mode: str) -> None:
    """In cluster mode a worker fetches the program and starts the driver. Spark's standalone clusters take no Python programs that way."""
    bucket.write("programs/job.jar", jobs.jar.read_bytes())
    options = ["--deploy-mode", mode, "--conf", "spark.standalone.submit.waitAppCompletion=true"]
    # Spark 3.5 starts such a driver without the options that it needs itself on Java 17.
    options += ["--conf", f"spark.driver.extraJavaOptions={' '.join(MODULE_OPTIONS)}"]
    clusters["installed"].submit(*options, "--class", "Job", bucket.url("programs/job.jar"), bucket.url(mode))
    jobs.check(bucket, mode)


@pytest.mark.usefixtures("nothing_copied")
def test_jar_named_by_the_job(clusters: dict[str, Cluster], jar: Path, jobs: Jobs, bucket: Bucket) -> None:
    """Neither the workers nor the Spark to submit from has it."""
    clusters["bare"].submit("--jars", str(jar), str(jobs.python), bucket.url("named"))
    jobs.check(bucket, "named")


@pytest.mark.usefixtures("nothing_copied")
@pytest.mark.parametrize("way", ["SPARK_HOME/jars", "extraClassPath"])
def test_program_and_all_it_needs_on_s3a(clusters: dict[str, Cluster], tmp_path: Path, jar: Path, bucket: Bucket, way: str) -> None:
    """Spark asks for main file, modules, archives and files before it looks at --jars, here and in each executor."""
    inner = tmp_path / "inner.txt"
    inner.write_text("packed")
    with tarfile.open(tmp_path / "packed.tar.gz", "w:gz") as archive:
        archive.add(inner, "inner.txt")
    bucket.write("extras/main.py", EXTRAS_JOB.encode())
    bucket.write("extras/helper.py", b"def double(number):\n    return 2 * number\n")
    bucket.write("extras/packed.tar.gz", (tmp_path / "packed.tar.gz").read_bytes())
    bucket.write("extras/plain.txt", b"plain")
    extras = ["--py-files", bucket.url("extras/helper.py"), "--archives", bucket.url("extras/packed.tar.gz#packed")]
    extras += ["--conf", f"spark.files={bucket.url('extras/plain.txt')}"]
    directory = f"extras-{way.replace('/', '-')}"
    program = [*extras, bucket.url("extras/main.py"), bucket.url(directory)]
    if way == "extraClassPath":  # where the jar lies at the same place on every machine
        class_path = ["--driver-class-path", str(jar), "--conf", f"spark.executor.extraClassPath={jar}"]
        clusters["bare"].submit(*class_path, *program)
    else:
        clusters["installed"].submit(*program)
    lines = [bucket.read(key).decode() for key in bucket.objects(f"{directory}/part-")]
    assert sorted("".join(lines).splitlines()) == ["0 plain packed", "2 plain packed"]
