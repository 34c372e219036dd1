"""From a stream's settings to its learner, with defaults that suit every stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from learner.encoders import AnyInput, Encoder, ImageEncoder, TabularEncoder, TextEncoder, VectorEncoder
from learner.memory.likelihood_kernels import FEW
from learner.memory.recollection import RATES, Recollection
from learner.online import OnlineLearner
from learner.synapses.bimu import BiMURule
from learner.synapses.classifier import BiMU
from learner.synapses.gating import GATES, Gate, gating

ENCODERS: Mapping[str, Callable[..., Encoder]] = {
    "vector": VectorEncoder,
    "image": ImageEncoder,
    "text": TextEncoder,
    "tabular": TabularEncoder,
}
"""Encoder by input kind; called with the rest of the input's settings."""


def build(
    source: Mapping[str, Any],
    *,
    seed: int = 0,
    hidden: tuple[int, ...] = (256,),
    rule: BiMURule | None = None,
    votes: int = 10,
    components: int | None = None,
    rates: tuple[float, ...] = RATES,
    gate: Gate = "none",
    fixed_point: bool = False,
    device: str = "cpu",
) -> OnlineLearner:
    """Return the learner of a stream: encoder, network, and the ladder of memories beside it.

    Args:
        source: what the input is: `kind` and the kind's own settings: "vector" {"dim"}, "image" {"width", "height",
            "channels"}, both with "levels" and "projection" where their codes shall be finer than by default, an image
            with "threshold", "text" {} or {"dim", "separate"}, "tabular" {"fields"} or {"fields", "buckets"}.
        seed: key of all noise, 0 … 2^64 - 1; equal seed and equal log give an equal learner.
        hidden: sizes of the network's hidden layers.
        rule: constants of BiMU.
        votes: S, passes of one prediction.
        components: K, components of a class in the slowest memory; the others have at most 16, a text's memory has one.
            None: `default_components`.
        rates: the memories' rate floors, slowest first; (): the network learns alone. A text's memory is one that
            never forgets, whatever the rates.
        gate: engram gates of the network: "none", "stochastic" or "sparse_code"; memories see the input as ever.
        fixed_point: keep the network's synapses in 16 bits each, half the bytes.
        device: where the network lives, "cpu" or as torch names it.

    Raises:
        ValueError: where a setting is out of its range.
        KeyError: where `kind` is missing.

    Example:
        >>> learner = build({"kind": "vector", "dim": 2}, seed=7)
        >>> state = learner.start(("a", "b"))
        >>> for seq in range(1, 9):
        ...     state, _ = learner.learn(state, np.full(2, seq % 2, np.float32), "ab"[seq % 2], seq=seq)
        >>> learner.scorer(state).predict(np.ones(2, np.float32)).label
        'b'
    """
    encoder = encoder_of(source)
    network = BiMU(
        encoder.features,
        hidden,
        gate=gate,
        fixed_point=fixed_point,
        # Pixels are never negative, so no input is another's mirror image, and the constant would outweigh a dark one.
        constant_input=not isinstance(encoder, ImageEncoder),
        rule=rule or BiMURule(),
        votes=votes,
        seed=seed,
        device=device,
    )
    if not rates:
        return OnlineLearner(encoder, network)
    if isinstance(encoder, TextEncoder):
        return OnlineLearner(encoder, network, Recollection.sparse(encoder.bits, light=encoder.pieces, seed=seed))
    most = default_components(source["kind"]) if components is None else components
    ladder = Recollection.ladder(encoder.bits, components=most, rates=rates, seed=seed)
    return OnlineLearner(encoder, network, ladder)


def default_components(kind: str) -> int:
    """Return the components of a class in the slowest memory of a kind of input: 64 for pictures, 16 for the rest.

    Example:
        >>> default_components("image"), default_components("vector")
        (64, 16)
    """
    return 64 if kind == "image" else 16


def encoder_of(source: Mapping[str, Any]) -> Encoder:
    """Return the encoder of an input: `kind` and the kind's own settings, as `build` takes them.

    Raises:
        ValueError: where `kind` is unknown or a setting is out of its range.
        KeyError: where `kind` is missing.

    Example:
        >>> encoder_of({"kind": "image", "width": 8, "height": 8, "channels": 1}).features
        64
    """
    kind, settings = source["kind"], {name: value for name, value in source.items() if name != "kind"}
    if kind not in ENCODERS:
        raise ValueError(f"kind must be one of {', '.join(sorted(ENCODERS))}, got {kind!r}")
    return ENCODERS[kind](**settings)


def warm_up() -> None:
    """Compile, or load from the compiler's cache, all that a first request would have to wait for.

    Takes about a second once the cache is warm, about half a minute the first time on a machine. Networks of another
    depth than the default, one hidden layer, are compiled where they are first used.

    Example:
        >>> warm_up()
    """
    learner = build({"kind": "vector", "dim": 1}, hidden=(4,), components=1)
    state = learner.start(("0", "1"))
    # Long enough for the first class to grow stale, so that replay is compiled too.
    for seq in range(1, 40):
        x: AnyInput = np.array([seq % 3], dtype=np.float32)
        state, _ = learner.learn(state, x, "0" if seq < 10 else "1", seq=seq)
    scorer = learner.scorer(state)
    scorer.predict(x)
    scorer.predict_many([x] * FEW)
    small = build({"kind": "vector", "dim": 1}, hidden=(4,), rates=(), fixed_point=True)
    small.learn(small.start(("0", "1")), np.zeros(1, np.float32), "1", seq=1)
    for other, one in (
        ({"kind": "tabular", "fields": {"x": "number"}}, {"x": 1.0}),
        ({"kind": "image", "width": 1, "height": 1, "channels": 1}, np.zeros((1, 1, 1), np.uint8)),
        ({"kind": "text", "dim": 64}, "x"),
    ):
        learner = build(other, hidden=(4,), components=1)
        state, _ = learner.learn(learner.start(("0", "1")), one, "1", seq=1)
        learner.scorer(state).predict(one)
    for gate in GATES:
        gates, row = gating(gate, 1, (4,), 0), torch.zeros(1, 1)
        gates.seen(row)
        gates.learning(row, passes=1, counter=0)
