"""Spark's Thrift server with an embedded metastore: tables on s3a by JDBC."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.daemon import daemon, wait_for_line
from support.endpoint import Bucket, Endpoint
from support.installation import Installation, install_spark, spark_settings
from support.proxy import Proxy


@dataclass(frozen=True)
class ThriftServer:
    """One that runs, asked by beeline."""

    spark: Installation
    port: int

    def run(self, *statements: str) -> list[str]:
        """Runs SQL in a connection of its own; gives the rows of all answers, columns separated by commas."""
        command = [str(self.spark.home / "bin" / "beeline"), "-u", f"jdbc:hive2://127.0.0.1:{self.port}/default"]
        command += ["--silent=true", "--outputformat=csv2", "--showHeader=false"]
        for statement in statements:
            command += ["-e", statement]
        environment = os.environ | {"SPARK_HOME": str(self.spark.home)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        # Answers to statements of -e come after a prompt.
        return [line.rpartition("> ")[2] for line in done.stdout.splitlines() if line]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, jar: Path, endpoint: Endpoint, bucket: Bucket, proxy: Proxy) -> Iterator[ThriftServer]:
    directory = tmp_path_factory.mktemp("thrift")
    behind = Endpoint(proxy.url, endpoint.access_key, endpoint.secret_key)
    settings = {
        "spark.sql.warehouse.dir": bucket.url("warehouse"),
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={directory}/metastore;create=true",
        "spark.driver.memory": "1g",
    }
    spark = install_spark(directory / "home", [jar], spark_settings(behind.hadoop_settings()) | settings)
    port, log = free_port(), directory / "server.log"
    main = "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"
    arguments = ["--master", "local[2]", "--class", main, "spark-internal"]
    arguments += ["--hiveconf", f"hive.server2.thrift.port={port}", "--hiveconf", "hive.server2.thrift.bind.host=127.0.0.1"]
    with daemon(spark.home, log, "org.apache.spark.deploy.SparkSubmit", arguments):
        wait_for_line(log, r"Starting ThriftBinaryCLIService on port", seconds=120)
        yield ThriftServer(spark, port)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.mark.usefixtures("nothing_copied")
def test_table_of_the_warehouse(server: ThriftServer, bucket: Bucket) -> None:
    server.run(
        "CREATE TABLE kept (id bigint, part int) USING parquet PARTITIONED BY (part)",
        "INSERT INTO kept SELECT id, CAST(id % 3 AS int) FROM range(100)",
    )
    assert server.run("SELECT count(*), sum(id) FROM kept WHERE part = 1") == ["33,1617"]
    assert len([key for key in bucket.objects("warehouse/kept/") if key.endswith(".parquet")]) >= 3


def test_table_of_hive(server: ThriftServer, bucket: Bucket) -> None:
    """Hive's own code moves what the job has written: it loads classes by a loader of its own."""
    server.run(
        f"CREATE TABLE hive_table (id bigint, name string) STORED AS TEXTFILE LOCATION '{bucket.url('hive')}'",
        "INSERT INTO hive_table SELECT id, concat('name ', id) FROM range(10)",
        "INSERT OVERWRITE TABLE hive_table SELECT id, 'new' FROM range(5)",
    )
    assert server.run("SELECT count(*), max(name) FROM hive_table") == ["5,new"]
    assert [key for key in bucket.objects("hive/") if "staging" in key] == []
