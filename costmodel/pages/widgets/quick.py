"""The quick answer: from pages, words or a bill to what a use of a model costs over its life."""

from __future__ import annotations

from typing import Any

import ipywidgets

from costmodel.choices.options import Option
from costmodel.choices.presets import MODELS, USE_CASES, quick
from costmodel.choices.quality.tasks import OTHER, PLAIN_WORDS
from costmodel.choices.workload import Workload
from costmodel.core import public
from costmodel.pages.blocks import answer, cards
from costmodel.pages.first_words import first_answer
from costmodel.pages.widgets.controls import STYLE, Later, in_red, sentence

DRAWS = 1_000
TASKS = [(words, words) for words in PLAIN_WORDS] + [("something else", OTHER)]


@public
class QuickAnswer(ipywidgets.VBox):
    """What `quick_answer` returns: `use_case requests read unit words bill knows model`, `headline`
    and the last `verdict`.

    Parameters
    ----------
    use_case : str
        Where the numbers start from, one of those of `choices.quick`.
    model : str
        A model of the price list.
    months : int
        The horizon [month].
    draws : int
        Random draws behind the bands.
    on : str or None
        The day whose API prices hold; None is today.

    Examples
    --------
    >>> import costmodel as cm
    >>> box = cm.widgets.quick_answer(draws=100, on="2026-11-01")
    >>> before = box.verdict.table["expected"][box.verdict.best]
    >>> box.requests.value = 10 * box.requests.value  # as a reader types it
    >>> box.refresh()
    >>> bool(box.verdict.table["expected"][box.verdict.best] > before)
    True
    """

    def __init__(self, use_case: str, model: str, months: int, draws: int, on: str | None) -> None:
        self.terms: dict[str, Any] = {"months": months, "draws": draws, "on": on}
        self.setting = False
        self.verdict: Any = None

        def field(kind: Any, description: str, **more: Any) -> Any:
            return kind(
                description=description,
                style={"description_width": "190px"},
                layout=ipywidgets.Layout(width="430px"),
                **more,
            )

        self.use_case = field(
            ipywidgets.Dropdown, "use case", options=list(USE_CASES), value=use_case
        )
        self.task = field(ipywidgets.Dropdown, "what is asked", options=TASKS)
        self.knows = ipywidgets.ToggleButton(
            False, description="I know my bill", tooltip="start from what you pay a month"
        )
        self.requests = field(ipywidgets.FloatText, "requests a day")
        self.bill = field(ipywidgets.FloatText, "bill [USD a month]", value=5_000)
        self.read = field(ipywidgets.FloatText, "read per request")
        self.unit = ipywidgets.ToggleButtons(
            options=["words", "pages"], style={"button_width": "60px"}
        )
        self.words = field(ipywidgets.FloatText, "words written per answer")
        self.model = field(
            ipywidgets.Dropdown, "model", options=list(dict.fromkeys((model, *MODELS))), value=model
        )
        self.headline, self.error = ipywidgets.HTML(), ipywidgets.HTML()
        self.later = Later(self.refresh)
        self.use_case.observe(self._fill, "value")
        read = ipywidgets.HBox([self.read, self.unit])
        above, below = (self.task, self.requests, self.bill), (self.words, self.model)
        for part in (self.knows, *above, *read.children, *below):
            part.observe(self._changed, "value")
        hidden = ipywidgets.HTML(STYLE, layout=ipywidgets.Layout(display="none"))
        first = ipywidgets.HBox([self.use_case, self.knows])
        super().__init__([hidden, first, *above, read, *below, self.error, self.headline])
        self._fill()

    def _fill(self, _: Any = None) -> None:
        task, per_day, pages, words, written = USE_CASES[self.use_case.value]
        self.setting = True
        self.task.value = task or OTHER
        self.requests.value, self.words.value = per_day, written
        self.read.value, self.unit.value = (pages, "pages") if pages else (words, "words")
        self.setting = False
        self.refresh()

    def _changed(self, change: dict) -> None:
        if not self.setting:
            self.headline.add_class("costmodel-waiting")
            self.later()

    def ask(self) -> tuple[dict[str, Option], Workload]:
        """The options and the workload that the fields describe."""
        read = {"pages_in" if self.unit.value == "pages" else "words_in": self.read.value}
        often = {"requests_per_day": self.requests.value}
        if self.knows.value:
            often = {"usd_per_month": self.bill.value}
        return quick(
            self.use_case.value,
            self.model.value,
            words_out=self.words.value,
            on=self.terms["on"],
            task=self.task.value,
            **read,
            **often,
        )

    def refresh(self) -> None:
        """Ask again; an error greys the answer and is said above it."""
        self.bill.layout.display = "" if self.knows.value else "none"
        self.requests.layout.display = "none" if self.knows.value else ""
        try:
            self.verdict = first_answer(*self.ask(), **self.terms)
            blocks = answer(self.verdict.headline), cards(self.verdict.cards)
            self.headline.value = "".join(block.html for block in blocks)
            self.error.value = ""
            self.headline.remove_class("costmodel-failed")
        except Exception as error:  # shown to the reader, never swallowed
            self.error.value = in_red(sentence(error))
            self.headline.add_class("costmodel-failed")
        self.headline.remove_class("costmodel-waiting")


@public
def quick_answer(
    use_case: str = "Support assistant",
    model: str = MODELS[0],
    months: int = 36,
    draws: int = DRAWS,
    on: str | None = None,
) -> QuickAnswer:
    """A first answer from a few fields: what is read and written, how often, and by which model.

    Parameters
    ----------
    use_case : str
        Where the numbers start from, one of those of `choices.quick`.
    model : str
        A model of the price list.
    months : int
        The horizon.
    draws : int
        Random draws behind the bands.
    on : str, optional
        The day whose API prices hold.

    Returns
    -------
    QuickAnswer
        A widget for the last line of a cell.

    Raises
    ------
    CatalogError
        For a use case or a model that is not there.

    Examples
    --------
    >>> import costmodel as cm
    >>> box = cm.widgets.quick_answer("Support assistant", draws=100, on="2026-11-01")
    >>> box.use_case.value, box.verdict.cards[0][0]
    ('Support assistant', 'Whole life, a month')
    """
    quick(use_case, model, on=on)  # a wrong name is an error here, not beside a field
    return QuickAnswer(use_case, model, months, draws, on)
