"""Figures of quality: what to expect of each option, before and after what was judged."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from costmodel.core import USD, Currency, check, percent
from costmodel.pages.plots.marks import DASHED
from costmodel.pages.plots.style import (
    GREY,
    INK,
    PALE,
    Colours,
    figure,
    name_rows,
    palette,
    picture,
    write_as,
)


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
        ax.axvspan(0, floor, color=PALE, alpha=0.5, zorder=0)
        ax.axvline(floor, color=INK, linewidth=0.9, linestyle=DASHED)
    ax.set_xlim(0, 1)
    name_rows(ax, rows.index)
    write_as(ax.xaxis, percent, "answers accepted [share], 80 % band")
    return ax
