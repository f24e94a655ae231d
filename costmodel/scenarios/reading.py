"""From the text of a scenario to its study: workload, options and terms."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

from costmodel.choices import techniques
from costmodel.choices.mixes import Mix, Part
from costmodel.choices.options import Option
from costmodel.choices.presets import LABELS, presets, with_quality
from costmodel.choices.study import Study
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Corpus, Workload
from costmodel.core import (
    CatalogError,
    Doubt,
    check,
    check_known,
    field_names,
    find_key,
    in_words,
    key_of,
    pin,
    unknown,
    unmarked,
    validate,
    walk,
)
from costmodel.scenarios.places import Place, fold, parse, writable
from costmodel.scenarios.price_book import with_price_book

# fields of a study that are not its own
ELSEWHERE = ("work", "options", "terms", "evidence", "part_of", "points", "before", "whole")
SECTIONS: dict[str, Any] = {"terms": {}, "options": "presets"}  # those that may be left out
SECTIONS |= {"quality": {}, "overrides": {}, "evidence": {}}


def read(text: str, file: str, folder: Path, changes: Mapping[str, Any]) -> Study:
    """The study of a scenario; `changes` replace what the text says, by the name of a field.

    A price book lies beside the file, in its `folder`.
    """
    own = _own_fields()
    of_terms, of_work = {*writable(Terms)}, {*writable(Workload), "corpus_tokens"}
    for name in changes:
        check_known("parameter", name, {*own, *of_terms, *of_work, "price_book"}, "a scenario")

    def changed(names: Any) -> dict[str, Any]:
        return {name: value for name, value in changes.items() if name in names}

    check("workload" in text, f"{file} is no scenario: it has no workload; write workload: ...")
    root = Place(SECTIONS | parse(text, file) | changed(own), file)
    known = {*own, "workload", *SECTIONS, "price_book"}
    homes = dict.fromkeys(of_terms, "terms") | dict.fromkeys(of_work, "workload")
    homes["presets"] = "options"
    for name in root.fields():
        if name not in known and (home := homes.get(name)):
            raise CatalogError(f"{name} of {file} belongs in {home}; write {home}: {{{name}: ...}}")
    places = root.mapping(known)
    for name in ("title", "workload"):
        check(name in places, f"{file} has no {name}; write {name}: ...")
    place = places["terms"]
    terms = replace(place, given=place.fields() | changed(of_terms)).build(Terms)
    places = {name: replace(place, on=terms.on) for name, place in places.items()}
    work = _written(text, file, terms.on)
    work = places["workload"].make(_changed, work, changed(of_work))
    options = _options(places["options"], places["quality"], work)
    judged = {label: _option(at, None) for label, at in places["evidence"].mapping().items()}
    things = options, work, terms, judged
    options, work, terms, judged = _overridden(places["overrides"], things)
    values = {name: places[name].value(hint) for name, hint in own.items() if name in places}
    study = root.make(Study, options, work, terms, evidence=judged, **values)
    book = changes.get("price_book")
    if book is None and "price_book" in places:
        book = folder / places["price_book"].text()
    return study if book is None else with_price_book(study, book)


@cache
def _own_fields() -> dict[str, Any]:
    """The fields that a scenario says beside its sections, with their types."""
    hints = get_type_hints(Study) | {"accept_zero": tuple[str, ...]}
    return {name: hints[name] for name in hints if name not in ELSEWHERE}


@lru_cache(maxsize=4)  # the rows of a portfolio share one base
def _written(text: str, file: str, on: str | None) -> Workload:
    """The workload that a text says, before any change."""
    return Place(parse(text, file), file, on=on).inside("workload").build(Workload)


def _changed(work: Workload, changes: dict[str, Any]) -> Workload:
    if "corpus_tokens" in changes:
        tokens = changes.pop("corpus_tokens")
        corpus = tokens and replace(work.corpus or Corpus(tokens), tokens=tokens)
        changes["corpus"] = corpus or None
    return replace(work, **changes)


# -- options ---------------------------------------------------------------------------------------


def _options(place: Place, quality: Place, work: Workload) -> dict[str, Any]:
    """`presets`, or options by label, in which `presets:` adds some or all of the presets.

    `quality` holds evaluations by label. They reach an option wherever it stands, in a mix too.
    """
    if isinstance(place.given, str):
        if fold(place.given) != "presets":
            raise unknown("set of options", place.given, ["presets"], place.where)
        place = replace(place, given={"presets": {}})
    own, judged = place.mapping(), quality.mapping()
    ready = _presets(own.pop("presets"), work) if "presets" in own else {}
    labels = [*(label for label in ready if label not in own), *own]
    for label in judged:
        check_known("option", label, labels, quality.where)
    made: dict[str, Any] = {}
    asked: list[str] = []  # options that are being read: a mix must not contain itself

    def option(label: str, at: Place) -> Any:
        """An option by its label; a mix may name one that the file says later."""
        if label not in made:
            check_known("option", label, labels, at.where)
            check(
                label not in asked,
                f"{at.where}: {label!r} contains itself; a part of a mix must be another option",
            )
            asked.append(label)
            made[label] = _option(own[label], option) if label in own else ready[label]
            if share := judged.get(label):
                made[label] = share.make(with_quality, made[label], share.amount())
        return made[label]

    return {label: option(label, place) for label in labels}


def _presets(place: Place, work: Workload) -> dict[str, Any]:
    fields = [name for name in inspect.signature(presets).parameters if name != "quality"][1:]
    inside = place.mapping(fields)
    values: dict[str, Any] = {name: at.text() for name, at in inside.items() if name != "only"}
    if only := inside.get("only"):
        every = isinstance(only.given, str) and fold(only.given) == "all"
        values["only"] = "all" if every else [at.text() for at in only.list()]
        for label in LABELS if every else values["only"]:
            check_known("preset", label, LABELS, only.where)
    return place.make(presets, work, **{"on": place.on, **values})


def _option(place: Place, named: Callable[[str, Place], Any] | None) -> Option | Mix:
    """{serving, techniques, quality}, or {mix: [{option, sees, answers}, ...], signal, quality}.

    `named` finds another option by its label.
    """
    inside = place.mapping(["mix", "signal", "serving", "techniques", "quality"])
    quality = inside["quality"].amount() if "quality" in inside else None
    if "mix" in inside:
        parts = [_part(part, named) for part in inside["mix"].list()]
        signal = inside["signal"].signal() if "signal" in inside else None
        return place.make(Mix, mix=parts, signal=signal, quality=quality)
    check(
        "serving" in inside,
        f"{place.where} has no serving; write serving: {{api: ...}} or serving: {{hosted: ...}}",
    )
    listed = inside["techniques"].list() if "techniques" in inside else []
    return place.make(
        Option,
        inside["serving"].serving(),
        techniques=[_technique(at) for at in listed],
        quality=quality,
    )


def _part(place: Place, named: Callable[[str, Place], Any] | None) -> Part:
    shares = place.mapping(["option", "sees", "answers"])
    check(
        "option" in shares,
        f"{place.where} has no option; write option: and the label of one, or the option itself",
    )
    at = shares.pop("option")
    text = isinstance(at.given, str)
    check(not text or named, f"{at.where} is {in_words(at.given)}, write the option itself here")
    option = named(at.given, at) if named and text else _option(at, named)
    return place.make(Part, option, **{name: share.amount() for name, share in shares.items()})


def _technique(place: Place) -> Any:
    """`evals`, or {rag: {top_k: 8}}."""
    if isinstance(place.given, str):
        place = replace(place, given={place.given: {}})
    check(
        len(place.fields()) == 1,
        f"{place.where} must be one technique, such as evals or {{rag: {{top_k: 8}}}}",
    )
    (name,) = place.fields()
    kinds = technique_classes()
    for kind in kinds:
        if fold(kind) == fold(name):
            return place.inside(name).build(kinds[kind])
    raise unknown("technique", name, kinds, place.where)


def technique_classes() -> dict[str, type]:
    """Every technique by the name of its class."""
    found = {}
    for module in pkgutil.iter_modules(techniques.__path__):
        home = import_module(f"{techniques.__name__}.{module.name}")
        for name, kind in inspect.getmembers(home, inspect.isclass):
            if any(hasattr(kind, question) for question in ("adapt", "shape", "buys")):
                found[name] = kind
    return found


# -- overrides -------------------------------------------------------------------------------------


def _overridden(place: Place, things: Any) -> Any:
    """Numbers set wherever they occur, under the key of their draw, so that they stay paired."""
    for name, at in place.mapping().items():
        value, keys = at.amount(), at.make(_keys, things, name)
        for owner, field, old in walk(things):
            if key_of(owner, field, old) in keys:  # what the owner and the glossary allow
                changed = at.make(replace, owner, **{field: value})
                at.make(validate, changed, field_names(owner))
                value = unmarked(getattr(changed, field))  # in the form of its unit
        if isinstance(value, Doubt) and value.name is None:
            value = replace(value, name=keys[0])
        for key in keys:
            things = pin(things, key, value)
    return things


def _keys(things: Any, name: str) -> list[str]:
    """The keys of the draws that `name` means: `Class.field`, or what `find_key` knows."""
    keys = [
        key_of(owner, field, value)
        for owner, field, value in walk(things)
        if name == f"{type(owner).__name__}.{field}"
    ]
    return list(dict.fromkeys(keys)) or [find_key(things, name)]
