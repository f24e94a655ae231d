"""Which options are efficient, and which is cheapest over the plane of two inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core.checks import require
from costmodel.core.errors import check, unknown
from costmodel.core.nested import find_key, leaves
from costmodel.decisions.compare import compare
from costmodel.decisions.simulate import comparable, totals
from costmodel.decisions.tradeoffs import _mid, _reach

MAP_POINTS = 41
COSTS = ("per_accepted", "per_request", "per_month", "mid", "npv")


# -- dominance and maps --------------------------------------------------------------------------------


@analysis
def frontier(
    study: Study, latency: Mapping[str, float] | None = None, cost: str = "per_accepted"
) -> pd.DataFrame:
    """Which options nothing beats on cost, quality and latency at once, and by whom the others are dominated.

    Index option, cheapest first; columns: the cost (a column of `compare`, "per_accepted" by default), quality, latency_s, efficient, dominated_by,
    why_not. `latency` gives seconds by label, of your own measurement; where it is given, an option without it is not comparable.
    `cost` is one of per_accepted, per_request, per_month, mid and npv. An option dominates another if it is as good in all and better in one. Adding an option can dominate others; it turns no order round.
    """
    table = compare(study, draws=1)
    if cost not in COSTS:
        raise unknown("cost", cost, COSTS, "the columns of compare")
    for label in latency or {}:
        if label not in table.index:
            raise unknown("option", label, table.index, "the latencies")
        require(f"latency of {label!r}", latency[label])  # type: ignore[index]
    seconds = pd.Series(latency or {}, dtype=float).reindex(table.index)
    asked = {"cost": table[cost], "worse": -table["quality"]} | (
        {"seconds": seconds} if latency else {}
    )
    points = np.column_stack([x.to_numpy(float) for x in asked.values()])
    known = ~np.isnan(points).any(axis=1)
    by = []
    for i, point in enumerate(points):
        beats = known & known[i] & (points <= point).all(axis=1) & (points < point).any(axis=1)
        by.append(", ".join(table.index[beats]))
    out = pd.DataFrame(
        {
            cost: table[cost],
            "quality": table["quality"],
            "latency_s": seconds,
            "efficient": known & (np.array(by) == ""),
            "dominated_by": by,
        }
    )
    out["why_not"] = np.where(
        known,
        "",
        np.where(
            table["why_not"] != "", table["why_not"], "not comparable: its latency is not known"
        ),
    )
    return out.sort_values(cost, kind="stable")


@analysis
def regions(study: Study, over: Mapping[str, Any]) -> pd.DataFrame:
    """Who is cheapest where: a map over any two inputs, every other one at its middle.

    `over` is {input: values, input: values}; None takes a thirtieth to thirty times the present value, or 0 to 1 for a share. Columns: the two inputs, best, usd, second,
    margin (what the second costs more, as a share). With a floor, options below that quality at the present point are left out,
    and those of unknown quality beside known ones.
    """
    check(
        isinstance(over, Mapping) and len(over) == 2,
        f"regions needs two inputs, {{input: values, input: None}}; over is {over!r}",
    )
    study = comparable(study)
    if study.quality_floor is not None:
        quality = compare(study, draws=1)["quality"]
        good = [label for label in study.options if quality[label] >= study.quality_floor]
        check(good, "regions: no option reaches the quality floor")
        study = study.only(*good)
    values = dict(leaves(study.inputs))
    axes: dict[str, np.ndarray] = {}
    keys = {name: find_key(study.inputs, name) for name in over}
    check(
        len(set(keys.values())) == 2,
        f"regions needs two inputs, and {' and '.join(map(repr, over))} are one",
    )
    for name, given in over.items():
        low, high = _reach(keys[name], values[keys[name]])
        check(given is None or np.size(given), f"regions: {name!r} needs values, or None")
        axes[name] = (
            np.ravel(given)
            if given is not None
            else (np.geomspace if low > 0 else np.linspace)(low, high, MAP_POINTS)
        )
    grid = dict(
        zip(axes, (m.ravel() for m in np.meshgrid(*axes.values(), indexing="ij")), strict=True)
    )
    usd = totals(study, grid=grid)
    stack = np.vstack([np.where(np.isnan(x), np.inf, x) for x in usd.values()])
    order, labels = np.argsort(stack, axis=0, kind="stable"), np.array([*usd, ""], dtype=object)
    place = np.arange(stack.shape[1])
    least = stack[order[0], place]
    more = stack[order[1], place] if len(usd) > 1 else np.full(place.size, np.inf)
    with np.errstate(invalid="ignore", divide="ignore"):
        margin = np.where(np.isfinite(more), more / least - 1, np.nan)
    best, second = (
        np.where(np.isfinite(least), order[0], -1),
        np.where(np.isfinite(more), order[min(1, len(usd) - 1)], -1),
    )
    table = pd.DataFrame(
        {
            **grid,
            "best": labels[best],
            "usd": np.where(np.isfinite(least), least, np.nan),
            "second": labels[second],
            "margin": margin,
        }
    )
    table.attrs["now"] = {
        name: float(_mid(values[key])) for name, key in keys.items()
    }  # for the figure
    return table
