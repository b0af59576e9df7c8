"""Java programs of a test."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pyspark


def compile_job(directory: Path, main_class: str, source: str) -> Path:
    """A jar of one class, compiled against Spark's jars."""
    compiler = shutil.which("javac")
    if compiler is None:
        raise FileNotFoundError("javac is not on the PATH: it comes with the JDK")
    classes = directory / "classes"
    file = directory / f"{main_class}.java"
    file.write_text(source)
    # Warnings about annotations that Spark's classes name and its jars lack tell nothing here.
    command = [compiler, "-nowarn", "-proc:none", "-cp", str(Path(pyspark.__file__).parent / "jars" / "*"), "-d", str(classes), str(file)]
    subprocess.run(command, check=True, capture_output=True)
    jar = directory / f"{main_class.lower()}.jar"
    with zipfile.ZipFile(jar, "w") as archive:
        for compiled in sorted(classes.rglob("*.class")):
            archive.write(compiled, compiled.relative_to(classes))
    return jar
