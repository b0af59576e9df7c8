"""Jobs of Spark with our committers, bound by nothing but `fs.s3a.impl`: what they write, and what it costs."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from support.endpoint import Bucket
from support.tables import PARTITIONS, ROWS, copies, numbers, overwrite, table, visible

FORMATS = ("csv", "json", "orc", "parquet", "text")


@pytest.mark.parametrize("file_format", FORMATS)
def test_static_write_copies_nothing(spark: SparkSession, bucket: Bucket, file_format: str) -> None:
    directory, before = f"static-{file_format}", copies(spark, bucket)
    frame = table(spark).selectExpr("cast(id AS string) AS id") if file_format == "text" else table(spark)
    for _ in range(2):
        frame.write.format(file_format).option("header", "true").mode("append").save(bucket.url(directory))
    column = "value" if file_format == "text" else "id"
    read = spark.read.format(file_format).option("header", "true").load(bucket.url(directory)).selectExpr(f"cast({column} AS bigint)")
    assert sorted(row[0] for row in read.collect()) == sorted([*range(ROWS), *range(ROWS)])
    assert copies(spark, bucket) == before
    assert [key for key in bucket.objects(f"{directory}/") if key.rsplit("/", 1)[-1].startswith("_")] == [f"{directory}/_SUCCESS"]
    assert bucket.uploads(f"{directory}/") == []


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_partitioned_write_copies_nothing(spark: SparkSession, bucket: Bucket, file_format: str) -> None:
    directory, before = f"partitioned-{file_format}", copies(spark, bucket)
    table(spark).write.format(file_format).option("header", "true").partitionBy("part").save(bucket.url(directory))
    read = spark.read.format(file_format).option("header", "true").load(bucket.url(directory))
    assert sorted(int(row[0]) for row in read.select("id").collect()) == list(range(ROWS))
    assert read.select("part").distinct().count() == PARTITIONS
    assert copies(spark, bucket) == before


def test_rdd_of_the_old_api_copies_nothing(spark: SparkSession, bucket: Bucket) -> None:
    before = copies(spark, bucket)
    spark.sparkContext.parallelize(range(ROWS), 4).saveAsTextFile(bucket.url("rdd"))
    assert sorted(int(line) for line in spark.sparkContext.textFile(bucket.url("rdd")).collect()) == list(range(ROWS))
    assert copies(spark, bucket) == before


def test_fifty_files_into_an_existing_partition(spark: SparkSession, bucket: Bucket) -> None:
    table(spark, 2).write.partitionBy("part").parquet(bucket.url("fifty"))
    before = set(visible(bucket, "fifty"))
    more = spark.range(ROWS, ROWS + 50, 1, 50).selectExpr("id", "3 AS part")
    more.write.mode("append").partitionBy("part").parquet(bucket.url("fifty"))
    after = set(visible(bucket, "fifty"))
    assert before < after
    assert len([key for key in after - before if "/part=3/" in key]) == 50
    assert numbers(spark, bucket, "fifty") == list(range(ROWS + 50))


def test_dynamic_overwrite_replaces_its_partitions_only(spark: SparkSession, bucket: Bucket) -> None:
    """One server-side copy for each new file, from the staging directory that Spark commits to; the rest is not touched."""
    table(spark).write.partitionBy("part").parquet(bucket.url("dynamic"))
    before, untouched = copies(spark, bucket), {key for key in visible(bucket, "dynamic") if "/part=2/" not in key}
    changed = spark.range(ROWS, ROWS + 10, 1, 2).selectExpr("id", "2 AS part")
    overwrite(changed, bucket.url("dynamic"))
    others = [number for number in range(ROWS) if number % 10 != 2]
    assert numbers(spark, bucket, "dynamic") == others + list(range(ROWS, ROWS + 10))
    assert copies(spark, bucket) - before == 2
    assert untouched <= set(visible(bucket, "dynamic"))
    assert [key for key in bucket.objects("dynamic/") if ".spark-staging" in key] == []


def test_custom_partition_location(spark: SparkSession, bucket: Bucket) -> None:
    """Such a file is written below .spark-staging and renamed to where its partition lies, by the driver."""
    spark.sql(f"CREATE TABLE placed (id bigint, part int) USING parquet PARTITIONED BY (part) LOCATION '{bucket.url('placed')}'")
    spark.sql(f"ALTER TABLE placed ADD PARTITION (part=1) LOCATION '{bucket.url('elsewhere/one')}'")
    spark.sql("INSERT INTO placed VALUES (10, 1), (20, 2)")
    assert len(visible(bucket, "elsewhere/one")) == 1
    assert len(visible(bucket, "placed/part=2")) == 1
    assert sorted(tuple(row) for row in spark.table("placed").collect()) == [(10, 1), (20, 2)]
