"""YARN, with programs, jars and staging directory where the cluster's machines find them: on s3a."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyspark
import pytest

from support.endpoint import Bucket, Endpoint
from support.installation import Installation, install_spark, spark_settings
from support.proxy import Proxy
from support.yarn import yarn_cluster
from ways.conftest import Jobs

HADOOP = "3.5.0" if pyspark.__version__.startswith("4.2") else "3.3.4"


@dataclass(frozen=True)
class Yarn:
    """A cluster whose NodeManager has our jar, a Spark to submit from, and its HADOOP_CONF_DIR."""

    spark: Installation
    configuration: Path

    def submit(self, *arguments: str) -> str:
        packages = Path(pyspark.__file__).parents[1]  # PySpark from a wheel has no archives to send along
        environment = {"HADOOP_CONF_DIR": str(self.configuration), "PYSPARK_ARCHIVES_PATH": f"local:{packages}"}
        return self.spark.submit(["--master", "yarn", *arguments], environment)


@pytest.fixture(scope="module")
def yarn(tmp_path_factory: pytest.TempPathFactory, jar: Path, endpoint: Endpoint, proxy: Proxy) -> Iterator[Yarn]:
    directory = tmp_path_factory.mktemp("yarn")
    behind = Endpoint(proxy.url, endpoint.access_key, endpoint.secret_key)
    settings = {
        # Spark's own jars are on every machine here; what a job brings is not.
        "spark.yarn.jars": f"local:{Path(pyspark.__file__).parent}/jars/*",
        "spark.yarn.am.memory": "512m",
        "spark.executor.instances": "1",
        "spark.yarn.appMasterEnv.SPARK_LOCAL_IP": "127.0.0.1",
        "spark.executorEnv.SPARK_LOCAL_IP": "127.0.0.1",
    }
    spark = install_spark(directory / "home", [jar], spark_settings(behind.hadoop_settings()) | settings)
    with yarn_cluster(directory / "cluster", HADOOP, [jar], behind.hadoop_settings()) as configuration:
        yield Yarn(spark, configuration)


@pytest.mark.usefixtures("nothing_copied")
@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_jar_by_jars(yarn: Yarn, jar: Path, jobs: Jobs, bucket: Bucket, mode: str) -> None:
    """YARN puts the jar into each container: nothing is installed on the cluster for it."""
    staging = ["--conf", f"spark.yarn.stagingDir=file://{yarn.configuration.parent}/staging"]
    yarn.submit("--deploy-mode", mode, "--jars", str(jar), *staging, str(jobs.python), bucket.url(mode))
    jobs.check(bucket, mode)


def test_program_and_staging_directory_on_s3a(yarn: Yarn, jar: Path, jobs: Jobs, bucket: Bucket) -> None:
    """The NodeManager fetches everything from s3a, and refuses what has another time than when it was submitted."""
    bucket.write("programs/job.jar", jobs.jar.read_bytes())
    staging = ["--conf", f"spark.yarn.stagingDir={bucket.url('staging')}"]
    # The application master asks for the staging directory before it looks at the jars of the job; they lie beside it.
    staging += ["--conf", f"spark.driver.extraClassPath=./{jar.name}"]
    program = ["--class", "Job", bucket.url("programs/job.jar"), bucket.url("staged")]
    yarn.submit("--deploy-mode", "cluster", "--jars", str(jar), *staging, *program)
    jobs.check(bucket, "staged")
    assert bucket.objects("staging/") == {}


def test_jars_of_spark_on_s3a(yarn: Yarn, jar: Path, jobs: Jobs, bucket: Bucket) -> None:
    """spark.yarn.jars with a pattern: Spark takes the times from a listing, the NodeManager asks for each file's own."""
    bucket.write("spark/our.jar", jar.read_bytes())
    local = f"local:{Path(pyspark.__file__).parent}/jars/*"
    staging = ["--conf", f"spark.yarn.stagingDir={bucket.url('staging')}"]
    jars = ["--conf", f"spark.yarn.jars={local},{bucket.url('spark/*.jar')}"]
    yarn.submit("--deploy-mode", "cluster", *staging, *jars, "--class", "Job", str(jobs.jar), bucket.url("jars"))
    jobs.check(bucket, "jars")
