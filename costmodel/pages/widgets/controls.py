"""One input as a slider with a box for typing, its own range on the track, and its own error."""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from itertools import count
from typing import Any

import ipywidgets

from costmodel.core import CatalogError, Doubt, Infeasible, named, percent, short
from costmodel.pages.widgets.inputs import Input, shown_text
from costmodel.pages.widgets.looks import RED

UNTOLD = ("count", "share")  # units that say nothing beside "number of examples" and "0 to 1"
STEPS = 200  # of a linear slider
LOG_STEP = 0.01  # of a logarithmic slider, in factors of ten: 2.3 %
BAND, TRACK = "#7FB3BF", "#DADADA"
_NUMBERS = count()


class Control:
    """One input: its name and mark, a slider, a box for typing, and a line for unit or error.

    `changed(control, value)` is called with a number, a Range, or None for as it was; `wrong` says
    what is wrong with the answer on it, `refused` why what was typed counts for nothing, and
    `idle` why the input changes nothing now.
    """

    def __init__(self, given: Input, value: Any, changed: Callable[[Control, Any], None]) -> None:
        self.changed, self.quiet, self.placed = changed, False, 0.0
        self.wrong = self.refused = self.idle = ""
        self.given, self.value = given, value
        layout = ipywidgets.Layout
        self.head = ipywidgets.HTML(layout=layout(height="20px"))
        self.slider = self._make_slider()
        self.box = ipywidgets.Text(continuous_update=False, layout=layout(width="130px"))
        self.back = ipywidgets.Button(icon="undo", layout=layout(width="28px", padding="0"))
        self.back.tooltip = "back to what it was"
        self.note = ipywidgets.HTML(layout=layout(height="18px"))
        self.slider.observe(self._slid, "value")
        self.box.observe(self._typed, "value")
        self.back.on_click(lambda _: self._take(None))
        middle = ipywidgets.HBox([self.slider, self.box, self.back])
        self.row = ipywidgets.VBox([self.head, middle, self.note])
        self.mine = f"cm-k{next(_NUMBERS)}"
        for name in ("cm-row", self.mine):
            self.row.add_class(name)
        self.place(value)

    def _make_slider(self) -> Any:
        given, layout = self.given, ipywidgets.Layout(flex="1 1 60px", min_width="60px")
        low, high = self._scale(given.low), self._scale(given.high)
        kind, self.step = ipywidgets.FloatSlider, float(f"{(high - low) / STEPS:.1g}") or 1e-9
        if given.log:
            kind, self.step = ipywidgets.FloatLogSlider, LOG_STEP
        elif given.whole:
            self.step = 1
        made = kind(min=low, max=high, step=self.step, readout=False, layout=layout)
        made.tooltip = given.label
        return made

    def place(self, value: Any) -> None:
        """Show what the input was changed to (None: as it was), without asking anything."""
        self.value, self.wrong, self.refused = value, "", ""
        now = self.given.value if value is None else value
        self.quiet = True
        try:
            self._put(float(getattr(now, "mid", now)))
            self.box.value = shown_text(now)
        finally:
            self.quiet = False
        self._mark()
        self._say(now)

    def _mark(self) -> None:
        """The name, with a mark where the input was changed."""
        given, changed = self.given, self.value is not None
        told = given.unit in UNTOLD or all(part in given.label for part in given.unit.split("/"))
        unit = "" if told else f" <i>{html.escape(given.unit)}</i>"
        mark = f'<b class="cm-mark{" cm-off" * (not changed)}" title="changed">●</b>'
        says = html.escape(f"{given.meaning} ({given.key})".strip(), quote=True)
        self.head.value = f'<span title="{says}">{mark}{html.escape(given.label)}{unit}</span>'
        self.back.layout.visibility = "visible" if changed else "hidden"

    def refuse(self, message: str) -> None:
        """Say why what was typed cannot be meant; what was there before still counts."""
        self.refused = message
        self._mark()
        self._say(self.given.value if self.value is None else self.value)

    def rest(self, why: str) -> None:
        """Be still, and say why, while the input changes nothing; "" ends it."""
        if why != self.idle:
            self.idle = why
            self.slider.disabled = self.box.disabled = bool(why)
            self._say(self.given.value if self.value is None else self.value)

    def say(self, message: str) -> None:
        """Show an error beside the control; "" takes it away."""
        self.wrong = message
        self._say(self.given.value if self.value is None else self.value)

    def _say(self, now: Any) -> None:
        """The line under the slider, and the range of the input drawn on the track."""
        given, least = self.given, short(self.given.least)
        words = f"{least} or more" if math.isinf(given.most) else f"{least} to {short(given.most)}"
        words, colour = f"allowed: {words}", "#6B6B6B"
        track = TRACK
        if isinstance(now, Doubt) and now.low < now.high:
            low, high = self._share(now.low), self._share(now.high)
            stops = f"{TRACK} {low:.1f}%,{BAND} {low:.1f}% {high:.1f}%"
            track = f"linear-gradient(90deg,{stops},{TRACK} {high:.1f}%)"
            level = getattr(now, "level", 0.9)
            words = f"{short(now.low)} to {short(now.high)}, {percent(level)} sure"
        middle = float(getattr(now, "mid", now))
        if not given.low <= middle <= given.high:
            words += f"; {'below' if middle < given.low else 'beyond'} the slider"
        words = self.idle or words
        if self.refused or self.wrong:
            words, colour = self.refused or self.wrong, RED
        said = html.escape(words, quote=True)
        style = f".{self.mine} .noUi-connects{{background:{track}!important}}"
        value = f'<style>{style}</style><span style="color:{colour}" title="{said}">{said}</span>'
        if value != self.note.value:
            self.note.value = value

    def _share(self, x: float) -> float:
        low, high = self._scale(self.given.low), self._scale(self.given.high)
        at = self._scale(max(x, self.given.low) if self.given.log else x)
        return 100 * min(max((at - low) / (high - low), 0), 1)

    def _slid(self, change: dict) -> None:
        if self.quiet:
            return
        moved = abs(self._scale(change["new"]) - self._scale(self.placed))
        if moved <= self.step / 2:  # less is the page's echo of `_put`
            return
        number = float(f"{change['new']:.3g}")  # the three figures that the box shows
        self.placed, self.quiet = change["new"], True
        self.box.value = shown_text(number)
        self.quiet = False
        self._take(int(number) if self.given.whole else number, placed=True)

    def _typed(self, change: dict) -> None:
        if self.quiet:
            return
        try:
            value = self.given.read(change["new"]) if change["new"].strip() else None
        except ValueError as error:
            self.refuse(sentence(error))
            self.changed(self, self.value)
        else:
            self._take(value)

    def _take(self, value: Any, placed: bool = False) -> None:
        held = self.value
        if placed:  # by the hand: the slider and the box say it already
            self.value, self.wrong, self.refused = value, "", ""
            self._mark()
            self._say(value)
        else:
            self.place(value)
        self.changed(self, value)
        if self.refused:  # by the study: the box shows what was typed
            self.value = held
            self._mark()

    def _scale(self, x: float) -> float:
        return math.log10(x) if self.given.log else x

    def _put(self, number: float) -> None:
        """Put the slider on the step nearest to a number; on any other place the page would move it
        and say so.
        """
        low = self._scale(self.given.low)
        inside = min(max(number, self.given.low), self.given.high)
        at = low + round((self._scale(inside) - low) / self.step) * self.step
        self.slider.value = 10**at if self.given.log else at
        self.placed = self.slider.value


def sentence(error: Exception) -> str:
    """What an error says, in one line; its kind where it is none of ours."""
    kind = "" if isinstance(error, (ValueError, CatalogError, Infeasible)) else type(error).__name__
    return f"{kind}: ".removeprefix(": ") + named(" ".join(str(error).split()))
