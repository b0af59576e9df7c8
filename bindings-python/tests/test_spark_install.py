"""``install``, ``uninstall`` and ``doctor``, without a JVM."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
from s3core import __version__, _s3core
from s3core.exceptions import ConfigurationError
from s3core.spark.__main__ import main
from s3core.spark.doctor import Finding, diagnose
from s3core.spark.hadoop_keys import HadoopKeys, heap_size
from s3core.spark.install import install, installed_jars, uninstall
from s3core.spark.jar import jar_path, version_of_jar
from s3core.testing import Gateway


@pytest.fixture
def home(tmp_path: Path) -> str:
    (tmp_path / "spark" / "jars").mkdir(parents=True)
    (tmp_path / "spark" / "conf").mkdir()
    return str(tmp_path / "spark")


def test_install_replaces_other_versions(jar: str, home: str) -> None:
    old = Path(home, "jars", "s3core-hadoop-0.0.1.jar")
    old.write_bytes(b"")
    other = Path(home, "jars", "s3core-hadoop-tools.jar")
    other.write_bytes(b"")
    installed = install(home)
    assert installed.read_bytes() == Path(jar).read_bytes()
    assert installed_jars(home) == [installed]
    assert other.exists()
    assert uninstall(home) == [installed]
    assert sorted(path.name for path in Path(home, "jars").iterdir()) == ["s3core-hadoop-tools.jar"]


def test_install_finds_spark(jar: str, home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_HOME", home)
    assert main(["install"]) == 0
    assert installed_jars() == [Path(home, "jars", f"s3core-hadoop-{__version__}.jar")]
    assert main(["uninstall"]) == 0
    assert installed_jars() == []


def test_install_refuses_what_is_no_spark(jar: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigurationError, match="no folder jars"):
        install(str(tmp_path / "nowhere"))
    assert main(["install", "--spark-home", str(tmp_path / "nowhere")]) == 2
    assert "no folder jars" in capsys.readouterr().err


def test_keys_of_hadoop_and_spark_files(home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "hadoop" / "core-site.xml"
    site.parent.mkdir()
    site.write_text(
        "<configuration><property><name>fs.s3a.endpoint</name><value>http://site</value></property>"
        "<property><name>fs.s3a.path.style.access</name><value>true</value></property>"
        "<property><name>fs.defaultFS</name><value>hdfs://x</value></property></configuration>"
    )
    Path(home, "conf", "spark-defaults.conf").write_text(
        "spark.hadoop.fs.s3a.endpoint http://spark\nspark.executor.memory 4g\n"
    )
    monkeypatch.setenv("HADOOP_CONF_DIR", str(site.parent))
    monkeypatch.setenv("SPARK_HOME", home)
    keys = HadoopKeys.of_this_machine(home)
    assert dict(keys.all()) == {"fs.s3a.endpoint": "http://spark", "fs.s3a.path.style.access": "true"}
    assert (keys.place("fs.s3a.endpoint"), keys.place("fs.s3a.path.style.access")) == ("spark-defaults.conf", str(site))
    assert heap_size() == (4 * 2**30, "spark.executor.memory=4g")


def hadoop_site(directory: Path, monkeypatch: pytest.MonkeyPatch, properties: dict[str, str]) -> Path:
    site = directory / "hadoop" / "core-site.xml"
    site.parent.mkdir()
    entries = (f"<property><name>{name}</name><value>{value}</value></property>" for name, value in properties.items())
    site.write_text(f"<configuration>{''.join(entries)}</configuration>")
    monkeypatch.setenv("HADOOP_CONF_DIR", str(site.parent))
    return site


@pytest.mark.parametrize(
    ("value", "expanded"),
    [
        ("${env.RGW}", "rgw:8080"),
        ("${env.RGW:-other}", "rgw:8080"),
        ("${env.EMPTY:-other}", "other"),
        ("${env.EMPTY-other}", ""),
        ("${env.UNSET-other}", "other"),
        ("${env.UNSET:-http://${host}}/a", "http://rgw/a"),
        ("http://${site.address}", "http://rgw:80"),
        ("${user.name}", "me"),
        ("${env.UNSET} ${unknown} ${host}", "${env.UNSET} ${unknown} rgw"),
        ("$host {host} ${}", "$host {host} ${}"),
    ],
)
def test_variables_are_expanded_as_hadoop_does(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, expanded: str
) -> None:
    hadoop_site(
        tmp_path,
        monkeypatch,
        {"host": "rgw", "port": "80", "site.address": "${host}:${port}", "fs.s3a.endpoint": value},
    )
    monkeypatch.setenv("RGW", "rgw:8080")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("UNSET", raising=False)
    monkeypatch.setenv("LOGNAME", "me")
    assert dict(HadoopKeys.of_this_machine(home).all()) == {"fs.s3a.endpoint": expanded}


def test_variables_that_mean_themselves_end(home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hadoop_site(tmp_path, monkeypatch, {"fs.s3a.endpoint": "${fs.s3a.region}", "fs.s3a.region": "${fs.s3a.endpoint}"})
    assert "${" in dict(HadoopKeys.of_this_machine(home).all())["fs.s3a.endpoint"]


def find(findings: list[Finding], subject: str) -> Finding:
    return next(finding for finding in findings if finding.subject == subject)


def test_doctor_finds_nothing_wrong_with_a_gateway(gateway: Gateway, home: str) -> None:
    keys = {"endpoint": gateway.endpoint, "access_key": gateway.access_key, "secret_key": gateway.secret_key}
    findings = diagnose(dict(keys), bucket="lake", home=home)
    assert "answered HTTP" in find(findings, "endpoint").text
    assert find(findings, "clock").state == "ok"
    assert find(findings, "bucket").state == "ok"
    assert find(findings, "option secret_key").text == "*** (from argument secret_key)"
    assert "MiB for each JVM" in find(findings, "buffer memory").text
    assert gateway.secret_key not in repr(findings)


def test_doctor_lists_keys_that_mean_nothing(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(home, "conf", "spark-defaults.conf").write_text(
        "spark.hadoop.fs.s3a.list.version 2\nspark.hadoop.fs.s3a.conection.maximum 7\n"
    )
    monkeypatch.setenv("SPARK_HOME", home)
    findings = diagnose({"endpoint": "http://127.0.0.1:1"}, home=home)
    assert find(findings, "unused key") == Finding(
        "unused key",
        "note",
        "fs.s3a.list.version in spark-defaults.conf means nothing to s3core: listings are of version 2",
    )
    assert find(findings, "unknown key").text == (
        "fs.s3a.conection.maximum in spark-defaults.conf: no option of S3A or s3core; did you mean "
        "fs.s3a.connection.maximum?"
    )


def test_doctor_knows_what_the_jar_reads_by_itself(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(home, "conf", "spark-defaults.conf").write_text(
        "spark.hadoop.fs.s3a.block.size 64M\n"
        "spark.hadoop.fs.s3a.bucket.lake.downgrade.syncable.exceptions false\n"
        "spark.hadoop.fs.s3a.security.credential.provider.path jceks://file/keys.jceks\n"
    )
    monkeypatch.setenv("SPARK_HOME", home)
    findings = diagnose({"endpoint": "http://127.0.0.1:1"}, bucket="lake", home=home)
    assert [finding.text for finding in findings if finding.subject == "key of the jar"] == [
        "fs.s3a.block.size in spark-defaults.conf: size of the splits that jobs make of files",
        "fs.s3a.bucket.lake.downgrade.syncable.exceptions in spark-defaults.conf: "
        "whether hflush and hsync do nothing or fail",
        "fs.s3a.security.credential.provider.path in spark-defaults.conf: "
        "encrypted files that the jar looks for keys in",
    ]
    assert not [finding for finding in findings if finding.subject == "unused key"]


def test_doctor_reads_on_after_a_broken_file(
    gateway: Gateway, home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = hadoop_site(tmp_path, monkeypatch, {})
    site.write_text("<configuration><property>")
    Path(home, "jars", "hadoop-client-api-3.3.4.jar").write_bytes(b"no archive")
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--conf 'spark.executor.memory=4g")
    keys = {"endpoint": gateway.endpoint, "access_key": gateway.access_key, "secret_key": gateway.secret_key}
    findings = diagnose(dict(keys), home=home)
    complaints = [finding for finding in findings if finding.subject == "settings file"]
    assert [finding.state for finding in complaints] == ["FAIL", "FAIL", "FAIL"]
    assert "hadoop-client-api-3.3.4.jar cannot be read" in complaints[0].text
    assert f"{site} is no XML that Hadoop can read" in complaints[1].text
    assert "No closing quotation" in complaints[2].text
    assert find(findings, "clock").state == "ok"


def test_doctor_names_files_that_it_may_not_read(home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = hadoop_site(tmp_path, monkeypatch, {})
    defaults = Path(home, "conf", "spark-defaults.conf")
    defaults.write_text("")
    monkeypatch.setenv("SPARK_HOME", home)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    # The tests may run as root, who may read everything.
    monkeypatch.setattr(Path, "read_bytes", refuse)
    monkeypatch.setattr(Path, "read_text", refuse)
    assert HadoopKeys.of_this_machine(home).complaints == [
        f"{site} cannot be read: Permission denied",
        f"{defaults} cannot be read: Permission denied",
    ]


@pytest.mark.parametrize(
    ("date", "state", "text"),
    [
        ("yesterday", "note", "the endpoint's Date header is no date: 'yesterday'"),
        ("Fri, 20 Nov 2020 10:00:00 -0000", "FAIL", "synchronise the clocks"),
    ],
)
def test_doctor_reads_odd_dates(home: str, monkeypatch: pytest.MonkeyPatch, date: str, state: str, text: str) -> None:
    monkeypatch.setattr(_s3core, "probe", lambda *_: ("http://rgw", 0.001, 200, date))
    clock = find(diagnose({"endpoint": "http://127.0.0.1:1"}, home=home), "clock")
    assert clock.state == state
    assert text in clock.text


def test_doctor_reports_every_fault(home: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--endpoint", "http://127.0.0.1:1", "--spark-home", home]) == 1
    printed = capsys.readouterr().out
    assert "AWS_ACCESS_KEY_ID" in printed
    assert "UnreachableError" in printed


def test_doctor_names_a_wrong_protocol(gateway: Gateway, home: str) -> None:
    endpoint = gateway.endpoint.replace("http:", "https:")
    findings = diagnose({"endpoint": endpoint, "access_key": "a", "secret_key": "b"}, home=home)
    assert find(findings, "ProtocolError").state == "FAIL"


def test_doctor_refuses_unknown_options(home: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--option", "endpont=x", "--spark-home", home]) == 1
    assert "did you mean endpoint" in capsys.readouterr().out


def test_the_wheel_carries_the_jar_of_its_version(gateway: Gateway, home: str) -> None:
    assert version_of_jar(jar_path()) == __version__
    keys = {"endpoint": gateway.endpoint, "access_key": gateway.access_key, "secret_key": gateway.secret_key}
    findings = diagnose(dict(keys), home=home)
    assert find(findings, "jar").state == "ok"
    assert f"linux-{platform.machine()}" in find(findings, "native libraries").text
    assert [finding for finding in findings if finding.state == "FAIL"] == []
