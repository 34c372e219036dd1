"""A stream is what its log says; one byte changed anywhere is found, and its entry is named."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from service.core.models.training import restore
from service.storage.tables import events, labels, log, snapshots
from tests.service.core.by_hand import History
from tests.service.core.conftest import grown


def changed(past: History, table: sa.Table, seq: int, **values: Any) -> None:
    chosen = table.update().where(table.c.stream_id == past.stream.id, table.c.seq == seq)
    assert past.parts.db.write_now(lambda c: c.execute(chosen.values(**values)).rowcount) == 1


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def busy(past: History) -> list[str]:
    ids = grown(past, 20)
    past.retract(ids[3])
    past.correct(ids[10], "new")
    past.catch_up()
    past.roll_back(18)
    past.label((1, 1), "a")
    past.agrees()
    past.trainer.snapshot()
    return ids


def test_an_untouched_stream_agrees_with_its_log(past: History) -> None:
    busy(past)
    report = past.verified()
    assert report.failures == ()
    assert report.notes == ()
    assert report.entries == 24
    assert report.snapshots >= 3


def test_a_byte_of_a_stored_label_is_found_and_its_entry_named(past: History) -> None:
    busy(past)
    entry = past.parts.db.read_now(lambda c: c.execute(sa.select(log).where(log.c.seq == 6)).one())
    changed(past, log, 6, features=flipped(entry.features, 0))
    assert past.verified().failures[0].startswith("entry 6 of the log")
    changed(past, log, 6, features=entry.features)
    assert past.verified().failures == ()
    changed(past, log, 6, label="a" if entry.label == "b" else "b")
    found = past.verified().failures
    assert found[0].startswith("entry 6 of the log")
    changed(past, log, 6, label=entry.label)


def test_a_label_that_people_see_otherwise_than_the_log_has_it_is_found(past: History) -> None:
    busy(past)
    changed(past, labels, 5, label="else")
    [found] = past.verified().failures
    assert "entry 5" in found
    assert "'else'" in found


def test_a_missing_entry_is_found(past: History) -> None:
    grown(past, 8)
    past.parts.db.write_now(lambda c: c.execute(log.delete().where(log.c.seq == 3)))
    assert past.verified().failures[0] == "entry 3 of the log is missing"


def test_a_byte_of_a_snapshot_is_found_wherever_it_stands(past: History) -> None:
    busy(past)
    row = past.stored()[0]
    content = past.parts.db.read_now(
        lambda c: c.execute(sa.select(snapshots.c.content).where(snapshots.c.seq == row.seq)).scalar_one()
    )
    for at in (3, 60, len(content) // 2, len(content) - 1):
        changed(past, snapshots, row.seq, content=flipped(content, at))
        [found] = past.verified().failures
        assert found.startswith(f"snapshot {row.seq}")


def test_a_snapshot_that_is_whole_but_not_what_the_log_gives_is_found(past: History) -> None:
    busy(past)
    newest, before = past.stored()[:2]
    columns = ("hash", "content", "content_hash")
    with past.parts.db._reader.connect() as connection:
        other = connection.execute(sa.select(snapshots).where(snapshots.c.number == before.number)).mappings().one()
    changed(past, snapshots, newest.seq, **{name: other[name] for name in columns})
    assert past.verified().failures[0].startswith(f"snapshot {newest.seq}")


def test_what_was_computed_elsewhere_is_said(past: History) -> None:
    grown(past, 8)
    row = past.stored()[0]
    made_with = row.header["made_with"]
    assert set(made_with) >= {"torch", "numpy", "numba", "python", "threads", "cpu", "cpu_features", "platform"}
    assert row.header["parent"] == 4
    assert row.header["state_version"] >= 2
    changed(past, snapshots, row.seq, header=row.header | {"made_with": made_with | {"torch": "1.0"}})
    report = past.verified()
    assert report.failures == ()
    assert f"snapshot {row.seq} was made elsewhere: torch was 1.0" in report.notes[0]


def test_a_damaged_snapshot_is_reported_once_and_the_one_before_it_used(past: History) -> None:
    grown(past, 10)
    newest = past.stored()[0]
    changed(past, snapshots, newest.seq, content=b"nothing like it")
    past.restart()
    past.agrees()
    past.restart()
    past.agrees()
    [told] = past.parts.db.read_now(
        lambda c: [row.data for row in c.execute(sa.select(events)) if row.data.get("damaged")]
    )
    assert told["seq"] == newest.seq
    assert past.parts.metrics.damaged.labels("s")._value.get() == 1
    [marked] = [row for row in past.stored() if row.damaged_at is not None]
    assert marked.seq == newest.seq


def test_thinned_snapshots_still_lead_to_every_moment(past: History) -> None:
    grown(past, 120)
    kept = [row.seq for row in past.stored()]
    assert len(kept) < 15
    for until in (0, 1, 37, 64, 119, 120):
        state = past.parts.db.read_now(lambda c, until=until: restore(c, past.stream, "cpu", until=until))
        assert state.seq == until
