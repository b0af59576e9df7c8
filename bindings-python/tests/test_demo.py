"""The demo's own checks: a difference must be seen."""

from __future__ import annotations

import dataclasses

import pytest
from s3core.demo.report import Report, Step
from s3core.demo.source import TABLES, Figures, figures_of

ROWS = [
    {"carrier": "AA", "name": "American"},
    {"carrier": "UA", "name": "United"},
]


def test_a_changed_text_changes_the_checksum() -> None:
    expected = figures_of(TABLES["airlines"], ROWS)
    changed = figures_of(TABLES["airlines"], [ROWS[0], ROWS[1] | {"name": "Untied"}])
    assert len(expected.differences(changed)) == 1
    assert expected.differences(figures_of(TABLES["airlines"], reversed(ROWS))) == []


@pytest.mark.parametrize(
    "change", [{"rows": 3}, {"values": {"seats": 1}}, {"sums": {"seats": 1.0}}, {"checksum": 4}], ids=str
)
def test_every_figure_counts(change: dict[str, object]) -> None:
    figures = Figures(rows=2, values={"seats": 2}, sums={"seats": 100.0}, checksum=9)
    assert len(figures.differences(dataclasses.replace(figures, **change))) == 1  # type: ignore[arg-type]


def test_sums_of_fractions_may_be_rounded() -> None:
    figures = Figures(rows=1, values={"temp": 1}, sums={"temp": 0.3}, checksum=0)
    assert figures.differences(dataclasses.replace(figures, sums={"temp": 0.1 + 0.2})) == []


def test_a_difference_fails_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report("somewhere")
    report.add(Step("read", 1, 0.1, 10, 2, []))
    assert report.agrees
    report.add(Step("join", 1, 0.1, 10, 2, ["rows 1, expected 2"]))
    assert not report.agrees
    report.print()
    printed = capsys.readouterr().out
    assert "join: rows 1, expected 2" in printed
    assert "FAILED" in printed
