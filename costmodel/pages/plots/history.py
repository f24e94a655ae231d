"""Figures of your own history: how a bill comes about, and what it would have been otherwise."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from costmodel.core import USD, Currency, dollars
from costmodel.pages.plots.decisions import plot_waterfall
from costmodel.pages.plots.marks import draw_stacks, legend_above
from costmodel.pages.plots.style import COLOURS, INK, cheapest_first, figure, money_axis, picture

CLASSES = {
    "input": "fresh input",
    "cache_read": "cache read",
    "cache_write_5m": "cache write",
    "cache_write_1h": "cache write, 1 h",
    "output": "output",
    "reasoning": "reasoning",
}


@figure
def plot_steps(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """From one amount to another, one bar for each step (`steps` of a `Reconciliation`, or a table
    of `between_months`).

    Examples
    --------
    >>> import costmodel as cm
    >>> days = {"time": ["2026-10-01"], "model": "gpt-4o", "input": [20_680_000]}
    >>> usage = cm.ingest.Usage.of(pd.DataFrame(days))
    >>> made = cm.history.reconcile(usage, cm.ingest.Bill.of_total(96.91))
    >>> cm.plots.plot_steps(made.steps).get_xlabel()
    'cost [USD]'
    """
    ax = plot_waterfall(table, ax, money)
    money_axis(ax.xaxis, money, "cost [{}]")
    return ax


@figure
def plot_repriced(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """What the calls of a history would have cost: one bar per option, stacked by class of tokens,
    cheapest on top; the line is the doubt of the tokenizer (a table of `reprice`).

    Examples
    --------
    >>> import costmodel as cm
    >>> day = {"time": ["2026-10-01"], "model": "gpt-4o", "calls": [900], "input": [1_000_000]}
    >>> usage = cm.ingest.Usage.of(pd.DataFrame(day))
    >>> small = cm.Api("gpt-4o-mini", on="2026-10-01")
    >>> ax = cm.plots.plot_repriced(cm.history.reprice(usage, {"small": small}))
    >>> [tick.get_text() for tick in ax.get_yticklabels()]
    ['small', 'as it was']
    """
    paid = table[table["usd"].notna()]
    paid = paid.assign(**(paid[["usd", "low", "high"]] * money.per_usd))
    wide = cheapest_first(paid.pivot_table("usd", "option", "class", "sum", fill_value=0.0))
    order = dict.fromkeys(name for name in (*CLASSES, *wide) if name in wide)
    wide = wide[list(order)].rename(columns=CLASSES)
    ax = ax or picture(1.1 + 0.26 * len(wide))
    draw_stacks(ax, wide, dict(zip(wide, COLOURS, strict=False)))
    sums = paid.groupby("option")[["usd", "low", "high"]].sum(min_count=1).loc[wide.index]
    wider = np.flatnonzero(sums["high"] > sums["low"])
    ax.hlines(wider, sums["low"].iloc[wider], sums["high"].iloc[wider], color=INK, linewidth=1.2)
    for row, (usd, _, high) in enumerate(sums.to_numpy()):
        ax.text(np.nanmax([usd, high]), row, f" {dollars(usd, money)}", va="center")
    money_axis(ax.xaxis, money, "cost of the same calls [{}]")
    ax.set_xlim(0, ax.get_xlim()[1] * 1.1)
    legend_above(ax, min(4, wide.shape[1]), handlelength=1, columnspacing=1.4)
    return ax
