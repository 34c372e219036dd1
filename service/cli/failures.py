"""What a command fails with: one line, no traceback."""

from __future__ import annotations

from service.settings import Settings


class CommandError(Exception):
    """A command could not do its work; the message says why and what to do."""


def must_be_there(settings: Settings) -> None:
    """Pass where the data folder is there, or none is needed.

    Raises:
        CommandError: where it is not: a command that only looks shall make none where a name is mistyped.
    """
    if settings.database_url is None and not settings.data_dir.is_dir():
        raise CommandError(f"there is no folder {settings.data_dir}; name that of the service with --data-dir")
