"""What is watched for drift: errors beyond what confidence expects, novelty, and the mix of predictions."""

from __future__ import annotations

import json
import random

from learner.watching.drift import MATTERS, SETTLED, Alarm, DriftWatch


def labels(watch: DriftWatch, count: int, *, unsure: float, tilt: float, seed: int) -> list[Alarm]:
    """Show labels, of which a share `unsure` has confidence .5; confidence is too high by `tilt`."""
    rng, found = random.Random(seed), []
    for _ in range(count):
        confidence = 0.5 if rng.random() < unsure else 0.95
        alarm = watch.label(right=rng.random() < confidence - tilt, confidence=confidence)
        found += [] if alarm is None else [alarm]
    return found


def test_asking_harder_samples_is_no_drift_and_errors_that_nobody_expected_are() -> None:
    watch = DriftWatch()
    assert labels(watch, 1000, unsure=0.1, tilt=0.0, seed=0) == []
    assert labels(watch, 1000, unsure=0.9, tilt=0.0, seed=1) == []
    [alarm, *_] = labels(watch, 1000, unsure=0.9, tilt=0.4, seed=2)
    assert alarm.kind == "error"
    assert alarm.after > alarm.before


def test_novelty_alarms_only_where_it_rises() -> None:
    watch, rng = DriftWatch(), random.Random(0)

    def show(mean: float) -> set[str]:
        shown = [watch.sample("a", rng.gauss(mean, 1.0), learned=SETTLED) for _ in range(600)]
        return {alarm.kind for alarms in shown for alarm in alarms}

    assert [show(mean) for mean in (1.0, 0.0, 2.0)] == [set(), set(), {"novelty"}]


def test_a_class_that_becomes_common_changes_the_mix() -> None:
    watch, rng = DriftWatch(), random.Random(0)
    before = [watch.sample(rng.choice("abc"), 0.0, learned=SETTLED) for _ in range(800)]
    after = [watch.sample(rng.choice("abccc"), 0.0, learned=SETTLED) for _ in range(800)]
    assert not any(before)
    assert {alarm.kind for alarms in after for alarm in alarms} == {"class_mix"}


def test_nothing_is_watched_before_the_learner_has_settled() -> None:
    watch = DriftWatch()
    assert not any(watch.label(right=n < SETTLED // 2, confidence=1.0) for n in range(SETTLED))
    assert not any(watch.sample("ab"[n > 500], 0.0, learned=SETTLED - 1) for n in range(1000))


def test_it_goes_on_from_json() -> None:
    whole, part = DriftWatch(), DriftWatch()
    for watch in (whole, part):
        labels(watch, 300, unsure=0.3, tilt=0.0, seed=3)
    part = DriftWatch.from_json(json.loads(json.dumps(part.to_json())))
    assert labels(whole, 500, unsure=0.3, tilt=0.5, seed=4) == labels(part, 500, unsure=0.3, tilt=0.5, seed=4)
    assert whole.to_json() == part.to_json()


def test_a_change_that_matters_to_nobody_is_not_told_however_sure_it_is() -> None:
    watch = DriftWatch()
    small, large = -1.0 + MATTERS["novelty"] / 2, -1.0 + 2 * MATTERS["novelty"]
    told = dict.fromkeys((small, large), 0)
    for before, after in ((-1.0, small), (small, large)):
        for n in range(8000):
            alarms = watch.sample("a", before if n < 4000 else after, learned=1000)
            told[after] += sum(alarm.kind == "novelty" for alarm in alarms)
    assert told[small] == 0
    assert told[large] > 0
