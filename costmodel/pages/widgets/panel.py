"""The left side of a cockpit: scenario, controls, picks, options, and a search over every input.

It writes what the hand does into a `State`, and says so by `asked()`; a study with other inputs or
options is told by `remade(study)`.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets

from costmodel.choices.study import Study
from costmodel.core import check, find_key
from costmodel.pages.widgets.controls import Control, sentence
from costmodel.pages.widgets.inputs import GROUPS, Input, found_by
from costmodel.pages.widgets.notebooks import QUESTIONS
from costmodel.pages.widgets.questions import USUAL, Pick
from costmodel.pages.widgets.remembered import remembered
from costmodel.pages.widgets.starts import kept_files
from costmodel.pages.widgets.state import FLOOR, Asked, State
from costmodel.scenarios.scenario import examples, load, text_and_file

IN_SIGHT = 6
PAGE = 8  # inputs on a page of "more"
WRONG = "Workload.usd_per_failure"
ASKED = "What does a wrong answer cost you?"
PRICES = (
    ("choose an example", ""),
    ("asked again: 0.05", 0.05),
    ("a ticket: 4", 4.0),
    ("a refund: 40", 40.0),
)
HERE = ("the scenario of this page", "")


class Panel(ipywidgets.VBox):
    """Controls by key, and everything else that changes the question."""

    def __init__(
        self,
        state: State,
        asked: Callable[[], None],
        remade: Callable[[Study], None],
        refuse: Callable[[str], None],
    ) -> None:
        self.state, self.asked, self.remade, self.refuse = state, asked, remade, refuse
        self.controls: dict[str, Control] = {}
        self.inputs: dict[str, Input] = {}
        self.lock, self.quiet, self.page = threading.RLock(), False, 0
        self.given = tempfile.TemporaryDirectory(prefix="costmodel-")  # files that were chosen
        layout, wide = ipywidgets.Layout, ipywidgets.Layout(width="auto")
        ready = [(name.replace("_", " "), name) for name in examples()]
        named = {"style": {"description_width": "90px"}, "layout": wide}
        begin = [HERE, *ready]
        self.known = {"": state.asked}  # what was loaded, by the way of the list
        self.scenario = ipywidgets.Dropdown(options=begin, description="Scenario", **named)
        self.upload = ipywidgets.FileUpload(accept=".yaml,.yml", description="Load YAML")
        self.undo = ipywidgets.Button(description="Undo", layout=layout(width="70px"))
        self.reset = ipywidgets.Button(description="Reset", layout=layout(width="70px"))
        self.upload.add_class("cm-load")
        self.undo.on_click(lambda _: self.step(self._undo))
        self.reset.on_click(lambda _: self.step(self.state.reset))
        self.scenario.observe(self._chosen, "value")
        self.upload.observe(self._uploaded, "value")
        self.sight = ipywidgets.VBox([])
        self.price = ipywidgets.Dropdown(options=PRICES, description=ASKED, layout=wide)
        self.price.add_class("cm-asked")
        self.price.observe(self._priced, "value")
        self.front, self.pickers, self.ticks = (ipywidgets.VBox([]) for _ in range(3))
        self.search = ipywidgets.Text(placeholder="search every input", layout=wide)
        groups = [("all", ""), *((x, x) for x in GROUPS)]
        self.group = ipywidgets.Dropdown(options=groups, description="Group", **named)
        self.found, self.count = ipywidgets.VBox([]), ipywidgets.HTML()
        self.further = ipywidgets.Button(description="Next inputs", layout=layout(width="110px"))
        self.found.add_class("cm-list")
        for part in (self.search, self.group):
            part.observe(lambda _: self._find(0), "value")
        self.further.on_click(lambda _: self._find(self.page + 1))
        more = [self.search, self.group, self.found, self.count, self.further]
        self.folds = ipywidgets.Accordion(
            [self.pickers, self.ticks, ipywidgets.VBox(more)],
            titles=("Models, GPUs, task", "Options", "More inputs"),
            selected_index=None,
        )
        self.folds.observe(lambda change: self._find(0) if change["new"] == 2 else None,
                           "selected_index")  # fmt: skip
        steps = ipywidgets.HBox([self.undo, self.reset, self.upload])
        parts = [self.scenario, steps, self.front, self.sight, self.price, self.folds]
        super().__init__(parts)
        self.add_class("cm-left")

    def _remake(self) -> None:
        """Make the controls, picks and ticks of the study that is asked now."""
        asked = self.state.asked
        try:
            study, inputs = asked.base(), asked.inputs()
        except Exception:  # the answer says what is wrong; the picks stay, to mend it
            return
        self.inputs = inputs
        keys = self._in_sight(study, inputs)
        held = {key: c for key, c in self.controls.items() if c.given == inputs.get(key)}
        self.controls = {}
        for key in dict.fromkeys((*keys, *held)):
            self.controls[key] = held.get(key) or self._control(key)
            self.controls[key].place(asked.values.get(key))
        self.sight.children = [self.controls[key].row for key in keys]
        self._rest()
        self.price.layout.display = "" if WRONG in inputs else "none"
        picked = asked.values.get(WRONG)
        self.price.value = picked if picked in dict(PRICES).values() else ""
        made: dict[bool, list[Any]] = {True: [], False: []}
        for pick in asked.question.picks(asked.study, asked.picks):
            made[pick.front] += self._picker(pick, asked.picks.get(pick.name, pick.value))
        self.front.children, self.pickers.children = made[True], made[False]
        self.ticks.children = [self._tick(label) for label in study.options]
        ways = [way for _, way in self.scenario.options]
        if new := [(name, name) for name in self.known if name not in ways]:
            self.scenario.options = [*new, *self.scenario.options]
        loaded = (name for name, one in self.known.items() if one.study is asked.study)
        self.scenario.value = next(loaded, "")
        if self.folds.selected_index == 2:
            self._find(self.page)
        self.remade(study)

    def _rest(self) -> None:
        """Still the controls that change nothing as the others stand."""
        asked = self.state.asked
        idle = asked.question.idle(asked.given())
        for key, control in list(self.controls.items()):
            control.rest(idle.get(key, ""))

    def _in_sight(self, study: Study, inputs: dict[str, Input]) -> list[str]:
        """The keys of the controls in sight: those of the question that this study has."""
        things = (study.work, study.terms, tuple(study.options.values()))

        def key_of_name(name: str) -> str:
            if name in inputs:
                return name
            try:
                return find_key(things, name)
            except ValueError:  # not there, or several have it: the first
                return next((key for key in inputs if key.rpartition(".")[2] == name), "")

        question = self.state.asked.question
        own = question.in_sight(study, self.state.asked.picks)
        named = (*own, *USUAL)  # the usual ones where a study lacks some
        asked = [map(key_of_name, names.split("|")) for names in named]
        keys = [next((key for key in ways if key in inputs), "") for ways in asked]
        if FLOOR in inputs and question.floor:
            keys.insert(IN_SIGHT - 1, FLOOR)
        return list(dict.fromkeys(filter(None, keys)))[: max(IN_SIGHT, len(own))]

    def _control(self, key: str) -> Control:
        return Control(self.inputs[key], self.state.asked.values.get(key), self._moved)

    def _picker(self, pick: Pick, value: Any) -> list[Any]:
        look = {
            "description": pick.label,
            "style": {"description_width": "120px"},
            "layout": ipywidgets.Layout(width="auto"),
        }
        if pick.ways:
            values = [way for _, way in pick.ways]
            shown = value if value in values else values[0]
            made = ipywidgets.Dropdown(options=list(pick.ways), value=shown, **look)
        else:
            made = ipywidgets.Text(
                value or "", placeholder=pick.remark, continuous_update=False, **look
            )
        made.tooltip = pick.label
        made.observe(lambda change: self._picked(pick.name, change["new"]), "value")
        if not pick.files:
            return [made]
        made.layout.flex, made.layout.min_width = "1 1 60px", "0"
        room = ipywidgets.Layout(flex="0 0 72px")
        files = ipywidgets.FileUpload(multiple=True, description="Choose", layout=room)
        files.tooltip = f"{pick.label}: one file, or several of one kind"
        files.add_class("cm-choose")
        files.observe(lambda change: self._given(pick.name, change["new"]), "value")
        return [ipywidgets.HBox([made, files])]

    def _tick(self, label: str) -> Any:
        shown = self.state.asked.shown
        made = ipywidgets.Checkbox(
            shown is None or label in shown, description=label, indent=False,
            layout=ipywidgets.Layout(width="auto"),
        )  # fmt: skip
        made.observe(lambda _: self._ticked(), "value")
        return made

    def _find(self, page: int) -> None:
        """The inputs that the search finds, a page at a time."""
        hits = found_by(self.inputs.values(), self.search.value, self.group.value)
        pages = max(1, -(-len(hits) // PAGE))
        self.page = page % pages
        here = hits[PAGE * self.page : PAGE * (self.page + 1)]
        for one in here:
            if one.key not in self.controls:
                self.controls[one.key] = self._control(one.key)
        self.found.children = [self.controls[one.key].row for one in here]
        shown = f"{len(hits)} input{'s' * (len(hits) > 1)}" if hits else "no input has these words"
        shown += f", page {self.page + 1} of {pages}" if pages > 1 else ""
        self.further.layout.display = "" if pages > 1 else "none"
        self.count.value = f'<p class="cm-small">{shown}</p>'

    # -- what the hand does ------------------------------------------------------------------------

    def _moved(self, control: Control, value: Any) -> None:
        with self.lock:
            if not control.refused:
                try:
                    self.state.set(control.given.key, value)
                except Exception as error:
                    control.refuse(sentence(error))
            self._rest()
        self.asked()

    def refused(self) -> tuple[Control, ...]:
        """The controls in which something stands that does not count."""
        return tuple(control for control in list(self.controls.values()) if control.refused)

    def _undo(self) -> None:
        """Take back what was refused, which changed nothing; else the last change."""
        if not self.refused():
            self.state.undo()

    def _picked(self, name: str, value: Any) -> None:
        if not self.quiet:
            self.step(lambda: self.state.pick(name, value))

    def _given(self, name: str, files: tuple[dict[str, Any], ...]) -> None:
        """Pick files that were chosen: one by its path, several by that of their folder."""
        folder = kept_files(files, self.given.name)
        (path,) = folder.iterdir() if len(files) == 1 else (folder,)
        self._picked(name, str(path))

    def _ticked(self) -> None:
        if not self.quiet:
            labels = [tick.description for tick in self.ticks.children if tick.value]
            self.state.show(labels if len(labels) < len(self.ticks.children) else None)
            self.asked()

    def _priced(self, change: dict) -> None:
        if change["new"] and not self.quiet:
            with self.lock:
                self.state.set(WRONG, change["new"])
            if WRONG in self.controls:
                self.controls[WRONG].place(change["new"])
            self.asked()

    def _chosen(self, change: dict) -> None:
        if self.quiet:
            return
        if (name := change["new"]) in self.known:
            self.refuse("")
            self.step(lambda: self.state.change("", self.known[name]))
        else:
            completed = self.state.asked.question.completed
            self._try(name, lambda: self.load(completed(load(name)), name))

    def _try(self, name: str, loaded: Callable[[], None]) -> None:
        """Load a scenario, or say why it is not there."""
        try:
            loaded()
            self.refuse("")
        except Exception as error:  # whatever is wrong with a file, the reader must see it
            self.refuse(f"{name.replace('_', ' ')} was not loaded: {sentence(error)}")

    def _uploaded(self, change: dict) -> None:
        for file in change["new"][:1]:
            self._try(file["name"], partial(self._read, file["name"], bytes(file["content"])))

    def _read(self, name: str, content: bytes) -> None:
        check(content.strip(), "it is empty")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ValueError("it is not UTF-8 text; save it as UTF-8") from None
        self.load(text, name)

    def load(self, scenario: Study | str, name: str = "a scenario") -> None:
        """Ask about another scenario: a study, the name of an example, a path, or YAML text."""
        study = scenario if isinstance(scenario, Study) else load(scenario)
        text = "" if isinstance(scenario, Study) else text_and_file(scenario)[0]
        kept = remembered(text, study, self.state.asked)
        if kept is None:
            question = self.state.asked.question
            usual = QUESTIONS["approach"] if question == QUESTIONS["quick"] else question
            kept = Asked(study, usual, picks=usual.start(study))
        self.known[name] = kept
        self.step(lambda: self.state.change("", kept))

    def step(self, act: Any) -> None:
        """Change the question, and show it in every control."""
        with self.lock:
            act()
            self.quiet = True
            try:
                self._remake()
            finally:
                self.quiet = False
        self.asked()
