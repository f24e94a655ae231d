"""From the text of a scenario to workload, options and terms: every message says the place in the file.

The fields are those of the dataclasses and nothing else: there is no second schema. Every scalar is read as text and the
type of its field decides what it means, so that `no`, `on`, `1e6`, `007` and dates hold no surprise.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any, get_args, get_origin, get_type_hints

import yaml

from costmodel.choices import techniques
from costmodel.choices.options import Mix, Option, Part
from costmodel.choices.presets import presets, with_quality
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.baselines import Seats, Staff, Today
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.servings.provisioned import Provisioned
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Corpus, Workload
from costmodel.core.checks import validate
from costmodel.core.errors import CatalogError, check, unknown
from costmodel.core.nested import find_key, key_of, pin, walk
from costmodel.core.ranges import Doubt, Measured, Range

TRUE, FALSE = ("true", "yes", "on"), ("false", "no", "off")
NULL = ("", "~", "null")  # how YAML writes nothing


# how a file names a serving: (class, the field that stands beside the name)
SERVINGS: dict[str, tuple[type, str]] = {
    "api": (Api, "model"),
    "hosted": (Hosted, "model"),
    "provisioned": (Provisioned, "api"),
    "staff": (Staff, "minutes_per_request"),
    "seats": (Seats, "seats"),
    "today": (Today, "usd_per_month_today"),
}


class _Loader(yaml.BaseLoader):
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
    try:
        spec = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark, problem = (
            getattr(error, "problem_mark", None),
            getattr(error, "problem", None) or str(error),
        )
        raise CatalogError(
            f"{file}{f' line {mark.line + 1}' if mark else ''} is not valid YAML: {problem}"
        ) from error
    check(isinstance(spec, dict), f"{file} must hold names and values, such as `name: value`")
    return spec


def _kinds(hint: Any) -> tuple:
    return get_args(hint) or (hint,)


def _is_record(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind) and "id" in {f.name for f in dataclasses.fields(kind)}


def _nested(hint: Any) -> Any:
    """The dataclass that a field of this type is written as, or None: Corpus, QuestionMix, Trends ..."""
    found = [
        k
        for k in _kinds(hint)
        if dataclasses.is_dataclass(k) and not _is_record(k) and k not in Doubt
    ]
    return found[0] if found else None


def writable(kind: Any) -> dict[str, Any]:
    """{field: type} of what a file may write; records come by id or by an override, never field by field."""
    hints = get_type_hints(kind if inspect.isclass(kind) else getattr(kind, "__func__", kind))
    named = [
        n for n, p in inspect.signature(kind).parameters.items() if p.kind is not p.VAR_KEYWORD
    ]
    hints = {n: h for n, h in hints.items() if n in named}
    return {
        name: hint
        for name, hint in hints.items()
        if not all(_is_record(k) or k is type(None) for k in _kinds(hint))
        and (not _nested(hint) or writable(_nested(hint)))
    }


def _empty(given: Any) -> bool:
    return given is None or (isinstance(given, str) and given.lower() in (*NULL, "none"))


def _fold(name: Any) -> str:
    return "".join(c for c in str(name).lower() if c.isalnum())


def technique_classes() -> dict[str, type]:
    """Every technique by the name of its class."""
    found = {}
    for module in pkgutil.iter_modules(techniques.__path__):
        home = import_module(f"{techniques.__name__}.{module.name}")
        for name, kind in vars(home).items():
            if (
                inspect.isclass(kind)
                and kind.__module__ == home.__name__
                and any(hasattr(kind, m) for m in ("adapt", "shape", "buys"))
            ):
                found[name] = kind
    return found


class Reader:
    """Reads one file; every method takes the path inside the file, for its messages."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.on: str | None = None

    def at(self, path: str) -> str:
        return f"{self.file}: {path}" if path else self.file

    def make(self, path: str, build: Callable, *args: Any, **values: Any) -> Any:
        """build(...), with the place in front of its error."""
        try:
            return build(*args, **values)
        except ValueError as error:
            raise type(error)(f"{self.at(path)}: {error}") from error
        except TypeError as error:
            raise ValueError(f"{self.at(path)}: {error}; leave that field out") from error

    def mapping(self, given: Any, path: str) -> dict:
        given = {} if _empty(given) else given
        check(
            isinstance(given, dict),
            f"{self.at(path)} is {given!r}, it must be a mapping such as {{name: value}}",
        )
        return given

    def list(self, given: Any, path: str) -> list:
        check(
            isinstance(given, list),
            f"{self.at(path)} is {given!r}, it must be a list such as [a, b]",
        )
        return given

    def text(self, given: Any, path: str) -> str:
        check(not isinstance(given, (dict, list)), f"{self.at(path)} is {given!r}, it must be text")
        return str(given)

    def number(self, given: Any, path: str, kind: str = "a number") -> int | float:
        try:
            check(isinstance(given, (str, int, float)) and not isinstance(given, bool), "")
            value = float(given)
            check(math.isfinite(value), "")
        except ValueError as error:
            percent = re.fullmatch(r"\s*([\d.]+)\s*%\s*", str(given))
            hint = (
                f"; a percentage is written as a share, such as {float(percent[1]) / 100:g}"
                if percent
                else ""
            )
            raise ValueError(f"{self.at(path)} is {given!r}, it must be {kind}{hint}") from error
        return (
            int(given)
            if isinstance(given, int) or re.fullmatch(r"\s*[+-]?[\d_]+\s*", str(given))
            else value
        )

    def amount(self, given: Any, path: str) -> Any:
        """A number, a Range or a Measured."""
        if isinstance(given, Doubt):
            return given
        if isinstance(given, dict):
            return self.build(
                Measured if {"accepted", "trials"} & set(given) else Range, given, path
            )
        return self.number(given, path, "a number or a range {low: ..., high: ...}")

    def flag(self, given: Any, path: str) -> bool:
        word = str(given).lower()
        check(word in TRUE + FALSE, f"{self.at(path)} is {given!r}, allowed are true and false")
        return word in TRUE

    def value(self, hint: Any, given: Any, path: str) -> Any:
        """What a field of this type holds."""
        kinds = _kinds(hint)
        if _empty(given) and kinds[0] is not str:
            check(
                type(None) in kinds,
                f"{self.at(path)} is empty; write a value or leave the field out",
            )
            return None
        if get_origin(hint) is tuple:
            return tuple(
                self.text(x, path)
                for x in ([given] if isinstance(given, str) else self.list(given, path))
            )
        if Any in kinds:
            return self.serving(given, path)
        if _nested(hint):
            return self.build(_nested(hint), given, path)
        if Range in kinds:
            return self.amount(given, path)
        if bool in kinds:
            return self.flag(given, path)
        if str in kinds:
            return self.text(given, path)
        value = self.number(given, path, "a whole number" if int in kinds else "a number")
        if int not in kinds:
            return value
        check(value == int(value), f"{self.at(path)} is {given!r}, it must be a whole number")
        return int(value)

    def build(self, kind: Any, given: Any, path: str, also: Mapping[str, Any] | None = None) -> Any:
        """A dataclass (or the result of a function) from a mapping of its fields; `from_...: {...}` names another constructor."""
        given = self.mapping(given, path)
        others = [
            name
            for name in given
            if name.startswith("from_") and inspect.isclass(kind) and hasattr(kind, name)
        ]
        if others:
            inner = self.mapping(given[others[0]], f"{path}.{others[0]}")
            rest = {k: v for k, v in given.items() if k != others[0]}
            return self.build(
                getattr(kind, others[0]), {**rest, **inner}, f"{path}.{others[0]}", writable(kind)
            )
        fields = {**(also or {}), **writable(kind)}
        values = {}
        for name, value in given.items():
            if name not in fields:
                constructors = [n for n in dir(kind) if n.startswith("from_")]
                raise unknown("field", name, [*fields, *constructors], self.at(path))
            values[name] = self.value(fields[name], value, f"{path}.{name}")
        if "on" in fields and self.on and kind is not Terms:
            values.setdefault("on", self.on)
        accepts = inspect.signature(kind).parameters.values()
        missing = [
            p.name
            for p in accepts
            if p.default is p.empty and p.kind is not p.VAR_KEYWORD and p.name not in values
        ]
        others = (
            [name for name in dir(kind) if name.startswith("from_")]
            if missing and inspect.isclass(kind)
            else []
        )
        for name in others:  # a corpus by its pages
            needed = [
                p.name
                for p in inspect.signature(getattr(kind, name)).parameters.values()
                if p.default is p.empty and p.kind is not p.VAR_KEYWORD
            ]
            if set(needed) <= set(given):
                return self.build(getattr(kind, name), given, path, writable(kind))
        check(
            not missing,
            f"{self.at(path)} has no {' and no '.join(missing)}; write {', '.join(f'{n}: ...' for n in missing)}",
        )
        return self.make(path, kind, **values)

    def serving(self, given: Any, path: str) -> Any:
        """{api: model, ...} or {hosted: model, gpu: ...}; a text alone is the model of an API."""
        given = {"api": given} if isinstance(given, str) else self.mapping(given, path)
        found = [name for name in given if _fold(name) in SERVINGS]
        check(
            len(found) == 1,
            f"{self.at(path)} must name one model, as {{api: gpt-6-sol}} or {{hosted: llama-3.1-8b, gpu: L40S}}",
        )
        (name,) = found
        rest = {k: v for k, v in given.items() if k != name}
        kind, field = SERVINGS[_fold(name)]
        return self.build(kind, {field: given[name], **rest}, path)

    def technique(self, given: Any, path: str) -> Any:
        """`evals`, or {rag: {top_k: 8}}."""
        given = {given: {}} if isinstance(given, str) else self.mapping(given, path)
        check(
            len(given) == 1,
            f"{self.at(path)} must be one technique, such as evals or {{rag: {{top_k: 8}}}}",
        )
        ((name, fields),) = given.items()
        kinds = technique_classes()
        folded = {_fold(n): n for n in kinds}
        if _fold(name) not in folded:
            raise unknown("technique", name, kinds, self.at(path))
        return self.build(kinds[folded[_fold(name)]], fields, f"{path}.{name}")

    def option(self, given: Any, path: str, named: Callable[[str, str], Any]) -> Any:
        """{serving, techniques, quality}, or {mix: [{option, sees, answers}, ...]}; `named` finds an option by label."""
        given = self.mapping(given, path)
        names = ("mix",) if "mix" in given else ("serving", "techniques", "quality")
        for name in given:
            if name not in names:
                raise unknown("field", name, ("mix", *names), self.at(path))
        if "mix" in given:
            parts = [
                self.part(p, f"{path}.mix[{i}]", named)
                for i, p in enumerate(self.list(given["mix"], f"{path}.mix"))
            ]
            return self.make(path, Mix, mix=parts)
        check(
            "serving" in given,
            f"{self.at(path)} has no serving; write serving: {{api: ...}} or serving: {{hosted: ...}}",
        )
        listed = self.list(given.get("techniques", []), f"{path}.techniques")
        return self.make(
            path,
            Option,
            self.serving(given["serving"], f"{path}.serving"),
            techniques=[self.technique(t, f"{path}.techniques[{i}]") for i, t in enumerate(listed)],
            quality=self.amount(given["quality"], f"{path}.quality")
            if "quality" in given
            else None,
        )

    def part(self, given: Any, path: str, named: Callable[[str, str], Any]) -> Part:
        given, shares = self.mapping(given, path), {}
        check(
            "option" in given,
            f"{self.at(path)} has no option; write option: and the label of one, or the option itself",
        )
        inner = given["option"]
        for name, value in given.items():
            if name not in ("option", "sees", "answers"):
                raise unknown("field", name, ("option", "sees", "answers"), self.at(path))
            if name != "option":
                shares[name] = self.amount(value, f"{path}.{name}")
        whole = (
            named(inner, f"{path}.option")
            if isinstance(inner, str)
            else self.option(inner, f"{path}.option", named)
        )
        return self.make(path, Part, whole, **shares)

    def options(self, given: Any, work: Workload, quality: Mapping[str, Any]) -> dict[str, Any]:
        """`presets`, or a mapping of labels to options, in which `presets:` adds some or all of the presets.

        `quality` holds evaluations by label, which reach an option wherever it stands, in a mix too."""
        if isinstance(given, str):
            if _fold(given) != "presets":
                raise unknown("set of options", given, ["presets"], self.at("options"))
            given = {"presets": {}}
        own = dict(self.mapping(given, "options"))

        def judged(label: str, option: Any) -> Any:
            return (
                self.make(
                    f"quality.{label}",
                    with_quality,
                    option,
                    self.amount(quality[label], f"quality.{label}"),
                )
                if label in quality
                else option
            )

        made = {
            label: judged(label, option)
            for label, option in (
                self.presets(own.pop("presets"), work) if "presets" in own else {}
            ).items()
        }
        for label in own:
            made.pop(label, None)
        busy: list[str] = []

        def named(label: str, path: str) -> Any:
            if label not in made:
                if label not in own:
                    raise unknown("option", label, [*own, *made], self.at(path))
                check(
                    label not in busy,
                    f"{self.at(path)}: {label!r} contains itself; a part of a mix must be another option",
                )
                busy.append(label)
                made[label] = judged(label, self.option(own[label], f"options.{label}", named))
            return made[label]

        found = {label: named(label, "options") for label in [*made, *own]}
        for label in quality:
            if label not in found:
                raise unknown("option", label, found, self.at("quality"))
        return found

    def presets(self, given: Any, work: Workload) -> dict[str, Any]:
        given = dict(self.mapping(given, "options.presets"))
        only = given.pop("only", None)
        fields = [
            name
            for name in inspect.signature(presets).parameters
            if name not in ("work", "quality")
        ]
        for name in given:
            if name not in fields:
                raise unknown("field", name, [*fields, "only"], self.at("options.presets"))
        values = {
            name: self.text(value, f"options.presets.{name}") for name, value in given.items()
        }
        made = self.make("options.presets", presets, work, **{"on": self.on, **values})
        if only is None:
            return made
        for label in self.list(only, "options.presets.only"):
            if label not in made:
                raise unknown("preset", label, made, self.at("options.presets.only"))
        return {label: made[label] for label in only}

    def overrides(self, given: Any, things: Any) -> Any:
        """Numbers set wherever they occur, under the key of their draw, so that they stay paired."""
        for name, text in self.mapping(given, "overrides").items():
            path = f"overrides.{name}"
            value = self.amount(text, path)
            keys = self.make(path, _keys, things, name)
            for owner, attribute, old in walk(things):
                if (
                    key_of(owner, attribute, old) in keys
                ):  # the checks of the owner's constructor, and the glossary's limits
                    changed = self.make(path, replace, owner, **{attribute: value})
                    self.make(
                        path, validate, changed, tuple(f.name for f in dataclasses.fields(owner))
                    )
            if isinstance(value, Doubt) and value.name is None:
                value = replace(value, name=keys[0])
            for key in keys:
                things = pin(things, key, value)
        return things

    def question(
        self, given: dict, fields: Mapping[str, Any], changes: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Everything that a file says: work, options and terms, and `fields` ({name: type}), its plain values."""
        names = [*fields, "workload", "options", "terms", "overrides", "quality"]
        for name in given:
            if name not in names:
                raise unknown("field", name, names, self.file)
        for name in ("title", "workload"):
            check(name in given, f"{self.file} has no {name}; write {name}: ...")
        in_terms, in_work = set(writable(Terms)), {*writable(Workload), "corpus_tokens"}
        for name in changes:
            if name not in in_terms | in_work | set(fields):
                raise unknown("parameter", name, in_terms | in_work | set(fields), "a scenario")
        given = {**given, **{n: v for n, v in changes.items() if n in fields}}
        asked = {
            **self.mapping(given.get("terms", {}), "terms"),
            **{n: v for n, v in changes.items() if n in in_terms},
        }
        terms = self.build(Terms, asked, "terms")
        self.on = terms.on
        work = self.build(Workload, given["workload"], "workload")
        work = self.make(
            "workload", _changed, work, {n: v for n, v in changes.items() if n in in_work}
        )
        options = self.options(
            given.get("options", "presets"), work, self.mapping(given.get("quality", {}), "quality")
        )
        options, work, terms = self.overrides(given.get("overrides", {}), (options, work, terms))
        values = {
            name: self.value(hint, given[name], name)
            for name, hint in fields.items()
            if name in given
        }
        return {**values, "work": work, "options": options, "terms": terms}


def _changed(work: Workload, changes: dict[str, Any]) -> Workload:
    tokens = changes.pop("corpus_tokens", None)
    if tokens == 0:
        changes["corpus"] = None
    elif tokens is not None:
        changes["corpus"] = replace(work.corpus, tokens=tokens) if work.corpus else Corpus(tokens)
    return replace(work, **changes)


def _keys(things: Any, name: str) -> list[str]:
    """The keys of the draws that `name` means: `Class.field` wherever it occurs, or what `find_key` knows."""
    keys = [
        key_of(owner, attribute, value)
        for owner, attribute, value in walk(things)
        if name == f"{type(owner).__name__}.{attribute}"
    ]
    return list(dict.fromkeys(keys)) or [find_key(things, name)]
