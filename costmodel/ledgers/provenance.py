"""What a register says of an input beside its number: how old, how sure, whose, whether used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np

from costmodel.choices.purchases import Line
from costmodel.choices.quality.answering import accepted, cases
from costmodel.choices.terms import Terms
from costmodel.core import Doubt, Infeasible, held_at, key_of, leaves, middle, owner_of, walk
from costmodel.facts import catalog
from costmodel.facts.rows import files, newest_rows
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import evaluate

NUDGE = 0.99
LIMITS = "latency_s window window_tokens tokens_per_min_max requests_per_min_max".split()
OWN = ("yours", "measured")  # sources that are the user's
PRICE_DAYS, OTHER_DAYS = 90, 365  # how long a fact is taken as it was read: prices, all others
WAGE = "USD/hour"  # published once a year


def provenance(key: str, row: Mapping[str, Any], owners: Mapping[str, str]) -> dict[str, str]:
    """The `date`, `validity`, `owner` and `confidence` of an input of the register."""
    source, why, mine = row["source"], row["why"], row["source"] in OWN
    day = "" if source in (*OWN, "assumption") else _days().get(key, _read_on(source))
    publisher = "you" if mine else catalog.cited(source).publisher
    return {
        "date": day,
        "validity": _until(day, row["unit"]),
        "owner": owners.get(key, owners.get(key.partition(".")[0], publisher)),
        "confidence": _confidence(source, why),
    }


def _confidence(source: str, why: str) -> str:
    if source in (*OWN, "derived"):
        return source
    if source == "assumption":
        return "assumed"
    return "ends assumed" if "assumed" in why else "sourced"


def _until(day: str, unit: str) -> str:
    if not day:
        return ""
    days = PRICE_DAYS if unit.startswith("USD/") and unit != WAGE else OTHER_DAYS
    return f"{date.fromisoformat(day) + timedelta(days=days)}"


def _read_on(source: str) -> str:
    return catalog.cited(source).accessed


@cache
def _days() -> dict[str, str]:
    """{record.field: the day of its newest row}."""
    folder = catalog.data_folder()
    return {
        f"{id}.{field}": row["as_of"]
        for file in files()
        for id, fields in newest_rows(file, folder, None).items()
        for field, row in fields.items()
    }


def used_inputs(options: Iterable[Any], work: Any, terms: Any, asked: set[str]) -> set[str]:
    """Which of these inputs a line of an option cites, or move its total or its quality.

    A choice that nothing else can replace counts as used, and so does a limit. A line that falls
    after the horizon uses nothing, as an option that cannot run.
    """
    left, running = {key for key in asked if key.rpartition(".")[2] not in LIMITS}, []
    for option in options:
        with suppress(Infeasible):
            bill = evaluate(*middle((option, work, terms)))
            cited = {c for line in bill.lines if not too_late(line, terms) for c in line.cites}
            for owner, field, value in walk((option, work, terms)):
                if f"{owner_of(owner)}.{field}" in cited:
                    left.discard(key_of(owner, field, value))
            running.append(option)
    for option in running:
        left -= set(moving((option, work, terms), _outcome, left, far=True))
    return asked - left


def too_late(line: Line, terms: Terms) -> bool:
    """Whether a line is paid in no month of the horizon."""
    return not np.any(line.schedule.weights(terms.months, np.ones(terms.months + 1)))


def _outcome(things: Any) -> tuple[Any, Any]:
    bill = evaluate(*things)
    return bill.total(Calendar(*things[1:])), bill.accepted


def share_accepted(things: Any) -> Any:
    """The share of answers accepted, with every input at its middle."""
    return accepted(things[0], cases(*things))


def moving(
    things: Any, outcome: Callable[[Any], Any], among: set[str] | None = None, far: bool = False
) -> Iterator[str]:
    """Keys of the inputs that move an outcome: a Range goes to its low end, a number by 1 %.

    `far` goes to both ends, to half, twice and 1 more, and counts what cannot be moved as well.
    """
    keys = leaves(things)
    now = outcome(middle(things)) if among is None or among & keys.keys() else None
    for key, value in keys.items():
        if among is not None and key not in among:
            continue
        if isinstance(value, Doubt):
            ends = [value.low, value.high]
        else:
            ends = [NUDGE * value, 0.5 * value, 2 * value, value + 1]  # replicas, whole numbers
        moves = None
        for end in ends if far else ends[:1]:
            with suppress(ValueError, TypeError):  # a number that may not be moved so
                moves = moves or outcome(middle(held_at(things, key, end))) != now
        if moves or (far and moves is None):
            yield key
