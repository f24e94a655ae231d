"""One value of a scenario file, converted to the type of its field.

The fields are those of the dataclasses and nothing else: there is no second schema. Every scalar is
read as text and the type of its field decides what it means, so that `no`, `on`, `1e6`, `007` and
dates hold no surprise. Every message says the place.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, get_args, get_origin, get_type_hints

import yaml

from costmodel.choices.mixes import Signal
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.baselines import Seats, Staff, Today
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.servings.own import own_api, own_gpu
from costmodel.choices.servings.provisioned import Provisioned
from costmodel.choices.terms import Terms
from costmodel.core import (
    LARGEST,
    CatalogError,
    Doubt,
    Measured,
    Range,
    check,
    check_known,
    in_words,
)
from costmodel.facts.records import Gpu, Model
from costmodel.laws.architecture import own_model

TRUE, FALSE = ("true", "yes", "on"), ("false", "no", "off")
NULL = ("", "~", "null")  # how YAML writes nothing

# how a file names a serving: (class, the field that stands beside the name)
SERVINGS: dict[str, tuple[Any, str]] = {
    "api": (Api, "model"),
    "own_api": (own_api, "id"),
    "hosted": (Hosted, "model"),
    "provisioned": (Provisioned, "api"),
    "staff": (Staff, "minutes_per_request"),
    "seats": (Seats, "seats"),
    "today": (Today, "usd_per_month_today"),
}
# what may stand in place of an id, by the function that makes it: (field, its fields)
OWN_RECORDS: dict[str, tuple[str, Any, type]] = {
    "own_model": ("model", own_model, Model),
    "own_gpu": ("gpu", own_gpu, Gpu),
}


C_LOADER = hasattr(yaml, "CBaseLoader")  # 20 times as fast
NAME_MAX = 40  # characters of a name that a message repeats
YAML_FIX = "write `name: value`, indented by spaces, with quotes around a text that holds : or #"
BYTES_MAX, DEPTH_MAX, VALUES_MAX = 1_000_000, 30, 50_000  # of a YAML text, aliases counted


class _Loader(yaml.CBaseLoader if C_LOADER else yaml.BaseLoader):  # type: ignore[misc]
    """Every scalar is text; a key that is there twice is an error."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict:
        seen: set[Any] = set()
        for key, _ in node.value:
            plain = isinstance(key, yaml.ScalarNode)
            if not plain or key.value in seen:
                problem = f"{key.value!r} is there twice" if plain else "a name must be text"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def parse(text: str, file: str) -> dict:
    """The mapping that a YAML text holds, every scalar as text; `file` names it in messages."""
    return _parsed(text, file)


@lru_cache(maxsize=4)  # the rows of a portfolio share one base; nobody changes what is in it
def _parsed(text: str, file: str) -> Any:
    spec = read_yaml(text, file, _Loader)
    check(isinstance(spec, dict), f"{file} must hold names and values, such as `name: value`")
    return spec


def read_yaml(text: str, file: str, loader: Any = None) -> Any:
    """What a YAML text says, within bounds of size and depth; scalars are typed by default."""
    size = len(text.encode(errors="replace"))
    check(
        size <= BYTES_MAX,
        f"{file} has {size:,} bytes of YAML, allowed are {BYTES_MAX:,}; split it in two",
    )
    try:
        _check_depth(text, file)
        reader = (loader or (yaml.CSafeLoader if C_LOADER else yaml.SafeLoader))(text)
        root = reader.get_single_node()
        values = _values(root, {})
        check(
            values <= VALUES_MAX,
            f"{file} holds more than {VALUES_MAX:,} values, those behind an alias (*name) counted "
            "wherever it stands; write them out, or fewer of them",
        )
        return None if root is None else reader.construct_document(root)
    except (yaml.YAMLError, ValueError) as error:
        if type(error) is ValueError and str(error).startswith(file):
            raise
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        line = f" line {mark.line + 1}" if mark else ""
        said = problem or str(error).partition("\n")[0]
        fix = "leave one out" if said.endswith("is there twice") else YAML_FIX
        raise CatalogError(f"{file}{line} is not valid YAML: {said}; {fix}") from error


def _check_depth(text: str, file: str) -> None:
    """Refuse a text that nests too deep, before anything walks down into it."""
    depth = 0
    for event in yaml.parse(text, yaml.CBaseLoader if C_LOADER else yaml.BaseLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            where = f"{file} line {event.start_mark.line + 1}"
            check(
                depth <= DEPTH_MAX,
                f"{where} is nested more than {DEPTH_MAX} deep; write it flatter",
            )
        depth -= isinstance(event, yaml.CollectionEndEvent)


def _values(node: Any, known: dict[int, float]) -> float:
    """How many values a node holds, aliases written out; one that holds itself has no end."""
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if id(node) not in known:
        known[id(node)] = math.inf
        inside = (x for item in node.value for x in (item if isinstance(item, tuple) else (item,)))
        known[id(node)] = 1 + sum(_values(x, known) for x in inside)
    return known[id(node)]


@dataclass(frozen=True)
class Place:
    """What is written at one place of a file; `on` is the day of API prices that name none."""

    given: Any
    file: str
    path: str = ""
    on: str | None = None

    @property
    def where(self) -> str:
        return f"{self.file}: {self.path}" if self.path else self.file

    def inside(self, name: str | int) -> Place:
        """The place one step further in, by its name or its number in a list."""
        word = name if isinstance(name, int) or len(name) <= NAME_MAX else f"{name[:NAME_MAX]}..."
        step = f"[{word}]" if isinstance(name, int) else f".{word}" if self.path else str(word)
        return replace(self, given=self.given[name], path=self.path + step)

    def must(self, ok: object, be: str) -> None:
        if not ok:
            raise ValueError(f"{self.where} is {in_words(self.given)}, it must be {be}")

    def make(self, build: Callable, *args: Any, **values: Any) -> Any:
        """build(...), with the place in front of its error."""
        try:
            return build(*args, **values)
        except ValueError as error:
            raise type(error)(f"{self.where}: {error}") from error
        except TypeError as error:
            raise ValueError(f"{self.where}: {error}; leave that field out") from error

    # -- plain values ------------------------------------------------------------------------------

    @property
    def empty(self) -> bool:
        return self.given is None or str(self.given).lower() in (*NULL, "none")

    def fields(self) -> dict[str, Any]:
        """What is written here as names and values; nothing is no names."""
        given = {} if self.empty else self.given
        self.must(isinstance(given, dict), "a mapping such as {name: value}")
        return dict(given)

    def mapping(self, known: Collection[str] | None = None) -> dict[str, Place]:
        """The places inside by their names, which must be among the known ones."""
        fields = self.fields()
        for name in fields:
            check_known("field", name, fields if known is None else known, self.where)
        return {name: self.inside(name) for name in fields}

    def list(self) -> list[Place]:
        self.must(isinstance(self.given, list), "a list such as [a, b]")
        return [self.inside(i) for i in range(len(self.given))]

    def text(self) -> str:
        self.must(not isinstance(self.given, (dict, list)), "text")
        return str(self.given)

    def flag(self) -> bool:
        word = str(self.given).lower()
        self.must(word in TRUE + FALSE, "true or false")
        return word in TRUE

    def number(self, kind: str = "a number") -> int | float:
        text = str(self.given)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if percent := re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*%\s*", text):
            kind += f"; a percentage is written as a share, such as {float(percent[1]) / 100:g}"
        self.must(math.isfinite(value), kind)
        exact = re.fullmatch(r"\s*[+-]?[\d_]+\s*", text) and abs(value) <= LARGEST
        return int(text) if exact else value

    def amount(self) -> Any:
        """A number, a Range or a Measured."""
        if isinstance(self.given, Doubt):
            return self.given
        if isinstance(self.given, list):  # several evaluations of one option
            parts = [place.build(Measured) for place in self.list()]
            return self.make(Measured.pooled, *parts)
        if isinstance(self.given, dict):
            return self.build(Measured if {"accepted", "trials"} & set(self.given) else Range)
        return self.number("a number or a range {low: ..., high: ...}")

    def signal(self) -> Signal:
        """The name of a published signal, or {signal_auc: ..., correlation: ...}."""
        if isinstance(self.given, str):
            return self.make(Signal.of, self.given)
        return self.build(Signal)

    # -- fields by their type ----------------------------------------------------------------------

    def value(self, hint: Any) -> Any:
        """What a field of this type holds."""
        kinds = _kinds(hint)
        if self.empty and kinds[0] is not str:
            check(
                type(None) in kinds, f"{self.where} is empty; write a value or leave the field out"
            )
            return None
        if get_origin(hint) is tuple:
            places = [self] if isinstance(self.given, str) else self.list()
            return tuple(p.number() if float in kinds else p.text() for p in places)
        if list in kinds and isinstance(self.given, list):
            return [place.number() for place in self.list()]
        if {str, Range} <= {*kinds} and re.fullmatch(r"[A-Za-z ]+", str(self.given)):
            return self.text()  # a word beside amounts
        if nested := nested_class(hint):
            return self.build(nested)
        if dict in kinds:  # names of the user's own, such as those of teams
            return {name: place.number() for name, place in self.mapping().items()}
        readers = {Any: self.serving, Range: self.amount, bool: self.flag, str: self.text}
        for kind, read in readers.items():
            if kind in kinds:
                return read()
        if int not in kinds:
            return self.number()
        value = self.number("a whole number")
        self.must(value == int(value), "a whole number")
        return int(value)

    def build(
        self, kind: Any, also: dict[str, Any] | None = None, ready: dict[str, Any] | None = None
    ) -> Any:
        """A dataclass, or the result of a function, from its fields.

        `from_...: {...}` names another constructor; `also` has the fields that it hands on, and
        `ready` values that are made already. A constructor is also found by what it needs: a corpus
        by its pages.
        """
        ways = [name for name in dir(kind) if name.startswith("from_")]
        given, hints = self.fields(), (also or {}) | writable(kind)
        for way in ways:
            if way in given:
                del given[way]
                inner = self.inside(way)
                whole = replace(inner, given=given | inner.fields())
                return whole.build(getattr(kind, way), hints)
        places = self.mapping([*hints, *ways])
        values = {name: place.value(hints[name]) for name, place in places.items()}
        values |= ready or {}
        if "on" in hints and self.on and kind is not Terms:
            values.setdefault("on", self.on)
        missing = [name for name in _needed(kind) if name not in values]
        for way in ways if missing else ():
            if set(_needed(getattr(kind, way))) <= set(given):
                return self.build(getattr(kind, way), hints)
        check(
            not missing,
            f"{self.where} has no {' and no '.join(missing)}; write "
            + ", ".join(f"{name}: ..." for name in missing),
        )
        return self.make(kind, **values)

    def serving(self) -> Any:
        """{api: model, ...} or {hosted: model, gpu: ...}; a text alone is the model of an API."""
        given = {"api": self.given} if isinstance(self.given, str) else self.fields()
        known = {fold(name): name for name in SERVINGS}
        names = [name for name in given if fold(name) in known]
        check(
            len(names) == 1,
            f"{self.where} must name one model, as {{api: gpt-6-sol}} or "
            "{hosted: llama-3.1-8b, gpu: L40S}",
        )
        kind, beside = SERVINGS[known[fold(names[0])]]
        given = {beside: given.pop(names[0]), **given}
        ready: dict[str, Any] = {}
        for name, (field, make, record) in OWN_RECORDS.items():
            written = given.get(field)
            if kind is Hosted and isinstance(written, dict) and name in written:
                place = replace(self.inside(names[0] if field == beside else field), given=written)
                written = {"id": written[name], **{n: written[n] for n in written if n != name}}
                own = replace(place, given=written).build(make, writable(record))
                ready |= own if isinstance(own, dict) else {field: own}
                del given[field]
        place, more = replace(self, given=given), writable(Api) if kind is own_api else None
        return place.build(kind, more, ready)


# -- what a file may write -------------------------------------------------------------------------


@cache
def writable(kind: Any) -> dict[str, Any]:
    """{field: type} of what a file may write; records come by id or by an override."""
    hints = get_type_hints(getattr(kind, "__func__", kind))
    return {
        name: hints[name]
        for name in _parameters(kind)
        if not all(_is_record(k) or k is type(None) for k in _kinds(hints[name]))
        and (not nested_class(hints[name]) or writable(nested_class(hints[name])))
    }


def fold(name: Any) -> str:
    """A name in small letters and digits alone: few_shot and FewShot are one."""
    return "".join(c for c in str(name).lower() if c.isalnum())


@cache
def _parameters(kind: Any) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(kind).parameters
    return {name: p for name, p in parameters.items() if p.kind is not p.VAR_KEYWORD}


def _needed(kind: Any) -> list[str]:
    return [name for name, p in _parameters(kind).items() if p.default is p.empty]


def _kinds(hint: Any) -> tuple:
    return get_args(hint) or (hint,)


def _is_record(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind) and "id" in kind.__dataclass_fields__


def nested_class(hint: Any) -> Any:
    """The dataclass that a field of this type is written as, or None: Corpus, Trends ..."""
    for kind in _kinds(hint):
        if dataclasses.is_dataclass(kind) and not _is_record(kind) and kind not in Doubt:
            return kind
    return None
