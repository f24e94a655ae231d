"""The glossary: what each name measures, in which unit and within which bounds.

One name means one quantity in one unit, in data files, records, functions, sliders and table
columns. `data/glossary.csv` says it, one name a line; a row that starts with "#" opens a section,
and a row such as "Rag.*" holds the words for what stands before the point of a key.
Nothing is converted silently: physics is in SI units (s, byte, FLOP, token), and a price carries
its denominator in its name and is cancelled with a constant of `core/units.py`.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from math import inf
from os.path import isdir
from pathlib import Path
from typing import NamedTuple

from costmodel.core.errors import check, in_words
from costmodel.core.public import public

BOUNDS = {  # by unit; any other number is 0 or more, and the CSV can narrow the bounds of one name
    "share": (0.0, 1.0),
    "share/month": (0.0, 1.0),
    "share/year": (-1.0, 1000.0),
    "log-odds": (-50.0, 50.0),
}


class Entry(NamedTuple):
    """One line of the glossary."""

    unit: str
    meaning: str
    least: float
    most: float
    label: str = ""


@cache
def data_folder(folder: str | Path | None = None) -> Path:
    """The folder of the data: the given one, or that of the package, installed or in a checkout."""
    if folder is not None:
        check(isdir(folder), f"no folder {in_words(str(folder))}; write one with files of data")
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
                    row["label"] or "",
                )
    return entries


UNSEEN = ("log-odds", "index")  # units whose numbers say nothing to most readers
_ROWS = _read(data_folder() / "glossary.csv")
GLOSSARY = {name: line for name, line in _ROWS.items() if not name.endswith(".*")}
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


@public
@cache
def label_of(key: str) -> str:
    """The short name of an input for people, with what holds it in brackets.

    Parameters
    ----------
    key : str
        A field or a key, such as "Workload.usd_per_failure".

    Returns
    -------
    str
        The label of the glossary, its meaning where it has no label, or the key in words.

    Examples
    --------
    >>> label_of("Workload.usd_per_failure"), label_of("rag.top_k")
    ('cost of a wrong answer', 'passages in the prompt (RAG)')
    >>> label_of("gpt-6.1-terra@eu>272000.usd_per_mtok_in")
    'price of input tokens (gpt-6.1-terra, eu, above 272,000 tokens)'
    """
    owner, _, field = key.rpartition(".")
    found = entry(key)
    label = found.label or found.meaning or field.replace("_", " ")
    words = owner_label(owner)
    return f"{label} ({words})" if words not in label and key not in GLOSSARY else label


def owner_label(owner: str) -> str:
    """What holds an input, in words; "" for what needs none.

    >>> owner_label("FewShot"), owner_label("GraphRag"), owner_label("Prompt")
    ('examples in the prompt', 'GraphRAG', 'prompt')
    """
    if known := _ROWS.get(f"{owner}.*"):
        return known.label
    name, over, tokens = owner.partition(">")
    above = f", above {float(tokens):,.0f} tokens" if over else ""
    apart = re.sub(r"@|\.(?=[a-z])", ", ", name).replace("_", " ")
    return (apart.lower() if apart.isalpha() else apart) + above


def called(key: str) -> str:
    """The short name of an input, with its name in scripts in brackets.

    >>> called("Workload.usd_per_failure"), called("Rag.top_k")
    ('cost of a wrong answer (Workload.usd_per_failure)', 'passages in the prompt (RAG; Rag.top_k)')
    """
    label = label_of(key)
    return f"{label[:-1]}; {key})" if label.endswith(")") else f"{label} ({key})"


def named(message: str) -> str:
    """A message in which the first code name of an input stands in brackets behind its label.

    >>> named("Workload.usd_per_failure is -1, allowed is at least 0")
    'cost of a wrong answer (Workload.usd_per_failure) is -1, allowed is at least 0'
    >>> named("no GPU 'H100'")
    "no GPU 'H100'"
    """
    found = re.search(r"(?<![\w.'])([A-Z]\w+)\.([a-z]\w+)(?= (is|are)\b)", message)
    if found is None or not (label := entry(found[0]).label):
        return message
    return f"{message[: found.start()]}{label} ({found[0]}){message[found.end() :]}"
