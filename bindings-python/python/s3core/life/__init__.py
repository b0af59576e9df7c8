"""Datasets that tier and expire by a policy: what the program ``s3life`` does, as values.

>>> from s3core import life
>>> plan = life.plan("policy.yaml")
>>> plan.planned.units, plan.stopped
(3, None)
>>> run = life.apply(plan)
>>> life.verify(run, "policy.yaml").proven
True
>>> life.undo(run, "policy.yaml").restored["events"].units
3

Endpoint and keys are given as keywords, as to :class:`s3core.Store`, or come from Hadoop's ``core-site.xml`` and
``spark-defaults.conf``, from the environment and from the AWS profile. All values can be pickled. While something waits
for the gateway other threads run, and Ctrl-C ends it as if the process had been killed: a run goes on with the next
``apply``, a minute later. Failures are subclasses of ``s3core.exceptions.S3CoreError``.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from s3core import _s3core
from s3core.exceptions import ConfigurationError, PreconditionFailedError
from s3core.life import answers
from s3core.life.plans import Amount, DatasetPlan, Headroom, Job, Plan, Room, RulePlan
from s3core.life.runs import Change, Explained, Kept, Lease, Left, Proof, Run, Status, Trash, Undone, Waiting, Wrong

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
    "apply",
    "explain",
    "history",
    "plan",
    "status",
    "undo",
    "verify",
]

_Option = str | int | bool | None


def plan(
    policy: str | os.PathLike[str],
    *,
    now: datetime | None = None,
    out: str | os.PathLike[str] | None = None,
    expires: str | None = None,
    allow: Mapping[str, int] | None = None,
    confirm_delete: Iterable[str] = (),
    at_once: int | None = None,
    **options: _Option,
) -> Plan:
    """Says what a policy would change now. Nothing is changed.

    Args:
        policy: its file.
        now: count ages to this time; without it the gateway's. Aware.
        out: save the plan there. Without it the plan is in memory, some 300 bytes an object.
        expires: how long it may be applied, ``"24h"``.
        allow: percent that may go of a dataset this once, by its name.
        confirm_delete: datasets that may be deleted without trash.
        at_once: listings under way at once.
        options: as those of :class:`s3core.Store`.

    Returns:
        The plan. One that a guard stops has :attr:`Plan.stopped`.

    Raises:
        ConfigurationError: the policy is wrong, with line, column and remedy.
    """
    given = ["plan", os.fspath(policy)]
    if now is not None:
        given += ["--now", _moment(now)]
    if expires is not None:
        given += ["--expires", expires]
    for dataset, percent in (allow or {}).items():
        given += ["--allow", f"{dataset}={percent}%"]
    for dataset in confirm_delete:
        given += ["--confirm-delete", dataset]
    if at_once is not None:
        given += ["--at-once", str(at_once)]
    if out is not None:
        return answers.plan(_call([*given, "--out", os.fspath(out)], options), path=Path(out).absolute())
    with tempfile.TemporaryDirectory(prefix="s3life-") as directory:
        file = Path(directory, "plan.jsonl")
        answer = _call([*given, "--out", str(file)], options)
        return answers.plan(answer, text=file.read_bytes())


def apply(
    what: Plan | str | os.PathLike[str],
    *,
    yes: bool = False,
    resume: str | None = None,
    wait_seconds: int = 0,
    **options: _Option,
) -> Run | None:
    """Carries out a plan, or what a policy makes due now. Goes on with a run of these datasets that was killed.

    Args:
        what: a plan, and nothing beyond it is done; or a policy's file.
        yes: carry out what the policy says now although nobody has looked at it. Nobody is asked here.
        resume: go on with this run although its policy has changed since.
        wait_seconds: how long to wait for another process that works on the bucket.
        options: as those of :class:`s3core.Store`.

    Returns:
        The run; ``None`` where nothing is due. Where :attr:`Run.refused` is not 0 somebody has to see to what was left.

    Raises:
        PreconditionFailedError: a guard stops the plan.
        UnavailableError: another process is at work on the bucket.
    """
    given = ["apply", "--yes", "--wait-seconds", str(wait_seconds)]
    if resume is not None:
        given += ["--resume", resume]
    if isinstance(what, Plan):
        if what.stopped is not None:
            raise PreconditionFailedError(what.stopped)
        with what.file() as file:
            answer = _call([*given, what.policy, "--plan", file], options)
    elif yes:
        answer = _call([*given, os.fspath(what)], options)
    else:
        raise ConfigurationError(
            "nobody is asked here whether the plan is to be carried out: look at life.plan(policy) and apply that, or "
            "give yes=True"
        )
    return None if answer["run"] is None else answers.run(answer)


def undo(
    run: Run | str,
    policy_or_bucket: str | os.PathLike[str],
    *,
    merge: bool = False,
    wait_seconds: int = 0,
    **options: _Option,
) -> Undone:
    """Brings back what a run has removed. It is not planned again until ``s3life release``.

    Args:
        run: the run, or its name.
        policy_or_bucket: a policy's file, or ``s3a://bucket``.
        merge: also where objects lie now that the run does not know. No object is replaced.
        wait_seconds: how long to wait for another process that works on the bucket.
        options: as those of :class:`s3core.Store`.

    Returns:
        What is back, and what is not: look at :attr:`Undone.left`.
    """
    given = ["undo", _name(run), os.fspath(policy_or_bucket), "--wait-seconds", str(wait_seconds)]
    answer = _call([*given, "--merge"] if merge else given, options)
    restored, moved_back = (
        {dataset: answers.amount(amount) for dataset, amount in answer[name].items()}
        for name in ("restored", "moved_back")
    )
    left = answers.left(answer["skipped"])
    return Undone(
        answer["run"],
        restored,
        moved_back,
        answer["waiting"],
        answer["skipped_count"],
        left,
        answer["refused"]["units"],
    )


def verify(run: Run | str, policy_or_bucket: str | os.PathLike[str], **options: _Option) -> Proof:
    """Proves that a run did what its plan says and nothing else, and tells what others have changed since.

    Nothing is changed, and objects are listed, not asked for one by one.

    Args:
        run: the run, or its name.
        policy_or_bucket: a policy's file, or ``s3a://bucket``.
        options: as those of :class:`s3core.Store`.

    Returns:
        What was found. Where :attr:`Proof.proven` is false, :attr:`Proof.wrong` says why.

    Raises:
        PreconditionFailedError: the run is under way, or is being brought back.
        NotFoundError: there is no such run.
    """
    return answers.proof(_call(["verify", _name(run), os.fspath(policy_or_bucket)], options))


def status(policy_or_bucket: str | os.PathLike[str], **options: _Option) -> Status:
    """Who is at work in a bucket, which runs have not ended, what the trash holds, and what was left.

    Args:
        policy_or_bucket: a policy's file, or ``s3a://bucket``.
        options: as those of :class:`s3core.Store`.
    """
    answer = _call(["status", os.fspath(policy_or_bucket)], options)
    return Status(
        answer["bucket"],
        answers.time(answer["time"]),
        None if answer["lease"] is None else answers.lease(answer["lease"]),
        tuple(answers.run(run) for run in answer["runs"]),
        tuple(
            Trash(trash["run"], trash["objects"], trash["bytes"], answers.maybe_time(trash["until"]))
            for trash in answer["trash"]
        ),
        answers.kept(answer["hidden"]),
        answers.kept(answer["held"]),
        answers.kept(answer["unreleased"]),
        answers.left(answer["skipped"]),
    )


def explain(
    uri: str, policy: str | os.PathLike[str], *, now: datetime | None = None, **options: _Option
) -> list[Explained]:
    """What becomes of the units that a place meets, by which rule, and when.

    Args:
        uri: ``s3a://bucket/path``, an object or a directory in a dataset of the policy.
        policy: its file.
        now: as if it were this time. Aware.
        options: as those of :class:`s3core.Store`.
    """
    given = ["explain", os.fspath(policy), uri]
    answer = _call_for_all(given if now is None else [*given, "--now", _moment(now)], options)
    return [
        Explained(
            told["uri"],
            told["verdict"],
            told["reason"],
            told.get("rule"),
            told.get("action"),
            answers.maybe_time(told.get("when")),
            told.get("objects", 0),
            told.get("bytes", 0),
            told.get("classes", {}),
            *_of_run(told.get("run")),
        )
        for told in answer
    ]


def _name(run: Run | str) -> str:
    return run.run if isinstance(run, Run) else run


def _of_run(told: Mapping[str, Any] | None) -> tuple[str | None, datetime | None, str | None]:
    return (None, None, None) if told is None else (told["run"], answers.maybe_time(told["until"]), told["command"])


def history(policy_or_bucket: str | os.PathLike[str], **options: _Option) -> list[Run]:
    """The runs of a bucket, by whatever policy, the newest first.

    Args:
        policy_or_bucket: a policy's file, or ``s3a://bucket``.
        options: as those of :class:`s3core.Store`.
    """
    return [answers.run(run) for run in _call_for_all(["history", os.fspath(policy_or_bucket)], options)]


def _call(arguments: list[str], options: Mapping[str, _Option]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(_answer(arguments, options))
    return answer


def _call_for_all(arguments: list[str], options: Mapping[str, _Option]) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = json.loads(_answer(arguments, options))
    return answer


def _answer(arguments: list[str], options: Mapping[str, _Option]) -> str:
    given = [
        (name, str(value).lower() if isinstance(value, bool) else str(value))
        for name, value in options.items()
        if value is not None
    ]
    return _s3core.life_call(arguments, given)


def _moment(time: datetime) -> str:
    if time.tzinfo is None:
        raise ConfigurationError(f"{time} names no zone, and ages are counted to a moment: give an aware datetime")
    return time.isoformat()
