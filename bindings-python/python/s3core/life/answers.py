"""The answers of the program, JSON, as values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from s3core.life.plans import Amount, DatasetPlan, Headroom, Job, Plan, Room, RulePlan
from s3core.life.runs import Change, Kept, Lease, Left, Proof, Run, Waiting, Wrong

__all__ = ["amount", "kept", "lease", "left", "maybe_time", "plan", "proof", "run", "time"]


def plan(answer: Mapping[str, Any], *, path: Path | None = None, text: bytes | None = None) -> Plan:
    header, end = answer["plan"], answer["end"]
    return Plan(
        bucket=header["bucket"],
        policy=header["policy"]["path"],
        policy_sha256=header["policy"]["sha256"],
        zone=header["zone"],
        now=time(header["now"]),
        created=time(header["created"]),
        expires=time(header["expires"]),
        digest=end["digest"],
        planned=amount(end["planned"]),
        trash=amount(answer["trash"]),
        rules=tuple(
            RulePlan(
                rule["dataset"],
                rule["rule"],
                rule["action"],
                amount(rule),
                rule["uploads"],
                rule["copied_objects"],
                rule["copied_bytes"],
            )
            for rule in answer["rules"]
        ),
        datasets=tuple(
            DatasetPlan(
                dataset["name"],
                dataset["prefix"],
                amount(dataset["total"]),
                dataset["left"],
                amount(dataset["outside"]),
                dataset["guard"]["exceeded"] if dataset.get("guard") else None,
            )
            for dataset in end["datasets"]
        ),
        running=tuple(answer["running"]),
        foreign_rules=tuple((rule["dataset"], rule["rule"]) for rule in answer["foreign_rules"]),
        jobs=tuple(_job(job) for job in answer["jobs"]),
        jobs_at_work=answer["jobs_count"]["at_work"],
        jobs_abandoned=answer["jobs_count"]["abandoned"],
        headroom=None if end.get("headroom") is None else _headroom(end["headroom"]),
        stopped=answer["stopped"],
        is_empty=answer["empty"],
        path=path,
        text=text,
    )


def _job(answer: Mapping[str, Any]) -> Job:
    return Job(
        answer["dataset"],
        answer["key"],
        answer["upload"],
        time(answer["newest"]),
        answer["objects"],
        answer["bytes"],
        answer["abandoned"],
    )


def _headroom(answer: Mapping[str, Any]) -> Headroom:
    bucket, user = (Room(answer[name]["objects"], answer[name]["bytes"]) for name in ("bucket", "user"))
    return Headroom(amount(answer["copies"]), amount(answer["at_once"]), bucket, user, answer["short"])


def run(answer: Mapping[str, Any]) -> Run:
    waiting = answer["waiting"]
    return Run(
        run=answer["run"],
        command=answer["command"],
        policy=answer["policy"],
        digest=answer["digest"],
        started=time(answer["started"]),
        finished=maybe_time(answer["finished"]),
        state=answer["state"],
        waiting=None if waiting is None else Waiting(waiting["units"], time(waiting["since"])),
        actions={name: amount(done) for name, done in answer["actions"].items()},
        undone=amount(answer["undone"]),
        skipped=answer["skipped"],
        refused=answer["refused"]["units"],
        left=left(answer.get("left", ())),
        trash_until=maybe_time(answer["trash_until"]),
        released=answer["released"],
        resumed=tuple(answer.get("resumed", ())),
    )


def proof(answer: Mapping[str, Any]) -> Proof:
    return Proof(
        run=answer["run"],
        proven=answer["proven"],
        state=answer["state"],
        removed=amount(answer["removed"]),
        moved=amount(answer["moved"]),
        back=amount(answer["back"]),
        held=amount(answer["held"]),
        left=answer["left"],
        not_back=answer["not_back"],
        waiting=answer["waiting"],
        aborted=answer["aborted"],
        uploads_left=answer["uploads_left"],
        aborts_unwritten=answer["aborts_unwritten"],
        wrong=tuple(Wrong(one["key"], one["expected"], one["found"]) for one in answer["wrong"]),
        wrong_count=answer["wrong_count"],
        changed=tuple(Change(one["key"], one["change"]) for one in answer["changed"]),
        changed_count=answer["changed_count"],
    )


def kept(answer: Iterable[Mapping[str, Any]]) -> tuple[Kept, ...]:
    return tuple(Kept(one["run"], amount(one), maybe_time(one.get("until"))) for one in answer)


def lease(answer: Mapping[str, Any]) -> Lease:
    return Lease(
        answer["host"],
        answer["process"],
        answer["purpose"],
        answer["run"],
        time(answer["taken"]),
        time(answer["until"]),
        answer["expired"],
    )


def left(answer: Iterable[Mapping[str, Any]]) -> tuple[Left, ...]:
    return tuple(Left(one["unit"], one["key"], one["reason"], one.get("run")) for one in answer)


def amount(answer: Mapping[str, Any]) -> Amount:
    return Amount(answer["units"], answer["objects"], answer["bytes"])


def time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def maybe_time(text: str | None) -> datetime | None:
    return None if text is None else time(text)
