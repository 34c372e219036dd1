"""Every wrong request gets its right problem, never a 500, and the next good one works."""

from __future__ import annotations

import base64
import gzip
import io
import json
import socket
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.conftest import Running

TITLES = {
    400: "Malformed request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Lease lost",
    413: "Too large",
    415: "Unsupported media type",
    422: "Not acceptable",
}
SAMPLES, PICTURES, COLOURS = "/v1/streams/s/samples", "/v1/streams/p/samples", "/v1/streams/c/samples"
STREAMS, BATCH, LEASE = "/v1/streams", "/v1/streams/s/samples:batch", "/v1/streams/s/queries:lease"
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Wrong:
    """A request that is wrong in one way, and the problem that it must get."""

    status: int
    path: str = SAMPLES
    body: Any = None
    raw: bytes | None = None
    pointer: str | None = None
    says: str = ""
    method: str = "POST"
    headers: dict[str, Any] = field(default_factory=dict)

    def send(self, client: httpx.Client) -> httpx.Response:
        if self.raw is not None:
            return client.request(self.method, self.path, content=self.raw, headers=JSON | self.headers)
        return client.request(self.method, self.path, json=self.body, headers=self.headers)


def assert_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Check that an answer is a whole problem of that status, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"] == TITLES[status]
    assert problem["type"] == "urn:engram:problem:" + TITLES[status].lower().replace(" ", "-")
    assert problem["detail"]
    for fault in problem.get("errors", []):
        assert fault["detail"]
        assert fault["pointer"] == "" or fault["pointer"].startswith("/")
    return dict(problem)


def encoded(raw: bytes) -> dict[str, str]:
    return {"png": base64.b64encode(raw).decode()}


def drawn(width: int, height: int, form: str = "PNG") -> bytes:
    file = io.BytesIO()
    pixels = np.arange(width * height, dtype=np.uint8).reshape(height, width)
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def bomb(width: int, height: int) -> bytes:
    """Return a small PNG file that claims to hold a huge picture."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(100_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def deep(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def stream(**more: Any) -> dict[str, Any]:
    return {"name": "new", "input": {"kind": "vector", "dim": 2}} | more


def query(**policy: Any) -> dict[str, Any]:
    return stream(query=policy)


def learner(**settings: Any) -> dict[str, Any]:
    return stream(learner=settings)


def cursor(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode()


GREY = [[1, 2, 3, 4]] * 3
WHOLE = drawn(6, 5)

WRONG = {
    # vectors
    "vector too short": Wrong(422, body={"data": [1]}, pointer="/data", says="list of 2"),
    "vector too long": Wrong(422, body={"data": [1, 2, 3]}, pointer="/data", says="list of 3"),
    "vector empty": Wrong(422, body={"data": []}, pointer="/data"),
    "vector with a text": Wrong(422, body={"data": [1, "2"]}, pointer="/data/1", says="a string"),
    "vector with a boolean": Wrong(422, body={"data": [True, 2]}, pointer="/data/0", says="a boolean"),
    "vector with null": Wrong(422, body={"data": [1, None]}, pointer="/data/1", says="null"),
    "vector nested": Wrong(422, body={"data": [[1, 2], [3, 4]]}, pointer="/data/0", says="a list"),
    "vector is a text": Wrong(422, body={"data": "12"}, pointer="/data", says="a string"),
    "vector is an object": Wrong(422, body={"data": {"0": 1, "1": 2}}, pointer="/data", says="an object"),
    "vector is null": Wrong(422, body={"data": None}, pointer="/data"),
    "vector beyond float32": Wrong(422, body={"data": [1e39, 0]}, pointer="/data/0", says="finite"),
    "vector of huge whole numbers": Wrong(422, body={"data": [1, 10**60]}, pointer="/data/1", says="finite"),
    "vector nested deep": Wrong(422, raw=b'{"data":' + deep(900) + b"}", pointer="/data"),
    # JSON
    "NaN": Wrong(422, raw=b'{"data": [NaN, 1]}', pointer="/data/0", says="NaN"),
    "Infinity": Wrong(422, raw=b'{"data": [1, Infinity]}', pointer="/data/1", says="finite"),
    "minus Infinity": Wrong(422, raw=b'{"data": [1, -Infinity]}', pointer="/data/1", says="finite"),
    "1e999": Wrong(422, raw=b'{"data": [1, 1e999]}', pointer="/data/1", says="finite"),
    "whole number of a thousand digits": Wrong(
        422, raw=b'{"data": [1, ' + b"9" * 1000 + b"]}", pointer="/data/1", says="finite"
    ),
    "whole number of ten thousand digits": Wrong(422, raw=b'{"data": [1, ' + b"9" * 10_000 + b"]}", pointer="/data/1"),
    "NaN in a body cut off": Wrong(400, raw=b'{"data": [NaN, 2', says="line 1 column 17"),
    "cut off": Wrong(400, raw=b'{"data": [1, 2', says="line 1 column 15"),
    "wrong in the second line": Wrong(400, raw=b'{"data":\n [1 2]}', says="line 2 column 5"),
    "not JSON": Wrong(400, raw=b"data=1"),
    "two values": Wrong(400, raw=b'{"data": [1, 2]} {"data": [1, 2]}'),
    "comma too much": Wrong(400, raw=b'{"data": [1, 2,]}'),
    "single quotes": Wrong(400, raw=b"{'data': [1, 2]}"),
    "byte order mark": Wrong(400, raw=b'\xef\xbb\xbf{"data": [1, 2]}'),
    "UTF-16": Wrong(400, raw='{"data": [1, 2]}'.encode("utf-16")),
    "invalid UTF-8": Wrong(400, raw=b'{"data": [1, 2], "id": "\xff\xfe"}'),
    "overlong UTF-8": Wrong(400, raw=b'{"data": [1, 2], "id": "\xc0\xaf"}'),
    "lone surrogate": Wrong(422, raw=b'{"data": [1, 2], "id": "\\ud800"}', pointer="/id", says="surrogate"),
    "lone surrogate in a field's name": Wrong(422, raw=b'{"data": [1, 2], "\\udc00": 1}', pointer="", says="surrogate"),
    "NUL escaped": Wrong(
        422, raw=b'{"data": [1, 2], "display": {"a": [":", "\\u0000"]}}', pointer="/display/a/1", says="NUL"
    ),
    "NUL in a field's name": Wrong(
        422, raw=b'{"data": [1, 2], "display": {"\\u0000": 1}}', pointer="/display", says="NUL"
    ),
    "NUL in an id": Wrong(422, body={"data": [1, 2], "id": "a\x00"}, pointer="/id", says="NUL"),
    "NUL in a label": Wrong(422, body={"data": [1, 2], "label": "a\x00"}, pointer="/label", says="NUL"),
    "NUL in a stream's name": Wrong(422, STREAMS, stream(name="a\x00"), pointer="/name", says="NUL"),
    "NUL in a class": Wrong(422, STREAMS, stream(classes=["a", "b\x00"]), pointer="/classes/1", says="NUL"),
    "NUL in a late label": Wrong(
        422, "/v1/streams/s/labels", {"sample_id": "good", "label": "\x00"}, pointer="/label", says="NUL"
    ),
    "NUL in a lease token": Wrong(
        422, "/v1/queries/q_no:release", {"lease_token": "\x00"}, pointer="/lease_token", says="NUL"
    ),
    "NaN in a tensor": Wrong(
        422, "/v2/models/s/infer", raw=b'{"inputs": [{"name": "x", "data": [1, NaN]}]}', pointer="/inputs/0/data/1"
    ),
    "NUL raw": Wrong(400, raw=b'{"data": [1, 2], "id": "a\x00"}'),
    "nested too deep": Wrong(400, raw=b'{"data":' + deep(100_000) + b"}"),
    "objects nested too deep": Wrong(400, raw=b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
    "display nested too deep to be shown": Wrong(
        422, raw=b'{"data": [1, 2], "display": {"a":' + deep(300) + b"}}", pointer="/display"
    ),
    "field twice": Wrong(422, raw=b'{"data": [1, 2], "data": [3, 4]}', pointer="/data", says="twice"),
    "field twice inside": Wrong(
        422, raw=b'{"data": [1, 2], "display": {"u": "x:y", "u": "z"}}', pointer="/display/u", says="twice"
    ),
    "fields twice beside texts that are odd": Wrong(
        422, raw=b'{"data": [1, 2], "id": "\\u0000", "display": {"u": 1, "u": 2}}', pointer="/display/u", says="/id"
    ),
    "field unknown": Wrong(422, body={"data": [1, 2], "colour": 1}, pointer="/colour", says="id, data, display, label"),
    "field unknown with a pointer's signs": Wrong(422, body={"data": [1, 2], "a/b~c": 1}, pointer="/a~1b~0c"),
    "field missing": Wrong(422, body={"id": "x"}, pointer="/data", says="/data: must be given"),
    "body is a list": Wrong(422, body=[{"data": [1, 2]}], pointer="", says="the body: must be an object, got a list"),
    "body is null": Wrong(422, raw=b"null", pointer="", says="the body: must be an object, got null"),
    "body is a text": Wrong(422, raw=b'"data"', pointer="", says="the body: must be an object, got a string"),
    "tensors are a list": Wrong(422, "/v2/models/s/infer", [], pointer="", says="must be an object, got a list"),
    "tensor is a number": Wrong(
        422, "/v2/models/s/infer", {"inputs": [7]}, pointer="/inputs/0", says="must be an object, got 7"
    ),
    "tensors missing": Wrong(422, "/v2/models/s/infer", {}, pointer="/inputs", says="/inputs: must be given"),
    "display is a list": Wrong(422, body={"data": [1, 2], "display": []}, pointer="/display"),
    # the request around it
    "body missing": Wrong(422, raw=b"", pointer="", says="the body: must be an object, got nothing"),
    "type text": Wrong(415, raw=b'{"data": [1, 2]}', headers={"Content-Type": "text/plain"}),
    "type form": Wrong(415, raw=b"data=1", headers={"Content-Type": "application/x-www-form-urlencoded"}),
    "type multipart": Wrong(415, raw=b"--x--", headers={"Content-Type": "multipart/form-data; boundary=x"}),
    "type nonsense": Wrong(415, raw=b'{"data": [1, 2]}', headers={"Content-Type": ";;;"}),
    "body gzipped": Wrong(
        415, raw=gzip.compress(b'{"data": [1, 2]}'), headers={"Content-Encoding": "gzip"}, says="gzip"
    ),
    "body too large": Wrong(413, raw=b" " * 1_000_001, says="1000000 bytes"),
    # ids and labels
    "id empty": Wrong(422, body={"data": [1, 2], "id": ""}, pointer="/id"),
    "id too long": Wrong(422, body={"data": [1, 2], "id": "x" * 201}, pointer="/id"),
    "id with a line break": Wrong(422, body={"data": [1, 2], "id": "a\r\nSet-Cookie: evil=1"}, pointer="/id"),
    "id with a line break at its end": Wrong(
        422, body={"data": [1, 2], "id": "a\n"}, pointer="/id", says="line breaks"
    ),
    "id with DEL": Wrong(422, body={"data": [1, 2], "id": "a\x7f"}, pointer="/id"),
    "id a number": Wrong(422, body={"data": [1, 2], "id": 7}, pointer="/id"),
    "label empty": Wrong(422, body={"data": [1, 2], "label": ""}, pointer="/label"),
    "label too long": Wrong(422, body={"data": [1, 2], "label": "x" * 201}, pointer="/label"),
    "label with a tab": Wrong(422, body={"data": [1, 2], "label": "a\tb"}, pointer="/label"),
    "label a number": Wrong(422, body={"data": [1, 2], "label": 1}, pointer="/label"),
    "label a list": Wrong(422, body={"data": [1, 2], "label": ["a"]}, pointer="/label"),
    "label of no class": Wrong(422, body={"data": [1, 2], "label": "c"}, pointer="/label", says="a, b"),
    # pictures
    "picture cut off": Wrong(422, PICTURES, {"data": encoded(WHOLE[: len(WHOLE) // 2])}, pointer="/data/png"),
    "picture with only a signature": Wrong(422, PICTURES, {"data": encoded(WHOLE[:8])}, pointer="/data/png"),
    "picture is words": Wrong(422, PICTURES, {"data": encoded(b"not a picture")}, pointer="/data/png"),
    "picture is empty": Wrong(422, PICTURES, {"data": {"png": ""}}, pointer="/data/png", says="it is neither"),
    "picture is a GIF": Wrong(422, PICTURES, {"data": encoded(drawn(4, 4, "GIF"))}, pointer="/data/png"),
    "picture is a TIFF": Wrong(422, PICTURES, {"data": encoded(drawn(4, 4, "TIFF"))}, pointer="/data/png"),
    "picture is large": Wrong(413, PICTURES, {"data": encoded(bomb(1200, 1000))}, says="1200 × 1000"),
    "picture is a bomb": Wrong(413, PICTURES, {"data": encoded(bomb(12_000, 12_000))}, says="at most 1000000"),
    "picture is a huge bomb": Wrong(413, PICTURES, {"data": encoded(bomb(2**31 - 1, 2**31 - 1))}, says="at most"),
    "picture without pixels": Wrong(422, PICTURES, {"data": encoded(bomb(0, 0))}, pointer="/data/png"),
    "picture not base64": Wrong(422, PICTURES, {"data": {"png": "§§§§"}}, pointer="/data/png", says="base64"),
    "picture base64 cut off": Wrong(422, PICTURES, {"data": {"png": "abcde"}}, pointer="/data/png", says="base64"),
    "picture is a number": Wrong(422, PICTURES, {"data": {"png": 7}}, pointer="/data"),
    "picture with more": Wrong(422, PICTURES, {"data": encoded(WHOLE) | {"url": "x"}}, pointer="/data"),
    "picture by another name": Wrong(422, PICTURES, {"data": {"jpeg": "x"}}, pointer="/data"),
    "picture is a text": Wrong(422, PICTURES, {"data": "x"}, pointer="/data", says="a string"),
    "pixels ragged": Wrong(422, PICTURES, {"data": [[1, 2, 3, 4], [1, 2], [3]]}, pointer="/data", says="differ"),
    "pixels too few rows": Wrong(422, PICTURES, {"data": GREY[:2]}, pointer="/data", says="2×4"),
    "pixels turned": Wrong(422, PICTURES, {"data": [[1, 2, 3]] * 4}, pointer="/data", says="4×3"),
    "pixels flat": Wrong(422, PICTURES, {"data": [1] * 12}, pointer="/data"),
    "pixels above 255": Wrong(422, PICTURES, {"data": [[1, 2, 3, 256], *GREY[1:]]}, pointer="/data", says="outside"),
    "pixels below 0": Wrong(422, PICTURES, {"data": [[-1, 2, 3, 4], *GREY[1:]]}, pointer="/data", says="outside"),
    "pixels with a text": Wrong(422, PICTURES, {"data": [["1", 2, 3, 4], *GREY[1:]]}, pointer="/data"),
    "pixels with a boolean": Wrong(422, PICTURES, {"data": [[True, 2, 3, 4], *GREY[1:]]}, pointer="/data"),
    "pixels with null": Wrong(422, PICTURES, {"data": [[None, 2, 3, 4], *GREY[1:]]}, pointer="/data"),
    "pixels with NaN": Wrong(422, PICTURES, raw=b'{"data": [[NaN, 2, 3, 4]]}', pointer="/data/0/0"),
    "pixels empty": Wrong(422, PICTURES, {"data": [[], [], []]}, pointer="/data"),
    "pixels of too many dimensions": Wrong(422, PICTURES, raw=b'{"data":' + deep(50) + b"}", pointer="/data"),
    "pixels grey for colours": Wrong(422, COLOURS, {"data": GREY}, pointer="/data"),
    # batches
    "batch of none": Wrong(422, BATCH, {"samples": []}, pointer="/samples"),
    "batch of 1001": Wrong(422, BATCH, {"samples": [{"data": [1, 2]}] * 1001}, pointer="/samples"),
    "batch is a list": Wrong(422, BATCH, [{"data": [1, 2]}], pointer=""),
    "batch twice": Wrong(422, BATCH, raw=b'{"samples": [], "samples": [{"data": [1, 2]}]}', pointer="/samples"),
    "batch with NaN beside its samples": Wrong(
        422, BATCH, raw=b'{"samples": [{"data": [1, 2]}], "x": NaN}', pointer="/x"
    ),
    "batch cut off": Wrong(400, BATCH, raw=b'{"samples": [{"data": [1, NaN]}', says="line 1"),
    "batch of an unknown stream": Wrong(404, "/v1/streams/no/samples:batch", {"samples": [{"data": [1, 2]}]}),
    # streams
    "stream unknown": Wrong(404, "/v1/streams/no/samples", {"data": [1, 2]}, says="'no'"),
    "stream unknown, looked at": Wrong(404, "/v1/streams/no", method="GET"),
    "stream unknown, statistics": Wrong(404, "/v1/streams/no/stats", method="GET"),
    "stream unknown, events": Wrong(404, "/v1/streams/no/events", method="GET"),
    "stream unknown, export": Wrong(404, "/v1/streams/no/export", method="GET"),
    "stream unknown, labels": Wrong(404, "/v1/streams/no/labels", method="GET"),
    "stream unknown, lease": Wrong(404, "/v1/streams/no/queries:lease", {"limit": 1}),
    "stream unknown, removed": Wrong(404, "/v1/streams/no", method="DELETE"),
    "stream unknown, changed": Wrong(404, "/v1/streams/no", {"guidelines": "x"}, method="PATCH"),
    "name with a slash": Wrong(422, STREAMS, stream(name="a/b"), pointer="/name"),
    "name with a space": Wrong(422, STREAMS, stream(name="a b"), pointer="/name", says="begin with a letter or digit"),
    "name begins with a dot": Wrong(422, STREAMS, stream(name=".."), pointer="/name"),
    "name empty": Wrong(422, STREAMS, stream(name=""), pointer="/name"),
    "name too long": Wrong(422, STREAMS, stream(name="x" * 64), pointer="/name"),
    "name with a line break": Wrong(422, STREAMS, stream(name="a\n"), pointer="/name"),
    "name not ASCII": Wrong(422, STREAMS, stream(name="é"), pointer="/name"),
    "name missing": Wrong(422, STREAMS, {"input": {"kind": "vector", "dim": 2}}, pointer="/name"),
    "name taken": Wrong(409, STREAMS, stream(name="s"), says="'s'"),
    "input missing": Wrong(422, STREAMS, {"name": "new"}, pointer="/input"),
    "input kind unknown": Wrong(422, STREAMS, stream(input={"kind": "sound"}), pointer="/input", says="vector"),
    "table without fields": Wrong(
        422, STREAMS, stream(input={"kind": "tabular", "fields": {}}), pointer="/input/fields"
    ),
    "field of an unknown kind": Wrong(
        422, STREAMS, stream(input={"kind": "tabular", "fields": {"a": "date"}}), pointer="/input/fields/a"
    ),
    "input of 0": Wrong(422, STREAMS, stream(input={"kind": "vector", "dim": 0}), pointer="/input/dim"),
    "input without its size": Wrong(422, STREAMS, stream(input={"kind": "vector"}), pointer="/input/dim"),
    "input of a picture without its size": Wrong(422, STREAMS, stream(input={"kind": "image"}), pointer="/input/width"),
    "input of a text of 1": Wrong(422, STREAMS, stream(input={"kind": "text", "dim": 1}), pointer="/input/dim"),
    "input with more": Wrong(422, STREAMS, stream(input={"kind": "text", "width": 1}), pointer="/input/width"),
    "field with a name that is none": Wrong(
        422, STREAMS, stream(input={"kind": "tabular", "fields": {"": "number"}}), pointer="/input/fields/"
    ),
    "input of 10^30": Wrong(
        422, STREAMS, stream(input={"kind": "vector", "dim": 10**30}), pointer="/input/dim", says="at most 18 digits"
    ),
    "input without a kind": Wrong(422, STREAMS, stream(input={}), pointer="/input", says="an object with a 'kind'"),
    "input of 2.5": Wrong(422, STREAMS, stream(input={"kind": "vector", "dim": 2.5}), pointer="/input/dim"),
    "input as a text": Wrong(422, STREAMS, stream(input={"kind": "vector", "dim": "2"}), pointer="/input/dim"),
    "channels of 4": Wrong(
        422,
        STREAMS,
        stream(input={"kind": "image", "width": 2, "height": 2, "channels": 4}),
        pointer="/input/channels",
    ),
    "classes alike": Wrong(422, STREAMS, stream(classes=["a", "a"]), pointer="/classes", says="'a'"),
    "classes none and closed": Wrong(422, STREAMS, stream(open_classes=False), pointer="/classes", says="class"),
    "classes too many": Wrong(422, STREAMS, stream(classes=[str(n) for n in range(1001)]), pointer="/classes"),
    "strategy unknown": Wrong(422, STREAMS, query(strategy="guess"), pointer="/query/strategy", says="variation_ratio"),
    "budget above 1": Wrong(422, STREAMS, query(budget=1.5), pointer="/query/budget"),
    "budget below 0": Wrong(422, STREAMS, query(budget=-0.1), pointer="/query/budget"),
    "budget null": Wrong(422, STREAMS, query(budget=None), pointer="/query/budget"),
    "exploration a list": Wrong(422, STREAMS, query(exploration=[0.1]), pointer="/query/exploration"),
    "warm-up below 0": Wrong(422, STREAMS, query(warmup_labels=-1), pointer="/query/warmup_labels"),
    "policy unknown": Wrong(422, STREAMS, query(speed=3), pointer="/query/speed"),
    "seed beyond 63 bits": Wrong(422, STREAMS, learner(seed=2**63), pointer="/learner/seed"),
    "seed below 0": Wrong(422, STREAMS, learner(seed=-1), pointer="/learner/seed"),
    "layer of 0": Wrong(422, STREAMS, learner(hidden=[0]), pointer="/learner/hidden/0"),
    "network too large": Wrong(
        422, STREAMS, stream(input={"kind": "vector", "dim": 100_000}, learner={"hidden": [8192]}), says="synapses"
    ),
    "gate unknown": Wrong(422, STREAMS, learner(gate="open"), pointer="/learner/gate", says="sparse_code"),
    "fixed point a word": Wrong(422, STREAMS, learner(fixed_point="yes"), pointer="/learner/fixed_point"),
    "pull at every 0th": Wrong(422, STREAMS, learner(pull_every=0), pointer="/learner/pull_every"),
    "pull beyond the window": Wrong(
        422,
        STREAMS,
        learner(pull_every=20, memory_window=20),
        pointer="/learner",
        says="below memory_window, 20, got 20",
    ),
    "classes to add too many": Wrong(
        422,
        "/v1/streams/s",
        {"add_classes": [str(n) for n in range(1001)]},
        method="PATCH",
        pointer="/add_classes",
        says="1000",
    ),
    "gate too large": Wrong(
        422, STREAMS, stream(input={"kind": "text"}, learner={"gate": "sparse_code"}), says="no gate"
    ),
    "colour unknown": Wrong(422, STREAMS, stream(colours={"a": "red"}), pointer="/colours/a", says="#1f77b4"),
    "change of the input": Wrong(
        422, "/v1/streams/s", {"input": {"kind": "vector", "dim": 3}}, pointer="/input", method="PATCH"
    ),
    "change of the classes": Wrong(
        422, "/v1/streams/s", {"classes": ["a"]}, pointer="/classes", method="PATCH", says="add_classes"
    ),
    "change of the policy": Wrong(
        422, "/v1/streams/s", {"query": {"strategy": "guess"}}, pointer="/query/strategy", method="PATCH"
    ),
    # queries
    "lease of 0": Wrong(422, LEASE, {"limit": 0}, pointer="/limit"),
    "lease of 11": Wrong(422, LEASE, {"limit": 11}, pointer="/limit"),
    "lease of a text": Wrong(422, LEASE, {"limit": "1"}, pointer="/limit"),
    "lease of 10^30": Wrong(422, LEASE, {"limit": 10**30}, pointer="/limit"),
    "lease waits too long": Wrong(422, LEASE, {"wait_seconds": 31}, pointer="/wait_seconds"),
    "lease waits into the past": Wrong(422, LEASE, {"wait_seconds": -1}, pointer="/wait_seconds"),
    "query unknown": Wrong(404, "/v1/queries/q_no:answer", {"lease_token": "x", "label": "a"}, says="q_no"),
    "query unknown, skip": Wrong(404, "/v1/queries/q_no:skip", {"lease_token": "x", "reason": "unclear"}),
    "query unknown, release": Wrong(404, "/v1/queries/q_no:release", {"lease_token": "x"}),
    "query unknown, heartbeat": Wrong(404, "/v1/queries/q_no:heartbeat", {"lease_token": "x"}),
    "lease token missing": Wrong(422, "/v1/queries/q_no:answer", {"label": "a"}, pointer="/lease_token"),
    "skip without a reason": Wrong(422, "/v1/queries/q_no:skip", {"lease_token": "x"}, pointer="/reason"),
    "skip for another reason": Wrong(
        422, "/v1/queries/q_no:skip", {"lease_token": "x", "reason": "tired"}, pointer="/reason", says="unclear"
    ),
    "duration below 0": Wrong(
        422, "/v1/queries/q:answer", {"lease_token": "x", "label": "a", "duration_ms": -1}, pointer="/duration_ms"
    ),
    # labels
    "label of an unknown sample": Wrong(404, "/v1/streams/s/labels", {"sample_id": "no", "label": "a"}),
    "label unknown": Wrong(404, "/v1/labels/l_no", method="DELETE"),
    "label unknown, corrected": Wrong(404, "/v1/labels/l_no", {"label": "a"}, method="PATCH"),
    "correction without a label": Wrong(422, "/v1/labels/l_no", {}, method="PATCH", pointer="/label"),
    "snapshot of garbage": Wrong(400, "/v1/streams/s/snapshots", raw=b"garbage"),
    "snapshot with more": Wrong(422, "/v1/streams/s/snapshots", {"x": 1}, pointer="/x"),
    "undo of garbage": Wrong(400, "/v1/queries/q_no:retract", raw=b"garbage"),
    "undo with more": Wrong(422, "/v1/queries/q_no:retract", {"x": 1}, pointer="/x"),
    "rollback below 0": Wrong(422, "/v1/streams/s:rollback", {"seq": -1}, pointer="/seq"),
    "rollback to a text": Wrong(422, "/v1/streams/s:rollback", {"seq": "1"}, pointer="/seq"),
    "rollback beyond the end": Wrong(422, "/v1/streams/s:rollback", {"seq": 10**9}, pointer="/seq"),
    "rollback beyond 64 bits": Wrong(422, "/v1/streams/s:rollback", {"seq": 10**30}, pointer="/seq"),
    "job unknown": Wrong(404, "/v1/jobs/j_no", method="GET"),
    "payloads kept for less than nothing": Wrong(
        422, "/v1/streams/s", {"retention": {"payload_days": -1}}, method="PATCH", pointer="/retention/payload_days"
    ),
    "replay of no entry": Wrong(
        422, "/v1/streams/s", {"retention": {"replay_entries": 0}}, method="PATCH", pointer="/retention/replay_entries"
    ),
    "sample after the log's end": Wrong(422, "/v1/streams/s/samples/good?at=999999999", method="GET", says="end"),
    "sample before the beginning": Wrong(422, "/v1/streams/s/samples/good?at=-1", method="GET"),
    "sample unknown": Wrong(404, "/v1/streams/s/samples/no", method="GET"),
    "sample at another time": Wrong(
        422, "/v1/streams/s/samples/good?at=then", method="GET", pointer="/query/at", says="now"
    ),
    # lists and plots
    "cursor is noise": Wrong(422, "/v1/streams?cursor=%25%25", method="GET", pointer="/query/cursor", says="cursor"),
    "cursor is noise, snapshots": Wrong(
        422, "/v1/streams/s/snapshots?cursor=garbage", method="GET", pointer="/query/cursor", says="cursor"
    ),
    "cursor of another list, snapshots": Wrong(
        422, "/v1/streams/s/snapshots?cursor=" + cursor(b"7"), method="GET", pointer="/query/cursor", says="cursor"
    ),
    "snapshots, none a page": Wrong(422, "/v1/streams/s/snapshots?limit=0", method="GET", pointer="/query/limit"),
    "cursor is not UTF-8": Wrong(422, "/v1/streams?cursor=" + cursor(b"\xff"), method="GET", says="cursor"),
    "cursor with NUL": Wrong(422, "/v1/streams?cursor=" + cursor(b"a\x00"), method="GET", says="cursor"),
    "cursor too long": Wrong(422, "/v1/streams?cursor=" + "A" * 501, method="GET", pointer="/query/cursor"),
    "cursor of another list": Wrong(422, "/v1/streams/s/labels?cursor=" + cursor(b"s"), method="GET", says="cursor"),
    "cursor of raised digits": Wrong(
        422, "/v1/streams/s/labels?cursor=" + cursor("²".encode()), method="GET", says="cursor"
    ),
    "cursor beyond 64 bits": Wrong(
        422, "/v1/streams/s/labels?cursor=" + cursor(b"9" * 30), method="GET", says="cursor"
    ),
    "limit of 0": Wrong(422, "/v1/streams?limit=0", method="GET", pointer="/query/limit"),
    "limit of 1001": Wrong(422, "/v1/streams?limit=1001", method="GET", pointer="/query/limit"),
    "limit is a word": Wrong(422, "/v1/streams?limit=all", method="GET", pointer="/query/limit"),
    "metric missing": Wrong(422, "/v1/streams/s/timeseries", method="GET", pointer="/query/metric"),
    "metric unknown": Wrong(422, "/v1/streams/s/timeseries?metric=luck", method="GET", pointer="/query/metric"),
    "span is no time": Wrong(
        422, "/v1/streams/s/timeseries?metric=accuracy&from=dawn", method="GET", pointer="/query/from"
    ),
    "span beyond time": Wrong(
        422, "/v1/streams/s/timeseries?metric=accuracy&from=1e300", method="GET", pointer="/query/from"
    ),
    "span backwards": Wrong(
        422, "/v1/streams/s/timeseries?metric=samples&from=2030-01-01&to=2020-01-01", method="GET", says="after"
    ),
    "span of too many steps": Wrong(
        422, "/v1/streams/s/timeseries?metric=samples&from=1970-01-01&to=2030-01-01&step=1", method="GET", says="step"
    ),
    "step of 0": Wrong(422, "/v1/streams/s/timeseries?metric=samples&step=0", method="GET", pointer="/query/step"),
    "format unknown": Wrong(422, "/v1/streams/s/export?format=xlsx", method="GET", pointer="/query/format"),
    "committee of an unknown format": Wrong(
        422, "/v1/streams/s/committee?format=h", method="GET", pointer="/query/format"
    ),
    "committee of nobody": Wrong(422, "/v1/streams/s/committee?members=0", method="GET", pointer="/query/members"),
    "committee of too many": Wrong(422, "/v1/streams/s/committee?members=65", method="GET", pointer="/query/members"),
    "event id is a word": Wrong(
        422,
        "/v1/streams/s/events",
        method="GET",
        headers={"Last-Event-ID": "newest"},
        pointer="/header/last-event-id",
        says="Last-Event-ID",
    ),
    "event id of raised digits": Wrong(
        422,
        "/v1/streams/s/events",
        method="GET",
        headers={"Last-Event-ID": "²".encode("latin-1")},
        says="Last-Event-ID",
    ),
    "event id beyond 64 bits": Wrong(
        422, "/v1/streams/s/events", method="GET", headers={"Last-Event-ID": "9" * 25}, says="Last-Event-ID"
    ),
    # signing in
    "token to sign in with unknown": Wrong(401, "/v1/session", {"token": "engram_no"}),
    "token to sign in with empty": Wrong(422, "/v1/session", {"token": ""}, pointer="/token"),
    # ways and methods
    "way unknown": Wrong(404, "/v1/nothing", method="GET", says="/docs"),
    "way unknown, posted": Wrong(404, "/v1/nothing", {}),
    "method not allowed": Wrong(405, "/v1/streams/s/samples", method="PUT", body={}, says="takes POST, not PUT"),
    "method not allowed, reading": Wrong(405, "/v1/queries/q_no:answer", method="GET"),
    "method not allowed, health": Wrong(405, "/healthz", {}),
    "NUL in the way": Wrong(404, "/v1/streams/a%00b/stats", method="GET"),
    "NUL in a query's way": Wrong(404, "/v1/queries/%00:release", {"lease_token": "x"}),
    "NUL in a sample's way": Wrong(404, "/v1/streams/s/samples/%00", method="GET"),
    "invalid UTF-8 in the way": Wrong(404, "/v1/streams/%ff/stats", method="GET"),
    "surrogate in the way": Wrong(404, "/v1/streams/%ed%a0%80/stats", method="GET"),
    "slash in a stream's way": Wrong(404, "/v1/streams/a%2Fb", method="GET"),
    "climbing up": Wrong(404, "/v1/streams/..%2f..%2fetc%2fpasswd", method="GET"),
    "line break in the way": Wrong(404, "/v1/streams/a%0d%0aSet-Cookie:%20evil=1/stats", method="GET"),
    "Idempotency-Key empty": Wrong(
        422, body={"data": [1, 2]}, headers={"Idempotency-Key": ""}, pointer="/header/idempotency-key"
    ),
    "Idempotency-Key too long": Wrong(
        422, body={"data": [1, 2]}, headers={"Idempotency-Key": "k" * 256}, pointer="/header/idempotency-key"
    ),
}


@pytest.fixture(scope="module")
def ready(shared_on: Running) -> Iterator[Running]:
    """Return a service with a stream of vectors, of grey and of coloured pictures."""
    shared_on.stream("s", classes=["a", "b"], open_classes=False)
    shared_on.stream("p", input={"kind": "image", "width": 4, "height": 3})
    shared_on.stream("c", input={"kind": "image", "width": 4, "height": 3, "channels": 3})
    shared_on.post([1, 2], id="good")
    yield shared_on
    failures = shared_on.client.get("/metrics").text
    assert 'status="500"' not in failures


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_request_gets_its_problem_and_the_next_good_one_works(ready: Running, case: Wrong) -> None:
    answer = case.send(ready.client)
    problem = assert_problem(answer, case.status)
    assert case.says in problem["detail"]
    assert not any(inside in answer.text for inside in ("0x", "instance of", "pattern", "Body", "allow_pickle"))
    if case.pointer is not None:
        assert case.pointer in [fault["pointer"] for fault in problem["errors"]], problem
    assert "set-cookie" not in answer.headers
    assert ready.post([1, 2])["model_version"] == 0


def test_nothing_refused_left_a_trace(ready: Running) -> None:
    before = ready.stats()["samples"]
    refused = [case for case in WRONG.values() if case.path in (SAMPLES, BATCH)]
    assert len(refused) > 50
    for case in refused:
        assert case.send(ready.client).status_code == case.status
    assert ready.stats()["samples"] == before
    assert [found["name"] for found in ready.client.get("/v1/streams").json()["items"]] == ["c", "p", "s"]


def test_a_body_too_large_in_pieces_of_unknown_length_is_refused(ready: Running) -> None:
    pieces = (b" " * 100_000 for _ in range(20))
    assert_problem(ready.client.post(SAMPLES, content=pieces, headers=JSON), 413)
    assert ready.post([1, 2])["id"]


def test_a_wrong_host_header_gets_its_problem(ready: Running) -> None:
    key = {"Idempotency-Key": "host", "Host": "["}
    answer = ready.client.post(SAMPLES, json={"data": [1, 2]}, headers=key)
    assert answer.status_code in (200, 400)
    answer = ready.client.post("/v1/session", json={"token": ready.token}, headers={"Host": "]:x["})
    assert answer.status_code in (200, 400)
    assert ready.post([1, 2])["id"]


def test_a_line_break_smuggled_into_an_answer_stays_data(ready: Running) -> None:
    evil = "x%0d%0aSet-Cookie:%20evil=1%0d%0a%0d%0a<script>"
    for path in (f"/v1/streams/{evil}", f"/v1/streams/s/samples/{evil}", f"/v1/labels/{evil}", f"/{evil}"):
        for method in ("GET", "DELETE", "PATCH"):
            answer = ready.client.request(method, path, json=None if method == "GET" else {})
            assert 400 <= answer.status_code < 500
            assert "set-cookie" not in answer.headers
            assert answer.headers["content-type"] == "application/problem+json"


def test_bytes_that_are_not_http_do_no_harm(ready: Running) -> None:
    host, port = httpx.URL(ready.url).host, httpx.URL(ready.url).port
    for noise in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\nA: \x00\r\n\r\n"):
        with socket.create_connection((host, port), timeout=10) as raw:
            raw.sendall(noise)
            assert b" 400 " in raw.recv(1000).split(b"\r\n")[0]
    assert ready.post([1, 2])["id"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/streams", {"GET", "HEAD", "POST"}),
        ("/v1/streams/s", {"GET", "HEAD", "PATCH", "DELETE"}),
        ("/v1/streams/s/samples", {"POST"}),
        ("/v1/labels/l", {"PATCH", "DELETE"}),
        ("/healthz", {"GET", "HEAD"}),
    ],
)
def test_a_method_that_a_way_has_not_is_answered_with_those_that_it_has(
    ready: Running, path: str, allowed: set[str]
) -> None:
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - allowed:
        answer = ready.client.request(method, path)
        assert_problem(answer, 405)
        assert set(answer.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/healthz", 200),
        ("/readyz", 200),
        ("/metrics", 200),
        ("/v1/streams", 200),
        ("/v1/streams/s/events", 200),
        ("/v1/streams/s/export", 200),
        ("/v1/streams/no", 404),
        ("/v1/nothing", 404),
        (SAMPLES, 405),
    ],
)
def test_head_is_answered_as_get_without_the_body(ready: Running, path: str, status: int) -> None:
    answer = ready.client.head(path)
    assert (answer.status_code, answer.content) == (status, b"")
    if "events" not in path:
        assert answer.headers["content-type"] == ready.client.get(path).headers["content-type"]


def test_one_bad_sample_never_spoils_a_batch(ready: Running) -> None:
    sent: list[Any] = [
        {"id": "b0", "data": [1, 2]},
        {"id": "b1", "data": [1, "two"]},
        {"id": "b2", "data": [3, 4]},
        {"id": "b3", "data": [1, 2], "colour": 1},
        7,
        {"id": "b5", "data": [1, 2], "label": "neither"},
        {"id": "b6", "data": [1, 2], "label": "a\n"},
        {"id": "b7", "data": [5, 6]},
    ]
    before = ready.stats()["samples"]
    answer = ready.client.post(BATCH, json={"samples": sent})
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [found.get("id") for found in results] == ["b0", None, "b2", None, None, None, None, "b7"]
    pointers = {n: found["errors"][0]["pointer"] for n, found in enumerate(results) if "id" not in found}
    assert pointers == {
        1: "/samples/1/data/1",
        3: "/samples/3/colour",
        4: "/samples/4",
        5: "/samples/5/label",
        6: "/samples/6/label",
    }
    assert results[4]["detail"] == "the sample: must be an object, got 7"
    for n in pointers:
        assert results[n]["status"] == 422
        assert results[n]["title"] == TITLES[422]
        assert results[n]["type"] == "urn:engram:problem:not-acceptable"
        assert results[n]["detail"]
    assert ready.stats()["samples"] == before + 3


def test_what_json_cannot_say_spoils_no_batch(ready: Running) -> None:
    good, parts = (
        '{"id": "%s", "data": [1, 2]}',
        {
            1: r'{"id": "bad\u0000", "data": [1, 2]}',
            2: '{"data": [NaN, 2]}',
            3: '{"data": [1, 1e999]}',
            4: '{"data": [1, 2], "data": [3, 4]}',
            5: r'{"data": [1, 2], "label": "\ud800"}',
            6: r'{"data": [1, 2], "display": {"\u0000": 1}}',
        },
    )
    wanted = {1: "/id", 2: "/data/0", 3: "/data/1", 4: "/data", 5: "/label", 6: "/display"}
    for numbers in ((1,), (2,), (3,), (4,), (5,), (6,), (1, 2, 3, 4, 5, 6)):
        name = "j" + "".join(map(str, numbers))
        sent = ", ".join([good % f"{name}a", *(parts[n] for n in numbers), good % f"{name}:z"])
        answer = ready.client.post(BATCH, content=f'{{"samples": [{sent}]}}', headers=JSON)
        assert answer.status_code == 200, answer.text
        first, *refused, last = answer.json()["results"]
        assert (first["id"], last["id"]) == (f"{name}a", f"{name}:z")
        for at, (n, problem) in enumerate(zip(numbers, refused, strict=True), 1):
            assert (problem["status"], problem["title"]) == (422, TITLES[422])
            assert [fault["pointer"] for fault in problem["errors"]] == [f"/samples/{at}{wanted[n]}"]
            assert problem["detail"]


def test_an_object_with_very_many_fields_of_which_one_stands_twice_is_refused_at_once(ready: Running) -> None:
    fields = ",".join(f'"{n}":0' for n in range(60_000))
    body = f'{{"data": [1, 2], "display": {{{fields},"7":1}}}}'
    started = monotonic()
    problem = assert_problem(ready.client.post(SAMPLES, content=body, headers=JSON), 422)
    assert [fault["pointer"] for fault in problem["errors"]] == ["/display/7"]
    assert monotonic() - started < 5


def test_of_very_many_faults_the_first_are_told(ready: Running) -> None:
    problem = assert_problem(
        ready.client.post(SAMPLES, content=b'{"data": [' + b"NaN," * 50_000 + b"1]}", headers=JSON), 422
    )
    assert [fault["pointer"] for fault in problem["errors"]] == [f"/data/{n}" for n in range(20)]


def test_a_batch_with_a_bad_sample_and_a_key_is_remembered_whole(ready: Running) -> None:
    sent = {"samples": [{"data": [1]}, {"data": [1, 2]}]}
    first = ready.client.post(BATCH, json=sent, headers={"Idempotency-Key": "half bad"})
    again = ready.client.post(BATCH, json=sent, headers={"Idempotency-Key": "half bad"})
    assert first.status_code == 200, first.text
    assert first.json() == again.json()
    assert first.json()["results"][0]["status"] == 422


def test_a_bomb_in_a_batch_is_its_own_problem(ready: Running) -> None:
    sent = [{"data": encoded(bomb(12_000, 12_000))}, {"data": encoded(WHOLE)}]
    results = ready.client.post("/v1/streams/p/samples:batch", json={"samples": sent}).json()["results"]
    assert results[0]["status"] == 413
    assert results[1]["id"]


def test_a_key_used_for_another_body_is_a_conflict(ready: Running) -> None:
    key = {"Idempotency-Key": "mine"}
    assert ready.client.post(SAMPLES, json={"data": [1, 2]}, headers=key).status_code == 200
    assert_problem(ready.client.post(SAMPLES, json={"data": [1, 3]}, headers=key), 409)
    assert_problem(ready.client.post(PICTURES, json={"data": [1, 2]}, headers=key), 409)


def test_a_lost_lease_is_gone_for_every_use_of_it(ready: Running) -> None:
    ready.post([7, 7], id="leased")
    [query] = ready.lease()
    token = {"lease_token": "not-the-token"}
    uses: list[tuple[str, dict[str, Any]]] = [
        ("answer", {"label": "a"}),
        ("skip", {"reason": "unclear"}),
        ("release", {}),
        ("heartbeat", {}),
    ]
    for n, (use, more) in enumerate(uses):
        path = f"/v1/queries/{query['id']}:{use}"
        assert_problem(ready.client.post(path, json=token | more), 410)
        key = {"Idempotency-Key": f"lost {n}"}
        assert_problem(ready.client.post(path, json=token | more, headers=key), 410)
        assert_problem(ready.client.post(path, json=token | more, headers=key), 410)
    assert ready.stats()["labels"] == 0
    body = {"lease_token": query["lease"]["token"]}
    assert ready.client.post(f"/v1/queries/{query['id']}:release", json=body).status_code == 204


def test_an_answer_outside_closed_classes_is_refused_and_the_lease_stays(ready: Running) -> None:
    ready.post([7, 8])
    [query] = ready.lease()
    path, body = f"/v1/queries/{query['id']}:answer", {"lease_token": query["lease"]["token"], "label": "z"}
    problem = assert_problem(ready.client.post(path, json=body), 422)
    assert problem["errors"][0]["pointer"] == "/label"
    held = ready.client.post(f"/v1/queries/{query['id']}:heartbeat", json={"lease_token": query["lease"]["token"]})
    assert held.status_code == 200


@pytest.mark.parametrize("role", [None, "viewer"], ids=["nobody", "a viewer"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"content": b"{", "headers": JSON},
        {"content": b"x", "headers": {"Content-Type": "text/plain"}},
        {"content": b"x", "headers": JSON | {"Content-Encoding": "br"}},
        {"json": {"inputs": []}},
        {"json": []},
        {"json": {}, "headers": {"Idempotency-Key": ""}},
    ],
    ids=["not JSON", "of another type", "encoded", "without inputs", "a list", "with an empty key"],
)
@pytest.mark.parametrize(
    "path",
    [
        STREAMS,
        SAMPLES,
        BATCH,
        LEASE,
        "/v2/models/s/infer",
        "/v1/streams/s/labels",
        "/v1/streams/s/gold",
        "/v1/streams/s/snapshots",
        "/v1/streams/s:rollback",
        "/v1/queries/q:answer",
        "/v1/queries/q:skip",
    ],
)
def test_who_may_not_call_is_told_that_first(
    ready: Running, path: str, wrong: dict[str, Any], role: str | None
) -> None:
    with ready.as_role(role) if role else httpx.Client(base_url=ready.url, trust_env=False) as client:
        assert_problem(client.post(path, **wrong), 403 if role else 401)


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer garbage", "Basic YTpi", "Bearer \xff\xfe", "Bearer " + "x" * 5000],
)
def test_without_a_good_token_nobody_gets_in(ready: Running, authorization: str | None) -> None:
    headers = [] if authorization is None else [(b"Authorization", authorization.encode("latin-1"))]
    for method, path in (("GET", STREAMS), ("POST", SAMPLES), ("GET", "/v1/session"), ("DELETE", "/v1/streams/s")):
        answer = httpx.request(
            method,
            ready.url + path,
            content=json.dumps({"data": [1, 2]}) if method == "POST" else None,
            headers=[*headers, (b"Content-Type", b"application/json")],
            trust_env=False,
        )
        assert_problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
    assert ready.post([1, 2])["id"]
