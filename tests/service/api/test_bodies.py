"""What may be said when a stream is made may be changed later."""

from __future__ import annotations

from service.api.bodies import QueryPatch
from service.core.specs import QuerySpec


def test_every_part_of_a_query_policy_may_be_changed() -> None:
    assert set(QueryPatch.model_fields) == set(QuerySpec.model_fields)
    said = QuerySpec().model_dump()
    assert QueryPatch(**said).changes() == said
