"""Figures of options side by side: how sure, along one input, and cost against quality."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from costmodel.core.errors import check
from costmodel.core.glossary import unit_of
from costmodel.core.words import USD, Currency, percent, readable, short
from costmodel.pages.plots.style import (
    FAR,
    GREY,
    INK,
    PALE,
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
        f"total cost over the horizon [{money.code}]\n"
        "band P10 to P90, tick P50, dot: every input at its middle"
    )
    return ax


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
            f"{row['above']} is cheaper than {row['below']} above {short(row['crossing'])} "
            "(grey: 80 % band)"
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
