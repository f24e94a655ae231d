"""One screen that answers, follows, keeps and explains: of core widgets only, so that it works in
JupyterLab, Notebook 7, VS Code, Colab and Voila.

It collects what the hand does into a `State`, asks for the verdict and the pictures, and shows
them; it computes nothing itself. A control that nobody has touched leaves its input as it is, with
its whole Range.
"""

from __future__ import annotations

import html
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import ipywidgets

from costmodel.choices.study import Study
from costmodel.core import Stopped, check, check_known, go_on, public, while_wanted
from costmodel.decisions.verdict import Verdict
from costmodel.pages.blocks import FOR_REPORT
from costmodel.pages.widgets import pictures
from costmodel.pages.widgets.controls import sentence
from costmodel.pages.widgets.foot import Foot
from costmodel.pages.widgets.looks import STATIC, STYLE, picture_of, top_of
from costmodel.pages.widgets.notebooks import QUESTIONS
from costmodel.pages.widgets.panel import Panel
from costmodel.pages.widgets.questions import Amounts
from costmodel.pages.widgets.runs import Runs, kernel_runs
from costmodel.pages.widgets.state import Asked, State

FIRST = 1_000  # draws of the estimate that is shown while the full answer is computed
SOON_S = 0.5  # an answer that takes no longer is shown without an estimate before it
DPI = 100


@dataclass(frozen=True)
class Answer:
    """One answer: what was asked, the verdict, and what its cards amount to."""

    asked: Asked
    study: Study
    verdict: Verdict
    amounts: Amounts
    full: bool  # whether it was weighed what to judge before the choice


@public
class Cockpit(ipywidgets.HBox):
    """What `cockpit` returns: `controls` by key, the last `verdict`, and the `study` as it stands.

    Parameters
    ----------
    study : Study
        The options, the workload and the terms.
    question : str
        Whose controls are in sight, see `cockpit`.
    draws : int, optional
        Draws of the full answer; those of the study without it.
    given : dict of str to object
        The picks and numbers of the question, as they stand at first.

    Raises
    ------
    CatalogError
        For a question that is not there.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG", "Prompt")
    >>> box = cm.widgets.cockpit(study, draws=300)
    >>> before = box.verdict.table["expected"]["RAG"]
    >>> box.controls["Workload.requests_per_month"].box.value = "10k"  # as a reader types it
    >>> bool(box.verdict.table["expected"]["RAG"] < before), box.study.work.requests_per_month
    (True, 10000.0)
    """

    def __init__(
        self, study: Study, question: str, draws: int | None, given: dict[str, Any]
    ) -> None:
        check_known("question", question, QUESTIONS, "widgets.cockpit")
        asked = QUESTIONS[question]
        self.draws, self.chosen = draws, False
        self.cards: list[tuple[str, ...]] = []
        self.state = State(Asked(study, asked, picks=asked.start(study, **given)))
        self.answer: Answer | None = None
        self.took_s = float("inf")  # of the last answer from all draws
        self.pinned: Answer | None = None
        if os.environ.get(FOR_REPORT):
            super().__init__([])
            return
        self.runs = Runs(self._run, kernel_runs())
        self.turning = True
        self._make_right()
        self.panel = Panel(self.state, self._ask, self._fit, self.foot.say_no)
        hidden = ipywidgets.HTML(STYLE, layout=ipywidgets.Layout(display="none"))
        super().__init__([hidden, self.panel, self.right])
        self.add_class("cm-cockpit")
        self.panel.step(lambda: None)

    # -- the right side ----------------------------------------------------------------------------

    def _make_right(self) -> None:
        layout = ipywidgets.Layout
        waiting = top_of("…", "computing the first answer", [])
        self.top = ipywidgets.HTML(waiting).add_class("cm-top")
        tab = self.state.asked.question.tab
        self.tabs = ipywidgets.ToggleButtons(options=pictures.TABS, value=tab).add_class("cm-tabs")
        self.over, self.which = (
            ipywidgets.Dropdown(
                options=options,
                description=name,
                layout=layout(width="320px", max_width="100%"),
                style={"description_width": "60px"},
            )
            for name, options in (("Over", pictures.OVER), ("Option", [""]))
        )
        self.png, self.image, self.small = b"", ipywidgets.HTML(), ipywidgets.HTML()
        self.frame = ipywidgets.Box([self.image], tabbable=True).add_class("cm-picture")
        self.paper = ipywidgets.HTML().add_class("cm-bill")
        self.phone = ipywidgets.Box([self.small]).add_class("cm-phone")
        self.foot, self.whole = Foot(self), ipywidgets.HTML()
        for part in (self.tabs, self.over, self.which):
            part.observe(lambda _, part=part: self._turned(part), "value")
        beside = ipywidgets.HBox([self.over, self.which], layout=layout(height="36px"))
        seen = [self.top, self.tabs, beside, self.frame, self.phone, self.paper]
        self.right = ipywidgets.VBox([*seen, self.foot, self.whole]).add_class("cm-right")
        self._turn()

    def _turn(self) -> None:
        """Show the parts of the chosen tab."""
        tab = self.tabs.value
        self.frame.layout.display = "" if tab != pictures.BILL else "none"
        self.paper.layout.display = "" if tab == pictures.BILL else "none"
        (self.phone.add_class if tab == pictures.BILL else self.phone.remove_class)("cm-hidden")
        self.over.layout.display = "" if tab == pictures.FLIPS else "none"
        self.which.layout.display = "" if tab == pictures.BILL else "none"

    def _turned(self, part: Any) -> None:
        if not self.turning:
            self.chosen = self.chosen or part is self.which
            self._turn()
            self._ask()

    def _fit(self, study: Study) -> None:
        """Room for the pictures and the bills of a study."""
        self.turning = True
        high = int(DPI * pictures.height(study))
        self.canvas = pictures.Canvas(study)
        for part in (self.frame, self.paper):
            part.layout.height = f"{high + 16}px"
        self.height = f"{high}px"
        label = self.which.value
        self.which.options = list(study.options)
        self.chosen = self.chosen and label in study.options
        self.which.value = label if label in study.options else next(iter(study.options))
        self.turning = False

    def _ask(self) -> None:
        for part in (self.frame, self.phone):
            part.add_class("cm-waiting")
        self.runs.ask()

    # -- answering ---------------------------------------------------------------------------------

    def _run(self, number: int, full: bool) -> None:
        """Answer what is asked now; on any error grey the picture and say why, where it belongs."""
        asked = self.state.asked
        try:
            known = self.answer
            if known and known.asked is asked and known.full:  # another tab, the pin, or refused
                self._tell(number, known)
                self._paint(known)
            else:
                self._answer(number, asked, full)
            if (answer := self.answer) and answer.full and self.runs.alone(number):
                self._paint_phone(answer)
            for control in self.panel.refused():
                self._refuse("", control.refused)
        except Exception as error:  # the reader must see it, and never an old picture as new
            self._refuse(self._blamed(asked), sentence(error))

    def _answer(self, number: int, asked: Asked, full: bool) -> None:
        """Answer: from few draws while a hand drags; when it rests, in full, and where that takes
        long, after an estimate from some more draws. What to judge before the choice takes longest:
        it is weighed once the picture is seen."""
        study = asked.now().changed(draws=self.draws)
        few = FIRST if full else pictures.FEW
        slow = self.runs.threaded and self.took_s > SOON_S
        if (slow or not full) and study.draws > few:
            self._show(number, asked, study.changed(draws=few), False)
        if not full:
            return
        if self.runs.threaded and asked.question.in_two:
            with suppress(Stopped), while_wanted(lambda: self.runs.wanted(number)):
                self._show(number, asked, study, False)
                self.runs.rest()
        with suppress(Stopped), while_wanted(lambda: number == self.runs.number):
            self._show(number, asked, study, True)

    def _show(self, number: int, asked: Asked, study: Study, full: bool) -> None:
        """Answer, and show the two lines, the four cards and the picture, and no error anywhere."""
        begun = perf_counter()
        verdict, amounts = asked.question.answer(study, asked.given(), full)
        go_on()  # a newer question has its own picture
        known = self.answer
        again = known is not None and known.study is study and known.asked is asked
        self.answer = Answer(asked, study, verdict, amounts, full)
        self._tell(number, self.answer)
        if not again:
            self._paint(self.answer)
            if study.draws == (self.draws or asked.study.draws):
                self.took_s = perf_counter() - begun

    def _tell(self, number: int, answer: Answer) -> None:
        """The two lines and the four cards of an answer."""
        verdict, study = answer.verdict, answer.study
        pinned = self.pinned.amounts if self.pinned else ()
        cards: list[tuple[str, ...]] = []
        for i, card in enumerate(verdict.cards):
            held = pinned[i] if i < len(pinned) else None
            step = ""
            if i < len(answer.amounts) and held:
                step = pictures.beside(answer.amounts[i], held, study)
            cards.append((*card, step))
        question = answer.asked.question
        first, second = question.lines(verdict, study) or pictures.first_lines(verdict, study)
        if not answer.full:
            draws = self.draws or answer.asked.study.draws
            second = f"First estimate, from {study.draws:,} of {draws:,} draws."
            if study.draws == draws:
                second = "Full answer; whether to judge some answers first is still weighed."
        self.cards = cards
        self.top.value = top_of(first, second, cards, number)
        points = "".join(f"<li>{html.escape(point)}</li>" for point in verdict.points)
        said = f"<p>{html.escape(verdict.headline)}</p><ul>{points}</ul>"
        self.whole.value = (
            f'<details class="cm-whole"><summary>The verdict in full</summary>{said}</details>'
        )
        for control in list(self.panel.controls.values()):
            if control.wrong:
                control.say("")

    def _paint(self, answer: Answer) -> None:
        """The picture or the page of the chosen tab."""
        tab, verdict, study = self.tabs.value, answer.verdict, answer.study
        if tab == pictures.BILL:
            if not self.chosen and verdict.named:
                self.turning, self.which.value, self.turning = True, verdict.named, False
            label = self.which.value
            check(label in study.options, f"{label!r} is not ticked under Options")
            self.paper.value = pictures.bill(study, label)
        else:
            self.png = self.canvas.draw(tab, verdict, study, self.over.value)
            says = pictures.says(tab, verdict, study, self.over.value)
            self.image.value = picture_of(self.png, says, self.height)
        for part in (self.frame, self.paper):
            part.remove_class("cm-waiting")
            part.remove_class("cm-failed")
        self.runs.shown_s = perf_counter()

    def _paint_phone(self, answer: Answer) -> None:
        """The picture that a narrow page shows, once the hand rests."""
        tab, over = self.tabs.value, self.over.value
        if tab != pictures.BILL:
            png = pictures.for_phone(tab, answer.verdict, answer.study, over)
            says = pictures.says(tab, answer.verdict, answer.study, over)
            self.small.value = picture_of(png, says)
        self.phone.remove_class("cm-waiting")
        self.phone.remove_class("cm-failed")

    def _refuse(self, key: str, message: str) -> None:
        """Grey the last answer, and say why here and beside the control that is to blame."""
        for part in (self.frame, self.phone, self.paper):
            part.remove_class("cm-waiting")
            part.add_class("cm-failed")
        if key in self.panel.controls and not self.panel.controls[key].wrong:
            self.panel.controls[key].say(message)
        self.top.value = top_of(
            "No answer: below is the last one", message, self.cards, failed=True
        )

    def _blamed(self, asked: Asked) -> str:
        """The changed input that cannot be by itself, or the last that was changed."""
        for key, value in asked.values.items():
            if replace(asked, values={key: value}).error is not None:
                return key
        return self.state.last

    @property
    def controls(self) -> dict[str, Any]:
        """The controls by the key of their input."""
        return self.panel.controls

    @property
    def study(self) -> Study:
        """The study as it stands, with the draws that it was given."""
        return self.state.asked.now()

    @property
    def scenario(self) -> Study:
        """The study that a file keeps: before the question makes options of its own."""
        return self.state.asked.scenario

    @property
    def parameters(self) -> dict[str, Any]:
        """The picks and numbers that are parameters of its notebook, by name."""
        return self.state.asked.parameters()

    @property
    def verdict(self) -> Verdict:
        """The verdict on what is asked now."""
        return self.settled().verdict

    def settled(self) -> Answer:
        """The full answer to what is asked now."""
        self.runs.settle()
        answer = self.answer
        if answer is None or not answer.full or answer.asked is not self.state.asked:
            raise ValueError("what is asked now has no answer yet; undo the last change, or wait")
        return answer

    def pin(self) -> str:
        """Pin the answer, or take the pin away; what the cards do then."""
        self.pinned = None if self.pinned else self.settled()
        self._ask()
        if not self.pinned:
            return "nothing is pinned"
        return f"pinned: {self.pinned.verdict.named}; the cards show what changes against it"

    def _repr_mimebundle_(self, **asked: Any) -> Any:
        if os.environ.get(FOR_REPORT):
            return {"text/plain": ""}
        made = super()._repr_mimebundle_(**asked)
        data = made[0] if isinstance(made, tuple) else made
        data["text/html"] = STATIC
        return made


@public
def cockpit(
    study: Study, question: str = "approach", draws: int | None = None, **given: Any
) -> Cockpit:
    """One screen over a study: controls, the verdict and four cards, pictures, and the bill.

    Estimates from few draws follow the hand, and the full answer comes when it rests. `study` of
    what is returned is the study as it stands: the cells after the cockpit can go on with it.

    Parameters
    ----------
    study : Study
        The options, the workload and the terms.
    question : {"approach", "quick", "hosting", "tuning", "knowledge", "case", "measure", "alive", \
"own"}
        Whose controls and picks are in sight. Every other input is under "More inputs".
    draws : int, optional
        Draws of the full answer; without it those of the study, as on every other page.
    **given
        Picks and numbers of the question, as they stand at first, such as `baseline="people"`.

    Returns
    -------
    Cockpit
        A widget for the last line of a cell.

    Raises
    ------
    CatalogError
        For a question that is not there.

    Examples
    --------
    >>> import costmodel as cm
    >>> box = cm.widgets.cockpit(cm.load("own_gpus"), "hosting", draws=50)
    >>> list(box.controls)[:2], box.verdict.named
    (['Workload.requests_per_month', 'hosting.maintenance_fte'], 'API')
    """
    return Cockpit(study, question, draws, given)
