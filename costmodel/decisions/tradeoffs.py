"""What would have to be true for an option to be the cheapest, one input at a time.

Options are ranked by money: never by scores, because an option that nobody
wants can reverse the order of scores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core import Doubt, check, find_keys, label_of, leaves, number_text, percent, require
from costmodel.decisions.search import (
    counted_now,
    goal_limits,
    present,
    root,
    sign_changes,
    spacing,
)
from costmodel.decisions.simulate import (
    UNKNOWN,
    PerDraw,
    comparable,
    levelled,
    mean,
    simulate,
    totals,
)
from costmodel.ledgers.evidence import meanings

GOAL_POINTS, GOAL_DRAWS = 31, 24  # of each input, where a crossing is looked for
SETTLING, SETTLING_DRAWS = 1, 2_000  # how often and on how many draws a crossing is moved


@analysis
def goal_seek(
    study: Study, goal: str, over: str | Iterable[str] | None = None, usd: float | None = None
) -> pd.DataFrame:
    """What would have to be true for an option to become the cheapest, or to stop being it.

    Costs are expected present values; one input changes at a time, and the others are drawn.
    Options of unknown quality are left out beside known ones.

    Parameters
    ----------
    study : Study, or options with a workload
        Where the option stands.
    goal : str
        Its label.
    over : str or iterable of str, optional
        The inputs; without them, every Range and the requests.
    usd : float, optional
        With it, the value at which the expected total of `goal` over the horizon crosses this
        amount [USD].

    Returns
    -------
    DataFrame
        `input`, `meaning`, `now` (what is usual, as tier and volume scale it), `needed` (the
        crossing nearest to now; NaN: never, between a thirtieth and thirty times, or 0 and 1 for a
        share), `side` (whether it has to be "above" or "below" that), `low` and `high` [unit of the
        input], `inside` (whether needed lies in the Range), `chance` (that it lies beyond it),
        `verdict`. Likeliest first, then nearest.

    Raises
    ------
    CatalogError
        An option or an input that is not there; the nearest names are said.
    ValueError
        `goal` cannot run, cannot be ranked, or has no other option beside it.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> pair = study.only("Prompt", "Long context + cache").changed(quality_floor=0)
    >>> print(goal_seek(pair, "Prompt", over="usd_per_failure")["verdict"][0])
    Prompt becomes the cheapest once cost of a wrong answer is below ... (now 1.5, ...)
    """
    study.label(goal)
    if usd is not None:
        require("usd", usd)
        study = study.only(goal)
    else:
        study = comparable(study)
        check(goal in study.options, f"goal_seek: {goal!r} cannot be ranked: {UNKNOWN}")
        check(len(study.options) > 1, "goal_seek needs another option to be cheaper than, or usd=")
    values, meaning = counted_now(study), meanings(study.inputs)
    names = [over] if isinstance(over, str) else list(over or ["Workload.requests_per_month"])
    keys = find_keys(study.inputs, names)
    if not over:
        doubtful = (k for k, v in values.items() if isinstance(v, Doubt) and v.low < v.high)
        keys += [key for key in doubtful if key not in keys]

    every = simulate(study)

    draws = every.usd if usd is not None else every.worth
    shared = leaves((study.work, study.terms))
    own = {label: leaves(option) for label, option in study.options.items()}
    here: dict[int, PerDraw] = {}
    now = {label: np.asarray(mean(x)) for label, x in draws.items()}

    def curves(key: str, values: np.ndarray, n: int) -> PerDraw:
        """What each option is expected to cost; an option without the input costs what it does."""
        n = min(n, study.draws)
        if n not in here:
            here[n] = totals(study, n, discounted=usd is None)
        moved = [label for label in own if key in shared or key in own[label]]
        with np.errstate(all="ignore"):
            few = totals(study.only(*moved), n, {key: values}, discounted=usd is None)
        found = {label: np.full(len(values), x) for label, x in now.items()}
        return found | levelled(few, here[n], draws)

    def gap(costs: PerDraw) -> Any:
        """What `goal` costs more than the cheapest other, or than the amount."""
        others = [x for label, x in costs.items() if label != goal]
        with np.errstate(all="ignore"):
            return costs[goal] - (np.nanmin(others, axis=0) if usd is None else usd)

    check(goal in every.usd, f"goal_seek: {goal!r} cannot run; `compare` says why")
    ahead = gap(now)
    check(
        not np.isnan(ahead),
        f"goal_seek: {goal!r} cannot run, or nothing else can; `compare` says why",
    )
    if usd is not None:
        change = f"{goal} costs {'more' if ahead <= 0 else 'less'} than USD {number_text(usd)}"
    else:
        change = f"{goal} {'is no longer' if ahead <= 0 else 'becomes'} the cheapest"
    rows = [
        {"input": key, "meaning": meaning[key]}
        | _needed(curves, gap, ahead, key, values[key], change)
        for key in keys
    ]
    table = pd.DataFrame(rows).sort_values("distance", kind="stable").drop(columns="distance")
    return table.sort_values("chance", ascending=False, kind="stable", ignore_index=True)


def _needed(
    curves: Callable[..., PerDraw],
    gap: Callable[[PerDraw], Any],
    ahead: float,
    key: str,
    value: Any,
    change: str,
) -> dict[str, Any]:
    """The value of one input at which the gap closes, and a sentence that says so.

    `ahead` is the gap now. The mean of a skewed doubt may lie on the other side than its middle.
    """
    now, doubt = present(value), isinstance(value, Doubt)
    row: dict[str, Any] = {"now": now, "needed": np.nan, "low": np.nan, "high": np.nan}
    row |= {"side": "", "inside": False, "chance": 0.0, "verdict": "", "distance": np.inf}
    if doubt:
        row |= {"low": value.low, "high": value.high}
    low, high = goal_limits(key, value)
    spaced = spacing(low)
    axis = spaced(low, high, GOAL_POINTS)
    try:
        few = curves(key, axis, GOAL_DRAWS)
    except ValueError as reason:  # inputs that only hold together, such as shares that add up to 1
        return row | {"verdict": f"not asked: {reason}"}
    away = gap(few)
    for settled in range(SETTLING + 1):  # first on few draws, then on the level of many
        changes = sign_changes(away)
        if not len(changes):
            where = f"between {number_text(low)} and {number_text(high)}"
            return row | {"verdict": f"never: nothing {where} changes it alone"}
        nearest = min(changes, key=lambda i: _distance(now, axis[i]))
        needed = root(axis, away, nearest)
        above = bool((away[nearest] > 0) == (ahead > 0))
        if settled < SETTLING:
            many = curves(key, np.array([needed]), SETTLING_DRAWS)
            level = {x: usd.item() / np.interp(needed, axis, few[x]) for x, usd in many.items()}
            away = gap({label: few[label] * level[label] for label in many})
    side = "above" if above else "below"
    row["side"] = side
    beyond = (now > needed) == above  # a skewed doubt may have its middle there, and its mean not
    shown = f"{'where its middle is, ' if beyond else 'now '}{number_text(now)}"
    if doubt:
        inside = bool(value.low <= needed <= value.high)
        drawn = value.quantile((np.arange(2_000) + 0.5) / 2_000)
        chance = np.mean(drawn > needed if above else drawn < needed)
        row |= {"inside": inside, "chance": chance}
        shown += f", {'inside' if inside else 'outside'} the range; {percent(chance)} likely"
    verdict = f"{change} once {label_of(key)} is {side} {number_text(needed, 3)} ({shown})"
    return row | {"needed": needed, "verdict": verdict, "distance": _distance(now, needed)}


def _distance(now: float, at: Any) -> float:
    """How far a value is from the present one: in factors where both are above 0."""
    return abs(np.log(at / now)) if now > 0 and at > 0 else abs(at - now)
