"""Options side by side on the same draws, and along one input or several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core.checks import require
from costmodel.core.errors import check
from costmodel.core.glossary import limits, unit_of
from costmodel.core.nested import find_key, leaves
from costmodel.core.ranges import Doubt
from costmodel.decisions.simulate import (
    UNKNOWN,
    PerDraw,
    p_cheapest,
    per_draw,
    quality_unknown,
    quantiles,
    totals,
)
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import AtMiddle, Bill, at_middle

SWEEP_FACTOR, SWEEP_POINTS = 30.0, 61
COLUMNS = [
    "mid",
    "p10",
    "p50",
    "p90",
    "npv",
    "per_month",
    "per_request",
    "per_accepted",
    "quality",
    "p_cheapest",
    "why_not",
]


@analysis
def compare(study: Study) -> pd.DataFrame:
    """Options side by side on the same draws, cheapest first.

    Index option; columns: mid (all Ranges at their middle), p10 p50 p90 [USD over the horizon], npv (present value of
    mid), per_month, per_request, per_accepted (without the cost of failures, over accepted answers), quality (share
    accepted at the middle), p_cheapest, why_not. Costs are positive. `p_cheapest` ranks totals with the cost of
    failures, among options whose quality is known; when none is known it ranks cost alone, and `why_not` says so.
    """
    return compare_with_draws(study).table


@dataclass(frozen=True, eq=False)
class Compared:
    """The table of `compare`, and what is behind it.

    `usd` has the totals of every draw, `wrong` what of them is the cost of wrong answers, `middle` the bills at the middle.
    """

    table: pd.DataFrame
    usd: PerDraw
    wrong: PerDraw
    middle: AtMiddle


def compare_with_draws(study: Study) -> Compared:
    """The table of `compare`, with the draws and the bills that it is made of."""
    middle = at_middle(study)
    rows = {label: _at_middle(bill, middle.calendar) for label, bill in middle.bills.items()}
    why = {label: str(reason) for label, reason in middle.why_not.items()}
    why |= {label: UNKNOWN for label, bill in middle.bills.items() if bill.accepted is None}
    usd, wrong = (
        per_draw(study.only(*rows), (Bill.total, Bill.failures), study.draws) if rows else ({}, {})
    )
    for label, x in usd.items():
        if (
            lost := np.isnan(x).mean()
        ) and label not in why:  # it is ranked, and those draws are lost
            share = "less than 1%" if lost < 0.01 else f"{lost:.0%}"
            why[label] = (
                f"does not fit in {share} of the draws; the percentiles are those of the others"
            )
    ranked = [label for label, bill in middle.bills.items() if bill.accepted is not None] or list(
        rows
    )
    chances = p_cheapest({label: usd[label] for label in ranked})
    for label, x in usd.items():
        p10, p50, p90 = quantiles(x, [10, 50, 90])
        rows[label] |= {
            "p10": p10,
            "p50": p50,
            "p90": p90,
            "p_cheapest": chances.get(label, np.nan),
        }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS[:-1], dtype=float)
    table = table.reindex(pd.Index(list(study.options), name="option"))
    table["why_not"] = [why.get(label, "") for label in study.options]
    return Compared(table.sort_values("mid", kind="stable"), usd, wrong, middle)


def _at_middle(bill: Bill, calendar: Calendar) -> dict[str, float]:
    """The columns of `compare` that hold with every doubt at its middle."""
    usd, requests = float(bill.total(calendar)), float(bill.requests * calendar.requests)
    row = {
        "mid": usd,
        "npv": float(bill.total(calendar, discounted=True)),
        "per_month": usd / calendar.months,
        "per_request": usd / requests,
        "per_accepted": np.nan,
        "quality": np.nan,
    }
    if bill.accepted is not None:
        answers = requests * bill.accepted
        to_pay = usd - float(bill.failures(calendar))
        row |= {
            "per_accepted": to_pay / answers if answers else np.inf,
            "quality": float(bill.accepted),
        }
    return row


@analysis
def sweep(
    study: Study, over: str | Mapping[str, Any], values: Any = None, draws: int | None = None
) -> pd.DataFrame:
    """Cost of each option while one input, or the product of several, takes other values.

    `over` is a field ("requests_per_month", "Rag.top_k", "H100-SXM.neocloud.on_demand.usd_per_gpu_hour") with `values`
    (None: a thirtieth to thirty times the present one, or 0 to 1 for a share), or {field: values, ...}. Columns: option,
    one for each field, mid; with `draws` also p10 p50 p90. An option of unknown quality is NaN beside one whose wrong answers
    are in the bill.
    """
    axes = {over: values} if isinstance(over, str) else dict(over)
    check(axes, "sweep needs an input; write its name and its values")
    for name, axis in axes.items():
        if axis is None:
            low, high = search_limits(study, name, factor=SWEEP_FACTOR)
            axes[name] = (np.geomspace if low > 0 else np.linspace)(low, high, SWEEP_POINTS)
        check(np.size(axes[name]), f"sweep over {name!r} needs values")
    grid = dict(
        zip(axes, (m.ravel() for m in np.meshgrid(*axes.values(), indexing="ij")), strict=True)
    )
    middles = totals(study, grid=grid)
    spread = totals(study, draws, grid) if draws else {}
    unknown = quality_unknown(study)
    hidden = unknown if len(unknown) < len(study.options) else ()
    frames = []
    for label in study.options:
        frame = pd.DataFrame({"option": label, **grid, "mid": middles[label]})
        if draws:
            frame[["p10", "p50", "p90"]] = quantiles(spread[label], [10, 50, 90]).T
        if label in hidden:
            frame.iloc[:, 1 + len(grid) :] = np.nan
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def search_limits(
    study: Study,
    over: str,
    low: float | None = None,
    high: float | None = None,
    factor: float = 1000.0,
) -> tuple[float, float]:
    """Between which values an input is looked at: what is asked for, else the present value over and times a factor, or 0 to 1 for a share."""
    things = (tuple(study.options.values()), study.work, study.terms)
    value = dict(leaves(things))[find_key(things, over)]
    now = float(value.mid if isinstance(value, Doubt) else value)
    field = over.rsplit(".", 1)[-1]
    least, most = limits(field)
    for name, given in (("low", low), ("high", high)):
        if given is not None:
            require(f"breakeven over {over!r}: {name}", given, least, most)
    if unit_of(field) in ("share", "share/month"):
        start, end = least, most
    else:
        start, end = (now / factor, now * factor) if now else (0.0, 1.0)
    low, high = max(start, least) if low is None else low, min(end, most) if high is None else high
    check(low < high, f"breakeven over {over!r}: low {low:g} must be below high {high:g}")
    return low, high
