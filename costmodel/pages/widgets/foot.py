"""The foot of a cockpit: the buttons that keep its answer, and what came of them."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets

from costmodel.core import as_csv
from costmodel.pages.widgets import keep
from costmodel.pages.widgets.controls import sentence
from costmodel.pages.widgets.looks import RED
from costmodel.pages.widgets.remembered import written

LINES = 3  # of what came of the last buttons
PIN = "Pin"


class Foot(ipywidgets.VBox):
    """The buttons by name, and `said`, what came of the last of them."""

    def __init__(self, box: Any) -> None:
        """`box` is the cockpit whose answer is kept."""
        self.box = box
        self.lines: list[str] = []  # the newest first
        self.said = ipywidgets.HTML().add_class("cm-said")
        actions = {
            PIN: self._pin, "Save YAML": self._save, "CSV": self._csv, "PNG": self._png,
            "Report": self._report,
            **{form: partial(self._export, form) for form in keep.EXPORTS},
        }  # fmt: skip
        self.buttons = {name: ipywidgets.Button(description=name) for name in actions}
        for name, button in self.buttons.items():
            button.on_click(lambda _, act=actions[name]: self._act(act))
        row = ipywidgets.HBox([*self.buttons.values()]).add_class("cm-foot")
        super().__init__([row, self.said])

    def say_no(self, said: str) -> None:
        """Say what went wrong; "" takes away all that was said."""
        self.lines = self.lines if said else []
        self._say(html.escape(said), f' style="color:{RED}"')

    def _say(self, said: str, look: str = "") -> None:
        """What came of a button, over what came of those before it."""
        new = [f'<p class="cm-small"{look}>{said}</p>'] if said else []
        self.lines = [*new, *self.lines][:LINES]
        self.said.value = "".join(self.lines)

    def _act(self, act: Callable[[], str]) -> None:
        """Do what a button says, and say what came of it, and what does not count in it."""
        try:
            said = act()
            for control in self.box.panel.refused():
                said += f"; what you typed for {html.escape(control.given.label)} is not in it"
            self._say(said)
        except Exception as error:  # the reader must see it
            self.say_no(sentence(error))

    def _pin(self) -> str:
        said = self.box.pin()
        self.buttons[PIN].description = "Unpin" if self.box.pinned else PIN
        return html.escape(said)

    @property
    def _stem(self) -> str:
        """The name of the files that are written."""
        asked = self.box.state.asked
        title = asked.study.title or asked.question.title
        return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:60]

    def _save(self) -> str:
        return keep.kept(f"{self._stem}.yaml", written(self.box.state.asked).encode())

    def _csv(self) -> str:
        return keep.kept(f"{self._stem}.csv", as_csv(self.box.verdict.table).encode())

    def _png(self) -> str:
        self.box.settled()  # no picture of another answer
        return keep.kept(f"{self._stem}.png", self.box.png)

    def _report(self) -> str:
        write = partial(keep.report, self.box.state.asked, self._stem)
        return self._behind(write, "writing the report: some ten seconds")

    def _export(self, form: str) -> str:
        write = partial(keep.exported, form, self.box.study, self._stem)
        return self._behind(write, f"writing {form}: seconds, a page with sliders takes minutes")

    def _behind(self, write: Callable[[], str], said: str) -> str:
        """Write at once, or behind a page that goes on answering."""
        if not self.box.runs.threaded:
            return write()
        threading.Thread(target=self._act, args=(write,), daemon=True).start()
        return said
