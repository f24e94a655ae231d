"""One input as a slider with a text field and its own error, and the quiet moment before an answer
is asked again.
"""

from __future__ import annotations

import asyncio
import html
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ipywidgets

from costmodel.core import (
    CatalogError,
    Doubt,
    Infeasible,
    check,
    meaning_of,
    number_text,
    readable,
    unit_of,
)

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
    whole: bool

    @property
    def log(self) -> bool:
        return self.low > 0 and self.high / self.low > DECADE and not self.whole


def slider_limits(key: str, value: Any) -> Limits:
    """The limits of a slider, from the unit in the glossary and the present value or Range.

    >>> slider_limits("Workload.requests_per_month", 300_000.0).log
    True
    >>> slider_limits("Terms.months", 36).high
    120
    """
    field = key.rsplit(".", 1)[-1]
    unit, form = unit_of(field), getattr(value, "form", "")
    low, mid, high = (getattr(value, end, value) for end in ("low", "mid", "high"))
    factor = FACTOR.get(field, DECADE)
    ends: tuple[float, float] = (mid / factor, mid * factor) if mid else (0, 1)
    if field in REACH:
        ends = REACH[field]
    elif unit in ("share", "share/month") or form == "share":
        ends = 0, 1 if high > 0.2 else 0.2
    elif form == "signed" or unit == "share/year":
        room = (high - low) / 2 or 0.5
        ends = low - room, high + room
    elif isinstance(value, Doubt):
        ends = low / 2, high * 2
    meaning = getattr(value, "why", "") or meaning_of(field)
    whole = isinstance(value, int) and field == "months"
    return Limits(min(ends[0], low), max(ends[1], high), unit, meaning, whole)


def row_looks() -> dict[str, dict[str, Any]]:
    """Layouts and styles that all rows of an explorer share, so that a page makes far fewer widget
    models.
    """
    layout, label = ipywidgets.Layout, ipywidgets.Label().style
    return {
        "name": {"layout": layout(width="220px"), "style": label},
        "slider": {"layout": layout(width="200px"), "style": ipywidgets.SliderStyle()},
        "box": {"layout": layout(width="100px"), "style": ipywidgets.Text().style},
        "unit": {"layout": layout(width="185px"), "style": label},
        "error": {
            "layout": layout(flex="1 1 160px", min_width="0"),
            "style": ipywidgets.HTML().style,
        },
        "row": {"layout": layout(align_items="center", overflow="hidden")},
    }


class Control:
    """One input: its name, a slider, a box for typing, its unit, and room for an error."""

    def __init__(
        self,
        key: str,
        value: Any,
        changed: Callable[[Control], None],
        looks: dict[str, dict[str, Any]],
    ) -> None:
        self.key, self.limits, self.changed = key, slider_limits(key, value), changed
        self.start = float(getattr(value, "mid", value))
        self.value: float | None = None  # None: untouched
        self.wrong = ""  # what was typed and is no number
        self.quiet, self.placed = False, 0.0
        self.slider: Any = self._make_slider(looks["slider"])
        text = number_text(self.start)
        self.box = ipywidgets.Text(value=text, continuous_update=False, **looks["box"])
        self.error = ipywidgets.HTML(**looks["error"])
        self._place(self.start)
        name = ipywidgets.Label(readable(re.sub(r"^(Workload|Terms)\.", "", key)), **looks["name"])
        unit = self.limits.unit
        if isinstance(value, Doubt):
            unit = f"{number_text(value.low)} to {number_text(value.high)} {unit}"
        parts = [name, self.slider, self.box, ipywidgets.Label(unit, **looks["unit"])]
        meaning = self.limits.meaning
        for part in parts:
            part.tooltip = f"{key}: {meaning}" if meaning else key
        self.slider.observe(self._slid, "value")
        self.box.observe(self._typed, "value")
        self.row = ipywidgets.HBox([*parts, self.error], **looks["row"])
        self.row.add_class("costmodel-row")

    def _make_slider(self, look: dict[str, Any]) -> Any:
        low, high = self._scale(self.limits.low), self._scale(self.limits.high)
        kind, self.step = ipywidgets.FloatSlider, float(f"{(high - low) / STEPS:.1g}")
        if self.limits.log:
            kind, self.step = ipywidgets.FloatLogSlider, LOG_STEP
        elif self.limits.whole:
            self.step = 1
        return kind(min=low, max=high, step=self.step, readout=False, **look)

    def _slid(self, change: dict) -> None:
        moved = abs(self._scale(change["new"]) - self._scale(self.placed))
        if not self.quiet and moved > self.step / 2:  # less is the page's echo of `_place`
            number = float(f"{change['new']:.3g}")  # the three figures that the box shows
            self.placed = change["new"]
            self._quietly(self.box, number_text(number))
            self._take(number)

    def _typed(self, change: dict) -> None:
        if self.quiet:
            return
        try:
            number = float(change["new"].replace(",", "").replace(" ", ""))
            check(math.isfinite(number), "not finite")
        except ValueError:
            self.wrong = (
                f"{readable(self.key)} is {change['new']!r}, it must be a number, "
                f"such as {number_text(self.start)}"
            )
            self.changed(self)
        else:
            self._place(number)
            self._take(number)

    def _take(self, number: float) -> None:
        whole = self.limits.whole and number.is_integer()
        self.value, self.wrong = int(number) if whole else number, ""
        self.changed(self)

    def _scale(self, x: float) -> float:
        return math.log10(x) if self.limits.log else x

    def _place(self, number: float) -> None:
        """Put the slider on the step nearest to a number; on any other place the page would move it
        and say so.
        """
        low = self._scale(self.limits.low)
        inside = min(max(number, self.limits.low), self.limits.high)
        at = low + round((self._scale(inside) - low) / self.step) * self.step
        self._quietly(self.slider, 10**at if self.limits.log else at)
        self.placed = self.slider.value

    def reset(self) -> None:
        """Back to what the input was, with its Range."""
        self.value, self.wrong = None, ""
        self._place(self.start)
        self._quietly(self.box, number_text(self.start))

    def _quietly(self, part: Any, value: Any) -> None:
        self.quiet = True
        try:
            part.value = value
        finally:
            self.quiet = False

    def say(self, message: str) -> None:
        self.error.value = in_red(message)


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
    kind = "" if isinstance(error, (ValueError, CatalogError, Infeasible)) else type(error).__name__
    return f"{kind}: ".removeprefix(": ") + " ".join(str(error).split())


def in_red(message: str) -> str:
    """An error as HTML; nothing where there is none."""
    return f'<span style="color:#B3261E">{html.escape(message)}</span>' if message else ""
