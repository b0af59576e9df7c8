"""Brings the FileSystem into a session that runs already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from s3core.exceptions import ConfigurationError, UnsupportedError
from s3core.spark.jar import FILE_SYSTEM_CLASS, jar_path
from s3core.spark.running import cached_file_systems, check_version, find_file_system_class
from s3core.spark.settings import Option, check_redaction, hadoop_settings

if TYPE_CHECKING:
    from py4j.java_gateway import JavaObject, JVMView
    from pyspark.sql import SparkSession

__all__ = ["attach"]


def attach(
    spark: SparkSession,
    *,
    endpoint: str | None = None,
    access_key: str | None = None,
    secret_key: str | None = None,
    region: str | None = None,
    **options: Option,
) -> None:
    """Makes a running session read and write ``s3a://`` through s3core, on the driver and the executors.

    Hadoop remembers a class that it once failed to find, per class loader: after a failed ``s3a://`` access with our
    ``fs.s3a.impl`` the session must be started anew, and this function says so. It also keeps each FileSystem object
    for as long as the JVM lives, whatever the options are by then: those of ``s3a://`` buckets that were opened with
    other values of what is given here are closed, and what is being written through them fails. The executors of a
    cluster cannot be reached for that; where they may have opened such buckets, the session must be started anew.

    Prefer ``configure`` where you build the session: ``spark.archives`` and ``spark.files`` on s3a need the jar when
    the executors start.

    Args:
        spark: a classic session of this process.
        endpoint: as in ``configure``, and so are the rest.

    Raises:
        UnsupportedError: ``spark`` is a Spark Connect session.
        ConfigurationError: an option is malformed, another version of s3core is loaded, Hadoop has already failed to
            find our class, or executors have opened buckets with other options.
    """
    if type(spark).__module__.startswith("pyspark.sql.connect"):
        raise UnsupportedError(
            "this is a Spark Connect session: its JVM runs on the server and takes no FileSystem from a client. Put "
            "the jar into the server's jars folder (python -m s3core.spark install) and the settings in its "
            "spark-defaults.conf (python -m s3core.spark conf --format=defaults)"
        )
    named: dict[str, Option] = dict(
        endpoint=endpoint, access_key=access_key, secret_key=secret_key, region=region, **options
    )
    settings = hadoop_settings(named)
    context = spark.sparkContext
    check_redaction(context.getConf().get("spark.redaction.regex"))
    jvm, java_context = context._jvm, context._jsc
    if jvm is None:
        raise ConfigurationError("the session was stopped: build a new one with s3core.spark.configure")
    loaded = find_file_system_class(jvm)
    if loaded is None:
        _extend_class_path(jvm)
        loaded = find_file_system_class(jvm)
    if loaded is None:
        raise ConfigurationError(
            "the driver does not find the class of the jar that was just added: restart the session"
        )
    check_version(loaded)
    java_context.addJar(jar_path())
    configuration = java_context.hadoopConfiguration()
    if configuration.getClassByNameOrNull(FILE_SYSTEM_CLASS) is None:
        raise ConfigurationError(
            f"Hadoop has looked for {FILE_SYSTEM_CLASS} in this session before and remembers that it was missing "
            "(Configuration keeps failed look-ups for each class loader): restart the session, with "
            "s3core.spark.configure or attach before the first s3a:// path"
        )
    _close_outdated(jvm, settings, is_local=context.master.startswith("local") and "cluster" not in context.master)
    for name, value in settings.items():
        configuration.set(name, value)


def _close_outdated(jvm: JVMView, settings: dict[str, str], *, is_local: bool) -> None:
    """Closes the file systems of ``s3a://`` that were opened with other options, so that Hadoop makes new ones."""
    outdated = [one for one in cached_file_systems(jvm, "s3a") if _is_outdated(one, settings)]
    if outdated and not is_local:
        buckets = ", ".join(sorted(one.getUri().toString() for one in outdated))
        raise ConfigurationError(
            f"{buckets} was opened with other options in this session, and its executors go on with those: Hadoop "
            "keeps each file system for as long as a JVM lives. Stop the session (spark.stop()) and start it anew, or "
            "attach before the first s3a:// path"
        )
    for one in outdated:
        one.close()


def _is_outdated(file_system: JavaObject, settings: dict[str, str]) -> bool:
    configuration = file_system.getConf()
    return configuration is None or any(configuration.get(name) != value for name, value in settings.items())


def _extend_class_path(jvm: JVMView) -> None:
    """Adds the jar to Spark's own class loader.

    The JVM's application loader takes no jars since Java 9; the one that spark-submit puts in front of it does.
    """
    url = jvm.java.io.File(jar_path()).toURI().toURL()
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    while loader is not None:
        if loader.getClass().getName().endswith("MutableURLClassLoader"):
            loader.addURL(url)
            return
        loader = loader.getParent()
    raise ConfigurationError(
        "the driver has none of Spark's extensible class loaders, so no jar can be added to it: install the jar with "
        f"`python -m s3core.spark install` ({Path(jar_path()).name}) and start the session anew"
    )
