"""What would have to be true, from when on, and for whom: goals, dates, dominance and maps of who is cheapest where.

Options are ranked by money, or by dominance: never by scores, which turn round when an option is added that nobody wants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core.checks import require
from costmodel.core.errors import check
from costmodel.core.glossary import limits, unit_of
from costmodel.core.nested import find_key, leaves
from costmodel.core.ranges import Doubt
from costmodel.core.words import number_text, readable
from costmodel.decisions.breakeven import _changes, _refine
from costmodel.decisions.simulate import UNKNOWN, comparable, totals
from costmodel.ledgers.evidence import meanings

REACH, POINTS = 30.0, 61
EDGE = 1e-4  # shares are looked at from here to one less this


# -- what would have to be true ------------------------------------------------------------------------


@analysis
def goal_seek(
    study: Study, goal: str, over: str | Iterable[str] | None = None, usd: float | None = None
) -> pd.DataFrame:
    """What would have to be true for `goal` to be the cheapest option, or, if it is, to be so no more: one input at a time.

    With `usd`, the value at which the total of `goal` over the horizon crosses that amount. `over` names inputs; None: every Range,
    and the requests. Columns: input meaning now needed low high inside chance verdict: `needed` is the crossing nearest to
    `now` (NaN: never, between a thirtieth and thirty times, or 0 and 1 for a share), `inside` whether it lies in the Range, `chance` the
    probability that the input lies beyond it. All else stays at its middle. Nearest to hand first: by chance, then by distance.
    Options of unknown quality are left out beside known ones.
    """
    study.label(goal)
    if usd is not None:
        require("usd", usd)
    else:
        study = comparable(study)
        check(goal in study.options, f"goal_seek: {goal!r} cannot be ranked: {UNKNOWN}")
        check(len(study.options) > 1, "goal_seek needs another option to be cheaper than, or usd=")
    things = study.inputs
    values = dict(leaves(things))
    names = (
        [over]
        if isinstance(over, str)
        else list(over)
        if over is not None
        else ["Workload.requests_per_month"]
    )
    keys = [find_key(things, name) for name in names]
    keys += [
        k
        for k, v in values.items()
        if over is None and isinstance(v, Doubt) and v.low < v.high and k not in keys
    ]
    wanted = study.only(goal) if usd is not None else study

    def gap_of(found: Mapping[str, np.ndarray]) -> np.ndarray:
        rest = [x for label, x in found.items() if label != goal]
        return found[goal] - (usd if usd is not None else np.nanmin(np.vstack(rest), axis=0))

    ahead = float(gap_of({k: np.ravel(v) for k, v in totals(wanted).items()})[0])
    check(
        not np.isnan(ahead),
        f"goal_seek: {goal!r} cannot run, or nothing else can; `compare` says why",
    )
    meaning, rows = meanings(things), []
    for key in keys:
        low, high = _reach(key, values[key])
        spaced: Any = np.geomspace if low > 0 else np.linspace

        def gap(axis: np.ndarray, key: str = key) -> np.ndarray:
            with np.errstate(all="ignore"):
                return gap_of(totals(wanted, grid={key: axis}))

        axis = spaced(low, high, POINTS)
        now = values[key].mid if isinstance(values[key], Doubt) else float(values[key])
        try:
            crossings = [(axis[i], axis[i + 1]) for i in _changes(gap(axis))]
        except (
            ValueError
        ) as reason:  # inputs that only hold together, such as shares that must add up to 1
            rows.append(
                (
                    key,
                    meaning[key],
                    now,
                    np.nan,
                    *_ends(values[key]),
                    False,
                    0.0,
                    f"not asked: {reason}",
                )
            )
            continue
        at = (
            _refine(gap, spaced, *min(crossings, key=lambda c: _far(now, c[0])))
            if crossings
            else np.nan
        )
        rows.append(
            (
                key,
                meaning[key],
                *_sought(key, values[key], now, at, ahead <= 0, goal, usd, low, high),
            )
        )
    table = pd.DataFrame(
        rows,
        columns=["input", "meaning", "now", "needed", "low", "high", "inside", "chance", "verdict"],
    )
    order = table.assign(
        far=[_far(n, x) for n, x in zip(table["now"], table["needed"], strict=True)]
    )
    return table.loc[
        order.sort_values(["chance", "far"], ascending=[False, True], kind="stable").index
    ].reset_index(drop=True)


def _reach(key: str, value: Any) -> tuple[float, float]:
    """Between which values an input is looked at."""
    field = key.rsplit(".", 1)[-1]
    low, high = limits(field)
    unit = unit_of(field) or "share"  # a key with a name of its own, such as accepted.large
    if (
        getattr(value, "form", "share") == "share"
        and isinstance(value, Doubt)
        and unit.startswith("share")
    ):
        return max(low, EDGE), min(high, 1 - EDGE)
    now = float(value.mid if isinstance(value, Doubt) else value)
    if isinstance(value, Doubt) and value.low <= 0:
        wide = value.high - value.low
        return max(low, value.low - wide), min(high, value.high + wide)
    if np.isfinite(high) and low >= 0:
        return low, high
    start, end = sorted((now / REACH, now * REACH)) if now else (0.0, 1.0)
    return max(low, start), min(high, end)


def _mid(value: Any) -> Any:
    return value.mid if isinstance(value, Doubt) else value


def _far(now: float, at: float) -> float:
    """How far a value is from the present one: in factors where both are above 0."""
    if np.isnan(at):
        return np.inf
    return float(abs(np.log(at / now))) if now > 0 and at > 0 else abs(at - now)


def _sought(
    key: str,
    value: Any,
    now: float,
    at: float,
    met: bool,
    goal: str,
    usd: float | None,
    low: float,
    high: float,
) -> tuple:
    ends = _ends(value)
    goes = (
        f"costs {'more' if met else 'less'} than USD {number_text(usd)}"
        if usd is not None
        else "is no longer the cheapest"
        if met
        else "becomes the cheapest"
    )
    if np.isnan(at):
        return (
            now,
            np.nan,
            *ends,
            False,
            0.0,
            f"never: nothing between {number_text(low)} and {number_text(high)} changes it alone",
        )
    inside = bool(ends[0] <= at <= ends[1])
    chance = _beyond(value, now, at) if isinstance(value, Doubt) else 0.0
    doubt = (
        f", {'inside' if inside else 'outside'} the range; {chance:.0%} likely"
        if isinstance(value, Doubt)
        else ""
    )
    return (
        now,
        at,
        *ends,
        inside,
        chance,
        f"{goal} {goes} once {readable(key)} is {'above' if at > now else 'below'} {number_text(at)} (now {number_text(now)}{doubt})",
    )


def _ends(value: Any) -> tuple[float, float]:
    return (value.low, value.high) if isinstance(value, Doubt) else (np.nan, np.nan)


def _beyond(doubt: Any, now: float, at: float) -> float:
    """Probability that a doubt lies on the far side of a value."""
    u = (np.arange(2_000) + 0.5) / 2_000
    x = doubt.quantile(u)
    return float(np.mean(x > at) if at > now else np.mean(x < at))
