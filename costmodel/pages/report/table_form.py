"""Tables of a report: numbers to the right, heads that belong to cells, and a form for phones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bs4 import BeautifulSoup

OWN = "cm-table"  # the class of a table of ours, whose columns of numbers are marked
WIDE_COLUMNS = 6  # a table with more columns may use the margins of a wide screen
FEW_COLUMNS = 3  # a table with more columns becomes cards on a phone
_NUMBER = re.compile(
    r"[(~≈<>≤≥]*\s*[-−–+]?\s*(US\$|[$€£])?\s*[-−+]?\d[\d,. ]*"
    r"(e[-+]?\d+|×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?\s*([%×x°]|[A-Za-z]{1,3})?\)?"
)
_MISSING = set("nan none nat <na>".split())
_EMPTY = {"", *"- – — never n/a".split(), *_MISSING}


def said(tag: Any) -> str:
    """The text of a tag in one line."""
    return tag.get_text(" ", strip=True)


def tidy_table(table: Any, align: bool = True) -> None:
    """A table of somebody else: numbers to the right, one header row where pandas makes two."""
    for name in ("border", "width", "cellpadding", "cellspacing"):
        del table[name]
    rows = table.select("thead tr")
    if len(rows) == 2:
        top, names = (row(["th", "td"]) for row in rows)
        pairs = list(zip(top, names, strict=False))
        if len(top) == len(names) and not any(said(cell) and said(name) for cell, name in pairs):
            for cell, name in pairs:
                if said(name):
                    cell.string = said(name)
            rows[1].extract()
    narrow = [each for each in cells(table) if each[1].get("colspan", "1") == "1"]
    columns: dict[int, list[str]] = {}
    for section, cell, column in narrow:
        if section == "body":
            if said(cell).lower() in _MISSING:
                cell.string = "–"
            columns.setdefault(column, []).append(said(cell))
    numeric = {column for column, texts in columns.items() if align and _numbers(texts)}
    for _, cell, column in narrow:
        if column in numeric:
            cell["class"] = [*cell.get("class", []), "num"]


def framed(html: str) -> str:
    """One of our tables as HTML, in its frame."""
    soup = BeautifulSoup(html, "html.parser")
    for table in soup("table"):
        frame(table)
    return str(soup)


def frame(table: Any) -> None:
    """What heads belong to which cells, and a frame that a phone needs: cards, or a scroll bar."""
    heads: dict[int, str] = {}
    rows = 0
    for section, cell, column in cells(table):
        rows += section == "head" and column == 0
        if section == "head":
            cell["scope"] = "col"
            heads[column] = said(cell)
        else:
            if column == 0 and cell.name == "td" and "num" not in cell.get("class", []):
                cell.name = "th"
            if cell.name == "th":
                cell["scope"] = "row"
            if heads.get(column):
                cell["data-label"] = heads[column]
    count = 1 + max(heads, default=0)
    classes = ["table", *["wide"] * (count > WIDE_COLUMNS)]
    frame = {"class": " ".join(classes)}
    if count > FEW_COLUMNS and rows == 1 and not table.find(colspan=True):
        frame["class"] += " stack"
        _keep_roles(table)
    else:
        frame |= {"tabindex": "0", "role": "region"}
        frame["aria-label"] = said(table.caption) if table.caption else "Table"
    if table.parent is None or "table" not in table.parent.get("class", []):
        table.wrap(BeautifulSoup("", "html.parser").new_tag("div", attrs=frame))


def _keep_roles(table: Any) -> None:
    """Roles in words, because a table that is shown as cards would lose them."""
    table["role"] = "table"
    for group in table(["thead", "tbody"]):
        group["role"] = "rowgroup"
    for row in table("tr"):
        row["role"] = "row"
    for cell in table(["th", "td"]):
        heads = {"col": "columnheader", "row": "rowheader"}
        cell["role"] = heads.get(cell.get("scope", ""), "cell")


def _numbers(texts: list[str]) -> bool:
    """Whether most of the texts of a column are numbers."""
    told = [t for t in texts if t.lower() not in _EMPTY]
    return bool(told) and sum(bool(_NUMBER.fullmatch(t)) for t in told) >= 0.7 * len(told)


def cells(table: Any) -> Iterator[tuple[str, Any, int]]:
    """Every cell of a table with its section ("head" or "body") and the column where it starts."""
    taken: set[tuple[int, int]] = set()
    for y, row in enumerate(table("tr")):
        x = 0
        section = "head" if row.parent.name == "thead" else "body"
        for cell in row(["th", "td"], recursive=False):
            while (y, x) in taken:
                x += 1
            wide, tall = int(cell.get("colspan", 1)), int(cell.get("rowspan", 1))
            taken |= {(y + j, x + i) for i in range(wide) for j in range(tall)}
            yield section, cell, x
            x += wide
