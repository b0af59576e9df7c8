"""Our jar beside stock S3A, HDFS and local files, with `fs.s3a.impl` as Hadoop has it: nothing is other than without our jar."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.endpoint import Bucket, Endpoint, setting
from support.hdfs import hdfs_cluster
from support.installation import install_spark, spark_settings
from support.maven import maven_jars
from support.trust import trust_store

HERE = Path(__file__).parent
# Spark has these itself.
OF_SPARK = ["io.netty", "org.slf4j", "commons-codec", "commons-logging", "org.apache.httpcomponents", "com.google.code.findbugs"]
PROTOCOL = "org.apache.spark.internal.io.cloud.PathOutputCommitProtocol"
# Ours answers FileContext for whatever fs.s3a.impl is.
FILE_CONTEXT = {f"fs.AbstractFileSystem.{scheme}.impl" for scheme in ("s3a", "s3core")}


@dataclass(frozen=True)
class Seen:
    """What the same job saw with our jar in SPARK_HOME/jars, and without it."""

    beside: dict[str, Any]
    alone: dict[str, Any]


@pytest.fixture(scope="module")
def hdfs(tmp_path_factory: pytest.TempPathFactory, jar: Path) -> Iterator[str]:
    with hdfs_cluster(tmp_path_factory.mktemp("hdfs") / "cluster", "3.4.1", [jar]) as url:
        yield url


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, jar: Path, bucket: Bucket, hdfs: str) -> Seen:
    directory = tmp_path_factory.mktemp("neighbour")
    return Seen(run(directory / "beside", [jar], bucket, hdfs), run(directory / "alone", [], bucket, hdfs))


def run(directory: Path, ours: list[Path], bucket: Bucket, hdfs: str) -> dict[str, Any]:
    # Over plain HTTP, S3A with this SDK cannot write to a Radosgw.
    endpoint = Endpoint.from_environment("S3CORE_TEST_TLS_ENDPOINT")
    hadoop = {name: value for name, value in endpoint.hadoop_settings().items() if name != "fs.s3a.impl"}
    hadoop |= {"fs.s3a.path.style.access": "true", "fs.s3a.endpoint.region": "us-east-1", "fs.s3a.committer.name": "magic"}
    hadoop |= {"mapreduce.outputcommitter.factory.scheme.s3a": "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory"}
    settings = spark_settings(hadoop) | {
        "spark.sql.sources.commitProtocolClass": PROTOCOL,
        "spark.sql.parquet.output.committer.class": "org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter",
        "spark.sql.warehouse.dir": str(directory.parent / "warehouse"),
        "spark.driver.memory": "1g",
    }
    spark = install_spark(directory / "home", [*ours, *maven_jars(HERE / "pom.xml", OF_SPARK)], settings)
    trusted = trust_store(directory, Path(setting("S3CORE_TEST_CA_FILE")), "PKCS12").java_options()
    targets = {"s3a": bucket.url(directory.name), "hdfs": f"{hdfs}/{directory.name}", "file": f"file://{directory}/out"}
    result = directory / "seen.json"
    arguments = ["--master", "local[2]", "--driver-java-options", " ".join(trusted), str(HERE / "job.py")]
    spark.submit([*arguments, json.dumps(targets), str(result)], seconds=500)
    answer: dict[str, Any] = json.loads(result.read_text())
    return answer


def test_jobs_work_and_their_file_systems_are_those_of_hadoop(seen: Seen) -> None:
    assert {scheme: seen.beside[scheme] for scheme in ("s3a", "hdfs", "file")} == {
        "s3a": {"rows": 500500, "class": "org.apache.hadoop.fs.s3a.S3AFileSystem", "renamed": 10, "committed": True},
        "hdfs": {"rows": 500500, "class": "org.apache.hadoop.hdfs.DistributedFileSystem", "renamed": 10, "committed": False},
        "file": {"rows": 500500, "class": "org.apache.hadoop.hive.ql.io.ProxyLocalFileSystem", "renamed": 10, "committed": False},
    }
    assert [seen.beside[scheme] for scheme in ("s3a", "hdfs", "file")] == [seen.alone[scheme] for scheme in ("s3a", "hdfs", "file")]


@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize("file_format", ["parquet", "text"])
def test_the_magic_committer_has_committed(bucket: Bucket, file_format: str) -> None:
    for directory in ("beside", "alone"):
        assert json.loads(bucket.read(f"{directory}/{file_format}/_SUCCESS"))["committer"] == "magic"


def test_no_option_has_another_value(seen: Seen) -> None:
    beside, alone = seen.beside["configuration"], seen.alone["configuration"]
    different = {name for name in beside.keys() | alone.keys() if beside.get(name) != alone.get(name)}
    assert beside.keys() >= FILE_CONTEXT
    assert {name for name in different if not name.startswith("spark.")} <= FILE_CONTEXT


def test_nothing_native_is_loaded(seen: Seen) -> None:
    assert not seen.beside["native"]
