"""Jobs that were killed: what they have uploaded, and what becomes of it. Also the command ``s3core uploads``."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from s3core import _s3core
from s3core.exceptions import ConfigurationError, NotFoundError, S3CoreError, UnsupportedError
from s3core.spark.hadoop_keys import HadoopKeys

__all__ = ["Completed", "Job", "Pending", "Upload", "Uploads", "main"]


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload that was neither completed nor aborted.

    Attributes:
        key: of the object that it would become.
        upload_id: the gateway's.
        begun: aware, in UTC.
    """

    key: str
    upload_id: str
    begun: datetime | None


@dataclass(frozen=True, slots=True)
class Job:
    """A job that was neither committed nor aborted: it is under way, or was killed.

    Attributes:
        destination: ``s3a://bucket/path``.
        job: its id.
        committed_tasks: tasks whose output completing the job makes visible.
        committed_files: their files.
        committed: those of them that are uploads; small ones lie in the job's state.
        uncommitted: uploads of attempts that are under way or were killed.
        last_written: when something of its state was, aware, in UTC.
    """

    destination: str
    job: str
    committed_tasks: int
    committed_files: int
    committed: list[Upload]
    uncommitted: list[Upload]
    last_written: datetime | None


@dataclass(frozen=True, slots=True)
class Completed:
    """What completing a job has made visible.

    Attributes:
        destination: ``s3a://bucket/path``.
        files: number of files.
        size: their bytes.
        is_marked: whether ``_SUCCESS`` was put.
    """

    destination: str
    files: int
    size: int
    is_marked: bool


@dataclass(frozen=True, slots=True)
class Pending:
    """What was found below a path.

    Attributes:
        jobs: those that have state there.
        unattributed: uploads of which nobody knows whose they are.
    """

    jobs: list[Job]
    unattributed: list[Upload]


class Uploads:
    """The pending uploads below a path of a bucket."""

    def __init__(self, url: str, **options: str) -> None:
        """Nothing is sent.

        Args:
            url: ``s3a://bucket`` or ``s3a://bucket/path``.
            options: as those of :class:`s3core.Store`. What they do not say comes from Hadoop's ``core-site.xml`` and
                ``spark-defaults.conf``, from the environment and from the AWS profile.
        """
        scheme, separator, rest = url.partition("://")
        if not separator or scheme not in ("s3a", "s3") or not rest:
            raise ConfigurationError(f"{url!r} is no place for jobs: write s3a://BUCKET/PATH")
        self._bucket, _, path = rest.partition("/")
        self._path = path.strip("/")
        self._store = _s3core.Store(self._bucket, list(options.items()), HadoopKeys.of_this_machine().all())

    def list(self) -> Pending:
        """The jobs and uploads below the path."""
        jobs, unattributed = _s3core.pending_jobs(self._store, self._path)
        return Pending([self._job(job) for job in jobs], [_upload(upload) for upload in unattributed])

    def complete(self, job: str, *, mark_success: bool = False, force: bool = False) -> Completed:
        """Commits a job whose driver was killed: what its committed tasks have written becomes visible, nothing else.

        Nobody knows whether all of its tasks were committed: compare :attr:`Job.committed_tasks` with the job's own
        count. What became visible stays where the rest could not, and completing it again goes on.

        Args:
            job: its id.
            mark_success: whether ``_SUCCESS`` is put, which says that the output is whole. It is put without this where
                the driver was killed when its commit had begun: it had all of its tasks, and would have put it.
            force: also where the job has written something in the last ten minutes, and may be under way.

        Returns:
            What became visible.

        Raises:
            NotFoundError: there is no such job below the path.
            UnsupportedError: the job may be under way, or is one of a dynamic partition overwrite, whose files its
                driver moves from a staging directory afterwards.
        """
        found = self._find(job)
        destination, written = found[0], _time(found[6])
        if destination.rsplit("/", 1)[-1].startswith(".spark-staging"):
            raise UnsupportedError(
                f"{job} is a dynamic partition overwrite: its files would stay in {destination}. Run the job again, "
                f"and abort this one: s3core uploads abort s3a://{self._bucket}/{destination} {job}"
            )
        age = None if written is None else (datetime.now(UTC) - written).total_seconds()
        if not force and (age is None or age < _MAY_BE_UNDER_WAY):
            raise UnsupportedError(
                f"{job} wrote its last state {_shown(written)}, less than ten minutes ago: it may be under way. Where "
                "its driver is gone for certain, give --force (force=True)"
            )
        files, size, is_marked = _s3core.complete_job(self._store, destination, job, mark_success)
        return Completed(f"s3a://{self._bucket}/{destination}", files, size, is_marked)

    def abort(self, job: str) -> None:
        """Gives a job up: its uploads and its state go.

        Raises:
            NotFoundError: there is no such job below the path.
        """
        _s3core.abort_job(self._store, self._find(job)[0], job)

    def purge(self) -> tuple[int, int]:
        """Removes what is older than ``uploads_max_age`` and ``uploads_committed_max_age`` say.

        Returns:
            Number of uploads and of jobs.
        """
        return _s3core.purge_uploads(self._store, self._path)

    def _find(self, job: str) -> _JobRow:
        jobs, _ = _s3core.pending_jobs(self._store, self._path)
        found = [row for row in jobs if row[1] == job]
        if len(found) != 1:
            place = f"s3a://{self._bucket}/{self._path}"
            known = ", ".join(sorted({name for _, name, *_ in jobs})) or "none"
            what = "no job" if not found else f"{len(found)} jobs: name the destination of one"
            raise NotFoundError(f"{what} {job} below {place}; jobs there: {known}")
        return found[0]

    def _job(self, row: _JobRow) -> Job:
        destination, job, tasks, files, committed, uncommitted, written = row
        url = f"s3a://{self._bucket}/{destination}"
        return Job(url, job, tasks, files, [*map(_upload, committed)], [*map(_upload, uncommitted)], _time(written))


_Rows = list[tuple[str, str, float | None]]
_JobRow = tuple[str, str, int, int, _Rows, _Rows, float | None]

# Seconds after its last state was written that a job is taken for one under way.
_MAY_BE_UNDER_WAY = 600


def _upload(row: tuple[str, str, float | None]) -> Upload:
    return Upload(row[0], row[1], _time(row[2]))


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def main(arguments: list[str]) -> int:
    """Runs ``s3core uploads``; returns the exit status."""
    given = _parser().parse_args(arguments)
    try:
        options = {"endpoint": given.endpoint} if given.endpoint else {}
        uploads = Uploads(given.url, **options)
        if given.command == "list":
            _print(uploads.list(), as_json=given.json)
        elif given.command == "complete":
            done = uploads.complete(given.job, mark_success=given.success_marker, force=given.force)
            print(f"completed {given.job}: {done.files} files of {done.size} bytes")
            marker = f"{done.destination.rstrip('/')}/_SUCCESS"
            if done.is_marked:
                print(f"put {marker}")
            else:
                print(f"did not put {marker}: where these were all of the job's tasks, hadoop fs -touchz does it")
        elif given.command == "abort":
            uploads.abort(given.job)
            print(f"aborted {given.job}")
        else:
            removed, jobs = uploads.purge()
            print(f"removed {removed} uploads and {jobs} jobs")
    except S3CoreError as failure:
        print(f"error: {failure}", file=sys.stderr)
        return _exit_status(failure)
    return 0


def _exit_status(failure: S3CoreError) -> int:
    for _, code, name, status, _ in _s3core.error_table():
        if code == failure.code or (failure.code == 0 and name == type(failure).__name__):
            return status
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="s3core uploads",
        description="Jobs that were neither committed nor aborted, and their pending uploads. Endpoint and keys come "
        "from core-site.xml, spark-defaults.conf, the environment or the AWS profile.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    texts = {
        "list": "what is pending below a path",
        "complete": "commit a job whose driver was killed: what its committed tasks wrote becomes visible",
        "abort": "give a job up: its uploads and its state go",
        "purge": "remove what is older than uploads.max.age (24h) and uploads.committed.max.age (7d)",
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("url", metavar="s3a://BUCKET/PATH")
        if name in ("complete", "abort"):
            command.add_argument("job", metavar="JOB", help="as `list` names it")
        command.add_argument("--endpoint", metavar="URL")
        if name == "list":
            command.add_argument("--json", action="store_true", help="for programs")
        if name == "complete":
            command.add_argument("--success-marker", action="store_true", help="put _SUCCESS: the output is whole")
            command.add_argument("--force", action="store_true", help="also if it wrote something minutes ago")
    return parser


def _print(pending: Pending, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(pending), default=lambda time: time.isoformat(), indent=2))
        return
    for job in pending.jobs:
        print(f"job {job.job} at {job.destination}, last written {_shown(job.last_written)}")
        print(f"  {job.committed_tasks} committed tasks, {job.committed_files} files that completing it makes visible")
        for upload in job.uncommitted:
            print(f"  uncommitted  {_shown(upload.begun)}  {upload.key}")
    for upload in pending.unattributed:
        print(f"of no known job  {_shown(upload.begun)}  {upload.key}")
    if not pending.jobs and not pending.unattributed:
        print("nothing is pending")


def _shown(time: datetime | None) -> str:
    return "at an unknown time" if time is None else time.strftime("%Y-%m-%d %H:%M:%SZ")
