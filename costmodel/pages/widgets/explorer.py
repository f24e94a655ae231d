"""What-if sliders for notebooks, of core widgets only: they work in JupyterLab, Notebook 7, VS Code
and Colab.

A widget collects values, asks `recommend` and the plots, and shows the answer; it computes nothing
itself. A control that nobody has touched leaves its input as it is, with its whole Range; a control
that was moved fixes it.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import ipywidgets

from costmodel.choices.quality.task import HARDNESS
from costmodel.choices.quality.tasks import PLAIN_WORDS
from costmodel.choices.study import Study, analysis
from costmodel.choices.terms import Terms
from costmodel.core import (
    Doubt,
    Infeasible,
    check,
    check_known,
    find_key,
    key_of,
    leaves,
    number_text,
    percent,
    pin,
    public,
    walk,
)
from costmodel.decisions.uncertainty import tornado
from costmodel.decisions.verdict import recommend
from costmodel.ledgers.book import cash_flow, ledger
from costmodel.pages.plots import costs, options, style
from costmodel.pages.widgets.controls import STYLE, Control, Later, row_looks, sentence

HEADLINE = (
    "Workload.requests_per_month",
    "Workload.input_tokens",
    "Workload.output_tokens",
    "Workload.usd_per_failure",
    "Terms.months",
    "Workload.growth_per_year",
)
FLOOR = (
    "quality_floor"  # the one control that is not an input of an option, the workload or the terms
)
AS_IT_IS = ""  # the value of a choice that nobody made
DRAWS = 1_000
HEADLINES = 6


# -- the explorer ----------------------------------------------------------------------------------


@public
class Explorer(ipywidgets.VBox):
    """What `explore` returns: `controls` by key, `headline`, `image` and the last `verdict`.

    Parameters
    ----------
    study : Study
        The options, the workload and the terms.
    sliders : iterable of str
        Inputs with a slider, the six first in sight.
    show : {"compare", "lifecycle", "cumulative", "quality"}
        The picture.

    Raises
    ------
    CatalogError
        For an input that is not there.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG", "Prompt")
    >>> box = cm.widgets.explore(study, sliders=["requests_per_month"], draws=50)
    >>> before = box.verdict.table["expected"]["RAG"]
    >>> box.controls["Workload.requests_per_month"].box.value = "10,000"  # as a reader types it
    >>> box.refresh()
    >>> bool(box.verdict.table["expected"]["RAG"] < before)
    True
    """

    def __init__(self, study: Study, sliders: Iterable[str], show: str) -> None:
        self.study, self.show = study, show
        self.things = (dict(study.options), study.work, study.terms)
        self.quality_floor = study.quality_floor
        # one figure, drawn again and again
        least, axes, each = HEIGHTS[show]
        self.ax: Any = style.picture(max(least, axes + each * len(study.options)), width=8.6)
        self.colours = style.palette(study.options)
        self.controls: dict[str, Control] = {}
        self.looks = row_looks()
        self.cause: Control | None = None
        self.verdict: Any = None
        self.later = Later(self.refresh)
        layout = ipywidgets.Layout
        self.headline = ipywidgets.HTML(layout=layout(min_height="80px", width="auto"))
        self.headline.add_class("costmodel-headline")
        size = layout(max_width="100%", width="860px", object_fit="contain")
        self.image = ipywidgets.Image(format="png", layout=size)
        keys = list(dict.fromkeys(self._key(name) for name in sliders))
        if self.quality_floor is not None and FLOOR not in keys:
            keys = [*keys[: HEADLINES - 1], FLOOR, *keys[HEADLINES - 1 :]]
        self.task, self.difficulty = task_choices(study.work.task)
        asked = ipywidgets.HBox([self.task, self.difficulty])
        for choice in asked.children:
            choice.observe(self._changed, "value")
        self.top = ipywidgets.VBox([asked, *(self._control(k).row for k in keys[:HEADLINES])])
        self.folded = keys[HEADLINES:]
        self.fold = ipywidgets.VBox([])
        self.more = ipywidgets.Accordion([self.fold], titles=("more inputs",), selected_index=None)
        self.more.observe(self._unfold, "selected_index")
        reset = ipywidgets.Button(description="Reset", layout=layout(width="90px"))
        reset.tooltip = "every input back to what it was"
        reset.on_click(self.reset)
        hidden = ipywidgets.HTML(STYLE, layout=layout(display="none"))
        super().__init__([hidden, self.headline, self.image, self.top, reset, self.more])
        self.refresh()

    def _key(self, name: str) -> str:
        return FLOOR if name == FLOOR else find_key(self.things, name)

    def _control(self, key: str) -> Control:
        if key not in self.controls:
            value = (self.quality_floor or 0.0) if key == FLOOR else leaves(self.things)[key]
            self.controls[key] = Control(key, value, self._changed, self.looks)
        return self.controls[key]

    def _unfold(self, change: dict) -> None:
        """Make the folded controls when they are first looked at: the inputs that move the cheapest
        option most come first.
        """
        if change["new"] is None or self.fold.children:
            return
        best = self.verdict.named if self.verdict else None
        keys = [*self.folded, *(tornado(self.study, best)["input"] if best else ())]
        for key, value in leaves(self.things).items():
            if isinstance(value, Doubt) and value.low < value.high:
                keys.append(key)
        shown = set(self.controls)
        rows = [self._control(key).row for key in dict.fromkeys(keys) if key not in shown]
        self.fold.children = rows

    def _changed(self, cause: Any) -> None:
        if isinstance(cause, Control):
            self.cause = cause
        self.image.add_class("costmodel-waiting")
        self.later()

    def reset(self, _: Any = None) -> None:
        """Every control back to its start."""
        self.task.value = self.difficulty.value = AS_IT_IS
        for control in self.controls.values():
            control.reset()
        self.refresh()

    def refresh(self) -> None:
        """Ask again with what the controls say; on any error grey the picture and say why beside
        the control.
        """
        try:
            wrong = {c.key: c.wrong for c in self.controls.values() if c.wrong}
            if not wrong:
                wrong = self._ask()
        except Exception as error:  # the reader must see it, and never an old picture as new
            said = sentence(error)
            keys = [c.key for c in self.controls.values() if html.escape(said) in c.error.value]
            keys.append(self.cause.key if self.cause else "")
            wrong = {keys[0]: said}
        for control in self.controls.values():
            control.say(wrong.get(control.key, ""))
        self.image.remove_class("costmodel-waiting")
        self.image.remove_class("costmodel-failed")
        if wrong:
            self.image.add_class("costmodel-failed")
            reason = html.escape(next(iter(wrong.values())))
            self.headline.value = f'<span style="color:#8A8A8A">No answer: {reason}</span>'

    def _ask(self) -> dict[str, str]:
        """Answer, picture and headline; or {key: message} for values that are not allowed."""
        things, floor, wrong = self.things, self.quality_floor, {}
        for key, control in self.controls.items():
            if control.value is None:
                continue
            try:
                if key == FLOOR:
                    floor = control.value
                    said = f"quality floor is {number_text(floor)}, allowed is between 0 and 1"
                    check(0 <= floor <= 1, said)
                else:  # each control by itself, so that an error is its own
                    recheck(pin(self.things, key, control.value), key)
                    things = pin(things, key, control.value)
            except (ValueError, Infeasible) as error:
                wrong[key] = sentence(error)
        if wrong:
            return wrong
        choices, work, terms = things
        if self.task.value or self.difficulty.value:
            task = self.task.value or work.task.id
            work = replace(work, task=task, difficulty=self.difficulty.value or None)
        changes: style.Style = {"options": choices, "work": work, "terms": terms}
        study = replace(self.study, quality_floor=floor, accept_zero=None, **changes)
        verdict = recommend(study, flips=False)
        self.ax.clear()
        draw(self.show, verdict, study, self.ax, self.colours)
        self.image.value = style.png(self.ax.figure)
        if self.show != "cumulative":  # elsewhere the first layout fits, and half the time is saved
            self.ax.figure.set_layout_engine("none")
        self.headline.value = headline(verdict, terms)
        self.verdict = verdict
        return {}


def task_choices(task: Any) -> tuple[ipywidgets.Dropdown, ipywidgets.Dropdown]:
    """What is asked, and how hard that is, in plain words; the first choice leaves it as it is."""
    tasks = [(task.id, AS_IT_IS), *((w, w) for w in PLAIN_WORDS if w != task.id)]
    hard = [("as it is", AS_IT_IS), *((f"{w} than usual", w) for w in HARDNESS if HARDNESS[w])]
    look: style.Style = {"value": AS_IT_IS, "style": {"description_width": "110px"}}
    look["layout"] = ipywidgets.Layout(width="340px")
    return (
        ipywidgets.Dropdown(options=tasks, description="what is asked", **look),
        ipywidgets.Dropdown(options=hard, description="difficulty", **look),
    )


HEIGHTS = {  # of a picture, inches: at least, of its axes, and more for each option
    "compare": (0.0, 1.0, 0.27),
    "lifecycle": (0.0, 1.2, 0.27),
    "cumulative": (3.4, 0.9, 0.24),
    "quality": (4.0, 0.0, 0.0),
}


def draw(show: str, verdict: Any, study: Study, ax: Any, colours: style.Colours) -> None:
    """The picture of that name on the axes."""
    look: style.Style = {"ax": ax, "money": study.terms.money}
    table = verdict.table.copy()
    if show == "lifecycle":
        costs.plot_lifecycle(ledger(study), **look)
    elif show == "cumulative":
        costs.plot_cumulative(cash_flow(study), colours=colours, **look)
    elif show == "quality":
        options.plot_quality(table, floor=study.quality_floor, colours=colours, **look)
    else:
        missed = ~table["eligible"] & (table["why_not"] == "")
        sure = percent(study.confidence)
        table.loc[missed, "why_not"] = f"is not {sure} sure to reach the quality floor"
        options.plot_bands(table, colours=colours, **look)


@analysis
def explore(
    study: Study, *, sliders: Iterable[str] | None = None, show: str = "compare", draws: int = DRAWS
) -> Explorer:
    """What-if sliders over options: the picture and the answer follow each move.

    Parameters
    ----------
    study : Study, or options with a workload
        With a `quality_floor` the floor gets a slider, and only what reaches it is ranked.
    sliders : iterable of str, optional
        Inputs with a slider, the six first in sight, such as "Rag.top_k" or
        "engineer.usd_per_hour". The other Ranges are folded under "more inputs".
    show : {"compare", "lifecycle", "cumulative", "quality"}
        The picture.
    draws : int
        Few draws, so that the picture follows the hand.

    Returns
    -------
    Explorer
        A widget for the last line of a cell.

    Raises
    ------
    CatalogError
        For an input or a picture that is not there.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG", "Prompt")
    >>> box = cm.widgets.explore(study, sliders=["requests_per_month", "Rag.top_k"], draws=50)
    >>> list(box.controls), box.verdict.named
    (['Workload.requests_per_month', 'rag.top_k', 'quality_floor'], 'RAG')
    """
    check_known("view", show, HEIGHTS, "widgets.explore")
    return Explorer(study.changed(draws=draws), HEADLINE if sliders is None else sliders, show)


def recheck(things: Any, key: str) -> None:
    """Run the checks of whatever holds the input `key` again, as its constructor would."""
    for owner, name, value in walk(things):
        if key_of(owner, name, value) == key and hasattr(owner, "__post_init__"):
            owner.__post_init__()


def headline(verdict: Any, terms: Terms) -> str:
    """The verdict as HTML: its sentence, and the expected cost of its option to the cent."""
    text = f'<b style="font-size:15px; line-height:1.35">{html.escape(verdict.headline)}</b>'
    text += "".join(f"<br>{html.escape(point)}" for point in verdict.points)
    if verdict.named is not None:
        row = verdict.table.loc[verdict.named]
        code, rate = terms.money.code, terms.money.per_usd
        text += (
            f'<br><span style="color:#5F5F5F">{html.escape(verdict.named)}: '
            f"{code} {row['expected'] * rate:,.2f} expected over {terms.months} months, "
            f"{code} {row['per_month'] * rate:,.2f} a month</span>"
        )
    return text
