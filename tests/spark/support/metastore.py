"""A Hive metastore of its own: the one that Spark's jars bring (2.3.9), on Derby in memory, as a service."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import escape

import pyspark

from support.endpoint import Endpoint
from support.waiting import wait_for

MAIN_CLASS = "org.apache.hadoop.hive.metastore.HiveMetaStore"


@contextmanager
def hive_metastore(directory: Path, jar: Path, endpoint: Endpoint) -> Iterator[str]:
    """Runs one that reaches `endpoint` by our jar; gives its URI."""
    java = shutil.which("java")
    if java is None:
        raise FileNotFoundError("java is not on the PATH")
    port = _free_port()
    settings = {
        "javax.jdo.option.ConnectionURL": "jdbc:derby:memory:metastore;create=true",
        "javax.jdo.option.ConnectionDriverName": "org.apache.derby.jdbc.EmbeddedDriver",
        "datanucleus.schema.autoCreateAll": "true",
        "hive.metastore.schema.verification": "false",
        "hive.metastore.warehouse.dir": (directory / "warehouse").as_uri(),
        # Asynchronous loggers want a library that Spark does not bring.
        "hive.async.log.enabled": "false",
        **endpoint.hadoop_settings(),
    }
    properties = (f"<property><name>{escape(name)}</name><value>{escape(value)}</value></property>" for name, value in settings.items())
    (directory / "hive-site.xml").write_text(f"<configuration>{''.join(properties)}</configuration>")
    classes = [str(directory), str(jar), str(Path(pyspark.__file__).parent / "jars" / "*")]
    command = [java, "-Xmx512m", "-cp", ":".join(classes), MAIN_CLASS, "-p", str(port)]
    log = directory / "metastore.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=directory)
    try:
        wait_for(lambda: _answers(port) or _has_ended(process, log))
        yield f"thrift://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _has_ended(process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()[-4000:]
    return False
