"""A Spark as an administrator sets it up: a SPARK_HOME with a conf/spark-defaults.conf, with our jar in jars/ or without it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyspark

SMALL = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "512m",
    "spark.executor.memory": "512m",
    "spark.executor.cores": "1",
    "spark.cores.max": "2",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
}


@dataclass(frozen=True)
class Installation:
    """A SPARK_HOME of links to PySpark's own files."""

    home: Path

    def submit(self, arguments: Sequence[str], environment: Mapping[str, str] | None = None, seconds: float = 240) -> str:
        """Runs spark-submit, which has to end well; gives what it has printed."""
        command = [str(self.home / "bin" / "spark-submit"), *arguments]
        variables = os.environ | {"SPARK_HOME": str(self.home), "SPARK_LOCAL_IP": "127.0.0.1"} | dict(environment or {})
        done = subprocess.run(command, env=variables, cwd=self.home, capture_output=True, text=True, timeout=seconds, check=False)
        output = done.stdout + done.stderr
        assert done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{output[-6000:]}"
        return output


def install_spark(home: Path, jars: Sequence[Path], settings: Mapping[str, str]) -> Installation:
    """Makes one in `home`, with `settings` in its spark-defaults.conf and `jars` in its jars/, in place of other versions of them."""
    original = Path(pyspark.__file__).parent
    (home / "jars").mkdir(parents=True)
    for entry in ("bin", "sbin"):
        (home / entry).symlink_to(original / entry)
    given = {_artifact(jar) for jar in jars}
    for jar in [*(each for each in (original / "jars").iterdir() if _artifact(each) not in given), *jars]:
        (home / "jars" / jar.name).symlink_to(jar)
    (home / "conf").mkdir()
    lines = [f"{name} {value}\n" for name, value in ({"spark.local.dir": str(home / "local")} | SMALL | dict(settings)).items()]
    (home / "conf" / "spark-defaults.conf").write_text("".join(lines))
    return Installation(home)


def _artifact(jar: Path) -> str:
    """Its name without the version."""
    return re.split(r"-\d", jar.name, maxsplit=1)[0]


def spark_settings(hadoop: Mapping[str, str]) -> dict[str, str]:
    """Options of Hadoop as Spark takes them."""
    return {f"spark.hadoop.{name}": value for name, value in hadoop.items()}
