"""Numbers that remember how they were computed, so that a formula can be written from them.

A `Traced` stands in the place of an input. Arithmetic, NumPy's element-wise functions and the few
array functions below make further ones; every other use of its value is a use as a constant, and a
branch is kept as a `Condition`. So equations stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from costmodel.core import StandIn

OWN: dict[Any, Callable] = {  # functions of arrays that are compositions of element-wise ones
    np.clip: lambda x, low, high: np.minimum(np.maximum(x, low), high),
    np.ones_like: lambda x: np.ones(np.shape(x)),
    np.zeros_like: lambda x: np.zeros(np.shape(x), x.dtype),
    np.squeeze: lambda x: _shaped(np.squeeze, x),
    np.ravel: lambda x: _shaped(np.ravel, x),
    np.select: lambda conditions, choices, default=0: _select(conditions, choices, default),
    np.where: lambda which, yes, no: _where(which, yes, no),
    np.sum: lambda x, axis=-1, keepdims=False: x.sum(axis, keepdims),
    np.cumsum: lambda x, axis=-1: _linear(x, lambda eye: np.cumsum(eye, axis=-1)),
    np.diff: lambda x, axis=-1, **ends: _linear(x, lambda eye: np.diff(eye, **ends), **ends),
    np.append: lambda first, x: _appended(first, x),
    np.pad: lambda x, width: _linear(x, lambda eye: np.pad(eye, [(0, 0), width[-1]])),
    np.interp: lambda x, xp, fp: _interp(x, xp, fp),
    np.any: lambda x: bool(_any(x)),
    np.all: lambda x: not _any(x == 0),
}
LOOKS = (np.ndim, np.shape, np.size)  # functions that ask for no value
ELEMENTS_MAX = 5_000  # of one value
PLACES_MAX = 10  # elements among which a place that moves may choose


class Trace:
    """What one evaluation recorded: each value once, and the branches that it took."""

    def __init__(self) -> None:
        self.known: dict[Any, Traced] = {}
        self.conditions: dict[int, Traced] = {}
        self.held: dict[int, Traced] = {}

    def make(self, op: str, args: tuple, value: Any, compute: Callable) -> Any:
        """The value of an operation, the same object for the same operation."""
        if np.size(value) > ELEMENTS_MAX or np.asarray(value).dtype.kind not in "bif":
            for x in args:
                _plain(x)
            return value
        key = (op, *(id(x) if isinstance(x, Traced) else _constant(x) for x in args))
        if key not in self.known:
            self.known[key] = Traced(self, op, args, value, compute)
        return self.known[key]


def _constant(x: Any) -> Any:
    array = np.asarray(x)
    return x if isinstance(x, str) else (array.shape, array.dtype.kind, array.tobytes())


class Traced(StandIn):
    """A number or an array that knows the operation and the arguments it was made by."""

    def __init__(self, trace: Trace, op: str, args: tuple, value: Any, compute: Any) -> None:
        self.trace, self.op, self.args, self.value, self.compute = trace, op, args, value, compute

    T = property(lambda self: self if self.ndim < 2 else self.constant().T)

    def __repr__(self) -> str:
        return f"<{self.op}: {self.value!r}>"

    # -- its value as a constant -------------------------------------------------------------------

    def constant(self) -> Any:
        """The value; what follows from it is not traced."""
        self.trace.held[id(self)] = self
        return self.value

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self.constant(), dtype)

    def __float__(self) -> float:
        return float(self.constant())

    def __int__(self) -> int:
        return int(self.constant())

    __index__ = __int__

    def __bool__(self) -> bool:
        self.trace.conditions[id(self)] = self
        return bool(self.value)

    # -- what makes further ones -------------------------------------------------------------------

    def astype(self, kind: Any) -> Any:
        """Itself, a comparison as 0 or 1, or its whole part, which counts places."""
        if np.dtype(kind).kind in "iu":
            return self.trace.make("whole", (self,), np.asarray(self.value).astype(kind), _whole)
        return self * 1.0 if self.dtype == bool else self

    def max(self) -> Any:
        return self.constant().max()

    def item(self) -> float:
        return float(self)

    def any(self, axis: Any = None) -> bool:
        return bool(_any(self)) if axis is None else self.constant().any(axis)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        if self.ndim == 2 and axis in (0, -2) and not keepdims:
            return sum((self[i] for i in range(1, len(self))), self[0].astype(int))
        if self.ndim > 1 and axis not in (-1, self.ndim - 1):
            return np.sum(self.constant(), axis=axis, keepdims=keepdims)
        if not self.ndim:
            return self
        total = _linear(self, lambda eye: eye.sum(axis=-1, keepdims=True))
        return total if keepdims else _shaped(lambda x: np.asarray(x)[..., 0], total)

    def reshape(self, *shape: Any) -> Any:
        return _shaped(lambda x: np.reshape(x, *shape), self)

    def ravel(self) -> Any:
        return _shaped(np.ravel, self)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, Traced) and self.ndim == 1 and len(self) <= PLACES_MAX:
            return _select([key == i for i in range(1, len(self))], [*self][1:], self[0])
        if any(isinstance(k, Traced) for k in (key if isinstance(key, tuple) else (key,))):
            return self.constant()[_plain(key)]
        return _shaped(lambda x: np.asarray(x)[key], self)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **named: Any) -> Any:
        if ufunc in (np.equal, np.not_equal) and inputs[0] is inputs[1]:
            return ufunc is np.equal
        if ufunc is np.matmul and not isinstance(inputs[1], Traced) and np.ndim(inputs[1]) == 1:
            return (inputs[0] * inputs[1]).sum(-1)
        if ufunc is np.maximum and method == "accumulate":
            return self.trace.make("running", inputs[:1], _highest(self.value), _highest)
        if method != "__call__" or named or ufunc.nout > 1 or ufunc is np.matmul:
            return getattr(ufunc, method)(*map(_plain, inputs), **named)
        if (same := _unchanged(ufunc, *inputs)) is not None:
            return same
        with np.errstate(all="ignore"):
            value = ufunc(*(x.value if isinstance(x, Traced) else x for x in inputs))
        return self.trace.make(ufunc.__name__, inputs, value, ufunc)

    def __array_function__(self, function: Any, types: Any, args: tuple, named: dict) -> Any:
        if function in LOOKS:
            return function(args[0].value if isinstance(args[0], Traced) else args[0], *args[1:])
        if function is np.broadcast_to and np.shape(args[0]) == tuple(np.atleast_1d(args[1])):
            return args[0]
        if function in OWN and not (function in (np.any, np.all) and (named or args[1:])):
            return OWN[function](*args, **named)
        return function(*map(_plain, args), **{k: _plain(x) for k, x in named.items()})


def _unchanged(ufunc: Any, *inputs: Any) -> Any:
    """The traced argument where the other one does nothing, else None."""
    if ufunc not in (np.add, np.multiply, np.subtract, np.divide):
        return None
    first, second = inputs
    neutral = 1.0 if ufunc in (np.multiply, np.divide) else 0.0
    if isinstance(first, Traced) and not isinstance(second, Traced):
        kept, other = first, second
    elif ufunc in (np.add, np.multiply) and not isinstance(first, Traced):
        kept, other = second, first
    else:
        return None
    return kept if np.ndim(other) == 0 and other == neutral and kept.dtype != bool else None


def _plain(x: Any) -> Any:
    if isinstance(x, Traced):
        return x.constant()
    return type(x)(map(_plain, x)) if isinstance(x, (tuple, list)) else x


# -- operations that are not element-wise ----------------------------------------------------------


def _shaped(function: Callable, x: Any) -> Any:
    """Other elements, or another shape: each element is one of those of x."""
    if not isinstance(x, Traced):
        return function(x)
    place = function(np.arange(x.size).reshape(x.shape))

    def compute(value: Any, chosen: Any) -> Any:  # rows, of moved inputs, come first
        rows = np.ndim(value) - x.ndim
        flat = np.reshape(value, (*np.shape(value)[:rows], -1))
        return flat[..., chosen.astype(int)]

    return x.trace.make("element", (x, place), compute(x.value, np.asarray(place)), compute)


def _linear(x: Any, function: Callable, **ends: Any) -> Any:
    """A linear function of the last axis, as its matrix; `ends` that are not 0 come on top."""
    if any(isinstance(end, Traced) for end in ends.values()):
        return function(x.constant())
    zero = function(np.zeros((1, x.shape[-1])))[0]
    matrix = function(np.eye(x.shape[-1])) - zero
    return x.trace.make("linear", (x, matrix, zero), x.value @ matrix + zero, _affine)


def _affine(x: Any, matrix: Any, zero: Any) -> Any:
    return x @ matrix + zero


def _highest(x: Any) -> Any:
    return np.maximum.accumulate(x, axis=-1)


def _whole(x: Any) -> Any:
    return np.trunc(x * 1.0)


def _where(which: Any, yes: Any, no: Any) -> Any:
    if not isinstance(which, Traced) and np.ndim(which) == 0:  # nothing that an input decides
        return yes if which else no
    found = [x for x in (which, yes, no) if isinstance(x, Traced)]
    values = [x.value if isinstance(x, Traced) else x for x in (which, yes, no)]
    return found[0].trace.make("where", (which, yes, no), np.where(*values), np.where)


def _select(conditions: Any, choices: Any, default: Any) -> Any:
    found = default
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        found = np.where(condition, choice, found) if np.ndim(condition) else _where(
            condition, choice, found)  # fmt: skip
    return found


def _appended(first: Any, x: Any) -> Any:
    if isinstance(x, Traced) and np.ndim(first) == 0 and first == 0:
        return np.pad(x, [(1, 0)])
    return np.append(_plain(first), _plain(x))


def _interp(x: Any, xp: Any, fp: Any) -> Any:
    if not isinstance(x, Traced) or isinstance(xp, Traced) or isinstance(fp, Traced):
        return np.interp(_plain(x), _plain(xp), _plain(fp))
    return x.trace.make("interp", (x, xp, fp), np.interp(x.value, xp, fp), np.interp)


def _any(x: Any) -> Any:
    if x.ndim == 0:
        return x != 0
    return x.trace.make("any", (x,), bool(np.any(x.value)), lambda v: np.any(v, axis=-1))


# -- values at other inputs ------------------------------------------------------------------------


def behind(*values: Any) -> list[Traced]:
    """Every value that these are made of, and they, arguments first."""
    found: dict[int, Traced] = {}
    stack = [(x, False) for x in values if isinstance(x, Traced)]
    while stack:
        node, ready = stack.pop()
        if id(node) in found:
            continue
        if ready or not node.args:
            found[id(node)] = node
            continue
        stack.append((node, True))
        stack += [(x, False) for x in node.args if isinstance(x, Traced)]
    return list(found.values())


def inputs_of(*values: Any) -> set[str]:
    """The keys of the inputs that these values follow."""
    return {node.args[0] for node in behind(*values) if node.op == "input"}


def computed(values: list[Any], inputs: dict[str, np.ndarray]) -> list[Any]:
    """Values at moved inputs, each of the shape (rows, 1): (rows, 1) or (rows, months)."""
    rows = len(next(iter(inputs.values())))
    done: dict[int, Any] = {}
    with np.errstate(all="ignore"):
        for node in behind(*values):
            if node.op == "input":
                done[id(node)] = inputs.get(node.args[0], np.full((rows, 1), node.value))
                continue
            args = [done[id(x)] if isinstance(x, Traced) else x for x in node.args]
            done[id(node)] = _at_rows(node, args)
    return [done[id(x)] if isinstance(x, Traced) else x for x in values]


def _at_rows(node: Traced, args: list[Any]) -> Any:
    """One value of a trace, for rows of inputs: scalars are (rows, 1), arrays (rows, ...)."""
    if node.op == "any":
        return np.any(args[0], axis=tuple(range(1, np.ndim(args[0]))))[:, None]
    if node.op == "element":
        x, place = node.args
        flat = np.reshape(args[0], (len(args[0]), -1))
        found = flat[:, np.asarray(place, int).ravel()]
        return found.reshape(len(flat), *(np.shape(place) or (1,)))
    deep = max(np.ndim(node.value), 1) + 1
    lifted = []
    for x, value in zip(node.args, args, strict=True):
        if isinstance(x, Traced) and node.op != "linear":
            missing = deep - np.ndim(value)
            value = np.reshape(value, (len(value), *[1] * missing, *np.shape(value)[1:]))
        lifted.append(value)
    return node.compute(*lifted)
