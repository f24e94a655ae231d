"""One input as a slider with a text field and its own error, and the quiet moment before an answer
is asked again.
"""

from __future__ import annotations

import asyncio
import html
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ipywidgets

from costmodel.core.errors import CatalogError, Infeasible, check
from costmodel.core.glossary import meaning_of, unit_of
from costmodel.core.ranges import Doubt
from costmodel.core.words import number_text, readable

DELAY_S = 0.06  # quiet time after the last event before the answer is asked again
DECADE = 10  # a slider over more than this factor is logarithmic
STEPS = 200  # of a linear slider
LOG_STEP = 0.01  # of a logarithmic slider, in factors of ten: 2.3 %


# How far a slider reaches where the value itself does not say: (from, to)
REACH = {
    "months": (1, 120),
    "usd_per_failure": (0, 10),
    "growth_per_year": (-0.5, 2),
    "reasoning_tokens": (0, 10_000),
    "instruction_tokens": (0, 10_000),
    "peak_to_average": (1, 20),
    "active_hours_per_month": (20, 730),
}
FACTOR = {"requests_per_month": 100}  # reach below and above a plain number; 10 for the others
STYLE = """<style>
.costmodel-waiting { opacity: 0.55; transition: opacity 0.1s; }
.costmodel-failed { opacity: 0.3; filter: grayscale(1); }
.costmodel-row .widget-label, .costmodel-row input { font-size: 13px; }
.costmodel-row .widget-html-content { line-height: 1.25; font-size: 12px; }
</style>"""


@dataclass(frozen=True)
class Limits:
    """Where a slider starts and ends, its unit and its meaning."""

    low: float
    high: float
    unit: str
    meaning: str
    whole: bool = False

    @property
    def log(self) -> bool:
        return self.low > 0 and self.high / self.low > DECADE and not self.whole


def limits(key: str, value: Any) -> Limits:
    """The limits of a slider, from the unit in the glossary and the present value or Range.

    >>> limits("Workload.requests_per_month", 300_000.0).log, limits("Terms.months", 36).high
    (True, 120)
    """
    field = key.rsplit(".", 1)[-1]
    unit, meaning = unit_of(field), meaning_of(field)
    low, mid, high = (getattr(value, end, value) for end in ("low", "mid", "high"))
    form = getattr(value, "form", "")
    if field in REACH:
        ends: tuple[float, float] = REACH[field]
    elif unit in ("share", "share/month") or form == "share":
        ends = (0.0, 1.0) if high > 0.2 else (0.0, 0.2)
    elif form == "signed" or unit == "share/year":
        ends = (
            (low - (high - low) / 2, high + (high - low) / 2)
            if high > low
            else (mid - 0.5, mid + 0.5)
        )
    elif isinstance(value, Doubt):
        ends = (low / 2, high * 2)
    else:
        ends = (
            (mid / FACTOR.get(field, DECADE), mid * FACTOR.get(field, DECADE))
            if mid
            else (0.0, 1.0)
        )
    whole = isinstance(value, int) and field == "months"
    return Limits(
        min(ends[0], low), max(ends[1], high), unit, getattr(value, "why", "") or meaning, whole
    )


class Look:
    """Layouts and styles that all rows of an explorer share: a page has to make a third of the
    models that way.
    """

    def __init__(self) -> None:
        layout = ipywidgets.Layout
        self.name, self.slider, self.box, self.unit = (
            layout(width=width) for width in ("220px", "200px", "100px", "185px")
        )
        self.error = layout(flex="1 1 160px", min_width="0")
        self.row = layout(align_items="center", overflow="hidden")
        self.label_style = ipywidgets.Label().style
        self.slider_style = ipywidgets.SliderStyle()
        self.box_style = ipywidgets.Text().style
        self.error_style = ipywidgets.HTML().style


class Control:
    """One input: its name, a slider, a box for typing, its unit, and room for an error."""

    def __init__(
        self, key: str, value: Any, changed: Callable[[Control], None], look: Look
    ) -> None:
        self.key, self.start, self.limits, self.changed = key, value, limits(key, value), changed
        self.value: float | None = None  # None: untouched
        self.wrong = ""  # what was typed and is no number
        self.quiet, self.placed = False, 0.0
        mid = float(value.mid if isinstance(value, Doubt) else value)
        reach = self.limits
        low, high = (
            (math.log10(reach.low), math.log10(reach.high))
            if reach.log
            else (reach.low, reach.high)
        )
        self.step = (
            LOG_STEP if reach.log else 1 if reach.whole else float(f"{(high - low) / STEPS:.1g}")
        )
        kind = ipywidgets.FloatLogSlider if reach.log else ipywidgets.FloatSlider
        self.slider: Any = kind(
            min=low,
            max=high,
            step=self.step,
            readout=False,
            layout=look.slider,
            style=look.slider_style,
        )
        self._place(mid)
        self.box = ipywidgets.Text(
            value=number_text(mid), continuous_update=False, layout=look.box, style=look.box_style
        )
        owner, _, field = key.rpartition(".")
        name = readable(key if owner not in ("Workload", "Terms") else field)
        label = ipywidgets.Label(name, layout=look.name, style=look.label_style)
        doubt = (
            f"{number_text(value.low)} to {number_text(value.high)} "
            if isinstance(value, Doubt)
            else ""
        )
        unit = ipywidgets.Label(doubt + reach.unit, layout=look.unit, style=look.label_style)
        self.error = ipywidgets.HTML(layout=look.error, style=look.error_style)
        tooltip = f"{key}: {reach.meaning}" if reach.meaning else key
        for part in (self.slider, self.box, label, unit):
            part.tooltip = tooltip
        self.slider.observe(self._slid, "value")
        self.box.observe(self._typed, "value")
        self.row = ipywidgets.HBox(
            [label, self.slider, self.box, unit, self.error], layout=look.row
        )
        self.row.add_class("costmodel-row")

    def _slid(self, change: dict) -> None:
        moved = abs(self._scale(change["new"]) - self._scale(self.placed))
        if (
            not self.quiet and moved > self.step / 2
        ):  # less is the page's echo of where we put the slider
            number = float(f"{change['new']:.3g}")  # the three figures that the box shows
            self.placed = change["new"]
            self._quietly(self.box, number_text(number))
            self._take(number)

    def _typed(self, change: dict) -> None:
        if self.quiet:
            return
        text = change["new"].strip().replace(",", "").replace("_", "").replace(" ", "")
        try:
            number = float(text)
            check(math.isfinite(number), "not finite")
        except ValueError:
            self.wrong = (
                f"{readable(self.key)} is {change['new']!r}, it must be a number, "
                f"such as {number_text(getattr(self.start, 'mid', self.start))}"
            )
            self.changed(self)
            return
        self._place(number)
        self._take(number)

    def _take(self, number: float) -> None:
        self.value, self.wrong = (
            (round(number) if self.limits.whole and number == round(number) else number),
            "",
        )
        self.changed(self)

    def _scale(self, x: float) -> float:
        return math.log10(x) if self.limits.log else x

    def _place(self, number: float) -> None:
        """Put the slider on the step nearest to a number; on any other place the page would move it
        and say so.
        """
        low = self._scale(self.limits.low)
        inside = self._scale(min(max(number, self.limits.low), self.limits.high))
        at = low + round((inside - low) / self.step) * self.step
        self._quietly(self.slider, 10**at if self.limits.log else at)
        self.placed = self.slider.value

    def reset(self) -> None:
        """Back to what the input was, with its Range."""
        mid = self.start.mid if isinstance(self.start, Doubt) else self.start
        self.value, self.wrong = None, ""
        self._place(float(mid))
        self._quietly(self.box, number_text(mid))

    def _quietly(self, part: Any, value: Any) -> None:
        self.quiet = True
        try:
            part.value = value
        finally:
            self.quiet = False

    def say(self, message: str) -> None:
        self.error.value = (
            f'<span style="color:#B3261E">{html.escape(message)}</span>' if message else ""
        )


class Later:
    """Runs the last of many calls once, after a quiet moment; at once where no event loop runs."""

    def __init__(self, run: Callable[[], None], delay_s: float = DELAY_S) -> None:
        self.run, self.delay_s = run, delay_s
        self.waiting: asyncio.TimerHandle | None = None

    def __call__(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.run()
            return
        if self.waiting is not None:
            self.waiting.cancel()
        self.waiting = loop.call_later(self.delay_s, self.run)


def sentence(error: Exception) -> str:
    """What an error says, in one line; its kind where it is none of ours."""
    text = " ".join(str(error).split())
    return (
        text
        if isinstance(error, (ValueError, CatalogError, Infeasible))
        else f"{type(error).__name__}: {text}"
    )
