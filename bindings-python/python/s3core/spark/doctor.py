"""Looks at what s3core needs on this machine and says what is wrong, before a job does."""

from __future__ import annotations

import os
import platform
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from s3core import _s3core
from s3core.exceptions import ConfigurationError
from s3core.spark.environment import spark_home
from s3core.spark.hadoop_keys import HadoopKeys, heap_size
from s3core.spark.install import installed_jars
from s3core.spark.jar import JAR_NAME, jar_path, version_of_jar
from s3core.spark.java import NoJavaError, find_java, judge_java, spark_version
from s3core.spark.settings import Option, option_text

__all__ = ["Finding", "diagnose", "print_findings"]

#: Oldest glibc that the native libraries run on.
_OLDEST_GLIBC = (2, 17)

#: A signature is refused when the clocks are further apart (Radosgw and AWS: 15 minutes); we warn well before.
_SKEW_REFUSED, _SKEW_NOTICED = 15 * 60.0, 60.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table; ``state`` is "ok", "note" or "FAIL"."""

    subject: str
    state: str
    text: str


def diagnose(options: dict[str, Option], *, bucket: str | None = None, home: str | None = None) -> list[Finding]:
    """Runs every check; one that cannot be made is a finding, not an exception."""
    given = [(name, option_text(value)) for name, value in options.items() if value is not None]
    keys = HadoopKeys.of_this_machine(home)
    checks: list[Callable[[], Iterator[Finding]]] = [
        lambda: _versions(home),
        lambda: _java(home),
        _machine,
        _memory,
        lambda: _files(keys),
        lambda: _configuration(bucket, given, keys),
        lambda: _endpoint(bucket, given, keys),
        lambda: _bucket(bucket, given, keys),
    ]
    findings: list[Finding] = []
    for check in checks:
        try:
            findings.extend(check())
        except Exception as failure:  # whatever is odd about this machine, the other checks are still wanted
            findings.append(Finding(type(failure).__name__, "FAIL", str(failure)))
    return findings


def print_findings(findings: list[Finding]) -> None:
    """Prints the table, one finding a line."""
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        print(f"{finding.state:<5} {finding.subject:<{width}}  {finding.text}")


def _versions(home: str | None) -> Iterator[Finding]:
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.machine()}")
    yield Finding("s3core", "ok", _s3core.__version__)
    path = jar_path()
    version = version_of_jar(path)
    yield Finding("jar", "ok" if version == _s3core.__version__ else "FAIL", f"{version} at {path}")
    with zipfile.ZipFile(path) as jar:
        libraries = [name for name in jar.namelist() if name.endswith(".so")]
    fits = any(platform.machine() in name for name in libraries)
    yield Finding("native libraries", "ok" if fits else "FAIL", ", ".join(libraries) or "none in the jar")
    for installed in installed_jars(home):
        yield Finding("jar in Spark", "ok" if installed.name == JAR_NAME else "FAIL", str(installed))


def _java(home: str | None) -> Iterator[Finding]:
    try:
        directory = spark_home(home)
    except ConfigurationError:
        directory = None
    try:
        java = find_java(os.environ)
    except NoJavaError as failure:
        yield Finding("Java", "FAIL", str(failure))
    else:
        state, consequence = judge_java(java.version, spark_version(directory) if directory else None)
        yield Finding("Java", state, f"{java.name} ({java.origin}){consequence}")
    script = directory / "conf" / "spark-env.sh" if directory else None
    if script is not None and script.is_file() and "JAVA_HOME" in script.read_text(errors="replace"):
        yield Finding("Java", "note", f"{script} speaks of JAVA_HOME too, and Spark goes by that: it was not looked at")


def _machine() -> Iterator[Finding]:
    name, version = platform.libc_ver()
    if name == "glibc":
        is_new = tuple(int(number) for number in version.split(".")[:2]) >= _OLDEST_GLIBC
        yield Finding("C library", "ok" if is_new else "FAIL", f"glibc {version}, 2.17 or newer is needed")
    else:
        yield Finding("C library", "FAIL", f"{name or 'no glibc'}: the native libraries need glibc 2.17 or newer")
    for directory in sorted({"/tmp", tempfile.gettempdir()}):
        if os.statvfs(directory).f_flag & os.ST_NOEXEC:
            yield Finding(
                "temporary files",
                "note",
                f"{directory} is mounted noexec, so that JVMs put the native library into spark.local.dir or their "
                "working directory; -Ds3core.tmpdir=DIRECTORY in spark.driver.extraJavaOptions and "
                "spark.executor.extraJavaOptions names a better place",
            )
        else:
            yield Finding("temporary files", "ok", f"{directory} allows native libraries")


def _memory() -> Iterator[Finding]:
    heap, setting = heap_size()
    size, reason = _s3core.memory_budget(heap)
    yield Finding("buffer memory", "ok", f"{size // 2**20} MiB for each JVM: {reason} (heap: {setting})")


def _files(keys: HadoopKeys) -> Iterator[Finding]:
    for complaint in keys.complaints:
        yield Finding("settings file", "FAIL", complaint)


def _configuration(bucket: str | None, given: list[tuple[str, str]], keys: HadoopKeys) -> Iterator[Finding]:
    explained, foreign, complaint = _s3core.explain(bucket or "bucket", given, keys.all())
    if complaint is not None:
        yield Finding("credentials", "FAIL", complaint)
    for option, value, origin in explained:
        place = keys.place(origin)
        is_set = origin != "default" and place != "core-default.xml"
        if is_set or option == "endpoint":
            yield Finding(f"option {option}", "ok", f"{value} (from {origin}{f' in {place}' if place else ''})")
    of_defaults = []
    for name, what, remark in foreign:
        place = keys.place(name)
        if place == "core-default.xml":
            of_defaults += [name] if what == "nothing" else []
        elif what == "jar":
            yield Finding("key of the jar", "ok", f"{name} in {place}: {remark}")
        elif what == "nothing":
            yield Finding("unused key", "note", f"{name} in {place} means nothing to s3core: {remark}")
        else:
            yield Finding("unknown key", "note", f"{name} in {place}: {remark}")
    if of_defaults:
        yield Finding("unused keys", "ok", f"of Hadoop's core-default.xml: {', '.join(of_defaults)}")


def _endpoint(bucket: str | None, given: list[tuple[str, str]], keys: HadoopKeys) -> Iterator[Finding]:
    endpoint, seconds, status, date = _s3core.probe(bucket or "bucket", given, keys.all())
    yield Finding("endpoint", "ok", f"{endpoint} answered HTTP {status} in {seconds * 1000:.1f} ms")
    if date is None:
        yield Finding("clock", "note", "the endpoint sends no Date header")
        return
    try:
        told = parsedate_to_datetime(date)
    except ValueError:
        yield Finding("clock", "note", f"the endpoint's Date header is no date: {date!r}")
        return
    # A date whose zone is "-0000" is in UTC, and comes without a zone.
    skew = (datetime.now(UTC) - (told if told.tzinfo else told.replace(tzinfo=UTC))).total_seconds()
    state = "FAIL" if abs(skew) >= _SKEW_REFUSED else "note" if abs(skew) >= _SKEW_NOTICED else "ok"
    remedy = "" if state == "ok" else "; signatures are refused from 15 minutes on: synchronise the clocks"
    yield Finding("clock", state, f"{skew:+.0f} s against the endpoint's{remedy}")


def _bucket(bucket: str | None, given: list[tuple[str, str]], keys: HadoopKeys) -> Iterator[Finding]:
    if bucket is None:
        return
    seconds = _s3core.probe_bucket(bucket, given, keys.all())
    yield Finding("bucket", "ok", f"{bucket} can be listed, {seconds * 1000:.1f} ms")
