"""Figures of the tables that the analysis functions return: `plot_*(table, ax=None, ...) -> ax`.

A plot groups and orders what is in the table and computes nothing else. It draws on the axes it is
given, or on a figure of its own that no plotting state knows; a notebook shows that one by ending a
cell with `plot_bands(table).figure`. A label has the same colour in every figure; axes carry units;
bands are shaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from costmodel.choices.purchases import PHASES
from costmodel.core.errors import check
from costmodel.core.glossary import unit_of
from costmodel.core.words import USD, Currency, dollars, number_text, percent, readable, short
from costmodel.pages.plots.style import (
    COLOURS,
    FAR,
    GREY,
    INK,
    PALE,
    PHASE_COLOURS,
    WIDE,
    figure,
    in_currency,
    label_ends,
    label_points,
    log_if_wide,
    money_axis,
    name_rows,
    palette,
    picture,
    sentences_above,
    shortened,
    tidy,
)

# -- the figures -----------------------------------------------------------------------------------


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
def plot_bands(
    table: pd.DataFrame,
    ax: Axes | None = None,
    colours: Mapping[str, str] | None = None,
    money: Currency = USD,
) -> Axes:
    """How sure: P10 to P90 of each option as a bar, P50 as a tick, the middle as a dot, cheapest on
    top (a table of `compare`).

    At the right stands the share of draws in which the option is the cheapest; what cannot be
    ranked is grey, with its reason; what is not eligible (a table of `recommend`) is pale.
    """
    check(len(table), "plot_bands: the table has no options")
    table = in_currency(table, money).sort_values("mid", kind="stable", na_position="last")
    colours = colours or palette(table.index)
    ax = ax or picture(0.9 + 0.235 * len(table))
    known = table[table["mid"].notna()]
    if len(known):
        values = known[["p10", "p90", "mid"]].to_numpy()
        log_if_wide(ax, "x", values)
        if ax.get_xscale() == "linear":
            ax.set_xlim(0, np.nanmax(values) * 1.03)
    edge = ax.get_yaxis_transform()
    out = (
        table["why_not"].ne("") & table["p_cheapest"].isna()
    ).to_dict()  # not ranked; a reason alone is a note
    for row, (label, option) in enumerate(table.iterrows()):
        pale = not option.get("eligible", True)
        reason, runs, share = (
            option["why_not"] or "",
            np.isfinite(option["mid"]),
            option["p_cheapest"],
        )
        colour = GREY if out[label] else colours[label]
        at, half = (row - 0.14, 0.18) if reason else (row, 0.25)  # room for the reason below
        if runs:
            ax.barh(
                at,
                option["p90"] - option["p10"],
                left=option["p10"],
                height=2 * half,
                color=colour,
                alpha=0.15 if pale else 0.4,
                linewidth=0,
            )
            ax.plot(
                [option["p50"]] * 2,
                [at - half, at + half],
                color=colour,
                linewidth=2,
                solid_capstyle="butt",
                alpha=0.4 if pale else 1,
            )
            ax.plot(
                option["mid"],
                at,
                "o",
                color=colour,
                markersize=4.5,
                markeredgecolor="white",
                markeredgewidth=0.7,
                alpha=0.4 if pale else 1,
            )
        if reason:
            ax.text(
                0.01,
                row + 0.27 if runs else row,
                shortened(reason, 92),
                transform=edge,
                va="center",
                fontsize=6.5,
                color=GREY,
            )
        if np.isfinite(share):
            ax.text(
                1.09,
                row,
                "<1 %" if 0 < share < 0.005 else percent(share),
                transform=edge,
                ha="right",
                va="center",
                color=INK if share else GREY,
                weight="bold" if share >= 0.5 else "normal",
            )
    ax.text(1.09, -0.7, "P(cheapest)", transform=edge, ha="right", va="bottom", color=GREY)
    tidy(ax, "x")
    name_rows(
        ax,
        table.index,
        [
            GREY if out[label] or not option.get("eligible", True) else INK
            for label, option in table.iterrows()
        ],
    )
    money_axis(ax.xaxis, money)
    ax.set_xlabel(
        f"total cost over the horizon [{money.code}]\nband P10 to P90, tick P50, dot: every input at its middle"
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
                text = f"{paid.columns[a]} has cost less than {paid.columns[b]} from month {months[i + 1]:g} on"
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
def plot_sweep(
    table: pd.DataFrame,
    over: str,
    ax: Axes | None = None,
    crossings: Iterable[pd.DataFrame] = (),
    colours: Mapping[str, str] | None = None,
    money: Currency = USD,
    relative: bool = False,
    now: float | None = None,
) -> Axes:
    """Cost of each option against one input (a table of `sweep`), with the band P10 to P90 where it
    is there and at most four options share the figure; of more than four, those that are nowhere
    the cheapest are grey.

    `crossings` are tables of `breakeven` over the same input: each crossing is marked, named and
    banded. `relative` shows each cost over the cheapest at that value, so that lines which would
    run side by side over factors of ten can be told apart; `now` marks the present value.
    """
    check(
        over in table,
        f"plot_sweep: no column {over!r}; the table has {', '.join(map(str, table.columns))}",
    )
    table = in_currency(table, money, over).dropna(subset=["mid"])
    check(len(table), "plot_sweep: no option can run at any of the values")
    colours = dict(colours or palette(table["option"]))
    many = table["option"].nunique() > 4
    winners = (
        set(table.loc[table.groupby(over)["mid"].idxmin(), "option"])
        if many
        else set(table["option"])
    )
    colours |= dict.fromkeys(set(table["option"]) - winners, GREY)
    if relative:
        least = table.groupby(over)["mid"].transform("min")
        table = table[["option", over]].assign(mid=table["mid"] / least)
    ax = ax or picture(max(3.0, 0.6 + 0.21 * table["option"].nunique()))
    unit = unit_of(over.rsplit(".", 1)[-1])
    log_if_wide(ax, "x", table[over])
    if not relative:
        log_if_wide(ax, "y", table["mid"], WIDE if ax.get_xscale() == "linear" else 10)
    if relative:
        ax.set_ylim(0.97, min(table["mid"].max() * 1.03, FAR))
    elif ax.get_yscale() == "linear":
        ax.set_ylim(0, table.drop(columns=["option", over]).to_numpy().max() * 1.05)
    ends = {}
    for label, frame in table.groupby("option", sort=False):
        frame = frame.sort_values(over)
        if "p10" in frame and not many:  # more bands than that hide each other
            ax.fill_between(
                frame[over],
                frame["p10"],
                frame["p90"],
                color=colours[label],
                alpha=0.15,
                linewidth=0,
            )
        ax.plot(
            frame[over],
            frame["mid"],
            color=colours[label],
            linewidth=2.0 if label in winners else 0.9,
            zorder=3 if label in winners else 2,
        )
        ends[label] = frame["mid"].iloc[-1]
    ax.set_xlim(table[over].min(), table[over].max())
    tidy(ax, "both")
    money_axis(ax.yaxis, money)
    if relative:
        ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g} ×"))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: short(x)))
    ax.set_xlabel(f"{readable(over)} [{unit}]" if unit else readable(over))
    ax.set_ylabel(
        "total cost over that of the cheapest"
        if relative
        else f"total cost over the horizon [{money.code}]"
    )
    named = []
    for row in (
        row for found in crossings for _, row in found.iterrows() if np.isfinite(row["crossing"])
    ):
        ax.axvspan(row["p10"], row["p90"], color=PALE, alpha=0.6, zorder=0, linewidth=0)
        ax.axvline(row["crossing"], color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
        named.append(
            f"{row['above']} is cheaper than {row['below']} above {short(row['crossing'])} (grey: 80 % band)"
        )
    if now is not None:
        ax.axvline(now, color=INK, linewidth=0.9, linestyle=(0, (1, 2)))
        named.append(f"dotted: {short(now)}, as it is now")
    sentences_above(ax, named)
    label_ends(
        ax,
        {label: min(y, ax.get_ylim()[1]) for label, y in ends.items()},
        table[over].max(),
        colours,
    )
    return ax


@figure
def plot_quality(
    table: pd.DataFrame,
    ax: Axes | None = None,
    cost: str = "per_accepted",
    floor: float | None = None,
    colours: Mapping[str, str] | None = None,
    money: Currency = USD,
) -> Axes:
    """Cost against the share of answers accepted (a table of `compare`); the line joins what
    nothing beats on both, the rest is faded.

    `cost` is "per_accepted", "per_request", "per_month" or "mid"; `floor` draws the least quality
    that is acceptable.
    """
    axes = {
        "per_accepted": f"cost of an accepted answer [{money.code}]",
        "per_request": f"cost of a request [{money.code}]",
        "per_month": f"cost of a month [{money.code}/month]",
        "mid": f"total cost over the horizon [{money.code}]",
    }
    check(cost in axes, f"plot_quality: cost is {cost!r}, allowed are {', '.join(axes)}")
    colours = colours or palette(table.index)
    table = (
        in_currency(table, money)
        .dropna(subset=[cost, "quality"])
        .sort_values(["quality", cost], ascending=[False, True])
    )
    check(len(table), "plot_quality: no option has both a cost and a known quality")
    ax = ax or picture(3.5)
    frontier = table[table[cost] < table[cost].cummin().shift(fill_value=np.inf)]
    ax.plot(frontier["quality"], frontier[cost], color=GREY, linewidth=1, zorder=1)
    ax.set_xlim(max(0, table["quality"].min() - 0.06), min(1, table["quality"].max() + 0.1))
    ax.set_ylim(0, table[cost].max() * 1.12)
    if floor is not None:
        ax.set_xlim(min(ax.get_xlim()[0], floor - 0.03), max(ax.get_xlim()[1], floor + 0.03))
        ax.axvspan(ax.get_xlim()[0], floor, color=PALE, alpha=0.5, zorder=0, linewidth=0)
        ax.axvline(floor, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
        ax.text(
            floor,
            0.02,
            f" at least {percent(floor)}",
            transform=ax.get_xaxis_transform(),
            va="bottom",
        )
    for label, row in table.iterrows():
        alive = label in frontier.index
        ax.plot(
            row["quality"],
            row[cost],
            "o",
            color=colours[label],
            markersize=7 if alive else 5,
            alpha=1 if alive else 0.45,
            markeredgewidth=0,
        )
    tidy(ax, "both")
    money_axis(ax.yaxis, money)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: percent(x)))
    ax.set_xlabel("answers accepted [share]")
    ax.set_ylabel(axes[cost])
    lines = [frontier[["quality", cost]].to_numpy()]
    if floor is not None:
        lines.append(np.array([(floor, y) for y in ax.get_ylim()]))
    label_points(
        ax,
        table[["quality", cost]],
        lines,
        [INK if label in frontier.index else GREY for label in table.index],
    )
    return ax


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
