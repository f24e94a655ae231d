"""A study as a workbook whose base case is live: change an input, and totals and winner follow.

Every line of the ledger is a formula over named inputs, or a value that says so. Expected values,
bands and the verdict are values beside it. Texts are never formulas, and there are no links.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from costmodel.choices.study import Study, analysis
from costmodel.core import GLOSSARY, limits, middle, write
from costmodel.decisions.verdict import recommend
from costmodel.ledgers.book import lines_booked
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.evidence import Evidence
from costmodel.ledgers.live import formulas_of
from costmodel.ledgers.register import inputs_of, register
from costmodel.pages.first_words import made_of
from costmodel.pages.report.exports.answer import Answer, Lines
from costmodel.pages.report.exports.workbook import DISCOUNT, FIRST, live_share, moved_by

SHEETS = "Summary Inputs Options Ledger Cash_flow Comparison Register Checks Workings".split()


@analysis
def excel(study: Study, path: str | Path) -> Path:
    """Write a study as an Excel workbook with live formulas.

    Sheets: Summary, Inputs (the blue cells are to be changed), Options, Ledger, Cash flow,
    Comparison, Register, Checks and Workings. The base case, every input at its middle, is live:
    totals, present values and the cheapest option. Expected values, bands and the verdict stand
    beside it as values. Checks says what must stay as it is.

    Parameters
    ----------
    study : Study, or options with a workload
        What is written.
    path : str or Path
        The file, whose name ends in .xlsx.

    Returns
    -------
    Path
        The file.

    Examples
    --------
    >>> import tempfile
    >>> import costmodel as cm
    >>> work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    >>> option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    >>> path = Path(tempfile.mkdtemp()) / "mine.xlsx"
    >>> excel({"API": option}, work, path=path, months=3, draws=50).stat().st_size > 10_000
    True
    """
    content = BytesIO()
    settings = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with xlsxwriter.Workbook(content, settings) as book:
        _Book(book, study).write()
    return write(path, content.getvalue())


@analysis
def live_lines(study: Study) -> str:
    """How many lines of the workbook of a study are live, and what share of the dollars."""
    _, options = formulas_of(study)
    return live_share([line for option in options.values() for line in option.lines.values()])


class _Book(Answer):
    """The sheets of one study."""

    def __init__(self, book: Any, study: Study) -> None:
        self.study = study
        self.inputs, self.options = formulas_of(study)
        super().__init__(book, SHEETS, self.inputs.middles)
        self.months = study.terms.months
        self.discount = Calendar(*middle((study.work, study.terms))).discount
        self.rate = float(middle(study.terms).discount_rate)
        self.verdict = recommend(study, flips=False)
        self.table = self.verdict.table

    def write(self) -> None:
        self._workings_head()
        lines = self._ledger()
        self._cash_flow(lines)
        self._checks(lines)
        self._comparison(lines)
        self._inputs()
        self._options()
        widths = [44, 12, 12, 12, 14, 18, 60, 30, 9, 12, 12, 22, 16]
        self.frame("Register", register(self.study), widths)
        self._summary(lines)

    def _workings_head(self) -> None:
        sheet = self.sheets["Workings"]
        sheet.write_string(0, 0, "steps of the formulas; months 0 .. H where there are many",
                           self.looks["text"])  # fmt: skip
        months = [str(m) for m in range(self.months + 1)]
        factors = [f"(1+{self.names[DISCOUNT]})^(0-{m}/12)" for m in months]
        self.discounts = self.span(self.place(factors, self.discount))
        sheet.write_string(1, 0, "discount factor")

    # -- the ledger --------------------------------------------------------------------------------

    def _ledger(self) -> Lines:
        """One row for each line, and where its numbers stand."""
        heads = ["option", "phase", "item", "quantity", "unit", "USD per unit", "USD once"]
        heads += ["times", "base case, USD", "present value, USD", "expected, USD (value)", "live"]
        heads += ["treatment", "trend", "basis", "inputs that move it", "sources"]
        sheet, row = self.sheet(
            "Ledger", heads, [24, 13, 34, 14, 14, 14, 14, 10, 16, 16, 16, 8, 11, 10, 60, 60, 60]
        )
        expected = lines_booked(self.study)
        found: Lines = {}
        for label, option in self.options.items():
            evidence = Evidence(self.study.options[label], self.study.work, self.study.terms)
            written = self.expressions()
            parts = [
                [x.quantity * 1.0, x.usd_per_unit * 1.0, x.path * 1.0]
                for x in option.lines.values()
            ]
            texts = iter(written.write([part for line in parts for part in line]))
            found[label] = []
            for (key, each), numbers in zip(option.lines.items(), parts, strict=True):
                (count,), (usd,), path = next(texts), next(texts), next(texts)
                values = [np.asarray(getattr(x, "value", x), float) for x in numbers]
                path_cells = self.place(path, np.broadcast_to(values[2], self.months + 1))
                span, at = self.span(path_cells), row + 1
                texts_of = [f"D{at}*F{at}", f"SUM({span})", f"G{at}*H{at}"]
                texts_of.append(f"G{at}*SUMPRODUCT({span},{self.discounts})")
                once, times = float(values[0] * values[1]), float(values[2].sum())
                worth = once * float(values[2] @ self.discount)
                for column, text in enumerate([label, each.line.phase, each.line.item]):
                    sheet.write_string(row, column, text)
                self.formula(sheet, row, 3, count, values[0], "number")
                self.words(sheet, row, 4, each.line.unit)
                self.formula(sheet, row, 5, usd, values[1], "number")
                for column, text, value in zip(
                    range(6, 10), texts_of, (once, times, once * times, worth), strict=True
                ):
                    look = "number" if column == 7 else "usd" if each.live else "value"
                    self.formula(sheet, row, column, text, value, look)
                booked = expected.get(label, {}).get(key)
                sheet.write_number(row, 10, float(booked.usd.sum()) if booked else 0.0,
                                   self.looks["value"])  # fmt: skip
                words = ["live" if each.live else "value", each.line.treatment, each.line.trend]
                words += [evidence.basis(each.line), moved_by(each)]
                words.append("; ".join(evidence.cited(each.line)))
                for column, text in enumerate(words, 11):
                    self.words(sheet, row, column, text)
                found[label].append({
                    "row": row, "path": path_cells, "formula": each, "once": once,
                    "usd": once * values[2] * np.ones(self.months + 1), "worth": worth,
                })  # fmt: skip
                row += 1
        return found

    def _cash_flow(self, lines: Lines) -> None:
        """What is paid in each month: of each option, cumulated, discounted, and of each line."""
        dates = [self.study.terms.date_of(m) for m in range(self.months + 1)]
        heads = ["option", "item", *(f"{m}: {day}" for m, day in enumerate(dates))]
        sheet, row = self.sheet("Cash_flow", heads, [24, 34, *[13] * len(dates)])
        first = row + 3 * len(lines) + 1
        mine_at = first
        for label, mine in lines.items():
            usd = np.sum([each["usd"] for each in mine], axis=0)
            kinds = ("paid, USD", "paid until then, USD", "discounted, USD")
            shown = (usd, usd.cumsum(), usd * self.discount)
            for k, (kind, values) in enumerate(zip(kinds, shown, strict=True)):
                sheet.write_string(row + k, 0, label)
                sheet.write_string(row + k, 1, kind)
                for m in range(self.months + 1):
                    column = xl_col_to_name(m + 2)
                    paid = f"{column}{row + 1}"
                    rate = self.cell(self.discounts, m)
                    before = f"{xl_col_to_name(m + 1)}{row + 2}+" if m else ""
                    text = (
                        f"SUM({column}${mine_at + 1}:{column}${mine_at + len(mine)})",
                        f"{before}{paid}",
                        f"{paid}*{rate}",
                    )[k]
                    self.formula(sheet, row + k, m + 2, text, values[m], "usd")
            row, mine_at = row + 3, mine_at + len(mine)
        self.flow_rows = {label: 2 + 3 * k for k, label in enumerate(lines)}
        row = first
        for label, mine in lines.items():
            for each in mine:
                sheet.write_string(row, 0, label)
                sheet.write_string(row, 1, each["formula"].line.item)
                for m, (cell, usd) in enumerate(zip(each["path"], each["usd"], strict=True)):
                    text = f"Ledger!$G${each['row'] + 1}*{cell}"
                    self.formula(sheet, row, m + 2, text, usd, "other sheet")
                row += 1

    # -- inputs and words --------------------------------------------------------------------------

    def _inputs(self) -> None:
        """Inputs that a formula follows, as cells to change; then those that none follows."""
        heads = ["input", "value", "low", "middle", "high", "unit", "source", "why", "options"]
        heads += ["changed (1 or 0)", *(f"moves a value of {label}" for label in self.options)]
        widths = [46, 22, 13, 13, 13, 16, 20, 60, 40, *[16] * (1 + len(self.options))]
        sheet, row = self.sheet("Inputs", heads, widths)
        held = {
            label: {
                name
                for line in option.lines.values()
                for name in (line.holds if line.live else line.inputs)
            }
            for label, option in self.options.items()
        }
        told = inputs_of(self.study)
        told = told.assign(mid=told["mid"].astype(float)).drop_duplicates(["input", "mid"])
        told = told.set_index(["input", "mid"]).to_dict("index")
        places = {name: key for key, name in self.inputs.names.items()}
        names = sorted([DISCOUNT, *places], key=self._rank)
        for name in names:
            key, value = places.get(name, (name, self.rate))
            row_of = told.get((key, value), {})
            ends = {end: row_of.get(end, value) for end in ("low", "high")}
            live = name in self.followed
            sheet.write_string(row, 0, name)
            self.number(sheet, row, 1, value, "input" if live else "number")
            for column, number in enumerate([ends["low"], value, ends["high"]], 2):
                self.number(sheet, row, column, number, "number")
            field = key.rpartition(".")[2]
            texts = [GLOSSARY[field].unit if field in GLOSSARY else str(row_of.get("unit", ""))]
            texts += [str(row_of.get(x, "")) for x in ("source", "why", "options")]
            if not live:
                texts[2] = f"no live formula follows it. {texts[2]}".strip()
            for column, text in enumerate(texts, 5):
                self.words(sheet, row, column, text)
            self.formula(sheet, row, 9, f"IF(B{row + 1}<>D{row + 1},1,0)", 0, "number")
            for column, label in enumerate(self.options, 10):
                sheet.write_number(row, column, float(name in held[label]), self.looks["number"])
            if live:
                self.book.define_name(self.names[name], f"=Inputs!$B${row + 1}")
                self._allowed(sheet, row, field)
            row += 1
        sheet.freeze_panes(1, 2)

    def _rank(self, name: str) -> tuple[bool, bool]:
        """Inputs to change come first, among them those of the workload and the terms."""
        return name not in self.followed, not name.startswith(FIRST)

    def _allowed(self, sheet: Any, row: int, field: str) -> None:
        if field in GLOSSARY:
            low, high = (float(x) for x in limits(field))
            if np.isfinite(low) and np.isfinite(high):
                rule: dict[str, Any] = {"criteria": "between", "minimum": low, "maximum": high}
            elif np.isfinite(low):
                rule = {"criteria": ">=", "value": low}
            else:
                return
            sheet.data_validation(row, 1, row, 1, {"validate": "decimal", **rule})

    def _options(self) -> None:
        lines = {label: list(option.lines.values()) for label, option in self.options.items()}
        told = made_of(self.study).assign(
            live=lambda x: x["option"].map(lambda label: live_share(lines.get(label, [])))
        )
        self.frame("Options", told, widths=[30, 50, 60, 10, 40])
