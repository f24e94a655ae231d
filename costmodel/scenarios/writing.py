"""From a scenario to YAML text that computes the same: what differs from the defaults, and every price date."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import yaml

from costmodel.choices.options import Mix, Option
from costmodel.choices.presets import presets, with_quality
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.provisioned import Provisioned
from costmodel.core.errors import CatalogError, check
from costmodel.core.nested import key_of, same, walk
from costmodel.core.ranges import Doubt
from costmodel.facts import catalog
from costmodel.facts.cards import api_price
from costmodel.facts.prices import ApiPrice
from costmodel.facts.records import FromCatalogue
from costmodel.scenarios.reading import SERVINGS


def as_yaml(scenario: Any) -> str:
    """The scenario as YAML text: only what differs from the defaults, and every price date.

    Errors: `CatalogError` for what a file cannot say, a record of your own or one changed in a single option.
    """
    s = scenario
    options, quality = _options(s)
    terms = _plain(s.terms, s.terms.on)
    terms.pop("people", None)
    spec = {
        "title": s.title,
        "prepared_for": s.prepared_for,
        "workload": _plain(s.work, s.terms.on),
        "terms": terms,
        "options": options,
        "overrides": _overrides(s),
        "quality": quality,
        "quality_floor": s.quality_floor,
        "draws": s.draws,
        "seed": s.seed,
        "note": s.note,
        "accept_zero": list(s.accept_zero or ()),
    }
    spec = {name: value for name, value in spec.items() if value not in (None, "", {}, [])}
    return yaml.dump(
        spec,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=120,
        default_flow_style=None,
    )


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _plain(x: Any, on: str | None) -> Any:
    """Text, numbers, lists and mappings that say the same."""
    if type(x) in dict(SERVINGS.values()):
        fields = _fields(x, on)
        return {type(x).__name__.lower(): fields.pop(dict(SERVINGS.values())[type(x)]), **fields}
    if dataclasses.is_dataclass(x):
        return x.id if hasattr(x, "id") else _fields(x, on)  # type: ignore[union-attr]
    if isinstance(x, np.generic):
        return x.item()
    check(not isinstance(x, np.ndarray), "an array of draws cannot be saved; write a Range")
    return x


def _fields(x: Any, on: str | None) -> dict[str, Any]:
    found = {}
    for f in dataclasses.fields(x):
        value = getattr(x, f.name)
        default = f.default_factory() if f.default_factory is not dataclasses.MISSING else f.default
        derived = (f.name in ("rent", "commitment") and not isinstance(value, str)) or getattr(
            value, "source", ""
        ) == "serving-fit"
        derived = (
            derived
            or isinstance(value, FromCatalogue)
            or (
                isinstance(x, (Api, Provisioned))
                and (f.name, value) in (("on", on), ("mode", "standard"))
            )
        )
        if not derived and (default is dataclasses.MISSING or not same(value, default)):
            found[f.name] = _plain(value, on)
    return found


def _options(s: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """(options, quality): the presets that come first by their labels, from the first changed option on all in full."""
    defaults = presets(s.work, on=s.terms.on) if s.terms.on else {}
    kept: list[str] = []
    full: dict[str, Any] = {}
    quality: dict[str, Any] = {}
    for label, option in s.options.items():
        share = _quality(option)
        if label in defaults and not full and same(with_quality(defaults[label], share), option):
            kept.append(label)
            if share is not None:
                quality[label] = _plain(share, None)
        else:
            full[label] = _option(option, s)
    return ({"presets": {"only": kept}} if kept else {}) | full, quality


def _quality(option: Option | Mix) -> Any:
    return _quality(option.mix[0].option) if isinstance(option, Mix) else option.quality


def _option(option: Option | Mix, s: Any) -> dict[str, Any]:
    on = s.terms.on
    if isinstance(option, Mix):
        return {
            "mix": [
                {
                    "option": _label(p.option, s),
                    **{
                        n: _plain(getattr(p, n), on)
                        for n in ("sees", "answers")
                        if getattr(p, n) is not None
                    },
                }
                for p in option.mix
            ]
        }
    listed = [
        {type(t).__name__: fields} if (fields := _fields(t, on)) else type(t).__name__
        for t in option.techniques
    ]
    found = {"serving": _plain(option.serving, on), "techniques": listed}
    return found if option.quality is None else {**found, "quality": _plain(option.quality, on)}


def _label(option: Any, s: Any) -> Any:
    """The label of an option of the scenario, otherwise the option in full."""
    return next(
        (label for label, other in s.options.items() if same(option, other)), None
    ) or _option(option, s)


def _overrides(s: Any) -> dict[str, Any]:
    """Numbers of records (prices, GPUs, people ...) that are not those of the catalogue."""
    changed: dict[str, Any] = {}
    pairs = [
        (key_of(*ours), given[2], ours[2])
        for record in _records((list(s.options.values()), s.terms))
        for given, ours in zip(walk(record), walk(_original(record)), strict=True)
    ]
    for key, value, original in pairs:
        if not same(value, original):
            changed[key] = value
    for key, value, _ in pairs:
        if key in changed and not same(changed[key], value):
            raise CatalogError(
                f"{key} has several values in this scenario, and a file can hold one; change it in all options"
            )
    return {key: _plain(value, None) for key, value in changed.items()}


def _records(x: Any) -> Any:
    for item in x if isinstance(x, (list, tuple)) else ():
        yield from _records(item)
    if dataclasses.is_dataclass(x) and not isinstance(x, Doubt):
        if hasattr(x, "id"):
            yield x
            return
        for f in dataclasses.fields(x):
            yield from _records(getattr(x, f.name))


def _original(record: Any) -> Any:
    if isinstance(record, ApiPrice):
        return api_price(record.id, record.provider, record.on, record.mode, record.residency)
    for file in (name for name, kind in catalog.RECORDS.items() if isinstance(record, kind)):
        known = getattr(catalog, file)()
        if record.id in known:
            return known[record.id]
    raise CatalogError(
        f"{record.id!r} is not in the catalogue and cannot be saved; use a record of the catalogue and overrides"
    )
