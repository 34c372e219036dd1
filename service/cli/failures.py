"""What a command fails with: one line, no traceback."""


class CommandError(Exception):
    """A command could not do its work; the message says why and what to do."""
