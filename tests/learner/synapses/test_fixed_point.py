from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from learner import build, snapshot
from learner.exporting.packed import pack
from learner.noise import Purpose
from learner.noise_kernels import words
from learner.synapses.classifier import BiMU
from learner.synapses.fixed_point import UNIT, nearest, reals, rounded
from learner.watching.health import layer_health

MOST = 32_767
keys = st.integers(0, 2**64 - 1)
lams = st.lists(st.floats(-20.0, 20.0, width=32), min_size=1, max_size=40)


def real(steps: torch.Tensor) -> torch.Tensor:
    (lam,) = reals((steps,))
    return lam


def drawn(seed: int, counter: int, lane: int, size: int) -> list[int]:
    """Return the 16-bit draws, by the interpreter's whole numbers."""
    word = int(words(*map(np.uint64, (seed, counter, Purpose.ROUND, lane)), 1)[0])
    out = []
    for n in range(size):
        h = (n * 0x9E3779B1 + (word & 0xFFFFFFFF)) & 0xFFFFFFFF
        h = ((h ^ (h >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
        h ^= word >> 32
        h = ((h ^ (h >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
        out.append(h >> 16)
    return out


@given(lams, keys, keys, st.integers(0, 5))
def test_what_is_kept_is_the_step_below_or_the_step_above(values: list[float], seed: int, counter: int, lane: int):
    lam = torch.tensor(values, dtype=torch.float32)
    kept = rounded(lam, seed=seed, counter=counter, lane=lane)
    assert kept.dtype == torch.int16
    held = (lam.double() / UNIT).clamp(-MOST, MOST)
    assert bool(((kept.double() - held).abs() < 1.0).all())


@given(lams, keys, keys, st.integers(0, 5))
def test_the_draws_are_those_that_are_written_down(values: list[float], seed: int, counter: int, lane: int):
    lam = torch.tensor(values, dtype=torch.float32)
    kept = rounded(lam, seed=seed, counter=counter, lane=lane).tolist()
    for value, step, draw in zip(values, kept, drawn(seed, counter, lane, len(values)), strict=True):
        fine = int(float(np.float32(min(max(value / UNIT, -MOST), MOST)) * np.float32(65_536)))
        assert step == (fine + draw) >> 16


@given(st.lists(st.integers(-MOST, MOST), min_size=1, max_size=40), keys, keys)
def test_a_whole_step_stays(steps: list[int], seed: int, counter: int):
    kept = torch.tensor(steps, dtype=torch.int16)
    assert torch.equal(rounded(real(kept), seed=seed, counter=counter, lane=0), kept)
    assert torch.equal(nearest(real(kept)), kept)


@pytest.mark.parametrize("part", [0.02, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("at", [0.0, 1.7, -3.0])
def test_the_mean_is_right_and_no_draw_tells_of_another(part: float, at: float):
    whole = float(nearest(torch.tensor([at], dtype=torch.float64))[0])
    lam = torch.full((1000,), (whole + part) * UNIT)
    exact = float(lam[0].double() / UNIT) - whole
    drawn_up = np.stack([rounded(lam, seed=3, counter=n, lane=0).numpy() - whole for n in range(200)])
    spread = (exact * (1 - exact)) ** 0.5
    assert set(np.unique(drawn_up)) <= {0.0, 1.0}
    assert drawn_up.mean() == pytest.approx(exact, abs=4 * spread / drawn_up.size**0.5)
    apart = (drawn_up - exact) / spread
    for one, other in ((apart[1:], apart[:-1]), (apart[:, 1:], apart[:, :-1])):
        assert abs(float((one * other).mean())) < 4 / drawn_up.size**0.5


@pytest.mark.parametrize("other", [{"seed": 2}, {"counter": 2}, {"lane": 2}])
def test_another_key_is_another_draw(other: dict[str, int]):
    lam, key = torch.full((100,), 0.5 * UNIT), {"seed": 1, "counter": 1, "lane": 1}
    assert torch.equal(rounded(lam, **key), rounded(lam, **key))
    assert not torch.equal(rounded(lam, **key), rounded(lam, **(key | other)))


FORMS = {
    "compiled": BiMU(features=5, hidden=(9,), seed=2, fixed_point=True),
    "reference": BiMU(features=5, hidden=(9,), seed=2, fixed_point=True, dtype=torch.float64),
    "sampled": BiMU(features=5, hidden=(9,), seed=2, fixed_point=True, form="sampled", passes=2),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_network_keeps_every_synapse_in_16_bits_and_learns(form: str):
    network = FORMS[form]
    layers, x, y = network.start(2), torch.eye(5), torch.tensor([0, 1, 0, 1, 1])
    for step in range(300):
        at = step % 5
        layers, info = network.learn(layers, x[at : at + 1], y[at : at + 1], counter=step)
        assert info.mean_step > 0.0
        assert [lam.dtype for lam in layers] == [torch.int16, torch.int16]
    assert network.committee(layers).logits(x).mean(0).argmax(-1).tolist() == y.tolist()


def test_an_update_is_that_of_the_same_synapses_in_floating_point_rounded():
    network = FORMS["compiled"]
    plain, layers = replace(network, fixed_point=False), network.start(3)
    x, y = torch.eye(5)[:2], torch.tensor([0, 2])
    exact, said = plain.learn(reals(layers), x, y, counter=8)
    kept, info = network.learn(layers, x, y, counter=8)
    assert info == said
    for lane, (lam, steps) in enumerate(zip(exact, kept, strict=True)):
        assert torch.equal(rounded(lam, seed=network.seed, counter=8, lane=lane), steps)
    assert torch.equal(network.committee(layers).logits(x), plain.committee(reals(layers)).logits(x))


def test_the_compiled_update_is_the_references_to_a_step():
    network, reference = FORMS["compiled"], FORMS["reference"]
    layers, x, y = network.start(3), torch.eye(5)[:2], torch.tensor([0, 2])
    kept, _ = network.learn(layers, x, y, counter=8)
    expected, _ = reference.learn(layers, x.double(), y, counter=8)
    for one, other in zip(kept, expected, strict=True):
        assert int((one.int() - other.int()).abs().max()) <= 1


def test_updates_made_in_one_call_are_those_of_one_call_each():
    network, x, y = FORMS["compiled"], torch.eye(5), torch.tensor([0, 1, 0, 1, 1])
    first = network.start(2)
    together, _ = network.learn_each(first, x, y, counter=3)
    each = first
    for at in range(5):
        each, _ = network.learn(each, x[at : at + 1], y[at : at + 1], counter=3 + at)
    assert all(torch.equal(*pair) for pair in zip(together, each, strict=True))


def test_a_class_that_comes_later_starts_as_one_named_up_front():
    network = FORMS["compiled"]
    assert all(torch.equal(*pair) for pair in zip(network.grow(network.start(1), 4), network.start(4), strict=True))


def test_digits_are_learned_as_well_at_half_the_bytes():
    x, y = load_digits(return_X_y=True)
    order = np.random.Generator(np.random.Philox(1)).permutation(len(y))
    right, sizes = [], []
    for fixed_point in (False, True):
        learner = build({"kind": "vector", "dim": 64}, seed=4, rates=(), fixed_point=fixed_point)
        state = learner.start()
        for seq, at in enumerate(order[:900].tolist(), 1):
            state, _ = learner.learn(state, x[at].astype(np.float32), str(y[at]), seq=seq)
        said = learner.scorer(state).predict_many(list(x[order[900:]].astype(np.float32)))
        right.append(np.mean([one.label == str(t) for one, t in zip(said, y[order[900:]], strict=True)]))
        sizes.append(sum(lam.numel() * lam.element_size() for lam in state.layers))
        assert snapshot.state_hash(snapshot.restore(snapshot.dump(state))) == snapshot.state_hash(state)
    assert right[0] > 0.8
    assert right[1] == pytest.approx(right[0], abs=0.03)
    assert sizes[0] == 2 * sizes[1]


def test_what_reads_a_state_reads_it_in_fixed_point_too():
    learner = build({"kind": "vector", "dim": 2}, seed=7, hidden=(8,), rates=(), fixed_point=True)
    state = learner.start(("a", "b"))
    plain = replace(state, layers=reals(state.layers))
    assert layer_health(state.layers) == layer_health(plain.layers)
    packed, expected = (pack(learner.network, one, members=3).weights for one in (state, plain))
    assert all(np.array_equal(*pair) for pair in zip(packed, expected, strict=True))
