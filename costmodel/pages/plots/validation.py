"""Figures of predictions beside measurements: the scatter with its identity line, and the errors
group by group.
"""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from costmodel.core.errors import check
from costmodel.core.words import short
from costmodel.laws.training.calibration import measured_training
from costmodel.pages.plots.style import COLOURS, GREY, INK, PALE, figure, name_rows, picture, tidy

NAMES = {"token/s": "tokens per second and GPU", "GB": "peak memory of one GPU"}
OUTSIDE = "#B2182B"
JITTER = (
    0.55  # height of a row over which its points are spread, so that they do not hide each other
)
GOLDEN = 0.618034  # spreads consecutive points evenly, and the same way each time
FACTORS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
WIDE = 500  # ends of an axis this far apart leave room for powers of ten only
CLOSE = (1 / 1.25, 1.25)  # shaded: within 25 % either way
FAMILY_COLOURS = (*COLOURS, "#8B1A4F", "#3D3D3D", "#B79F00")


@figure
def plot_fidelity(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Predicted against reported, one dot and its 80 % band per run, on the line where both are
    equal (a table of `fidelity`).

    A run whose band misses the line is a cross. One quantity per figure: give it the runs of one
    part.
    """
    check(len(table) > 0, "plot_fidelity: the table has no runs")
    units = table["unit"].unique()
    check(
        len(units) == 1,
        f"plot_fidelity: the table mixes {' and '.join(units)}; give it the runs of one part",
    )
    ax = ax or picture(3.55)
    ends = table[["reported", "low", "mid", "high"]].to_numpy()
    low, high = np.nanmin(ends) / 1.3, np.nanmax(ends) * 1.3
    ax.plot([low, high], [low, high], color=INK, linewidth=0.9, zorder=1)
    for factor in (0.5, 2.0):
        ax.plot(
            [low, high],
            [low * factor, high * factor],
            color=GREY,
            linewidth=0.7,
            linestyle=(0, (2, 3)),
            zorder=1,
        )
    handles = []
    colours = family_colours()
    for family, rows in table.groupby("family"):
        colour = colours.get(family, GREY)
        ax.vlines(
            rows["reported"],
            rows["low"],
            rows["high"],
            color=colour,
            linewidth=0.7,
            alpha=0.22,
            zorder=2,
        )
        out = ~rows["inside"] & rows["low"].notna()
        ax.plot(
            rows["reported"][~out],
            rows["mid"][~out],
            "o",
            color=colour,
            markersize=3.6,
            markeredgecolor="white",
            markeredgewidth=0.3,
            zorder=3,
        )
        ax.plot(
            rows["reported"][out],
            rows["mid"][out],
            "x",
            color=colour,
            markersize=4.6,
            markeredgewidth=1.3,
            zorder=4,
        )
        handles.append(
            Line2D(
                [],
                [],
                marker="o",
                linestyle="",
                color=colour,
                markersize=4.5,
                label=f"{family} ({len(rows)})",
            )
        )
    handles += [
        Line2D(
            [],
            [],
            marker="x",
            linestyle="",
            color=INK,
            markersize=4.6,
            label="outside its 80 % band",
        ),
        Line2D([], [], color=INK, linewidth=0.9, label="predicted = reported"),
        Line2D([], [], color=GREY, linewidth=0.7, linestyle=(0, (2, 3)), label="half and double"),
    ]
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    ax.set_aspect("equal")
    tidy(ax, "both")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(10, subs=(1.0,) if high / low > 1e3 else (1.0, 3.0)))
        axis.set_major_formatter(FuncFormatter(lambda x, _: short(x)))
        axis.set_minor_formatter(NullFormatter())
    name = NAMES.get(units[0], "value")
    ax.set_xlabel(f"reported {name} [{units[0]}]")
    ax.set_ylabel(f"predicted {name} [{units[0]}]")
    _legend(ax, handles)
    return ax


@figure
def plot_errors(table: pd.DataFrame, by: str = "family", ax: Axes | None = None) -> Axes:
    """Predicted over reported of every run, one row per group: dots for ours, a bar at its median,
    a ring at the median of a plain 6 N D (a table of `fidelity`). The farther from 1, the worse."""
    check(
        by in table,
        f"plot_errors: no column {by!r}; the table has {', '.join(map(str, table.columns))}",
    )
    check(len(table) > 0, "plot_errors: the table has no runs")
    groups = sorted(
        table.groupby(by), key=lambda group: float(np.median(np.abs(np.log(group[1]["ratio"]))))
    )
    ax = ax or picture(1.1 + 0.34 * len(groups))
    ends = np.concatenate(
        [
            table["ratio"],
            [plain for plain in (_plain(rows) for _, rows in groups) if np.isfinite(plain)],
        ]
    )
    ax.axvspan(*CLOSE, color=PALE, alpha=0.55, linewidth=0, zorder=0)
    ax.axvline(1, color=INK, linewidth=0.9, zorder=1)
    for row, (_, rows) in enumerate(groups):
        spread = (np.arange(len(rows)) * GOLDEN) % 1 - 0.5 if len(rows) > 1 else np.zeros(1)
        banded, inside = rows["low"].notna().to_numpy(), rows["inside"].to_numpy(bool)
        at = row + JITTER * spread
        for some, colour in (
            (banded & inside, COLOURS[1]),
            (banded & ~inside, OUTSIDE),
            (~banded, GREY),
        ):
            ax.plot(
                rows["ratio"].to_numpy()[some],
                at[some],
                "o",
                color=colour,
                markersize=3.2,
                alpha=0.5,
                markeredgewidth=0,
                zorder=2,
            )
        ax.plot(
            [rows["ratio"].median()] * 2,
            [row - 0.36, row + 0.36],
            color=INK,
            linewidth=2,
            solid_capstyle="butt",
            zorder=4,
        )
        plain = _plain(rows)
        if np.isfinite(plain):
            ax.plot(
                plain,
                row,
                "o",
                color="white",
                markeredgecolor=COLOURS[7],
                markeredgewidth=1.5,
                markersize=6.5,
                zorder=5,
            )
    ax.set_xscale("log")
    ax.set_xlim(min(0.4, ends.min() / 1.15), max(2.5, ends.max() * 1.15))
    tidy(ax, "x")
    name_rows(ax, [f"{name} ({len(rows)})" for name, rows in groups])
    low, high = ax.get_xlim()
    factors = [
        f
        for f in FACTORS
        if low <= f <= high and (high / low < WIDE or f"{f:g}".strip("0.") == "1")
    ]
    ax.set_xticks(factors, [f"{f:g}x" for f in factors])
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("predicted over reported; grey: within 25 % [x]")
    handles = [
        _dot(COLOURS[1], "inside its 80 % band"),
        _dot(OUTSIDE, "outside"),
        Line2D(
            [],
            [],
            marker="|",
            linestyle="",
            color=INK,
            markersize=9,
            markeredgewidth=2,
            label="median",
        ),
    ]
    if table["low"].isna().any():
        handles.insert(2, _dot(GREY, "without a band"))
    if table["plain"].notna().any():
        handles.append(
            Line2D(
                [],
                [],
                marker="o",
                linestyle="",
                color="white",
                markeredgecolor=COLOURS[7],
                markeredgewidth=1.5,
                markersize=6.5,
                label="median of 6ND at 40 %",
            )
        )
    ax.legend(
        handles=handles,
        loc="lower right",
        bbox_to_anchor=(1.02, 1.0),
        ncols=5,
        handletextpad=0.3,
        columnspacing=1.4,
        borderpad=0.2,
    )
    return ax


def family_colours() -> dict[str, str]:
    """Colour of each family of measurements, the same in every figure."""
    return dict(
        zip(sorted(measured_training()["family"].unique()), cycle(FAMILY_COLOURS), strict=False)
    )


def _plain(rows: pd.DataFrame) -> float:
    """Median of plain over reported, NaN where there is none."""
    return float((rows["plain"] / rows["reported"]).median())


def _dot(colour: str, label: str) -> Line2D:
    return Line2D(
        [],
        [],
        marker="o",
        linestyle="",
        color=colour,
        markersize=4.5,
        markeredgewidth=0,
        label=label,
    )


def _legend(ax: Axes, handles: list[Any]) -> None:
    """Names right of the square axes."""
    ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(1.03, 1.0),
        handletextpad=0.4,
        labelspacing=0.75,
        borderpad=0,
    )
