"""A lease is prolonged as long as somebody is there, and no longer: a forgotten page frees its query."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.settings import Settings
from tests.conftest import Running, running
from tests.service.core.by_hand import ManualClock
from tests.service.core.labels.crew import Crew, Person, crew
from tests.service.core.labels.test_gold import golden, lease_gold

LEASE_SECONDS = 60
LONGEST = 20 * LEASE_SECONDS
BEAT = 40


@pytest.fixture
def service(tmp_path: Path, database_url: str) -> Iterator[Running]:
    settings = Settings(data_dir=tmp_path / "data", database_url=database_url, lease_seconds=LEASE_SECONDS)
    with running(settings, clock=ManualClock()) as found:
        yield found


def passes(service: Running, seconds: float) -> None:
    assert isinstance(service.parts.clock, ManualClock)
    service.parts.clock.pass_seconds(seconds)


def beat(who: Person, query: dict[str, Any]) -> httpx.Response:
    return who("POST", f"/v1/queries/{query['id']}:heartbeat", {"lease_token": query["lease"]["token"]})


def hold(service: Running, who: Person, query: dict[str, Any], seconds: int) -> datetime:
    """Hold a query by heartbeats for so long; return when its lease then ends."""
    until = datetime.fromisoformat(query["lease"]["expires_at"])
    for _ in range(seconds // BEAT):
        passes(service, BEAT)
        held = beat(who, query)
        assert held.status_code == 200, held.text
        until = datetime.fromisoformat(held.json()["expires_at"])
    return until


def granted(query: dict[str, Any]) -> float:
    return datetime.fromisoformat(query["lease"]["expires_at"]).timestamp() - LEASE_SECONDS


def one_query(service: Running) -> Crew:
    team = crew(service, 2, overlap=1)
    team.post()
    return team


def of_the_queue(service: Running) -> tuple[Person, dict[str, Any], Person]:
    team = one_query(service)
    ada, ben = team.people
    [query] = ada.lease()
    assert ben.lease() == []
    return ada, query, ben


def of_gold(service: Running) -> tuple[Person, dict[str, Any], Person]:
    team = golden(service, 1)
    ada = team.people[0]
    return ada, lease_gold(team, ada), ada


@pytest.mark.parametrize("leased", [of_the_queue, of_gold])
def test_a_lease_ends_for_good_twenty_times_its_length_after_it_was_granted(service: Running, leased: Any) -> None:
    ada, query, _next = leased(service)
    until = hold(service, ada, query, LONGEST - BEAT)
    assert until.timestamp() == pytest.approx(granted(query) + LONGEST, abs=0.01)
    passes(service, BEAT)
    for _ in range(2):
        refused = beat(ada, query)
        assert refused.status_code == 410
        assert refused.json()["title"] == "Lease lost"
        assert f"at most {LONGEST} seconds" in refused.json()["detail"]
    assert ada.say(query, "a").status_code == 410


@pytest.mark.parametrize("leased", [of_the_queue, of_gold])
def test_what_was_held_too_long_is_leased_again_and_held_as_long_again(service: Running, leased: Any) -> None:
    ada, query, following = leased(service)
    hold(service, ada, query, LONGEST - BEAT)
    passes(service, BEAT)
    again = _leased_again(following, query)
    hold(service, following, again, LONGEST - BEAT)
    assert following.say(again, "a").status_code == 200
    assert "at most" not in beat(ada, query).json()["detail"]  # that lease is another's now


def _leased_again(who: Person, query: dict[str, Any]) -> dict[str, Any]:
    for _ in range(200):
        [found] = who.lease(1)
        if found["id"] == query["id"]:
            return found
        who("POST", f"/v1/queries/{found['id']}:release", {"lease_token": found["lease"]["token"]})
    raise AssertionError("it never came again")


@pytest.mark.parametrize("leased", [of_the_queue, of_gold])
def test_an_answer_taken_back_begins_a_lease_of_its_own(service: Running, leased: Any) -> None:
    ada, query, _next = leased(service)
    hold(service, ada, query, LONGEST - BEAT)
    ada.say(query, "a").raise_for_status()
    back = ada("POST", f"/v1/queries/{query['id']}:retract").raise_for_status().json()["query"]
    hold(service, ada, back, LONGEST - BEAT)
    passes(service, BEAT)
    assert beat(ada, back).status_code == 410


def test_a_lease_that_just_ran_out_says_so(service: Running) -> None:
    ada, query, _next = of_the_queue(service)
    passes(service, LEASE_SECONDS + 1)
    refused = beat(ada, query)
    assert refused.status_code == 410
    assert "at most" not in refused.json()["detail"]
    passes(service, LONGEST)
    assert "at most" not in beat(ada, query).json()["detail"]


def test_an_answer_within_the_longest_hold_is_taken(service: Running) -> None:
    ada, query, _next = of_the_queue(service)
    hold(service, ada, query, LONGEST - BEAT)
    passes(service, BEAT - 1)
    assert ada.say(query, "a").status_code == 200
