from __future__ import annotations

from sqlalchemy import Connection

from service.storage import streams
from service.storage.session import Database


def made(connection: Connection, at: int) -> int:
    parts = {"input": {}, "initial_classes": [], "classes": [], "learner": {}, "query": {}, "colours": {}}
    stream = streams.insert(connection, name="s", open_classes=True, guidelines="", created_at=at, **parts)
    assert stream is not None
    return stream.id


def test_a_removed_streams_number_is_not_given_to_the_next(database_url: str) -> None:
    # Workers hold a stream's model under its number: the next stream of that number would go on with it.
    db = Database(database_url)
    try:
        db.migrate()
        first = db.write_now(lambda c: made(c, 1_000_000))
        db.write_now(lambda c: streams.delete(c, first))
        assert db.write_now(lambda c: made(c, 1_000_001)) != first
    finally:
        db.close()
