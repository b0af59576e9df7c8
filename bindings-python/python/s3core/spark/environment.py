"""What is set besides the builder: Spark's home, its defaults file and ``PYSPARK_SUBMIT_ARGS``."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
from pathlib import Path
from typing import ClassVar

from s3core.exceptions import ConfigurationError

__all__ = ["SubmitArguments", "read_defaults", "spark_home"]


def spark_home(given: str | None = None) -> Path:
    """Spark's installation: ``given``, else ``SPARK_HOME``, else the pyspark package of this Python.

    Raises:
        ConfigurationError: there is none, or it has no ``jars`` folder.
    """
    home = given or os.environ.get("SPARK_HOME")
    if home is None:
        package = importlib.util.find_spec("pyspark")
        if package is None or not package.submodule_search_locations:
            raise ConfigurationError("no Spark found: name it with --spark-home or SPARK_HOME, or install pyspark")
        home = package.submodule_search_locations[0]
    if not (Path(home) / "jars").is_dir():
        raise ConfigurationError(f"{home} is no Spark installation: it has no folder jars")
    return Path(home)


def read_defaults(properties_file: str | None = None) -> dict[str, str]:
    """The settings that spark-submit starts from: of ``properties_file``, else of ``spark-defaults.conf``.

    The format is that of Java properties: a name ends at ``=``, ``:`` or a blank, a backslash continues a line.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    path = Path(properties_file) if properties_file else _defaults_file()
    if path is None or not path.is_file():
        return {}
    settings = {}
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as failure:
        raise ConfigurationError(f"{path} cannot be read: {failure.strerror}") from failure
    text = re.sub(r"\\\r?\n[ \t]*", "", text)
    for line in map(str.strip, text.splitlines()):
        if line and line[0] not in "#!":
            name, _, value = re.sub(r"[\s=:]+", "\0", line, count=1).partition("\0")
            settings[name] = value.strip()
    return settings


def _defaults_file() -> Path | None:
    directory = os.environ.get("SPARK_CONF_DIR")
    try:
        return (Path(directory) if directory else spark_home() / "conf") / "spark-defaults.conf"
    except ConfigurationError:
        return None


class SubmitArguments:
    """``PYSPARK_SUBMIT_ARGS``: it wins over the builder's settings, so lists of jars are appended to here as well."""

    #: spark-submit's own options for settings that are read here.
    _SETTINGS: ClassVar = {"--jars": "spark.jars", "--driver-class-path": "spark.driver.extraClassPath"}

    def __init__(self, text: str | None) -> None:
        self._words: list[str] = []
        for word in shlex.split(text or ""):
            option, equals, value = word.partition("=")
            is_joined = equals and option in ("--conf", "-c", "--properties-file", *self._SETTINGS)
            self._words.extend([option, value] if is_joined else [word])
        self._places = self._find()

    @classmethod
    def from_environment(cls) -> SubmitArguments:
        """The arguments that pyspark will start the JVM with.

        Raises:
            ConfigurationError: a quotation in them does not end.
        """
        try:
            return cls(os.environ.get("PYSPARK_SUBMIT_ARGS"))
        except ValueError as failure:
            # Without the text, which may hold keys.
            raise ConfigurationError(f"PYSPARK_SUBMIT_ARGS is no list of arguments: {failure}") from None

    def get(self, setting: str) -> str | None:
        """The value that spark-submit would take for ``setting``, or for ``--properties-file``."""
        place = self._places.get(setting)
        return None if place is None else self._words[place].removeprefix(f"{setting}=")

    def replace(self, setting: str, value: str) -> None:
        """Sets the value where it stands."""
        place = self._places[setting]
        is_pair = self._words[place].startswith(f"{setting}=")
        self._words[place] = f"{setting}={value}" if is_pair else value

    def __str__(self) -> str:
        return shlex.join(self._words)

    def _find(self) -> dict[str, int]:
        by_conf: dict[str, int] = {}
        by_option: dict[str, int] = {}
        for place, (word, following) in enumerate(zip(self._words, self._words[1:], strict=False), start=1):
            if word in ("--conf", "-c"):
                by_conf[following.partition("=")[0]] = place
            elif word == "--properties-file":
                by_option[word] = place
            elif word in self._SETTINGS:
                by_option[self._SETTINGS[word]] = place
        # spark-submit's own option wins over --conf of the same meaning, wherever they stand.
        return by_conf | by_option
