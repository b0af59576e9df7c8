"""The ``fs.s3a.*`` keys that a JVM on this machine would see, and where each one stands."""

from __future__ import annotations

import getpass
import os
import re
import tempfile
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

from s3core.exceptions import ConfigurationError
from s3core.spark.environment import SubmitArguments, read_defaults, spark_home
from s3core.spark.settings import HADOOP_PREFIX

__all__ = ["HadoopKeys", "heap_size"]

_OURS = ("fs.s3a.", "fs.s3core.")

#: Hadoop expands the innermost first, and this often at most (``Configuration.MAX_SUBST``).
_VARIABLE, _EXPANSIONS = re.compile(r"\$\{([^{}$\s]+)\}"), 20

#: ``${env.NAME}``; after ``:-`` follows what stands for an unset or empty variable, after ``-`` for an unset one.
_OF_ENVIRONMENT = re.compile(r"env\.(?P<name>[^:-]+)(?:(?P<empty>:)?-(?P<otherwise>.*))?")


class HadoopKeys:
    """Keys with their values and the file that sets them; later files win over earlier ones, as in Hadoop.

    Attributes:
        complaints: what could not be read, a sentence each. The keys are then incomplete.
    """

    def __init__(self) -> None:
        self.complaints: list[str] = []
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
            try:
                with zipfile.ZipFile(jar) as archive:
                    if "core-default.xml" in archive.namelist():
                        keys._add_xml(archive.read("core-default.xml"), "core-default.xml")
            except (OSError, zipfile.BadZipFile) as failure:
                keys.complaints.append(f"{jar} cannot be read: {failure}")
        for variable in ("HADOOP_CONF_DIR", "YARN_CONF_DIR"):
            site = Path(os.environ.get(variable, "")) / "core-site.xml"
            if os.environ.get(variable) and site.is_file():
                try:
                    keys._add_xml(site.read_bytes(), str(site))
                except OSError as failure:
                    keys.complaints.append(f"{site} cannot be read: {failure.strerror}")
        try:
            defaults = read_defaults(SubmitArguments.from_environment().get("--properties-file"))
        except ConfigurationError as failure:
            keys.complaints.append(str(failure))
            defaults = {}
        for name, value in defaults.items():
            if name.startswith(HADOOP_PREFIX):
                keys._values[name.removeprefix(HADOOP_PREFIX)] = (value, "spark-defaults.conf")
        return keys

    def all(self) -> list[tuple[str, str]]:
        """The keys that s3core may read, with their values, in which variables are expanded."""
        return [(name, self._expanded(value)) for name, (value, _) in self._values.items() if name.startswith(_OURS)]

    def place(self, name: str) -> str | None:
        """The file that sets ``name``; ``None`` where none of these does."""
        return self._values.get(name, ("", None))[1]

    def _add_xml(self, text: bytes, place: str) -> None:
        try:
            entries = list(ElementTree.fromstring(text).iter("property"))
        except (ElementTree.ParseError, LookupError, ValueError) as failure:  # LookupError: of an unknown encoding
            self.complaints.append(f"{place} is no XML that Hadoop can read: {failure}")
            return
        for entry in entries:
            name, value = entry.findtext("name"), entry.findtext("value")
            if name is not None and value:
                self._values[name.strip()] = (value.strip(), place)

    def _expanded(self, value: str) -> str:
        """``value`` as ``Configuration.get`` answers it; a variable that nobody sets stays as it is."""
        for _ in range(_EXPANSIONS):
            for variable in _VARIABLE.finditer(value):
                text = self._variable(variable[1])
                if text is not None:
                    value = value[: variable.start()] + text + value[variable.end() :]
                    break
            else:
                break
        return value

    def _variable(self, name: str) -> str | None:
        if (wanted := _OF_ENVIRONMENT.fullmatch(name)) is not None:
            text = os.environ.get(wanted["name"])
            return wanted["otherwise"] if text is None or (wanted["empty"] and not text) else text
        return _system_property(name) or self._values.get(name, (None, None))[0]


def _system_property(name: str) -> str | None:
    """The Java system properties that configurations refer to, as a JVM on this machine has them."""
    match name:
        case "user.name":
            return getpass.getuser()
        case "user.home":
            return os.path.expanduser("~")
        case "user.dir":
            return os.getcwd()
        case "java.io.tmpdir":
            return tempfile.gettempdir()
    return None


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
