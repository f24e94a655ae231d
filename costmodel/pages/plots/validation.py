"""Figures of predictions beside measurements: the scatter with its identity line, and the errors
group by group.
"""

from __future__ import annotations

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from costmodel.core import check, short
from costmodel.laws.training.calibration import measured_training
from costmodel.pages.plots.marks import legend_above, legend_mark
from costmodel.pages.plots.style import (
    COLOURS,
    GREY,
    INK,
    PALE,
    Style,
    check_column,
    figure,
    log_ticks,
    name_rows,
    picture,
    tidy,
    write_as,
)

NAMES = {
    "token/s": "tokens per second and GPU",
    "GB": "peak memory of one GPU",
    "USD": "bill, each in its own unit",
}
OUTSIDE = "#B2182B"
JITTER = 0.55  # height of a row over which its points are spread: they do not hide each other
GOLDEN = 0.618034  # spreads consecutive points evenly, and the same way each time
FACTORS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
WIDE = 500  # ends of an axis this far apart leave room for powers of ten only
CLOSE = (1 / 1.25, 1.25)  # shaded: within 25 % either way
FAMILY_COLOURS = (*COLOURS, "#8B1A4F", "#3D3D3D", "#B79F00")
EQUAL: Style = {"color": INK, "linewidth": 0.9}
TWICE: Style = {"color": GREY, "linewidth": 0.7, "linestyle": (0, (2, 3))}
RING: Style = {
    "marker": "o",
    "linestyle": "",
    "color": "white",
    "markeredgecolor": COLOURS[7],
    "markeredgewidth": 1.5,
    "markersize": 6.5,
}


@figure
def plot_fidelity(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Predicted against reported, one dot and its 80 % band per run, on the line where both are
    equal (a table of `fidelity`).

    A run whose band misses the line is a cross. One quantity per figure: give it the runs of one
    part.

    Examples
    --------
    >>> import costmodel as cm
    >>> ax = cm.plots.plot_fidelity(cm.validation.fidelity("memory"))
    >>> ax.get_xlabel()
    'reported peak memory of one GPU [GB]'
    """
    units = table["unit"].unique()
    check(
        len(units) == 1,
        f"plot_fidelity: the table mixes {' and '.join(units)}; give it the runs of one part",
    )
    ax = ax or picture(3.55)
    ends = table[["reported", "low", "mid", "high"]].to_numpy()
    low, high = np.nanmin(ends) / 1.3, np.nanmax(ends) * 1.3
    ax.plot([low, high], [low, high], zorder=1, **EQUAL)
    for factor in (0.5, 2.0):
        ax.plot([low, high], [low * factor, high * factor], zorder=1, **TWICE)
    colours = family_colours()
    handles = []
    for family, rows in table.groupby("family"):
        colour = colours.get(str(family), GREY)
        _draw_runs(ax, rows, colour)
        handles.append(legend_mark("o", colour, f"{family} ({len(rows)})"))
    handles += [
        legend_mark("x", INK, "outside its 80 % band"),
        Line2D([], [], label="predicted = reported", **EQUAL),
        Line2D([], [], label="half and double", **TWICE),
    ]
    _square(ax, low, high, f"{NAMES.get(units[0], 'value')} [{units[0]}]")
    beside: Style = {"loc": "upper left", "bbox_to_anchor": (1.03, 1.0), "borderpad": 0}
    ax.legend(handles=handles, handletextpad=0.4, labelspacing=0.75, **beside)
    return ax


def _draw_runs(ax: Axes, rows: pd.DataFrame, colour: str) -> None:
    """The runs of a family with their bands; a cross where the band misses."""
    x, mid, out = rows["reported"], rows["mid"], ~rows["inside"] & rows["low"].notna()
    ax.vlines(x, rows["low"], rows["high"], color=colour, linewidth=0.7, alpha=0.22, zorder=2)
    edge: Style = {"markeredgecolor": "white", "markeredgewidth": 0.3}
    ax.plot(x[~out], mid[~out], "o", color=colour, markersize=3.6, zorder=3, **edge)
    ax.plot(x[out], mid[out], "x", color=colour, markersize=4.6, markeredgewidth=1.3, zorder=4)


def _square(ax: Axes, low: float, high: float, name: str) -> None:
    """The same logarithmic scale both ways."""
    ax.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high), aspect="equal")
    tidy(ax)
    for axis, side in ((ax.xaxis, "reported "), (ax.yaxis, "predicted ")):
        log_ticks(axis, low, high)
        write_as(axis, short, side + name)


@figure
def plot_errors(table: pd.DataFrame, by: str = "family", ax: Axes | None = None) -> Axes:
    """Predicted over reported of every run, one row per group: dots for ours, a bar at its median,
    a ring at the median of a plain 6 N D (a table of `fidelity`). The farther from 1, the worse.

    Examples
    --------
    >>> import costmodel as cm
    >>> ax = cm.plots.plot_errors(cm.validation.fidelity("memory"), by="family")
    >>> ax.get_xlabel()
    'predicted over reported; grey: within 25 % [x]'
    """
    check_column("plot_errors", by, table)
    groups = sorted(table.groupby(by), key=lambda group: np.log(group[1]["ratio"]).abs().median())
    ax = ax or picture(1.1 + 0.34 * len(groups))
    ax.axvspan(*CLOSE, color=PALE, alpha=0.55, zorder=0)
    ax.axvline(1, zorder=1, **EQUAL)
    plain = [(rows["plain"] / rows["reported"]).median() for _, rows in groups]
    for row, (_, rows) in enumerate(groups):
        _draw_group(ax, row, rows)
    ax.plot(plain, range(len(plain)), zorder=5, **RING)
    ends = [table["ratio"].min(), table["ratio"].max(), *plain]
    low, high = min(0.4, np.nanmin(ends) / 1.15), max(2.5, np.nanmax(ends) * 1.15)
    ax.set(xscale="log", xlim=(low, high))
    name_rows(ax, [f"{name} ({len(rows)})" for name, rows in groups])
    steps = FACTORS if high / low < WIDE else (0.01, 0.1, 1.0, 10.0, 100.0)
    factors = [f for f in steps if low <= f <= high]
    ax.set_xticks(factors, [f"{f:g}x" for f in factors])
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("predicted over reported; grey: within 25 % [x]")
    above: Style = {"loc": "lower right", "bbox_to_anchor": (1.02, 1.0), "handletextpad": 0.3}
    legend_above(ax, 5, _legend_of_errors(table), columnspacing=1.4, **above)
    return ax


def _draw_group(ax: Axes, row: int, rows: pd.DataFrame) -> None:
    """The runs of a group as dots spread over its row, and a bar at their median."""
    spread = (np.arange(len(rows)) * GOLDEN) % 1 - 0.5 if len(rows) > 1 else np.zeros(1)
    at, ratio = row + JITTER * spread, rows["ratio"].to_numpy()
    banded, inside = rows["low"].notna().to_numpy(), rows["inside"].to_numpy(bool)
    colours = ((banded & inside, COLOURS[1]), (banded & ~inside, OUTSIDE), (~banded, GREY))
    style: Style = {"markersize": 3.2, "alpha": 0.5, "markeredgewidth": 0, "zorder": 2}
    for some, colour in colours:
        ax.plot(ratio[some], at[some], "o", color=colour, **style)
    bar, ends = [rows["ratio"].median()] * 2, [row - 0.36, row + 0.36]
    ax.plot(bar, ends, color=INK, linewidth=2, solid_capstyle="butt", zorder=4)


def _legend_of_errors(table: pd.DataFrame) -> list[Line2D]:
    """Names of the dots, the bar and the ring that are drawn."""
    dots = {"inside its 80 % band": COLOURS[1], "outside": OUTSIDE}
    if table["low"].isna().any():
        dots["without a band"] = GREY
    handles = [legend_mark("o", colour, label, edge=0) for label, colour in dots.items()]
    handles.append(legend_mark("|", INK, "median", 9, 2))
    if table["plain"].notna().any():
        handles.append(Line2D([], [], label="median of 6ND at 40 %", **RING))
    return handles


def family_colours() -> dict[str, str]:
    """Colour of each family of measurements, the same in every figure."""
    families = sorted(measured_training()["family"].unique())
    return dict(zip(families, cycle(FAMILY_COLOURS), strict=False))
