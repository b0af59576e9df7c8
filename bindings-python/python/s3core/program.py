"""The programs ``s3core`` and ``s3life``."""

from __future__ import annotations

import signal
import sys

from s3core import _s3core

__all__ = ["life", "main"]


def main() -> int:
    """Runs ``s3core`` with this process's arguments."""
    if sys.argv[1:2] == ["uploads"]:
        from s3core import uploads

        return uploads.main(sys.argv[2:])
    return _s3core.run_program(sys.argv[1:])


def life() -> int:
    """Runs ``s3life`` with this process's arguments."""
    # Killing it is safe at any moment, and Ctrl-C must end it while Rust code runs.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _s3core.run_life(sys.argv[1:])
