"""The table at the end."""

from __future__ import annotations

from dataclasses import dataclass, field

from s3core import __version__

__all__ = ["Report", "Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """One row: what was done, how long it took, what went over the wire, and what differs from the source."""

    name: str
    rows: int
    seconds: float
    #: Of the bodies in both directions.
    size: int
    requests: int
    differences: list[str]


@dataclass(slots=True)
class Report:
    """All rows."""

    place: str
    spark: str = "?"
    steps: list[Step] = field(default_factory=list)

    def add(self, step: Step) -> None:
        """Adds a row and shows that it is done."""
        self.steps.append(step)
        print(f"{step.name}: {step.seconds:.1f} s", flush=True)

    @property
    def agrees(self) -> bool:
        """Whether everything was as the source says."""
        return not any(step.differences for step in self.steps)

    def print(self) -> None:
        """Prints the table and, below it, what differs."""
        print(f"\ns3core {__version__}, Spark {self.spark}, {self.place}\n")
        print(f"{'step':<34}{'rows':>10}{'seconds':>10}{'MB':>9}{'requests':>10}  result")
        for step in self.steps:
            figures = f"{step.rows:>10,}{step.seconds:>10.1f}{step.size / 1e6:>9.1f}{step.requests:>10,}"
            print(f"{step.name:<34}{figures}  {'DIFFERS' if step.differences else 'ok'}")
        for step in self.steps:
            for difference in step.differences:
                print(f"{step.name}: {difference}")
        print("\nevery figure agrees with the source" if self.agrees else "\nFAILED: see above")
