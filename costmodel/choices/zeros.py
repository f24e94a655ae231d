"""Inputs that are zero and are seldom meant to be: people, evaluation and refresh."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload, is_zero
from costmodel.core import check, kept, outermost, owner_of, public, unit_of, walk

PEOPLE_UNITS = ("hour", "hour/month", "week", "FTE", "USD/hour", "minute")
EVALUATION = ("items", "runs_per_month", "candidate_items", "judge_share", "reviews_per_month")
MAY_BE_ZERO = ("on_call_hours_per_month",)  # nobody is woken
REFRESH = ("refresh_share", "retrain_labels", "rebuild_share")


@public
def zeros(*things: Any) -> list[str]:
    """The inputs of people, evaluation and refresh that somebody has set to 0.

    Parameters
    ----------
    *things : Option or other object
        Options, or anything that holds inputs; the fields of workload and terms are not looked at.

    Returns
    -------
    list of str
        "Class.field" or "record.field", each once.

    Examples
    --------
    >>> import costmodel as cm
    >>> cm.decisions.zeros(cm.Rag(), cm.Rag(upkeep_fte=0))
    ['Rag.upkeep_fte']
    """
    found = (kept(nest, "_zeros", _zeros_in) for nest in outermost(things))
    return list(dict.fromkeys(chain.from_iterable(found)))


def _zeros_in(nest: Any) -> tuple[str, ...]:
    found = []
    for owner, name, value in walk(nest):
        people = unit_of(f"{type(owner).__name__}.{name}") in PEOPLE_UNITS
        seldom_zero = people or name in EVALUATION + REFRESH
        if not seldom_zero or isinstance(owner, (Workload, Terms)):
            continue
        if name in MAY_BE_ZERO:
            continue
        if is_zero(value) and not is_zero(owner.__dataclass_fields__[name].default):
            found.append(f"{owner_of(owner)}.{name}")
    return tuple(found)


def accept(things: Any, names: Iterable[str]) -> None:
    """Raise unless every zero is accepted by name: "Rag.upkeep_fte", or "upkeep_fte" for all."""
    names, found = list(names), zeros(things)
    for key in found:
        check(
            key in names or key.rsplit(".", 1)[-1] in names,
            f"{key} is 0: nobody is paid for it, or nothing is done; "
            f"write accept_zero: [{key}] if that is meant, and every report will say so",
        )
    check_accepted(names, found)


def check_accepted(names: Iterable[str], found: Iterable[str]) -> None:
    """Raise where `accept_zero` names an input that is not 0, or is one text."""
    check(not isinstance(names, str), f"accept_zero is {names!r}, it must be a list of names")
    for name in names:
        check(
            any(name in (key, key.rsplit(".", 1)[-1]) for key in found),
            f"accept_zero names {name!r}, which is not 0 here; leave it out",
        )
