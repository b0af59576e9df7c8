"""The program ``s3core``."""

from __future__ import annotations

import sys

from s3core import _s3core

__all__ = ["main"]


def main() -> int:
    """Runs it with this process's arguments."""
    if sys.argv[1:2] == ["uploads"]:
        from s3core import uploads

        return uploads.main(sys.argv[2:])
    return _s3core.run_program(sys.argv[1:])
