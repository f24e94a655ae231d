"""The form that all figures share: colours by label, sizes, amounts on axes, labels that do not
collide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from inspect import cleandoc, signature
from io import BytesIO, StringIO
from typing import Any, TypeVar
from zlib import crc32

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from costmodel.choices.presets import LABELS
from costmodel.choices.purchases import PHASES
from costmodel.core.public import public
from costmodel.core.words import Currency, dollars

INK, GREY, PALE = "#262626", "#8A8A8A", "#E6E6E6"


# Families by hue (prompting blue, knowledge green, tuning warm), members by lightness: they part in
# every form of
# colour blindness and in grey. The first eleven belong to the labels of `presets`.
COLOURS = """
    #56B4E9 #0072B2 #16335B #009E73 #8DB84A #0B5345
    #E69F00 #D55E00 #8B3A0E #CC79A7 #6A51A3 #7F7F7F
""".split()
PHASE_COLOURS = dict(
    zip(
        PHASES,
        """
    #9ECAE1 #4292C6 #2171B5 #08306B #66A3A0 #2A7F7A #F2B134
    #D98E04 #C9B8DA #8E6BB0 #5B3A82 #A9A9A9 #C8443C #595959
""".split(),
        strict=True,
    )
)
WIDTH = 6.3  # inches: the 16 cm between the margins of an A4 page
SMALL, NORMAL = 7.5, 8.5  # points
IN_MONEY = """
    usd usd_low usd_high cumulative_usd discounted_usd npv
    mid p10 p50 p90 per_month per_request
    per_accepted
""".split()
FAR = 4  # a relative cost beyond this leaves the figure
WIDE = 100  # an axis whose values span more than this factor is logarithmic


LOOK = {  # of every figure, where a call says nothing else
    "font.size": SMALL,
    "text.color": INK,
    "legend.labelcolor": "black",
    "legend.frameon": False,
    "legend.fontsize": SMALL,
    "axes.labelsize": NORMAL,
    "axes.titlesize": NORMAL,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
}
Plot = TypeVar("Plot", bound=Callable[..., Any])
PARAMETERS = {  # of a figure, told once
    "table": "DataFrame\n    The table of the analysis that the first line names.",
    "ax": "matplotlib Axes, optional\n    Where to draw; by default on a figure of its own.",
    "money": "Currency\n    The currency in which amounts are shown.",
    "colours": "dict of label to colour, optional\n    By default those of `palette`.",
    "now": "float or pair, optional\n    The present value, which is marked.",
    "here": "(pages, queries a day), optional\n    The present point, which is marked.",
    "n": "int\n    How many rows are shown, the first ones.",
    "over": "str\n    The input along the horizontal axis, a column of the table.",
    "crossings": "tables of `breakeven`, or a number of crossings\n    What is marked and named.",
    "column": 'str\n    "cumulative_usd" or "npv".',
    "base": "float, optional\n    The total [USD] with every input at its middle.",
    "events": "DataFrame, optional\n    A table of `oneoffs`, numbered and named.",
    "months": "int\n    How many months the timeline has.",
    "hard": "str\n    The kind of question along the horizontal axis.",
    "draws": "list of int\n    Numbers of draws.",
    "seconds": "list of float\n    Time that each took [s].",
    "by": "str\n    The column whose groups are the rows.",
    "relative": "bool\n    Show each cost over that of the cheapest.",
    "cost": 'str\n    "per_accepted", "per_request", "per_month" or "mid".',
    "floor": "float, optional\n    The least acceptable quality [share], drawn as a line.",
}


def figure(plot: Plot) -> Plot:
    """Make a function of a table public, draw in the shared form, and document its arguments."""

    @wraps(plot)
    def drawn(*args: Any, **named: Any) -> Any:
        with matplotlib.rc_context(LOOK):
            return plot(*args, **named)

    told = [f"{name} : {PARAMETERS[name]}" for name in signature(plot).parameters]
    lines = ["Parameters", "-" * 10, *told, "", "Returns", "-" * 7, "Axes", "    With the figure."]
    drawn.__doc__ = f"{cleandoc(plot.__doc__ or '')}\n\n" + "\n".join(lines)
    return public(drawn)  # type: ignore[return-value]


class Picture(Figure):
    """A figure outside any plotting state, which a notebook shows as vectors."""

    def _repr_svg_(self) -> str:
        return svg(self)


def picture(height: float = 3.4, width: float = WIDTH) -> Axes:
    """Empty axes on a figure of their own, width x height inches."""
    figure = Picture(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure.subplots()


def svg(figure: Any) -> str:
    """The figure as SVG, the same bytes for the same figure."""
    out = StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "costmodel"}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()


def png(figure: Any) -> bytes:
    """The figure as PNG for the screen, where speed counts: drawn once (savefig draws twice) and
    hardly compressed.
    """
    from PIL import Image

    canvas, out = FigureCanvasAgg(figure), BytesIO()
    canvas.draw()
    Image.fromarray(np.asarray(canvas.buffer_rgba())).save(out, format="png", compress_level=1)
    return out.getvalue()


@public
def palette(labels: Iterable[str]) -> dict[str, str]:
    """The colour of each label, the same in every figure.

    Parameters
    ----------
    labels : iterable of str
        Labels of options.

    Returns
    -------
    dict of label to colour
        The labels of `presets` have colours of their own; another label gets one by its name.

    Examples
    --------
    >>> palette(["LoRA", "RAG"]) == palette(["RAG", "LoRA"])
    True
    """
    labels = list(dict.fromkeys(labels))
    colours = {label: COLOURS[LABELS.index(label)] for label in labels if label in LABELS}
    for label in sorted(set(labels) - set(LABELS)):
        free = [c for c in COLOURS if c not in colours.values()] or list(COLOURS)
        first = crc32(label.encode()) % len(COLOURS)
        colours[label] = next(c for c in (*COLOURS[first:], *COLOURS[:first]) if c in free)
    return {label: colours[label] for label in labels}


def in_currency(table: pd.DataFrame, money: Currency, keep: str = "") -> pd.DataFrame:
    """A copy of the table with its amounts (all but the column `keep`) in the currency."""
    columns = [c for c in table if c in IN_MONEY and c != keep]
    return table.assign(**{c: table[c] * money.per_usd for c in columns})


def tidy(ax: Axes, grid: Any) -> None:
    """Only a baseline, ticks and a faint grid along `grid` ("x", "y" or "both")."""
    for side in ("top", "right", *(("left",) if grid == "x" else ())):
        ax.spines[side].set_visible(False)
    for spine in ax.spines.values():
        spine.set_color(GREY)
    ax.set_axisbelow(True)
    ax.grid(axis=grid, color=PALE, linewidth=0.7)
    ax.tick_params(
        labelsize=NORMAL, color=GREY, labelcolor=INK, length=0 if grid == "x" else 3, which="major"
    )
    ax.tick_params(length=0, which="minor")


def name_rows(ax: Axes, labels: Iterable[str], colours: Iterable[str] = ()) -> None:
    """One named row per bar, first on top."""
    labels = list(labels)
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    for text, colour in zip(ax.get_yticklabels(), colours, strict=False):
        text.set_color(colour)


def money_axis(axis: Any, money: Currency) -> None:
    axis.set_major_formatter(FuncFormatter(lambda x, _: dollars(x, money)))
    axis.set_minor_formatter(NullFormatter())
    if axis.get_scale() == "linear":
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))


def log_if_wide(ax: Axes, which: str, values: Any, wide: float = WIDE) -> None:
    """A logarithmic axis where the values are above 0 and span more than `wide`."""
    values = np.asarray(values, float)
    low, high = np.nanmin(values), np.nanmax(values)
    if low > 0 and high / low > wide:
        getattr(ax, f"set_{which}scale")("log")
        getattr(ax, f"{which}axis").set_major_locator(
            LogLocator(10, subs=(1.0,) if high / low > 1e3 else (1.0, 3.0))
        )
        getattr(ax, f"{which}axis").set_minor_formatter(NullFormatter())


def sentences_above(ax: Axes, sentences: list[str]) -> None:
    """Sentences above the axes, where no line can run through them."""
    if sentences:
        ax.text(0, 1.03, "\n".join(sentences), transform=ax.transAxes, va="bottom", linespacing=1.4)


def shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def label_ends(ax: Axes, ends: Mapping[str, float], x: float, colours: Mapping[str, str]) -> None:
    """The name of each line at its right end, moved apart where lines end close together."""
    height = ax.figure.bbox.height / ax.figure.dpi * 72 * 0.8  # points, less the room for the axis
    at = ax.transAxes.inverted().transform([ax.transData.transform((x, y)) for y in ends.values()])[
        :, 1
    ]
    for (label, y), place in zip(ends.items(), _apart(at, 1.25 * SMALL / height), strict=True):
        ax.annotate(
            label,
            (x, y),
            (1.035, place),
            textcoords="axes fraction",
            va="center",
            color=colours[label],
            arrowprops={
                "arrowstyle": "-",
                "color": colours[label],
                "linewidth": 0.6,
                "shrinkA": 1,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            },
            annotation_clip=False,
        )


def _apart(places: np.ndarray, gap: float) -> np.ndarray:
    """Places in 0..1 moved as little as needed to lie at least `gap` apart, in the same order."""
    order = np.argsort(places, kind="stable")
    x = places[order].astype(float)
    for _ in range(200):
        short = gap - np.diff(x)
        if not (short > gap * 1e-3).any():
            break
        push = np.maximum(short, 0) / 2
        x[:-1] -= push
        x[1:] += push
        x += max(0.0, -x[0]) if x[0] < 0 else 0.0
    out = np.empty_like(x)
    out[order] = x
    return out


def label_points(
    ax: Axes, points: pd.DataFrame, lines: list[np.ndarray], colours: list[str]
) -> None:
    """The name of each point beside it, on the side where it covers least: no point, no other name,
    no line.
    """
    to_type = ax.transData.transform
    scale = 72 / ax.figure.dpi  # pixels to points of type
    taken = [
        (_box(x, y, 8, 8), 3) for x, y in to_type(points) * scale
    ]  # what a name may not cover, and how much it matters
    for line in lines:
        steps = np.arange(len(line) * 40) / 40
        along = np.column_stack(
            [np.interp(steps, np.arange(len(line)), line[:, i]) for i in (0, 1)]
        )
        taken += [(_box(x, y, 2, 2), 1) for x, y in to_type(along) * scale]
    right = ax.transAxes.transform((1, 1))[0] * scale
    height = 1.2 * SMALL
    for (label, at), colour in zip(points.iterrows(), colours, strict=True):
        x, y = to_type(tuple(at)) * scale
        width = 0.56 * SMALL * len(label)
        spots: list[tuple] = []
        for dx, dy in ((7, 0), (-7, 0), (0, 11), (0, -11), (5, 11), (5, -11), (-5, 11), (-5, -11)):
            box = _box(x + dx + np.sign(dx) * width / 2, y + dy, width, height)
            hits = sum(
                weight
                for b, weight in taken
                if box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3]
            )
            spots.append((hits + 100 * (box[2] > right), len(spots), dx, dy, box))
        _, _, dx, dy, box = min(spots)
        taken.append((box, 30))
        ax.annotate(
            label,
            tuple(at),
            (dx, dy),
            textcoords="offset points",
            ha={-1: "right", 0: "center", 1: "left"}[int(np.sign(dx))],
            va="center",
            color=colour,
        )


def _box(x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2
