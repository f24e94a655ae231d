"""From a study to YAML text that computes the same: what differs from the defaults, and dates."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import yaml

from costmodel.choices.options import Mix, Option
from costmodel.choices.presets import presets, with_quality
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.provisioned import Provisioned
from costmodel.choices.study import Study
from costmodel.core.errors import CatalogError, check
from costmodel.core.nested import key_of, same, walk
from costmodel.core.ranges import Doubt
from costmodel.facts.records import FromCatalogue
from costmodel.ledgers.evidence import published_as
from costmodel.scenarios.places import SERVINGS

BESIDE = dict(SERVINGS.values())  # the field that stands beside the name of a serving


def as_yaml(study: Study) -> str:
    """The study as YAML text: only what differs from the defaults, and every price date.

    `CatalogError` for what a file cannot say: a record of your own, or one changed in one option.
    """
    return yaml.dump(
        _Writer(study).spec(),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=120,
        default_flow_style=None,
    )


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


class _Writer:
    """Writes one study; prices of the day of its terms need no date of their own."""

    def __init__(self, study: Study) -> None:
        self.study, self.on = study, study.terms.on

    def spec(self) -> dict[str, Any]:
        """Everything that the file says."""
        study = self.study
        options, quality = self.options()
        terms = self.fields(study.terms)
        terms.pop("people", None)
        spec = {
            "title": study.title,
            "prepared_for": study.prepared_for,
            "workload": self.fields(study.work),
            "terms": terms,
            "options": options,
            "overrides": {key: self.plain(value) for key, value in _overrides(study).items()},
            "quality": quality,
            "quality_floor": study.quality_floor,
            "draws": study.draws,
            "seed": study.seed,
            "note": study.note,
            "accept_zero": list(study.accept_zero or ()),
        }
        return {name: value for name, value in spec.items() if value not in (None, "", {}, [])}

    def plain(self, x: Any) -> Any:
        """Text, numbers, lists and mappings that say the same."""
        if type(x) in BESIDE:
            fields = self.fields(x)
            return {type(x).__name__.lower(): fields.pop(BESIDE[type(x)]), **fields}
        if dataclasses.is_dataclass(x):
            return getattr(x, "id", None) or self.fields(x)
        if isinstance(x, np.generic):
            return x.item()
        check(not isinstance(x, np.ndarray), "an array of draws cannot be saved; write a Range")
        return x

    def fields(self, x: Any) -> dict[str, Any]:
        """The fields that are neither at their default nor follow from others."""
        found = {}
        for f in dataclasses.fields(x):
            value = getattr(x, f.name)
            factory = f.default_factory
            default = f.default if factory is dataclasses.MISSING else factory()
            api = isinstance(x, (Api, Provisioned))
            follows = (
                isinstance(value, FromCatalogue)
                or getattr(value, "source", "") == "serving-fit"
                or (f.name in ("rent", "commitment") and not isinstance(value, str))
                or (api and (f.name, value) in (("on", self.on), ("mode", "standard")))
            )
            if not follows and not same(value, default):
                found[f.name] = self.plain(value)
        return found

    def options(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """(options, quality): unchanged presets by their labels, as long as they come first.

        From the first changed option on all are written in full.
        """
        study = self.study
        defaults = presets(study.work, on=self.on) if self.on else {}
        kept: list[str] = []
        full: dict[str, Any] = {}
        quality: dict[str, Any] = {}
        for label, option in study.options.items():
            share = _quality(option)
            preset = defaults.get(label)
            if preset and not full and same(with_quality(preset, share), option):
                kept.append(label)
                if share is not None:
                    quality[label] = self.plain(share)
            else:
                full[label] = self.option(option)
        return ({"presets": {"only": kept}} if kept else {}) | full, quality

    def option(self, option: Option | Mix) -> dict[str, Any]:
        if isinstance(option, Mix):
            return {"mix": [self.fields(p) | {"option": self.named(p.option)} for p in option.mix]}
        listed = []
        for technique in option.techniques:
            name, fields = type(technique).__name__, self.fields(technique)
            listed.append({name: fields} if fields else name)
        found = {"serving": self.plain(option.serving), "techniques": listed}
        return found | ({} if option.quality is None else {"quality": self.plain(option.quality)})

    def named(self, option: Any) -> Any:
        """The label of an option of the study, otherwise the option in full."""
        for label, other in self.study.options.items():
            if same(option, other):
                return label
        return self.option(option)


def _quality(option: Option | Mix) -> Any:
    return _quality(option.mix[0].option) if isinstance(option, Mix) else option.quality


def _overrides(study: Study) -> dict[str, Any]:
    """Numbers of records (prices, GPUs, people ...) that are not those of the catalogue."""
    pairs = [
        (key_of(*theirs), value, theirs[2])
        for record in _records((*study.options.values(), study.terms))
        for (*_, value), theirs in zip(walk(record), walk(_published(record)), strict=True)
    ]
    changed = {key: value for key, value, published in pairs if not same(value, published)}
    for key, value, _ in pairs:
        if key in changed and not same(changed[key], value):
            raise CatalogError(
                f"{key} has several values in this scenario, and a file can hold one; "
                "change it in all options"
            )
    return changed


def _records(x: Any) -> Iterator[Any]:
    """Every outermost record inside."""
    if isinstance(x, tuple):
        for item in x:
            yield from _records(item)
    elif hasattr(x, "id"):
        yield x
    elif dataclasses.is_dataclass(x) and not isinstance(x, Doubt):
        for f in dataclasses.fields(x):
            yield from _records(getattr(x, f.name))


def _published(record: Any) -> Any:
    published = published_as(record)
    if published is None:
        raise CatalogError(
            f"{record.id!r} is not in the catalogue and cannot be saved; "
            "use a record of the catalogue and overrides"
        )
    return published
