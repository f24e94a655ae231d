"""The glossary: what each name measures, in which unit and within which bounds.

One name means one quantity in one unit, in data files, records, functions, sliders and table
columns. `data/glossary.csv` says it, one name a line; a row that starts with "#" opens a section.
Nothing is converted silently: physics is in SI units (s, byte, FLOP, token), and a price carries
its denominator in its name and is cancelled with a constant of `core/units.py`.
"""

from __future__ import annotations

import csv
from functools import cache
from math import inf
from pathlib import Path
from typing import NamedTuple

BOUNDS = {  # by unit; any other number is 0 or more, and the CSV can narrow the bounds of one name
    "share": (0.0, 1.0),
    "share/month": (0.0, 1.0),
    "share/year": (-1.0, inf),
    "log-odds": (-inf, inf),
}


class Entry(NamedTuple):
    """One line of the glossary."""

    unit: str
    meaning: str
    least: float
    most: float


@cache
def data_folder(folder: str | Path | None = None) -> Path:
    """The folder of the data: the given one, or that of the package, installed or in a checkout."""
    if folder is not None:
        return Path(folder)
    package = Path(__file__).parents[1]
    return next(place for place in (package / "data", package.parent / "data") if place.is_dir())


def _read(path: Path) -> dict[str, Entry]:
    entries = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if not row["name"].startswith("#"):
                least, most = BOUNDS.get(row["unit"], (0.0, inf))
                entries[row["name"]] = Entry(
                    row["unit"],
                    row["meaning"],
                    float(row["least"] or least),
                    float(row["most"] or most),
                )
    return entries


GLOSSARY = _read(data_folder() / "glossary.csv")
UNLISTED = Entry("", "", 0.0, inf)  # what holds for a name that has no line


def entry(key: str) -> Entry:
    """The line of a field or of a key such as "Rag.top_k"; a line of the class comes first."""
    return GLOSSARY.get(key) or GLOSSARY.get(key.rpartition(".")[2], UNLISTED)


def unit_of(key: str) -> str:
    """The unit of a field or a key, or "" where the glossary has none.

    >>> unit_of("top_k"), unit_of("Trends.gpu"), unit_of("Hosted.gpu")
    ('count', 'share/year', 'record')
    """
    return entry(key).unit


def meaning_of(key: str) -> str:
    """What a field or a key means, in words, or "".

    >>> meaning_of("Workload.usd_per_failure")
    'what a wrong answer costs'
    """
    return entry(key).meaning


def limits(field: str) -> tuple[float, float]:
    """The least and the most that a field "top_k" or a key "Release.layers" may hold.

    >>> limits("hit_rate"), limits("Release.layers"), limits("a_name_of_your_own")
    ((0.0, 1.0), (1.0, 6.0), (0.0, inf))
    """
    found = entry(field)
    return found.least, found.most
