"""What all memories say together: of what came lately, and of what has not come for long."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from learner.memory.recollection import Recollection, RecollectionState

BITS, CLASSES, EACH = 40, 4, 100


def in_blocks(recollection: Recollection) -> RecollectionState:
    """Return what is remembered after one class after the other, each for long."""
    state, draw = recollection.start(CLASSES), np.random.Generator(np.random.Philox(5))
    for seq in range(1, CLASSES * EACH + 1):
        index = (seq - 1) // EACH
        code = (draw.random(BITS) < 0.1 + 0.5 * (np.arange(BITS) % CLASSES == index)).astype(np.uint8)
        recalled = recollection.recall(state, code[None])
        state = recollection.learn(state, recalled, code, index, counter=seq)
    return state


def odds_of_the_fresh(recollection: Recollection, state: RecollectionState) -> float:
    codes = np.eye(BITS, dtype=np.uint8)
    network = np.full((BITS, 1, CLASSES), 1.0 / CLASSES)
    votes = recollection.votes(state, network, recollection.hear(state, codes))[:, 0]
    return float(np.mean(np.log(votes[:, -1] / votes[:, 0])))


def test_the_network_counts_less_for_what_came_lately_where_dreams_are_poor() -> None:
    poor = Recollection.sparse(BITS)
    rich = replace(poor, fusion=replace(poor.fusion, freshness=0.0))
    state = in_blocks(poor)
    # The product speaks for the classes of the blocks before the last two, and says 1.5 nats less of the last.
    assert odds_of_the_fresh(rich, state) - odds_of_the_fresh(poor, state) == pytest.approx(1.0, abs=0.5)


@pytest.mark.parametrize("recollection", [Recollection.sparse(BITS), Recollection.ladder(BITS, components=4)])
def test_to_hear_is_to_recall_without_the_components(recollection: Recollection) -> None:
    state, codes = in_blocks(recollection), np.eye(BITS, dtype=np.uint8)
    recalled = recollection.recall(state, codes)
    for odds in ((), recollection.odds(state)):
        heard = recollection.hear(state, codes, odds)
        assert heard.logs == ()
        assert all(np.array_equal(*pair) for pair in zip(heard[1:], recalled[1:], strict=True))
