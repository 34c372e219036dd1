"""Every benchmark runs by its command's options at a tiny size, and says what it found as JSON lines and a table."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import (
    alarms,
    budget,
    calibration,
    class_incremental,
    coverage,
    drift,
    few_labels,
    gates,
    labels,
    permuted_mnist,
    published,
    queue,
    reporting,
    saturation,
    text_intents,
    throughput,
)

Main = Callable[[Sequence[str] | None], None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of small data sets in the files' formats: made questions, and rows that change."""
    made = tmp_path_factory.mktemp("data_sets")
    rng = np.random.default_rng(0)
    for name, rows in (("banking77_train", 60), ("banking77_test", 20)):
        with gzip.open(made / f"{name}.jsonl.gz", "wt", encoding="utf-8") as lines:
            for number in range(rows):
                label = number % 4
                text = f"where is my {('card', 'money', 'code', 'bank')[label]} number {number % 7}"
                lines.write(json.dumps({"text": text, "intent": f"intent_{label}", "label": label}) + "\n")
    with gzip.open(made / "electricity.csv.gz", "wt", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(["date", "day", "price", "class"])
        for number in range(200):
            price = rng.random()
            writer.writerow([number / 200, 1 + number % 7, price, "UP" if price > 0.5 else "DOWN"])
    return made


@pytest.fixture
def said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Main, str], list[dict[str, Any]]]:
    monkeypatch.setenv("ENGRAM_DATA_SETS", str(folder))

    def run(main: Main, options: str) -> list[dict[str, Any]]:
        main(options.split())
        printed = capsys.readouterr().out.splitlines()
        assert any(line.startswith("  ") for line in printed), "there is no table"
        return [json.loads(line) for line in printed if line.startswith("{")]

    return run


Said = Callable[[Main, str], list[dict[str, Any]]]


def mean(lines: list[dict[str, Any]], key: str, **of: object) -> float:
    rows = [row for row in lines[-1]["summary"] if all(row[name] == value for name, value in of.items())]
    assert len(rows) == 1, f"{of} names {len(rows)} rows of the summary"
    return float(rows[0][key]["mean"])


def test_one_task_is_told_for_each_form_and_seed(said: Said) -> None:
    lines = said(published.main, "--data digits --samples 120 --seeds 2")
    assert [(line["form"], line["seed"]) for line in lines[:-1]] == [
        (form, seed) for form in ("published", "moments", "network", "halved", "product", "small") for seed in (0, 1)
    ]
    for form in ("published", "moments", "network", "halved", "product", "small"):
        assert mean(lines, "accuracy", form=form) > 0.3  # a tenth by chance
    assert mean(lines, "updates_per_s", form="moments") > mean(lines, "updates_per_s", form="published")


def test_permuted_tasks_are_told_with_strangers(said: Said) -> None:
    lines = said(permuted_mnist.main, "--data digits --tasks 2 --samples 60 --every 1 --forms moments product sgd")
    assert [line["tasks"] for line in lines[:-1]] == [1, 2] * 3
    assert mean(lines, "newest", form="product", tasks=2) > 0.3
    assert 0.0 <= mean(lines, "auc_predictive", form="moments", tasks=2) <= 1.0


def test_a_task_is_the_same_for_every_form(folder: Path) -> None:
    class Keeps:
        pixels: Any = None

        def learn(self, pixels: Any, labels: Any) -> None:
            self.pixels = pixels

        def view(self, pixels: Any) -> Any:
            raise AssertionError

    data, one, other = permuted_mnist.images("digits", 100, 10), Keeps(), Keeps()
    first = permuted_mnist.learn_task(one, data, 0, 3, 50)
    again = permuted_mnist.learn_task(other, data, 0, 3, 50)
    assert (one.pixels == other.pixels).all()
    assert sorted(first.tolist()) == list(range(64))
    assert (first == again).all()
    assert (first != permuted_mnist.learn_task(other, data, 0, 4, 50)).any()


def test_drifting_streams_are_told_for_each_model(said: Said) -> None:
    lines = said(drift.main, "--rows 120 --streams electricity clusters")
    assert {line["model"] for line in lines[:-1]} == set(drift.MODELS)
    for model in drift.MODELS:
        assert mean(lines, "labels_share", stream="electricity", model=model, labels="all") == 1.0
    assert mean(lines, "accuracy", stream="electricity", model="vector", labels="all") > 0.5
    for stream in ("electricity", "clusters"):
        row_by_row, together = (
            mean(lines, "accuracy", stream=stream, model=model, labels="all") for model in ("vector", "together")
        )
        assert together == row_by_row
    assert mean(lines, "speed_to_forest", stream="electricity", model="forest", labels="all") == 1.0
    assert all("after_changes" in line for line in lines[:-1] if line["stream"] == "clusters")


def test_a_long_stream_tells_how_its_synapses_are(said: Said) -> None:
    lines = said(saturation.main, "--data digits --updates 60 --forms network")
    on_the_way = [line["updates_so_far"] for line in lines if line["benchmark"] == "saturation_on_the_way"]
    assert on_the_way == list(range(6, 61, 6))
    assert 0.0 <= mean(lines, "saturated", form="network") <= 1.0
    assert {"early_labels_needed", "late_labels_needed"} <= set(lines[-2])


@pytest.mark.parametrize(
    ("told", "labels"),
    [([0.9] * 5, 5.0), ([0.95, 0.2, *[0.95] * 5], 15.0), ([0.95] * 4, None), ([0.95, 0.2] * 9, None), ([], None)],
)
def test_a_class_is_told_once_it_stays_told(told: list[float], labels: float | None) -> None:
    assert saturation.first_steady(told) == labels


def test_without_the_pull_to_the_prior_nothing_is_forgotten() -> None:
    assert saturation.NO_PULL.memory_window > 1e9
    assert saturation.NO_PULL.lr == saturation.BiMURule().lr


def test_a_few_labels_are_worth_more_to_the_memory_than_to_a_linear_model(said: Said) -> None:
    lines = said(few_labels.main, "--seeds 1 --labels 30 180")
    assert mean(lines, "engram", labels=30) > mean(lines, "sgd", labels=30)
    assert mean(lines, "engram", labels=180) > 0.85


def test_classes_that_come_in_turn_are_told_with_peers(said: Said) -> None:
    lines = said(class_incremental.main, "--data digits --samples 400 --held-back")
    assert mean(lines, "engram", data="digits") > mean(lines, "sgd", data="digits")
    assert 0.5 < mean(lines, "lda_pixels", data="digits") <= 1.0


def test_labels_are_told_for_each_strategy_and_budget(said: Said) -> None:
    lines = said(
        labels.main, "--data digits --balance plain --samples 300 --strategies margin random --budgets 0.1 0.3"
    )
    assert mean(lines[:-1], "labels_share", strategy="every_label") == 1.0
    for strategy in ("margin", "random"):
        few, many = (mean(lines[:-1], "labels_share", strategy=strategy, budget=budget) for budget in (0.1, 0.3))
        assert few < many
    needs = [line for line in lines if line["benchmark"] == "labels_needed" and "summary" not in line]
    assert [line["strategy"] for line in needs] == ["margin", "random"]
    assert {line["rarity"] for line in needs} == {0.0}  # chance is blind


def test_the_default_policy_is_told_beside_its_strategy_alone(said: Said) -> None:
    options = "--data digits --balance plain --samples 100 --strategies variation_ratio --budgets 0.3"
    needs = [line for line in said(labels.main, options) if line["benchmark"] == "labels_needed"]
    assert [line["rarity"] for line in needs if "summary" not in line] == [1.0, 0.0]


def test_a_stream_of_rows_is_scored_at_arrival_and_texts_on_their_test_file(said: Said) -> None:
    options = "--data electricity banking77 --balance plain --samples 60 --strategies margin --budgets 0.3"
    lines = said(labels.main, options)
    assert {line["samples"] for line in lines if "samples" in line} == {60}
    assert mean(lines[:-1], "accuracy", data="banking77", strategy="every_label") > 0.5


def test_half_of_the_classes_are_cut_where_imbalanced() -> None:
    material = labels.DATA["digits"](1347, False)
    cut, whole = (labels.stream(material, 0, imbalanced=imbalanced) for imbalanced in (True, False))
    counts = sorted(Counter(label for _x, label in cut).values())
    assert len(counts) == 10
    assert max(counts[:5]) < 25
    assert min(counts[5:]) > 100
    assert len({id(x) for x, _label in cut}) == len(cut)
    assert len(whole) == len(material.samples)


@pytest.mark.parametrize(
    ("points", "needed"),
    [
        ([(100, 0.8), (200, 0.9)], None),
        ([(100, 0.96), (200, 0.98)], 100.0),
        ([(100, 0.9), (400, 1.0)], 200.0),
        ([(100, 0.9), (200, 0.85), (800, 1.05)], 400.0),
        ([], None),
    ],
)
def test_the_labels_needed_are_read_off_the_curve(points: list[tuple[int, float]], needed: float | None) -> None:
    found = labels.labels_needed(points, 0.95)
    assert found == (None if needed is None else pytest.approx(needed))


def test_the_budget_is_attacked_and_followed(said: Said) -> None:
    lines = said(budget.main, "--streams 20 --samples 600 --seeds 1 --data digits")
    assert (lines[0]["streams"], lines[0]["broken"]) == (20, 0)
    assert 0.0 < lines[0]["worst_excess"] <= lines[0]["burst"]
    assert mean(lines, "error_size", stream="one value", controller="engram", budget=0.1) < 0.2
    assert mean(lines, "error_size", stream="one value", controller="published γ = 1", budget=0.1) > 1.0
    assert 0.0 < mean(lines, "value", stream="digits", controller="engram", budget=0.1) <= 1.0


def test_an_excess_is_that_of_the_worst_window() -> None:
    worst = budget.Worst()
    for excess in (1.0, -5.0, 2.0, -1.0, 3.0, -9.0):
        worst = worst.after(excess)
    assert worst.ever == 4.0


def test_texts_are_told_in_both_orders(said: Said) -> None:
    lines = said(text_intents.main, "--dim 256 --hidden 16")
    assert mean(lines, "engram", order="shuffled") > 0.5
    assert {line["order"] for line in lines[:-1]} == {"shuffled", "blocks"}


def test_speed_is_told_as_a_ratio_to_the_published_rule(said: Said) -> None:
    found = said(throughput.main, "--repeats 1 --updates 8 --no-jax")[0]
    assert found["fastest_peer"] == "numpy"
    assert found["network_784_100_10_to_fastest"] > 1.0
    assert found["jax_updates_per_s"] is None
    assert found["network_784_100_10_to_jax"] is None
    assert found["fused_784_256_10_score_256_ms"] > 0.0


def test_the_queue_is_timed_under_many_hands_and_when_it_is_long(said: Said) -> None:
    options = (
        "--annotators 3 --queue 240 --seconds 2 --think 0.05 --looks 1 --rest 1 --served 20 --open 2000 --answers 10"
    )
    crew, long = said(queue.main, options)
    assert set(crew["faults"].values()) == {0}
    assert crew["leases"] > 0
    assert crew["order"] > 0.9
    assert long["open"] >= 2000
    assert long["left"] <= long["open"] - 10
    assert long["lease_p99_ms"] > 0.0


def test_a_folder_of_data_sets_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENGRAM_DATA_SETS", raising=False)
    with pytest.raises(SystemExit, match="ENGRAM_DATA_SETS"):
        published.main(["--data", "mnist"])


def test_a_summary_has_mean_and_deviation_over_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    results = [{"form": "a", "seed": seed, "n": 3, "accuracy": value, "needed": needed}
               for seed, value, needed in ((0, 0.5, None), (1, 0.7, 40.0))]  # fmt: skip
    reporting.summarise("some", results, by=("form", "n"))
    row = json.loads(capsys.readouterr().out.splitlines()[0])["summary"][0]
    assert row["accuracy"] == {"mean": 0.6, "sd": 0.14142, "of": 2}
    assert row["needed"] == {"mean": 40.0, "sd": 0.0, "of": 1}
    assert row["n"] == 3


def test_coverage_is_told_for_each_scenario_and_for_all(said: Said) -> None:
    lines = said(coverage.main, "--streams 9 --samples 400 --looks 2")
    assert [line["scenario"] for line in lines] == [*(scenario.name for scenario in coverage.SCENARIOS), "all"]
    assert lines[-1]["streams"] == 9
    assert lines[-1]["naive_error"] < -0.05
    assert lines[-1]["covered"] >= 0.5


def test_gates_are_told_in_both_parts(said: Said) -> None:
    published_parts, product = (
        next(
            line for line in said(gates.main, f"--data digits --samples 600 --seeds 1 --part {part}") if "seed" in line
        )
        for part in ("published", "product")
    )
    assert {"engramBNN", "sparse code", "binarised"} <= set(published_parts)
    for gate in gates.GATES:
        assert 0.3 < product[f"shuffled, network and memories, {gate}"] <= 1.0


def test_calibration_is_told_before_and_after_a_temperature(said: Said) -> None:
    (found,) = said(calibration.main, "--streams digits")
    assert found["predictions"] > 1_000
    assert found["brier_after"] < 0.3
    assert 0.0 < found["temperature"] < 10.0


def test_alarms_come_after_a_change_from_both_windows_alike(said: Said) -> None:
    lines = said(alarms.main, "--values 2000 --runs 2")
    quiet, turned = ([line for line in lines if ("found" in line) == wanted] for wanted in (False, True))
    assert {line["alarms_per_10000"] for line in quiet} == {0.0}
    for own, river in zip(turned[::2], turned[1::2], strict=True):
        assert (own["window"], river["window"]) == ("own", "river")
        assert own["found"] == river["found"]
    assert turned[-1]["found"] == 1.0
