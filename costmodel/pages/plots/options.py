"""Figures of options side by side: how sure, along one input, and cost against quality."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import shorten

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array

from costmodel.core import USD, Currency, chance_of, check, percent, require, short
from costmodel.pages.plots.marks import (
    column_beside,
    draw_band,
    draw_floor,
    draw_ranges,
    label_ends,
    label_points,
    mark_value,
    sentences_above,
)
from costmodel.pages.plots.style import (
    FAR,
    GREY,
    INK,
    PALE,
    WIDE,
    Colours,
    Style,
    by_option,
    check_column,
    figure,
    in_currency,
    input_name,
    log_if_wide,
    money_axis,
    name_rows,
    narrow,
    palette,
    picture,
    tidy,
    write_as,
)

LONGEST = 92  # characters of a reason


@figure
def plot_bands(
    table: pd.DataFrame,
    ax: Axes | None = None,
    colours: Colours | None = None,
    money: Currency = USD,
) -> Axes:
    """How sure: 8 cases in 10 of each option as a bar, the median as a tick, the expected cost as a
    dot, the least expected present value on top (a table of `compare`).

    At the right stands the share of draws in which the option is the cheapest; what cannot be
    ranked is grey, with its reason; what is not eligible is pale, unless nothing is.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG", "Prompt")
    >>> ax = cm.plots.plot_bands(cm.compare(study, draws=200))
    >>> [tick.get_text() for tick in ax.get_yticklabels()]
    ['RAG', 'Prompt']
    """
    table = in_currency(table, money).sort_values(
        "risk_adjusted", kind="stable", na_position="last"
    )
    colours = colours or palette(table.index)
    ax = ax or picture(0.9 + 0.235 * len(table))
    values = table[["p10", "p90", "expected"]].dropna(subset="expected")
    if len(values):
        log_if_wide(ax, "x", values)
        if ax.get_xscale() == "linear":
            ax.set_xlim(0, values.max(axis=None) * 1.03)
    reasons = table["why_not"].fillna("").to_numpy(str)
    unranked = (reasons != "") & table["p_reaches"].isna()  # a reason alone is a note
    pale = ~table["eligible"] if table["eligible"].any() else pd.Series(False, table.index)
    shades = to_rgba_array([GREY if unranked[label] else colours[label] for label in table.index])
    shades[:, 3] = np.where(pale, 0.4, 1)
    rows, runs = np.arange(len(table)), np.isfinite(table["expected"].to_numpy())
    # a reason stands below its bar, which is higher up and thinner
    at, half = rows - 0.2 * (reasons != ""), np.where(reasons != "", 0.16, 0.25)
    shown, shades, at, half = table[runs], shades[runs], at[runs], half[runs]
    draw_ranges(ax, shown[["p10", "expected", "p90"]], shades, at, 2 * half, size=4.5)
    ax.vlines(shown["p50"], at - half, at + half, colors=shades, linewidth=2)
    for row in np.flatnonzero(reasons != ""):
        reason = shorten(reasons[row], 44 if narrow() else LONGEST, placeholder="…")
        small: Style = {"va": "center", "fontsize": 7.5, "color": GREY}
        ax.text(0.01, row + 0.29 * runs[row], reason, transform=ax.get_yaxis_transform(), **small)
    _name_chances(ax, table["p_cheapest"])
    name_rows(ax, table.index)
    for text, faded in zip(ax.get_yticklabels(), unranked | pale, strict=True):
        text.set_color(GREY if faded else INK)
    money_axis(
        ax.xaxis,
        money,
        "total cost over the horizon [{}]\nbar: 8 cases in 10, tick: median, dot: expected",
    )
    return ax


def _name_chances(ax: Axes, shares: pd.Series) -> None:
    """The share of draws in which each option is the cheapest, bold from one half on."""
    words = shares.map(chance_of).where(shares.notna(), "")
    texts = column_beside(ax, 1.09, "cheapest in", words)
    for text, share in zip(texts, shares.dropna(), strict=True):
        text.set(color=INK if share else GREY, weight="bold" if share >= 0.5 else "normal")


@figure
def plot_sweep(
    table: pd.DataFrame,
    over: str,
    ax: Axes | None = None,
    crossings: Iterable[pd.DataFrame] = (),
    colours: Colours | None = None,
    money: Currency = USD,
    relative: bool = False,
    now: float | None = None,
) -> Axes:
    """Cost of each option against one input (a table of `sweep`), with the band of 8 cases in 10
    where it is there and at most four options share the figure; of more than four, those that are
    nowhere the cheapest are grey.

    `crossings` are tables of `breakeven` over the same input: each crossing is marked, named and
    banded. `relative` shows each cost over the cheapest at that value, so that lines which would
    run side by side over factors of ten can be told apart; `now` marks the present value.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG", "Prompt")
    >>> volumes = [1e4, 1e5, 1e6]
    >>> table = cm.sweep(study, "requests_per_month", volumes, draws=0)
    >>> cm.plots.plot_sweep(table, over="requests_per_month", now=3e5).get_xlabel()
    'requests per month [request/month]'
    """
    check_column("plot_sweep", over, table)
    table = in_currency(table, money, over).dropna(subset=["present_value"])
    check(len(table), "plot_sweep: no option can run at any of the values")
    lines = by_option(table, over, "present_value")
    few = lines.shape[1] <= 4
    winners = set(lines) if few else set(lines.idxmin(axis=1))
    colours = {
        label: colour if label in winners else GREY
        for label, colour in (colours or palette(lines)).items()
    }
    ax = ax or picture(max(3.0, 0.6 + 0.21 * lines.shape[1]))
    log_if_wide(ax, "x", lines.index)
    if relative:
        lines = lines.div(lines.min(axis=1), axis=0)
        ax.set_ylim(0.97, min(lines.max(axis=None) * 1.03, FAR))
        money_axis(ax.yaxis, money, "")
        write_as(ax.yaxis, lambda y: f"{y:g} ×", "expected present value over the least")
    else:
        log_if_wide(ax, "y", lines, WIDE if ax.get_xscale() == "linear" else 10)
        money_axis(ax.yaxis, money, "expected present value of the cost [{}]")
        if ax.get_yscale() == "linear":
            ax.set_ylim(0, table.drop(columns=over).select_dtypes("number").max(axis=None) * 1.05)
    for label, line in lines.items():
        won = label in winners
        ax.plot(line.dropna(), color=colours[label], linewidth=2 if won else 0.9, zorder=2 + won)
    if "p10" in table and few and not relative:  # more bands than that hide each other
        for label, frame in table.sort_values(over).groupby("option", sort=False):
            draw_band(ax, frame[over], frame["p10"], frame["p90"], colours[str(label)])
    ax.set_xlim(lines.index[0], lines.index[-1])
    tidy(ax)
    write_as(ax.xaxis, short, input_name(over))
    sentences_above(ax, _mark_values(ax, crossings, now))
    label_ends(ax, lines, colours)
    return ax


def _mark_values(ax: Axes, crossings: Iterable[pd.DataFrame], now: float | None) -> list[str]:
    """Lines where two options cost the same and where the input stands now; returns their names."""
    named = []
    for found in crossings:
        for row in found.dropna(subset="crossing").itertuples():
            ax.axvspan(row.p10, row.p90, color=PALE, alpha=0.6, zorder=0)
            mark_value(ax, row.crossing)
            named.append(
                f"{row.above} is cheaper than {row.below} above {short(row.crossing)} "
                "(grey: 80 % band)"
            )
    if now is not None:
        mark_value(ax, now, linestyle=(0, (1, 2)))
        named.append(f"dotted: {short(now)}, as it is now")
    return named


@figure
def plot_quality(
    table: pd.DataFrame,
    ax: Axes | None = None,
    cost: str = "per_accepted",
    floor: float | None = None,
    colours: Colours | None = None,
    money: Currency = USD,
) -> Axes:
    """Cost against the share of answers accepted (a table of `compare`); the line joins what
    nothing beats on both, the rest is faded.

    `cost` is "per_accepted", "per_request", "per_month" or "expected"; `floor` draws the least
    quality that is acceptable.

    Examples
    --------
    >>> import costmodel as cm
    >>> table = cm.compare(cm.load("support_assistant"), draws=10)
    >>> ax = cm.plots.plot_quality(table, cost="per_accepted", floor=0.7)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('answers accepted [share]', 'cost of an accepted answer [USD]')
    """
    names = {
        "per_accepted": "cost of an accepted answer [{}]",
        "per_request": "cost of a request [{}]",
        "per_month": "cost of a month [{}/month]",
        "expected": "expected cost over the horizon [{}]",
    }
    check(cost in names, f"plot_quality: cost is {cost!r}, allowed are {', '.join(names)}")
    require("plot_quality: floor", 0.0 if floor is None else floor, 0, 1)
    colours = colours or palette(table.index)
    points = in_currency(table, money)[["quality", cost]].dropna()
    points = points.sort_values(["quality", cost], ascending=[False, True])
    check(len(points), "plot_quality: no option has both a cost and a known quality")
    ax = ax or picture(3.5)
    quality, costs = points["quality"], points[cost]
    best = costs < costs.cummin().shift(fill_value=np.inf)
    frontier = points[best].to_numpy()
    ax.plot(*frontier.T, color=GREY, linewidth=1, zorder=1)
    ax.scatter(
        quality,
        costs,
        np.where(best, 49, 25),
        [colours[label] for label in points.index],
        alpha=np.where(best, 1, 0.45),  # type: ignore[arg-type]  # takes arrays
        linewidths=0,
        zorder=2,
    )
    left, right = max(0, quality.min() - 0.06), min(1, quality.max() + 0.1)
    ax.set_ylim(0, costs.max() * 1.12)
    lines = [frontier]
    if floor is not None:
        left, right = min(left, floor - 0.03), max(right, floor + 0.03)
        lines.append(np.array([(floor, y) for y in ax.get_ylim()]))
        draw_floor(ax, floor, left)
        bottom: Style = {"transform": ax.get_xaxis_transform(), "va": "bottom"}
        ax.text(floor, 0.02, f" at least {percent(floor)}", **bottom)
    ax.set_xlim(left, right)
    tidy(ax)
    money_axis(ax.yaxis, money, names[cost])
    write_as(ax.xaxis, percent, "answers accepted [share]")
    label_points(ax, points, lines, np.where(best, INK, GREY).tolist())
    return ax


@figure
def plot_quality_bands(
    table: pd.DataFrame,
    ax: Axes | None = None,
    floor: float | None = None,
    colours: Colours | None = None,
    money: Currency = USD,
) -> Axes:
    """The 80 % band of the share accepted of each option (a table of `quality_bands`).

    Grey is the band before anything was judged, where something was; the dot is the middle.
    `floor` draws the least quality that is acceptable.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG", "Small model + RAG")
    >>> ax = cm.plots.plot_quality_bands(cm.decisions.quality_bands(study, draws=200), floor=0.6)
    >>> ax.get_xlabel()
    'answers accepted [share], 80 % band'
    """
    rows = table.dropna(subset=["mid"]).sort_values("mid", ascending=False)
    check(len(rows), "plot_quality_bands: the quality of no option is known")
    colours = colours or palette(rows.index)
    ax = ax or picture(0.7 + 0.26 * len(rows))
    y, own = np.arange(len(rows)), [colours[label] for label in rows.index]
    if rows["judged"].ne("").any():
        ax.hlines(y - 0.2, rows["before_low"], rows["before_high"], GREY, linewidth=2)
        ax.scatter(rows["before"], y - 0.2, 10, GREY, zorder=3)
    ax.hlines(y + 0.1, rows["low"], rows["high"], own, linewidth=5)
    ax.scatter(rows["mid"], y + 0.1, 14, "white", edgecolors=INK, linewidths=0.8, zorder=3)
    for place, judged in zip(y, rows["judged"], strict=True):
        if judged:
            ax.text(1.01, place + 0.1, f"judged {judged}", va="center", color=INK)
    if floor is not None:
        draw_floor(ax, floor)
    ax.set_xlim(0, 1)
    name_rows(ax, rows.index)
    write_as(ax.xaxis, percent, "answers accepted [share], 80 % band")
    return ax
