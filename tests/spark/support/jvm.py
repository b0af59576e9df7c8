"""A bare Java virtual machine with Spark's jars and no Spark session: starts in a second, so that a test can have one of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyspark
from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway
from py4j.protocol import Py4JJavaError

SPARK_JARS = Path(pyspark.__file__).parent / "jars"
# What Spark's own launcher opens to its jars; Hadoop needs it from Java 17 on.
MODULE_OPTIONS = [
    f"--add-opens=java.base/{package}=ALL-UNNAMED"
    for package in ("java.lang", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util", "java.util.concurrent", "sun.nio.ch")
]


class Jvm:
    """One JVM. Java exceptions arrive as py4j.protocol.Py4JJavaError."""

    def __init__(self, gateway: JavaGateway, process: Any, log: Path) -> None:
        self._gateway = gateway
        self._process = process
        self._log = log
        self.jvm: Any = gateway.jvm

    def configuration(self, settings: Mapping[str, str]) -> Any:
        """A Hadoop Configuration with `settings` on top of the defaults."""
        configuration = self.jvm.org.apache.hadoop.conf.Configuration()
        for name, value in settings.items():
            configuration.set(name, value)
        return configuration

    def file_system(self, url: str, settings: Mapping[str, str]) -> Any:
        """A new FileSystem for `url`, not the cached one."""
        return self.jvm.org.apache.hadoop.fs.FileSystem.newInstance(self.jvm.java.net.URI(url), self.configuration(settings))

    def path(self, url: str) -> Any:
        return self.jvm.org.apache.hadoop.fs.Path(url)

    def write(self, file_system: Any, url: str, data: bytes) -> None:
        stream = file_system.create(self.path(url))
        stream.write(data)
        stream.close()

    def read(self, file_system: Any, url: str) -> bytes:
        stream = file_system.open(self.path(url))
        try:
            # py4j copies arrays by value, so the bytes have to come as a result.
            return bytes(self.jvm.org.apache.commons.io.IOUtils.toByteArray(stream))
        finally:
            stream.close()

    def load(self, class_name: str) -> Any:
        return self.jvm.java.lang.Class.forName(class_name)

    def array(self, element: Any, values: Sequence[Any]) -> Any:
        array = self._gateway.new_array(element, len(values))
        for index, value in enumerate(values):
            array[index] = value
        return array

    def output(self) -> str:
        """What the JVM has printed so far, log lines included."""
        return self._log.read_text(errors="replace")

    def kill(self) -> None:
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=30)

    def stop(self) -> None:
        self._gateway.shutdown(raise_exception=False)
        self._process.stdin.close()  # --die-on-exit: the JVM ends with its standard input
        self._process.wait(timeout=30)


@contextmanager
def start_jvm(
    directory: Path,
    jars: Sequence[Path] = (),
    options: Sequence[str] = (),
    java: str = "java",
    spark_jars: Path = SPARK_JARS,
) -> Iterator[Jvm]:
    """A JVM with `jars` before Spark's own on its class path; `options` are JVM options, `java` the program to start.

    With other `spark_jars` than PySpark's there are no module options: they are of Spark 2.4, which runs on Java 8.
    """
    log = directory / "jvm.log"
    with log.open("w", buffering=1) as output:  # line by line: a thread of py4j writes there for as long as the JVM runs
        port, process = launch_gateway(
            classpath=os.pathsep.join([*map(str, jars), str(spark_jars / "*")]),
            javaopts=[*(MODULE_OPTIONS if spark_jars == SPARK_JARS else []), "-Xmx512m", *options],
            die_on_exit=True,
            java_path=java,
            redirect_stdout=output,
            redirect_stderr=output,
            return_proc=True,
        )
        running = Jvm(JavaGateway(gateway_parameters=GatewayParameters(port=port, auto_convert=True)), process, log)
        try:
            yield running
        except Py4JJavaError as error:
            raise AssertionError(str(error)) from None  # its text comes out of the JVM, which is about to end
        finally:
            if process.poll() is None:
                running.stop()
