"""What a register says of an input beside its number: how old, how sure, whose, whether used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date, timedelta
from functools import cache
from typing import Any

from costmodel.choices.quality.answering import accepted, cases
from costmodel.core import Doubt, key_of, leaves, middle, owner_of, pin, walk
from costmodel.facts import catalog
from costmodel.facts.rows import files, newest_rows
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import evaluate

NUDGE = 0.99
OWN = ("yours", "measured")  # sources that are the user's
PRICE_DAYS, OTHER_DAYS = 90, 365  # how long a fact is taken as it was read: prices, all others
WAGE = "USD/hour"  # published once a year


def provenance(key: str, row: Mapping[str, Any], owners: Mapping[str, str]) -> dict[str, str]:
    """The `date`, `validity`, `owner` and `confidence` of an input of the register."""
    source, why, mine = row["source"], row["why"], row["source"] in OWN
    day = "" if source in (*OWN, "assumption") else _days().get(key, _read_on(source))
    publisher = "you" if mine else catalog.source(source).publisher
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
    return catalog.source(source).accessed


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


def used_inputs(option: Any, work: Any, terms: Any, known: set[str]) -> set[str]:
    """Keys of the inputs that a line of the option cites, or that move its total or its quality.

    Those that are known to be used are not tried again.
    """
    things = option, work, terms
    keys = {f"{owner_of(owner)}.{f}": key_of(owner, f, value) for owner, f, value in walk(things)}
    bill = evaluate(*middle(things))
    cited = {keys[c] for line in bill.lines for c in line.cites if c in keys}
    cited |= {key for key, value in leaves(things).items() if isinstance(value, int)}  # choices
    return cited | set(moving(things, _outcome, without=cited | known))


def _outcome(things: Any) -> tuple[Any, Any]:
    bill = evaluate(*things)
    return bill.total(Calendar(*things[1:])), bill.accepted


def share_accepted(things: Any) -> Any:
    """The share of answers accepted, with every input at its middle."""
    return accepted(things[0], cases(*things))


def moving(
    things: Any, outcome: Callable[[Any], Any], without: set[str] | None = None
) -> Iterator[str]:
    """Keys of the inputs that move an outcome: a Range goes to its low end, a number by 1 %."""
    now = outcome(middle(things))
    for key, value in leaves(things).items():
        if key in (without or ()):
            continue
        moved = value.low if isinstance(value, Doubt) else NUDGE * value
        with suppress(ValueError, TypeError):  # a number that may not be moved, a whole one
            if outcome(middle(pin(things, key, moved))) != now:
                yield key
