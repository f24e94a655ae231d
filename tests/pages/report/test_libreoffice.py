"""A workbook in LibreOffice: it opens and converts, and its formulas give what Python gives.

All examples with COSTMODEL_EXAMPLES=all; skipped where LibreOffice is not installed.
"""

import os
import shutil
import subprocess

import openpyxl
import pytest

import costmodel as cm
from costmodel.core import middle, pin
from costmodel.ledgers.engine import evaluate_all
from costmodel.pages.report.exports.excel import excel

OFFICE = shutil.which("soffice")
ALL = ("own_gpus", "bank_on_premises", "coding_team", "document_questions", "support_assistant")
EXAMPLES = ALL if os.environ.get("COSTMODEL_EXAMPLES") == "all" else ("coding_team",)
MOVED = {"Workload.requests_per_month": 1.7, "Workload.output_tokens": 0.6,
         "engineer.usd_per_hour": 1.3}  # fmt: skip
CENT = 0.01


def converted(path, folder):
    """A workbook as LibreOffice computes it."""
    home = f"-env:UserInstallation=file://{folder}/home"
    words = [OFFICE, "--headless", "--norestore", home, "--convert-to", "xlsx", "--outdir"]
    subprocess.run([*words, str(folder / "out"), str(path)], check=True, capture_output=True)
    return openpyxl.load_workbook(folder / "out" / path.name, data_only=True)


@pytest.mark.skipif(OFFICE is None, reason="no LibreOffice found")
@pytest.mark.parametrize("name", EXAMPLES)
def test_libreoffice_computes_what_python_does_before_and_after_a_change(name, tmp_path):
    study = cm.load(name, draws=100)
    shown = openpyxl.load_workbook(excel(study, tmp_path / "book.xlsx"), data_only=True)
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    book.save(tmp_path / "empty.xlsx")  # formulas without the values that previews show
    before = converted(tmp_path / "empty.xlsx", tmp_path)
    for sheet in shown:
        for cell in (c for row in sheet.iter_rows() for c in row):
            if isinstance(cell.value, (int, float)):
                again = before[sheet.title][cell.coordinate].value
                assert again == pytest.approx(cell.value, rel=1e-9), (sheet.title, cell.coordinate)
    inputs = book["Inputs"]
    rows = {inputs.cell(row, 1).value: row for row in range(2, inputs.max_row + 1)}
    things = middle((study.options, study.work, study.terms))
    for key, by in MOVED.items():
        value = inputs.cell(rows[key], 2).value * by
        inputs.cell(rows[key], 2).value = value
        things = pin(things, key, value)
    book.save(tmp_path / "moved.xlsx")
    after = converted(tmp_path / "moved.xlsx", tmp_path)["Comparison"]
    made, followed = evaluate_all(*middle(things)), 0
    for row in range(2, after.max_row + 1):
        label, usd, worth = (after.cell(row, column).value for column in (1, 2, 3))
        if label in made.bills and after.cell(row, 8).value == 1:  # it follows these changes
            followed += 1
            bill, calendar = made.bills[label], made.calendar
            assert usd == pytest.approx(float(bill.total(calendar)), abs=CENT)
            assert worth == pytest.approx(float(bill.total(calendar, discounted=True)), abs=CENT)
    assert followed >= len(made.bills) - 1
