"""Which options are efficient, and which is the cheapest over the plane of two inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core import check, check_known, find_keys, require
from costmodel.decisions.compare import compare
from costmodel.decisions.rule import standing
from costmodel.decisions.search import counted_now, goal_limits, present, product, spacing
from costmodel.decisions.simulate import comparable, expected, simulate, totals

MAP_POINTS = 41
COSTS = ("per_accepted", "per_request", "per_month", "expected", "present_value", "base_case")
MAP_DRAWS = 16  # behind each point of a map; its level comes from all draws of the study


@analysis
def frontier(
    study: Study, latency: Mapping[str, float] | None = None, cost: str = "per_accepted"
) -> pd.DataFrame:
    """Which options nothing beats on cost, quality and latency at once, and who beats the others.

    An option dominates another if it is as good in all and better in one. Adding an option can
    dominate others; it turns no order round.

    Parameters
    ----------
    study : Study, or options with a workload
        What is compared, at expected values.
    latency : dict of label to float, optional
        Seconds of your own measurement; where it is given, an option without it is not comparable.
    cost : {"per_accepted", "per_request", "per_month", "expected", "present_value", "base_case"}
        A column of `compare` [USD].

    Returns
    -------
    DataFrame
        Index option, cheapest first: the cost, `quality` [share], `latency_s` [s], `efficient`,
        `dominated_by` (labels), `why_not`.

    Raises
    ------
    CatalogError
        A cost or a label of `latency` that is not there; the nearest names are said.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> "RAG" in frontier(study).loc["GraphRAG", "dominated_by"]
    True
    """
    table = compare(study)
    check_known("cost", cost, COSTS, "the columns of compare")
    latency = latency or {}
    for label, second in latency.items():
        check_known("option", label, table.index, "the latencies")
        require(f"latency of {label!r}", second)
    seconds = pd.Series(latency, dtype=float).reindex(table.index)
    points = np.column_stack([table[cost], -table["quality"], *([seconds] if latency else [])])
    known = ~np.isnan(points).any(axis=1)
    dominated_by = []
    for point in points:  # a comparison with NaN is False
        beats = (points <= point).all(axis=1) & (points < point).any(axis=1)
        dominated_by.append(", ".join(table.index[beats]))
    why_not = table["why_not"].replace("", "not comparable: its latency is not known")
    columns = {
        "quality": table["quality"],
        "latency_s": seconds,
        "efficient": known & (np.array(dominated_by) == ""),
        "dominated_by": dominated_by,
        "why_not": why_not.mask(known, ""),
    }
    return table[[cost]].assign(**columns).sort_values(cost, kind="stable")


@analysis
def regions(study: Study, over: Mapping[str, Any], draws: int | None = MAP_DRAWS) -> pd.DataFrame:
    """Who has the least expected present value where: a map over two inputs, the others drawn.

    Options that are not eligible at the present point are left out, unless none is.

    Parameters
    ----------
    study : Study, or options with a workload
        What is compared.
    over : dict of input to values
        Two inputs with their values, each in its own unit; None: a thirtieth to thirty times the
        present one, or 0 to 1 for a share.
    draws : int, optional
        Draws behind each point; None is the base case, every other input at its middle.

    Returns
    -------
    DataFrame
        The two inputs, `best` (label), `usd` [USD, expected present value], `second` (label),
        `margin` (what the second costs more, as a share). `attrs["now"]` has the present values.

    Raises
    ------
    CatalogError
        An input that is not there; the nearest names are said.
    ValueError
        Not two inputs, or no values.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> over = {"requests_per_month": [1e4, 1e7], "usd_per_failure": [0.0, 1.0]}
    >>> regions(study.only("Prompt", "RAG"), over)["best"].to_list()
    ['Prompt', 'RAG', 'Prompt', 'RAG']
    """
    check(
        isinstance(over, Mapping) and len(over) == 2,
        f"regions needs two inputs, {{input: values, input: None}}; over is {over!r}",
    )
    every = simulate(study)
    rule = standing(study, every)
    good = list(
        rule.index[rule["eligible"]] if rule["eligible"].any() else comparable(study).options
    )
    study = study.only(*good)
    values, keys = counted_now(study), find_keys(study.inputs, over)
    check(
        keys[0] != keys[1], f"regions needs two inputs, and {' and '.join(map(repr, over))} are one"
    )
    axes: dict[str, np.ndarray] = {}
    for (name, axis), key in zip(over.items(), keys, strict=True):
        low, high = goal_limits(key, values[key])
        axes[name] = spacing(low)(low, high, MAP_POINTS) if axis is None else np.ravel(axis)
        check(len(axes[name]), f"regions: {name!r} needs values, or None")
    grid = product(axes)
    if draws is None:
        usd = totals(study, grid=grid, discounted=True)
    else:
        usd = expected(study, grid, draws, every=every.worth)
    nobody = np.full(len(grid[name]), np.nan)  # where fewer than two options can run
    costs, labels = np.column_stack([*usd.values(), nobody]), np.array([*usd, ""], dtype=object)
    order = np.argsort(costs, axis=1, kind="stable")[:, :2]  # what cannot run comes last
    least, more = np.take_along_axis(costs, order, axis=1).T
    best, second = np.where(np.isnan((least, more)), "", labels[order.T])
    with np.errstate(invalid="ignore", divide="ignore"):
        margin = more / least - 1
    table = pd.DataFrame({**grid, "best": best, "usd": least, "second": second, "margin": margin})
    now = (present(values[key]) for key in keys)
    table.attrs["now"] = dict(zip(over, now, strict=True))  # for the figure
    return table
