"""Reports as their readers get them: in Chromium at the width of a desk and of a phone, and as
pages of paper.

Two reports by default; `make reading` walks all of two examples, checks the folded parts too, and
leaves pictures of each in reports/screens.
"""

import io
import os
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from in_chromium import CHROMIUM
from pypdf import PdfReader

import costmodel as cm
from costmodel.pages.report.pack import NAME, stitched
from costmodel.scenarios.scenario import notebooks_folder

ALL = os.environ.get("COSTMODEL_READING") == "all"
SCREENS = (
    Path(os.environ["COSTMODEL_SCREENSHOTS"]).resolve()
    if "COSTMODEL_SCREENSHOTS" in os.environ
    else None
)
FRONT = "01_which_approach"
WITHOUT_SCENARIO = ("00_quick_answer", "04_rag_graphrag_or_long_context", "08_my_own_numbers")
MAIN_PAGES, MEMO_PAGES = 6, 2
WIDTHS = {"desk": 1200, "phone": 390}
LEAST_PIXELS = 9
SERIOUS = ("serious", "critical")
TOO_SMALL = """least => {
    const small = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const {parentElement: holder, data} = walker.currentNode;
        if (data.trim() && parseFloat(getComputedStyle(holder).fontSize) < least)
            small.push(data.trim().slice(0, 40));
    }
    for (const image of document.querySelectorAll("figure img"))  // drawn with 9.3 px at least
        if (image.offsetParent && image.clientWidth < 0.97 * Math.min(image.naturalWidth, 360))
            small.push(image.alt.slice(0, 40));
    return small;
}"""
TOO_WIDE = """() => [...document.querySelectorAll("main *")]
    .filter(e => !e.closest(".table:not(.stack)") && e.getClientRects().length)
    .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map(e => e.tagName + " " + (e.textContent || "").trim().slice(0, 40))"""


def jobs():
    """{name: (notebook, parameters)}: the front page and the board pack, or all of two examples."""
    few = {} if ALL else {"draws": 200}
    names = [path.stem for path in sorted(notebooks_folder().glob("*.ipynb"))] if ALL else [FRONT]
    for name in names:
        known = cm.report.schema(notebooks_folder() / f"{name}.ipynb")
        given = few if "draws" in known else {}
        yield name, (name, given)
    if ALL:
        yield "01_document_extraction", (FRONT, {"scenario": "document_extraction"})
        yield "06_consumer_app", ("06_what_matters", {"scenario": "consumer_app"})
        yield "07_code_assistant", ("07_keep_it_alive", {"scenario": "document_questions"})
    yield NAME, (NAME, few)


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    out = SCREENS or tmp_path_factory.mktemp("reading")
    with stitched() as board:
        places = {NAME: board}
        wanted = {
            name: (places.get(stem, notebooks_folder() / f"{stem}.ipynb"), given)
            for name, (stem, given) in jobs()
        }
        made = dict(zip(wanted, cm.report.run_many(wanted, out), strict=True))
    for name, report in made.items():
        assert isinstance(report, cm.report.Report), f"{name}: {report}"
    return made


NAMES = [name for name, _ in jobs()]


@pytest.mark.notebook
@pytest.mark.parametrize("name", NAMES)
class TestPaper:
    def test_the_main_part_is_short_and_the_pages_are_tagged(self, name, reports):
        pdf = PdfReader(io.BytesIO(reports[name].pdf.read_bytes()))
        main = int(re.search(r"page 1 of (\d+)", pdf.pages[0].extract_text())[1])
        assert main <= (MEMO_PAGES if name == NAME else MAIN_PAGES)
        assert "Appendix" in pdf.pages[main].extract_text()
        assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]

    def test_page_one_has_the_answer_the_cards_a_picture_and_what_it_rests_on(self, name, reports):
        page = BeautifulSoup(reports[name].html.read_text(encoding="utf-8"), "html.parser")
        opening = [tag for tag in page.main.find_all(recursive=False)]
        before = opening[: next(i for i, tag in enumerate(opening) if tag.name == "nav")]
        classes = [name for tag in before for name in tag.get("class", [])]
        assert "cm-answer" in classes and "cm-cards" in classes and "cm-front" in classes
        front = page.find(class_="cm-front")
        assert front.find("figure") and len(front.find("img")["alt"]) > 60
        if not name.startswith("09"):  # there nothing is chosen
            assert len(front.find_all("li")) == 3
        rest = page.find(class_="cm-rest").find_all("li")
        assert len(rest) == len(page.find(id="appendix").find_all("details", recursive=False))

    def test_every_link_leads_somewhere_and_every_picture_says_what_it_shows(self, name, reports):
        page = BeautifulSoup(reports[name].html.read_text(encoding="utf-8"), "html.parser")
        ids = [tag["id"] for tag in page.find_all(id=True)]
        assert len(ids) == len(set(ids))
        assert {a["href"][1:] for a in page.find_all("a", href=re.compile("^#"))} <= set(ids)
        assert all(len(image["alt"]) > 60 for image in page.select("figure img"))
        assert all(head.get("scope") in ("col", "row") for head in page.find_all("th"))


CUT = """() => [...document.querySelectorAll("main .table")]
    .filter(e => e.scrollWidth > e.clientWidth + 1)
    .map(e => e.textContent.trim().slice(0, 60))"""


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("pages are not looked at: no Chromium found")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.mark.browser
@pytest.mark.notebook
@pytest.mark.parametrize("device", WIDTHS)
@pytest.mark.parametrize("name", NAMES)
def test_anybody_can_read_it(name, device, reports, browser):
    """No text below 9 pixels, nothing over the edge, no serious fault that axe-core finds."""
    axe = pytest.importorskip("axe_playwright_python.base")
    page = browser.new_page(viewport={"width": WIDTHS[device], "height": 900})
    page.goto(reports[name].html.as_uri())
    opened = "details" if ALL else "details:nth-of-type(-n+2)"
    page.evaluate(f"document.querySelectorAll('{opened}').forEach(part => {{part.open = true}})")
    if SCREENS:
        page.screenshot(path=SCREENS / f"{name}.{device}.png", full_page=True)
    assert page.evaluate(TOO_SMALL, LEAST_PIXELS) == []
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate(CUT) == []
    page.evaluate(axe.AXE_SCRIPT)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    page.close()
    faults = [f"{x['id']}: {x['nodes'][0]['html'][:80]}" for x in found if x["impact"] in SERIOUS]
    assert faults == []
