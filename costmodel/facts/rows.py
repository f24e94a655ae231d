"""The files of data/: every row is read once and checked; the newest of each number holds.

A file of facts has one row for each number, with the columns `COLUMNS`. A changed number is a
further row with a later date: the newest row that is not later than the asked date holds, and
before the first row the first one. A row with a note and no number withdraws the number from its
day on. Units are compared with the glossary, never converted.
"""

from __future__ import annotations

import csv
from collections.abc import Collection
from datetime import UTC, datetime
from functools import cache
from math import isfinite
from os.path import isfile
from pathlib import Path
from typing import Union

from costmodel.core import (
    GLOSSARY,
    CatalogError,
    check_known,
    data_folder,
    field_names,
    is_day,
    unknown,
)
from costmodel.facts.records import Source

COLUMNS = ("id", "field", "value", "low", "high", "unit", "as_of", "source", "note")
NOT_FACTS = {"sources", "glossary"}  # files that hold no facts
PLACES = ("facts", "calibration", "")  # a folder of one's own needs no subfolders
Folder = Union[str, Path, None]
Row = dict[str, str]


def files(folder: Folder = None) -> list[str]:
    """Names of the files of facts, without `.csv`."""
    paths = (path for place in PLACES for path in (data_folder(folder) / place).glob("*.csv"))
    return sorted({path.stem for path in paths} - NOT_FACTS)


def path_of(file: str, folder: Folder = None) -> Path:
    """The CSV file of this name, among the facts or the calibrated numbers."""
    paths = [data_folder(folder) / place / f"{file}.csv" for place in PLACES]
    return next((path for path in paths if isfile(path)), paths[-1])


@cache
def measured(name: str, columns: tuple[str, ...]) -> tuple[Row, ...]:
    """Rows of data/measured/<name>.csv as text: measurements, whose columns their module states."""
    return tuple(row for _, row in _read(data_folder() / "measured" / f"{name}.csv", columns))


@cache
def source_records(folder: Path) -> dict[str, Source]:
    """All sources by id."""
    found: dict[str, Source] = {}
    for where, row in _read(path_of("sources", folder), field_names(Source)):
        if row["id"] in found:
            raise CatalogError(f"{where}: the id {row['id']!r} is there twice")
        found[row["id"]] = Source(**row)
    return found


@cache
def checked_rows(file: str, folder: Path) -> tuple[Row, ...]:
    """All rows of one file of facts, in its order."""
    rows: dict[tuple[str, str, str], Row] = {}
    for where, row in _read(path_of(file, folder), COLUMNS):
        _check(row, where, source_records(folder))
        id, field, as_of = key = row["id"], row["field"], row["as_of"]
        if key in rows:
            raise CatalogError(f"{where}: {id}.{field} has two rows of {as_of}")
        rows[key] = row
    return tuple(rows.values())


def newest_rows(file: str, folder: Path, on: str | None) -> dict[str, dict[str, Row]]:
    """{id: {field: row}} with the newest row of each number that is not later than `on`."""
    found: dict[str, dict[str, Row]] = {}
    for row in sorted(checked_rows(file, folder), key=lambda row: row["as_of"]):
        fields = found.setdefault(row["id"], {})
        if on is None or row["as_of"] <= on or row["field"] not in fields:
            fields[row["field"]] = row
    held = {id: {k: r for k, r in of.items() if not _withdrawn(r)} for id, of in found.items()}
    return {id: fields for id, fields in held.items() if fields}


def _read(path: Path, columns: tuple[str, ...]) -> list[tuple[str, Row]]:
    """(file and line, row) of a CSV file, all as text."""
    if not isfile(path):
        there = [p.stem for p in path.parent.glob("*.csv")]
        raise unknown("file", path.stem, there, where=f"the folder {path.parent.name}")
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != columns:
            raise CatalogError(f"{path.name}: the columns must be {', '.join(columns)}")
        rows = [(f"{path.name} line {reader.line_num}", row) for row in reader]
    for where, row in rows:
        if None in row or None in row.values():
            raise CatalogError(
                f"{where}: write {len(columns)} columns, and quote a text with a comma"
            )
    return rows


def _check(row: Row, where: str, known_sources: Collection[str]) -> None:
    """Raise CatalogError, in one sentence, unless the row is right."""

    def need(ok: object, reason: str) -> None:
        if not ok:
            raise CatalogError(f"{where}: {row['id']}.{row['field']}: {reason}")

    check_known("field", row["field"], GLOSSARY, where=f"the glossary ({where})")
    check_known("source", row["source"], known_sources, where=f"sources.csv ({where})")
    unit, text, as_of = GLOSSARY[row["field"]].unit, row["value"], row["as_of"]
    need(row["unit"] == unit, f"the unit is {row['unit']!r}, the glossary says {unit!r}")
    need(is_day(as_of), f"as_of is {as_of!r}, write a date such as 2026-11-23")
    real = datetime.now(UTC).date().isoformat()  # whatever day counts as today
    need(as_of <= real, f"as_of {as_of} lies in the future")
    need(
        row["id"] and (text or row["low"] or row["note"]) and bool(row["low"]) == bool(row["high"]),
        "write an id and a value, or low and high, or all three; "
        "or none of them and a note that says why the number is withdrawn",
    )
    if _withdrawn(row):
        return
    if unit == "date":
        need(is_day(text), f"{text!r} is not a date such as 2026-11-23")
    elif unit == "flag":
        need(text in ("true", "false"), f"{text!r} is not a flag, write true or false")
    elif unit != "text":
        numbers = [_number(row[k]) for k in ("low", "value", "high") if row[k]]
        need(all(map(isfinite, numbers)), "value, low and high must be finite numbers")
        need(numbers == sorted(numbers), "low must not exceed value, nor value high")


def _withdrawn(row: Row) -> bool:
    return not (row["value"] or row["low"])


def _number(text: str) -> float:
    """The number in a text, NaN where there is none."""
    try:
        return float(text)
    except ValueError:
        return float("nan")
