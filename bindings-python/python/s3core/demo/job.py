"""The steps of the job, in PySpark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions

from s3core.demo.source import DAY, KEPT_ORIGIN, MISSING, TABLES, Figures, Source, Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["Job"]


class Job:
    """Each step returns the number of rows it moved and what it found to differ from the source."""

    def __init__(self, spark: SparkSession, source: Source, base: str) -> None:
        self._spark = spark
        self._source = source
        self._base = base

    def write_flights(self) -> tuple[int, list[str]]:
        """Flights as Parquet, one directory for each day."""
        frame = self._from_source("flights")
        frame.write.partitionBy(*DAY).parquet(f"{self._base}/flights")
        return self._source.figures("flights").rows, []

    def write_others(self) -> tuple[int, list[str]]:
        """Weather as ORC, planes as JSON, airlines as CSV."""
        self._from_source("weather").write.orc(f"{self._base}/weather")
        self._from_source("planes").write.json(f"{self._base}/planes")
        self._from_source("airlines").write.csv(f"{self._base}/airlines", header=True)
        return sum(self._source.figures(name).rows for name in ("weather", "planes", "airlines")), []

    def read_back(self) -> tuple[int, list[str]]:
        """All four tables, compared with the files row by row: counts, sums of every number, checksum of the rows."""
        rows, differences = 0, []
        for name, table in TABLES.items():
            expected = self._source.figures(name)
            found = _figures(table, self._table(name))
            rows += found.rows
            differences += [f"{name}: {difference}" for difference in expected.differences(found)]
        return rows, differences

    def join(self) -> tuple[int, list[str]]:
        """Flights with airline, plane and weather, summed up by airline, written as Parquet and read back."""
        weather = self._table("weather").select("origin", "time_hour")
        planes = self._table("planes").select("tailnum", "seats")
        joined = (
            self._table("flights")
            .join(self._table("airlines"), "carrier")
            .join(weather, ["origin", "time_hour"])
            .join(planes, "tailnum", "left")
        )
        sums = [functions.count("*").alias("flights")] + [
            functions.sum(functions.coalesce(column, functions.lit(0))).alias(column)
            for column in ("seats", "distance", "arr_delay")
        ]
        path = f"{self._base}/by_airline"
        joined.groupBy("name").agg(*sums).write.parquet(path)
        found = {row["name"]: tuple(row)[1:] for row in self._spark.read.parquet(path).collect()}
        expected = self._source.by_airline()
        airlines = sorted(expected.keys() | found.keys())
        return sum(flights for flights, *_ in expected.values()), [
            f"{airline}: {found.get(airline)}, expected {expected.get(airline)}"
            for airline in airlines
            if expected.get(airline) != found.get(airline)
        ]

    def overwrite_day(self) -> tuple[int, list[str]]:
        """One day is replaced by a part of its flights; every other day must stay as it was."""
        is_day = " and ".join(f"{column} = {value}" for column, value in DAY.items())
        frame = self._from_source("flights").where(is_day).where(f"origin = '{KEPT_ORIGIN}'")
        writer = frame.write.mode("overwrite").option("partitionOverwriteMode", "dynamic")
        writer.partitionBy(*DAY).parquet(f"{self._base}/flights")
        kept, expected = self._source.figures_after_overwrite()
        return kept, expected.differences(_figures(TABLES["flights"], self._table("flights")))

    def _from_source(self, name: str) -> DataFrame:
        return self._spark.read.csv(
            self._source.path(name).as_uri(), header=True, schema=TABLES[name].schema, nullValue=MISSING
        )

    def _table(self, name: str) -> DataFrame:
        read = self._spark.read
        path = f"{self._base}/{name}"
        schema = TABLES[name].schema
        match name:
            case "flights":
                return read.parquet(path)
            case "weather":
                return read.orc(path)
            case "planes":
                return read.json(path, schema=schema)
            case _:
                return read.csv(path, header=True, schema=schema)


def _figures(table: Table, frame: DataFrame) -> Figures:
    """The figures of a DataFrame, found by Spark."""
    numeric = table.of_kind("INT", "DOUBLE")
    exact = [
        functions.coalesce(functions.col(column).cast("string"), functions.lit(MISSING))
        for column in table.of_kind("INT", "STRING")
    ]
    checksum = functions.sum(functions.crc32(functions.concat_ws("|", *exact).cast("binary")))
    columns = [functions.count("*"), checksum]
    columns += [functions.count(column) for column in numeric]
    columns += [functions.sum(column) for column in numeric]
    row = frame.agg(*columns).first()
    if row is None:
        return Figures(0, dict.fromkeys(numeric, 0), dict.fromkeys(numeric, 0), 0)
    rows, crc, *others = [value or 0 for value in row]
    counts, sums = others[: len(numeric)], others[len(numeric) :]
    return Figures(
        rows,
        dict(zip(numeric, counts, strict=True)),
        dict(zip(numeric, sums, strict=True)),
        crc,
    )
