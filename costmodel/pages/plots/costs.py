"""Figures of the tables that the analysis functions return: `plot_*(table, ax=None, ...) -> ax`.

A plot groups and orders what is in the table and computes nothing else. It draws on the axes it is
given, or on a figure of its own that no plotting state knows; a notebook shows that one by ending a
cell with `plot_bands(table).figure`. A label has the same colour in every figure; axes carry units;
bands are shaded.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from costmodel.choices.purchases import PHASES
from costmodel.core.errors import check
from costmodel.core.glossary import unit_of
from costmodel.core.words import USD, Currency, dollars, number_text, readable
from costmodel.pages.plots.style import (
    COLOURS,
    INK,
    PALE,
    PHASE_COLOURS,
    figure,
    in_currency,
    label_ends,
    money_axis,
    name_rows,
    palette,
    picture,
    sentences_above,
    tidy,
)


@figure
def plot_lifecycle(table: pd.DataFrame, ax: Axes | None = None, money: Currency = USD) -> Axes:
    """Where the money goes: one bar per option, stacked by phase, cheapest on top (a table of
    `ledger`).
    """
    by_phase = (
        in_currency(table, money).groupby(["option", "phase"])["usd"].sum().unstack(fill_value=0.0)
    )
    totals = by_phase.sum(axis=1).sort_values(kind="stable")
    phases = [p for p in PHASES if p in by_phase and by_phase[p].any()]
    check(len(totals), "plot_lifecycle: the ledger is empty; no option can run")
    ax = ax or picture(1.1 + 0.21 * len(totals))
    rows, left = np.arange(len(totals)), np.zeros(len(totals))
    for phase in phases:
        usd = by_phase.loc[totals.index, phase].to_numpy()
        ax.barh(
            rows,
            usd,
            left=left,
            height=0.7,
            color=PHASE_COLOURS[phase],
            edgecolor="white",
            linewidth=0.4,
        )
        left = left + usd
    for row, usd in enumerate(totals):
        ax.text(usd, row, f" {dollars(usd, money)}", va="center")
    name_rows(ax, totals.index)
    tidy(ax, "x")
    money_axis(ax.xaxis, money)
    ax.set_xlim(0, totals.max() * 1.09)
    ax.set_xlabel(f"total cost over the horizon [{money.code}]")
    handles = [Patch(color=PHASE_COLOURS[p], label=p) for p in phases]
    ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=min(5, len(phases)),
        handlelength=1,
        handleheight=1,
        columnspacing=1.4,
        handletextpad=0.5,
        borderpad=0.2,
    )
    return ax


@figure
def plot_cumulative(
    table: pd.DataFrame,
    ax: Axes | None = None,
    colours: Mapping[str, str] | None = None,
    column: str = "cumulative_usd",
    crossings: int = 3,
    money: Currency = USD,
) -> Axes:
    """What has been paid by each month (a table of `cash_flow`), and up to `crossings` months in
    which one option falls below another, marked and named: changes of the cheapest first. `column`
    may also be "npv"."""
    check(len(table), "plot_cumulative: the table is empty; no option can run")
    paid = in_currency(table, money).pivot(index="month", columns="option", values=column)[
        list(dict.fromkeys(table["option"]))
    ]
    colours = colours or palette(paid.columns)
    ax = ax or picture(max(3.0, 0.6 + 0.21 * paid.shape[1]))
    for label in paid:
        ax.plot(paid.index, paid[label], color=colours[label], linewidth=1.6)
    ax.set_xlim(paid.index[0], paid.index[-1])
    ax.set_ylim(0, paid.to_numpy().max() * 1.05)
    marks = sorted(_crossings(paid)[:crossings])
    for number, (month, usd, _) in enumerate(marks, 1):
        ax.plot(
            month,
            usd,
            "o",
            color="white",
            markeredgecolor=INK,
            markersize=9,
            markeredgewidth=0.9,
            zorder=5,
        )
        ax.text(month, usd, str(number), ha="center", va="center_baseline", fontsize=6.5, zorder=6)
    sentences_above(ax, [f"{number}  {text}" for number, (*_, text) in enumerate(marks, 1)])
    tidy(ax, "y")
    money_axis(ax.yaxis, money)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 3, 6, 10]))
    ax.set_xlabel("month (0: today)")
    ax.set_ylabel(
        f"present value of the cost so far [{money.code}]"
        if column == "npv"
        else f"cost so far [{money.code}]"
    )
    label_ends(ax, {label: paid[label].iloc[-1] for label in paid}, paid.index[-1], colours)
    return ax


def _crossings(paid: pd.DataFrame) -> list[tuple[float, float, str]]:
    """(month, USD, sentence) where one line falls below another after the first month; changes of
    the cheapest first, then in the order of what is cheapest at the end."""
    found = []
    values, months = paid.to_numpy(), paid.index.to_numpy(float)
    for a in range(values.shape[1]):
        for b in range(values.shape[1]):
            gap = values[:, a] - values[:, b]
            for i in 1 + np.flatnonzero((gap[1:-1] > 0) & (gap[2:] <= 0)):
                share = gap[i] / (gap[i] - gap[i + 1])
                usd = values[i, a] + share * (values[i + 1, a] - values[i, a])
                leads = values[i + 1, a] <= values[i + 1].min()
                less, more = paid.columns[a], paid.columns[b]
                text = f"{less} has cost less than {more} from month {months[i + 1]:g} on"
                found.append(
                    (
                        not leads,
                        values[-1, a],
                        months[i] + share * (months[i + 1] - months[i]),
                        usd,
                        text,
                    )
                )
    return [(month, usd, text) for _, _, month, usd, text in sorted(found)]


@figure
def plot_tornado(
    table: pd.DataFrame,
    ax: Axes | None = None,
    n: int = 10,
    base: float | None = None,
    money: Currency = USD,
) -> Axes:
    """Which doubt moves the total most: one bar per input, from its low to its high end (a table of
    `tornado`).

    The ends say the value of the input; `base` marks the total with every input at its middle.
    """
    table = in_currency(table, money).head(n)
    check(len(table), "plot_tornado: the table has no doubts")
    low, high = COLOURS[0], COLOURS[7]
    ax = ax or picture(1.0 + 0.28 * len(table))
    for row, (_, doubt) in enumerate(table.iterrows()):
        ax.barh(
            row,
            doubt["usd_high"] - doubt["usd_low"],
            left=doubt["usd_low"],
            height=0.34,
            color=PALE,
            linewidth=0,
        )
        for usd, value, colour, other in (
            (doubt["usd_low"], doubt["low"], low, doubt["usd_high"]),
            (doubt["usd_high"], doubt["high"], high, doubt["usd_low"]),
        ):
            side = -1 if usd < other or (usd == other and colour == low) else 1
            ax.plot(usd, row, "o", color=colour, markersize=6, markeredgewidth=0)
            ax.annotate(
                number_text(value),
                (usd, row),
                (6 * side, 0),
                textcoords="offset points",
                ha="left" if side > 0 else "right",
                va="center",
            )
    ends = table[["usd_low", "usd_high"]].to_numpy()
    margin = max(np.ptp(ends), 1e-9) * 0.14
    ax.set_xlim(ends.min() - margin, ends.max() + margin)
    if base is not None:
        ax.axvline(base * money.per_usd, color=INK, linewidth=0.9, zorder=0)
    units = [unit_of(key.rsplit(".", 1)[-1]) for key in table["input"]]
    name_rows(
        ax,
        [
            f"{readable(key)} [{unit}]" if unit else readable(key)
            for key, unit in zip(table["input"], units, strict=True)
        ],
    )
    tidy(ax, "x")
    money_axis(ax.xaxis, money)
    ax.set_xlabel(f"total cost over the horizon [{money.code}]")
    handles = [
        ax.plot([], [], "o", color=c, label=text)[0]
        for c, text in ((low, "input at its low end"), (high, "input at its high end"))
    ]
    ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 0.99),
        ncols=2,
        handletextpad=0.2,
        borderpad=0.2,
    )
    return ax
