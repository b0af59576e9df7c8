"""The report of made-up figures."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.calls import Call
from bench.report import Failure, Results, figure, markdown, write_all
from bench.requests import JobRequests
from bench.spark_job import STEPS, Outcome


def results() -> Results:
    machine = {
        "date": "2026-01-01",
        "processor": "P",
        "cores": "2",
        "memory": "8 GiB",
        "kernel": "6",
        "java": "17",
        "spark": "3",
        "ceph": "16",
    }
    job = [
        Outcome(peer, number, step, 2, factor * floor, 1.0, {"gateway": 0.5, "OSD": 0.25}, floor, 1.0)
        for step in STEPS
        for peer, factor in (("s3core", 1.5), ("s3a", 9.0))
        for number, floor in enumerate((8.0, 10.0, 40.0))  # the machine was busy during the third round
    ]
    calls = [Call("file", 0, "pread", 5000.0, "op/s"), Call("s3core", 0, "pread", 900.0, "op/s"), Call("s3core", 1, "pread", 950.0, "op/s")]
    requests = [
        JobRequests("s3core", "", "one", {"PutObject": 5, "GetObject": 1}),
        JobRequests("s3a", "v1", "one", {"CopyObject": 2, "PutObject": 9}),
        JobRequests("s3a", "v1", "overwrite", {}),
    ]
    return Results(machine, {"rows": 1000, "tasks": 16, "rounds": {"s3core": 3, "s3a": 3}}, job, calls, requests)


def test_ratios_are_those_of_pairs() -> None:
    assert results().ratio("s3core", "write flat") == 1.5
    assert results().seconds("s3core", "write flat") == 7.5
    assert results().floor_seconds("write flat") == 5.0
    assert results().ratio("hdfs", "write flat") is None


def test_tables_have_every_step_and_peer() -> None:
    text = markdown(results())
    assert "| write partitioned | 5.00 | 7.50 (**1.50x**) | 45.00 (**9.00x**) | 2 |" in text
    assert "| write flat | client 0.5, gateway 0.2, OSD 0.1 | client 0.5, gateway 0.2, OSD 0.1 |" in text
    assert "| pread, op/s | 5,000 | 925 |" in text


def test_files_can_be_made_again_from_the_figures(tmp_path: Path) -> None:
    write_all(results(), tmp_path)
    assert Results.read(tmp_path / "results.json") == results()
    picture = ElementTree.parse(tmp_path / "results.svg").getroot()
    bars = picture.findall("{http://www.w3.org/2000/svg}rect")
    assert len(bars) == 2 * len(STEPS)
    assert float(bars[1].attrib["width"]) == pytest.approx(6 * float(bars[0].attrib["width"]), abs=0.5)


def test_a_peer_that_failed_is_named_beside_what_was_measured(tmp_path: Path) -> None:
    partly = results()
    partly.failures.append(Failure("hdfs", "Spark job", "no answer within 1200 s"))
    assert "- HDFS 3.3.6, Spark job: no answer within 1200 s" in markdown(partly)
    write_all(partly, tmp_path)
    assert Results.read(tmp_path / "results.json") == partly


def test_results_without_a_figure_are_written_too(tmp_path: Path) -> None:
    empty = Results(results().machine, results().sizes, failures=[Failure("file", "Spark job", "it ended")])
    write_all(empty, tmp_path)
    assert "- file://, Spark job: it ended" in (tmp_path / "RESULTS.md").read_text()
    assert not (tmp_path / "results.svg").exists()


def test_the_chart_lies_where_it_is_asked_for(tmp_path: Path) -> None:
    write_all(results(), tmp_path, tmp_path / "chart.svg")
    assert ElementTree.parse(tmp_path / "chart.svg").getroot().tag.endswith("svg")
    assert not (tmp_path / "results.svg").exists()


def test_figures_have_three_digits() -> None:
    assert [figure(value) for value in (None, 12345.6, 12.345, 0.012345)] == ["-", "12,346", "12.3", "0.0123"]


def test_requests_are_shown_with_their_copies() -> None:
    text = markdown(results())
    assert "| job | s3core | S3A 3.3.4 v1 |" in text
    assert "| 1 task, 1 file | 6 (0) | 11 (2) |" in text
    assert "| 16 tasks overwrite 10 partitions | - | refused |" in text
