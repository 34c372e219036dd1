"""The command `engram`."""

from __future__ import annotations

import sys

from service.cli.commands import app
from service.cli.failures import CommandError


def main() -> None:
    """Run the command line: exit 0 on success, 2 on a usage error, 1 otherwise with one line on stderr."""
    try:
        app()
    except CommandError as error:
        sys.stderr.write(f"engram: {error}\n")
        sys.exit(1)
