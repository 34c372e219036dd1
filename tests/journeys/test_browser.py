"""A person labels by keyboard in a real browser, against the real service."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect, sync_playwright
from sklearn.datasets import load_digits

from learner.asking.strategies import STRATEGIES
from service.core.models.rebuilding import Rebuild
from service.settings import Settings
from tests.conftest import Running, eventually, running, skip_or_fail

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LABELS = 20

pytestmark = pytest.mark.browser


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of headless Chromium that fails the test on any error in its console."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        skip_or_fail("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        browser.close()
        assert not errors


def digits_stream(service: Running, count: int) -> dict[str, str]:
    """Make a stream of digits with `count` open queries; return the truth by sample id."""
    digits = load_digits()
    service.stream(
        "digits",
        input={"kind": "image", "width": 8, "height": 8},
        classes=[str(n) for n in range(10)],
        learner={"seed": 7},
        query={"warmup_labels": 1000},
        guidelines="Press the key of the digit that you see.",
    )
    pixels = np.rint(digits.images[:count] * (255 / 16)).astype(int)
    body = {"samples": [{"id": f"d{n}", "data": image.tolist()} for n, image in enumerate(pixels)]}
    service.client.post("/v1/streams/digits/samples:batch", json=body).raise_for_status()
    return {f"d{n}": str(digits.target[n]) for n in range(count)}


def test_twenty_queries_are_labelled_by_keyboard_alone_and_the_accuracy_plot_moves(
    service: Running, page: Page, tmp_path: Path
) -> None:
    truth = digits_stream(service, 40)
    sample_of = _samples_by_query(service)
    page.goto(f"{service.url}/#/signin?token={service.token}&next=/label/digits")
    page.get_by_test_id("query").wait_for()
    page.get_by_test_id("class-button-9").wait_for()
    for answered in range(LABELS):
        query = page.get_by_test_id("query").get_attribute("data-query-id")
        assert query is not None
        page.keyboard.press(truth[sample_of(query)])
        expect(page.get_by_test_id("answered-count")).to_contain_text(str(answered + 1))
        page.wait_for_function(
            "before => document.querySelector('[data-testid=query]')?.dataset.queryId !== before", arg=query
        )
    eventually(lambda: service.stats("digits")["labels"], lambda labels: labels == LABELS)
    plot = page.get_by_test_id("accuracy-plot")
    expect(plot).not_to_have_attribute("data-points", "0")
    page.screenshot(path=tmp_path / "labeling.png")
    assert (tmp_path / "labeling.png").stat().st_size > 10_000
    labels = service.client.get("/v1/streams/digits/labels").json()["items"]
    assert all(label["label"] == truth[label["sample_id"]] for label in labels)
    assert {label["source"] for label in labels} == {"annotator"}
    for _ in range(10):
        query = page.get_by_test_id("query").get_attribute("data-query-id")
        page.keyboard.press(truth[sample_of(str(query))])
        page.wait_for_function(
            "before => document.querySelector('[data-testid=query]')?.dataset.queryId !== before", arg=query
        )
    eventually(lambda: service.stats("digits")["labels"], lambda labels: labels == LABELS + 10)
    points = service.client.get("/v1/streams/digits/timeseries?metric=accuracy").json()["points"]
    expect(plot).to_have_attribute("data-last", repr(points[-1]["value"]), timeout=15_000)


def test_a_link_that_signs_in_leaves_no_error_behind(service: Running, page: Page) -> None:
    digits_stream(service, 8)
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.goto(f"{service.url}/#/signin?token={service.token}&next=/label/digits")
    page.get_by_test_id("query").wait_for()
    assert errors == []
    page.reload()
    page.get_by_test_id("query").wait_for()
    assert errors == []


def test_undo_skip_and_a_new_class_work_by_keyboard(service: Running, page: Page) -> None:
    digits_stream(service, 8)
    page.goto(f"{service.url}/#/signin?token={service.token}&next=/label/digits")
    query = page.get_by_test_id("query")
    query.wait_for()
    page.get_by_test_id("class-button-9").wait_for()
    first = str(query.get_attribute("data-query-id"))
    page.keyboard.press("3")
    expect(query).not_to_have_attribute("data-query-id", first)
    page.keyboard.press("Backspace")
    expect(query).to_have_attribute("data-query-id", first)
    page.keyboard.press("5")
    expect(query).not_to_have_attribute("data-query-id", first)
    second = str(query.get_attribute("data-query-id"))
    page.keyboard.press("Shift+S")
    expect(query).not_to_have_attribute("data-query-id", second)
    third = str(query.get_attribute("data-query-id"))
    page.keyboard.press("n")
    page.get_by_test_id("new-class-name").fill("smudge")
    page.keyboard.press("Enter")
    expect(query).not_to_have_attribute("data-query-id", third)
    eventually(lambda: service.stats("digits")["labels"], lambda labels: labels == 2)
    stats = service.settled("digits")
    assert stats["queries"]["skipped"] == 1
    assert stats["health"]["classes"]["5"] == 1
    assert stats["health"]["classes"]["smudge"] == 1
    assert stats["health"]["classes"]["3"] == 0


def test_what_was_begun_on_a_withdrawn_question_reaches_no_other(tmp_path: Path, page: Page) -> None:
    # Short leases: it is a heartbeat that tells that a question was withdrawn.
    with running(Settings(data_dir=tmp_path / "data", poll_seconds=0.1, lease_seconds=10)) as service:
        digits_stream(service, 8)
        sample_of = _samples_by_query(service)
        page.goto(f"{service.url}/#/signin?token={service.token}&next=/label/digits")
        query = page.get_by_test_id("query")
        query.wait_for()
        first = str(query.get_attribute("data-query-id"))
        page.keyboard.press("n")
        page.get_by_test_id("new-class-name").fill("for the first")
        truth = {"sample_id": sample_of(first), "label": "3"}
        service.client.post("/v1/streams/digits/labels", json=truth).raise_for_status()
        expect(query).not_to_have_attribute("data-query-id", first)
        page.keyboard.press("Enter")
        expect(page.get_by_text("Your question was withdrawn")).to_be_visible()
        expect(page.get_by_test_id("new-class-name")).to_have_count(0)
        expect(page.get_by_test_id("answered-count")).to_have_text("0")
        labels = service.client.get("/v1/streams/digits/labels").json()["items"]
        assert [label["source"] for label in labels] == ["truth"]


def test_long_texts_scroll_by_keyboard_question_after_question(service: Running, page: Page) -> None:
    service.stream(input={"kind": "text"}, classes=["ham", "spam"])
    for n in range(3):
        service.post(f"{n} " + "Read me to the end.\n" * 400)
    page.goto(f"{service.url}/#/signin?token={service.token}&next=/label/s")
    page.get_by_test_id("class-button-ham").wait_for()
    query = page.get_by_test_id("query")
    scrolled = "() => document.querySelector('.stage-sample:not([data-waiting])').scrollTop > 0"
    for _ in range(2):
        before = str(query.get_attribute("data-query-id"))
        assert not page.evaluate(scrolled)
        page.keyboard.press("PageDown")
        page.wait_for_function(scrolled)
        page.keyboard.press("1")
        expect(query).not_to_have_attribute("data-query-id", before)


def test_the_operator_page_shows_rate_accuracy_uncertainty_and_health(service: Running, page: Page) -> None:
    truth = digits_stream(service, 30)
    for sample, label in truth.items():
        service.client.post("/v1/streams/digits/labels", json={"sample_id": sample, "label": label}).raise_for_status()
    service.settled("digits")
    page.goto(f"{service.url}/#/signin?token={service.token}&next=/operate/digits")
    for metric in ("accuracy", "query_rate", "predictive_entropy"):
        expect(page.get_by_test_id(f"plot-{metric}")).not_to_have_attribute("data-points", "0")
    expect(page.get_by_test_id("health-table")).to_contain_text("hidden 1")


def test_a_rebuild_is_seen_until_it_is_done(service: Running, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    service.stream(classes=["a", "b"])
    for n in range(4):
        service.post([n, -n], label="ab"[n % 2])
    service.settled()
    page.goto(f"{service.url}/#/signin?token={service.token}&next=/operate/s")
    page.get_by_test_id("health-table").wait_for()
    rebuild = page.get_by_test_id("rebuild")
    expect(rebuild).to_have_count(0)
    label = service.client.get("/v1/streams/s/labels").json()["items"][0]
    with monkeypatch.context() as broken:
        broken.setattr(Rebuild, "go_on", _breaks)
        service.client.delete(f"/v1/labels/{label['label_id']}").raise_for_status()
        expect(rebuild).to_contain_text("no space", timeout=15_000)
    expect(rebuild).to_have_count(0, timeout=15_000)
    assert service.stats()["rebuild"] is None


def test_an_operator_changes_when_to_ask_and_a_refusal_stands_by_its_field(service: Running, page: Page) -> None:
    made = service.stream()["query"]
    page.goto(f"{service.url}/#/signin?token={service.token}&next=/operate/s")
    page.get_by_text("Settings").click()
    asking = page.get_by_test_id("asking-settings")
    strategy, per_hour = asking.get_by_label("Strategy"), asking.get_by_label("Labels per hour")
    offered = strategy.locator("option").evaluate_all("options => options.map(option => option.value)")
    assert set(offered) == set(STRATEGIES)
    strategy.select_option("margin")
    per_hour.fill("0")
    page.get_by_role("button", name="Save").click()
    expect(asking.get_by_text("Refused: must be greater than 0")).to_be_visible()
    assert service.client.get("/v1/streams/s").json()["query"] == made
    per_hour.fill("30")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    changed = {"strategy": "margin", "labels_per_hour": 30.0}
    assert service.client.get("/v1/streams/s").json()["query"] == made | changed
    asking.get_by_text("More", exact=True).click()
    asking.get_by_label("Overlap, people").fill("2")
    asking.get_by_label("Consensus").select_option("weighted")
    asking.get_by_label("Exploration, times").fill("1")
    per_hour.fill("")
    page.get_by_role("button", name="Save").click()
    changed |= {"labels_per_hour": None, "overlap": 2, "consensus": "weighted", "drift_exploration": 1.0}
    eventually(lambda: service.client.get("/v1/streams/s").json()["query"], lambda query: query == made | changed)


def test_the_address_of_a_page_without_its_hash_leads_there_too(service: Running, page: Page) -> None:
    service.stream("digits.2", classes=["a", "b"])
    page.goto(f"{service.url}/#/signin?token={service.token}&next=/label/digits.2")
    expect(page.get_by_text("Sign out")).to_be_visible()
    for where in ("label", "operate"):
        page.goto(f"{service.url}/{where}/digits.2")
        expect(page).to_have_url(f"{service.url}/#/{where}/digits.2")
        expect(page.get_by_text("Sign out")).to_be_visible()


def test_the_api_is_browsable_without_the_internet(service: Running, page: Page) -> None:
    page.goto(f"{service.url}/docs")
    expect(page.get_by_text("/v1/streams/{stream}/samples:batch")).to_be_visible()


def _breaks(*_: Any) -> None:
    raise OSError("no space")


def _samples_by_query(service: Running) -> Callable[[str], str]:
    """Return what leads from a query's id to its sample's."""
    rows = map(json.loads, service.client.get("/v1/streams/digits/export").text.splitlines())
    return {row["query"]["id"]: row["id"] for row in rows if row["query"]}.__getitem__
