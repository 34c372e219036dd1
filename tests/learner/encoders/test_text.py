from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from learner import build, snapshot
from learner.encoders import TextEncoder

ENCODER = TextEncoder(dim=256)


@given(text=st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=40))
def test_any_text_has_finite_features_and_comes_back_from_its_bytes(text: str):
    state = ENCODER.learn(ENCODER.start(), text)
    features = ENCODER.encode(state, text)
    assert bool(torch.isfinite(features).all())
    assert float(features.norm()) == pytest.approx(16.0 if bool(features.any()) else 0.0, rel=1e-5)
    assert ENCODER.from_bytes(ENCODER.to_bytes(text)) == text


def terms(text: str) -> Iterator[tuple[bool, str]]:
    """A text's terms as the encoder says they are, each with whether it is a piece."""
    words = re.findall(r"\w+", text.lower())
    yield from ((False, f"1:{word}") for word in words)
    yield from ((False, f"2:{first} {second}") for first, second in pairwise(words))
    for edged in (f" {word} " for word in words):
        for size in (3, 4, 5):
            yield from ((True, edged[at : at + size]) for at in range(len(edged) - size + 1))


@given(text=st.text(alphabet=st.one_of(st.sampled_from("ab \n.ßé語😀İ_\ud800"), st.characters()), max_size=30))
def test_every_term_is_counted_in_the_bucket_of_its_checksum(text: str):
    for encoder, words in ((TextEncoder(dim=800), 300), (TextEncoder(dim=800, separate=False), 800)):
        counts = Counter[int]()
        for is_piece, term in terms(text):
            checksum = zlib.crc32(term.encode("utf-8", "surrogatepass"))
            counts[
                800 - encoder.pieces + checksum % encoder.pieces if is_piece and encoder.pieces else checksum % words
            ] += 1
        state = encoder.learn(encoder.start(), "")
        features = encoder.encode(state, text).numpy()
        expected = np.zeros(800)
        expected[list(counts)] = [1.0 + np.log(count) for count in counts.values()]
        norm = np.linalg.norm(expected) or 1.0
        assert features == pytest.approx(expected * np.sqrt(800) / norm, rel=1e-5)


def test_a_rare_word_weighs_more_than_a_common_one():
    encoder = TextEncoder(dim=2**16)
    state = encoder.start()
    for _ in range(20):
        state = encoder.learn(state, "card")
    common = encoder.code(encoder.encode(state, "card")) > 0
    features = encoder.encode(state, "card lost").numpy()
    assert features[common].max() < features[~common].max()


def test_encoding_and_learning_leave_the_state_as_it_was():
    state = ENCODER.learn(ENCODER.start(), "one two")
    before = [part.clone() for part in state]
    ENCODER.encode(state, "three")
    ENCODER.learn(state, "four")
    assert all(torch.equal(part, kept) for part, kept in zip(state, before, strict=True))


def test_a_code_stands_for_features_with_the_same_code():
    state = ENCODER.learn(ENCODER.start(), "my card was lost")
    code = ENCODER.code(ENCODER.encode(state, "lost my card"))
    assert np.array_equal(ENCODER.code(torch.from_numpy(ENCODER.decode(state, code[None])[0])), code)


def test_words_and_pieces_have_buckets_of_their_own_or_share_all():
    apart, shared = TextEncoder(dim=800), TextEncoder(dim=800, separate=False)
    assert (apart.pieces, shared.pieces) == (500, 0)
    short, long = (np.flatnonzero(apart.code(apart.encode(apart.start(), word))) for word in ("a", "abcdefgh"))
    assert (short < 300).tolist() == [True, False]  # the word, and the piece that it is
    assert (long < 300).sum() == 1
    texts = ("my card was lost", "where is it")
    filled = np.concatenate([np.flatnonzero(shared.code(shared.encode(shared.start(), text))) for text in texts])
    assert (filled < 300).sum() > 7


def test_too_few_buckets_are_refused():
    with pytest.raises(ValueError, match="dim must be in 16"):
        TextEncoder(dim=8)


def test_questions_are_told_apart_and_the_bits_survive_a_snapshot():
    learner = build({"kind": "text", "dim": 512}, seed=2, hidden=(32,))
    texts = [("where is my card", "card"), ("top up my account", "top up"), ("the card is lost", "card")]
    whole = half = learner.start()
    for seq in range(1, 31):
        text, label = texts[seq % 3]
        whole, _ = learner.learn(whole, text, label, seq=seq)
        half, _ = learner.learn(half, text, label, seq=seq)
        if seq == 11:
            half = snapshot.restore(snapshot.dump(half))
    assert snapshot.state_hash(whole) == snapshot.state_hash(half)
    assert learner.scorer(half).predict("is the card here").label == "card"
    assert learner.scorer(half).predict("top up please").label == "top up"
    assert learner.scorer(half).predict("") is not None
