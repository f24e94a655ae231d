"""Reports: parameters are checked before a kernel starts; pages load nothing; the numbers lie
beside them.
"""

import datetime
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from pypdf import PdfReader

from costmodel import plots, report
from costmodel.core.errors import CatalogError
from costmodel.core.words import Currency
from costmodel.pages.blocks import FOR_REPORT, NARROW_MIME
from costmodel.pages.report import runner
from costmodel.pages.report.colophon import Run, made_by
from costmodel.pages.report.html import Meta, document, html_page
from costmodel.pages.report.kernel import KILLED, Kernel, execute
from costmodel.pages.report.markdown import markdown
from costmodel.pages.report.parameters import read_cell, validate
from costmodel.pages.report.pdf import typeset
from costmodel.pages.report.runner import ReportError, _absolute
from costmodel.scenarios.scenario import load

NOTEBOOKS = Path(__file__).parents[3] / "notebooks"

PARAMETERS = """
title: str = ""  # title of the report
model: str = "small"  # name of the model
mode: str = "auto"  # how the API is called {auto, fast}
requests_per_month: float = 300_000  # requests a month [1, 1e10]
months: int = 36  # horizon [1, 120]
discount_rate: float = 0.08  # yearly discount rate [0, 1]
use_cache: bool = True  # keep the prefix
quality_floor: float | None = None  # least share of accepted answers [0, 1]
on: str | None = None  # date of the prices
seed: int = 7  # seed of the draws
"""
SCHEMA = read_cell(PARAMETERS)
LOADS = re.compile(
    r"<script|<link|@import|url\(|"
    r"""<(img|iframe|source)[^>]*\b(src|srcset)\s*=\s*["']?(https?:)?//""",
    re.I,
)
FIGURE = (
    '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="90pt" height="45pt" '
    'viewBox="0 0 90 45"><metadata>now</metadata><path d="M0 0L90 45" stroke="#000"/></svg>'
)
PROSE = """# Which option?

Input costs $3/M and output $15/M, US$5 in all; with $n_q \\le 3$ questions \\$9.
€ × ≤ ≥ – − #a @b <c> ~d // e /* f */ `g_h`.

$$ C = \\frac{a}{b} $$

| phase | usd |
|---|---|
| data | 12,400 |

![outside](https://example.org/picture.png)
"""


def tagged(source, *tags):
    return new_code_cell(source, metadata={"tags": list(tags)})


def shown(**data):
    names = {
        "html": "text/html",
        "svg": "image/svg+xml",
        "text": "text/plain",
        "widget": "application/vnd.jupyter.widget-view+json",
    }
    return new_code_cell(
        "secret_code = 1",
        outputs=[new_output("display_data", {names[k]: v for k, v in data.items()})],
    )


def page_of(nb, meta):
    return html_page(document(nb, meta), meta)


def executed():
    """A notebook as papermill leaves it, made without a kernel."""
    months = pd.DataFrame(
        {"usd": range(36), "why": ["a long reason that wraps in its column"] * 36},
        index=pd.RangeIndex(36, name="month"),
    )
    wide = pd.DataFrame([[1234567.0] * 20], columns=[f"usd_of_month_{i}" for i in range(20)])
    style = months.head(3).style.background_gradient(subset="usd").to_html()
    return new_notebook(
        cells=[
            new_markdown_cell(PROSE),
            tagged(PARAMETERS, "parameters"),
            new_markdown_cell("## Answer"),
            shown(html=report.answer("RAG is cheapest & sure.").html),
            shown(
                html=report.cards(
                    [
                        ("Total", "$1.2M", "P10 – P90"),
                        ("b", "2", ""),
                        ("c", "3", ""),
                        ("d", "4", ""),
                    ]
                ).html
            ),
            new_markdown_cell("## Tables"),
            shown(html=months.to_html()),
            shown(html=wide.to_html()),
            shown(html=style),
            shown(svg=FIGURE),
            shown(html="<script>alert(1)</script><p onclick='x()'>kept</p>"),
            shown(widget={"model_id": "x"}, text="IntSlider(value=0)"),
            shown(text="<Axes: >"),
            new_code_cell("", outputs=[new_output("stream", name="stderr", text="scary warning")]),
        ]
    )


# -- parameters ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        *[
            ({"use_cache": word}, {"use_cache": False})
            for word in (False, 0, "false", "False", "FALSE", "no", "No", "off", "0")
        ],
        *[
            ({"use_cache": word}, {"use_cache": True})
            for word in (True, 1, "true", "YES", "on", "1")
        ],
        ({"model": "007"}, {"model": "007"}),
        ({"model": 7}, {"model": "7"}),
        ({"on": datetime.date(2026, 1, 31)}, {"on": "2026-01-31"}),
        ({True: datetime.date(2026, 1, 31)}, {"on": "2026-01-31"}),
        ({"months": "1e2"}, {"months": 100}),
        ({"months": 12.0}, {"months": 12}),
        ({"requests_per_month": "300_000"}, {"requests_per_month": 300_000.0}),
        ({"quality_floor": "none"}, {"quality_floor": None}),
        ({"quality_floor": "0.7"}, {"quality_floor": 0.7}),
        ({"mode": "fast"}, {"mode": "fast"}),
    ],
)
def test_a_value_becomes_its_declared_type(given, clean):
    made = validate(SCHEMA, given)
    assert made == clean
    assert [type(v) for v in made.values()] == [type(v) for v in clean.values()]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"discont_rate": 0.2}, "did you mean 'discount_rate'"),
        ({"use_cache": "perhaps"}, "use_cache is 'perhaps', allowed are true and false"),
        ({"use_cache": 2}, "use_cache is 2"),
        ({"months": "1.5"}, "months is '1.5', it must be a whole number between 1 and 120"),
        ({"months": True}, "months is True, it must be a whole number"),
        ({"months": 121}, "months is 121, allowed is between 1 and 120"),
        ({"months": None}, "months is empty"),
        ({"discount_rate": "nan"}, "discount_rate is 'nan'"),
        ({"quality_floor": 1.1}, "allowed is between 0 and 1"),
        ({"mode": "fsat"}, "did you mean 'fast'"),
        ({"model": False}, "put it in quotes"),
        ({"api_key": "x"}, "looks like a secret"),
        ({"openai_token": "x"}, "looks like a secret"),
        ({"password": "x"}, "looks like a secret"),
    ],
)
def test_a_wrong_parameter_stops_before_anything_starts(tmp_path, monkeypatch, given, says):
    path = tmp_path / "one.ipynb"
    nbformat.write(new_notebook(cells=[tagged(PARAMETERS, "parameters")]), path)
    monkeypatch.setattr(runner, "execute", lambda *_: pytest.fail("a kernel was started"))
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        report.run(path, tmp_path / "out", **given)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_schema_is_read_from_the_one_tagged_cell(tmp_path):
    path = tmp_path / "one.ipynb"
    nbformat.write(
        new_notebook(cells=[new_code_cell("x = 1"), tagged(PARAMETERS, "parameters")]), path
    )
    found = report.schema(path)
    assert list(found) == [
        "title",
        "model",
        "mode",
        "requests_per_month",
        "months",
        "discount_rate",
        "use_cache",
        "quality_floor",
        "on",
        "seed",
    ]
    assert found["mode"].choices == ("auto", "fast")
    assert (found["months"].low, found["months"].high, found["months"].help) == (1, 120, "horizon")
    assert found["quality_floor"].optional and not found["months"].optional
    nbformat.write(new_notebook(cells=[new_code_cell("x = 1")]), path)
    with pytest.raises(CatalogError, match="no cell tagged 'parameters'"):
        validate(report.schema(path), {"x": 2})


def test_a_value_in_brackets_keeps_its_help():
    wrapped = 'mode: str = (\n    "fast"  # how the API is called {fast, slow}\n)\nseed: int = 7'
    found = read_cell(wrapped)
    assert (found["mode"].default, found["mode"].help) == ("fast", "how the API is called")
    assert found["mode"].choices == ("fast", "slow") and found["seed"].help == ""


def test_token_counts_are_no_secrets():
    names = ("input_tokens", "max_tokens", "tokens_per_page", "usd_per_token", "keyframes")
    cell = read_cell("\n".join(f"{name}: int = 9" for name in names))
    assert validate(cell, dict.fromkeys(cell, 3)) == dict.fromkeys(cell, 3)


# -- pages -----------------------------------------------------------------------------------------


def test_money_is_not_maths():
    for text in (
        "from $3/M to $15/M",
        "Input $/M and output $/M",
        "US$5 or US$6",
        "$5 and $6",
        r"\$x\$",
        "($3)-($4)",
        "$3–$5",
    ):
        assert "<math" not in markdown(text), text
    for text in ("$x$", r"$n_q \le 3$", "$2x + 1 = 3$", "$$ a $$", "with $h$, and $g$."):
        assert "<math" in markdown(text), text
    assert "\\frac" not in markdown("`$a$`") and "<code>$a$</code>" in markdown("`$a$`")


def test_how_a_report_was_made_names_a_task_and_shows_no_record():
    known = read_cell("task: str | None = None  # what is asked\ntier: str | None = None  # tier")
    path = NOTEBOOKS / "01_which_approach.ipynb"
    made = made_by(Run(path, known, {}, load("support_assistant"), {}), show_code=False)
    shown = {name: (value, whose) for name, value, _, whose in made.parameters}
    assert shown["task"] == ("answer from documents", "the scenario")
    assert "(" not in shown["tier"][0]
    work = replace(load("support_assistant").work, task=None)
    nobody = Run(path, known, {}, load("support_assistant").changed(work=work), {})
    assert made_by(nobody, show_code=False).parameters[0][1] == "not set"


def test_the_page_loads_nothing_and_opens_with_the_answer():
    page = page_of(
        executed(),
        Meta(byline="Prepared for the board", command="costmodel report one.ipynb", version="1"),
    )
    assert not LOADS.search(page)
    assert len(page) < 3_000_000
    for absent in (
        "secret_code",
        "scary warning",
        "onclick",
        "alert(1)",
        "IntSlider",
        "Axes",
        "discount_rate: float",
    ):
        assert absent not in page
    order = [
        "<h1>Which option?</h1>",
        "Prepared for the board",
        "RAG is cheapest &amp; sure.",
        "$1.2M",
        '<h2 id="tables">Tables',
        "costmodel report one.ipynb",
    ]
    assert [page.index(part) for part in order] == sorted(page.index(part) for part in order)
    assert ">Answer</h2>" not in page  # its content was moved to the opening
    assert (
        page.count("<h1>") == 1
        and "<math" in page
        and "data:image/svg+xml" in page
        and "kept" in page
    )
    assert (
        '<a href="https://example.org/picture.png">outside</a>' in page
    )  # a link, not a picture from the network
    assert "secret_code" in page_of(executed(), Meta(show_code=True))


def test_numbers_stand_on_the_right():
    table = document(executed(), Meta()).body.find("table", class_="dataframe")
    assert [cell.get_text() for cell in table("tr")[0]("th")] == [
        "month",
        "usd",
        "why",
    ]  # one header row, not two
    assert ["num" in cell.get("class", []) for cell in table("tr")[5](["th", "td"])] == [
        True,
        True,
        False,
    ]


def test_the_pdf_is_reproducible_and_complete():
    meta = Meta(
        byline="Prepared for the board",
        timestamp=1_700_000_000,
        parameters=(("months", "36", "horizon", "you"),),
    )
    first, second = (typeset(document(executed(), meta), meta) for _ in range(2))
    assert first.startswith(b"%PDF") and first == second
    read = [page.extract_text() for page in PdfReader(io.BytesIO(first)).pages]
    text, pages = "\n".join(read), len(read)
    for part in (
        "Which option?",
        "RAG is cheapest & sure.",
        "$3/M and output $15/M",
        "€ × ≤ ≥ – −",
        "#a @b",
        "// e /* f */",
        f"page 1 of {pages}",
        f"page {pages} of {pages}",
        "Prepared for the board",
    ):
        assert part in text
    assert text.count("1234567.0") == 20  # a wide table is whole


def test_columns_are_named_in_words_and_empty_ones_left_out():
    table = pd.DataFrame(
        {
            "option": ["own"],
            "gpus": [8.0],
            "usd_per_mtok_out": [1.5],
            "p_buy": [0.4],
            "why_not": [""],
            "with": [None],
        }
    )
    text = report.show(table).text
    assert "GPUs" in text and "per Mtok of output" in text and "chance that buying pays" in text
    assert "why not" not in text and "usd" not in text and "with" not in text


def test_the_ends_of_a_band_and_the_side_of_a_value_are_one_column():
    table = pd.DataFrame({"p10": [1e3, 5.0], "p90": [3e3, 5.0], "side": "above", "needed": [2, 3]})
    made = report.show(table)
    assert [c.words for c in made.columns] == ["likely range (8 in 10)", "value needed"]
    assert made.rows == (("1,000 to 3,000", "above 2"), ("5", "above 3"))
    assert [c.words for c in report.show(table[["p10"]]).columns] == ["low (1 case in 10 is below)"]


def test_show_cards_and_answer_look_like_tables_and_text():
    table = pd.DataFrame(
        {
            "option": ["RAG", "LoRA"],
            "usd": [1234567.0, None],
            "per_request": [0.0312, 0.5],
            "quality": [0.8, 0.05],
        }
    )
    made = report.show(table, formats={"usd": "{:,.0f}"}, caption="Options")
    for part in (
        "1,234,567",
        "–",
        "0.031",
        "0.500",
        "80 %",
        "5.0 %",
        "per request",
        "Options",
        'class="cm-table"',
    ):
        assert part in made._repr_html_()
    with pytest.raises(CatalogError, match="did you mean 'usd'"):
        report.show(table, formats={"us": ".2f"})
    assert repr(report.answer("Yes.")) == "Yes."
    with pytest.raises(ValueError, match="each card is"):
        report.cards([("a", "b")])


def test_a_table_that_is_in_another_currency_says_so():
    """A column `currency` becomes the unit of the amounts and converts nothing. Blank columns are
    left out, and an empty table says none.
    """
    table = pd.DataFrame(
        {
            "option": ["RAG"],
            "npv": [1_000.0],
            "tax": [0.0],
            "currency": ["EUR at 0.92 per USD of 2026-11-20"],
            "why_not": [""],
        }
    )
    made = report.show(table)
    assert (
        "EUR" in made.html
        and "USD" not in made.html
        and "1,000" in made.text
        and "why not" not in made.text
        and "per USD" not in made.html
    )
    assert "none" in report.show(table.head(0)).text
    assert (
        "920"
        in report.show(
            table.drop(columns="currency"), money=Currency("EUR", 0.92, "2026-11-20")
        ).text
    )


# -- where things stand, and who can read them -----------------------------------------------------


def placed():
    """A notebook with cells for the front and for the appendix, and numbered rows."""
    rows = pd.DataFrame(
        {"row": ["R1", "R2"], "input": ["a", "b"], "unit": ["", "x"], "low": [1, 2]}
    )
    traced = pd.DataFrame({"item": ["line"], "rows": ["R2, R9"], "usd": [3.0], "share": [1.0]})
    cells = [
        new_markdown_cell("# Title\n\nThe lead."),
        shown(html=report.answer("Yes.", ["Unless it rains."]).html),
        shown(html=report.cards([("a", "1", "")]).html),
        shown(svg=FIGURE.replace("<metadata>", "<title>Two bars: RAG is lower.</title><metadata>")),
        new_markdown_cell("## Main\n\nWords."),
        shown(html=report.show(traced).html),
        shown(html="<p>details of the main section</p>"),
        new_markdown_cell("## Assumptions"),
        shown(html=report.show(pd.DataFrame(rows)).html),
        new_markdown_cell("## Last\n\nThe end."),
    ]
    for i, tag in ((3, "front"), (6, "appendix"), (7, "appendix")):
        cells[i].metadata["tags"] = [tag]
    return new_notebook(cells=cells)


def test_tags_send_cells_to_the_front_and_to_the_appendix():
    made = document(placed(), Meta())
    front = [part.get("class", [part.name])[0] for part in made.opening(True, recursive=False)]
    assert front == ["cm-answer", "cm-cards", "cm-front", "h2", "cm-points"]
    assert made.opening.find("img")["alt"] == "Two bars: RAG is lower."
    main, back = made.body.get_text(), made.appendix.get_text()
    assert "The end." in main and "Assumptions: 2 rows" in main and "R1" not in main
    assert "details of the main section" in back and "details of" not in main
    heads = [part.summary.h2.string for part in made.appendix("details", recursive=False)]
    assert heads == ["Main", "Assumptions"]
    page = html_page(made, Meta())
    for anchor, title in made.contents:
        assert f'<a href="#{anchor}">{title}</a>' in page and f'id="{anchor}"' in page
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(re.findall(r'id="([^"]+)"', page)) and "appendix-main" in targets


def test_numbers_of_rows_link_to_their_row():
    made = document(placed(), Meta())
    assert made.body.find("a", href="#R2").string == "R2" and not made.body.find("a", href="#R9")
    assert made.appendix.find(id="R2").string == "R2"
    pdf = PdfReader(io.BytesIO(typeset(made, Meta())))
    kinds = [
        note.get_object()["/Subtype"] for page in pdf.pages for note in page.get("/Annots", ())
    ]
    assert "/Link" in kinds


def test_every_head_belongs_to_its_cells_and_a_phone_gets_cards():
    made = document(placed(), Meta())
    table = made.body.find("table")
    assert {cell["scope"] for cell in table.thead("th")} == {"col"}
    assert [cell.get("data-label") for cell in table.tbody(["th", "td"])] == [
        "item", "rows", "amount USD", "share",
    ]  # fmt: skip
    assert "stack" in table.parent["class"] and table["role"] == "table"


def test_the_pdf_is_tagged_and_its_pages_say_where_the_appendix_begins():
    pdf = PdfReader(io.BytesIO(typeset(document(placed(), Meta()), Meta())))
    root = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and "/StructTreeRoot" in root and root["/Lang"]
    texts = [page.extract_text() for page in pdf.pages]
    assert "page 1 of 1" in texts[0] and "appendix, page 2 of 2" in texts[1]
    assert b"Two bars: RAG is lower." in b"".join(
        str(thing.get_object()).encode() for thing in alternatives(root["/StructTreeRoot"])
    )


def alternatives(node):
    """The elements of a tagged PDF that have an alternative text."""
    node = node.get_object()
    if isinstance(node, list):
        for child in node:
            yield from alternatives(child)
    elif isinstance(node, dict):
        if "/Alt" in node:
            yield node
        if "/K" in node:
            yield from alternatives(node["/K"])


def test_a_figure_says_what_it_shows_and_draws_itself_for_a_phone(monkeypatch):
    table = pd.DataFrame({"option": ["RAG", "Prompt"], "phase": ["serving"] * 2, "usd": [1.0, 2.0]})
    figure = plots.plot_lifecycle(table).figure
    assert figure._repr_mimebundle_() == {}
    monkeypatch.setenv(FOR_REPORT, "1")
    drawn, took = figure._repr_mimebundle_()
    wide, phone = drawn["image/svg+xml"], drawn[NARROW_MIME]
    assert wide == figure._repr_svg_() and took[NARROW_MIME] > 0
    title = re.search(r"<title>(.*?)</title>", wide)[1]
    assert "RAG" in title and "Prompt" in title and "serving" in title
    widths = [float(re.search(r'width="([\d.]+)pt"', svg)[1]) for svg in (wide, phone)]
    assert widths[0] > 450 and widths[1] * 96 / 72 <= 360
    data = {"image/svg+xml": wide, NARROW_MIME: phone}
    cell = new_code_cell("", outputs=[new_output("display_data", data)])
    made = document(new_notebook(cells=[cell]), Meta())
    assert made.body.find("source")["srcset"].startswith("data:image/svg+xml")
    assert typeset(made, Meta()).startswith(b"%PDF")


# -- runs ------------------------------------------------------------------------------------------

NUMBERS = """
import pandas as pd
import matplotlib.pyplot as plt
from costmodel import plots, report
table = pd.DataFrame({"option": ["RAG"], "usd": [0.1 + months]})
"""


def notebook(path, *cells):
    """A notebook whose metadata names a kernel that is not installed."""
    nb = new_notebook(
        cells=[
            new_markdown_cell("# Small"),
            tagged(PARAMETERS, "parameters"),
            tagged(NUMBERS, "imports"),
            *cells,
        ]
    )
    nb.metadata["kernelspec"] = {
        "name": "kernel_of_somebody_else",
        "display_name": "x",
        "language": "python",
    }
    nbformat.write(nb, path)
    return path


@pytest.mark.notebook
def test_a_notebook_becomes_pages_and_numbers(tmp_path):
    path = notebook(
        tmp_path / "small.ipynb",
        new_code_cell("plt.plot([1, 2]); plt.show()"),
        new_code_cell("report.answer(f'{months} months, cache {use_cache}.')"),
        new_code_cell("report.results(table, total=table.usd.sum(), best=None)"),
    )
    seen = []
    made = report.run(
        path,
        tmp_path / "out",
        progress=lambda *step: seen.append(step),
        months="12",
        use_cache="no",
        title="Réport",
    )
    assert (made.title, made.answer) == ("Réport", "12 months, cache False.")
    assert seen[-1][0] == seen[-1][1] == len(seen)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "small.html",
        "small.pdf",
        "small.results.csv",
        "small.results.json",
    ]
    page = made.html.read_text(encoding="utf-8")
    assert not LOADS.search(page) and "data:image/svg+xml" in page
    assert (
        "default you did not touch" in page
        and "-p months 12 -p use_cache False" in page
        and "-p on 20" in page
    )
    assert "in the folder in which it was made" in page
    assert made.pdf.read_bytes().startswith(b"%PDF")
    told = json.loads(made.results_json.read_text(encoding="utf-8"))
    assert told["numbers"] == {"best": None, "total": 12.1} == made.numbers
    assert told["parameters"]["months"] == 12 and told["given"] == ["months", "title", "use_cache"]
    assert made.results_csv.read_text() == "option,usd\nRAG,12.1\n"


@pytest.mark.notebook
def test_a_failure_is_marked_and_stops_no_other_job(tmp_path, capfd):
    good = notebook(tmp_path / "good.ipynb", new_code_cell("report.answer('Fine.')"))
    bad = notebook(
        tmp_path / "bad.ipynb",
        new_code_cell("report.show(table)"),
        new_code_cell("raise ValueError('no price for <this> model')"),
        new_markdown_cell("## Later"),
    )
    out = tmp_path / "out"
    out.mkdir()
    for name in ("b.pdf", "b.results.json"):
        (out / name).write_text("good, from before")
    jobs: dict[str, tuple[Path, dict]] = {
        "a": (good, {"months": 3}),
        "b": (bad, {}),
        "c": (good, {"month": 3}),
    }
    first, second, third = report.run_many(jobs, out)
    assert first.answer == "Fine."
    assert isinstance(second, ReportError) and str(second).startswith(
        "no price for <this> model (what was done until then: "
    )
    assert isinstance(third, CatalogError) and "did you mean 'months'" in str(third)
    assert sorted(p.name for p in out.iterdir()) == [
        "a.html",
        "a.pdf",
        "a.results.json",
        "b.incomplete.html",
        "b.pdf",
        "b.results.json",
        "index.html",
    ]
    assert (out / "b.pdf").read_text() == "good, from before"  # a failure loses nothing
    page = second.html.read_text(encoding="utf-8")
    assert "This report is incomplete:</strong> no price for &lt;this&gt; model" in page
    assert "Later" not in page and "Traceback" not in page and "RAG" in page
    index = (out / "index.html").read_text(encoding="utf-8")
    assert "3 reports, 2 failed" in index and 'href="a.html"' in index and not LOADS.search(index)
    assert capfd.readouterr() == ("", "")  # no warnings, no banners of a kernel


@pytest.mark.notebook
def test_a_batch_that_is_stopped_begins_no_other_report(tmp_path):
    path = notebook(tmp_path / "good.ipynb", new_code_cell("report.answer('Fine.')"))
    jobs: dict[str, tuple[Path, dict]] = {f"job {i}": (path, {}) for i in range(4)}

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        report.run_many(jobs, tmp_path / "out", ["html"], workers=1, progress=stop)
    made = [p.name for p in (tmp_path / "out").iterdir() if p.suffix == ".html"]
    assert "job-0.html" in made and "job-3.html" not in made and "index.html" not in made


@pytest.mark.notebook
def test_a_kept_kernel_forgets_the_notebook_before_it_and_is_another_one_after_its_death(tmp_path):
    cells = {
        "first": "import os, numpy; kept = os.getpid(); print(kept)",
        "second": "import os; print(os.getpid(), 'kept' in dir(), os.path.basename(os.getcwd()))",
        "fails": "raise ValueError('no price')",
        "dies": "import os, signal; os.kill(os.getpid(), signal.SIGTERM); os._exit(1)",
    }
    paths = {name: tmp_path / f"of {name}" / "own.ipynb" for name in cells}
    for name, path in paths.items():
        path.parent.mkdir()
        nbformat.write(new_notebook(cells=[new_code_cell(cells[name])]), path)
    with Kernel() as kernel:

        def run(name):
            steps = []
            nb, failure, _ = execute(paths[name], {}, lambda *step: steps.append(step), kernel)
            (cell,) = nb.cells  # and none that was put before it
            said = "".join(o.text for o in cell.outputs if o.output_type == "stream")
            assert steps == ([] if name == "dies" else [(1, 1)])
            return said.split(), failure

        (pid,), failure = run("first")
        assert failure == ""
        assert run("second") == ([pid, "False", "of", "second"], "")
        assert run("fails") == ([], "no price")
        assert run("first") == ([pid], "")
        assert run("dies") == ([], KILLED)
        (other,), failure = run("first")
        assert other != pid and failure == ""


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("01_which_approach", {"scenario": "nosuch"}, "no scenario 'nosuch'"),
        ("01_which_approach", {"on": "2026-13-01"}, "on is '2026-13-01'"),
        ("01_which_approach", {"currency": "EURO"}, "currency is 'EURO'"),
        (
            "01_which_approach",
            {"input_tokens": 0, "instruction_tokens": 0, "output_tokens": 0},
            "give the tokens of one request",
        ),
        ("00_quick_answer", {"model": "gpt-9"}, "no API model 'gpt-9'"),
    ],
)
def test_what_a_notebook_would_refuse_is_refused_before_a_kernel_starts(
    tmp_path, monkeypatch, name, given, said
):
    monkeypatch.setattr(runner, "execute", lambda *_: pytest.fail("a kernel was started"))
    with pytest.raises(ValueError, match=said):
        report.run(NOTEBOOKS / f"{name}.ipynb", tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


def test_a_file_is_named_from_where_the_caller_stands(tmp_path, monkeypatch):
    """The kernel runs in the notebook's folder; a scenario beside the caller is found all the
    same.
    """
    (tmp_path / "mine.yaml").write_text("title: Mine")
    monkeypatch.chdir(tmp_path)
    assert (
        _absolute("mine.yaml") == str(tmp_path / "mine.yaml")
        and _absolute("support_assistant") == "support_assistant"
        and _absolute(7) == 7
    )


def test_the_columns_of_a_table_of_ours_are_marked_and_not_guessed():
    """A text of digits stays on the left, which no guess from HTML would know."""
    frame = pd.DataFrame({"option": ["2024", "2025"], "usd": [1234567.0, 2.0]})
    table = report.show(frame, caption="By year & label")
    shown = {"text/plain": table.text, "text/html": table._repr_html_()}
    cell = new_code_cell("", outputs=[new_output("display_data", shown)])
    made = document(new_notebook(cells=[cell]), Meta())
    page = str(made.body)
    first, second = made.body("tr")[1](["th", "td"])
    assert (first.name, first["scope"], first.get("class")) == ("th", "row", None)
    assert (second.name, second["class"], second.string) == ("td", ["num"], "1,234,567")
    assert "By year &amp; label" in page
    assert "<style" not in page
    typeset_text = text_of(typeset(made, Meta()))
    assert "By year & label" in typeset_text and "1,234,567" in typeset_text
    numbers = new_code_cell(
        "", outputs=[new_output("display_data", {"text/html": frame.to_html()})]
    )
    told = document(new_notebook(cells=[numbers]), Meta()).body.find("td", string="2024")
    assert told["class"] == ["num"]


def text_of(pdf):
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_a_pdf_holds_whatever_html_somebody_else_wrote():
    cell = '<td rowspan="2" style="color: red; background-color: #eee; font-weight: bold">{}</td>'
    html = (
        "<table><tr><th colspan='2'>both</th></tr>"
        f"<tr>{cell.format('tall')}<td><p>first</p><ul><li>item</li></ul></td></tr>"
        "<tr><td>below</td></tr></table>"
        '<o:p x:y="1" @click="2">odd</o:p><!-- a -- b -->5 &lt; 6 &amp; \x08 <a href="https://e.org">e</a>'
        + "<div>" * 30
        + "deep"
        + "</div>" * 30
    )
    cells = [
        new_markdown_cell("# Mine\n\nBad $\\notacommand{x$ and $\\alpha_q$.\n\n3. three\n4. four"),
        new_code_cell("", outputs=[new_output("display_data", {"text/html": html})]),
    ]
    told = text_of(typeset(document(new_notebook(cells=cells), Meta()), Meta()))
    for text in ("Mine", "3.", "four", "both", "tall", "first", "item", "below", "odd", "5 < 6 &"):
        assert text in told, text
    assert "deep" in told and "a -- b" not in told
