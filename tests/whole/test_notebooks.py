"""Notebooks: their form, that they run as reports, and that notebook, script and command line
give the same totals."""

import ast
import io
import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner

import costmodel as cm
from costmodel.cli import main
from costmodel.pages.report import runner as report
from costmodel.pages.report.html import UNTOUCHED
from costmodel.scenarios.scenario import notebooks_folder

NOTEBOOKS = sorted(notebooks_folder().glob("*.ipynb"))
DRAWS = 400
IMPORTS = (ast.Import, ast.ImportFrom)
PLAIN = (ast.Assign, ast.AnnAssign, ast.Expr)  # what a cell may consist of besides
MEASURED_ONLY = {
    "09_how_wrong_are_we"
}  # nothing is drawn, paid or discounted: no seed, date of prices, horizon or currency to choose


def cells(path, kind=None):
    return [
        c
        for c in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if kind in (None, c["cell_type"])
    ]


def words(made):
    """The text of a report in HTML."""
    return unescape(re.sub(r"<[^>]+>", "", made.html.read_text(encoding="utf-8")))


def tags(cell):
    return cell["metadata"].get("tags", [])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
class TestForm:
    def test_it_is_committed_without_outputs(self, path):
        for cell in cells(path, "code"):
            assert cell["outputs"] == [] and cell["execution_count"] is None

    def test_a_question_without_a_cell_says_where_its_figure_is(self, path):
        """Cells tagged `front` stand on page one, away from the section that speaks of them."""
        asked = [c for c in cells(path) if "front" not in tags(c)]
        for cell, after in zip(asked, [*asked[1:], {"cell_type": "", "source": []}], strict=True):
            text, then = "".join(cell["source"]), "".join(after["source"])
            alone = after["cell_type"] != "code" and (not then or then.startswith("## "))
            if alone and re.match("## .*[?]", text):
                assert "figure beside the answer" in text, text

    def test_it_has_one_cell_of_typed_parameters_with_help(self, path):
        assert sum("parameters" in tags(c) for c in cells(path)) == 1
        known = report.schema(path)
        assert {"title", "prepared_for"} <= set(known)
        if path.stem not in MEASURED_ONLY:
            assert {"seed", "draws", "on", "months", "currency"} <= set(known)
        assert all(p.help for p in known.values())

    def test_it_holds_no_logic(self, path):
        code = cells(path, "code")
        assert len(code) <= 32
        for cell in code:
            source = "".join(cell["source"])
            steps = [step for step in ast.parse(source).body if not isinstance(step, IMPORTS)]
            assert all(isinstance(step, PLAIN) for step in steps), source
            assert "parameters" in tags(cell) or len(steps) <= 10, source

    def test_it_opens_with_its_cockpit_and_folded_code(self, path):
        if path.stem in MEASURED_ONLY:
            return
        code = cells(path, "code")
        assert all(c["metadata"]["jupyter"]["source_hidden"] for c in code)
        assert len(cells(path)[0]["source"]) == 3  # the title and one line
        (box,) = [c for c in code if "cockpit" in tags(c)]
        assert "widgets.cockpit(" in "".join(box["source"]) and code.index(box) <= 3
        assert "parameters" in tags(code[0])

    def test_it_begins_with_its_question_and_ends_with_its_numbers(self, path):
        first = "".join(cells(path)[0]["source"])
        assert first.startswith("# ") and first.splitlines()[0].endswith("?")
        assert "report.results(" in "".join(cells(path, "code")[-1]["source"])


@pytest.fixture(scope="module")
def approach(tmp_path_factory):  # in a kernel of its own
    return report.run(
        notebooks_folder() / "01_which_approach.ipynb",
        tmp_path_factory.mktemp("approach"),
        draws=DRAWS,
    )


def test_the_notebook_says_what_the_script_says(approach):
    """To fourteen digits, and so to the cent: a number that somebody moved before is in an array,
    whose last bit may be another one."""
    case = cm.load("support_assistant")
    script = cm.compare(case, draws=DRAWS)
    printed = pd.read_csv(approach.results_csv, index_col="option")
    assert list(printed.index) == list(script.index) and len(script) == 15
    for column in ("expected", "p10", "p90", "present_value", "per_accepted"):
        assert printed[column].to_list() == pytest.approx(script[column].to_list(), rel=1e-14)
    ledger = cm.ledger(case, draws=DRAWS).groupby("option")["usd"].sum()
    assert (ledger - script["expected"]).abs().max() < 0.005


def test_the_command_line_says_what_the_notebook_says(approach):
    said = CliRunner().invoke(
        main, ["compare", "support_assistant", "--draws", str(DRAWS), "--csv", "-"]
    )
    assert said.exit_code == 0, said.output
    table = pd.read_csv(
        io.StringIO(said.stdout[said.stdout.index("option,") :]), index_col="option"
    )
    printed = pd.read_csv(approach.results_csv, index_col="option")
    assert table["expected"].to_list() == printed["expected"].to_list()


def test_the_report_opens_with_the_answer_and_loads_nothing(approach):
    html = approach.html.read_text(encoding="utf-8")
    assert approach.answer.startswith(
        cm.recommend(cm.load("support_assistant"), draws=DRAWS).headline
    )
    order = ["cm-answer", "cm-cards", "cm-points", 'id="contents"', 'id="appendix"']
    places = [html.index(part, html.index("<main>")) for part in order]
    assert places == sorted(places)
    assert html.count('class="cm-card"') == 4
    assert not re.search(
        r"<script|<link|@import|src=.http|url\(.?http|jupyter-widget|Traceback", html
    )
    assert approach.html.stat().st_size < 3e6 and approach.pdf.read_bytes().startswith(b"%PDF")
    facts = json.loads(approach.results_json.read_text(encoding="utf-8"))
    made_by = BeautifulSoup(html, "html.parser").find(class_="facts")
    rows = [[cell.get_text() for cell in row(["th", "td"])] for row in made_by.select("tbody tr")]
    said = {name: [value, origin] for name, value, _, origin in rows}
    assert (
        said["requests_per_month"] == ["300,000", "the scenario"]
        and said["draws"] == [str(DRAWS), "you"]
        and said["discount_rate"] == ["0.1", UNTOUCHED]
    )
    assert (
        facts["command"] == f"costmodel report 01_which_approach -p draws {DRAWS} -p on 2026-11-20"
    )  # from any folder
    assert "2026-11-20" in str(facts["facts"]) and facts["numbers"]["seed"] == 7


def test_parameters_reach_the_answer(tmp_path, one_kernel):
    few = report.run(
        notebooks_folder() / "01_which_approach.ipynb",
        tmp_path,
        formats=("html",),
        draws=DRAWS,
        requests_per_month=2_000,
        corpus_tokens=200_000,
        months=12,
        quality_floor=0.5,
        currency="EUR 0.92 2026-11-20",
        title="Ours",
        prepared_for="The board",
    )
    assert (
        few.title == "Ours"
        and few.answer.startswith("Starting at 2,000 requests a month")
        and "EUR" in few.answer
    )
    assert (
        "EUR at 0.92 per USD of 2026-11-20; what is marked USD is in US dollars"
        in few.html.read_text(encoding="utf-8")
    )
    case = cm.load("support_assistant", requests_per_month=2_000, corpus_tokens=200_000, months=12)
    script = cm.compare(case, draws=DRAWS)
    printed = pd.read_csv(few.results_csv, index_col="option")
    assert printed["expected"].to_list() == script["expected"].to_list()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"use_case": "Document extraction", "pages_in": 6},
        {"usd_per_month": 5_000, "model": "claude-sonnet-5-5"},
        {"currency": "EUR 0.5 2026-11-20"},
    ],
)
def test_the_quick_answer_runs_from_pages_words_or_a_bill(tmp_path, given, one_kernel):
    made = report.run(
        notebooks_folder() / "00_quick_answer.ipynb",
        tmp_path,
        formats=("html",),
        draws=DRAWS,
        **given,
    )
    options, work = cm.choices.quick(
        on="2026-11-20", **{k: v for k, v in given.items() if k != "currency"}
    )
    script = cm.compare(options, work, draws=DRAWS, seed=7)
    printed = pd.read_csv(made.results_csv, index_col="option")
    assert printed.loc["Whole life", "expected"] == pytest.approx(
        script.loc["Whole life", "expected"], abs=0.005
    )
    if "currency" in given:
        page = made.html.read_text(encoding="utf-8")
        assert (
            f"{script.loc['Whole life', 'per_month'] * 0.5:,.0f}" in page
            and 'per month</span><span class="cm-unit">EUR<' in page
            and 'class="cm-unit">USD<' not in page.partition('id="appendix-')[0]
        )
    if "usd_per_month" in given:
        assert printed.loc["Tokens alone", "base_case"] / 36 == pytest.approx(5_000)


def test_the_payback_notebook_says_what_the_script_says(tmp_path, one_kernel):
    made = report.run(
        notebooks_folder() / "03_prompt_cache_tune_or_distil.ipynb",
        tmp_path,
        formats=("html",),
        draws=DRAWS,
        tune="Distilled",
    )
    script = cm.training.paybacks(cm.load("document_extraction"), "Few-shot", "Distilled")
    assert (
        json.loads(made.results_json.read_text(encoding="utf-8"))["numbers"]["paybacks"]
        == script["requests"].to_list()
    )
    said = f"When Distilled has paid for what it costs more than Few-shot: {script.verdict.iloc[0]}"
    assert said in words(made)


def test_the_hosting_notebook_says_what_the_script_says(tmp_path, one_kernel):
    given = {"gpu_hourly": 2.0, "fte": 0.25, "traffic_profile": "global"}
    made = report.run(
        notebooks_folder() / "02_api_or_own_gpus.ipynb",
        tmp_path,
        formats=("html",),
        draws=DRAWS,
        **given,
    )
    case = cm.load("own_gpus")
    options, work = cm.serving.with_fleet(case.options, case.work, **given)
    study = replace(case, options=options, work=work)
    script = cm.compare(study, draws=DRAWS)
    printed = pd.read_csv(made.results_csv, index_col="option")
    assert printed["expected"].to_list() == script["expected"].to_list()
    flip = cm.breakeven(study.changed(draws=DRAWS), "API", "Own GPUs")
    assert flip.verdict.iloc[0] in words(made)


def test_the_business_case_says_what_the_script_says(tmp_path, one_kernel):
    given = {
        "baseline": "people",
        "minutes_per_request": 2.0,
        "role": "clerk",
        "tax_rate": 0.25,
        "currency": "EUR 0.92 2026-11-20",
        "draws": DRAWS,
    }
    made = report.run(
        notebooks_folder() / "05_business_case.ipynb", tmp_path, formats=("html",), **given
    )
    case = cm.load("support_assistant", currency=given["currency"])
    leaders = case.only(*cm.recommend(case, draws=DRAWS).leaders)
    policy = cm.finance.Policy(tax_rate=0.25, realised=cm.Range(0.5, 0.95))
    people = cm.Option(cm.finance.Staff(2.0, role="clerk"))
    script = cm.finance.business_case(leaders, people, policy, draws=DRAWS)
    printed = pd.read_csv(made.results_csv, index_col="option")
    for column in ("npv", "npv_p10", "budget", "tax", "payback_month"):
        assert printed[column].to_list() == pytest.approx(script[column].to_list(), rel=1e-12), (
            column
        )
    said = words(made)
    assert "EUR" in made.answer and "EUR at 0.92 per USD of 2026-11-20" in said
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", made.html.read_text(encoding="utf-8")))
    assert re.search(r"months against people, .*wrong answers EUR more ", page)


def test_what_matters_says_what_the_script_says(tmp_path, one_kernel):
    made = report.run(
        notebooks_folder() / "06_what_matters.ipynb",
        tmp_path,
        formats=("html",),
        draws=DRAWS,
        together=0.5,
    )
    moved = dict.fromkeys(
        ["Trends.api", "gpu.gpu_trend", "labor.labor_trend", "Trends.service"], 0.5
    )
    study = cm.uncertainty.drive(cm.load("support_assistant"), "economy", moved)
    script = cm.recommend(study, draws=DRAWS)
    printed = pd.read_csv(made.results_csv, index_col="option")
    assert printed["p90"].to_list() == script.table["p90"].to_list()
    facts = json.loads(made.results_json.read_text(encoding="utf-8"))["numbers"]
    leaders = replace(study.only(*script.contest), quality_floor=None)
    known = cm.uncertainty.value_of_information(leaders, draws=DRAWS)
    assert facts["evpi"] == known["usd"][0]


def test_the_knowledge_notebook_says_what_the_script_says(tmp_path, one_kernel):
    made = report.run(
        notebooks_folder() / "04_rag_graphrag_or_long_context.ipynb",
        tmp_path,
        formats=("html",),
        draws=DRAWS,
        queries_per_day=5,
        sample_fraction=0.02,
        sample_cost=0.05,
    )
    numbers = json.loads(made.results_json.read_text(encoding="utf-8"))["numbers"]
    script = cm.knowledge.knowledge_table()
    assert numbers["worked"] == script.drop(columns="cheapest").round(2).to_numpy().tolist()
    assert (
        numbers["cache"]
        == cm.knowledge.cache_verdict(5, model="claude-sonnet-5-5", on="2026-11-20")
        and "dearer than no cache" in words(made)
        and "cache <strong>costs money" in made.html.read_text(encoding="utf-8")
    )


def test_the_notebook_on_operations_says_what_the_script_says(tmp_path, one_kernel):
    made = report.run(
        notebooks_folder() / "07_keep_it_alive.ipynb",
        tmp_path,
        formats=("html",),
        draws=DRAWS,
        requests_per_month=1_000_000,
    )
    case = cm.load("support_assistant", requests_per_month=1_000_000)
    judge = cm.Api("gpt-6-luna", on=case.option("RAG").serving.on)
    release = cm.Release(policy="canary", releases_per_month=2, judge=judge)
    script = cm.operations.release_policies(case, "RAG", release)
    printed = pd.read_csv(made.results_csv, keep_default_na=False)
    assert printed["policy"].to_list() == script["policy"].to_list() and printed[
        "usd_total"
    ].to_list() == pytest.approx(script["usd_total"].to_list())
    numbers = json.loads(made.results_json.read_text(encoding="utf-8"))["numbers"]
    assert numbers["best"] == script["policy"][0] and f"{script['policy'][0]!r}" in made.answer
    assert numbers["unpriced"] == pytest.approx(
        cm.operations.unpriced(case, "RAG")["usd_per_year"].sum()
    )
    assert 0.15 <= numbers["share"] <= 0.35  # published: 20 to 30 %


@pytest.mark.parametrize("name", sorted(cm.scenarios.examples()))
def test_every_example_scenario_answers(name):
    verdict = cm.recommend(cm.load(name), draws=DRAWS)
    assert verdict.named and verdict.sentence.endswith(".")


TAKE_A_SCENARIO = [p for p in NOTEBOOKS if "scenario" in report.schema(p)]


@pytest.mark.parametrize("path", TAKE_A_SCENARIO, ids=lambda p: p.stem)
def test_every_example_opens_in_every_notebook(path, monkeypatch):
    """Down to the cell after the cockpit; `make pages` runs the whole of each."""
    monkeypatch.setenv("COSTMODEL_REPORT", "1")
    code = ["".join(c["source"]) for c in cells(path, "code")]
    last = next(i for i, source in enumerate(code) if "widgets.cockpit(" in source)
    for name in cm.scenarios.examples():
        space = {}
        exec(code[0], space)
        space |= {"scenario": name, "draws": 50}
        for source in code[1 : last + 1]:
            exec(source, space)
        needed = {"02": {"API", "Own GPUs", "Bought GPUs"}, "03": {"Few-shot", "LoRA"}}
        assert needed.get(path.stem[:2], set()) <= space["box"].study.options.keys()


def test_a_scenario_without_what_a_page_asks_gets_it_and_its_title_says_so():
    case = cm.load("startup_chatbot")
    hosted = cm.serving.with_own_gpus(case)
    assert hosted.title == f"{case.title}, with llama-3.3-70b on GPUs of your own"
    assert hosted.option("API") == case.option("RAG")
    tuned = cm.choices.with_usual(case, [*case.options, "LoRA"])
    assert [*tuned.options] == [*case.options, "LoRA"] and tuned.title.endswith("with LoRA added")
    own = cm.load("own_gpus")
    assert cm.serving.with_own_gpus(own) is own
    assert cm.choices.with_usual(case, case.options) is case
    with pytest.raises(ValueError, match="no option here asks an API"):
        cm.serving.with_own_gpus(own.only("Own GPUs"))


def test_notebooks_of_an_installed_package_are_found():
    assert [p.stem for p in NOTEBOOKS][:2] == ["00_quick_answer", "01_which_approach"]
    assert all(Path(p).is_file() for p in cm.scenarios.examples().values())


def test_the_notebook_on_own_numbers_says_what_the_script_says(tmp_path, one_kernel):
    made = report.run(
        notebooks_folder() / "08_my_own_numbers.ipynb", tmp_path, formats=("html",), draws=DRAWS
    )
    own, bill = (cm.ingest.example(name) for name in ("usage", "invoice"))
    usage = cm.ingest.read(own)
    held = cm.history.reconcile(usage, cm.ingest.read_bill(bill))
    facts = json.loads(made.results_json.read_text(encoding="utf-8"))
    assert facts["numbers"]["unexplained"] == held.unexplained
    assert held.sentence in words(made)
    judged = cm.ingest.read_evaluations(cm.ingest.example("evaluation"))
    study = cm.history.study(usage, cm.ingest.read_bill(bill), judged, on="2026-11-20", draws=DRAWS)
    assert cm.recommend(study).headline == made.answer
    printed = pd.read_csv(made.results_csv, index_col="option")
    ranked = cm.compare(study)["expected"].dropna()
    assert printed["expected"].dropna().to_list() == ranked.to_list()
