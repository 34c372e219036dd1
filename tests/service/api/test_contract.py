"""What outside programs rely on: who may do what, work done once, pages, cookies, and a schema that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import given as examples
from schemathesis import checks
from schemathesis.generation import GenerationMode

from service.app import create_app
from service.core import access
from tests.conftest import Running, eventually

ROLES = ("admin", "operator", "producer", "annotator", "viewer")
EVERYONE = set(ROLES)
OPERATES, PRODUCES, ANNOTATES = {"admin", "operator"}, {"admin", "producer"}, {"admin", "annotator"}
REVIEWS = {"admin", "operator", "viewer"}

INFER = {"inputs": [{"name": "input", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}

ROUTES: dict[tuple[str, str], tuple[set[str], Any]] = {
    ("POST", "/v1/streams"): (OPERATES, {"name": "s", "input": {"kind": "vector", "dim": 2}}),
    ("GET", "/v1/streams"): (EVERYONE, None),
    ("GET", "/v1/streams/{stream}"): (EVERYONE, None),
    ("PATCH", "/v1/streams/{stream}"): (OPERATES, {"guidelines": "Look twice."}),
    ("DELETE", "/v1/streams/{stream}"): (OPERATES, None),
    ("POST", "/v1/streams/{stream}/samples"): (PRODUCES, {"data": [1, 2]}),
    ("POST", "/v1/streams/{stream}/samples:batch"): (PRODUCES, {"samples": [{"data": [1, 2]}]}),
    ("GET", "/v1/streams/{stream}/samples/{sample_id}"): (EVERYONE, None),
    ("POST", "/v1/streams/{stream}/queries:lease"): (ANNOTATES, {"limit": 1}),
    ("POST", "/v1/queries/{query_id}:answer"): (ANNOTATES, {"lease_token": "x", "label": "a"}),
    ("POST", "/v1/queries/{query_id}:skip"): (ANNOTATES, {"lease_token": "x", "reason": "unclear"}),
    ("POST", "/v1/queries/{query_id}:release"): (ANNOTATES, {"lease_token": "x"}),
    ("POST", "/v1/queries/{query_id}:heartbeat"): (ANNOTATES, {"lease_token": "x"}),
    ("POST", "/v1/streams/{stream}/labels"): (PRODUCES, {"sample_id": "x", "label": "a"}),
    ("GET", "/v1/streams/{stream}/labels"): (REVIEWS, None),
    ("PATCH", "/v1/labels/{label_id}"): (OPERATES | ANNOTATES, {"label": "a"}),
    ("DELETE", "/v1/labels/{label_id}"): (OPERATES | ANNOTATES, None),
    ("POST", "/v1/streams/{stream}/snapshots"): (OPERATES, {}),
    ("POST", "/v1/streams/{stream}:rollback"): (OPERATES, {"seq": 0}),
    ("GET", "/v1/jobs/{job_id}"): (EVERYONE, None),
    ("GET", "/v1/streams/{stream}/export"): (REVIEWS, None),
    ("GET", "/v1/streams/{stream}/committee"): (REVIEWS, None),
    ("GET", "/v1/streams/{stream}/stats"): (EVERYONE, None),
    ("GET", "/v1/streams/{stream}/timeseries"): (EVERYONE, None),
    ("GET", "/v1/streams/{stream}/snapshots"): (EVERYONE, None),
    ("GET", "/v1/streams/{stream}/events"): (EVERYONE, None),
    ("GET", "/v1/session"): (EVERYONE, None),
    ("GET", "/v1/streams/{stream}/cost-curve"): (EVERYONE, None),
    ("POST", "/v1/queries/{query_id}:retract"): (ANNOTATES, None),
    ("GET", "/v1/streams/{stream}/annotators"): (REVIEWS, None),
    ("POST", "/v1/streams/{stream}/gold"): (OPERATES, {"sample_id": "x", "label": "a"}),
    ("GET", "/v1/streams/{stream}/gold"): (REVIEWS, None),
    ("DELETE", "/v1/streams/{stream}/gold/{gold_id}"): (OPERATES, None),
    ("GET", "/v2/models/{stream}"): (EVERYONE, None),
    ("GET", "/v2/models/{stream}/versions/{version}"): (EVERYONE, None),
    ("GET", "/v2/models/{stream}/ready"): (EVERYONE, None),
    ("GET", "/v2/models/{stream}/versions/{version}/ready"): (EVERYONE, None),
    ("POST", "/v2/models/{stream}/infer"): (PRODUCES, INFER),
    ("POST", "/v2/models/{stream}/versions/{version}/infer"): (PRODUCES, INFER),
}
NOTHING = dict.fromkeys(("stream", "sample_id", "query_id", "label_id", "job_id", "version", "gold_id"), "none")

OPEN_TO_ALL = {
    ("POST", "/v1/session"),
    ("DELETE", "/v1/session"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/v2"),
    ("GET", "/v2/health/live"),
    ("GET", "/v2/health/ready"),
}


@pytest.fixture(scope="module")
def clients(shared: Running) -> Iterator[dict[str, httpx.Client]]:
    with ExitStack() as stack:
        yield {role: stack.enter_context(shared.as_role(role)) for role in ROLES}


def routes_of(service: Running) -> set[tuple[str, str]]:
    paths = service.client.get("/openapi.json").json()["paths"]
    return {(method.upper(), path) for path, found in paths.items() for method in found}


def test_every_route_has_its_roles_written_here(shared: Running) -> None:
    assert routes_of(shared) == set(ROUTES) | OPEN_TO_ALL


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_role_may_do_just_what_is_its_own(
    shared: Running, clients: dict[str, httpx.Client], route: tuple[str, str], role: str
) -> None:
    # Nothing of that name exists, so that whoever is let in is told 404: the role alone decides.
    method, path = route
    allowed, body = ROUTES[route]
    if route == ("POST", "/v1/streams"):
        body = body | {"name": f"role-{role}"}
    answer = clients[role].request(
        method,
        path.format(**NOTHING),
        json=body,
        params={"metric": "samples"} if path.endswith("timeseries") else None,
    )
    if role not in allowed:
        assert answer.status_code == 403
        assert answer.json()["title"] == "Not allowed"
        assert role in answer.json()["detail"]
    elif "{" in path:
        assert answer.status_code == 404
    else:
        assert answer.status_code in (200, 201)


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_nobody_is_let_in_without_a_token(shared: Running, route: tuple[str, str]) -> None:
    method, path = route
    url = shared.url + path.format(**NOTHING)
    answer = httpx.request(method, url, json=ROUTES[route][1], params={"metric": "samples"}, trust_env=False)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_an_annotator_takes_back_only_own_labels_and_an_operator_any(
    shared: Running, clients: dict[str, httpx.Client]
) -> None:
    shared.stream("own", classes=["a", "b"])
    labels = []
    for _ in range(2):
        shared.post([1, 2], "own")
        labels.append(shared.answer(shared.lease("own")[0], "a")["label_id"])
    assert clients["annotator"].delete(f"/v1/labels/{labels[0]}").status_code == 403
    assert clients["operator"].delete(f"/v1/labels/{labels[0]}").json()["retracted"] is True
    assert clients["annotator"].patch(f"/v1/labels/{labels[1]}", json={"label": "b"}).status_code == 403
    assert clients["operator"].patch(f"/v1/labels/{labels[1]}", json={"label": "b"}).json()["label"] == "b"
    assert clients["admin"].delete(f"/v1/labels/{labels[1]}").json()["retracted"] is True


def test_a_revoked_token_ends_at_once(shared: Running) -> None:
    who, text = shared.parts.db.write_now(lambda c: access.create(c, shared.parts.clock, access.Role.VIEWER))
    headers = {"Authorization": f"Bearer {text}"}
    assert shared.client.get("/v1/streams", headers=headers).status_code == 200
    shared.parts.db.write_now(lambda c: access.revoke(c, shared.parts.clock, who.id))
    answer = shared.client.get("/v1/streams", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


# Work done once


def keyed(service: Running, path: str, body: Any, key: str) -> httpx.Response:
    return service.client.post(path, json=body, headers={"Idempotency-Key": key})


def assert_once(service: Running, path: str, body: Any, other: Any, key: str) -> httpx.Response:
    """Check that a keyed POST answers the same twice, and refuses another body."""
    first, again = keyed(service, path, body, key), keyed(service, path, body, key)
    assert first.status_code < 300, first.text
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert keyed(service, path, other, key).status_code == 409
    return first


def test_each_post_that_creates_does_its_work_once_under_one_key(service_on: Running) -> None:
    stream = {"name": "s", "input": {"kind": "vector", "dim": 2}, "classes": ["a", "b"]}
    made = assert_once(service_on, "/v1/streams", stream, stream | {"name": "t"}, "stream").json()
    assert service_on.client.get("/v1/streams").json()["items"] == [made]

    assert_once(service_on, "/v1/streams/s/samples", {"data": [1, 2]}, {"data": [1, 3]}, "sample")
    batch = {"samples": [{"data": [1, 2]}, {"data": [3]}, {"data": [5, 6]}]}
    assert_once(service_on, "/v1/streams/s/samples:batch", batch, {"samples": [{"data": [1, 2]}]}, "batch")
    assert service_on.stats()["samples"] == 3
    service_on.post([9, 9], id="late", label="a")

    first, second = service_on.lease(limit=2)
    held = {"lease_token": first["lease"]["token"]}
    path = f"/v1/queries/{first['id']}:answer"
    assert_once(service_on, path, held | {"label": "a"}, held | {"label": "b"}, "answer")
    held = {"lease_token": second["lease"]["token"]}
    skip, other = held | {"reason": "unclear"}, held | {"reason": "not_for_me"}
    assert_once(service_on, f"/v1/queries/{second['id']}:skip", skip, other, "skip")

    truth = {"sample_id": "late", "label": "a"}
    assert_once(service_on, "/v1/streams/s/labels", truth, truth | {"label": "b"}, "truth")
    stats = service_on.settled()
    assert (stats["labels"], stats["queries"]["answered"], stats["queries"]["skipped"]) == (2, 1, 1)
    assert stats["log_seq"] == 2


def test_a_key_belongs_to_whoever_sent_it(service: Running) -> None:
    service.stream()
    with service.as_role("producer") as other:
        for client in (service.client, other):
            headers = {"Idempotency-Key": "same"}
            assert client.post("/v1/streams/s/samples", json={"data": [1, 2]}, headers=headers).status_code == 200
    assert service.stats()["samples"] == 2


def test_a_refused_request_does_not_use_up_its_key(service: Running) -> None:
    key = "retried"
    assert keyed(service, "/v1/streams/s/samples", {"data": [1, 2]}, key).status_code == 404
    service.stream()
    assert keyed(service, "/v1/streams/s/samples", {"data": [1, 2]}, key).status_code == 200


def test_one_key_sent_by_eight_at_once_has_one_effect(service_on: Running) -> None:
    service_on.stream(classes=["a"])

    def send(n: int) -> tuple[int, bytes]:
        answer = keyed(service_on, "/v1/streams/s/samples", {"data": [1, 2]}, f"k{n % 3}")
        return n % 3, answer.content

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(send, range(24)))
    assert len(found) == 3
    assert service_on.stats()["samples"] == 3


def test_one_name_wanted_by_eight_at_once_is_given_once(service_on: Running) -> None:
    def create(_: int) -> int:
        body = {"name": "wanted", "input": {"kind": "vector", "dim": 2}}
        return service_on.client.post("/v1/streams", json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(create, range(8))) == [201] + [409] * 7


# Pages


def paged(service: Running, path: str, limit: int) -> list[list[Any]]:
    pages, cursor = [], None
    while True:
        params = {"limit": limit} | ({} if cursor is None else {"cursor": cursor})
        page = service.client.get(path, params=params).raise_for_status().json()
        pages.append(page["items"])
        cursor = page["next_cursor"]
        if cursor is None:
            return pages


def test_pages_join_to_the_whole_list(service_on: Running) -> None:
    names = ["B-2", "a.1", "b", "c_3", "d"]
    for name in names:
        service_on.stream(name, classes=["a"])
    pages = paged(service_on, "/v1/streams", 2)
    assert [len(page) for page in pages] == [2, 2, 1]
    joined = [item["name"] for page in pages for item in page]
    assert sorted(joined) == sorted(names)
    assert joined == [item["name"] for item in paged(service_on, "/v1/streams", 1000)[0]]

    for n in range(6):
        service_on.post([n, n], "b", id=f"x{n}", label="a")
    pages = paged(service_on, "/v1/streams/b/labels", 3)
    assert [len(page) for page in pages] == [3, 3]
    assert [label["seq"] for page in pages for label in page] == [1, 2, 3, 4, 5, 6]
    assert paged(service_on, "/v1/streams/d/labels", 1) == [[]]


# Batches


def test_a_batch_is_answered_in_its_order_and_twice_the_same_id_alike(service_on: Running) -> None:
    service_on.stream()
    sent = [{"id": f"x{n * 7 % 100}", "data": [n, -n]} for n in range(100)] + [{"id": "x0", "data": [5, 5]}]
    answer = service_on.client.post("/v1/streams/s/samples:batch", json={"samples": sent}).json()["results"]
    assert [found["id"] for found in answer] == [sample["id"] for sample in sent]
    assert answer[-1] == answer[0]
    assert service_on.stats()["samples"] == 100
    for n in (0, 50, 99):
        kept = service_on.client.get(f"/v1/streams/s/samples/{sent[n]['id']}").json()
        assert kept["data"] == sent[n]["data"]


def test_a_batch_of_a_thousand_is_taken(service: Running) -> None:
    service.stream()
    sent = {"samples": [{"data": [n, n]} for n in range(1000)]}
    results = service.client.post("/v1/streams/s/samples:batch", json=sent).json()["results"]
    assert len({found["id"] for found in results}) == 1000
    assert service.stats()["samples"] == 1000


# Signing in


def test_a_cookie_signs_in_and_out_and_scripts_cannot_read_it(service: Running) -> None:
    service.stream(classes=["a"])
    with httpx.Client(base_url=service.url, trust_env=False, timeout=30) as page:
        assert page.get("/v1/session").status_code == 401
        answer = page.post("/v1/session", json={"token": service.token})
        assert answer.json() == {"name": "admin", "role": "admin"}
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "secure" not in cookie  # this test has no TLS; a cookie that never comes back would sign nobody in
        assert page.get("/v1/session").json()["role"] == "admin"
        assert page.get("/v1/streams/s").status_code == 200
        assert page.post("/v1/streams/s/samples", json={"data": [1, 2]}).status_code == 200
        with page.stream("GET", "/v1/streams/s/events", headers={"Last-Event-ID": "0"}) as events:
            assert events.headers["content-type"].startswith("text/event-stream")
            assert any(line == "event: prediction" for line in events.iter_lines())
        out = page.delete("/v1/session")
        assert out.status_code == 204
        assert page.get("/v1/session").status_code == 401


def test_a_caller_is_looked_up_once_for_a_request(service: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up, identify = [], access.identify
    monkeypatch.setattr(access, "identify", lambda c, token: looked_up.append(token) or identify(c, token))
    service.stream(classes=["a", "b"])
    looked_up.clear()
    answer = service.client.post("/v1/streams/s/samples", json={"data": [1, 2]}, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 200
    assert looked_up == [service.token]


def test_a_bearer_token_counts_more_than_a_cookie(service: Running) -> None:
    with httpx.Client(base_url=service.url, trust_env=False) as page:
        page.post("/v1/session", json={"token": service.token})
        assert page.get("/v1/session", headers={"Authorization": "Bearer wrong"}).status_code == 401


# Problems of no route


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/nothing", 404),
        ("DELETE", "/v2/nothing", 404),
        ("PUT", "/v1/streams", 405),
        ("GET", "/v1/queries/x:answer", 405),
        ("POST", "/readyz", 405),
        ("DELETE", "/metrics", 405),
    ],
)
def test_what_no_route_takes_is_a_problem_too(shared: Running, method: str, path: str, status: int) -> None:
    answer = shared.client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["title"] == {404: "Not found", 405: "Method not allowed"}[status]
    assert ("allow" in answer.headers) == (status == 405)


# The schema


def test_the_schema_is_valid_openapi_and_names_every_route(shared: Running) -> None:
    schema = shared.client.get("/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(schema).validate()
    ids = []
    for path, methods in schema["paths"].items():
        for method, route in methods.items():
            assert route["summary"], f"{method} {path}"
            assert route["description"], f"{method} {path}"
            ids.append(route["operationId"])
    assert len(ids) == len(set(ids))


def test_no_request_that_the_schema_allows_is_a_failure_of_ours(shared: Running) -> None:
    app = create_app(shared.parts)
    schema = schemathesis.openapi.from_dict(app.openapi())
    schema.config.base_url = shared.url
    headers = {"Authorization": f"Bearer {shared.token}"}
    shared.stream("schema", classes=["a"])
    tried = 0
    for operation in (found.ok() for found in schema.get_all_operations()):
        if operation.path.endswith("/events"):  # an answer without an end
            continue

        @settings(
            max_examples=8,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @examples(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
        def keeps(case: schemathesis.Case) -> None:
            nonlocal tried
            tried += 1
            for name in ("stream",):
                if name in (case.path_parameters or {}):
                    case.path_parameters[name] = "schema"
            if case.method == "DELETE" and case.path == "/v1/streams/{stream}":
                case.path_parameters["stream"] = "another"
            answer = case.call(headers=headers)
            case.validate_response(
                answer,
                checks=[
                    checks.not_a_server_error,
                    checks.content_type_conformance,
                    checks.response_schema_conformance,
                ],
            )

        keeps()
    assert tried > 100
    eventually(lambda: shared.stats("schema"), lambda s: s["label_lag"]["entries"] == 0)
