"""What is remembered under an Idempotency-Key is remembered as long as what it tells of is there."""

from __future__ import annotations

from typing import Any

from tests.conftest import Running


def test_a_key_is_forgotten_with_its_stream(service_on: Running) -> None:
    client = service_on.client
    made: dict[str, Any] = {"name": "s", "input": {"kind": "vector", "dim": 2}, "classes": ["a"]}

    def post(path: str, body: Any, key: str) -> Any:
        answer = client.post(f"/v1/streams{path}", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json()

    def everything() -> list[Any]:
        return [
            post("", made, "stream"),
            post("/s/samples", {"id": "x", "data": [1, 2]}, "sample"),
            post("/s/samples:batch", {"samples": [{"id": "y", "data": [1, 2]}]}, "batch"),
            post("/s/labels", {"sample_id": "x", "label": "a"}, "label"),
            post("/s/gold", {"data": [3, 4], "label": "a"}, "gold"),
            post("/s/queries:lease", {"limit": 1}, "lease"),
            post("/s/snapshots", {}, "snapshot"),
        ]

    first = everything()
    assert everything() == first
    assert client.delete("/v1/streams/s").status_code == 204
    service_on.stream("other")
    everything()
    assert client.get("/v1/streams/s/samples/x").status_code == 200
    assert client.get("/v1/streams/s/samples/y").status_code == 200
    assert [item["sample_id"] for item in client.get("/v1/streams/s/labels").json()["items"]] == ["x"]
    assert len(client.get("/v1/streams/s/gold").json()["items"]) == 1
