"""The page with sliders: close to the engine, alive without a network, whole without scripts."""

import os
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from toys import STAFFED, api

import costmodel as cm
from costmodel.decisions.response import _whole, exact, random_positions, respond
from costmodel.pages.report.exports.interactive import interactive

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
REQUIRED = os.environ.get("COSTMODEL_BROWSER") == "required"
NAME = "</script><b>=1+1"
WORK = cm.Workload(
    cm.Range(5e4, 2e5), input_tokens=cm.Range(700, 1_200), output_tokens=250,
    growth_per_year=cm.Range(0.1, 0.5), usd_per_failure=cm.Range(0.05, 0.2),
)  # fmt: skip
STUDY = cm.Study(
    {
        NAME: cm.Option(api(accepted=0.8, **{"in": 3, "out": 12}), cm.Prompt(), cm.Evals()),
        "cheap": cm.Option(api(accepted=cm.Range(0.4, 0.7), **{"in": 0.3, "out": 1})),
        "too long": cm.Option(api(window=500, accepted=0.9, **{"in": 1, "out": 1})),
    },
    WORK, replace(STAFFED, months=24), draws=100, accept_zero=None, quality_floor=0.5,
)  # fmt: skip


@pytest.fixture(scope="module")
def response():
    return respond(STUDY, [NAME, "cheap"], positions=64)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return interactive(STUDY, tmp_path_factory.mktemp("page") / "mine.html", positions=64)


def there(response, label, position):
    """(expected cost, present value) of an option by the curve, and by the engine."""
    _, months, failures = position
    curve, found = response.curves[label], exact(response.study, [label], [position])[label][0]
    ours = curve.at(response.coordinates(position), response.months.index(months), failures)
    theirs = np.exp(found[:4]) * (1, failures, 1, failures)
    return np.array([ours[:2].sum(), ours[2:4].sum()]), np.array(
        [theirs[:2].sum(), theirs[2:].sum()]
    )


def test_the_response_is_close_to_the_engine_where_it_was_not_computed(response):
    for position in random_positions(response, 10, seed=9):
        for label in (NAME, "cheap"):
            ours, theirs = there(response, label, position)
            assert ours == pytest.approx(theirs, rel=0.01)
    assert max(response.errors.values()) < 0.01


def test_the_chance_to_reach_the_floor_is_off_by_what_the_page_says(page):
    """An option that is nearer to the asked chance than this counts, and the sentence says so."""
    study, label, gaps = cm.load("support_assistant", draws=100), "RAG", []
    made = respond(study.only(label), [label], positions=64)
    for position in random_positions(made, 10, seed=9):
        x, horizon = made.coordinates(position), made.months.index(position[1])
        found = exact(made.study, [label], [position])[label][0, 5]
        gaps.append(abs(made.curves[label].at(x, horizon, 1.0)[5] - found))
    assert 0 < max(gaps) < 1.5 * made.unsure[label] < 0.2
    assert "chances to reach the quality floor by 0.0 points" in page.read_text(encoding="utf-8")


def test_bought_servers_get_more_positions_and_an_error_is_that_of_positions_unseen():
    label = "Bought GPUs"
    study = cm.load("own_gpus", draws=100).only(label)
    made = respond(study, [label], positions=64)
    low, high = made.reach["growth_per_year"]
    gaps = [
        abs(ours / theirs - 1).max()
        for place in random_positions(made, 40, seed=9)
        if low <= place[0]["growth_per_year"] <= high
        for ours, theirs in [there(made, label, place)]
    ]
    assert max(gaps) < 2 * made.errors[label] < 0.1
    assert made.positions[label] > 64  # more, because these were not close enough


def test_an_input_moves_as_in_compare(response):
    moved = replace(WORK, requests_per_month=cm.Range(1e5, 4e5), usd_per_failure=cm.Range(0.1, 0.4))
    table = cm.compare(STUDY.changed(work=moved, months=36))
    here = dict.fromkeys(response.reach, 0.0) | {"requests_per_month": np.log(2)}
    x, horizon = response.coordinates((here, 36, 2.0)), response.months.index(36)
    for label in (NAME, "cheap"):
        pay, wrong, *_ = response.curves[label].at(x, horizon, 2.0)
        assert pay == pytest.approx(table.loc[label, "to_pay"], rel=0.01)
        assert wrong == pytest.approx(table.loc[label, "wrong_answers"], rel=0.01)


def test_it_says_why_an_option_has_no_sliders(tmp_path, monkeypatch):
    many = {f"model {i}": STUDY.options["cheap"] for i in range(8)}
    study = replace(STUDY, options={**many, "late": STUDY.options[NAME]}, draws=20)
    text = interactive(study, tmp_path / "many.html", positions=64).read_text(encoding="utf-8")
    assert "Without sliders, because 8 options are better: " in text


def test_the_page_is_small_names_its_error_and_loads_nothing(page):
    text = page.read_text(encoding="utf-8")
    assert page.stat().st_size < 3_000_000
    assert "random positions or more they differ from Python by at most 0." in text
    assert not any(x in text for x in ("http:", "https:", "src=", "url("))
    assert "default-src 'none'" in text
    assert text.count("</script>") == 1
    assert "too long" in text  # why it cannot run stands in the table


def assert_picture(shown, response, at, month):
    """The picture along the cost of a wrong answer: its lines, its mark and its sentence."""
    shown.select_option("#along", "usd_per_failure")
    x, worth = response.coordinates((at, response.months[month], 1.0)), {}
    for failures in np.linspace(0, 4, 41):
        here = {k: c.at(x, month, failures) for k, c in response.curves.items()}
        reach = {
            k: v
            for k, v in here.items()
            if v[5] >= STUDY.confidence - max(response.unsure.values())
        } or here
        worth[failures] = min(reach, key=lambda k: reach[k][2:4].sum())
    said, first, last = shown.inner_text("#flips"), worth[0.0], worth[4.0]
    assert (f"{first} stays the choice" in said) == (len({*worth.values()}) == 1)
    assert first in said and last in said
    usd = np.array([
        [c.at(x, month, f)[:2].sum() / response.months[month] for f in (0.0, 4.0)]
        for c in response.curves.values()
    ])  # fmt: skip
    ends = shown.evaluate(
        """() => [...document.querySelectorAll("#picture path")].map(path => {
          const point = at => path.getPointAtLength(at).y;
          return [point(0), point(path.getTotalLength())];
        })"""
    )
    up = np.polyfit(usd.ravel(), np.ravel(ends), 1)  # one scale for all lines
    assert np.polyval(up, usd) == pytest.approx(np.array(ends), abs=0.2)
    before = shown.get_attribute("#picture .here", "x1")
    shown.eval_on_selector("#usd_per_failure", "e => { e.value = 1; }")
    shown.dispatch_event("#usd_per_failure", "input")
    shown.wait_for_function(
        "x => document.querySelector('#picture .here').getAttribute('x1') !== x", arg=before
    )


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None and not REQUIRED, reason="no Chromium found")
def test_sliders_move_bars_and_sentence_from_disk_without_a_network(page, response):
    sync = pytest.importorskip("playwright.sync_api")
    with sync.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        static = browser.new_context(java_script_enabled=False).new_page()
        static.goto(page.as_uri())
        for usd in cm.compare(STUDY)["expected"].dropna():
            assert f"{usd:,.2f}" in static.inner_text("#bars")
        shown = browser.new_page()
        shown.context.set_offline(True)
        wrong = []
        shown.on("pageerror", lambda error: wrong.append(str(error)))
        shown.goto(page.as_uri())
        before = shown.inner_text("#verdict")
        places = {"requests_per_month": 0.7, "input_tokens": -0.5, "output_tokens": 0.4,
                  "growth_per_year": 0.2, "months": 3, "usd_per_failure": 3}  # fmt: skip
        for name, value in places.items():
            shown.eval_on_selector(
                f"#{name}",
                "(e, x) => { e.value = x; e.dispatchEvent(new Event('input')); return e.value }",
                value,
            )
        at = {name: float(shown.input_value(f"#{name}")) for name in places}
        month, failures = int(at.pop("months")), at.pop("usd_per_failure")
        places = [(at, response.months[month], failures)]
        found = exact(STUDY, [NAME, "cheap"], places)
        for bar in shown.query_selector_all(".bar"):
            label = bar.query_selector("span").inner_text()
            usd = float(bar.get_attribute("data-usd"))
            pay, wrong_answers = np.exp(found[label][0, :2])
            assert usd == pytest.approx(pay + failures * wrong_answers, rel=0.01)
        assert shown.inner_text("#verdict") != before and shown.is_hidden("#table")
        assert f"over {response.months[month]} months" in shown.inner_text("#verdict")
        assert_picture(shown, response, at, month)
        shown.click("#reset")
        assert shown.inner_text("#verdict") == before and wrong == []
        assert shown.is_visible("#table")
        browser.close()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None and not REQUIRED, reason="no Chromium found")
def test_a_sentence_keeps_its_currency_and_rate_when_a_slider_moves(tmp_path):
    sync = pytest.importorskip("playwright.sync_api")
    terms = replace(STUDY.terms, currency="EUR 0.5 2026-11-20")
    study = replace(STUDY, terms=terms)
    page = interactive(study, tmp_path / "euro.html", positions=64)
    said = r"about EUR ([\d,]+) a month \(1 USD = 0.5 EUR on 2026-11-20\) over 24 months"
    with sync.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shown = browser.new_page()
        shown.goto(page.as_uri())
        assert re.search(said, shown.inner_text("#verdict"))
        shown.eval_on_selector(
            "#requests_per_month", "e => { e.value = 0.3; e.dispatchEvent(new Event('input')) }"
        )
        moved = shown.inner_text("#verdict")
        usd = float(shown.get_attribute(f'.bar:has-text("{best(moved)}")', "data-usd"))
        (euros,) = re.findall(said, moved)
        assert float(euros.replace(",", "")) == pytest.approx(usd / 24 / 2, rel=0.005)
        assert "USD" not in moved.replace("1 USD = 0.5 EUR", "")
        browser.close()


def best(sentence):
    """The option that a sentence names."""
    return NAME if NAME in sentence.partition(" has the lowest")[0] else "cheap"


@pytest.mark.filterwarnings("error")
def test_a_curve_that_leads_nowhere_is_far_off_and_finite():
    cost, worth, share = _whole(np.array([[1e4, 1e4, 1e4, 1e4, 0.5, 0.5]]), np.ones(1))
    assert np.isfinite([cost, worth]).all() and cost > 1e200 and share == 0.5
