"""What is asked of bills, by a plan: the engine runs once, and its steps are done to other draws.

A plan belongs to options, a workload and terms that are alike but for the values of their doubts:
so a slider that moves a range keeps its plan.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np

from costmodel.core import (
    Doubt,
    NotRecordable,
    OtherBranch,
    Plan,
    field_names,
    key_of,
    recorded,
    rewrite,
    unmarked,
)
from costmodel.ledgers.engine import evaluate_all

QUESTIONS = 32  # whose plans are kept
MANY = 20_000  # rows, for which a recording pays the first time that a question is asked
OFTEN = 2  # times that a question is asked of the engine before it is recorded
FEW = 128  # rows of a recording
BRANCHES = 4  # plans of one question; what takes yet another branch is left to the engine


class Slots:
    """Options, a workload and terms with a slot for each doubt and each array in them.

    `alike` tells things apart that differ by more than the values in their slots. Iterated over, it
    gives what belongs into each slot: (key, doubt), or the array that stands there.
    """

    def __init__(self, things: Any) -> None:
        self.things = things
        self._slots: dict[Any, int] = {}
        self._belongs: list[Any] = []
        self._seen: dict[int, tuple[Hashable, int]] = {}  # with its uses of slots
        self._uses = 0  # of slots, so far
        self.alike = self._skeleton(things)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._belongs)

    def filled(self, arrays: Sequence[Any]) -> Any:
        """The things with these arrays in their slots."""

        def change(key: str, old: Any) -> Any:
            if isinstance(old, Doubt):
                return old.mid if old.low == old.high else arrays[self._slots[key, old]]
            slot = self._slots.get(id(old)) if isinstance(old, np.ndarray) else None
            return old if slot is None else arrays[slot]

        only = all(isinstance(what, tuple) for what in self._belongs)
        return rewrite(self.things, change, doubts_only=only)

    def _slot(self, name: Hashable, belongs: Any) -> Hashable:
        self._uses += 1
        if name not in self._slots:
            self._slots[name] = len(self._belongs)
            self._belongs.append(belongs)
        return "slot", self._slots[name]

    def _skeleton(self, x: Any) -> Hashable:
        if id(x) in self._seen:
            made, uses = self._seen[id(x)]
            self._uses += uses
            return made
        if isinstance(x, np.ndarray):
            return self._slot(id(x), x) if x.ndim == 2 else (x.shape, x.dtype.str, x.tobytes())
        before = self._uses
        if isinstance(x, dict):
            made = dict, *x, *map(self._skeleton, x.values())
        elif isinstance(x, (tuple, list)):
            made = type(x), *map(self._skeleton, x)
        elif hasattr(x, "__dataclass_fields__") and not isinstance(x, Doubt):
            made = self._nest(x)
        else:
            return type(x), x
        self._seen[id(x)] = made, self._uses - before
        return made

    def _nest(self, x: Any) -> Hashable:
        """That of a dataclass; one in which nothing is drawn keeps it once found."""
        kept = x.__dict__.get("_alike")
        if kept is None:
            before = self._uses
            kept = type(x), *(self._field(x, name) for name in field_names(x))
            if self._uses == before:
                object.__setattr__(x, "_alike", kept)
        return kept

    def _field(self, owner: Any, name: str) -> Hashable:
        value = unmarked(getattr(owner, name))
        if not isinstance(value, Doubt):
            return self._skeleton(value)
        if value.low == value.high:
            return float, value.mid
        key = key_of(owner, name, value)
        return self._slot((key, value), (key, value))


class Question:
    """What is asked of bills: `asked(calendar, bills)`, of things that are alike.

    `rows` is how many are asked for now.
    """

    def __init__(self, slots: Slots, asked: Callable[..., Any], rows: int) -> None:
        self.slots, self.asked = slots, asked
        self._known = _known(asked, slots.alike)
        self._known.times += 1
        self.by_plan = self._known.recordable and (rows > MANY or self._known.times > OFTEN)

    def answer(self, arrays: Sequence[Any]) -> Any:
        """The answer with these arrays in the slots."""
        if not self.by_plan or not arrays or len(arrays[0]) < 2:
            return self._by_engine(arrays)
        for plan in self._known.plans:
            with suppress(OtherBranch):
                return plan.run(arrays)
        return self._recorded(arrays)

    def _by_engine(self, arrays: Sequence[Any]) -> Any:
        made = evaluate_all(*self.slots.filled(arrays))
        return self.asked(made.calendar, made.bills)

    def _recorded(self, arrays: Sequence[Any]) -> Any:
        """The answer by a new plan, made of a few rows, or of all where these take one branch."""
        known = self._known
        for few in (FEW, len(arrays[0])):
            if not known.recordable or len(known.plans) == BRANCHES:
                break
            try:
                plan = recorded(self._by_engine, [array[:few] for array in arrays])
                answer = plan.run(arrays)
            except NotRecordable:
                known.recordable = False
            except OtherBranch:
                continue
            else:
                known.plans = [plan, *known.plans]
                return answer
        return self._by_engine(arrays)


class _Known:
    """How often a question was asked, and its plans, the newest first."""

    def __init__(self) -> None:
        self.times = 0
        self.recordable = True
        self.plans: list[Plan] = []


@lru_cache(maxsize=QUESTIONS)
def _known(asked: Callable[..., Any], alike: Hashable) -> _Known:
    return _Known()
