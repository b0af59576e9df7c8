"""A plan as a value. It can be pickled and compared."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from s3core import _s3core
from s3core.exceptions import PreconditionFailedError

if TYPE_CHECKING:
    import pyarrow

__all__ = [
    "Amount",
    "DatasetPlan",
    "Headroom",
    "Job",
    "Plan",
    "Room",
    "RulePlan",
]


@dataclass(frozen=True, slots=True)
class Amount:
    """How much: units, objects, bytes."""

    units: int = 0
    objects: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class RulePlan:
    """What one rule does.

    Attributes:
        dataset: name of the dataset.
        rule: name of the rule.
        action: as the policy writes it: ``expire``, ``tier``.
        planned: units, objects and bytes.
        uploads: uploads that are aborted.
        copied_objects: objects whose bytes are really copied; other copies are references.
        copied_bytes: their bytes.
    """

    dataset: str
    rule: str
    action: str
    planned: Amount
    uploads: int
    copied_objects: int
    copied_bytes: int


@dataclass(frozen=True, slots=True)
class DatasetPlan:
    """What was found in a dataset.

    Attributes:
        name: its name.
        prefix: first letters of its keys.
        total: all that lies in its units.
        left: units that nothing is done with, by the word of their verdict.
        outside: objects that belong to no unit.
        exceeded: whether its guard stops the plan; ``None`` where it has none.
    """

    name: str
    prefix: str
    total: Amount
    left: Mapping[str, int]
    outside: Amount
    exceeded: bool | None


@dataclass(frozen=True, slots=True)
class Room:
    """What a quota leaves; ``None`` where it limits nothing.

    Attributes:
        objects: objects that may still be written.
        bytes: their bytes.
    """

    objects: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Headroom:
    """What a plan copies into the trash, and the room that quotas leave for it.

    Accounts count each copy fully, also where it is a reference to the same bytes.

    Attributes:
        copies: all copies in the trash.
        at_once: most of them that lie beside what they are copies of, which goes unit by unit.
        bucket: what the bucket's quota leaves.
        user: what the quota of the keys' user leaves in all buckets.
        short: whether that may be too little: a unit that finds no room stays in its place.
    """

    copies: Amount
    at_once: Amount
    bucket: Room
    user: Room
    short: bool


@dataclass(frozen=True, slots=True)
class Job:
    """What a job has in a dataset that has not ended: its tree, or a pending upload.

    Attributes:
        dataset: name of the dataset.
        key: first letters of the keys of the tree; or the key of the upload.
        upload: the upload's id; ``None`` where it is a tree.
        newest: when something was last written there.
        objects: objects in the tree; ``None`` of an upload, of which listings do not say what it has.
        bytes: their bytes.
        abandoned: whether the job was killed: it wrote nothing for ``abandoned_after``.
    """

    dataset: str
    key: str
    upload: str | None
    newest: datetime
    objects: int | None
    bytes: int | None
    abandoned: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What a policy would change now. Nothing is changed until it is applied.

    Attributes:
        bucket: the bucket.
        policy: the policy's file.
        policy_sha256: SHA-256 of its text.
        zone: zone that ages were counted in.
        now: the moment that ages were counted to.
        created: when it was made, by the gateway's clock.
        expires: from when on it is refused.
        digest: its own.
        planned: all units that tier or go.
        trash: runs whose trash is emptied, as units, with what lies in it.
        rules: what each rule does.
        datasets: what was found, in the policy's order.
        running: runs that are under way in its datasets.
        foreign_rules: lifecycle rules of others that work on its datasets: dataset, rule.
        jobs: jobs that have not ended: the first thousand of each dataset that are at work, and that are abandoned.
        jobs_at_work: number of all that are at work.
        jobs_abandoned: number of all that are abandoned.
        headroom: room that quotas leave for its copies; ``None`` where the gateway does not tell, or nothing is copied.
        stopped: why it is not applied, where a guard stops it.
        path: where it was saved, with ``out``.
        text: the plan itself, JSON lines; ``None`` where it was saved.
    """

    bucket: str
    policy: str
    policy_sha256: str
    zone: str
    now: datetime
    created: datetime
    expires: datetime
    digest: str
    planned: Amount
    trash: Amount
    rules: tuple[RulePlan, ...]
    datasets: tuple[DatasetPlan, ...]
    running: tuple[str, ...]
    foreign_rules: tuple[tuple[str, str], ...]
    jobs: tuple[Job, ...]
    jobs_at_work: int
    jobs_abandoned: int
    headroom: Headroom | None
    stopped: str | None
    is_empty: bool
    path: Path | None = None
    text: bytes | None = field(default=None, repr=False)

    def to_arrow(self) -> pyarrow.Table:
        """The planned objects, one a row.

        Columns: ``dataset``, ``rule``, ``action``, ``to_class`` (of those that move), ``unit``, ``key``, ``bytes``,
        ``etag``, ``written``, ``storage_class``, ``since``, ``reason``.

        Raises:
            ModuleNotFoundError: pyarrow is not installed.
        """
        try:
            from pyarrow import ipc
        except ModuleNotFoundError as missing:
            message = "Plan.to_arrow() needs pyarrow, which is not installed: pip install pyarrow"
            raise ModuleNotFoundError(message, name=missing.name) from missing
        with self.file() as file:
            stream = _s3core.life_table(file)
        return ipc.open_stream(stream).read_all()

    @contextmanager
    def file(self) -> Iterator[str]:
        """Where it lies, for as long as it is needed.

        Raises:
            PreconditionFailedError: its file holds another plan by now.
        """
        with tempfile.NamedTemporaryFile(prefix="s3life-plan-") as file:
            if self.text is not None:
                file.write(self.text)
            elif self.path is not None:
                with self.path.open("rb") as saved:
                    shutil.copyfileobj(saved, file)
            file.flush()
            if (found := _digest(file.name)) != self.digest:
                message = (
                    f"{self.path} holds another plan by now: its digest is {found}, and not {self.digest}; plan again"
                )
                raise PreconditionFailedError(message)
            yield file.name


def _digest(path: str) -> str:
    """What the last line of a plan says of those before it."""
    last = b"{}"
    with Path(path).open("rb") as file:
        for line in file:
            last = line
    try:
        return str(json.loads(last).get("digest"))
    except (ValueError, AttributeError):
        return "none"
