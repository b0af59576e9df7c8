"""Every file format of Spark, written and read back equal."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from support.endpoint import Bucket

ROWS = 1000
COLUMNS = "id long, part int, name string, amount double, price decimal(12,3), day date, moment timestamp, flag boolean"
# CSV cannot tell an empty string from null, and text holds one string: the data has neither nulls nor empty strings where they cannot.
FLAT_FORMATS = ["parquet", "orc", "json", "csv"]


def flat_rows() -> list[Row]:
    start = datetime.datetime(2024, 2, 28, 12, 0, 0)
    return [
        Row(
            id=number,
            part=number % 4,
            name=f'name {number} \u00e4\u20ac\U0001f600, "quoted"',
            amount=number / 7,
            price=Decimal(number) / 8,
            day=(start + datetime.timedelta(days=number)).date(),
            moment=start + datetime.timedelta(minutes=number),
            flag=None if number % 5 == 0 else number % 2 == 0,
        )
        for number in range(ROWS)
    ]


@pytest.fixture(scope="module")
def flat(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(flat_rows(), COLUMNS).repartition(3).cache()


def rows_of(frame: DataFrame) -> list[Row]:
    return frame.select("id", "part", "name", "amount", "price", "day", "moment", "flag").sort("id").collect()


@pytest.mark.parametrize("file_format", FLAT_FORMATS)
def test_what_is_written_is_read(spark: SparkSession, flat: DataFrame, bucket: Bucket, file_format: str) -> None:
    target = bucket.url(f"flat/{file_format}")
    flat.write.format(file_format).save(target)
    assert rows_of(spark.read.schema(COLUMNS).format(file_format).load(target)) == rows_of(flat)
    assert {key.rsplit("/", 1)[1] for key in bucket.objects(f"flat/{file_format}/")} >= {"_SUCCESS"}
    assert len(bucket.objects(f"flat/{file_format}/part-")) == 3


@pytest.mark.parametrize("file_format", FLAT_FORMATS)
def test_partitioned_and_found_by_partition(spark: SparkSession, flat: DataFrame, bucket: Bucket, file_format: str) -> None:
    target = bucket.url(f"partitioned/{file_format}")
    flat.write.partitionBy("part").format(file_format).save(target)
    read = spark.read.schema(COLUMNS).format(file_format).load(target)
    assert rows_of(read) == rows_of(flat)
    assert rows_of(read.where("part = 2")) == rows_of(flat.where("part = 2"))
    assert len(bucket.objects(f"partitioned/{file_format}/part=2/")) == 3


@pytest.mark.parametrize("file_format", ["parquet", "orc", "json"])
def test_nested_columns(spark: SparkSession, bucket: Bucket, file_format: str) -> None:
    nested = spark.range(ROWS).selectExpr(
        "id",
        "array(id, id + 1) AS numbers",
        "named_struct('text', cast(id AS string), 'half', id / 2) AS pair",
        "map(cast(id AS string), id) AS lookup",
    )
    target = bucket.url(f"nested/{file_format}")
    nested.write.format(file_format).save(target)
    assert spark.read.schema(nested.schema).format(file_format).load(target).sort("id").collect() == nested.sort("id").collect()


def test_text(spark: SparkSession, bucket: Bucket) -> None:
    lines = [f"line {number} \u00e4" for number in range(ROWS)]
    spark.createDataFrame([Row(value=line) for line in lines]).repartition(3).write.text(bucket.url("text"))
    assert sorted(row.value for row in spark.read.text(bucket.url("text")).collect()) == sorted(lines)


@pytest.mark.parametrize("codec", [None, "org.apache.hadoop.io.compress.GzipCodec"])
def test_rdd_as_text_file(spark: SparkSession, bucket: Bucket, codec: str | None) -> None:
    """The old output API: it asks for mapred.output.committer.class, not for the committer factory."""
    directory = "rdd-compressed" if codec else "rdd"
    lines = [f"line {number}" for number in range(ROWS)]
    spark.sparkContext.parallelize(lines, 3).saveAsTextFile(bucket.url(directory), codec)
    assert sorted(spark.sparkContext.textFile(bucket.url(directory)).collect()) == sorted(lines)
    assert len(bucket.objects(f"{directory}/part-")) == 3


def test_append_adds_and_overwrite_replaces(spark: SparkSession, flat: DataFrame, bucket: Bucket) -> None:
    target = bucket.url("modes")
    flat.write.parquet(target)
    flat.write.mode("append").parquet(target)
    assert spark.read.parquet(target).count() == 2 * ROWS
    flat.where("part = 1").write.mode("overwrite").parquet(target)
    assert rows_of(spark.read.parquet(target)) == rows_of(flat.where("part = 1"))


def test_dynamic_overwrite_replaces_only_the_partitions_it_writes(spark: SparkSession, flat: DataFrame, bucket: Bucket) -> None:
    target = bucket.url("dynamic")
    flat.write.partitionBy("part").parquet(target)
    untouched = bucket.objects("dynamic/part=0/") | bucket.objects("dynamic/part=3/")
    changed = flat.where("part IN (1, 2)").withColumn("amount", F.col("amount") * 2)
    changed.write.mode("overwrite").option("partitionOverwriteMode", "dynamic").partitionBy("part").parquet(target)
    assert rows_of(spark.read.parquet(target)) == rows_of(flat.where("part IN (0, 3)").unionByName(changed))
    assert bucket.objects("dynamic/part=0/") | bucket.objects("dynamic/part=3/") == untouched
    assert [key for key in bucket.objects("dynamic/") if "spark-staging" in key] == []


def test_nothing_temporary_stays(spark: SparkSession, flat: DataFrame, bucket: Bucket) -> None:
    flat.write.partitionBy("part").parquet(bucket.url("clean"))
    assert [key for key in bucket.objects("clean/") if "_temporary" in key] == []
    status = spark._jvm.org.apache.hadoop.fs.Path(bucket.url("clean"))  # type: ignore[union-attr]
    entries = status.getFileSystem(spark._jsc.hadoopConfiguration()).listStatus(status)
    assert sorted(entry.getPath().getName() for entry in entries) == ["_SUCCESS", "part=0", "part=1", "part=2", "part=3"]
