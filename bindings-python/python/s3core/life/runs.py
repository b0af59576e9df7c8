"""What runs did, are doing and leave, as values. All of it can be pickled and compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from s3core.life.plans import Amount

__all__ = [
    "Change",
    "Explained",
    "Kept",
    "Lease",
    "Left",
    "Proof",
    "Run",
    "Status",
    "Trash",
    "Undone",
    "Waiting",
    "Wrong",
]


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
        aborts_unwritten: planned uploads that are gone, while the run has not written down that it aborted them: it was
            killed and brought back before. ``proven`` says nothing of them.
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
