"""Names and types that help: a misspelt argument or attribute is an error with the nearest right
name, and an argument of a wrong type one that says what it must be."""

from __future__ import annotations

import inspect
import re
from collections import abc
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import wraps
from types import NoneType, UnionType
from typing import (
    Any,
    Literal,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np

from costmodel.core.errors import brief, in_words, unknown
from costmodel.core.units import LARGEST

Thing = TypeVar("Thing", bound=Callable[..., Any])
Record = TypeVar("Record")


def public(thing: Thing) -> Thing:
    """Mark a function or class as public: the error for a misspelt argument names the nearest one.

    >>> @public
    ... def rent(gpu, hours=1): ...
    >>> rent("T4", hour=2)
    Traceback (most recent call last):
    TypeError: no argument 'hour' in rent(...); did you mean 'hours'?
    """
    if isinstance(thing, type):
        thing.__init__ = _helpful(thing.__init__, thing)  # type: ignore[misc]  # wrapped
        return thing
    return _helpful(thing, thing)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: Any = None, **how: bool) -> Any:
    """Make a public dataclass that never changes; `dataclasses.replace` makes another.

    `@frozen(kw_only=True)` hands on what `dataclass` knows.
    """
    made = dataclass(frozen=True, **how)  # type: ignore[call-overload]  # whatever it knows
    return public(made(cls)) if cls else lambda cls: public(made(cls))


def _helpful(call: Any, thing: Any) -> Any:
    equation = thing.__module__.startswith(EQUATIONS) and not isinstance(thing, type)

    @wraps(call)
    def helpful(*args: Any, **named: Any) -> Any:
        for value in () if isinstance(thing, type) else (*args, *named.values()):
            if type(value) is int and abs(value) > LARGEST:  # a power of it would never end
                name = next((name for name in named if named[name] is value), "an argument")
                far = f"{name} is {in_words(value)}, allowed is at most {LARGEST:g}"
                beyond = ValueError(f"{thing.__name__}: {far}")
                raise _mistyped(call, thing, args, named, beyond)
        try:
            if equation and np.geterr()["invalid"] == "warn":  # nobody else takes care of it
                with np.errstate(all="raise", under="ignore"):
                    return call(*args, **named)
            return call(*args, **named)
        except ValueError as error:
            if _of_a_library(error):
                raise _in_our_words(call, thing, args, named, error) from error
            if error.args and isinstance(error.args[0], str):
                error.args = (brief(error.args[0]), *error.args[1:])
            raise
        except TypeError as error:
            if wrong := misspelt(call, thing.__name__, args, named):  # this call, not one inside it
                raise wrong from None
            raise _mistyped(call, thing, args, named, error) from error
        except FAULTS as error:
            said = _mistyped(call, thing, args, named, error)
            if said is error and equation and isinstance(error, ArithmeticError):
                said = _no_number(call, thing, args, named)
            raise said from error

    return helpful


EQUATIONS = "costmodel.laws"
LIBRARIES = ("matplotlib", "numpy", "pandas", "scipy")  # whose errors are put into our words
FAULTS = (AttributeError, LookupError, ArithmeticError, RecursionError)  # of a wrong type


def _mistyped(call: Any, thing: Any, args: Any, named: Any, error: Exception) -> Exception:
    """The error of a call in which an argument is not of its type; the error itself otherwise."""
    signature = inspect.signature(call)
    told = dict(_DOCUMENTED.findall(inspect.getdoc(thing) or ""))
    hints = get_type_hints(thing)
    given = signature.bind(*args, **named).arguments
    for name, value in given.items():
        if name == "self":
            continue
        meant = next((words for names, words in told.items() if name in names.split(", ")), "")
        hint = hints.get(name, Any)
        several = signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
        for one in value if several else [value]:
            if not fits(one, hint, meant):
                must = meant.partition(", optional")[0] or getattr(hint, "__name__", str(hint))
                return ValueError(f"{thing.__name__}: {name} is {in_words(one)}, it must be {must}")
    lacks = getattr(error, "name", error.args[0] if error.args else None)
    if isinstance(lacks, list) and lacks:
        lacks = str(lacks[0])
    if not isinstance(lacks, str) or isinstance(error, (TypeError, ValueError)):
        return error
    lacks = _LABELS.sub(r"\1", lacks)
    for name, value in given.items():
        if lacks not in getattr(value, "columns", [lacks]):
            return unknown("column", lacks, value.columns, f"the {name} of {thing.__name__}")
    return error


def _of_a_library(error: ValueError) -> bool:
    """Whether an error was raised by a library: it names no argument, and says no fix."""
    if _FOREIGN.search(str(error)):
        return True
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    raised_in = trace.tb_frame.f_globals.get("__name__", "") if trace else ""
    return raised_in.partition(".")[0] in LIBRARIES


def _in_our_words(call: Any, thing: Any, args: Any, named: Any, error: Exception) -> Exception:
    """The error of a library as one that names the function, and the argument where one is off."""
    said = _mistyped(call, thing, args, named, error)
    if said is not error:
        return said
    what = f"{thing.__name__}: its arguments do not go together ({error})"
    return ValueError(brief(f"{what}; help({thing.__name__}) says what each must be"))


def _no_number(call: Any, thing: Any, args: Any, named: Any) -> ValueError:
    """The error of an equation that comes to no finite number: its arguments, and what they are."""
    told = dict(_DOCUMENTED.findall(inspect.getdoc(thing) or ""))
    given = inspect.signature(call).bind(*args, **named).arguments
    values = ", ".join(f"{name}={in_words(value)}" for name, value in given.items())
    meant = "; ".join(f"{names}: {words}" for names, words in told.items())
    return ValueError(
        brief(f"{thing.__name__}: no finite number comes of {values}; allowed are {meant}")
    )


_DOCUMENTED = re.compile(r"^\*{0,2}([a-z_]\w*(?:, [a-z_]\w*)*) (?:: |(?=\[))(.+)$", re.M)
_LABELS = re.compile(r"^.* columns of the DataFrame: \['(.*?)'.*$")  # as pandas says it
_FOREIGN = re.compile(  # what NumPy and Python say from C, as if our own lines had raised it
    "^(could not convert|invalid literal|could not broadcast|operands could not|setting an array"
    "|the truth value|cannot convert|cannot reshape|zero-size array|matmul: |all the input array"
    "|attempt to get arg|need at least one array|high - low|a and p must|The truth value)"
)
_CLASS = re.compile("(?:[A-Z][a-z]+)+|None|path|str")
_NUMERIC = re.compile(r"^as in |\b(number|share|float|int|count|array|draws)\b|^\[|^\d")


def fits(value: Any, hint: Any, meant: str = "") -> bool:
    """Whether a value is of a type; where that is open, of what its documentation says."""
    if hint is Any or isinstance(hint, TypeVar):
        numeric = _NUMERIC.search(meant) and not meant.startswith(("dict", "{"))
        if value is None:
            return not meant or "optional" in meant or "None" in meant
        classes = set(re.split(" or |, ", meant.removesuffix(", optional")))
        if value is not None and classes and all(map(_CLASS.fullmatch, classes)):
            return bool(classes & {kind.__name__ for kind in type(value).__mro__})
        listed = isinstance(value, (list, tuple))
        may_list = not listed or bool(re.search("list|sequence|tuple|iterable", meant))
        return (_is_numeric(value) and may_list) or "Range" in meant if numeric else True
    kinds, origin = get_args(hint), get_origin(hint) or hint
    if origin in (Union, UnionType):
        return any(fits(value, kind, meant) for kind in kinds)
    if origin is Literal:
        return value in kinds
    if hint is None or origin is NoneType:
        return value is None
    if origin in (float, int):
        whole = origin is float or hasattr(value, "__index__")
        return np.ndim(value) == 0 and _is_numeric(value) and whole
    if origin is abc.Callable:
        return callable(value)
    if not isinstance(origin, type):
        return True
    if isinstance(value, str) and origin not in (str, object):
        return False
    if not isinstance(value, origin):
        return False
    if isinstance(value, dict):
        return all(fits(x, kind) for kind in kinds[1:] for x in value.values())
    items = value if isinstance(value, (list, tuple)) else ()
    return all(fits(x, kind) for kind in kinds[:1] for x in items)


def in_type(hint: Any) -> str:
    """The name of a type for a message.

    >>> in_type(int | str | None)
    'int, str or None'
    """
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    names = ["None" if x is NoneType else getattr(x, "__name__", str(x)) for x in kinds]
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _is_numeric(value: Any) -> bool:
    """Whether a value is a finite number, or holds such numbers alone."""
    if value is None or isinstance(value, (str, bytes)):
        return False
    try:
        return bool(np.all(np.abs(np.asarray(value, float)) <= LARGEST))
    except (TypeError, ValueError, OverflowError):
        return False


def misspelt(
    call: Any, name: str, args: tuple[Any, ...], named: dict[str, Any]
) -> TypeError | None:
    """The error of a call whose arguments do not fit its signature, or None where they do."""
    signature = inspect.signature(call)
    try:
        signature.bind(*args, **named)
        return None
    except TypeError as wrong:
        by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        known = [n for n, p in signature.parameters.items() if p.kind in by_name and n != "self"]
        strange = next((n for n in named if n not in known), None)
        if strange is None:
            return TypeError(f"{name}: {wrong}")
        return TypeError(str(unknown("argument", strange, known, f"{name}(...)")))


def absent(module: str, names: list[str]) -> Callable[[str], Any]:
    """The `__getattr__` of a face: the error for a name that is not there names the nearest one."""

    def __getattr__(name: str) -> Any:
        near = get_close_matches(name, names, n=2)
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise AttributeError(f"module {module!r} has no attribute {name!r}{hint}")

    return __getattr__
