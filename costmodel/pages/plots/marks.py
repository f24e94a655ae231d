"""Marks and names that several figures draw: ranges, lines, maps, legends, labels that do not
collide.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import fill
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgba_array
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.transforms import blended_transform_factory

from costmodel.pages.plots.style import (
    GREY,
    INK,
    PALE,
    SMALL,
    Colours,
    Style,
    name_rows,
    narrow,
    tidy,
)  # fmt: skip

DASHED = (0, (4, 3))
MARGIN = 0.06  # of the width of a figure: more than what lies beside the names of rows
WHITE_DOT: Style = {"marker": "o", "linestyle": "", "color": "white", "markeredgecolor": INK}
HATCHED: Style = {"facecolor": "white", "edgecolor": "#C8443C", "hatch": "////", "linewidth": 0.4}
SIDES = ((7, 0), (-7, 0), (0, 11), (0, -11), (5, 11), (5, -11), (-5, 11), (-5, -11))


# -- what is drawn ---------------------------------------------------------------------------------


def draw_ranges(
    ax: Axes,
    ends: pd.DataFrame,
    colours: Any,
    rows: Any = None,
    height: Any = 0.5,
    size: float = 6,
    edge: float = 0.7,
    alpha: float = 0.4,
) -> None:
    """One row each of (low, middle, high): a bar, and the middle as a dot with a white edge."""
    low, mid, high = ends.to_numpy(float).T
    rows = range(len(mid)) if rows is None else rows
    pale = to_rgba_array(colours) * (1, 1, 1, alpha)
    ax.barh(rows, high - low, left=low, height=height, color=pale)
    ax.scatter(mid, rows, size**2, colours, edgecolors="white", linewidths=edge, zorder=2)


def draw_band(ax: Axes, x: Any, low: Any, high: Any, colour: str) -> None:
    """Shade from low to high."""
    ax.fill_between(x, low, high, color=colour, alpha=0.16)


def draw_stacks(ax: Axes, amounts: pd.DataFrame, colours: Colours, **look: Any) -> None:
    """One bar for each row of the table, stacked by its columns."""
    ends = amounts.cumsum(axis=1)
    for name, part in amounts.items():
        look |= {"left": ends[name] - part, "color": colours[str(name)], "label": name}
        ax.barh(range(len(amounts)), part, height=0.7, **look)
    name_rows(ax, amounts.index)


def mark_value(ax: Axes, value: float, **look: Any) -> None:
    """A dashed line where the input has this value."""
    ax.axvline(value, **{"color": INK, "linewidth": 0.9, "linestyle": DASHED, **look})


def draw_floor(ax: Axes, floor: float, left: float = 0.0) -> None:
    """The least acceptable quality, and what lies below it shaded."""
    ax.axvspan(left, floor, color=PALE, alpha=0.5, zorder=0)
    mark_value(ax, floor)


def draw_lines(
    ax: Axes, lines: pd.DataFrame, colours: Colours, grid: str = "both", bottom: float | None = None
) -> None:
    """A line for each column, over the whole width of the axes, named at its right end."""
    for label, line in lines.items():
        ax.plot(line.dropna(), color=colours[str(label)], linewidth=1.6)
    ax.set_xlim(lines.index[0], lines.index[-1])
    ax.set_ylim(bottom)
    tidy(ax, grid)
    label_ends(ax, lines, colours)


def draw_map(
    ax: Axes, table: pd.DataFrame, x: str, y: str, best: str, colours: Colours, **look: Any
) -> list[Patch]:
    """The label in the column `best` by two inputs, as colours; returns the legend."""
    code = table[best].map({label: i for i, label in enumerate(colours)}).astype(float)
    grid = table.assign(code=code).pivot(index=y, columns=x, values="code")
    ax.pcolormesh(
        grid.columns,
        grid.index,
        grid,
        cmap=ListedColormap(list(colours.values())),
        vmin=-0.5,
        vmax=len(colours) - 0.5,
        shading="nearest",
        rasterized=True,
        **look,
    )
    return swatches(colours, **look)


# -- legends ---------------------------------------------------------------------------------------


def swatches(colours: Colours, **look: Any) -> list[Patch]:
    """A patch of each colour with its name."""
    return [Patch(color=colour, label=label, **look) for label, colour in colours.items()]


def legend_mark(
    marker: str, colour: str, label: str, size: float = 4.5, edge: float | None = None
) -> Line2D:
    """A mark with its name."""
    look: Style = {"marker": marker, "linestyle": "", "markersize": size, "markeredgewidth": edge}
    with matplotlib.rc_context({"text.parse_math": True}):  # a number as a mark is maths
        return Line2D([], [], color=colour, label=label, **look)


def legend_above(ax: Axes, columns: int, handles: Any = None, **spacing: Any) -> None:
    """The legend in columns between the axes and the upper edge of the figure."""
    look: Style = {"loc": "lower left", "bbox_to_anchor": (0, 1.0), "borderpad": 0.2, **spacing}
    if narrow():  # from the left edge of the figure, not of the axes
        columns = min(columns, 2)
        look |= {"loc": "lower left", "bbox_to_anchor": (0, 1.04)}
        look["bbox_transform"] = _from_edge(ax)
    legend = ax.legend(handles=handles, ncols=columns, **look)
    if columns == 1 or (drawn := ax.get_figure(root=True)) is None:
        return
    if not narrow():
        names = max(text.get_window_extent().width for text in ax.get_yticklabels())
        if names + legend.get_window_extent().width < (1 - MARGIN) * drawn.bbox.width:
            return
        drawn.draw_without_rendering()  # then the legend has its place
    if legend.get_window_extent().x1 > drawn.bbox.x1:
        legend_above(ax, columns - 1, handles, **spacing)


def _from_edge(ax: Axes) -> Any:
    """Across in the figure, up in the axes."""
    return blended_transform_factory(ax.figure.transFigure, ax.transAxes)


# -- names -----------------------------------------------------------------------------------------


def note(ax: Axes, text: str, at: Any, shift: tuple[float, float], **look: Any) -> None:
    """Words beside a point, `shift` points of type away."""
    side = ["center", "left", "right"][int(np.sign(shift[0]))]
    ax.annotate(text, at, shift, textcoords="offset points", **{"ha": side, "va": "center", **look})


def mark_present(ax: Axes, at: Any, text: str, **look: Any) -> None:
    """A white dot where things stand today, and its name."""
    ax.plot(*at, **WHITE_DOT, markersize=6.5, clip_on=False)
    note(ax, text, at, (7, 5), va="baseline", **look)


BESIDE = 300  # points for the width of the axes: on a phone a share of it would leave the figure


def column_beside(
    ax: Axes, at: float, head: str, texts: Iterable[str], top: float = -0.7
) -> list[Text]:
    """A word for each row that has one, right-aligned at `at` (1: the right edge of the axes),
    under a head."""
    edge: Style = {"xycoords": ax.get_yaxis_transform(), "textcoords": "offset points"}
    edge |= {"ha": "right", "annotation_clip": False}
    away, at = ((BESIDE * (at - 1), 0), 1.0) if narrow() else ((0, 0), at)
    ax.annotate(head, (at, top), away, va="bottom", color=GREY, **edge)
    there = [(row, x) for row, x in enumerate(texts) if x]
    return [ax.annotate(x, (at, row), away, va="center", **edge) for row, x in there]


def sentences_above(ax: Axes, sentences: Sequence[str]) -> None:
    """Sentences above the axes, where no line can run through them."""
    if sentences:
        at = ax.transAxes
        if narrow():
            sentences, at = [fill(each, 56) for each in sentences], _from_edge(ax)
        ax.text(0.01, 1.03, "\n".join(sentences), transform=at, va="bottom", linespacing=1.4)


def label_ends(ax: Axes, lines: pd.DataFrame, colours: Colours, room: float = 0.8) -> None:
    """The name of each line at its right end, moved apart where lines end close together.

    `room` is the share of the height of the figure that the axes have.
    """
    ends = lines.ffill().iloc[-1].clip(upper=ax.get_ylim()[1])
    points = np.column_stack([np.full(len(ends), lines.index[-1]), ends])
    height = ax.figure.bbox.height / ax.figure.dpi * 72 * room  # points
    at = ax.transAxes.inverted().transform(ax.transData.transform(points))[:, 1]
    arrow = {"arrowstyle": "-", "linewidth": 0.6, "shrinkA": 1, "shrinkB": 0, "relpos": (0, 0.5)}
    places = _apart(at, 1.25 * SMALL / height)
    for label, point, place in zip(ends.index, points, places, strict=True):
        ax.annotate(
            label,
            point,
            (1.035, place),
            textcoords="axes fraction",
            va="center",
            color=colours[label],
            arrowprops={**arrow, "color": colours[label]},
            annotation_clip=False,
        )


def _apart(places: np.ndarray, gap: float) -> np.ndarray:
    """Places above 0, moved as little as needed to lie `gap` apart, in the same order.

    Isotonic regression by its min-max formula: each is the highest, over the first of a block that
    holds it, of the lowest mean, over the last (Robertson, Wright and Dykstra 1988, section 1.4).
    SciPy has it too, in a module that takes as long to import as all of pandas.

    >>> _apart(np.array([0.5, 0.1, 0.52]), 0.1).round(2).tolist()
    [0.46, 0.1, 0.56]
    """
    order, ranks = np.argsort(places, kind="stable"), np.arange(len(places))
    sums = np.cumsum([0.0, *places[order] - gap * ranks])
    out = np.empty(len(places))
    for i in ranks:
        ends = np.arange(i + 1, len(places) + 1)
        first = ranks[: i + 1, None]
        means = (sums[ends] - sums[first]) / (ends - first)
        out[order[i]] = max(means.min(axis=1).max(), 0.0) + gap * i
    return out


def label_points(
    ax: Axes, points: pd.DataFrame, lines: list[np.ndarray], colours: list[str]
) -> None:
    """The name of each point beside it, on the side where it covers least: no point, no other name,
    no line.
    """
    scale = 72 / ax.figure.dpi  # pixels to points of type
    centres = ax.transData.transform(points) * scale
    # what a name may not cover: middle, width, height, and how much it matters
    taken = [(*centre, 8, 8, 3) for centre in centres]
    for line in lines:
        steps = np.arange(len(line) * 40) / 40
        along = np.column_stack([np.interp(steps, range(len(line)), ends) for ends in line.T])
        taken += [(*centre, 2, 2, 1) for centre in ax.transData.transform(along) * scale]
    right = ax.transAxes.transform((1, 1))[0] * scale
    for (label, at), centre, colour in zip(points.iterrows(), centres, colours, strict=True):
        size = np.array([0.56 * len(label), 1.2]) * SMALL
        middles = centre + SIDES + np.sign(SIDES) * (size[0] / 2, 0)
        boxes = np.array(taken)[:, None]  # each of them against each of the sides
        meets = np.abs(boxes[..., :2] - middles) < (boxes[..., 2:4] + size) / 2
        outside = middles[:, 0] + size[0] / 2 > right
        covered = (boxes[..., 4] * meets.all(axis=2)).sum(axis=0) + 100 * outside
        least = np.argmin(covered)
        taken.append((*middles[least], *size, 30))
        note(ax, label, tuple(at), SIDES[least], color=colour)
