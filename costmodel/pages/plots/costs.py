"""Figures of the tables that the analysis functions return: `plot_*(table, ax=None, ...) -> ax`.

A plot groups and orders what is in the table and computes nothing else. It draws on the axes it is
given, or on a figure of its own that no plotting state knows; a notebook shows that one by ending a
cell with `plot_bands(table).figure`. A label has the same colour in every figure; axes carry units;
bands are shaded.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from costmodel.core import UNSEEN, USD, Currency, dollars, number_text, unit_of
from costmodel.pages.plots.marks import (
    WHITE_DOT,
    draw_lines,
    draw_stacks,
    legend_above,
    mark_value,
    note,
    sentences_above,
)
from costmodel.pages.plots.style import (
    COLOURS,
    PALE,
    PHASE_COLOURS,
    Colours,
    by_option,
    by_phase,
    cheapest_first,
    figure,
    in_currency,
    input_name,
    money_axis,
    name_rows,
    palette,
    picture,
)


@figure
def plot_lifecycle(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """Where the money goes: one bar per option, stacked by phase, cheapest on top (a table of
    `ledger`).

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG", "Prompt")
    >>> ax = cm.plots.plot_lifecycle(cm.ledger(study))
    >>> [tick.get_text() for tick in ax.get_yticklabels()]
    ['RAG', 'Prompt']
    """
    paid = cheapest_first(by_phase(table, "option", money))
    ax = ax or picture(1.1 + 0.21 * len(paid))
    draw_stacks(ax, paid, PHASE_COLOURS, edgecolor="white", linewidth=0.4)
    ends = paid.cumsum(axis=1)
    for row, total in enumerate(ends.iloc[:, -1]):
        ax.text(total, row, f" {dollars(total, money)}", va="center")
    money_axis(ax.xaxis, money, "total cost over the horizon [{}]")
    ax.set_xlim(0, ends.max(axis=None) * 1.09)
    small = {"handlelength": 1, "handleheight": 1, "columnspacing": 1.4, "handletextpad": 0.5}
    legend_above(ax, min(5, paid.shape[1]), **small)
    return ax


@figure
def plot_cumulative(
    table: pd.DataFrame,
    ax: Axes | None = None,
    colours: Colours | None = None,
    column: str = "present_value",
    crossings: int = 3,
    money: Currency = USD,
) -> Axes:
    """The present value of what has been paid by each month (a table of `cash_flow`), and up to
    `crossings` months in which one option falls below another, marked and named: changes of the
    cheapest first. `column` may also be "cumulative_usd".

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG", "Prompt")
    >>> ax = cm.plots.plot_cumulative(cm.finance.cash_flow(study))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('month (0: today)', 'present value of the cost so far [USD]')
    """
    paid = by_option(in_currency(table, money), "month", column)
    colours = colours or palette(paid.columns)
    ax = ax or picture(max(3.0, 0.6 + 0.21 * paid.shape[1]))
    ax.set_ylim(0, paid.max(axis=None) * 1.05)
    draw_lines(ax, paid, colours, "y")
    crossed = sorted(shown[2:] for shown in _crossings(paid)[:crossings])
    for number, (month, cost, _) in enumerate(crossed, 1):
        ax.plot(month, cost, **WHITE_DOT, markersize=9, zorder=5)
        ax.text(month, cost, str(number), ha="center", va="center_baseline", fontsize=6.5, zorder=6)
    sentences_above(ax, [f"{number}  {text}" for number, (*_, text) in enumerate(crossed, 1)])
    what = "present value of the cost" if column == "present_value" else "cost"
    money_axis(ax.yaxis, money, what + " so far [{}]")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 3, 6, 10]))
    ax.set_xlabel("month (0: today)")
    return ax


def _crossings(paid: pd.DataFrame) -> list[tuple[Any, ...]]:
    """(whether the cheapest stays, cost at the end, month, cost, sentence) where one line falls
    below another after the first month, in this order."""
    found = []
    for less, more in permutations(paid, 2):
        cost, gap = paid[less].to_numpy(), (paid[less] - paid[more]).to_numpy()
        for i in 1 + np.flatnonzero((gap[1:-1] > 0) & (gap[2:] <= 0)):
            step = i + gap[i] / (gap[i] - gap[i + 1])
            at = [np.interp(step, range(len(cost)), values) for values in (paid.index, cost)]
            text = f"{less} has cost less than {more} from month {paid.index[i + 1]:g} on"
            found.append((cost[i + 1] > paid.iloc[i + 1].min(), cost[-1], *at, text))
    return sorted(found)


@figure
def plot_tornado(
    table: pd.DataFrame, ax: Axes | None = None, n: int = 10, money: Currency = USD
) -> Axes:
    """Which doubt moves the expected cost of an option most, or the difference of two: one bar per
    input, from its low to its high end (a table of `tornado`).

    The ends say the value of the input, where its unit says something to a reader; a line marks
    what is expected now, and for a difference 0, where the two change places.

    Examples
    --------
    >>> import costmodel as cm
    >>> table = cm.uncertainty.tornado(cm.load("support_assistant"), "Prompt")
    >>> ax = cm.plots.plot_tornado(table, n=3)
    >>> len(ax.get_yticklabels()), ax.get_xlabel()
    (3, 'expected cost of Prompt over the horizon [USD]')
    """
    about = table.attrs
    table = in_currency(table, money, "low", "high").head(n)
    ax = ax or picture(1.0 + 0.28 * len(table))
    rows, low, high = range(len(table)), table["usd_low"], table["usd_high"]
    ax.barh(rows, high - low, left=low, height=0.34, color=PALE)
    hidden = table["input"].map(lambda key: unit_of(key.rsplit(".", 1)[-1])).isin(UNSEEN)
    outwards = np.where(low <= high, -6, 6)  # from the dot of the low end
    for end, colour, shifts in (("low", COLOURS[0], outwards), ("high", COLOURS[7], -outwards)):
        usd, name = table[f"usd_{end}"], f"input at its {end} end"
        ax.plot(usd, rows, "o", color=colour, markeredgewidth=0, label=name)
        for row, at, value, shift in zip(rows, usd, table[end], shifts, strict=True):
            if not hidden.iloc[row]:
                note(ax, number_text(value), (at, row), (shift, 0))
    ends = np.array([low, high])
    margin = max(np.ptp(ends), 1e-9) * 0.2
    ax.set_xlim(ends.min() - margin, ends.max() + margin)
    mark_value(ax, about["usd"] * money.per_usd, linestyle="solid", zorder=0)
    what = about.get("what", "cost")
    text = f"expected {what} of {about['option']} over the horizon [{{}}]"
    if other := about["against"]:
        mark_value(ax, 0, zorder=0)
        text = f"expected present value of {about['option']}\nless that of {other} [{{}}]; "
        text += f"below 0, {about['option']} costs less"
    name_rows(ax, map(input_name, table["input"]))
    money_axis(ax.xaxis, money, text)
    legend_above(ax, 2, bbox_to_anchor=(0, 0.99), handletextpad=0.2)
    return ax
