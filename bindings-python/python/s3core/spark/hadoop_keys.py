"""The ``fs.s3a.*`` keys that a JVM on this machine would see, and where each one stands."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

from s3core.exceptions import ConfigurationError
from s3core.spark.environment import SubmitArguments, read_defaults, spark_home
from s3core.spark.settings import HADOOP_PREFIX

__all__ = ["HadoopKeys", "heap_size"]

_OURS = ("fs.s3a.", "fs.s3core.")


class HadoopKeys:
    """Keys with their values and the file that sets them; later files win over earlier ones, as in Hadoop."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[str, str]] = {}

    @classmethod
    def of_this_machine(cls, home: str | None = None) -> HadoopKeys:
        """Reads core-default.xml of Spark's Hadoop, core-site.xml of ``HADOOP_CONF_DIR`` and Spark's defaults."""
        keys = cls()
        try:
            jars = sorted((spark_home(home) / "jars").glob("hadoop-*.jar"))
        except ConfigurationError:
            jars = []
        for jar in jars:
            with zipfile.ZipFile(jar) as archive:
                if "core-default.xml" in archive.namelist():
                    keys._add_xml(archive.read("core-default.xml"), "core-default.xml")
        for variable in ("HADOOP_CONF_DIR", "YARN_CONF_DIR"):
            site = Path(os.environ.get(variable, "")) / "core-site.xml"
            if os.environ.get(variable) and site.is_file():
                keys._add_xml(site.read_bytes(), str(site))
        submit = SubmitArguments.from_environment()
        for name, value in read_defaults(submit.get("--properties-file")).items():
            if name.startswith(HADOOP_PREFIX):
                keys._add(name.removeprefix(HADOOP_PREFIX), value, "spark-defaults.conf")
        return keys

    def all(self) -> list[tuple[str, str]]:
        """Keys and values."""
        return [(name, value) for name, (value, _) in self._values.items()]

    def place(self, name: str) -> str | None:
        """The file that sets ``name``; ``None`` where none of these does."""
        return self._values.get(name, ("", None))[1]

    def _add(self, name: str, value: str, place: str) -> None:
        if name.startswith(_OURS):
            self._values[name] = (value, place)

    def _add_xml(self, text: bytes, place: str) -> None:
        for entry in ElementTree.fromstring(text).iter("property"):
            name, value = entry.findtext("name"), entry.findtext("value")
            if name is not None and value:
                self._add(name.strip(), value.strip(), place)


def heap_size() -> tuple[int, str]:
    """Bytes of heap that an executor on this machine gets, and the setting that says so; Spark's default is 1 GiB."""
    submit = SubmitArguments.from_environment()
    text = submit.get("spark.executor.memory")
    text = text or read_defaults(submit.get("--properties-file")).get("spark.executor.memory")
    if text is None:
        return 2**30, "1g, Spark's default"
    units = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
    number = text.strip().lower().removesuffix("b")
    unit = units.get(number[-1:], 2**20)
    digits = number.rstrip("kmgt")
    if not digits.isdigit():
        raise ConfigurationError(f"spark.executor.memory is {text!r}, which is no size such as 4g")
    return int(digits) * unit, f"spark.executor.memory={text}"
