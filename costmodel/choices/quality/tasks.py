"""The tasks that quality is known for, in plain words, and the line of quality that each has.

A line is a row of data/calibration/task_quality.csv: level and slope of the log-odds of a right
answer, by task and by what the model is given ("document_qa", "document_qa.closed",
"extraction.tuned").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from costmodel.core import Range, unknown
from costmodel.facts import catalog
from costmodel.laws.quality import logit

PLAIN_WORDS = {
    "classify": "classification",
    "classify, many labels": "classification_many",
    "extract": "extraction",
    "answer": "closed_qa",
    "answer from documents": "document_qa",
    "answer from public documents": "document_qa",
    "many-hop or summary over a corpus": "many_hop",
    "many-hop": "many_hop",
    "summary over a corpus": "many_hop",
    "summarise": "summarisation",
    "write": "writing",
    "translate": "translation",
    "code": "code",
    "fix code": "code_fix",
    "text to sql": "text_to_sql",
    "support dialogue": "support_resolution",
    "agent/tools": "agent_support",
    "agent": "agent_support",
    "tools": "tool_use",
}
LIKE = re.compile(r".+\(like (.+)\)")  # a name of your own, and the nearest family
OTHER = "other"  # a task outside of the families: a level as wide as all tasks
NO_FAMILY = ("cascade", "cascade_signal", "outcome_cost", "retrieval", "mixed", OTHER)
PUBLIC = ("document_qa", "answer from public documents")  # about documents that models have read
OWN_CLOSED = "own_documents"  # the line of answers about others from memory
TESTED = (
    "code",
    "code_fix",
    "agent_code",
    "text_to_sql",
    "tool_use",
    "agent_support",
    "agent_work",
)  # tests or tools tell that an answer is wrong


@dataclass(frozen=True)
class Line:
    """Log-odds of a right answer at the reference capability, and per unit of capability.

    The spreads are how well both are known; tasks differ by more (`Spreads`).
    """

    level: float
    level_spread: float
    slope: float
    slope_spread: float


@dataclass(frozen=True)
class Spreads:
    """How tasks of one family differ in level and slope, and models from their line [log-odds]."""

    level: float
    slope: float
    model: float
    tuned: float


def family(task: Any) -> str:
    """The family of a task that is named in plain words or as in the tables.

    >>> family("extract"), family("document_qa")
    ('extraction', 'document_qa')
    >>> family("tickets by team (like classify)")
    'classification'
    >>> family("extraktion")
    Traceback (most recent call last):
    costmodel.core.errors.CatalogError: no task 'extraktion' in ...; did you mean ...
    """
    name = str(task).strip().lower()
    if own := LIKE.fullmatch(name):
        name = own[1]
    name = PLAIN_WORDS.get(name, name)
    if name in NO_FAMILY:
        return OTHER
    if name not in lines() and name != "many_hop":
        known = [*PLAIN_WORDS, *(n for n in lines() if "." not in n), *NO_FAMILY, "many_hop"]
        raise unknown("task", task, known, "the families of quality")
    return name


def asks_public(task: Any) -> bool:
    """Whether a task is about documents that models may have read: a table's name says so too.

    >>> [asks_public(task) for task in ("document_qa", "answer from documents", "many-hop")]
    [True, False, False]
    """
    name = str(task).strip().lower()
    return (own[1] if (own := LIKE.fullmatch(name)) else name) in PUBLIC


@cache
def constants() -> dict[str, Range]:
    """Every constant of the laws by `id.field`."""
    return {key: fact.value for key, fact in catalog.facts_of("task_quality").items()}


@cache
def lines() -> dict[str, Line]:
    """The line of every family, and of its tuned, closed and long kinds."""
    found = constants()
    ids = [key.removesuffix(".quality_level") for key in found if key.endswith(".quality_level")]
    known, slope = found["own_documents.closed_book"], found["own_documents.closed_slope"].mid
    low, mid, high = (float(logit(share)) for share in (known.low, known.mid, known.high))
    own = Line(mid, (high - low) / (2 * known.z_of_end), slope, 0.0)
    return {id: _line(found, id) for id in ids} | {OWN_CLOSED: own}


@cache
def spreads() -> Spreads:
    """The spreads that lines share."""
    names = ("spread_level", "spread_slope", "spread_model", "spread_tuned")
    return Spreads(*(constants()[f"tasks.{name}"].mid for name in names))


def _line(found: dict[str, Range], id: str) -> Line:
    level, slope = (found[f"{id}.quality_{part}"] for part in ("level", "slope"))
    return Line(level.mid, spread(level), slope.mid, spread(slope))


def spread(band: Range) -> float:
    """The standard deviation of a band that is normal."""
    return (band.high - band.low) / (2 * band.z_of_end)
