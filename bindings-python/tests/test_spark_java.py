"""What ``doctor`` says of Java: of the one that Spark would start, and of none."""

from __future__ import annotations

from pathlib import Path

import pytest
from s3core.spark.doctor import Finding, diagnose
from s3core.spark.java import NoJavaError, find_java, judge_java, spark_version

OPENJDK = 'openjdk version "{}" 2024-01-16'


def java_in(directory: Path, version: str, *, status: int = 0) -> Path:
    """A Java that only tells its version."""
    program = directory / "bin" / "java"
    program.parent.mkdir(parents=True)
    lines = ["#!/bin/sh", "echo 'Picked up JAVA_TOOL_OPTIONS: -Xmx1g' >&2", f"echo '{version}' >&2", f"exit {status}"]
    program.write_text("\n".join(lines))
    program.chmod(0o755)
    return directory


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        (OPENJDK.format("1.8.0_402"), 8),
        (OPENJDK.format("11.0.22"), 11),
        (OPENJDK.format("17"), 17),
        ('java version "21.0.2" 2024-01-16 LTS', 21),
        (OPENJDK.format("25-ea"), 25),
    ],
)
def test_every_way_to_tell_a_version(tmp_path: Path, printed: str, version: int) -> None:
    java = find_java({"JAVA_HOME": str(java_in(tmp_path / "jdk", printed))})
    assert (java.version, java.name) == (version, printed)
    assert java.origin == f"{tmp_path}/jdk/bin/java of JAVA_HOME"


def test_java_home_goes_before_the_path(tmp_path: Path) -> None:
    first, second = (java_in(tmp_path / name, OPENJDK.format(name)) for name in ("11", "17"))
    environment = {"PATH": f"{second}/bin:/bin:/usr/bin"}
    assert find_java(environment).version == 17
    assert find_java(environment).origin == f"{second}/bin/java in PATH"
    assert find_java(environment | {"JAVA_HOME": str(first)}).version == 11


def test_no_java_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(NoJavaError, match=r"JAVA_HOME is not set and PATH has no java: install Java 17.*set JAVA_HOME"):
        find_java({"PATH": str(tmp_path)})
    with pytest.raises(NoJavaError, match=rf"JAVA_HOME is {tmp_path}, which has no bin/java.*or unset it"):
        find_java({"JAVA_HOME": str(tmp_path), "PATH": "/bin:/usr/bin"})
    broken = java_in(tmp_path / "broken", "error: no libjvm.so", status=1)
    with pytest.raises(NoJavaError, match=r"does not tell its version.*no libjvm\.so"):
        find_java({"JAVA_HOME": str(broken)})


@pytest.mark.parametrize(
    ("java", "spark", "state", "words"),
    [
        (8, (2, 4), "ok", "Java 8"),
        (8, (3, 5), "ok", "8, 11 and 17"),
        (17, (3, 5), "ok", "8, 11 and 17"),
        (21, (3, 5), "note", "set JAVA_HOME to one of these"),
        (17, (3, 2), "note", "8 and 11"),
        (11, (4, 0), "FAIL", "needs Java 17 at least: set JAVA_HOME"),
        (21, (4, 2), "ok", "17 and 21"),
        (17, None, "ok", ""),
        (7, (3, 5), "FAIL", "needs Java 8"),
    ],
)
def test_each_spark_has_needs_of_its_own(java: int, spark: tuple[int, int] | None, state: str, words: str) -> None:
    found, consequence = judge_java(java, spark)
    assert found == state
    assert words in consequence


def home_of_spark(directory: Path, version: str) -> Path:
    jars = directory / "jars"
    jars.mkdir(parents=True)
    (jars / f"spark-core_2.13-{version}.jar").write_bytes(b"")
    (directory / "conf").mkdir()
    return directory


def of_java(home: Path) -> list[Finding]:
    found = diagnose({"endpoint": "http://127.0.0.1:1"}, home=str(home))
    return [finding for finding in found if finding.subject == "Java"]


def test_doctor_judges_the_java_of_this_spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = home_of_spark(tmp_path / "spark", "4.0.4")
    assert spark_version(home) == (4, 0)
    monkeypatch.setenv("JAVA_HOME", str(java_in(tmp_path / "jdk", OPENJDK.format("11.0.22"))))
    (finding,) = of_java(home)
    assert finding.state == "FAIL"
    java = f'openjdk version "11.0.22" 2024-01-16 ({tmp_path}/jdk/bin/java of JAVA_HOME)'
    assert finding.text.startswith(f"{java}; Spark 4.0 needs Java 17")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    (finding,) = of_java(home)
    assert finding.state == "FAIL"
    assert "has no bin/java" in finding.text


def test_doctor_says_where_java_may_come_from_besides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = home_of_spark(tmp_path / "spark", "3.5.7")
    monkeypatch.setenv("JAVA_HOME", str(java_in(tmp_path / "jdk", OPENJDK.format("17"))))
    assert [finding.state for finding in of_java(home)] == ["ok"]
    (home / "conf" / "spark-env.sh").write_text("export JAVA_HOME=/opt/jdk\n")
    assert [finding.state for finding in of_java(home)] == ["ok", "note"]
