"""Where a stream's spending on questions stands."""

from __future__ import annotations

from typing import Any

from learner.asking.outlook import outlook
from learner.asking.policy import Demand, Standing
from service.core.specs import QuerySpec
from service.storage.streams import Ledger, Stream


def standing_of(ledger: Ledger) -> Standing:
    """Return it as the ledger has it; that of a new stream where nothing was decided yet."""
    return Standing() if ledger.standing is None else Standing.from_json(ledger.standing)


def least_wanted(stream: Stream, ledger: Ledger) -> float:
    """Return the utility below which what was asked because the model was unsure is no longer wanted; 0: no such."""
    return QuerySpec(**stream.query).withdraw_below * standing_of(ledger).threshold


def spending_body(stream: Stream, ledger: Ledger, now: int) -> dict[str, Any]:
    """Return it as operators are told."""
    demand = Demand(ledger.labels, ledger.open, stream.log_seq - stream.applied_seq)
    return outlook(QuerySpec(**stream.query).policy(), standing_of(ledger), demand, now)._asdict()
