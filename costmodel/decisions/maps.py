"""Which options are efficient, and which is cheapest over the plane of two inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core.checks import require
from costmodel.core.errors import check, unknown
from costmodel.core.nested import find_key, leaves
from costmodel.core.public import public
from costmodel.decisions.compare import compare
from costmodel.decisions.simulate import comparable, totals
from costmodel.decisions.tradeoffs import _mid, _reach
from costmodel.ledgers.engine import Options, settle

if TYPE_CHECKING:
    import pandas as pd


MAP_POINTS = 41
COSTS = ("per_accepted", "per_request", "per_month", "mid", "npv")


# -- dominance and maps --------------------------------------------------------------------------------


@public
def frontier(options: Options, work: Workload, latency: Mapping[str, float] | None = None, cost: str = "per_accepted", months: int | None = None,
             terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:  # fmt: skip
    """Which options nothing beats on cost, quality and latency at once, and by whom the others are dominated.

    Index option, cheapest first; columns: the cost (a column of `compare`, "per_accepted" by default), quality, latency_s, efficient, dominated_by,
    why_not. `latency` gives seconds by label, of your own measurement; where it is given, an option without it is not comparable.
    `cost` is one of per_accepted, per_request, per_month, mid and npv. An option dominates another if it is as good in all and better in one. Adding an option can dominate others; it turns no order round.
    """
    import pandas as pd

    table = compare(options, work, months=months, draws=1, terms=terms, on=on)
    if cost not in COSTS:
        raise unknown("cost", cost, COSTS, "the columns of compare")
    for label in latency or {}:
        if label not in table.index:
            raise unknown("option", label, table.index, "the latencies")
        require(f"latency of {label!r}", latency[label])  # type: ignore[index]
    seconds = pd.Series(latency or {}, dtype=float).reindex(table.index)
    asked = {"cost": table[cost], "worse": -table["quality"]} | ({"seconds": seconds} if latency else {})
    points = np.column_stack([x.to_numpy(float) for x in asked.values()])
    known = ~np.isnan(points).any(axis=1)
    by = []
    for i, point in enumerate(points):
        beats = known & known[i] & (points <= point).all(axis=1) & (points < point).any(axis=1)
        by.append(", ".join(table.index[beats]))
    out = pd.DataFrame({cost: table[cost], "quality": table["quality"], "latency_s": seconds, "efficient": known & (np.array(by) == ""), "dominated_by": by})
    out["why_not"] = np.where(known, "", np.where(table["why_not"] != "", table["why_not"], "not comparable: its latency is not known"))
    return out.sort_values(cost, kind="stable")


@public
def regions(options: Options, work: Workload, over: Mapping[str, Any], quality_floor: float | None = None, months: int | None = None,
            terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:  # fmt: skip
    """Who is cheapest where: a map over any two inputs, every other one at its middle.

    `over` is {input: values, input: values}; None takes a thirtieth to thirty times the present value, or 0 to 1 for a share. Columns: the two inputs, best, usd, second,
    margin (what the second costs more, as a share). With a floor, options below that quality at the present point are left out,
    and those of unknown quality beside known ones.
    """
    import pandas as pd

    options, terms = settle(options, terms, months=months, on=on)
    check(isinstance(over, Mapping) and len(over) == 2, f"regions needs two inputs, {{input: values, input: None}}; over is {over!r}")
    options = comparable(options, work, terms)
    if quality_floor is not None:
        require("quality_floor", quality_floor, 0, 1)
        quality = compare(options, work, draws=1, terms=terms)["quality"]
        options = {label: option for label, option in options.items() if quality[label] >= quality_floor}
    check(options, "regions: no option reaches the quality floor")
    values = dict(leaves((tuple(options.values()), work, terms)))
    axes: dict[str, np.ndarray] = {}
    keys = {name: find_key((tuple(options.values()), work, terms), name) for name in over}
    check(len(set(keys.values())) == 2, f"regions needs two inputs, and {' and '.join(map(repr, over))} are one")
    for name, given in over.items():
        low, high = _reach(keys[name], values[keys[name]])
        check(given is None or np.size(given), f"regions: {name!r} needs values, or None")
        axes[name] = np.ravel(given) if given is not None else (np.geomspace if low > 0 else np.linspace)(low, high, MAP_POINTS)
    grid = dict(zip(axes, (m.ravel() for m in np.meshgrid(*axes.values(), indexing="ij")), strict=True))
    usd = totals(options, work, terms, grid=grid)
    stack = np.vstack([np.where(np.isnan(x), np.inf, x) for x in usd.values()])
    order, labels = np.argsort(stack, axis=0, kind="stable"), np.array([*usd, ""], dtype=object)
    place = np.arange(stack.shape[1])
    least = stack[order[0], place]
    more = stack[order[1], place] if len(usd) > 1 else np.full(place.size, np.inf)
    with np.errstate(invalid="ignore", divide="ignore"):
        margin = np.where(np.isfinite(more), more / least - 1, np.nan)
    best, second = np.where(np.isfinite(least), order[0], -1), np.where(np.isfinite(more), order[min(1, len(usd) - 1)], -1)
    table = pd.DataFrame({**grid, "best": labels[best], "usd": np.where(np.isfinite(least), least, np.nan), "second": labels[second], "margin": margin})
    table.attrs["now"] = {name: float(_mid(values[key])) for name, key in keys.items()}  # for the figure
    return table
