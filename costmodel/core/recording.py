"""Plans: what a computation does to its arrays is recorded once, and done again to others.

A `Recorded` stands in the place of an array of draws. Each function of NumPy that it goes through
becomes a step, and equal steps become one. Where the computation asks whether a value is true, the
plan keeps the answer: a run that comes to another answer is refused, for it took another branch.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cache, wraps
from typing import Any

import numpy as np

METHODS = "all any astype copy item max mean min ravel reshape squeeze sum take tolist".split()
NEUTRAL = {  # what changes nothing on the other side, and where that side may stand
    np.add: (0.0, (0, 1)),
    np.subtract: (0.0, (0,)),
    np.multiply: (1.0, (0, 1)),
    np.divide: (1.0, (0,)),
    np.bitwise_and: (True, (0, 1)),
}
LOOKS = (np.ndim, np.shape, np.size)  # functions that ask for no value
ALIKE = 1e-9  # relative difference of the same steps in another order
NUMBERS = (np.ndarray, np.generic, float, int)


class OtherBranch(Exception):
    """A run of a plan came to a branch that the recording did not take."""


class NotRecordable(Exception):
    """A computation took the values out of an array, or wrote into it."""


class Plan:
    """The steps from some arrays to a result; `run` does them to other arrays, of any length."""

    def __init__(self, recording: Recording, result: Any) -> None:
        self.given, self.branches = recording.given, recording.branches
        self.constants = recording.constants
        self.result = _mapped(result, Recorded, lambda value: Place(value.place))
        ends = {*_leaves(self.result, Place), *self.branches}
        needed = _behind(ends, recording.steps)
        last_use = {used: place for place in needed for used in recording.steps[place][1]}
        self.steps = [(place, *recording.steps[place]) for place in needed]
        self.done_with: dict[int, list[int]] = {}
        for used, place in last_use.items():
            if used in recording.steps and used not in ends:
                self.done_with.setdefault(place, []).append(used)

    def run(self, arrays: Sequence[np.ndarray]) -> Any:
        """The result for these arrays, given in the order of the recorded ones.

        Raises OtherBranch where the result would come from steps that were not recorded.
        """
        values, branches, done_with = self.constants.copy(), self.branches, self.done_with
        for place, array in zip(self.given, arrays, strict=True):
            values[place] = array
        for place, function, args in self.steps:
            if len(args) == 2:  # most of them
                value = function(values[args[0]], values[args[1]])
            else:
                value = function(*[values[i] for i in args])
            if place in branches and value != branches[place]:
                raise OtherBranch
            values[place] = value
            if place in done_with:
                for used in done_with[place]:
                    values[used] = None
        return _mapped(self.result, Place, values.__getitem__)


def recorded(computation: Callable[..., Any], arrays: Sequence[np.ndarray]) -> Plan:
    """The plan of a computation, recorded with these arrays.

    The plan is tried on the first half of the rows: it must give the same for them, or, where the
    result is not one by rows, what the computation gives. Raises NotRecordable where it does not,
    and OtherBranch where these rows take another branch.
    """
    recording = Recording()
    result = computation([recording.take(array) for array in arrays])
    plan, half = Plan(recording, result), [array[: len(array) // 2] for array in arrays]
    if all(x.shape[:-1] == (len(arrays[0]),) for x in _leaves(result, Recorded)):
        right = _mapped(result, Recorded, lambda value: value.value[: len(half[0])])
    else:
        right = computation(half)
    pairs = (_leaves(x, NUMBERS) for x in (plan.run(half), right))
    for found, right in zip(*pairs, strict=True):
        if np.shape(found) != np.shape(right) or not np.allclose(found, right, ALIKE, 0, True):
            raise NotRecordable("the plan does not give what the computation gives")
    return plan


def one_step(equation: Callable[..., Any]) -> Callable[..., Any]:
    """Make an equation a single step of every plan, because it writes into arrays of its own.

    >>> @one_step
    ... def half(x): ...
    """

    @wraps(equation)
    def step(*args: Any, **named: Any) -> Any:
        for value in (*args, *named.values()):
            if isinstance(value, Recorded):
                return value.recording.call(equation, args, named)
        return equation(*args, **named)

    return step


class Recording:
    """What one computation does to its arrays: a place for each value, and what makes it."""

    def __init__(self) -> None:
        self.constants: list[Any] = []  # by place; None where a value is given or computed
        self.given: list[int] = []
        self.steps: dict[int, tuple[Callable[..., Any], tuple[int, ...]]] = {}
        self.branches: dict[int, Any] = {}
        self._known: dict[Hashable, Any] = {}
        self._alive: list[Any] = []  # what is known by its id, so that nothing else can take it

    def take(self, array: np.ndarray) -> Recorded:
        """An array that a run of the plan is given."""
        self.given.append(self._place())
        return Recorded(self, self.given[-1], array)

    def call(self, function: Callable[..., Any], args: Any, named: Any) -> Any:
        """What a function makes of values of which some are recorded."""
        if (same := _unchanged(function, args)) is not None:
            return Recorded(self, same.place, same.value)
        if named:
            function = _by_name(function, len(args), tuple(named))
        values = [self._value(x) for x in (*args, *named.values())]
        key = function, tuple(place for place, _ in values)
        if key not in self._known:
            made = function(*(value for _, value in values))
            self._known[key] = self._made(key, made)
        # another object each time, as without a recording: some are told apart by their identity
        return _mapped(self._known[key], Recorded, lambda x: Recorded(self, x.place, x.value))

    def branch(self, of: Recorded, answer: Any) -> Any:
        """An answer that the computation may act upon."""
        self.branches[of.place] = answer
        return answer

    def _made(self, step: tuple[Callable[..., Any], tuple[int, ...]], made: Any) -> Any:
        place = self._place()
        self.steps[place] = step
        found = Recorded(self, place, made)
        if isinstance(made, (np.ndarray, np.generic)):
            return found
        if isinstance(made, (tuple, list)):
            return type(made)(self.call(operator.getitem, (found, i), {}) for i in range(len(made)))
        return self.branch(found, made)

    def _value(self, x: Any) -> tuple[int, Any]:
        """(place, value) of an argument."""
        if isinstance(x, Recorded):
            return x.place, x.value
        if isinstance(x, (tuple, list)) and next(_leaves(x, Recorded), None) is not None:
            parts = [self._value(item) for item in x]
            step = _packed(type(x)), tuple(place for place, _ in parts)
            if step not in self._known:
                self._known[step] = self._place()
                self.steps[self._known[step]] = step
            return self._known[step], type(x)(value for _, value in parts)
        key = self._constant(x)
        if key not in self._known:
            self._known[key] = self._place(x)
        return self._known[key], x

    def _constant(self, x: Any) -> Hashable:
        """What tells a constant from others."""
        if isinstance(x, np.ndarray) and x.dtype != object:
            return x.shape, x.dtype.str, x.tobytes()
        if isinstance(x, (int, float, str, np.generic)):
            return type(x), repr(x)  # 0.0 is not -0.0, and nan is nan
        if isinstance(x, (tuple, list)):
            return type(x), *map(self._constant, x)
        if isinstance(x, slice):
            return slice, *map(self._constant, (x.start, x.stop, x.step))
        self._alive.append(x)
        return id(x)

    def _place(self, constant: Any = None) -> int:
        self.constants.append(constant)
        return len(self.constants) - 1


class StandIn(np.lib.mixins.NDArrayOperatorsMixin):
    """What stands in the place of a number or an array, and looks like its value."""

    __array_priority__ = 1_000

    value: Any
    __getitem__: Any
    shape = property(lambda self: np.shape(self.value))
    ndim = property(lambda self: np.ndim(self.value))
    size = property(lambda self: np.size(self.value))
    dtype = property(lambda self: np.asarray(self.value).dtype)

    def __len__(self) -> int:
        return len(self.value)

    def __hash__(self) -> int:
        return id(self)

    def __format__(self, spec: str) -> str:
        return format(np.asarray(self.value).item() if self.size == 1 else self.value, spec)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))


class Recorded(StandIn):
    """An array whose every use is recorded."""

    def __init__(self, recording: Recording, place: int, value: Any) -> None:
        self.recording, self.place, self.value = recording, place, value

    T = property(lambda self: self.recording.call(np.transpose, (self,), {}))

    def __getitem__(self, key: Any) -> Any:
        return self.recording.call(operator.getitem, (self, key), {})

    def __getattr__(self, name: str) -> Any:
        if name not in METHODS:
            raise AttributeError(name)
        return lambda *args, **named: self.recording.call(_method(name), (self, *args), named)

    def __pow__(self, power: Any) -> Any:  # the operator has short cuts that the function lacks
        return self.recording.call(operator.pow, (self, power), {})

    def __rpow__(self, base: Any) -> Any:
        return self.recording.call(operator.pow, (base, self), {})

    def __bool__(self) -> bool:
        return self.recording.branch(self, bool(self.value))

    def __float__(self) -> float:
        if np.size(self.value) > 1:
            raise NotRecordable("the values are taken out of an array")
        return self.recording.branch(self, float(self.value))

    def __int__(self) -> int:
        return self.recording.branch(self, int(self.value))

    __index__ = __int__

    def __setitem__(self, key: Any, value: Any) -> None:
        raise NotRecordable("something is written into an array")

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise NotRecordable("the values are taken out of an array")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **named: Any) -> Any:
        if "out" in named:
            raise NotRecordable("something is written into an array")
        function = ufunc if method == "__call__" else _of_ufunc(ufunc, method)
        return self.recording.call(function, inputs, named)

    def __array_function__(self, function: Any, types: Any, args: tuple, named: dict) -> Any:
        if function in LOOKS:
            return function(getattr(args[0], "value", args[0]), *args[1:])
        return self.recording.call(function, args, named)


# -- functions of which each is one object, so that equal steps are found --------------------------


@cache
def _by_name(function: Callable[..., Any], count: int, names: tuple[str, ...]) -> Any:
    """A function whose arguments after the first `count` are given by name."""
    return lambda *args: function(*args[:count], **dict(zip(names, args[count:], strict=True)))


def _unchanged(function: Any, args: Any) -> Recorded | None:
    """The one of two arguments to which the other does nothing, if any."""
    if function not in NEUTRAL:
        return None
    neutral, places = NEUTRAL[function]
    for place in places:
        value, other = args[place], args[1 - place]
        plain = not isinstance(other, Recorded) and np.ndim(other) == 0
        if plain and other == neutral and value.dtype == type(neutral):
            return value
    return None


@cache
def _method(name: str) -> Any:
    return lambda x, *args, **named: getattr(x, name)(*args, **named)


@cache
def _of_ufunc(ufunc: Any, method: str) -> Any:
    return getattr(ufunc, method)


@cache
def _packed(kind: type) -> Any:
    return lambda *items: kind(items)


# -- structures of values --------------------------------------------------------------------------


class Place(int):
    """Where a run of a plan finds a part of its result."""


def _leaves(x: Any, kind: Any) -> Iterator[Any]:
    """The values of a kind inside tuples, lists and dicts."""
    if isinstance(x, (tuple, list, dict)):
        for item in x.values() if isinstance(x, dict) else x:
            yield from _leaves(item, kind)
    elif isinstance(x, kind):
        yield x


def _mapped(x: Any, kind: type, change: Callable[[Any], Any]) -> Any:
    """Tuples, lists and dicts with each value of a kind changed."""
    if isinstance(x, dict):
        return {key: _mapped(item, kind, change) for key, item in x.items()}
    if isinstance(x, (tuple, list)):
        return type(x)(_mapped(item, kind, change) for item in x)
    return change(x) if isinstance(x, kind) else x


def _behind(ends: Iterable[int], steps: Mapping[int, tuple]) -> list[int]:
    """The steps that lead to some places, in their order."""
    found: set[int] = set()
    stack = list(ends)
    while stack:
        place = stack.pop()
        if place in steps and place not in found:
            found.add(place)
            stack += steps[place][1]
    return sorted(found)
