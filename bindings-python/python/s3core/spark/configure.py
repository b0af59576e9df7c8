"""Settings for a session that is still to be built."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from s3core.exceptions import ConfigurationError, UnsupportedError
from s3core.spark.environment import SubmitArguments, read_defaults
from s3core.spark.running import check_version, find_file_system_class
from s3core.spark.settings import (
    HADOOP_PREFIX,
    SECRETS,
    Option,
    appended,
    check_redaction,
    class_path_settings,
    hadoop_settings,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["configure"]

#: Attribute of a builder: the secrets that its session is to have.
_PENDING = "_s3core_secrets"


def configure(
    builder: SparkSession.Builder,
    *,
    endpoint: str | None = None,
    access_key: str | None = None,
    secret_key: str | None = None,
    region: str | None = None,
    **options: Option,
) -> SparkSession.Builder:
    """Makes the session that ``builder`` will build read and write ``s3a://`` through s3core.

    Appends the jar to ``spark.jars`` and to both extra class paths, after whatever the builder,
    ``PYSPARK_SUBMIT_ARGS`` or ``spark-defaults.conf`` name there, and sets ``fs.s3a.impl``, the endpoint and the keys.
    The keys reach the JVM over a socket and never stand on its command line.

    Args:
        builder: of this process; with Spark Connect the server must have the jar.
        endpoint: ``http://host:port`` of the gateway.
        access_key: where keys are left out, each JVM looks for its own: environment, then profile.
        secret_key: see ``access_key``.
        region: region that signatures name; Radosgw takes any.
        options: every other option of ``s3core.Store``, for example ``multipart_size="64M"``.

    Returns:
        The same builder.

    Raises:
        ConfigurationError: an option is unknown or malformed, contradicts what the builder says already, or the JVM
            runs already and has no s3core on its class path.
        UnsupportedError: the builder is for Spark Connect.
    """
    present = _options_of(builder) | _pending_secrets(builder)
    _refuse_connect(present)
    named: dict[str, Option] = dict(
        endpoint=endpoint, access_key=access_key, secret_key=secret_key, region=region, **options
    )
    settings = {HADOOP_PREFIX + name: value for name, value in hadoop_settings(named).items()}
    _check_agreement(settings, present)
    submit = SubmitArguments.from_environment()
    defaults = read_defaults(submit.get("--properties-file"))

    def in_force(name: str) -> str | None:
        return next((value for value in (present.get(name), submit.get(name), defaults.get(name)) if value), None)

    check_redaction(in_force("spark.redaction.regex"))
    if _jvm_is_running():
        _require_class_path()
        _forget_file_systems()
    else:
        for name, addition in class_path_settings().items():
            if submit.get(name) is not None:
                submit.replace(name, appended(name, submit.get(name), addition))
            settings[name] = appended(name, in_force(name), addition)
        if "PYSPARK_SUBMIT_ARGS" in os.environ:
            os.environ["PYSPARK_SUBMIT_ARGS"] = str(submit)
        _keep_off_command_line(builder, {name: settings.pop(name) for name in SECRETS & settings.keys()})
    for name, value in settings.items():
        builder.config(name, value)
    return builder


def _options_of(builder: SparkSession.Builder) -> dict[str, str]:
    options: dict[str, Any] = getattr(builder, "_options", {})
    return {name: str(value) for name, value in options.items()}


def _pending_secrets(builder: SparkSession.Builder) -> dict[str, str]:
    """What an earlier call keeps for the moment when the session is built."""
    pending: dict[str, str] = vars(builder).get(_PENDING, {})
    return pending


def _refuse_connect(present: dict[str, str]) -> None:
    if "spark.remote" in present or "SPARK_REMOTE" in os.environ:
        raise UnsupportedError(
            "this builder is for Spark Connect, whose JVM runs on the server: put the jar there "
            "(python -m s3core.spark install) and the settings in its spark-defaults.conf "
            "(python -m s3core.spark conf --format=defaults)"
        )


def _check_agreement(settings: dict[str, str], present: dict[str, str]) -> None:
    for name, value in settings.items():
        if name in present and present[name] != value:
            shown = "another value" if name in SECRETS else repr(present[name])
            raise ConfigurationError(
                f"the builder sets {name} to {shown} already, which contradicts configure(): remove one of the two"
            )


def _jvm_is_running() -> bool:
    from pyspark import SparkContext

    if SparkContext._active_spark_context is not None:
        raise ConfigurationError(
            "a Spark session runs already and would ignore these settings: call s3core.spark.attach(spark) for it, "
            "or stop it and start this Python again"
        )
    return SparkContext._gateway is not None or "PYSPARK_GATEWAY_PORT" in os.environ


def _require_class_path() -> None:
    """In a JVM that runs already (spark-submit, a notebook server) the class path cannot be extended any more."""
    from pyspark import SparkContext

    SparkContext._ensure_initialized()
    jvm = SparkContext._jvm
    loaded = find_file_system_class(jvm) if jvm is not None else None
    if loaded is None:
        raise ConfigurationError(
            "the JVM runs already (spark-submit or an earlier session started it) and has no s3core on its class path: "
            "start it with what `python -m s3core.spark conf --format=submit` prints, or build the session first and "
            "call s3core.spark.attach(spark)"
        )
    check_version(loaded)


def _forget_file_systems() -> None:
    """Lets the next session reach the endpoint that it names.

    Hadoop keeps file systems by scheme, bucket and user, whatever the options: those of an earlier session would go on,
    with its endpoint and its keys. A JVM that this Python did not start keeps its own: others may use them.
    """
    from pyspark import SparkContext

    if "PYSPARK_GATEWAY_PORT" not in os.environ and SparkContext._jvm is not None:
        SparkContext._jvm.org.apache.hadoop.fs.FileSystem.closeAll()


def _keep_off_command_line(builder: SparkSession.Builder, secrets: dict[str, str]) -> None:
    """Sets the secrets when the session is built, after the JVM was started.

    pyspark starts the JVM with every setting of the builder on its command line, which all users of the machine see.
    Settings that come once the JVM runs go over pyspark's socket.
    """
    if not secrets:
        return
    if _PENDING in vars(builder):
        vars(builder)[_PENDING].update(secrets)
        return
    pending = vars(builder)[_PENDING] = dict(secrets)
    build = builder.getOrCreate

    def get_or_create() -> SparkSession:
        from pyspark import SparkConf, SparkContext

        without_secrets = SparkConf(loadDefaults=False)
        for name, value in _options_of(builder).items():
            without_secrets.set(name, value)
        SparkContext._ensure_initialized(conf=without_secrets)
        for name, value in pending.items():
            builder.config(name, value)
        return build()

    vars(builder)["getOrCreate"] = get_or_create
