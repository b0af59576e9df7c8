"""The Spark settings that bind ``s3a://`` to s3core."""

from __future__ import annotations

import re
from collections.abc import Mapping

from s3core import _s3core
from s3core.exceptions import ConfigurationError
from s3core.spark.jar import FILE_CONTEXT_CLASS, FILE_SYSTEM_CLASS, is_our_jar, jar_path

__all__ = [
    "HADOOP_PREFIX",
    "SECRETS",
    "Option",
    "appended",
    "check_redaction",
    "class_path_settings",
    "hadoop_settings",
    "separator",
]

#: Types of an option's value: sizes and times may be given as S3A spells them ("64M", "30s").
Option = str | int | bool | None

#: Spark hands settings with this prefix to every Hadoop Configuration.
HADOOP_PREFIX = "spark.hadoop."

#: Settings that are kept off command lines and printed nowhere.
SECRETS = frozenset(HADOOP_PREFIX + key for key in ("fs.s3a.access.key", "fs.s3a.secret.key", "fs.s3a.session.token"))

#: Spark's own default of ``spark.redaction.regex`` covers these; a site's own expression may not.
_REDACTED = ("spark.hadoop.fs.s3a.secret.key", "spark.hadoop.fs.s3a.session.token")


def hadoop_settings(options: Mapping[str, Option]) -> dict[str, str]:
    """``fs.s3a.impl`` and the Hadoop settings of s3core's own option names, checked by the resolver of the core.

    Raises:
        ConfigurationError: an option is unknown (the near match is named), malformed or contradicts another.
    """
    given = [(name, option_text(value)) for name, value in options.items() if value is not None]
    classes = {"fs.s3a.impl": FILE_SYSTEM_CLASS, "fs.AbstractFileSystem.s3a.impl": FILE_CONTEXT_CLASS}
    return {**classes, **dict(_s3core.hadoop_settings(given))}


def class_path_settings() -> dict[str, str]:
    """What is appended to each list of jars.

    ``spark.jars`` alone comes too late where Spark needs the FileSystem early: ``spark.archives`` and ``spark.files``
    on s3a are fetched by executors before jars. An executor finds ``spark.jars`` files in its working directory, and
    on machines that hold the same Python environment also at the wheel's own path.
    """
    jar = jar_path()
    return {
        "spark.jars": jar,
        "spark.driver.extraClassPath": jar,
        "spark.executor.extraClassPath": f"./{jar.rpartition('/')[2]}:{jar}",
    }


def separator(setting: str) -> str:
    """What separates the entries of a list of jars: class paths are the JVM's, ``spark.jars`` is Spark's."""
    return "," if setting == "spark.jars" else ":"


def appended(setting: str, present: str | None, addition: str) -> str:
    """``present`` followed by what of ``addition`` it lacks.

    Raises:
        ConfigurationError: ``present`` names a jar of another version of s3core: only one can be loaded.
    """
    by = separator(setting)
    entries = [entry for entry in (present or "").split(by) if entry.strip()]
    wanted = addition.split(by)
    names = {entry.rpartition("/")[2] for entry in wanted}
    for entry in entries:
        if is_our_jar(entry) and entry.rpartition("/")[2] not in names:
            raise ConfigurationError(
                f"{setting} names another version of s3core, {entry}: remove it, this version brings its own jar"
            )
    return by.join(entries + [entry for entry in wanted if entry not in entries])


def check_redaction(expression: str | None) -> None:
    """Refuses a ``spark.redaction.regex`` under which the Spark UI and the event log would show the keys.

    Raises:
        ConfigurationError: the expression does not cover the secret key.
    """
    if expression is None:
        return
    try:
        covers = all(re.search(expression, name) for name in _REDACTED)
    except re.error:
        # An expression that only Java understands cannot be judged here.
        return
    if not covers:
        raise ConfigurationError(
            f"spark.redaction.regex is {expression!r}, which does not cover fs.s3a.secret.key: the Spark UI and the "
            "event log would show it. Add '(?i)secret|password|token|access[.]?key' to the expression"
        )


def option_text(value: str | int | bool) -> str:
    """An option's value as Hadoop spells it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
