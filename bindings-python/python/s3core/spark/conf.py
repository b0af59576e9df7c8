"""The settings as text, for what starts Spark without Python: spark-submit, spark-defaults.conf, notebooks servers."""

from __future__ import annotations

import json
import shlex

from s3core.spark.settings import HADOOP_PREFIX, Option, class_path_settings, hadoop_settings

__all__ = ["FORMATS", "format_settings", "settings_without_secrets"]

#: What ``format_settings`` writes.
FORMATS = ("submit", "defaults", "json")


def settings_without_secrets(options: dict[str, Option]) -> dict[str, str]:
    """Class paths, ``fs.s3a.impl`` and ``options``; no keys, since what is printed ends up in files and histories."""
    hadoop = hadoop_settings(options)
    return class_path_settings() | {HADOOP_PREFIX + name: value for name, value in hadoop.items()}


def format_settings(settings: dict[str, str], form: str) -> str:
    """``settings`` as arguments of spark-submit, as lines of spark-defaults.conf or as a JSON object."""
    if form == "json":
        return json.dumps(settings, indent=2)
    if form == "defaults":
        width = max(map(len, settings))
        return "\n".join(f"{name:{width}} {value}" for name, value in settings.items())
    own = {"spark.jars": "--jars", "spark.driver.extraClassPath": "--driver-class-path"}
    arguments = [
        f"{own[name]} {shlex.quote(value)}" if name in own else f"--conf {shlex.quote(f'{name}={value}')}"
        for name, value in settings.items()
    ]
    return " \\\n".join(arguments)
