"""Why did the answer change: a waterfall between two options, scenarios or dates, whose bars sum to the difference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.options import Mix, Option
from costmodel.choices.purchases import PHASES
from costmodel.choices.study import Study
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Corpus, Workload
from costmodel.core.draws import middle
from costmodel.core.errors import check
from costmodel.core.glossary import unit_of
from costmodel.core.nested import key_of, rewrite, walk
from costmodel.core.public import public
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill, evaluate

STEPS = ("price", "volume", "quality", "people", "mix", "terms")
QUALITY = (
    "accepted",
    "log_odds",
    "log_odds_relational",
    "log_odds_adapter",
    "log_odds_per_tenfold",
    "quality",
    "usd_per_failure",
    "of_teacher",
)
PEOPLE_UNITS = ("hour", "hour/month", "week", "FTE", "USD/hour", "minute")


def step_of(owner: Any, field: str) -> str:
    """What the change of one input counts as: price, volume, quality, people, terms, or mix (what is bought of what)."""
    unit = unit_of(f"{type(owner).__name__}.{field}")
    if field in QUALITY:
        return "quality"
    if (
        unit in PEOPLE_UNITS
        or type(owner).__name__ == "Person"
        or (type(owner).__name__ == "Trends" and field == "labour")
    ):
        return "people"
    if isinstance(owner, (Workload, Corpus)):
        return "volume"
    if isinstance(owner, Terms):
        return "terms"
    if (
        unit.startswith("USD/")
        or type(owner).__name__ == "Trends"
        or field in ("discount", "residency_uplift", "premium")
    ):
        return "price"
    return "mix"


@public
def waterfall(
    before: tuple[Option | Mix, Workload, Terms], after: tuple[Option | Mix, Workload, Terms]
) -> pd.DataFrame:
    """Why the total over the horizon changed: each step moves one kind of input from the values before to those after.

    `before` and `after` are (option, workload, terms). Columns: step, usd (the bar), total (after that step); rows "before", price, volume, quality, people, mix, terms,
    "after". An input belongs to a step if both have it; what only one of them has (another model, a technique more) is the mix; horizon, start and discounting are
    the terms. The order is fixed: a cost that several steps change together goes to the last of them. The bars sum to the difference.
    For two dates: `waterfall((priced_on(option, day), work, terms), (priced_on(option, later), work, terms))`. At the middle of every Range.
    """
    old, new = (_at(side) for side in (before, after))
    changes = {step: {k: v for k, (s, v) in _values(new).items() if s == step} for step in STEPS}
    totals, now = [_total(old)], old
    for step in ("price", "volume", "quality", "people"):
        now = _moved(now, changes[step])
        totals.append(_total(now))
    totals.append(_total((new[0], new[1], now[2])))
    totals.append(_total(new))
    bars = np.diff(totals)
    rows = [
        ("before", totals[0], totals[0]),
        *zip(STEPS, bars, totals[1:], strict=True),
        ("after", totals[-1], totals[-1]),
    ]
    return pd.DataFrame(rows, columns=["step", "usd", "total"])


@public
def by_phase(
    before: tuple[Option | Mix, Workload, Terms], after: tuple[Option | Mix, Workload, Terms]
) -> pd.DataFrame:
    """The same difference by phase of the life: where one option is cheaper than another. Columns as `waterfall`; a step is a phase."""
    sides = []
    for option, work, terms in (_at(before), _at(after)):
        bill, calendar = evaluate(option, work, terms), Calendar(work, terms)
        sides.append(
            {
                phase: float(bill.total(calendar, phase=phase))
                for phase in dict.fromkeys(line.phase for line in bill.lines)
            }
        )
    bars = {
        phase: sides[1].get(phase, 0.0) - sides[0].get(phase, 0.0)
        for phase in PHASES
        if phase in {**sides[0], **sides[1]}
    }
    start, end = (sum(side.values()) for side in sides)
    levels = start + np.cumsum(list(bars.values()))
    rows = [
        ("before", start, start),
        *zip(bars, bars.values(), levels, strict=True),
        ("after", end, end),
    ]
    return pd.DataFrame(rows, columns=["step", "usd", "total"])


def _at(side: tuple[Any, Workload, Terms]) -> tuple[Any, Workload, Terms]:
    check(len(side) == 3, "waterfall compares (option, workload, terms) before and after")
    study = Study(*side, accept_zero=None)
    return middle((study.option(), study.work, study.terms))


def _values(side: tuple) -> dict[str, tuple[str, Any]]:
    found: dict[str, tuple[str, Any]] = {}
    for owner, field, value in walk(side):
        found.setdefault(key_of(owner, field, value), (step_of(owner, field), value))
    return found


def _moved(side: tuple, values: Mapping[str, Any]) -> tuple:
    """The side with these inputs at their values after, wherever it has them."""
    return rewrite(side, lambda key, old: values.get(key, old))


def _total(side: tuple) -> float:
    option, work, terms = side
    bill: Bill = evaluate(option, work, terms)
    return float(bill.total(Calendar(work, terms)))
