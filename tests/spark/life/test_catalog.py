"""Partitions leave a Hive metastore before their files go, and are there again, as they were, when the files are."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from support.endpoint import Bucket, Endpoint
from support.life import Life
from support.proxy import Proxy

OLD = ("2020-01-01", "2020-02-29", "2020-12-31")
NEW = ("2090-01-01", "2090-01-02")
# What Hive and Spark write with escapes, or for a null.
COUNTRIES = ("de", "a/b:c d'e", None)
# Objects that were written within the last two seconds are not planned.
REST = 2.2


def policy(bucket: Bucket, datasets: dict[str, str | None], uri: str) -> str:
    """One dataset of daily partitions for each table, with its name in the catalog."""
    text = "version: 1\ndefaults: {settle: 0h, guard: {max_removed: none}}\ndatasets:\n"
    for name, table in datasets.items():
        catalog = f'    catalog: {{uri: "{uri}", table: {table}}}\n' if table else ""
        text += (
            f'  - name: {name}\n    location: {bucket.url(name)}/\n    age: {{from: partition, time: "{{day:%F}}"}}\n{catalog}'
            "    rules: [{name: drop, when: {older_than: 1y}, then: expire}]\n"
        )
    return text


class Table:
    """A table in the metastore, seen through Spark."""

    def __init__(self, spark: SparkSession, name: str) -> None:
        self.name = name
        self._spark = spark

    def partitions(self) -> list[str]:
        return sorted(row[0] for row in self._spark.sql(f"SHOW PARTITIONS {self.name}").collect())

    def rows(self) -> dict[str, int]:
        """Rows by day, read from the files."""
        query = f"SELECT day, count(*), sum(id) FROM {self.name} GROUP BY day"
        return {row[0]: row[1] for row in self._spark.sql(query).collect()}

    def entries(self) -> list[str]:
        """All that the metastore says of each partition, but when it was entered."""
        catalog = self._spark._jsparkSession.sharedState().externalCatalog()
        none = self._spark._jvm.scala.Option.empty()  # type: ignore[union-attr]
        text: str = catalog.listPartitions(*self.name.split("."), none).mkString("\0")
        return sorted(re.sub(r"Created Time: [^\n]*", "", entry) for entry in text.split("\0"))


@pytest.fixture(scope="module")
def database(spark: SparkSession) -> str:
    spark.sql("CREATE DATABASE lake")
    return "lake"


@pytest.fixture(scope="module")
def lake(bucket: Bucket) -> Bucket:
    """One bucket and its tables serve all tests here: each leaves them as they were."""
    return bucket


@pytest.fixture(scope="module")
def all_tables(spark: SparkSession, database: str, lake: Bucket) -> list[Table]:
    """A datasource table, and one of Hive's with a second column of partitions. Each has three rows a day."""
    days = ", ".join(f"'{day}'" for day in OLD + NEW)
    rows = spark.range(3).selectExpr("id", f"explode(array({days})) AS day")
    spark.sql(f"CREATE TABLE {database}.source (id BIGINT, day STRING) USING parquet PARTITIONED BY (day) LOCATION '{lake.url('source')}'")
    spark.sql(
        f"CREATE EXTERNAL TABLE {database}.serde (id BIGINT) PARTITIONED BY (country STRING, day STRING) "
        f"STORED AS PARQUET LOCATION '{lake.url('serde')}'"
    )
    rows.coalesce(1).write.insertInto(f"{database}.source")
    countries = spark.createDataFrame([(number, country) for number, country in enumerate(COUNTRIES)], "id LONG, country STRING")
    rows.join(countries, "id").select("id", "country", "day").coalesce(1).write.insertInto(f"{database}.serde")
    spark.sql(f"ANALYZE TABLE {database}.source PARTITION (day) COMPUTE STATISTICS")
    return [Table(spark, f"{database}.{name}") for name in ("source", "serde")]


@pytest.fixture
def tables(all_tables: list[Table], lake: Bucket, life: Life) -> Iterator[list[Table]]:
    """The tables, of which everything old is due again."""
    time.sleep(REST)
    yield all_tables
    for run in life.run("history", f"s3a://{lake.name}"):
        if run["state"] == "undone":
            life.say("release", run["run"], f"s3a://{lake.name}")  # which refuses one that had nothing to bring back


BOTH: dict[str, str | None] = {"source": "lake.source", "serde": "lake.serde"}


def only(partitions: list[str], days: tuple[str, ...]) -> list[str]:
    return [partition for partition in partitions if partition.rpartition("day=")[2] in days]


def test_partitions_go_and_come_back(tables: list[Table], lake: Bucket, life: Life, metastore: str) -> None:
    life.policy(policy(lake, BOTH, metastore))
    before = [(table.partitions(), table.rows(), table.entries()) for table in tables]
    assert [len(partitions) for partitions, _, _ in before] == [5, 15]
    assert [rows for _, rows, _ in before] == [dict.fromkeys(OLD + NEW, 3)] * 2
    assert "3 rows" in before[0][2][0]  # what ANALYZE has counted, in parameters of the partition

    run = life.run("apply", "policy.yaml", "--yes")
    assert (run["actions"]["expire"]["units"], run["left"]) == (12, [])
    for table, (partitions, _, _) in zip(tables, before, strict=True):
        assert table.partitions() == only(partitions, NEW)
        assert table.rows() == dict.fromkeys(NEW, 3)

    life.run("undo", run["run"], "policy.yaml")
    assert [(table.partitions(), table.rows(), table.entries()) for table in tables] == before


def test_what_stays_in_the_bucket_stays_in_the_metastore(
    spark: SparkSession, tables: list[Table], lake: Bucket, life: Life, metastore: str
) -> None:
    """A unit that changed since it was planned, and a partition whose files lie elsewhere."""
    source = tables[0]
    life.policy(policy(lake, {"source": "lake.source"}, metastore))
    (file,) = [key for key in lake.objects(f"source/day={OLD[2]}/") if key.endswith(".parquet")]
    lake.write(file.replace("source/", "elsewhere/"), lake.read(file))
    spark.sql(f"ALTER TABLE {source.name} PARTITION (day='{OLD[2]}') SET LOCATION '{lake.url(f'elsewhere/day={OLD[2]}')}'")
    before = (source.partitions(), source.entries())
    life.run("plan", "policy.yaml", "--out", "plan.jsonl")
    lake.write(f"source/day={OLD[1]}/part-new.parquet", lake.read(file))

    run = life.run("apply", "--plan", "plan.jsonl", "--yes")
    reasons = {left["unit"]: left["reason"] for left in run["left"]}
    assert reasons.keys() == {f"source/day={OLD[1]}/", f"source/day={OLD[2]}/"}
    assert "came after the plan" in reasons[f"source/day={OLD[1]}/"]
    assert f"lies at {lake.url('elsewhere')}/day={OLD[2]} and stays" in reasons[f"source/day={OLD[2]}/"]
    assert source.partitions() == [f"day={day}" for day in sorted((*OLD[1:], *NEW))]
    # What was dropped for a moment is as it was.
    assert set(source.entries()) < set(before[1])
    assert lake.objects(f"source/day={OLD[2]}/") == {}
    life.run("undo", run["run"], "policy.yaml")
    assert (source.partitions(), source.entries()) == before
    spark.sql(f"ALTER TABLE {source.name} PARTITION (day='{OLD[2]}') SET LOCATION '{lake.url(f'source/day={OLD[2]}')}'")
    lake.client.delete_object(Bucket=lake.name, Key=f"source/day={OLD[1]}/part-new.parquet")


def test_a_held_unit_is_gone_from_the_table(tables: list[Table], lake: Bucket, life: Life, metastore: str) -> None:
    """It waits in its place, since a key is too long to be copied below the trash's prefix; undo cancels that."""
    source = tables[0]
    life.policy(policy(lake, {"source": "lake.source"}, metastore))
    before = (source.partitions(), source.rows(), source.entries())
    long = f"source/day={OLD[0]}/" + "/".join(letter * 240 for letter in "wxyz")
    lake.write(long, b"not a file of the table")
    time.sleep(REST)
    files = lake.objects(f"source/day={OLD[0]}/")
    run = life.run("apply", "policy.yaml", "--yes")
    assert (run["actions"]["held"]["units"], run["actions"]["expire"]["units"]) == (1, 2)
    assert (source.partitions(), lake.objects(f"source/day={OLD[0]}/")) == ([f"day={day}" for day in NEW], files)
    life.run("undo", run["run"], "policy.yaml")
    assert (source.partitions(), source.rows(), source.entries()) == before
    lake.client.delete_object(Bucket=lake.name, Key=long)


def test_a_held_unit_that_was_written_to_is_a_partition_again(
    spark: SparkSession, database: str, lake: Bucket, life: Life, metastore: str
) -> None:
    """Two are held, and one of them has changed when the trash is emptied: it stays, and is shown again. The other one goes."""
    table, days = Table(spark, f"{database}.held"), OLD[:2]
    location = lake.url("held")
    spark.sql(f"CREATE TABLE {table.name} (id BIGINT, day STRING) USING parquet PARTITIONED BY (day) LOCATION '{location}'")
    rows = spark.range(3).selectExpr("id", f"explode(array('{days[0]}', '{days[1]}')) AS day")
    rows.coalesce(1).write.insertInto(table.name)
    for day in days:
        lake.write(f"held/day={day}/" + "/".join(letter * 250 for letter in "wxyz"), b"not a file of the table")
    life.policy(policy(lake, {"held": table.name}, metastore).replace("settle: 0h", "settle: 0h, trash: 0h"))
    entries = table.entries()
    time.sleep(REST)
    run = life.run("apply", "policy.yaml", "--yes")
    assert (run["actions"]["held"]["units"], table.partitions()) == (2, [])
    (file,) = [key for key in lake.objects(f"held/day={days[1]}/") if key.endswith(".parquet")]
    lake.write(file.replace("part-", "part-new-"), lake.read(file))
    emptied = life.run("apply", "policy.yaml", "--yes")
    assert [left["unit"] for left in emptied["left"]] == [f"held/day={days[1]}/"]
    assert (table.partitions(), table.rows()) == ([f"day={days[1]}"], {days[1]: 6})
    assert set(table.entries()) < set(entries)
    assert lake.objects(f"held/day={days[0]}/") == {}
    spark.sql(f"DROP TABLE {table.name}")


@pytest.mark.parametrize("ends_by", ["undo", "apply"])
def test_a_killed_run_brings_everything_back(  # noqa: PLR0913, PLR0917
    tables: list[Table], lake: Bucket, life: Life, metastore: str, proxy: Proxy, ends_by: str
) -> None:
    """Killed when all partitions are dropped and no file has moved; ended by another process, undone by a third."""
    life.policy(policy(lake, BOTH, metastore))
    before = [(table.partitions(), table.rows(), table.entries()) for table in tables]
    copies = proxy.hold(lambda request: request.is_copy)
    endpoint = Endpoint(proxy.url, life.endpoint.access_key, life.endpoint.secret_key)
    process = life.start("apply", "policy.yaml", "--yes", "--lease-seconds", "5", endpoint=endpoint)
    copies.wait_for_one(60)
    assert [table.partitions() for table in tables] == [only(partitions, NEW) for partitions, _, _ in before]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    copies.drop()
    run = life.run("history", "policy.yaml")[0]
    if ends_by == "apply":
        ended = life.run("apply", "policy.yaml", "--yes", "--lease-seconds", "5", "--wait-seconds", "60")
        assert (ended["run"], ended["actions"]["expire"]["units"]) == (run["run"], 12)
        assert [table.rows() for table in tables] == [dict.fromkeys(NEW, 3)] * 2
    life.run("undo", run["run"], "policy.yaml", "--lease-seconds", "5", "--wait-seconds", "60")
    assert [(table.partitions(), table.rows(), table.entries()) for table in tables] == before


def test_partitions_come_back_after_their_files(tables: list[Table], lake: Bucket, life: Life, metastore: str, proxy: Proxy) -> None:
    life.policy(policy(lake, BOTH, metastore))
    run = life.run("apply", "policy.yaml", "--yes")
    copies = proxy.hold(lambda request: request.is_copy)
    endpoint = Endpoint(proxy.url, life.endpoint.access_key, life.endpoint.secret_key)
    process = life.start("undo", run["run"], "policy.yaml", endpoint=endpoint)
    copies.wait_for_one(60)
    assert [table.rows() for table in tables] == [dict.fromkeys(NEW, 3)] * 2
    copies.release()
    assert process.wait(timeout=60) == 0
    assert [table.rows() for table in tables] == [dict.fromkeys(OLD + NEW, 3)] * 2


def test_what_cannot_be_dropped_safely_is_refused(
    spark: SparkSession, tables: list[Table], lake: Bucket, life: Life, metastore: str
) -> None:
    spark.sql("CREATE TABLE lake.managed (id BIGINT, day STRING) USING parquet PARTITIONED BY (day)")
    spark.sql("CREATE TABLE lake.whole (id BIGINT) USING parquet LOCATION '" + lake.url("whole") + "'")
    objects = lake.objects("")
    for table, uri, part in [
        ("lake.managed", metastore, "is MANAGED_TABLE, and s3life drops partitions of external tables only"),
        ("lake.whole", metastore, "is not partitioned"),
        ("lake.missing", metastore, "has no table lake.missing"),
        ("lake.source", "thrift://127.0.0.1:9", "thrift://127.0.0.1:9 cannot be reached"),
        ("lake.source", life.endpoint.url.replace("http", "thrift"), "does not answer"),
    ]:
        life.policy(policy(lake, {"source": table}, uri))
        said = life.say("apply", "policy.yaml", "--yes")
        assert said.status == 1, said
        assert part in said.error, said
    assert lake.objects("") == objects
    assert len(tables[0].partitions()) == 5
    spark.sql("DROP TABLE lake.managed")
    spark.sql("DROP TABLE lake.whole")


def test_without_a_catalog_the_sql_is_beside_the_plan(spark: SparkSession, tables: list[Table], lake: Bucket, life: Life) -> None:
    life.policy(policy(lake, dict.fromkeys(BOTH), ""))
    before = [(table.partitions(), table.rows()) for table in tables]
    life.run("plan", "policy.yaml", "--out", "plan.jsonl")

    def execute(script: str) -> None:
        lines = (life.directory / script).read_text().splitlines()
        statements = [line.rstrip(";") for line in lines if not line.startswith("--")]
        assert len(statements) == 12
        for statement in statements:
            spark.sql(statement)

    spark.sql("USE lake")
    execute("plan.sql")
    assert [table.partitions() for table in tables] == [only(partitions, NEW) for partitions, _ in before]
    run = life.run("apply", "--plan", "plan.jsonl", "--yes")
    assert [table.rows() for table in tables] == [dict.fromkeys(NEW, 3)] * 2
    life.run("undo", run["run"], "policy.yaml")
    execute("plan.undo.sql")
    assert [(table.partitions(), table.rows()) for table in tables] == before
    spark.sql("USE default")
