"""A client of the Open Inference Protocol feeds a stream as one of /v1 does."""

from __future__ import annotations

import base64
import io
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
from PIL import Image

from tests.conftest import Running

PLANE = {"kind": "vector", "dim": 2}


@pytest.fixture
def client(shared: Running) -> httpx.Client:
    for stream in shared.client.get("/v1/streams").json()["items"]:
        assert shared.client.delete(f"/v1/streams/{stream['name']}").status_code == 204
    return shared.client


def make(client: httpx.Client, name: str, input_kind: dict[str, Any]) -> None:
    body = {"name": name, "input": input_kind, "classes": ["a", "b"], "learner": {"seed": 1}}
    assert client.post("/v1/streams", json=body).status_code == 201


def infer(client: httpx.Client, name: str, *tensors: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = client.post(f"/v2/models/{name}/infer", json={"inputs": list(tensors), **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found | {"by_name": {output["name"]: output for output in found["outputs"]}}


def tensor(shape: list[int], datatype: str, data: list[Any], name: str = "input") -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def test_health_needs_no_token_and_models_do(client: httpx.Client) -> None:
    make(client, "plane", PLANE)
    with httpx.Client(base_url=client.base_url) as stranger:
        assert stranger.get("/v2/health/live").json() == {"live": True}
        assert stranger.get("/v2/health/ready").json() == {"ready": True}
        assert stranger.get("/v2").json()["name"] == "engram"
        refused = stranger.get("/v2/models/plane")
    assert refused.status_code == 401
    assert refused.json()["error"] == refused.json()["detail"]


def test_metadata_says_what_is_taken_and_answered(client: httpx.Client) -> None:
    make(client, "plane", PLANE)
    found = client.get("/v2/models/plane").json()
    assert found["versions"] == ["0"]
    assert found["inputs"] == [{"name": "input", "datatype": "FP32", "shape": [-1, 2]}]
    assert found["outputs"][1] == {"name": "probabilities", "datatype": "FP64", "shape": [-1, 2]}
    assert client.get("/v2/models/plane/versions/0/ready").json() == {"name": "plane", "ready": True}
    assert client.get("/v2/models/plane/versions/7").status_code == 404
    assert client.get("/v2/models/none/ready").json()["error"] == "there is no stream 'none'"


def test_samples_are_stored_and_asked_as_those_of_v1(client: httpx.Client) -> None:
    make(client, "old", PLANE)
    make(client, "new", PLANE)
    posted = [client.post("/v1/streams/old/samples", json={"data": row}).json() for row in ([1, 2], [3.5, -4])]
    said = infer(client, "new", tensor([2, 2], "FP32", [1, 2, 3.5, -4]), id="mine")
    assert (said["id"], said["model_name"], said["model_version"]) == ("mine", "new", "0")
    names = list(posted[0]["prediction"]["probabilities"])
    assert said["by_name"]["probabilities"]["parameters"]["classes"] == names
    assert said["by_name"]["label"]["data"] == [one["prediction"]["label"] for one in posted]
    shares = [one["prediction"]["probabilities"][name] for one in posted for name in names]
    assert said["by_name"]["probabilities"] | {"parameters": None} == {
        **tensor([2, 2], "FP64", shares, "probabilities"),
        "parameters": None,
    }
    for name in ("predictive_entropy", "epistemic", "novelty"):
        assert said["by_name"][name]["data"] == [one["uncertainty"][name] for one in posted]
    for sample_id, query_id in zip(*(said["by_name"][n]["data"] for n in ("sample_id", "query_id")), strict=True):
        assert client.get(f"/v1/streams/new/samples/{sample_id}").json()["query"]["id"] == query_id


def test_ids_make_a_request_safe_to_send_again(client: httpx.Client) -> None:
    make(client, "plane", PLANE)
    inputs = tensor([2, 2], "FP64", [[1, 2], [3, 4]]), tensor([2], "BYTES", ["x", "y"], "id")
    assert infer(client, "plane", *inputs)["outputs"] == infer(client, "plane", *inputs)["outputs"]
    assert client.get("/v1/streams/plane/stats").json()["samples"] == 2


def test_a_key_makes_a_request_safe_to_send_again(client: httpx.Client) -> None:
    make(client, "plane", PLANE)
    body, headers = {"inputs": [tensor([1, 2], "FP64", [1, 2])]}, {"Idempotency-Key": "infer-once"}
    answers = [client.post("/v2/models/plane/infer", json=body, headers=headers).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert client.get("/v1/streams/plane/stats").json()["samples"] == 1


def test_wanted_outputs_alone_are_answered(client: httpx.Client) -> None:
    make(client, "plane", PLANE)
    said = infer(client, "plane", tensor([2], "INT64", [1, 2]), outputs=[{"name": "epistemic"}, {"name": "label"}])
    assert [output["name"] for output in said["outputs"]] == ["epistemic", "label"]


def test_before_any_class_the_label_is_empty(client: httpx.Client) -> None:
    assert client.post("/v1/streams", json={"name": "new", "input": PLANE}).status_code == 201
    said = infer(client, "new", tensor([1, 2], "FP32", [1, 2]))["by_name"]
    assert (said["label"]["data"], said["probabilities"]["shape"], said["epistemic"]["data"]) == ([""], [1, 0], [0.0])
    assert said["query_id"]["data"][0]


def test_every_kind_of_input(client: httpx.Client) -> None:
    make(client, "picture", {"kind": "image", "width": 2, "height": 3})
    make(client, "words", {"kind": "text"})
    make(client, "row", {"kind": "tabular", "fields": {"age": "number", "city": "category"}})
    pixels = list(range(12))
    said = infer(client, "picture", tensor([2, 3, 2], "UINT8", pixels))
    assert said == infer(client, "picture", tensor([2, 3, 2, 1], "UINT8", pixels)) | {
        "outputs": said["outputs"],
        "by_name": said["by_name"],
    }
    stored = client.get(f"/v1/streams/picture/samples/{said['by_name']['sample_id']['data'][1]}").json()
    assert stored["data"] == [[6, 7], [8, 9], [10, 11]]
    file = io.BytesIO()
    Image.new("L", (2, 3), 7).save(file, "PNG")
    infer(client, "picture", tensor([1], "BYTES", [base64.b64encode(file.getvalue()).decode()]))
    infer(client, "words", tensor([2, 1], "BYTES", ["how do I pay?", "my card is gone"]))
    rows = infer(client, "row", tensor([2], "FP64", [30, 40], "age"), tensor([2], "BYTES", ["Ulm", "Bonn"], "city"))
    stored = client.get(f"/v1/streams/row/samples/{rows['by_name']['sample_id']['data'][1]}").json()
    assert stored["data"] == {"age": 40, "city": "Bonn"}


def binary(header: dict[str, Any], *parts: bytes) -> dict[str, Any]:
    head = orjson.dumps(header)
    return {
        "content": head + b"".join(parts),
        "headers": {"Inference-Header-Content-Length": str(len(head)), "Content-Type": "application/octet-stream"},
    }


def test_binary_tensors(client: httpx.Client) -> None:
    make(client, "plane", PLANE)
    numbers = np.array([[1, 2], [3, 4]], "<f4").tobytes()
    names = b"".join(len(one).to_bytes(4, "little") + one for one in (b"x", "ÿ".encode()))
    described = [
        {"name": "input", "shape": [2, 2], "datatype": "FP32", "parameters": {"binary_data_size": len(numbers)}},
        {"name": "id", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": len(names)}},
    ]
    answer = client.post("/v2/models/plane/infer", **binary({"inputs": described}, numbers, names))
    assert answer.status_code == 200, answer.text
    assert client.get("/v1/streams/plane/samples/ÿ").json()["data"] == [3.0, 4.0]


WRONG = {
    "no input": ([], "input"),
    "a wrong width": ([tensor([1, 3], "FP32", [1, 2, 3])], "[N, 2]"),
    "too few elements": ([tensor([2, 2], "FP32", [1, 2, 3])], "4 elements"),
    "a hollow shape": ([tensor([0, 2], "FP32", [])], "1 to 1000"),
    "an unknown datatype": ([tensor([1, 2], "FP8", [1, 2])], "datatype"),
    "texts for numbers": ([tensor([1, 2], "BYTES", ["1", "2"])], "numbers"),
    "numbers for texts": ([tensor([1, 2], "FP32", [1, "2"])], "numbers"),
    "gaps": ([tensor([2, 2], "FP32", [[1, 2], 3, 4])], "4 elements"),
    "ragged rows": ([tensor([2, 2], "FP32", [[1, 2], [3], 4, 5])], "flat or nested"),
    "two inputs": ([tensor([1, 2], "FP32", [1, 2]), tensor([1, 2], "FP32", [1, 2], "other")], "one input"),
    "a name twice": ([tensor([1, 2], "FP32", [1, 2])] * 2, "twice"),
    "a number out of range": ([tensor([2, 2], "FP64", [1, 2, 1e300, 4])], "finite"),
    "too few ids": ([tensor([2, 2], "FP64", [1, 2, 3, 4]), tensor([1], "BYTES", ["x"], "id")], "2 texts"),
    "binary data that is not there": (
        [{"name": "input", "shape": [1, 2], "datatype": "FP32", "parameters": {"binary_data_size": 8}}],
        "binary_data_size",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_request_is_told_what_would_be_right_and_stores_nothing(client: httpx.Client, wrong: str) -> None:
    make(client, "plane", PLANE)
    inputs, says = WRONG[wrong]
    answer = client.post("/v2/models/plane/infer", json={"inputs": inputs})
    assert answer.status_code == 422, answer.text
    assert says in answer.json()["error"]
    assert client.get("/v1/streams/plane/stats").json()["samples"] == 0


@pytest.mark.parametrize("length", ["x", "-1", "999999999999999999999"])
def test_a_wrong_length_of_the_header_is_malformed(client: httpx.Client, length: str) -> None:
    make(client, "plane", PLANE)
    headers = {"Inference-Header-Content-Length": length, "Content-Type": "application/octet-stream"}
    assert client.post("/v2/models/plane/infer", content=b"{}", headers=headers).status_code == 400


def test_an_unknown_output_is_refused_before_anything_is_stored(client: httpx.Client) -> None:
    make(client, "plane", PLANE)
    body = {"inputs": [tensor([1, 2], "FP32", [1, 2])], "outputs": [{"name": "logits"}]}
    answer = client.post("/v2/models/plane/infer", json=body)
    assert answer.status_code == 422
    assert "logits" in answer.json()["error"]
    assert client.get("/v1/streams/plane/stats").json()["samples"] == 0


@pytest.mark.parametrize(
    ("tensors", "pointer", "says"),
    [
        ([tensor([2, 2], "FP64", [1, 2, 3, 1e39])], "/inputs/0", "sample 1: data[1] must be a finite number"),
        (
            [tensor([2], "BYTES", ["a", "b"], "id"), tensor([2, 2], "FP64", [1, 1e39, 3, 4])],
            "/inputs/1",
            "sample 0: data[1]",
        ),
        ([tensor([1], "BYTES", ["a\n"], "id"), tensor([1, 2], "FP64", [1, 2])], "/inputs/0", "the id of sample 0"),
        ([tensor([1], "BYTES", ["a"], "id"), tensor([2, 2], "FP64", [1, 2, 3, 4])], "/inputs/0", "2 texts"),
        ([tensor([1, 3], "FP64", [1, 2, 3])], "/inputs", "[N, 2]"),
        ([tensor([1, 2], "FP64", [1, 2]), tensor([1, 2], "FP64", [1, 2], "other")], "/inputs", "one input"),
        ([tensor([0, 2], "FP64", [])], "/inputs", "1 to 1000 samples"),
        ([tensor([2, 2], "FP64", [1, 2])], "/inputs/0", "4 elements"),
    ],
)
def test_what_is_wrong_with_tensors_is_told_with_their_place(
    client: httpx.Client, tensors: list[dict[str, Any]], pointer: str, says: str
) -> None:
    make(client, "plane", PLANE)
    answer = client.post("/v2/models/plane/infer", json={"inputs": tensors})
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert says in answer.json()["error"]


def test_a_wrong_value_of_a_table_is_told_by_the_input_of_its_field(client: httpx.Client) -> None:
    make(client, "people", {"kind": "tabular", "fields": {"age": "number", "city": "category"}})
    tensors = [tensor([2], "BYTES", ["Oslo", "Bergen"], "city"), tensor([2], "FP64", [31, 1e39], "age")]
    answer = client.post("/v2/models/people/infer", json={"inputs": tensors})
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/inputs/1"]
    assert "sample 1: data.age" in answer.json()["error"]
