"""What goes wrong in a round is said, once where there is nothing to be done about it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from service.core.metrics import Metrics
from service.core.models.attempt import attempt
from service.storage.syncs import UncertainError


@pytest.mark.parametrize(
    ("error", "sound", "said"),
    [
        (UncertainError("the connection broke"), True, ["worker.database_away"]),
        (UncertainError("the disk failed"), False, []),
        (LookupError("a mistake"), True, ["worker.round_failed"]),
        (LookupError("a mistake"), False, ["worker.round_failed"]),
    ],
)
def test_a_failure_counts_and_is_said_unless_the_disk_that_failed_was(
    error: Exception, sound: bool, said: list[str]
) -> None:
    parts: Any = SimpleNamespace(metrics=Metrics(), db=SimpleNamespace(sound=sound))

    def fail() -> None:
        raise error

    with capture_logs() as logged:
        assert not attempt(parts, fail)
    assert [one["event"] for one in logged] == said
    assert parts.metrics.worker_failures._value.get() == 1
    assert attempt(parts, lambda: None)
