"""What Hadoop's and Spark's own defaults bind to the scheme s3a, and what a file system that is not S3AFileSystem has to undo.

The tests of the first half show each trap armed before our file system is used and cured after it, in one JVM, and what happens when the
cure is taken out of the jar; those of the second half put the whole of Spark through it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyspark
import pytest
from pyspark.sql import SparkSession

from support.endpoint import Bucket, Endpoint
from support.failure import failure_of
from support.jvm import Jvm, start_jvm
from support.maven import maven_jar
from support.session import spark_session

SPARK_4 = pyspark.__version__.startswith("4.")
BEFORE_4_1 = pyspark.__version__.startswith(("3.", "4.0."))
RESOURCES = ("s3core-default.xml", "s3core-file-context.xml")
S3A_FILE_CONTEXT = "org.apache.hadoop.fs.s3a.S3A"
S3A_FACTORY = "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory"


@pytest.fixture(params=["without hadoop-aws", "with hadoop-aws"])
def java(request: pytest.FixtureRequest, tmp_path: Path, jar: Path) -> Iterator[Jvm]:
    """Clusters often have hadoop-aws beside ours: then the traps do not end in a missing class but in S3A itself."""
    others = [maven_jar("org.apache.hadoop", "hadoop-aws", "3.5.0" if SPARK_4 else "3.3.4")] if request.param == "with hadoop-aws" else []
    with start_jvm(tmp_path, [jar, *others]) as running:
        yield running


def job_configuration(java: Jvm, endpoint: Endpoint) -> Any:
    """A JobConf: making one loads mapred-default.xml, as Spark does before its first write."""
    return java.jvm.org.apache.hadoop.mapred.JobConf(java.configuration(endpoint.hadoop_settings()))


def committer(java: Jvm, url: str, configuration: Any) -> Any:
    """The committer that FileOutputFormat would take for `url`."""
    library = java.jvm.org.apache.hadoop.mapreduce
    attempt = library.TaskAttemptID("20260101000000", 1, java.jvm.org.apache.hadoop.mapreduce.TaskType.MAP, 0, 0)
    context = library.task.TaskAttemptContextImpl(configuration, attempt)
    path = java.path(url)
    return library.lib.output.PathOutputCommitterFactory.getCommitterFactory(path, configuration).createOutputCommitter(path, context)


def file_context(java: Jvm, bucket: Bucket, configuration: Any) -> Any:
    return java.jvm.org.apache.hadoop.fs.FileContext.getFileContext(java.jvm.java.net.URI(bucket.url("")), configuration)


@pytest.mark.parametrize("explicit", [False, True], ids=["default", "set by Spark 4.1"])
def test_committer_factory(java: Jvm, endpoint: Endpoint, bucket: Bucket, explicit: bool) -> None:
    """Traps 1 and 4: mapred-default.xml names S3A's committer factory for s3a, and Spark from 4.1 on sets it once more, explicitly."""
    configuration = job_configuration(java, endpoint)
    key = "mapreduce.outputcommitter.factory.scheme.s3a"
    if explicit:
        configuration.set(key, S3A_FACTORY)
    assert configuration.get(key) == S3A_FACTORY  # the trap is armed

    assert java.path(bucket.url("")).getFileSystem(configuration) is not None
    found = committer(java, bucket.url("out"), configuration)
    # Spark asks a FileOutputCommitter for its work path; any other committer's tasks would write into the destination itself.
    assert java.load("org.apache.hadoop.mapreduce.lib.output.FileOutputCommitter").isInstance(found)


@pytest.fixture(scope="module")
def uncured(tmp_path_factory: pytest.TempPathFactory, jar: Path) -> Path:
    """Our jar with empty default resources, and without the class that core-default.xml names."""
    copy = tmp_path_factory.mktemp("uncured") / jar.name
    with zipfile.ZipFile(jar) as source, zipfile.ZipFile(copy, "w") as target:
        for entry in source.infolist():
            if entry.filename != S3A_FILE_CONTEXT.replace(".", "/") + ".class":
                target.writestr(entry, b"<configuration/>" if entry.filename in RESOURCES else source.read(entry))
    return copy


def test_the_traps_close_without_the_cure(tmp_path: Path, uncured: Path, endpoint: Endpoint, bucket: Bucket) -> None:
    """Or the tests of this file would prove nothing."""
    with start_jvm(tmp_path, [uncured]) as java:
        configuration = job_configuration(java, endpoint)
        assert java.path(bucket.url("")).getFileSystem(configuration) is not None
        assert S3A_FACTORY in failure_of(lambda: committer(java, bucket.url("out"), configuration)).text
        assert S3A_FILE_CONTEXT in failure_of(lambda: file_context(java, bucket, configuration)).text


def test_other_schemes_keep_their_committers(java: Jvm, endpoint: Endpoint, bucket: Bucket, tmp_path: Path) -> None:
    """Our factory answers for every scheme once it is bound, so it has to do there what Hadoop would have done."""
    configuration = job_configuration(java, endpoint)
    assert java.path(bucket.url("")).getFileSystem(configuration) is not None
    local = f"file://{tmp_path}/out"
    assert committer(java, local, configuration).getClass().getName() == "org.apache.hadoop.mapreduce.lib.output.FileOutputCommitter"

    # A factory that a user named for a scheme: it is asked, and complains in its own words about the class that nobody gave it.
    configuration.set("mapreduce.outputcommitter.factory.scheme.file", "org.apache.hadoop.mapreduce.lib.output.NamedCommitterFactory")
    assert "mapreduce.outputcommitter.named.classname" in failure_of(lambda: committer(java, local, configuration)).text


def test_parquet_keeps_a_committer_of_its_own_kind(java: Jvm, endpoint: Endpoint, bucket: Bucket) -> None:
    """Trap 4 for Parquet: Spark takes this class past the factory, and casts it."""
    configuration = java.configuration(endpoint.hadoop_settings())
    assert java.path(bucket.url("")).getFileSystem(configuration) is not None
    parquet = "org.apache.parquet.hadoop.ParquetOutputCommitter"
    chosen = configuration.get("spark.sql.parquet.output.committer.class", parquet)
    assert java.load(parquet).isAssignableFrom(java.load(chosen))


def test_file_context(java: Jvm, endpoint: Endpoint, bucket: Bucket) -> None:
    """Trap 3: core-default.xml binds FileContext to S3A whatever fs.s3a.impl says."""
    configuration = java.configuration(endpoint.hadoop_settings())
    assert java.path(bucket.url("")).getFileSystem(configuration) is not None
    context = file_context(java, bucket, configuration)
    assert context.getDefaultFileSystem().getClass().getName() == "org.s3core.hadoop.S3Core"
    before, after = (java.path(bucket.url(f"context/{name}")) for name in ("before", "after"))
    bucket.write("context/before", b"123")
    context.rename(before, after, java.array(java.jvm.org.apache.hadoop.fs.Options.Rename, []))
    assert context.getFileStatus(after).getLen() == 3
    assert bucket.objects("context/") == {"context/after": 3}
    assert context.delete(after, False)


def write_every_format(spark: SparkSession, bucket: Bucket, directory: str) -> None:
    frame = spark.range(100).selectExpr("id", "cast(id AS string) AS name")
    for file_format in ("csv", "json", "orc", "parquet", "text"):
        target = bucket.url(f"{directory}/{file_format}")
        (frame.select("name") if file_format == "text" else frame).write.format(file_format).save(target)
        assert spark.read.format(file_format).load(target).count() == 100
        assert f"{directory}/{file_format}/_SUCCESS" in bucket.objects(directory)
    spark.sparkContext.parallelize(range(100), 2).saveAsTextFile(bucket.url(f"{directory}/rdd"))
    assert spark.sparkContext.textFile(bucket.url(f"{directory}/rdd")).count() == 100
    assert [key for key in bucket.objects(directory) if "_temporary" in key or "__magic" in key] == []


@pytest.mark.parametrize("way", ["spark.jars", "spark.driver.extraClassPath"])
def test_every_format_however_the_jar_came(tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket, way: str) -> None:
    """Trap 1 in Spark: without the cure every format but Parquet fails, its committer factory being S3A's."""
    with spark_session(tmp_path, jar, endpoint, {"spark.jars": "", way: str(jar)}) as spark:
        write_every_format(spark, bucket, way)


def test_spark_with_the_magic_committer_bound_by_itself(tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket) -> None:
    """Trap 2: where spark-hadoop-cloud is on the class path, Spark binds S3A's magic committer; before 4.1 when one bucket asks for it."""
    later = ("2.13", "4.0.2" if BEFORE_4_1 else "4.1.2")  # there is none of 4.2.0
    scala, version = later if SPARK_4 else ("2.12", "3.5.7")
    cloud = maven_jar("org.apache.spark", f"spark-hadoop-cloud_{scala}", version)
    settings = {"spark.jars": f"{jar},{cloud}"}
    if BEFORE_4_1:
        settings[f"spark.hadoop.fs.s3a.bucket.{bucket.name}.committer.magic.enabled"] = "true"
    with spark_session(tmp_path, jar, endpoint, settings) as spark:
        protocol = spark.conf.get("spark.sql.sources.commitProtocolClass")
        assert protocol == "org.apache.spark.internal.io.cloud.PathOutputCommitProtocol"  # the trap is armed
        write_every_format(spark, bucket, "magic")
