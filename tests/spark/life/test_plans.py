"""What is due of tables that Spark has written, beside what Python's calendar says. Nothing here is computed by s3life."""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from pyspark.sql import SparkSession

from support.endpoint import Bucket, Endpoint
from support.life import Life

# 400 days with the last of February of a leap year, and with months of every length.
DAYS = [date(2095, 3, 1) + timedelta(days=number) for number in range(400)]
# What was written within the last two seconds is not planned, whatever the time that ages are counted to.
REST = 2.2
NULL = "__HIVE_DEFAULT_PARTITION__"
ZONES = ("UTC", "Pacific/Auckland", "America/New_York")
# It is March 31 in New York, and April 1 everywhere else; in Auckland the last day of summer time.
NOW = datetime(2096, 4, 1, 3, 30, tzinfo=UTC)


def after(moment: datetime, months: int) -> datetime:
    """The same time of day so many months later, on the last day of a month that has no such day."""
    months += moment.month - 1
    year, month = moment.year + months // 12, months % 12 + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))


def midnight_behind(day: date, zone: str) -> datetime:
    """When a day ends."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), ZoneInfo(zone))


def is_over(moment: datetime) -> bool:
    return moment.astimezone(UTC) <= NOW


def month_ends(days: Iterable[date]) -> set[date]:
    """The last of these days in each month, whether or not that is the month's last day."""
    ordered = sorted(days)
    return {day for day, following in pairwise(ordered) if day.month != following.month} | {ordered[-1]}


POLICY = """
version: 1
zone: ZONE
defaults: {guard: {max_removed: none}}
hold:
  - {path: "s3a://BUCKET/daily/day=2095-05-17/", reason: audit, owner: risk}
datasets:
  - name: daily
    location: s3a://BUCKET/daily/
    age: {from: partition, time: "{day:%Y-%m-%d}"}
    rules:
      - {name: drop, when: {older_than: 1mo}, keep: {newest: 45, of: partition}, then: expire}
      - {name: ends, keep: {last_of: month, for: 7mo}}
  - name: leap
    location: s3a://BUCKET/leap/
    age: {from: partition, time: "{day:%Y%m%d}"}
    rules: [{name: drop, when: {older_than: 1mo}, then: expire}]
  - name: hourly
    location: s3a://BUCKET/hourly/
    age: {from: partition, time: "{day:%F} {hour}"}
    rules: [{name: drop, when: {older_than: 36h}, then: expire}]
  - name: three
    location: s3a://BUCKET/three/
    age: {from: partition, time: "{year}-{month}-{day}"}
    rules: [{name: drop, when: {older_than: 2w}, then: expire}]
  - name: two
    location: s3a://BUCKET/two/
    age: {from: partition, time: "{month:%Y-%m}-{day:%d}"}
    rules: [{name: drop, when: {older_than: 10d}, then: expire}]
  - name: minutes
    location: s3a://BUCKET/minutes/
    age: {from: partition, time: "{ts:%Y-%m-%d %H:%M}"}
    rules: [{name: drop, when: {older_than: 1d}, then: expire}]
"""


@pytest.fixture(scope="module")
def tables(spark: SparkSession, endpoint: Endpoint) -> Iterator[Bucket]:
    """One dataset each, one file a partition."""
    bucket = endpoint.new_bucket()

    def write(name: str, columns: str, values: Iterable[tuple[object, ...]]) -> None:
        rows = spark.createDataFrame(list(values), columns).repartition(2, *[column.split()[0] for column in columns.split(", ")])
        partitions = [column.split()[0] for column in columns.split(", ")]
        rows.selectExpr("1 AS id", *partitions).write.partitionBy(*partitions).parquet(bucket.url(name))

    dated = [str(day) for day in DAYS]
    write("daily", "day STRING", [(day,) for day in [*dated, None, "2095-02-30", "95-03-01", "total"]])
    around_leap_day = [date(2096, 2, 27) + timedelta(days=number) for number in range(6)]
    write("leap", "day STRING", [(day.strftime("%Y%m%d"),) for day in around_leap_day])
    write("hourly", "day STRING, hour INT", [(str(day), hour) for day in DAYS[-7:-2] for hour in range(24)])
    write("three", "year INT, month INT, day INT", [(day.year, day.month, day.day) for day in DAYS[-40:]])
    with_countries = [(country, day.strftime("%Y-%m"), f"{day.day:02}") for day in DAYS[-20:] for country in ("de", None)]
    write("two", "country STRING, month STRING, day STRING", with_countries)
    write("minutes", "ts STRING", [(f"{day} {hour:02}:30",) for day in DAYS[-6:] for hour in (0, 3, 23)])
    time.sleep(REST)
    yield bucket
    bucket.remove()


def prefixes(name: str, values: Iterable[str]) -> set[str]:
    return {f"{name}/{value}/" for value in values}


def expected(zone: str) -> dict[str, set[str]]:
    """What the policy above means, in words of Python's calendar."""

    def past(days: Iterable[date], due: Callable[[datetime], datetime]) -> set[date]:
        return {day for day in days if is_over(due(midnight_behind(day, zone)))}

    def days(number: int) -> Callable[[datetime], datetime]:
        return lambda end: end + timedelta(days=number)  # on the wall clock, as Python adds

    ends = {day for day in month_ends(DAYS) if not is_over(after(midnight_behind(day, zone), 7))}
    daily = past(DAYS, lambda end: after(end, 1)) - set(DAYS[-45:]) - ends - {date(2095, 5, 17)}
    leap = past([date(2096, 2, 27) + timedelta(days=number) for number in range(6)], lambda end: after(end, 1))

    def is_hour_due(day: date, hour: int) -> bool:
        end = datetime.combine(day, datetime.min.time(), ZoneInfo(zone)) + timedelta(hours=hour + 1)
        return end.astimezone(UTC) + timedelta(hours=36) <= NOW

    def is_minute_due(day: date, hour: int) -> bool:
        return is_over(datetime.combine(day, datetime.min.time(), ZoneInfo(zone)) + timedelta(days=1, hours=hour, minutes=31))

    three = past(DAYS[-40:], days(14))
    two = past(DAYS[-20:], days(10))
    return {
        "daily.drop": prefixes("daily", (f"day={day}" for day in daily)),
        "leap.drop": prefixes("leap", (f"day={day:%Y%m%d}" for day in leap)),
        "hourly.drop": prefixes(
            "hourly", (f"day={day}/hour={hour}" for day in DAYS[-7:-2] for hour in range(24) if is_hour_due(day, hour))
        ),
        "three.drop": prefixes("three", (f"year={day.year}/month={day.month}/day={day.day}" for day in three)),
        "two.drop": prefixes("two", (f"country={country}/month={day:%Y-%m}/day={day:%d}" for day in two for country in ("de", NULL))),
        "minutes.drop": prefixes(
            "minutes", (f"ts={day} {hour:02}%3A30" for day in DAYS[-6:] for hour in (0, 3, 23) if is_minute_due(day, hour))
        ),
    }


@pytest.mark.parametrize("zone", ZONES)
def test_plan_names_what_the_policy_means(tables: Bucket, life: Life, zone: str) -> None:
    life.policy(POLICY.replace("ZONE", zone).replace("BUCKET", tables.name))
    due = life.due(NOW.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert due == expected(zone)


def test_zones_and_leap_days_make_a_difference() -> None:
    """The expectations themselves tell what they are there for."""
    by_zone = [expected(zone) for zone in ZONES]
    for dataset in ("daily.drop", "leap.drop", "hourly.drop", "minutes.drop"):
        assert by_zone[0][dataset] != by_zone[2][dataset], dataset
    assert by_zone[0]["hourly.drop"] != by_zone[1]["hourly.drop"]
    ends = {f"daily/day={day}/" for day in month_ends(DAYS)}
    assert 0 < len(ends & by_zone[0]["daily.drop"]) < len(ends)


def test_what_is_not_dated_is_counted(tables: Bucket, life: Life) -> None:
    life.policy(POLICY.replace("ZONE", "UTC").replace("BUCKET", tables.name))
    plan = life.run("plan", "policy.yaml", "--now", NOW.strftime("%Y-%m-%dT%H:%M:%SZ"))
    daily = plan["end"]["datasets"][0]
    assert (daily["total"]["units"], daily["left"]["undated"], daily["left"]["held"]) == (404, 4, 1)


def test_nothing_goes_while_one_of_its_files_is_new(spark: SparkSession, lake: Bucket, life: Life) -> None:
    """An old partition that was backfilled, and a directory of a job's output that got one more file."""
    lines = ("old", "backfilled", "older")
    values = [(f"2020-01-0{number}", line) for number, line in enumerate(lines, 1)]
    spark.createDataFrame(values, "day STRING, line STRING").write.partitionBy("day").parquet(lake.url("table"))
    for name in ("one", "two"):
        spark.range(3).coalesce(1).write.parquet(lake.url(f"jobs/{name}"))
    newest = max(entry["LastModified"] for entry in lake.client.list_objects_v2(Bucket=lake.name)["Contents"])
    time.sleep(REST)
    lake.write("table/day=2020-01-02/part-late.parquet", b"late")
    lake.write("jobs/two/part-late.parquet", b"late")
    life.policy(
        "version: 1\ndefaults: {settle: 1h, guard: {max_removed: none}}\ndatasets:\n"
        f'  - name: table\n    location: {lake.url("table")}/\n    age: {{from: partition, time: "{{day:%F}}"}}\n'
        "    rules: [{name: drop, when: {older_than: 1y}, then: expire}]\n"
        f"  - name: jobs\n    location: {lake.url('jobs')}/\n    age: {{from: newest_object}}\n"
        "    rules: [{name: sweep, when: {older_than: 1h}, then: expire}]\n"
    )
    settled = newest + timedelta(hours=1, seconds=1)
    old = {"table.drop": prefixes("table", ("day=2020-01-01", "day=2020-01-03")), "jobs.sweep": {"jobs/one/"}}
    assert life.due(settled.strftime("%Y-%m-%dT%H:%M:%SZ")) == old
    time.sleep(REST)
    later = settled + timedelta(seconds=30)
    assert {unit for units in life.due(later.strftime("%Y-%m-%dT%H:%M:%SZ")).values() for unit in units} == {
        *old["table.drop"],
        "table/day=2020-01-02/",
        "jobs/one/",
        "jobs/two/",
    }
