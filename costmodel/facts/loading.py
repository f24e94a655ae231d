"""From rows to records: a number with low and high becomes a Range, and each keeps its source."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

from costmodel.core import CatalogError, Range, check_known
from costmodel.facts.records import Fact, Rent
from costmodel.facts.rows import Row, newest_rows


@cache
def records_of(record: Any, file: str, folder: Path, on: str | None) -> dict[str, Any]:
    """The records of one file by id."""
    found = {}
    fields = record.__dataclass_fields__
    needed = [n for n, f in fields.items() if f.default is dataclasses.MISSING]
    for id, rows in newest_rows(file, folder, on).items():
        values: dict[str, Any] = {"id": id}
        if record is Rent:
            values |= zip(("gpu", "channel", "term"), id.rsplit(".", 2), strict=True)
        for name, row in rows.items():
            check_known("field", name, fields, f"{record.__name__} ({file}.csv)")
            values[name] = _as_value(row, str(fields[name].type))
        if missing := [n for n in needed if n not in values]:
            raise CatalogError(f"{file}.csv: {id} has no row for {', '.join(missing)}")
        sources = tuple((name, row["source"]) for name, row in rows.items())
        found[id] = record(**values, sources=sources)
    return found


@cache
def facts_in(file: str, folder: Path, on: str | None) -> dict[str, Fact]:
    """The facts of one file by `id.field`."""
    found = {}
    for id, rows in newest_rows(file, folder, on).items():
        for field, row in rows.items():
            key = f"{id}.{field}"
            value = row["value"] if row["unit"] in ("date", "text") else _as_range(row, key)
            sources = ((field, row["source"]),)
            found[key] = Fact(id, field, value, row["unit"], row["as_of"], sources=sources)
    return found


def _as_range(row: Row, name: str | None = None) -> Range:
    low, high = (float(row[end] or row["value"]) for end in ("low", "high"))
    share = row["unit"].startswith("share") and low > 0 and high < 1
    form = "share" if share else "amount" if low > 0 else "change" if low > -1 else "signed"
    form = {"index": "index", "log-odds": "signed"}.get(row["unit"], form)
    mid: Any = float(row["value"]) if row["value"] else None
    return Range(low, high, mid, name=name, form=form, source=row["source"], why=row["note"])


def _as_value(row: Row, kind: str) -> Any:
    """The value of a row for a field annotated `kind`: text, flag, int, float or Range."""
    if row["unit"] == "flag":
        return row["value"] == "true"
    if row["unit"] in ("text", "date"):
        return row["value"]
    if kind == "Range" or row["low"] != row["high"]:
        return _as_range(row)
    number = float(row["value"] or row["low"])
    return int(number) if kind.startswith("int") else number
