"""Where a stream's spending on questions stands."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from learner.asking.outlook import outlook
from learner.asking.policy import Demand, Standing
from learner.asking.strategies import Unsure
from service.core.specs import QuerySpec
from service.storage.streams import Ledger, Stream


def standing_of(ledger: Ledger) -> Standing:
    """Return it as the ledger has it; that of a new stream where nothing was decided yet."""
    return Standing() if ledger.standing is None else Standing.from_json(ledger.standing)


def least_wanted(stream: Stream, ledger: Ledger) -> float:
    """Return the utility below which what was asked because the model was unsure is no longer wanted; 0: no such."""
    return QuerySpec(**stream.query).withdraw_below * standing_of(ledger).threshold


def utility_now(stream: Stream, ledger: Ledger) -> Callable[[Unsure], float]:
    """Return how much an answer would teach, by what is said of its sample: as decisions of this moment see it."""
    return partial(QuerySpec(**stream.query).policy().utility, predicted=standing_of(ledger).predicted)


def spending_body(stream: Stream, ledger: Ledger, now: int) -> dict[str, Any]:
    """Return it as operators are told."""
    demand = Demand(ledger.labels, ledger.open, stream.log_seq - stream.applied_seq)
    return outlook(QuerySpec(**stream.query).policy(), standing_of(ledger), demand, now)._asdict()
