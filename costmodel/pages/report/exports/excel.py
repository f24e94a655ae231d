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
from costmodel.facts.pricelist import snapshot
from costmodel.ledgers.book import lines_booked
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.evidence import Evidence
from costmodel.ledgers.live import Formulas, formulas_of
from costmodel.ledgers.register import inputs_of, register
from costmodel.pages.first_words import made_of
from costmodel.pages.report.colophon import own_version
from costmodel.pages.report.exports.workbook import DISCOUNT, HEAD, Workbook, live_share, moved_by

SHEETS = "Summary Inputs Options Ledger Cash_flow Comparison Register Checks Workings".split()
HUGE = "9.9E+307"  # the present value of an option that is not in the choice
FIRST = ("Workload.", "Corpus.", "Terms.", "Trends.")


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


class _Book(Workbook):
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
        self._comparison(lines)
        self._checks(lines)
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

    def _ledger(self) -> dict[str, list[dict[str, Any]]]:
        """One row for each line, and where its numbers stand."""
        heads = ["option", "phase", "item", "quantity", "unit", "USD per unit", "USD once"]
        heads += ["times", "base case, USD", "present value, USD", "expected, USD (value)", "live"]
        heads += ["treatment", "trend", "basis", "inputs that move it", "sources"]
        sheet, row = self.sheet(
            "Ledger", heads, [24, 13, 34, 14, 14, 14, 14, 10, 16, 16, 16, 8, 11, 10, 60, 60, 60]
        )
        expected = lines_booked(self.study)
        found: dict[str, list[dict[str, Any]]] = {}
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

    def _cash_flow(self, lines: dict[str, list[dict[str, Any]]]) -> None:
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

    # -- the answer --------------------------------------------------------------------------------

    def _comparison(self, lines: dict[str, list[dict[str, Any]]]) -> None:
        """The base case of each option, live, beside its expected values."""
        heads = ["option", "base case, USD", "present value, USD", "a month, USD"]
        heads += ["quality at the middles", "in the choice (1 or 0)", "present value in the choice"]
        heads += ["follows every change (1 or 0)"]
        values = ["expected", "p10", "p50", "p90", "to_pay", "wrong_answers", "present_value"]
        heads += [f"{name.replace('_', ' ')}, USD (value)" for name in values]
        heads += ["quality (value)", "chance to reach the floor (value)", "eligible (value)"]
        heads += ["why not ranked"]
        sheet, row = self.sheet("Comparison", heads, [24, *[16] * 17, 60])
        self.first, floor = row, self.study.quality_floor
        for label in self.table.index:
            told, n = self.table.loc[label], row + 1
            sheet.write_string(row, 0, label)
            if label in lines:
                usd = float(sum(each["usd"].sum() for each in lines[label]))
                worth = float(sum(each["worth"] for each in lines[label]))
                share = self._quality(sheet, row, self.options[label])
                first, last = (lines[label][k]["row"] + 1 for k in (0, -1))
                chosen = 1 if floor is None or (share is not None and share >= floor) else 0
                asked = (
                    "" if floor is None else "0*" if share is None else f"IF(E{n}>={floor},1,0)*"
                )
                end, flags = (
                    len(self.inputs.names) + 2,
                    xl_col_to_name(10 + list(lines).index(label)),
                )
                moved = f"SUMPRODUCT(Inputs!$J$2:$J${end},Inputs!${flags}$2:${flags}${end})"
                for column, text, value in (
                    (1, f"SUM(Ledger!$I${first}:$I${last})", usd),
                    (2, f"SUM(Ledger!$J${first}:$J${last})", worth),
                    (3, f"B{n}/{self.months}", usd / self.months),
                    (5, f"{asked}H{n}", chosen),
                    (6, f"IF(F{n}=1,C{n},{HUGE})", worth if chosen else float(HUGE)),
                    (7, f"IF({moved}=0,1,0)", 1),
                ):
                    self.formula(
                        sheet, row, column, text, value, "number" if column == 5 else "usd"
                    )
            for column, name in enumerate(values, 8):
                self.number(sheet, row, column, told[name], "value")
            self.number(sheet, row, 15, told["quality"], "value share")
            self.number(sheet, row, 16, told["p_reaches"], "value share")
            self.words(sheet, row, 17, "yes" if told["eligible"] else "no")
            sheet.write_string(row, 18, str(told["why_not"]), self.looks["text"])
            row += 1
        self.last = row - 1

    def _quality(self, sheet: Any, row: int, option: Formulas) -> float | None:
        if option.accepted is None:
            sheet.write_string(row, 4, "not known")
            return None
        written = self.expressions()
        value = float(np.squeeze(getattr(option.accepted, "value", option.accepted)))
        ((text,),) = written.write([option.accepted * 1.0])
        self.formula(sheet, row, 4, text, value, "share")
        return value

    def _checks(self, lines: dict[str, list[dict[str, Any]]]) -> None:
        """What must stay as it is, and sums that must agree."""
        heads = ["what is checked", "now", "was", "holds (1 or 0)", "options"]
        sheet, row = self.sheet("Checks", heads, [90, 16, 16, 12, 60])
        for label in lines:
            n = self.flow_rows[label]
            end = xl_col_to_name(self.months + 2)
            at = self.first + list(self.table.index).index(label) + 1
            total = float(sum(each["usd"].sum() for each in lines[label]))
            sheet.write_string(row, 0, f"cash flow and ledger of {label} agree to a cent")
            self.formula(sheet, row, 1, f"SUM('Cash flow'!C{n}:{end}{n})", total, "usd")
            self.formula(sheet, row, 2, f"Comparison!B{at}", total, "usd")
            self.formula(sheet, row, 3, f"IF(ABS(B{row + 1}-C{row + 1})<0.01,1,0)", 1, "number")
            row += 1
        asked: dict[str, tuple[bool, list[str]]] = {}
        for label, option in self.options.items():
            written = self.expressions()
            for node, was in option.conditions:
                ((text, *_),) = written.write([node])
                asked.setdefault(text, (was, []))[1].append(label)
        for text, (was, labels) in asked.items():
            self.words(sheet, row, 0, f"the model takes the same road: {text}")
            self.formula(sheet, row, 1, text, float(was), "number")
            sheet.write_number(row, 2, float(was), self.looks["value"])
            same = f"IF(IF(B{row + 1}<>0,1,0)=C{row + 1},1,0)"
            self.formula(sheet, row, 3, same, 1, "number")
            sheet.write_string(row, 4, ", ".join(dict.fromkeys(labels)))
            row += 1
        self.checks = row - 1

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

    def _summary(self, lines: dict[str, list[dict[str, Any]]]) -> None:
        sheet = self.sheets["Summary"]
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 7, 22)
        study, terms = self.study, self.study.terms
        span = [f"Comparison!${c}${self.first + 1}:${c}${self.last + 1}" for c in "AG"]
        cheapest = self._cheapest(lines)
        named = (
            f'IF(MIN({span[1]})<{HUGE},INDEX({span[0]},MATCH(MIN({span[1]}),{span[1]},0)),"none")'
        )
        holds = f"SUM(Checks!$D$2:$D${self.checks + 1})"
        count = self.checks
        every = [x["formula"] for mine in lines.values() for x in mine]
        sheet.write_string(0, 0, study.title or "Cost of the options", self.looks["title"])
        horizon = f"{terms.months} months from {terms.start}, amounts in USD"
        sheet.write_string(1, 0, horizon)
        sheet.write_string(2, 0, f"costmodel {own_version()}; prices: {snapshot()}")
        sheet.write_string(4, 0, "Cheapest at the middles (live)", self.looks["strong"])
        self.formula(sheet, 4, 1, named, cheapest, "strong")
        sheet.write_string(5, 0, "Formulas say what the model says")
        said = (
            f'IF({holds}={count},"yes: all checks hold","NO: see Checks, and run costmodel again")'
        )
        self.formula(sheet, 5, 1, said, "yes: all checks hold", "line")
        sheet.write_string(6, 0, "Lines that are live")
        sheet.write_string(6, 1, live_share(every))
        sheet.write_string(7, 0, "Left out since an input changed")
        left = f"{len(lines)}-SUM(Comparison!$H${self.first + 1}:$H${self.last + 1})"
        self.formula(sheet, 7, 1, left, 0, "line")
        sheet.merge_range(8, 0, 8, 7, "", self.looks["text"])
        sheet.write_string(8, 0, f"Verdict (a value, on {study.draws:,} draws): "
                           f"{self.verdict.headline}", self.looks["text"])  # fmt: skip
        sheet.set_row(8, 62)
        heads = ["option", "base case, USD (live)", "present value, USD (live)",
                 "expected, USD (value)", "p10, USD (value)", "p90, USD (value)",
                 "eligible (value)", "follows every change (1 or 0)"]  # fmt: skip
        sheet.set_row(10, HEAD)
        for column, text in enumerate(heads):
            sheet.write_string(10, column, text, self.looks["head"])
        for k, label in enumerate(self.table.index):
            row, at, told = 11 + k, self.first + k + 1, self.table.loc[label]
            sheet.write_string(row, 0, label)
            if label in lines:
                usd = float(sum(x["usd"].sum() for x in lines[label]))
                worth = float(sum(x["worth"] for x in lines[label]))
                self.formula(sheet, row, 1, f"Comparison!B{at}", usd, "other sheet")
                self.formula(sheet, row, 2, f"Comparison!C{at}", worth, "other sheet")
            for column, name in ((3, "expected"), (4, "p10"), (5, "p90")):
                self.number(sheet, row, column, told[name], "value")
            self.words(sheet, row, 6, "yes" if told["eligible"] else "no")
            if label in lines:
                self.formula(sheet, row, 7, f"Comparison!H{at}", 1, "number")
        legend = {
            "input": "blue on yellow: an input to change, on the sheet Inputs",
            "usd": "black: a formula",
            "other sheet": "green: a formula that reads another sheet",
            "value": "grey: a value of the model, which no input of this workbook moves",
            "line": "an option whose values a changed input would move leaves the choice",
        }
        for k, (look, text) in enumerate(legend.items()):
            sheet.write_string(13 + len(self.table) + k, 0, text, self.looks[look])

    def _cheapest(self, lines: dict[str, list[dict[str, Any]]]) -> str:
        floor, best = self.study.quality_floor, ("none", np.inf)
        for label in self.table.index:
            if label in lines:
                share = self.options[label].accepted
                share = np.nan if share is None else np.squeeze(getattr(share, "value", share))
                worth = sum(x["worth"] for x in lines[label])
                if worth < best[1] and (floor is None or float(share) >= floor):
                    best = label, worth
        return best[0]
