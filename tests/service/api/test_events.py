"""Following a stream from an event that is not there."""

from __future__ import annotations

from tests.conftest import Running


def test_a_subscriber_that_knows_of_later_events_than_there_are_hears_what_comes_next(service: Running) -> None:
    service.stream()
    service.post([1, 2], id="before")
    with service.client.stream("GET", "/v1/streams/s/events", headers={"Last-Event-ID": "99999999"}) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("retry")
        service.post([3, 4], id="after")
        heard = next(line for line in lines if line.startswith(("data: ", ": still here")))
    assert '"after"' in heard
