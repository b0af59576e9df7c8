"""``configure`` and ``conf``, without a JVM."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark import SparkContext
from pyspark.sql import SparkSession
from s3core.exceptions import ConfigurationError, UnsupportedError
from s3core.spark import attach, configure
from s3core.spark.__main__ import main
from s3core.spark.environment import SubmitArguments, read_defaults
from s3core.spark.settings import SECRETS

KEYS = {"endpoint": "http://127.0.0.1:1", "access_key": "me", "secret_key": "s3cr3t"}
CLASS = "org.s3core.hadoop.S3CoreFileSystem"


def options(builder: SparkSession.Builder) -> dict[str, str]:
    return {name: str(value) for name, value in builder._options.items()}


def new_builder() -> SparkSession.Builder:
    builder = SparkSession.Builder()
    builder._options = {}
    return builder


def test_a_builder_gets_jar_class_and_endpoint(jar: str) -> None:
    builder = new_builder()
    assert configure(builder, endpoint="http://127.0.0.1:1", region="eu") is builder
    assert options(builder) == {
        "spark.jars": jar,
        "spark.driver.extraClassPath": jar,
        "spark.executor.extraClassPath": f"./{os.path.basename(jar)}:{jar}",
        "spark.hadoop.fs.s3a.impl": CLASS,
        "spark.hadoop.fs.AbstractFileSystem.s3a.impl": "org.s3core.hadoop.S3Core",
        "spark.hadoop.fs.s3a.endpoint": "http://127.0.0.1:1",
        "spark.hadoop.fs.s3a.endpoint.region": "eu",
    }


def test_jars_of_the_user_stay_first(jar: str) -> None:
    builder = new_builder().config("spark.jars", "/a.jar,/b.jar").config("spark.driver.extraClassPath", "/c.jar")
    configured = options(configure(builder, **KEYS))
    assert configured["spark.jars"] == f"/a.jar,/b.jar,{jar}"
    assert configured["spark.driver.extraClassPath"] == f"/c.jar:{jar}"


def test_twice_is_once(jar: str) -> None:
    builder = configure(new_builder(), **KEYS)
    once = options(builder)
    assert options(configure(builder, **KEYS)) == once


def test_secrets_do_not_wait_in_the_builder(jar: str) -> None:
    configured = options(configure(new_builder(), **KEYS, session_token="t0k3n"))
    assert not {"s3cr3t", "t0k3n", "me"} & set(configured.values())


def test_secrets_of_two_calls_come_together(jar: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SparkSession.Builder, "getOrCreate", lambda self: options(self))
    builder = configure(new_builder(), access_key="me", secret_key="s3cr3t")
    configure(builder, endpoint="http://127.0.0.1:1")
    configure(builder, access_key="me", secret_key="s3cr3t", session_token="t0k3n")
    monkeypatch.setattr(SparkContext, "_ensure_initialized", lambda **_: None)
    built = builder.getOrCreate()
    assert {name.removeprefix("spark.hadoop.fs.s3a."): value for name, value in built.items() if name in SECRETS} == {
        "access.key": "me",
        "secret.key": "s3cr3t",
        "session.token": "t0k3n",
    }


def test_another_secret_in_a_second_call_is_refused(jar: str) -> None:
    builder = configure(new_builder(), **KEYS)
    with pytest.raises(ConfigurationError, match=r"fs\.s3a\.secret\.key to another value") as caught:
        configure(builder, access_key="me", secret_key="0ther")
    assert "s3cr3t" not in str(caught.value)


def test_jars_of_the_defaults_file_stay(jar: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spark-defaults.conf").write_text("# site\nspark.jars  /site.jar\nspark.executor.extraClassPath=/x\n")
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    configured = options(configure(new_builder(), **KEYS))
    assert configured["spark.jars"] == f"/site.jar,{jar}"
    assert configured["spark.executor.extraClassPath"].startswith("/x:./s3core-hadoop-")


def test_submit_arguments_win_and_are_appended_to(jar: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "--jars /a.jar --conf spark.driver.extraClassPath='/with space.jar' --driver-memory 2g pyspark-shell"
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", text)
    configured = options(configure(new_builder(), **KEYS))
    words = shlex.split(os.environ["PYSPARK_SUBMIT_ARGS"])
    assert words == [
        "--jars",
        f"/a.jar,{jar}",
        "--conf",
        f"spark.driver.extraClassPath=/with space.jar:{jar}",
        "--driver-memory",
        "2g",
        "pyspark-shell",
    ]
    assert configured["spark.jars"] == f"/a.jar,{jar}"
    assert configured["spark.driver.extraClassPath"] == f"/with space.jar:{jar}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("spark.hadoop.fs.s3a.impl", "org.apache.hadoop.fs.s3a.S3AFileSystem"),
        ("spark.hadoop.fs.s3a.endpoint", "http://other"),
        ("spark.jars", "/x/s3core-hadoop-0.0.1.jar"),
        ("spark.redaction.regex", "password"),
    ],
)
def test_what_contradicts_the_builder_is_refused(jar: str, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name.replace(".", r"\.")):
        configure(new_builder().config(name, value), **KEYS)


def test_a_contradicting_secret_is_not_shown(jar: str) -> None:
    builder = new_builder().config("spark.hadoop.fs.s3a.secret.key", "0ther")
    with pytest.raises(ConfigurationError) as caught:
        configure(builder, **KEYS)
    assert "0ther" not in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"endpont": "x"}, "did you mean endpoint"),
        ({"multipart_size": "huge"}, "multipart"),
        ({"access_key": "half"}, "secret"),
    ],
)
def test_bad_options(jar: str, given: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        configure(new_builder(), **given)


def test_other_options_get_the_keys_that_the_jar_reads(jar: str) -> None:
    builder = configure(new_builder(), multipart_size="32M", memory_limit="128M", path_style_access=False)
    configured = options(builder)
    assert configured["spark.hadoop.fs.s3a.multipart.size"] == "32M"
    assert configured["spark.hadoop.fs.s3core.memory.limit"] == "128M"
    # Hadoop's own core-default.xml says "false" to fs.s3a.path.style.access, which therefore counts as not given.
    assert configured["spark.hadoop.fs.s3core.path.style.access"] == "false"


def test_spark_connect_is_refused(jar: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnsupportedError, match="Spark Connect"):
        configure(new_builder().config("spark.remote", "sc://host"), **KEYS)
    monkeypatch.setenv("SPARK_REMOTE", "sc://host")
    with pytest.raises(UnsupportedError, match="server"):
        configure(new_builder(), **KEYS)
    connect = type("SparkSession", (), {"__module__": "pyspark.sql.connect.session"})
    with pytest.raises(UnsupportedError, match="server"):
        attach(connect(), **KEYS)


def test_a_running_session_is_pointed_to_attach(jar: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SparkContext, "_active_spark_context", object())
    with pytest.raises(ConfigurationError, match="attach"):
        configure(new_builder(), **KEYS)


@pytest.mark.parametrize(
    ("text", "setting", "value"),
    [
        ("--jars a.jar pyspark-shell", "spark.jars", "a.jar"),
        ("--jars=a.jar pyspark-shell", "spark.jars", "a.jar"),
        ("--conf spark.jars=a.jar pyspark-shell", "spark.jars", "a.jar"),
        ("--conf=spark.jars=a.jar pyspark-shell", "spark.jars", "a.jar"),
        ("--jars a.jar --conf spark.jars=b.jar pyspark-shell", "spark.jars", "a.jar"),
        ("-c spark.jars=a.jar --conf spark.jars=b.jar pyspark-shell", "spark.jars", "b.jar"),
        ("--driver-class-path x pyspark-shell", "spark.driver.extraClassPath", "x"),
        ("pyspark-shell", "spark.jars", None),
    ],
)
def test_submit_arguments(text: str, setting: str, value: str | None) -> None:
    assert SubmitArguments(text).get(setting) == value


def test_the_defaults_file_is_a_properties_file(tmp_path: Path) -> None:
    path = tmp_path / "own.conf"
    path.write_text("# comment\n! comment\n\nspark.a 1\nspark.b=2\nspark.c : 3 4 \nspark.d  x,\\\n   y\n")
    assert read_defaults(str(path)) == {"spark.a": "1", "spark.b": "2", "spark.c": "3 4", "spark.d": "x,y"}


def test_conf_for_spark_submit(jar: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conf", "--format=submit", "--endpoint", "http://127.0.0.1:1"]) == 0
    printed = capsys.readouterr()
    words = shlex.split(printed.out.replace("\\\n", ""))
    assert words == [
        "--jars",
        jar,
        "--driver-class-path",
        jar,
        "--conf",
        f"spark.executor.extraClassPath=./{os.path.basename(jar)}:{jar}",
        "--conf",
        f"spark.hadoop.fs.s3a.impl={CLASS}",
        "--conf",
        "spark.hadoop.fs.AbstractFileSystem.s3a.impl=org.s3core.hadoop.S3Core",
        "--conf",
        "spark.hadoop.fs.s3a.endpoint=http://127.0.0.1:1",
    ]
    assert "AWS_ACCESS_KEY_ID" in printed.err


def test_conf_for_other_tools(jar: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["conf", "--format=json", "--option", "multipart_size=32M"]) == 0
    settings = json.loads(capsys.readouterr().out)
    assert settings["spark.hadoop.fs.s3a.multipart.size"] == "32M"
    assert main(["conf", "--option", "multipart_size=32M"]) == 0
    (tmp_path / "printed.conf").write_text(capsys.readouterr().out)
    assert read_defaults(str(tmp_path / "printed.conf")) == settings


@pytest.mark.parametrize("option", ["secret_key=x", "multipart_sise=8M", "nothing"])
def test_conf_refuses_bad_options(jar: str, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conf", "--option", option]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_the_module_is_a_program() -> None:
    shown = subprocess.run([sys.executable, "-m", "s3core.spark", "--help"], capture_output=True, text=True, check=True)
    assert "doctor" in shown.stdout
