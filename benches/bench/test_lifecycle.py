"""The table of s3life's costs."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.lifecycle import Endpoint, Runs


def test_medians_stand_beside_the_last_line(tmp_path: Path) -> None:
    counts = iter([0, 40, 0, 60, 0, 20])
    endpoint = Endpoint("somewhere", "http://127.0.0.1:1", "bench", {}, lambda: next(counts))
    runs = Runs(tmp_path, tmp_path, 1)
    sleep = [sys.executable, "-c", "import sys, time; time.sleep(float(sys.argv[1])); block = b'x' * (int(sys.argv[2]) << 20)"]
    runs.measure(endpoint, "slow", [*sleep, "0.4", "64"])
    runs.measure(endpoint, "slow", [*sleep, "0.4", "0"])
    runs.measure(endpoint, "peer", [*sleep, "0.1", "0"])
    title, _, _, slow, peer = runs.section("Some", 20).splitlines()
    assert title == "## Some"
    slow_cells, peer_cells = ([cell.strip() for cell in line.strip("|").split("|")] for line in (slow, peer))
    assert slow_cells[0] == "slow"
    assert 1.5 < float(slow_cells[2].removesuffix("x")) < 8
    assert peer_cells[2] == "1.00x"
    assert 64 < int(slow_cells[3]) < 100
    assert int(peer_cells[3]) < 40
    assert slow_cells[4:] == ["50", "2.5"]
    assert peer_cells[4:] == ["20", "1"]
