"""Spark's other commit protocol, which spark-hadoop-cloud brings and Spark from 4.1 on binds by itself."""

from __future__ import annotations

from pathlib import Path

import pyspark

from support.endpoint import Bucket, Endpoint
from support.failure import failure_of
from support.maven import maven_jar
from support.session import spark_session
from support.tables import ROWS, copies, numbers, overwrite, table


def test_path_output_commit_protocol(tmp_path: Path, jar: Path, endpoint: Endpoint, bucket: Bucket) -> None:
    """Static writes commit through ours. A dynamic overwrite replaces its partitions where Spark has SPARK-56588, as 4.0.4 and 4.2.0
    do; elsewhere it would keep the old files, and is refused with the remedy."""
    release = tuple(int(number) for number in pyspark.__version__.split("."))
    scala, version = ("2.13", "4.1.2") if release >= (4, 0) else ("2.12", "3.5.7")
    cloud = maven_jar("org.apache.spark", f"spark-hadoop-cloud_{scala}", version)
    settings = {
        "spark.jars": f"{jar},{cloud}",
        "spark.sql.sources.commitProtocolClass": "org.apache.spark.internal.io.cloud.PathOutputCommitProtocol",
        "spark.sql.parquet.output.committer.class": "org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter",
    }
    with spark_session(tmp_path, jar, endpoint, settings) as spark:
        table(spark).write.partitionBy("part").parquet(bucket.url("protocol"))
        assert numbers(spark, bucket, "protocol") == list(range(ROWS))
        assert copies(spark, bucket) == 0
        if release >= (4, 0, 4):
            overwrite(table(spark).where("part < 2"), bucket.url("protocol"))
        else:
            failure = failure_of(lambda: overwrite(table(spark).where("part < 2"), bucket.url("protocol")))
            assert "spark.sql.sources.commitProtocolClass" in failure.text
            assert "SQLHadoopMapReduceCommitProtocol" in failure.text
        assert numbers(spark, bucket, "protocol") == list(range(ROWS))
        table(spark).where("part < 2").write.mode("append").partitionBy("part").parquet(bucket.url("protocol"))
        assert len(numbers(spark, bucket, "protocol")) == ROWS + ROWS // 5
