"""How far a queue was looked at: of the newest version only, and not for ever."""

from __future__ import annotations

import pytest

from service.core import depths
from service.core.depths import Depth, Depths
from service.storage.queue import Place

FAR, FARTHER = Place(0.5, "q_1"), Place(0.25, "q_2")


def test_a_version_finds_only_how_far_it_has_looked_itself() -> None:
    known = Depths()
    assert known.reached(1, "ada", 7) is None
    known.note(1, "ada", Depth(7, FAR))
    known.note(1, "ada", Depth(7, FARTHER))
    assert known.reached(1, "ada", 7) == Depth(7, FARTHER)
    assert known.reached(1, "ada", 8) is None
    assert known.reached(2, "ada", 7) is None
    assert known.reached(1, "ben", 7) is None
    known.note(1, "ada", Depth(8, None))
    assert known.reached(1, "ada", 8) == Depth(8, None)
    assert known.reached(1, "ada", 7) is None


def test_a_look_that_ends_late_does_not_undo_a_newer_one() -> None:
    known = Depths()
    known.note(1, "ada", Depth(8, FARTHER))
    known.note(1, "ada", Depth(7, FAR))
    assert known.reached(1, "ada", 8) == Depth(8, FARTHER)


def test_who_looked_is_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depths, "_LOOKERS", 2)
    known = Depths()
    for stream_id in (1, 2, 2, 3):
        known.note(stream_id, "ada", Depth(7, FAR))
    assert [known.reached(stream_id, "ada", 7) is not None for stream_id in (1, 2, 3)] == [False, False, True]
