"""What the functions of ``s3core.life`` return. All of it can be pickled and compared."""

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
    "Change",
    "DatasetPlan",
    "Explained",
    "Headroom",
    "Job",
    "Kept",
    "Lease",
    "Left",
    "Plan",
    "Proof",
    "Room",
    "RulePlan",
    "Run",
    "Status",
    "Trash",
    "Undone",
    "Waiting",
    "Wrong",
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
        short: whether that may be too little: a unit that finds no room is held in its place.
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


@dataclass(frozen=True, slots=True)
class Left:
    """A unit that was left as it is.

    Attributes:
        unit: its prefix.
        key: the key that was the reason, where one was.
        reason: why.
        run: the run that left it, where several are told together.
    """

    unit: str
    key: str | None
    reason: str
    run: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Units that the gateway has still to move by its lifecycle, and since when there are any."""

    units: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """A plan that was carried out, or is being.

    Attributes:
        run: its name.
        command: ``apply``, or ``restore`` where somebody had units moved out of their storage class.
        policy: the policy's file.
        digest: its plan's.
        started: by the gateway's clock.
        finished: ``None`` where it has not ended.
        state: ``running``, ``waiting-for-gateway``, ``done``, ``undoing``, ``undone``, ``purging``, ``purged``.
        waiting: what the gateway has still to move, there or back; ``None`` where nothing is.
        actions: what was done, by the action's name.
        undone: what of it was brought back.
        skipped: number of units that were left.
        refused: number of those that somebody has to see to; the others were changed since they were planned, or wait.
        left: those units, the first thousand; of the run that ``apply`` returns.
        trash_until: until when it can be undone, where something went to the trash.
        released: whether what was brought back may be planned again.
        resumed: runs that had not ended and were ended first; of the run that ``apply`` returns.
    """

    run: str
    command: str
    policy: str
    digest: str
    started: datetime
    finished: datetime | None
    state: str
    waiting: Waiting | None
    actions: Mapping[str, Amount]
    undone: Amount
    skipped: int
    refused: int
    left: tuple[Left, ...]
    trash_until: datetime | None
    released: bool
    resumed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Undone:
    """What was brought back.

    Attributes:
        run: the run.
        restored: what came back by this call, by dataset.
        moved_back: what is in its former storage class again since this call, by dataset.
        waiting: units that the gateway has still to move back: call it again later.
        skipped: number of units that did not come back.
        left: those units, the first thousand.
        refused: number of those that somebody has to see to; into the others something was written since, or they went
            for good.
    """

    run: str
    restored: Mapping[str, Amount]
    moved_back: Mapping[str, Amount]
    waiting: int
    skipped: int
    left: tuple[Left, ...]
    refused: int


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may change the bucket.

    Attributes:
        host: the machine.
        process: number of the process.
        purpose: what it does.
        run: the run that it works on.
        taken: since when.
        until: when it ends, unless it is renewed.
        expired: whether it has ended without being given back: its process was killed.
    """

    host: str
    process: int
    purpose: str
    run: str | None
    taken: datetime
    until: datetime
    expired: bool


@dataclass(frozen=True, slots=True)
class Trash:
    """What a run has in the trash, and until when it is kept."""

    run: str
    objects: int
    bytes: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Kept:
    """What a run keeps outside of the trash, and after when it goes for good, if it does."""

    run: str
    amount: Amount
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Status:
    """What goes on in a bucket.

    Attributes:
        bucket: its name.
        time: the gateway's.
        lease: who is at work; ``None`` where nobody is.
        runs: those that have not ended.
        trash: what lies in the trash, and can be brought back.
        hidden: the same, under delete markers, in a bucket that keeps versions.
        held: what is in its place until it goes, because it cannot be copied.
        unreleased: what was brought back, or moved for somebody: no rule touches it until the run is released.
        left: what those runs and the newest one have left as it is.
    """

    bucket: str
    time: datetime
    lease: Lease | None
    runs: tuple[Run, ...]
    trash: tuple[Trash, ...]
    hidden: tuple[Kept, ...]
    held: tuple[Kept, ...]
    unreleased: tuple[Kept, ...]
    left: tuple[Left, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """What becomes of a unit.

    Attributes:
        uri: where it lies.
        verdict: ``due``, ``not yet``, ``kept``, ``removed``, ``nothing``, …; see docs/lifecycle.md.
        reason: why, in a sentence.
        rule: the rule that says so.
        action: what it does.
        when: since when that is due, or when it will be.
        objects: number of its objects.
        bytes: their bytes.
        classes: bytes by storage class.
        run: the last run that did something there.
        until: until when that can be undone, of what it removed or holds.
        command: what changes it: ``s3life undo …`` or ``s3life release …``.
    """

    uri: str
    verdict: str
    reason: str
    rule: str | None
    action: str | None
    when: datetime | None
    objects: int
    bytes: int
    classes: Mapping[str, int]
    run: str | None = None
    until: datetime | None = None
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is not as a run should have left it.

    Attributes:
        key: the key.
        expected: what should be there.
        found: what is.
    """

    key: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Change:
    """Something that others have changed since.

    Attributes:
        key: the key.
        change: what became of it.
    """

    key: str
    change: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found of a run. Units, objects and bytes are those that are as they should be.

    Attributes:
        run: the run.
        proven: whether nothing is wrong.
        state: how far the run is, as :attr:`Run.state`.
        removed: what is gone, as planned.
        moved: what is in the storage class that was planned.
        back: what is back as it was.
        held: what waits in its place until the time of the trash is over, because it cannot be copied.
        left: units that the run has left as they were, or never came to.
        not_back: units of which something is gone, and did not come back.
        waiting: units that the gateway has still to move.
        aborted: uploads that were aborted, as planned.
        uploads_left: uploads that the run has left, or never came to.
        aborts_unwritten: planned uploads that are gone, while the run has not written down which ones it aborted, as
            earlier versions: that it aborted no others is not proven.
        wrong: what is not as it should be, the first thousand.
        wrong_count: all of that.
        changed: what others have changed since, which refutes nothing, the first thousand.
        changed_count: all of that.
    """

    run: str
    proven: bool
    state: str
    removed: Amount
    moved: Amount
    back: Amount
    held: Amount
    left: int
    not_back: int
    waiting: int
    aborted: int
    uploads_left: int
    aborts_unwritten: int
    wrong: tuple[Wrong, ...]
    wrong_count: int
    changed: tuple[Change, ...]
    changed_count: int
