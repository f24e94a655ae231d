"""The cells of a workbook: their looks, formulas with present values, and names of inputs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from costmodel.core import plain_cell
from costmodel.ledgers.expressions import Expressions
from costmodel.ledgers.live import Formula

USD, NUMBER, SHARE = "#,##0.00", "General", "0.0 %"
HEAD = 45  # points: three lines of a head
LOOKS: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 16},
    "head": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"},
    "text": {"text_wrap": True, "valign": "top"},
    "line": {"align": "left"},
    "beside": {"indent": 1},  # a number
    "shown input": {"font_color": "#0000FF", "bg_color": "#FFFBE6"},
    "usd": {"num_format": USD},
    "number": {"num_format": NUMBER},
    "share": {"num_format": SHARE},
    "value": {"num_format": USD, "font_color": "#6B6B6B", "italic": True},
    "value share": {"num_format": SHARE, "font_color": "#6B6B6B", "italic": True},
    "other sheet": {"num_format": USD, "font_color": "#1B6E3C"},
    "strong": {"bold": True, "font_size": 13, "text_wrap": True, "valign": "top"},
}
LOOKS["input"] = LOOKS["shown input"] | {"num_format": NUMBER, "locked": False}
LARGE = {10.0: "0.0#", 100.0: "#,##0"}  # how a number from there on is shown
for _name in ("number", "input"):
    LOOKS |= {f"{_name} {x:g}": LOOKS[_name] | {"num_format": y} for x, y in LARGE.items()}
DISCOUNT = "Terms.discount_rate"
FIRST = ("Workload.", "Corpus.", "Terms.", "Trends.")  # inputs that people ask about first
TEXT_MAX = 32_000  # characters of a cell
FORMULA_MAX = 8_192  # characters of a formula with its sign, as Excel takes it
STEPS = "Workings"  # the sheet of formulas that others use


class Sheet(Worksheet):
    """A sheet whose texts stay texts, also where somebody saves it as CSV."""

    def _write_string(self, row: int, col: int, string: str, cell_format: Any = None) -> int:
        return super()._write_string(row, col, plain_cell(string), cell_format)


class Workbook:
    """Sheets whose formulas stand on named inputs; `followed` are the inputs that one uses."""

    def __init__(self, book: Any, sheets: Iterable[str], inputs: Iterable[str]) -> None:
        self.book = book
        self.looks = {name: book.add_format(look) for name, look in LOOKS.items()}
        self.sheets = {name: book.add_worksheet(name.replace("_", " "), Sheet) for name in sheets}
        for sheet in self.sheets.values():
            sheet.protect("", {"format_columns": True, "format_rows": True, "autofilter": True})
            sheet.freeze_panes(1, 0)
            sheet.set_landscape()
            sheet.fit_to_pages(1, 0)
        self.cells: dict[tuple[str, ...], list[str]] = {}
        self.rows = 1  # of STEPS
        self.names = _excel_names(inputs)
        self.followed = {DISCOUNT}

    def expressions(self) -> Expressions:
        """What writes traced values as formulas of this workbook."""
        return Expressions(self._named, self.place, self._column_of)

    def _named(self, name: str) -> str:
        """What a formula calls an input, which then is one to change."""
        self.followed.add(name)
        return self.names[name]

    def place(self, texts: list[str], values: np.ndarray) -> list[str]:
        """Formulas in a row of Workings; equal ones are written once."""
        key = tuple(texts)
        if key not in self.cells:
            sheet, row = self.sheets[STEPS], self.rows
            self.rows += 1
            for k, (text, value) in enumerate(zip(texts, values, strict=True), 1):
                self.formula(sheet, row, k, text, value, "number")
            self.cells[key] = [
                f"Workings!{xl_rowcol_to_cell(row, k, True, True)}"
                for k in range(1, len(texts) + 1)
            ]
        return self.cells[key]

    def _column_of(self, numbers: np.ndarray) -> str:
        """A row of numbers in Workings, as a range."""
        places = self.place([repr(float(x)) for x in numbers], np.asarray(numbers, float))
        return f"{places[0]}:{places[-1].removeprefix('Workings!')}"

    def formula(self, sheet: Any, row: int, column: int, text: str, value: Any, look: str) -> None:
        """A formula with its present value, or the number that it is."""
        try:
            self.number(sheet, row, column, float(text), look)
        except ValueError:
            assert len(text) < FORMULA_MAX, f"{text[:80]}... has {len(text):,} characters"
            shown = value if isinstance(value, str) else float(value)
            sheet.write_formula(row, column, f"={text}", self._look(look, value), shown)

    def _look(self, look: str, value: Any) -> Any:
        """A look, of a number with the digits that it needs."""
        large = [x for x in LARGE if f"{look} {x:g}" in self.looks and abs(float(value)) >= x]
        return self.looks[f"{look} {large[-1]:g}" if large else look]

    @staticmethod
    def span(cells: list[str]) -> str:
        return f"{cells[0]}:{cells[-1].removeprefix('Workings!')}"

    @staticmethod
    def cell(span: str, place: int) -> str:
        """A cell of a row in Workings by its number."""
        row = re.findall(r"\d+", span)[0]
        return f"Workings!${xl_col_to_name(place + 1)}${row}"

    def number(self, sheet: Any, row: int, column: int, value: Any, look: str) -> None:
        if pd.notna(value) and np.isfinite(value):
            sheet.write_number(row, column, float(value), self._look(look, value))

    def words(self, sheet: Any, row: int, column: int, text: str) -> None:
        """A text beside numbers."""
        sheet.write_string(row, column, text[:TEXT_MAX], self.looks["beside"])

    # -- sheets ------------------------------------------------------------------------------------

    def sheet(self, name: str, heads: Iterable[str], widths: Iterable[float]) -> tuple[Any, int]:
        sheet = self.sheets[name]
        sheet.set_row(0, HEAD)
        for column, text in enumerate(heads):
            sheet.write_string(0, column, text, self.looks["head"])
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        return sheet, 1

    def frame(self, name: str, table: pd.DataFrame, widths: Iterable[float]) -> None:
        """A table of values."""
        sheet, row = self.sheet(name, map(str, table.columns), widths)
        for values in table.itertuples(index=False):
            for column, value in enumerate(values):
                if isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
                    self.number(sheet, row, column, value, "number")
                else:
                    self.words(sheet, row, column, str(value))
            row += 1


def _excel_names(inputs: Iterable[str]) -> dict[str, str]:
    """A name of a cell for each input: letters, digits, points and underscores, each once."""
    names, seen = {}, set()
    for name in [DISCOUNT, *inputs]:
        text = base = "in." + re.sub(r"[^A-Za-z0-9_.]", "_", name)
        number = 1
        while text.lower() in seen:
            number += 1
            text = f"{base}_{number}"
        seen.add(text.lower())
        names[name] = text
    return names


def moved_by(line: Formula) -> str:
    """The inputs that move a line, and which of them its formula does not follow."""
    holds = f"; not followed: {', '.join(line.holds)}" if line.holds else ""
    return ", ".join(x for x in line.inputs if x not in line.holds) + holds


def live_share(lines: list[Formula]) -> str:
    """How many lines are live, and what share of the dollars."""
    usd = sum(abs(x.usd.sum()) for x in lines)
    live = sum(abs(x.usd.sum()) for x in lines if x.live)
    share = live / usd if usd else 1.0
    whole = sum(x.live and not x.holds for x in lines)
    text = f"{sum(x.live for x in lines)} of {len(lines)}, {share:.0%} of the dollars"
    return f"{text}; {whole} follow every input"
