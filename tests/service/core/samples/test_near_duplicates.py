"""Of samples that are nearly the same one is asked, in one batch or in several, unless the stream wants otherwise."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa

from service.storage.tables import samples
from tests.conftest import Running

_names = (f"near{n}" for n in count())

TEXT = "my card was declined in the shop this morning"
ALIKE = (TEXT, TEXT.upper(), TEXT + "!")
OTHER = "how do i change the address on my account"


def posted(service: Running, name: str, texts: list[str], *, together: bool) -> list[bool]:
    """Return which of the texts were asked."""
    if together:
        body = {"samples": [{"data": text} for text in texts]}
        results = service.client.post(f"/v1/streams/{name}/samples:batch", json=body).json()["results"]
        return [result["query"] is not None for result in results]
    return [service.post(text, name)["query"] is not None for text in texts]


def stream(service: Running, **policy: Any) -> str:
    name = next(_names)
    query = {"budget": 1.0, "exploration": 0.0, "warmup_labels": 0, "withdraw_below": 0.0} | policy
    service.stream(name, input={"kind": "text"}, classes=["a", "b"], query=query)
    return name


@pytest.mark.parametrize("together", [True, False])
def test_what_was_asked_is_not_asked_again_in_other_words(shared: Running, *, together: bool) -> None:
    name = stream(shared)
    assert posted(shared, name, [*ALIKE, OTHER, OTHER], together=together) == [True, False, False, True, False]
    shared.answer(shared.lease(name)[0], "a")
    assert posted(shared, name, list(ALIKE), together=together) == [False, False, False]


def test_a_radius_of_nothing_asks_again(shared: Running) -> None:
    name = stream(shared, duplicate_radius=0)
    assert posted(shared, name, list(ALIKE), together=True) == [True, True, True]


def test_the_propensity_of_what_is_not_asked_again_is_that_of_exploration(shared: Running) -> None:
    name = stream(shared, exploration=0.25)
    shared.post(TEXT, name)
    found = shared.post(TEXT, name)
    chosen = sa.select(samples.c.propensity).where(samples.c.id == found["id"])
    assert shared.parts.db.read_now(lambda c: c.execute(chosen).scalar_one()) == pytest.approx(0.25)
