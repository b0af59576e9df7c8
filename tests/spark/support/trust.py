"""Java trust stores made with the JDK's keytool."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "changeit"


@dataclass(frozen=True)
class TrustStore:
    """A trust store file and its type as Java names it."""

    file: Path
    kind: str

    def java_options(self) -> list[str]:
        return [
            f"-Djavax.net.ssl.trustStore={self.file}",
            f"-Djavax.net.ssl.trustStoreType={self.kind}",
            f"-Djavax.net.ssl.trustStorePassword={PASSWORD}",
        ]


def trust_store(directory: Path, certificate: Path, kind: str) -> TrustStore:
    """A store of type `kind` (JKS or PKCS12) with the one certificate of a PEM file."""
    keytool = shutil.which("keytool")
    if keytool is None:
        raise FileNotFoundError("keytool is not on the PATH: it comes with the JDK")
    file = directory / f"trust.{kind.lower()}"
    command = [keytool, "-importcert", "-noprompt", "-alias", "gateway", "-file", str(certificate)]
    command += ["-keystore", str(file), "-storetype", kind, "-storepass", PASSWORD]
    subprocess.run(command, check=True, capture_output=True)
    return TrustStore(file, kind)
