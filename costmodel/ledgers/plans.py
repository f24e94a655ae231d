"""What is asked of bills, by a plan: the engine runs once, and its steps are done to other draws.

A plan belongs to options, a workload and terms that are alike but for the values of their doubts:
so a slider that moves a range keeps its plan.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
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
SLOT = "slot"  # what stands in a skeleton for a value
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
        skeleton, uses = _skeleton(things)
        self.alike = skeleton, tuple(map(self._slot, uses))

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

    def _slot(self, what: Any) -> int:
        name = id(what) if isinstance(what, np.ndarray) else what
        if name not in self._slots:
            self._slots[name] = len(self._belongs)
            self._belongs.append(what)
        return self._slots[name]


class _Skeleton:
    """What a dataclass is but for the values in its slots; its hash is made once."""

    def __init__(self, parts: tuple) -> None:
        self.parts, self.hash = parts, hash(parts)

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Skeleton) and self.parts == other.parts

    def __reduce__(self) -> tuple:  # another process hashes otherwise
        return _Skeleton, (self.parts,)


def _skeleton(x: Any) -> tuple[Hashable, list[Any]]:
    """(skeleton, what belongs into its slots, use by use)."""
    if isinstance(x, np.ndarray):
        return (SLOT, [x]) if x.ndim == 2 else ((x.shape, x.dtype.str, x.tobytes()), [])
    if isinstance(x, dict):
        return _of_parts((dict, *x), map(_skeleton, x.values()))
    if isinstance(x, (tuple, list)):
        return _of_parts((type(x),), map(_skeleton, x))
    if not hasattr(x, "__dataclass_fields__") or isinstance(x, Doubt):
        return (type(x), x), []
    if "_alike" not in x.__dict__:  # a frozen dataclass keeps it
        parts, uses = _of_parts((type(x),), (_field(x, name) for name in field_names(x)))
        object.__setattr__(x, "_alike", (_Skeleton(parts), uses))
    return x.__dict__["_alike"]


def _field(owner: Any, name: str) -> tuple[Hashable, list[Any]]:
    value = unmarked(getattr(owner, name))
    if not isinstance(value, Doubt):
        return _skeleton(value)
    if value.low == value.high:
        return (float, value.mid), []
    return SLOT, [(key_of(owner, name, value), value)]


def _of_parts(kind: tuple, parts: Iterable[tuple[Hashable, list[Any]]]) -> tuple[tuple, list[Any]]:
    skeletons, uses = zip(*parts, strict=True) if (parts := [*parts]) else ((), ())
    return (*kind, *skeletons), [use for some in uses for use in some]


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
