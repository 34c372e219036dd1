"""The command `engram`."""

from __future__ import annotations

import gc
import sys
from typing import NoReturn

_BETWEEN_COLLECTIONS = 1_000_000
"""Objects made between two looks for what can be thrown away. A start makes half as many, and all of them stay."""


def main() -> None:
    """Run the command line: exit 0 on success, 2 on a usage error, 1 otherwise with one line on stderr."""
    gc.set_threshold(_BETWEEN_COLLECTIONS)  # before the imports, of whose time it would be a fifth
    import typer  # noqa: PLC0415
    from typer.exceptions import TyperException  # noqa: PLC0415

    from service.cli.commands import app  # noqa: PLC0415
    from service.cli.failures import CommandError  # noqa: PLC0415

    try:
        code = app(standalone_mode=False)
    except (typer.Abort, KeyboardInterrupt):
        _end("stopped", 1)
    except CommandError as error:
        _end(str(error), 1)
    except TyperException as error:
        # The message that names the option comes from a method that only some of these errors have.
        said = " ".join(str(getattr(error, "format_message", error.__str__)()).split()).rstrip(".")
        _end(f"{said or 'a command is missing'}; see 'engram --help'", 2)
    sys.exit(code if isinstance(code, int) else 0)


def _end(message: str, code: int) -> NoReturn:
    sys.stderr.write(f"engram: {message}\n")
    sys.exit(code)
