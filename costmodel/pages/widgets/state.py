"""What a cockpit asks, without any widget: a study, what was changed of it, undo, and the pin.

`Asked` is frozen: a change makes another one, so that an answer that is still being computed keeps
its own question, and undo is a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from costmodel.choices.study import Study
from costmodel.core import Measured, Range, check, has_key, key_of, label_of, objects, pin, walk
from costmodel.decisions.search import counted_now
from costmodel.pages.widgets.inputs import Input, describe
from costmodel.pages.widgets.questions import Question

FLOOR, SURE = "quality_floor", "confidence"  # fields of the study that are controls too


@dataclass(frozen=True)
class Asked:
    """A question as the hand has left it.

    `values` holds numbers and Ranges by key, `picks` the choices of the question by name, `shown`
    the ticked options (None: all).
    """

    study: Study
    question: Question
    values: Mapping[str, Any] = field(default_factory=dict)
    picks: dict[str, Any] = field(default_factory=dict)
    shown: tuple[str, ...] | None = None

    def given(self) -> dict[str, Any]:
        """The picks and the numbers of the question, by name."""
        numbers = self.question.numbers(self.study, self.picks)
        return self.picks | {x: self.values.get(x, value) for x, value in numbers.items()}

    def parameters(self) -> dict[str, Any]:
        """The picks and numbers of the question that are parameters of its notebook, by name."""
        return self.question.parameters(self.now(), self.given())

    def base(self) -> Study:
        """The study with the picks, before any input was changed."""
        return self.question.rebuild(self.study, self.given())

    def not_reported(self) -> list[str]:
        """The labels of what was changed and does not come into the report of the question."""
        told = {*self.question.numbers(self.study, self.picks), *self.parameters()}
        changed = [key for key in self.values if not {key, key.rpartition(".")[2]} & told]
        if self.question.scenario:
            held = self.scenario
            things = (held.options, held.work, held.terms)
            changed = [x for x in changed if x not in (FLOOR, SURE) and not has_key(things, x)]
        ticks = ["the options"] if self.shown is not None and not self.question.scenario else []
        return [*map(label_of, changed), *ticks]

    @property
    def scenario(self) -> Study:
        """The study that a file keeps: before the question makes options of its own."""
        return self.question.filed(self)

    def now(self) -> Study:
        """The study that is asked; an error names what is wrong."""
        return self._made

    @cached_property
    def _made(self) -> Study:
        study = self.base()
        if not self.values and self.shown is None:
            return study
        labels = list(study.options)
        things: Any = (dict(study.options), study.work, study.terms)
        own = self.question.numbers(self.study, self.picks)
        for key, value in self.values.items():
            if key not in own and has_key(things, key):
                things = _pinned(things, key, value)
        options, work, terms = things
        floor, sure = self.values.get(FLOOR, study.quality_floor), self.values.get(SURE)
        changes = {"quality_floor": floor, "confidence": sure or study.confidence}
        made = replace(study, options=options, work=work, terms=terms, accept_zero=None, **changes)
        if self.shown is None:
            return made
        shown = [label for label in labels if label in self.shown]
        check(shown, "no option is ticked; tick at least one under Options")
        return made.only(*shown) if shown != labels else made

    @property
    def error(self) -> Exception | None:
        """Why this cannot be asked, if it cannot."""
        try:
            self.now()
        except Exception as error:
            return error
        return None

    def inputs(self) -> dict[str, Input]:
        """Every input by its key, as it was before it was changed, and as it counts: a usual
        number after tier and volume, since one that is typed counts as it is typed."""
        study = self.base()
        counts = counted_now(study)
        found = {
            name: describe(name, value)
            for name, value in self.question.numbers(self.study, self.picks).items()
        }
        for owner, name, value in walk((study.work, study.terms, tuple(study.options.values()))):
            key = key_of(owner, name, value)
            if key not in found and not isinstance(value, Measured):
                place = f"{type(owner).__name__}.{name}"
                found[key] = describe(key, counts.get(key, value), place)
        found[SURE] = replace(describe(SURE, study.confidence), group="Quality")
        if study.quality_floor is not None:
            found[FLOOR] = replace(describe(FLOOR, study.quality_floor), group="Quality")
        return found


def _pinned(things: Any, key: str, value: Any) -> Any:
    """The things with one input changed, which keeps its key, and checked again."""
    options, *others = things
    concerned = {label: option for label, option in options.items() if has_key(option, key)}
    before = (concerned, *others)
    made = pin(before, key, value)
    if isinstance(value, Range) and not has_key(made, key):
        made = pin(before, key, replace(value, name=key))
    for thing in reversed([*objects(made)]):  # checked from the inside out, as they are made
        if hasattr(thing, "__post_init__") and has_key(thing, key):
            thing.__post_init__()
    return ({**options, **made[0]}, *made[1:])


class State:
    """The question now, those before it, and the pinned answer."""

    def __init__(self, asked: Asked) -> None:
        self.first = self.asked = asked
        self.before: list[tuple[str, Asked]] = []
        self.last = ""  # what was changed last: a drag is one step of undo

    def change(self, what: str, asked: Asked) -> None:
        """Ask something else; changes of one control in a row are undone at once."""
        if what != self.last or not self.before:
            self.before.append((self.last, self.asked))
        self.last, self.asked = what, asked

    def set(self, key: str, value: Any) -> None:
        """Change a number; None leaves it as it was. What cannot be asked is refused."""
        values = {**self.asked.values, key: value}
        if value is None:
            del values[key]
        asked = replace(self.asked, values=values)
        if (error := asked.error) is not None and self.asked.error is None:
            middle = getattr(value, "mid", value)
            ones = (middle, round(middle)) if middle is not value else ()
            if any(replace(asked, values={**values, key: one}).error is None for one in ones):
                error = ValueError(f"{label_of(key)} must be one number; a range is not possible")
            raise error
        self.change(key, asked)

    def pick(self, name: str, value: Any) -> None:
        """Make another choice, which brings its own numbers."""
        picks = {**self.asked.picks, name: value}
        own = self.asked.question.numbers(self.asked.study, picks)
        forget = set(own) if name in self.asked.question.refills else set()
        values = {key: v for key, v in self.asked.values.items() if key not in forget}
        self.change(name, replace(self.asked, picks=picks, values=values))

    def show(self, labels: Iterable[str] | None) -> None:
        """Compare these options alone; None: all of them."""
        shown = None if labels is None else tuple(labels)
        self.change("options", replace(self.asked, shown=shown))

    def undo(self) -> None:
        """Back to what was asked before the last change."""
        if self.before:
            self.last, self.asked = self.before.pop()
            self.last = ""

    def reset(self) -> None:
        """Back to the study as it was loaded."""
        start = self.asked.question.start(self.asked.study)
        if self.asked.study is self.first.study:
            start = self.first.picks
        self.change("", Asked(self.asked.study, self.asked.question, picks=start))
