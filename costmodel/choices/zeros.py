"""Inputs that are zero and are seldom meant to be: people, evaluation and refresh."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core.errors import check
from costmodel.core.glossary import unit_of
from costmodel.core.nested import owner_of, walk
from costmodel.core.public import public
from costmodel.core.ranges import Doubt

PEOPLE_UNITS = ("hour", "hour/month", "week", "FTE", "USD/hour", "minute")
EVALUATION = ("items", "runs_per_month", "candidate_items", "judge_share", "reviews_per_month")
REFRESH = ("refresh_share", "retrain_labels", "rebuild_share")


@public
def zeros(*things: Any) -> list[str]:
    """The people, evaluation and refresh inputs that somebody has set to 0, as "Class.field" or "record.field".

    >>> from costmodel.choices.techniques.knowledge import Rag
    >>> zeros(Rag(), Rag(upkeep_fte=0))
    ['Rag.upkeep_fte']
    """
    found = []
    for owner, field, value in walk(things):
        asked = unit_of(f"{type(owner).__name__}.{field}") in PEOPLE_UNITS or field in (
            *EVALUATION,
            *REFRESH,
        )
        if (
            asked
            and np.ndim(value) == 0
            and not isinstance(value, Doubt)
            and value == 0
            and not isinstance(owner, (Workload, Terms))
        ):
            default = next((f.default for f in dataclasses.fields(owner) if f.name == field), None)
            if not (isinstance(default, (int, float)) and default == 0):
                found.append(f"{owner_of(owner)}.{field}")
    return list(dict.fromkeys(found))


def accept(things: Any, names: Iterable[str]) -> None:
    """Raise unless every zero for people, evaluation or refresh is accepted by name: "Rag.upkeep_fte", or "upkeep_fte" for all of that name."""
    names, found = list(names), zeros(things)
    for key in found:
        check(
            key in names or key.rsplit(".", 1)[-1] in names,
            f"{key} is 0: nobody is paid for it, or nothing is done; write accept_zero: [{key}] if that is meant, and every report will say so",
        )
    meant(names, found)


def meant(names: Iterable[str], found: Iterable[str]) -> None:
    """Raise where a zero is accepted that is none."""
    for name in names:
        check(
            any(name in (key, key.rsplit(".", 1)[-1]) for key in found),
            f"accept_zero names {name!r}, which is not 0 here; leave it out",
        )
