"""One total: Excel, FOCUS, JSON, page, PDF, command line and script agree to the cent."""

import csv
import io
import json

import nbformat
import openpyxl
import pandas as pd
import pypdf
import pytest
from click.testing import CliRunner

import costmodel as cm
from costmodel.cli import main
from costmodel.pages.commands import find_notebook

SCENARIO = """title: One total
terms: {months: 6, on: 2026-11-20, start: 2027-01-01}
workload: {requests_per_month: {low: 5e4, high: 2e5}, input_tokens: 900, output_tokens: 250}
options:
  Terra: {serving: {api: gpt-6.1-terra, accepted: 0.9}, techniques: [prompt]}
  Luna & co: {serving: {api: gpt-6-luna, accepted: 0.8}}
draws: 200
"""
NOTEBOOK = """import costmodel as cm
from costmodel import report
table = cm.compare(cm.load(scenario))
report.show(table[["expected", "base_case"]], {"expected": ",.2f", "base_case": ",.2f"})"""
CENT = 0.01


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The files of one scenario."""
    folder = tmp_path_factory.mktemp("total")
    scenario = folder / "one.yaml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    said = CliRunner().invoke(main, ["export", str(scenario), "-o", str(folder / "out")])
    assert said.exit_code == 0, said.output
    cells = [
        nbformat.v4.new_markdown_cell("# One total"),
        nbformat.v4.new_code_cell("scenario: str = ''  # file", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(NOTEBOOK),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "one.ipynb")
    report = cm.report.run(folder / "one.ipynb", out=folder / "out", scenario=str(scenario))
    ours = cm.report.run(
        find_notebook("01_which_approach"), out=folder / "out", scenario=str(scenario)
    )
    return scenario, folder / "out", report, ours


def text_of(pdf):
    return "".join(page.extract_text() for page in pypdf.PdfReader(pdf).pages)


def test_seven_ways_have_one_total(made):
    scenario, out, report, ours = made
    script = cm.compare(cm.load(scenario))[["expected", "base_case"]]

    found = {}
    shown = CliRunner().invoke(main, ["compare", str(scenario), "--csv", "-"]).output
    found["command line"] = pd.read_csv(io.StringIO(shown), index_col="option")
    stored = json.loads((out / "one.json").read_text(encoding="utf-8"))
    found["JSON"] = pd.DataFrame(stored["options"]).set_index("option")
    sheet = openpyxl.load_workbook(out / "one.xlsx", data_only=True)["Comparison"]
    head, *rows = sheet.iter_rows(values_only=True)
    book = pd.DataFrame(rows, columns=head).set_index("option")
    book = book.rename(columns={"expected, USD (value)": "expected", "base case, USD": "base_case"})
    found["Excel"] = book
    for name, table in found.items():
        gap = (table[["expected", "base_case"]].astype(float) - script).abs()
        assert (gap < CENT).all(axis=None), name

    rows = list(csv.DictReader((out / "one.focus.csv").open(encoding="utf-8")))
    for label, usd in script["expected"].items():
        added = sum(float(x["EffectiveCost"]) for x in rows if x["SubAccountName"] == label)
        assert added == pytest.approx(usd, abs=CENT / 2)

    results = json.loads(ours.results_json.read_text(encoding="utf-8"))
    for label, usd in results["numbers"]["usd"].items():
        assert usd == pytest.approx(script["expected"][label], abs=CENT / 2)
    shown = {"our page": ours.html.read_text(encoding="utf-8"), "our PDF": text_of(ours.pdf)}
    for usd in script.to_numpy().ravel():
        for name, text in shown.items():
            assert f"{usd:,.0f}" in text, name  # a report shows whole dollars
    pdf = text_of(report.pdf)
    texts = {
        "page": (out / "one.html").read_text(encoding="utf-8"),
        "report": report.html.read_text(encoding="utf-8"),
        "PDF": pdf,
    }
    for usd in script.to_numpy().ravel():
        for name, text in texts.items():
            assert f"{usd:,.2f}" in text, name
