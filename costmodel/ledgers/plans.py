"""What is asked of bills, by a plan: the engine runs once, and its steps are done to other draws.

A plan belongs to options, a workload and terms that are alike but for the values of their doubts:
so a slider that moves a range keeps its plan.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from itertools import chain
from typing import Any

import numpy as np

from costmodel.choices.workload import Corpus, Workload
from costmodel.core import (
    Doubt,
    NotRecordable,
    OtherBranch,
    Plan,
    Usual,
    field_names,
    key_of,
    recorded,
    rewrite,
)
from costmodel.ledgers.engine import evaluate_all

QUESTIONS = 32  # whose plans are kept
MANY = 20_000  # rows, for which a recording pays the first time that a question is asked
OFTEN = 2  # times that a question is asked of the engine before it is recorded
FEW = 128  # rows of a recording
SLOT, NUMBER = "slot", "number"  # what stands in a skeleton for a value
BRANCHES = 4  # plans of one question; what takes yet another branch is left to the engine


class Slots:
    """Options, a workload and terms with a slot for each doubt and each array in them.

    A plain number of the workload gets a slot too, once it was another one in things that are alike
    otherwise: somebody moves it. `alike` tells things apart that differ by more than the values in
    their slots. Iterated over, it gives what belongs into each slot: (key, doubt), the array that
    stands there, or (key, number).
    """

    def __init__(self, things: Any, numbers_too: bool = True) -> None:
        self.things = things
        self._slots: dict[Any, int] = {}
        self._belongs: list[Any] = []
        skeleton, uses, numbers = _skeleton(things)
        where = tuple(map(self._slot, uses))
        self.moved = _seen(skeleton, where).moved(dict(numbers)) if numbers_too else frozenset()
        fixed = tuple(each for each in numbers if each[0] not in self.moved)
        moved = [each for each in numbers if each[0] in self.moved]
        self.alike = skeleton, where, fixed, tuple(map(self._slot, moved))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._belongs)

    def filled(self, arrays: Sequence[Any], numbers_too: bool = False) -> Any:
        """The things with these arrays in their slots; numbers stay numbers, if not asked for."""
        moved = self.moved if numbers_too else frozenset()

        def change(key: str, old: Any) -> Any:
            if isinstance(old, Doubt):
                return old.mid if old.low == old.high else arrays[self._slots[key, old]]
            if isinstance(old, np.ndarray):
                slot = self._slots.get(id(old))
                return old if slot is None else arrays[slot]
            return arrays[self._slots[key, old]] if key in moved else old

        only = not moved and not any(isinstance(what, np.ndarray) for what in self._belongs)
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


Found = tuple[Hashable, list[Any], list[tuple[str, float]]]


def _skeleton(x: Any) -> Found:
    """(skeleton, what belongs into its slots, use by use; plain numbers of the workload by key)."""
    if isinstance(x, np.ndarray):
        return (SLOT, [x], []) if x.ndim == 2 else ((x.shape, x.dtype.str, x.tobytes()), [], [])
    if isinstance(x, dict):
        return _of_parts((dict, *x), map(_skeleton, x.values()))
    if isinstance(x, (tuple, list)):
        return _of_parts((type(x),), map(_skeleton, x))
    if not hasattr(x, "__dataclass_fields__") or isinstance(x, Doubt):
        return (type(x), x), [], []
    if "_alike" not in x.__dict__:  # a frozen dataclass keeps it
        parts, *others = _of_parts((type(x),), (_field(x, name) for name in field_names(x)))
        object.__setattr__(x, "_alike", (_Skeleton(parts), *others))
    return x.__dict__["_alike"]


def _field(owner: Any, name: str) -> Found:
    given = getattr(owner, name)
    if isinstance(given, Usual):  # the tier scales it, and not what somebody gives in its place
        skeleton, uses, numbers = _number(owner, name, given.value)
        return (Usual, given.by, skeleton), uses, numbers
    return _number(owner, name, given)


def _number(owner: Any, name: str, value: Any) -> Found:
    if isinstance(value, Doubt):
        if value.low == value.high:
            return (float, value.mid), [], []
        return SLOT, [(key_of(owner, name, value), value)], []
    if isinstance(owner, (Workload, Corpus)) and type(value) in (int, float):
        key = key_of(owner, name, value)
        if key == f"{type(owner).__name__}.{name}":  # no other owner has it
            return NUMBER, [], [(key, value)]
    return _skeleton(value)


def _of_parts(kind: tuple, parts: Iterable[Found]) -> tuple[tuple, list[Any], list[Any]]:
    skeletons, uses, numbers = zip(*parts, strict=True) if (parts := [*parts]) else ((), (), ())
    return (*kind, *skeletons), [*chain(*uses)], [*chain(*numbers)]


class _Seen:
    """The numbers of things that are alike otherwise, and which of them were others before."""

    def __init__(self) -> None:
        self.last: dict[str, float] = {}
        self.moves: frozenset[str] = frozenset()

    def moved(self, now: dict[str, float]) -> frozenset[str]:
        """The keys of the numbers that move."""
        others = {key for key in now if self.last and self.last[key] != now[key]}
        self.last, self.moves = now, self.moves | others
        return self.moves


@lru_cache(maxsize=QUESTIONS)
def _seen(skeleton: Hashable, where: tuple[int, ...]) -> _Seen:
    return _Seen()


class Question:
    """What is asked of bills: `asked(calendar, bills)`, of things that are alike.

    `rows` is how many are asked for now.
    """

    def __init__(self, slots: Slots, asked: Callable[..., Any], rows: int) -> None:
        self.slots, self.asked = slots, asked
        self._known = _known(asked, slots.alike)
        self._known.times += 1
        pays = rows > MANY or self._known.times > OFTEN or bool(slots.moved or self._known.plans)
        self.by_plan = self._known.recordable and pays

    def answer(self, arrays: Sequence[Any]) -> Any:
        """The answer with these arrays in the slots."""
        if not self.by_plan or not arrays or len(arrays[0]) < 2:
            return self._by_engine(arrays)
        for plan in self._known.plans:
            with suppress(OtherBranch):
                return plan.run(arrays)
        return self._recorded(arrays)

    def _by_engine(self, arrays: Sequence[Any], numbers_too: bool = False) -> Any:
        made = evaluate_all(*self.slots.filled(arrays, numbers_too))
        return self.asked(made.calendar, made.bills)

    def _recorded(self, arrays: Sequence[Any]) -> Any:
        """The answer by a new plan, made of a few rows, or of all where these take one branch."""
        known = self._known
        for few in (FEW, len(arrays[0])):
            if not known.recordable or len(known.plans) == BRANCHES:
                break
            try:
                by_engine = partial(self._by_engine, numbers_too=True)
                plan = recorded(by_engine, [array[:few] for array in arrays])
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
