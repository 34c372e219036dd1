"""Taking a label back over HTTP, once and again."""

from __future__ import annotations

from tests.conftest import Running


def test_taking_a_label_back_again_is_answered_as_the_first_time(service: Running) -> None:
    service.stream(classes=["a", "b"])
    for number in range(3):
        service.post([number, 1], label="a")
    label = service.client.get("/v1/streams/s/labels").json()["items"][0]["label_id"]
    first = service.client.delete(f"/v1/labels/{label}").json()
    service.settled()
    again = service.client.delete(f"/v1/labels/{label}").json()
    assert (again["seq"], again["job"]["id"]) == (first["seq"], first["job"]["id"]) == (4, first["job"]["id"])
