"""The form that all figures share: colours by label, sizes, amounts on axes, labels that do not
collide.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial, wraps
from inspect import cleandoc, signature
from io import BytesIO, StringIO
from textwrap import fill
from threading import RLock
from time import perf_counter
from typing import Any, TypeVar
from zlib import crc32

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogFormatterMathtext, LogLocator, MaxNLocator, NullFormatter
from matplotlib.transforms import blended_transform_factory

from costmodel.choices.presets import LABELS
from costmodel.choices.purchases import PHASES
from costmodel.core import UNSEEN, Currency, check, dollars, label_of, public, unit_of
from costmodel.pages.blocks import FOR_REPORT, NARROW_MIME, SVG_MIME

INK, GREY, PALE = "#262626", "#8A8A8A", "#E6E6E6"

# Families by hue (prompting blue, knowledge green, tuning warm), members by lightness: they part in
# every form of colour blindness and in grey. They belong to the labels of `presets`.
COLOURS = """
    #56B4E9 #0072B2 #16335B #009E73 #8DB84A #0B5345
    #E69F00 #D55E00 #8B3A0E #CC79A7 #6A51A3 #7F7F7F
""".split()
SMALL_COLOURS = "#74A9CF #4F9DA6 #5CB585 #B8B02E".split()  # of the labels of the small model
OF_LABELS = dict(zip(LABELS, SMALL_COLOURS + COLOURS, strict=False))
COLOURS_OF_PHASES = """
    #9ECAE1 #4292C6 #2171B5 #08306B #66A3A0 #2A7F7A #F2B134
    #D98E04 #C9B8DA #8E6BB0 #5B3A82 #A9A9A9 #C8443C #595959
""".split()
PHASE_COLOURS = dict(zip(PHASES, COLOURS_OF_PHASES, strict=True))
WIDTH = 6.3  # inches: the 16 cm between the margins of an A4 page
PHONE_WIDTH = 3.75  # inches: 360 pixels
LABEL, NARROW_LABEL = 44, 25  # characters of a label, on paper and on a phone, where it wraps
_DRAWING = RLock()  # the settings are matplotlib's, and a cockpit draws beside the cells
_width: ContextVar[float] = ContextVar("width", default=WIDTH)
SMALL, NORMAL = 7.5, 8.5  # points
LEAST = 7.0  # points on a phone: 9.3 pixels
IN_MONEY = """
    usd usd_low usd_high cumulative_usd discounted_usd npv total error
    expected present_value risk_adjusted base_case to_pay wrong_answers more
    low mid high p10 p50 p90 per_month per_request per_accepted
    usd_per_year usd_loss usd_total usd_per_resolved usd_per_tenant_month
    usd_per_mtok_out with_people api
""".split()
FAR = 4  # a relative cost beyond this leaves the figure
WIDE = 100  # an axis whose values span more than this factor is logarithmic


Colours = Mapping[str, str]  # of labels
Style = dict[str, Any]  # how something is drawn: arguments of matplotlib
LOOK: Any = {  # of every figure, where a call says nothing else
    "font.size": SMALL,
    "text.parse_math": False,  # a $ in a name is a dollar
    "text.color": INK,
    "legend.labelcolor": "black",
    "legend.frameon": False,
    "patch.linewidth": 0,
    "legend.fontsize": SMALL,
    "axes.labelsize": NORMAL,
    "axes.titlesize": NORMAL,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
}
Plot = TypeVar("Plot", bound=Callable[..., Any])
SECTIONS = """

Parameters
----------
{}

Returns
-------
Axes
    With the figure.

Raises
------
ValueError
    When the table is empty, or does not hold what the figure shows."""
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
    "column": 'str\n    "present_value" or "cumulative_usd".',
    "events": "DataFrame, optional\n    A table of `oneoffs`, numbered and named.",
    "months": "int\n    How many months the timeline has.",
    "hard": "str\n    The kind of question along the horizontal axis.",
    "draws": "list of int\n    Numbers of draws.",
    "seconds": "list of float\n    Time that each took [s].",
    "by": "str\n    The column whose groups are the rows.",
    "least": "float\n    Share of the largest total: smaller steps are drawn as one.",
    "relative": "bool\n    Show each cost over that of the cheapest.",
    "cost": 'str\n    "per_accepted", "per_request", "per_month" or "expected".',
    "floor": "float, optional\n    The least acceptable quality [share], drawn as a line.",
}


def figure(plot: Plot) -> Plot:
    """Make a function of a table public, draw in the shared form, and document its arguments. An
    empty table is an error."""

    @wraps(plot)
    def drawn(*args: Any, **named: Any) -> Any:
        given = signature(plot).bind(*args, **named).arguments
        table, *_ = given.values()
        check(len(table), f"{plot.__name__}: the table is empty; no option can run")
        with _DRAWING, matplotlib.rc_context(LOOK):
            ax = plot(*args, **named)
            for axis in (ax.xaxis, ax.yaxis):  # powers of ten are ours
                if isinstance(axis.get_major_formatter(), LogFormatterMathtext):
                    for label in axis.get_ticklabels(which="both"):
                        label.set_parse_math(True)
            if given.get("ax") is None:
                _wrap_names(ax.figure)
            if narrow():
                _legends_above(ax.figure)
                for text in ax.figure.findobj(Text):
                    text.set_fontsize(max(text.get_fontsize(), LEAST))
        if given.get("ax") is None:
            ax.figure.shows = f"{first} {_shown(ax)}"
            ax.figure.again = partial(drawn, *args, **named)
        return ax

    told = "\n".join(f"{name} : {PARAMETERS[name]}" for name in signature(plot).parameters)
    text, head, example = cleandoc(plot.__doc__ or "").partition("\n\nExamples\n")
    paragraph = " ".join(text.partition("\n\n")[0].split())
    first = re.sub(r" \([^()]*`[^()]*\)|`", "", paragraph)
    drawn.__doc__ = text + SECTIONS.format(told) + head + example
    return public(drawn)  # type: ignore[return-value]  # same signature


class Picture(Figure):
    """A figure outside any plotting state, which a notebook shows as vectors.

    It knows in words what it shows, and how to draw itself again: a report asks for a second one
    that fits a phone.
    """

    shows: str = ""
    again: Callable[[], Axes] | None = None

    def _repr_svg_(self) -> str:
        return svg(self)

    def _repr_mimebundle_(self, **_: Any) -> Any:
        if self.again is None or not os.environ.get(FOR_REPORT):
            return {}
        begun, wide = perf_counter(), svg(self)
        with for_phone():
            phone = svg(self.again().figure)
        return {SVG_MIME: wide, NARROW_MIME: phone}, {NARROW_MIME: perf_counter() - begun}


def _wrap_names(figure: Figure) -> None:
    """The names of axes, and titles, in lines that fit."""
    across, up, title = (32, 44, 54) if narrow() else (54, 44, 110)  # characters
    for ax in figure.axes:
        for axis, most in ((ax.xaxis, across), (ax.yaxis, up)):
            axis.set_label_text(_wrapped(axis.get_label_text(), most))
        for side in ("left", "center"):
            ax.set_title(_wrapped(ax.get_title(loc=side), title), loc=side)


def _wrapped(text: str, most: int) -> str:
    return "\n".join(fill(line, most) for line in text.splitlines())


def _legends_above(figure: Figure) -> None:
    """On a phone no legend has room beside its axes."""
    for ax in figure.axes:
        old = ax.get_legend()
        if old is None or old.get_bbox_to_anchor().x0 < ax.bbox.x1:
            continue
        texts = [_wrapped(text.get_text(), 30) for text in old.get_texts()]
        across = blended_transform_factory(figure.transFigure, ax.transAxes)
        ax.legend(
            handles=[handle for handle in old.legend_handles if handle is not None],
            labels=texts,
            ncols=2,
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            bbox_transform=across,
        )


def _shown(ax: Axes) -> str:
    """What a figure holds, for who cannot see it: its rows, its colours and its axes."""
    rows = [text.get_text() for text in ax.get_yticklabels()]
    named = [row for row in rows if row.strip("-−–0123456789.,$€£¥kMB% ")]
    legend = ax.get_legend()
    colours = [text.get_text() for text in legend.get_texts()] if legend else []
    axes = [f"{side}: {name}" for side, name in
            (("across", ax.get_xlabel()), ("up", ax.get_ylabel())) if name]  # fmt: skip
    told = {"Rows": named if len(named) == len(rows) else [], "Colours": colours, "Axes": axes}
    parts = (f"{head}: {'; '.join(items)}." for head, items in told.items() if items)
    return " ".join(" ".join(parts).split())


@contextmanager
def for_phone() -> Iterator[None]:
    """Figures that are drawn now fit a phone."""
    token = _width.set(PHONE_WIDTH)
    try:
        yield
    finally:
        _width.reset(token)


def narrow() -> bool:
    """Whether the figure that is drawn now is for a phone."""
    return _width.get() < WIDTH


def picture(height: float = 3.4, width: float | None = None) -> Axes:
    """Empty axes on a figure of their own, width x height inches."""
    height *= 1.4 if narrow() else 1  # its rows have names of two lines
    figure = Picture(figsize=(width or _width.get(), height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure.subplots()


def svg(figure: Any) -> str:
    """The figure as SVG, the same bytes for the same figure; drawn once (savefig draws twice)."""
    out = StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "costmodel"}):
        title = {"Title": figure.shows} if getattr(figure, "shows", "") else {}
        FigureCanvasSVG(figure).print_svg(out, metadata={"Date": None, "Creator": None, **title})
    return out.getvalue()


def png(figure: Any) -> bytes:
    """The figure as PNG for the screen, where speed counts: drawn once (savefig draws twice),
    hardly compressed, and its letters not fitted to the pixels.
    """
    from PIL import Image

    canvas, out = FigureCanvasAgg(figure), BytesIO()
    with matplotlib.rc_context({"text.hinting": "none"}):
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
    colours = {label: OF_LABELS[label] for label in labels if label in OF_LABELS}
    for label in sorted(set(labels) - set(LABELS)):
        first = crc32(label.encode()) % len(COLOURS)
        by_preference = COLOURS[first:] + COLOURS[:first]
        free = [colour for colour in by_preference if colour not in colours.values()]
        colours[label] = (free or by_preference)[0]
    return {label: colours[label] for label in labels}


def in_currency(table: pd.DataFrame, money: Currency, *keep: str) -> pd.DataFrame:
    """A copy of the table with its amounts (all but the columns `keep`) in the currency."""
    columns, there = [c for c in table if c in IN_MONEY and c not in keep], table.copy()
    if money.per_usd != 1:
        there[columns] = table[columns] * money.per_usd
    return there


def by_phase(ledger: pd.DataFrame, by: str, money: Currency) -> pd.DataFrame:
    """Amounts by `by` and phase: the phases in their order, without those that cost nothing."""
    paid = in_currency(ledger, money).groupby([by, "phase"])["usd"].sum().unstack(fill_value=0.0)
    return paid[[phase for phase in PHASES if phase in paid and paid[phase].any()]]


def by_option(table: pd.DataFrame, over: str, column: str) -> pd.DataFrame:
    """A column of the table by `over`, one line an option, in the order of the table."""
    wide = table.pivot(index=over, columns="option", values=column)
    return wide[list(table["option"].unique())]


def input_name(key: str) -> str:
    """An input in words, with its unit where that says something."""
    unit = unit_of(key.rsplit(".", 1)[-1])
    return f"{label_of(key)} [{unit}]" if unit not in ("", "x", *UNSEEN) else label_of(key)


def tidy(ax: Axes, grid: Any = "both") -> None:
    """Only a baseline, ticks and a faint grid along `grid` ("x", "y" or "both")."""
    ax.spines[["top", "right", *(["left"] if grid == "x" else [])]].set_visible(False)
    ax.spines[:].set_color(GREY)
    ax.set_axisbelow(True)
    ax.grid(axis=grid, color=PALE, linewidth=0.7)
    ax.tick_params(
        labelsize=NORMAL, color=GREY, labelcolor=INK, length=0 if grid == "x" else 3, which="major"
    )
    ax.tick_params(length=0, which="minor")


def name_rows(ax: Axes, labels: Iterable[str]) -> None:
    """One named row per bar, first on top, over a baseline."""
    labels = [fill(label, NARROW_LABEL if narrow() else LABEL) for label in labels]
    tidy(ax, "x")  # before there are ticks, which takes half the time
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.set_yticks(range(len(labels)), labels)
    if narrow():
        ax.tick_params(axis="y", labelsize=SMALL)


def write_as(axis: Axis, words: Callable[[float], str], name: str) -> None:
    """Write the numbers of an axis in such words, and name the axis."""
    axis.set_label_text(name)
    axis.set_major_formatter(lambda x, _: words(x))


def money_axis(axis: Axis, money: Currency, name: str) -> None:
    """Amounts in the currency, at most six on a linear axis; `{}` in the name is the currency."""
    write_as(axis, lambda x: dollars(x, money), name.format(money.code))
    axis.set_minor_formatter(NullFormatter())
    if axis.get_scale() == "linear":
        axis.set_major_locator(MaxNLocator(4 if narrow() else 6, steps=[1, 2, 2.5, 5, 10]))


def log_ticks(axis: Axis, low: float, high: float) -> None:
    """Ticks of a logarithmic axis from low to high: fewer over many factors of ten."""
    few = high / low > (30 if narrow() else 1e3)
    axis.set_major_locator(LogLocator(10, subs=(1.0,) if few else (1.0, 3.0)))
    axis.set_minor_formatter(NullFormatter())


def log_if_wide(ax: Axes, which: str, values: Any, wide: float = WIDE) -> None:
    """A logarithmic axis where the values are above 0 and span more than `wide`."""
    low, high = np.nanmin(values), np.nanmax(values)
    if low > 0 and high / low > wide:
        ax.set(**{f"{which}scale": "log"})
        log_ticks(getattr(ax, f"{which}axis"), low, high)


def check_column(plot: str, name: str, table: pd.DataFrame) -> None:
    """An error where the table has no such column."""
    held = ", ".join(map(str, table.columns))
    check(name in table, f"{plot}: no column {name!r}; the table has {held}")


def cheapest_first(table: pd.DataFrame) -> pd.DataFrame:
    """The rows by the sum of their amounts."""
    return table.iloc[table.sum(axis=1).argsort(kind="stable")]
