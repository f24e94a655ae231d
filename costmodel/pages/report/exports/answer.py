"""The sheets of a workbook that answer: Comparison, Checks and Summary."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from xlsxwriter.utility import xl_col_to_name

from costmodel.choices.study import Study
from costmodel.decisions.verdict import Verdict
from costmodel.facts.pricelist import dated_list
from costmodel.ledgers.expressions import condition
from costmodel.ledgers.live import Formulas, Inputs
from costmodel.pages.report.colophon import own_version
from costmodel.pages.report.exports.roads import road
from costmodel.pages.report.exports.workbook import HEAD, TEXT_MAX, Workbook, live_share

OUT = "left out"  # in the place of the present value of an option that is not in the choice
NAME_LINE = 80  # characters of an option that a line of the Summary holds
Lines = dict[str, list[dict[str, Any]]]  # of each option: where each line stands, and its amounts


class Answer(Workbook):
    """A workbook that compares the options of a study."""

    study: Study
    inputs: Inputs
    options: dict[str, Formulas]
    months: int
    verdict: Verdict
    table: pd.DataFrame
    flow_rows: dict[str, int]
    first = 1  # row of the first option on Comparison

    def _comparison(self, lines: Lines) -> None:
        """The base case of each option, live, beside its expected values."""
        heads = ["option", "base case, USD", "present value, USD", "a month, USD"]
        heads += ["quality at the middles", "in the choice (1 or 0)", "present value in the choice"]
        heads += ["follows every change (1 or 0)"]
        values = ["expected", "p10", "p50", "p90", "to_pay", "wrong_answers", "present_value"]
        heads += [f"{name.replace('_', ' ')}, USD (value)" for name in values]
        heads += ["quality (value)", "chance to reach the floor (value)", "eligible (value)"]
        heads += ["why not ranked"]
        sheet, row = self.sheet("Comparison", heads, [24, *[16] * 17, 60])
        floor = self.study.quality_floor
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
                flipped = self._flipped(list(lines).index(label))
                for column, text, value in (
                    (1, f"SUM(Ledger!$I${first}:$I${last})", usd),
                    (2, f"SUM(Ledger!$J${first}:$J${last})", worth),
                    (3, f"B{n}/{self.months}", usd / self.months),
                    (5, f"{asked}H{n}", chosen),
                    (6, f'IF(F{n}=1,C{n},"{OUT}")', worth if chosen else OUT),
                    (7, f"IF({moved}+{flipped}=0,1,0)", 1),
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

    def _flipped(self, option: int) -> str:
        """How many checks of an option fail."""
        column, end = xl_col_to_name(5 + option), self.checks + 1
        mine = f"Checks!${column}$2:${column}${end}"
        return f"SUM({mine})-SUMPRODUCT(Checks!$D$2:$D${end},{mine})"

    def _checks(self, lines: Lines) -> None:
        """What must stay as it is, and sums that must agree."""
        heads = ["what is checked", "now", "was", "holds (1 or 0)", "options"]
        heads += [f"a check of {label} (1 or 0)" for label in lines]
        sheet, row = self.sheet("Checks", heads, [90, 16, 16, 12, 60, *[16] * len(lines)])
        for label in lines:
            n = self.flow_rows[label]
            end = xl_col_to_name(self.months + 2)
            at = self.first + list(self.table.index).index(label) + 1
            total = float(sum(each["usd"].sum() for each in lines[label]))
            sheet.write_string(row, 0, f"cash flow and ledger of {label} agree to a cent")
            self.formula(sheet, row, 1, f"SUM('Cash flow'!C{n}:{end}{n})", total, "usd")
            self.formula(sheet, row, 2, f"Comparison!B{at}", total, "usd")
            self.formula(sheet, row, 3, f"IF(ABS(B{row + 1}-C{row + 1})<0.01,1,0)", 1, "number")
            self._of(sheet, row, [label], lines)
            row += 1
        asked: dict[str, tuple[str, bool, list[str]]] = {}
        for label, option in self.options.items():
            written = self.expressions()
            for node, was in option.conditions:
                ((text, *_),) = written.write([node])
                asked.setdefault(text, (road(node, was), was, []))[-1].append(label)
        for text, (words, was, labels) in asked.items():
            said = f"the model takes the same road: {words}"
            sheet.write_string(row, 0, said[:TEXT_MAX], self.looks["text"])
            self.formula(sheet, row, 1, f"IF({condition(text)},1,0)", float(was), "number")
            sheet.write_number(row, 2, float(was), self.looks["value"])
            self.formula(sheet, row, 3, f"IF(B{row + 1}=C{row + 1},1,0)", 1, "number")
            self._of(sheet, row, labels, lines)
            row += 1
        self.checks = row - 1

    def _of(self, sheet: Any, row: int, labels: list[str], lines: Lines) -> None:
        """Whose check stands in a row, in words and as 1 or 0."""
        sheet.write_string(row, 4, ", ".join(dict.fromkeys(labels)))
        for column, label in enumerate(lines, 5):
            sheet.write_number(row, column, float(label in labels), self.looks["number"])

    def _summary(self, lines: Lines) -> None:
        sheet = self.sheets["Summary"]
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 7, 22)
        study, terms = self.study, self.study.terms
        span = [f"Comparison!${c}${self.first + 1}:${c}${self.last + 1}" for c in "AG"]
        cheapest = self._cheapest(lines)
        named = f'IF(COUNT({span[1]})>0,INDEX({span[0]},MATCH(MIN({span[1]}),{span[1]},0)),"none")'
        holds = f"SUM(Checks!$D$2:$D${self.checks + 1})"
        count = self.checks
        every = [x["formula"] for mine in lines.values() for x in mine]
        sheet.write_string(0, 0, study.title or "Cost of the options", self.looks["title"])
        horizon = f"{terms.months} months from {terms.start}, amounts in USD"
        sheet.write_string(1, 0, horizon)
        sheet.write_string(2, 0, f"costmodel {own_version()}; prices: {dated_list()}")
        sheet.write_string(4, 0, "Cheapest at the middles (live)", self.looks["strong"])
        sheet.merge_range(4, 1, 4, 7, "", self.looks["strong"])
        self.formula(sheet, 4, 1, named, cheapest, "strong")
        sheet.set_row(4, 20 * (1 + max(map(len, lines), default=0) // NAME_LINE))
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
            "shown input": "blue on yellow: an input to change, on the sheet Inputs",
            "usd": "black: a formula",
            "other sheet": "green: a formula that reads another sheet",
            "value": "grey: a value of the model, which no input of this workbook moves",
            "line": "an option that a change moves by more than its formulas leaves the choice",
        }
        for k, (look, text) in enumerate(legend.items()):
            sheet.write_string(13 + len(self.table) + k, 0, text, self.looks[look])

    def _cheapest(self, lines: Lines) -> str:
        floor, best = self.study.quality_floor, ("none", np.inf)
        for label in self.table.index:
            if label in lines:
                share = self.options[label].accepted
                share = np.nan if share is None else np.squeeze(getattr(share, "value", share))
                worth = sum(x["worth"] for x in lines[label])
                if worth < best[1] and (floor is None or float(share) >= floor):
                    best = label, worth
        return best[0]
