"""A bar chart as SVG, readable on light and dark pages, without a plotting library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH = 840
LABELS = 292  # width of the column with the names, in pixels
BAR = 15
GAP = 5
GROUP_TITLE = 26
GROUP_GAP = 14
TOP = 66
BOTTOM = 12

# The page decides: readers in dark mode get the second set.
STYLE = """
  text { font: 12px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #24292f; }
  .title { font-size: 16px; font-weight: 600; }
  .note, .label { fill: #57606a; }
  .group { font-weight: 600; }
  .value { font-variant-numeric: tabular-nums; }
  .bar { fill: #afb8c1; }
  .ours { fill: #0969da; }
  .floor { stroke: #57606a; stroke-dasharray: 3 3; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .note, .label { fill: #9198a1; }
    .bar { fill: #545d68; }
    .ours { fill: #4493f8; }
    .floor { stroke: #9198a1; }
  }
"""


@dataclass(frozen=True)
class Bar:
    """One value, 1 being the floor."""

    label: str
    value: float
    ours: bool


@dataclass(frozen=True)
class Group:
    """Bars that are compared with each other."""

    title: str
    bars: list[Bar]


def chart(title: str, subtitle: str, groups: Sequence[Group]) -> str:
    """Horizontal bars, group below group, with a dashed line at 1."""
    largest = max(bar.value for group in groups for bar in group.bars)
    scale = (WIDTH - LABELS - 60) / max(largest, 1)  # 60 pixels for the figure behind the longest bar
    shapes = [text(0, 20, title, "title"), text(0, 42, subtitle, "note")]
    y = TOP
    for group in groups:
        shapes.append(text(0, y + 14, group.title, "group"))
        y += GROUP_TITLE
        for bar in group.bars:
            length = bar.value * scale
            shapes.append(text(LABELS - 8, y + 12, bar.label, "label", "end"))
            shapes.append(
                f'<rect class="{"ours" if bar.ours else "bar"}" x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2"/>'
            )
            shapes.append(text(LABELS + length + 6, y + 12, f"{bar.value:.1f}", "value"))
            y += BAR + GAP
        y += GROUP_GAP
    height = y - GROUP_GAP + BOTTOM
    floor = LABELS + scale
    shapes.append(f'<line class="floor" x1="{floor:.1f}" y1="{TOP}" x2="{floor:.1f}" y2="{height - BOTTOM}"/>')
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}">\n<style>{STYLE}</style>\n{body}\n</svg>\n'
    )


def text(x: float, y: float, content: str, style: str, anchor: str = "start") -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(content)}</text>'
