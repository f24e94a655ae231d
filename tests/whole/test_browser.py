"""The cockpit in JupyterLab in a real Chromium: many drags without an error, nothing moves, and
what is saved answers the same.

Run where a Chromium is found; `pytest -rs` names the tests as not run otherwise.
"""

import base64
import os
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from in_chromium import CHROMIUM, PATIENCE_S, chromium, jupyter_lab, run_all, run_cells, settled

import costmodel as cm
from costmodel.pages.widgets.pictures import TABS

REQUIRED = (
    os.environ.get("COSTMODEL_BROWSER") == "required"
)  # then a missing Chromium is a failure, not a skip
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and not REQUIRED, reason="browser tests not run: no Chromium found"
    ),
]

CELLS = {
    "cockpit": """
import costmodel as cm
cm.widgets.cockpit(cm.load("document_questions"), draws=300)
""",
    "app": "from costmodel.pages.app import start\nstart()",
}
DRAGS = int(os.environ.get("COSTMODEL_DRAGS", "100"))  # on each page; `make drags`: 200
SHIFTS = """() => {
    window.shift = 0;
    new PerformanceObserver(list => list.getEntries().forEach(e => window.shift += e.value))
        .observe({type: 'layout-shift', buffered: false});
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The addresses of the notebooks."""
    with jupyter_lab(tmp_path_factory.mktemp("lab"), CELLS) as addresses:
        yield addresses


@pytest.fixture(scope="module")
def page(lab):
    """The cockpit after "run all"."""
    pytest.importorskip("playwright.sync_api", reason="browser tests not run: no playwright")
    with chromium() as page:
        run_all(page, lab["cockpit"], ".cm-one")
        yield page
        snap(page, "last")


def top(page) -> str:
    return page.locator(".cm-top").inner_text()


def until(page, happened, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, f"{what}; the page says: {top(page)}"
        page.wait_for_timeout(30)


def row(page, name: str):
    return page.locator(".cm-row").filter(has_text=name).first


def enter(page, name: str, text: str) -> None:
    box = row(page, name).locator("input[type=text]")
    box.fill(text)
    box.press("Enter")


def snap(page, name: str) -> None:
    """Pictures for whoever wants to look: COSTMODEL_SCREENSHOTS=folder pytest -m browser."""
    if folder := os.environ.get("COSTMODEL_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def drag(page, number: int) -> None:
    """Drag one of the sliders to another place, as a hand does."""
    handle = page.locator(".cm-left .noUi-handle").nth(number % 5)
    track = page.locator(".cm-left .noUi-target").nth(number % 5).bounding_box()
    at = handle.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    goal = track["x"] + track["width"] * (0.15 + 0.7 * (number * 0.37 % 1))
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 6):
        page.mouse.move(x + (goal - x) * step / 5, y, steps=2)
        moved = handle.bounding_box()
        assert abs(moved["y"] - at["y"]) < 0.01, "the control moved under the hand"
    page.mouse.up()


@pytest.mark.parametrize("reloaded", [False, True])
def test_many_drags_without_an_error_and_nothing_moves(page, reloaded):
    if reloaded:
        page.reload()
        page.get_by_text("| Idle").wait_for()
        if not page.locator(".cm-one").count():  # a page may show its widgets again, or not
            run_cells(page, ".cm-one")
    until(page, lambda: settled(page), "no first answer")
    snap(page, f"start_{reloaded}")
    page.evaluate(SHIFTS)
    before = top(page)
    for number in range(DRAGS):
        drag(page, number)
        said = page.locator(".cm-left").inner_text() + top(page)
        assert not re.search("Error|No answer|not possible", said), f"drag {number}: {said}"
    until(page, lambda: settled(page) and top(page) != before, "the drags changed nothing")
    assert page.evaluate("window.shift") < 0.02
    assert not page.locator(".cm-failed").count()
    page.get_by_role("button", name="Reset").click()
    until(page, lambda: settled(page) and top(page) == before, "reset did not bring it back")


def test_an_error_stands_beside_its_control_and_what_is_typed_counts(page):
    enter(page, "requests per month", "1e12")
    until(page, lambda: "No answer" in top(page), "an impossible value was not refused")
    note = row(page, "requests per month").get_by_text("not possible")
    box = row(page, "requests per month").locator("input[type=text]")
    assert abs(note.bounding_box()["y"] - box.bounding_box()["y"]) < 40
    frame = page.locator(".cm-picture")
    assert "grayscale" in frame.evaluate("e => getComputedStyle(e).filter")
    snap(page, "error")
    enter(page, "requests per month", "20k-60k")
    study = cm.load("document_questions", draws=300)
    work = replace(study.work, requests_per_month=cm.Range(20e3, 60e3))
    row_ = (verdict := cm.recommend(study, work=work, flips=False)).table.loc[verdict.named]
    month = cm.report.money(row_["expected"] / study.terms.months, study.terms)
    until(page, lambda: settled(page) and month in top(page), f"{month} a month never came")


def test_pin_shows_the_difference_and_what_is_saved_answers_the_same(page, lab):
    page.get_by_role("button", name="Pin").click()
    until(page, lambda: top(page).count("as the pin") == 4, "the pin is not shown")
    enter(page, "cost of a wrong answer", "9")
    until(page, lambda: settled(page) and "against the pin" in top(page), "no difference is shown")
    page.get_by_role("button", name="Save YAML").click()
    until(page, lambda: "saved as" in page.locator(".cm-said").inner_text(), "nothing was saved")
    text = page.locator(".cm-said a").get_attribute("href").partition("base64,")[2]
    study = cm.load(base64.b64decode(text).decode(), draws=300)
    verdict = cm.recommend(study, flips=False)
    for _, number, _ in verdict.cards:
        assert number in top(page)
    page.get_by_role("button", name="Unpin").click()


def test_every_tab_and_fold_fits(page):
    lists = {"When it flips": "Over", "The bill": "Option"}
    for name in (*TABS[1:], TABS[0]):
        page.get_by_role("button", name=name, exact=True).click()
        until(page, lambda: settled(page), f"no page {name}")
        for tab, words in lists.items():
            one = page.locator(".cm-right").get_by_label(words, exact=True)
            until(page, lambda one=one, is_its=tab == name: one.is_visible() == is_its, words)
    page.get_by_text("More inputs").click()
    page.get_by_placeholder("search every input").fill("engineer.usd_per_hour")
    until(page, lambda: row(page, "hourly cost (engineer)").count() == 1, "search found nothing")
    snap(page, "more")
    for width in (1300, 390):
        page.set_viewport_size({"width": width, "height": 1000})
        area = page.locator(".jp-OutputArea-output").first
        assert area.evaluate("e => e.scrollWidth <= e.closest('.jp-Cell').clientWidth"), width
        snap(page, f"narrow_{width}")


def test_an_own_answer_is_five_actions_from_the_first_page_of_the_app(page, lab):
    page.set_viewport_size({"width": 1300, "height": 1000})
    run_all(page, lab["app"], ".cm-start button")
    begun = time.monotonic()
    page.get_by_role("button", name="Extract fields").click()
    page.locator(".cm-one").first.wait_for()
    until(page, lambda: settled(page), "no first answer")
    before = top(page)
    enter(page, "requests per month", "200k")
    enter(page, "number of examples", "500-1500")
    until(page, lambda: settled(page) and top(page) != before, "the own numbers changed nothing")
    assert time.monotonic() - begun < 60  # a click and two numbers
    snap(page, "app")
