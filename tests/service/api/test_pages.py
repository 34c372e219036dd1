"""Lists come page by page."""

from __future__ import annotations

from tests.conftest import Running, eventually


def test_snapshots_come_page_by_page_newest_first(service: Running) -> None:
    service.stream(classes=["a", "b"])
    for n in range(5):
        service.post([n, 1], label="ab"[n % 2])
        service.settled()
        job = service.client.post("/v1/streams/s/snapshots").json()["job"]["id"]
        eventually(lambda job=job: service.client.get(f"/v1/jobs/{job}").json()["state"], lambda state: state == "done")
    whole = service.client.get("/v1/streams/s/snapshots").json()
    assert whole["next_cursor"] is None
    assert len(whole["items"]) >= 5
    found, params = [], {"limit": 2}
    while True:
        page = service.client.get("/v1/streams/s/snapshots", params=params).json()
        assert len(page["items"]) <= 2
        found += page["items"]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert found == whole["items"]
