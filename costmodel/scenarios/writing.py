"""From a study to YAML text that computes the same: what differs from the defaults, and dates."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from costmodel.choices.mixes import Mix
from costmodel.choices.options import Option
from costmodel.choices.presets import presets, with_quality
from costmodel.choices.quality.accepted import usual_of_model
from costmodel.choices.quality.task import HARDNESS, Task
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.servings.own import YOURS
from costmodel.choices.servings.provisioned import Provisioned
from costmodel.choices.study import Study, evaluation_name
from costmodel.choices.zeros import zeros
from costmodel.core import CatalogError, Measured, Usual, check, named, not_none, objects, same
from costmodel.facts.prices import OWN, UNUSUAL
from costmodel.facts.records import FromCatalogue, Gpu, Model
from costmodel.ledgers.evidence import published_as
from costmodel.scenarios.overriding import overrides, refuse_difference
from costmodel.scenarios.places import SERVINGS
from costmodel.scenarios.reading import read

FILE = "the saved scenario"  # what messages call it
BESIDE = dict(SERVINGS.values())  # the field that stands beside the name of a serving


def as_yaml(study: Study) -> str:
    """The study as YAML text: only what differs from the defaults, and every price date.

    What its fields cannot say stands under `overrides`. `CatalogError` for what a file cannot say:
    a record of your own, or one changed in one option.
    """
    for record in objects((study.inputs, study.evidence)):
        if hasattr(record, "sources") and not _is_own(record):
            _check_published(record)
    plain = _text(study, {})
    found = overrides(study, _read(plain, study))
    if not found:
        return plain
    text = _text(study, found)
    refuse_difference(study, _read(text, study))
    return text


def _read(text: str, study: Study) -> Study:
    """What the text says; one that nobody has named yet may be read too."""
    try:
        return read(text, FILE, Path(), {"title": study.title or "a scenario"})
    except ValueError as error:
        why = named(str(error).removeprefix(f"{FILE}: "))
        raise CatalogError(f"this cannot be saved, as no file may say it: {why}") from error


def _text(study: Study, changed: dict[str, Any]) -> str:
    """The text of a study with these overrides."""
    return yaml.dump(
        _spec(study, changed),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=120,
        default_flow_style=None,
    )


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _spec(study: Study, changed: dict[str, Any]) -> dict[str, Any]:
    """Everything that the file says."""
    options, quality = _options(study)
    spec = {
        "title": study.title,
        "prepared_for": study.prepared_for,
        "workload": _workload(study),
        "terms": _fields(study.terms, study),
        "options": options,
        "overrides": {key: _plain(value, study) for key, value in changed.items()},
        "quality": quality,
        "evidence": {label: _option(label, x, study) for label, x in study.evidence.items()},
        "quality_floor": study.quality_floor,
        "confidence": study.confidence,
        "risk": study.risk,
        "draws": study.draws,
        "seed": study.seed,
        "note": study.note,
        "accept_zero": _zeros(study),
    }
    return {name: value for name, value in spec.items() if value not in (None, "", {}, [])}


def _zeros(study: Study) -> list[str]:
    """The zeros that are meant: those that were accepted, else all, since no other is left."""
    return list(zeros(*study.inputs) if study.accept_zero is None else study.accept_zero)


def _plain(x: Any, study: Study) -> Any:
    """Text, numbers, lists and mappings that say the same."""
    if isinstance(x, Api) and x.provider == OWN:
        return _own_api(x, study)
    if type(x) in BESIDE:
        fields = _fields(x, study)
        if isinstance(x, Hosted) and _is_own(x.gpu):
            fields["gpu"]["usd_per_gpu_hour"] = _plain(x.rent.usd_per_gpu_hour, study)
        return {type(x).__name__.lower(): fields.pop(BESIDE[type(x)]), **fields}
    if _is_own(x) and isinstance(x, (Gpu, Model)):
        given = {name: _plain(getattr(x, name), study) for name, s in x.sources if s == YOURS}
        return {f"own_{type(x).__name__.lower()}": x.id, **given}
    if dataclasses.is_dataclass(x):
        return getattr(x, "id", None) or _fields(x, study)
    if isinstance(x, np.generic):
        return x.item()
    check(not isinstance(x, np.ndarray), "an array of draws cannot be saved; write a Range")
    return x


def _own_api(x: Api, study: Study) -> dict[str, Any]:
    """An API with prices of your own: what `own_api` takes."""
    card, fields = x.model, _fields(x, study)
    of_card = not_none(**{name: getattr(card, name) for name in ("window", "usd_per_request")})
    usd = {name: v for name, v in vars(card.tiers[0]).items() if name.startswith("usd_")}
    plain = {name: _plain(v, study) for name, v in not_none(**usd, **of_card).items()}
    rest = {name: v for name, v in fields.items() if name not in ("model", "provider")}
    why = [note.removeprefix(f"{UNUSUAL}: ") for note in card.notes if note.startswith(UNUSUAL)]
    return {"own_api": card.id, **plain, **rest, **({"note": why[0]} if why else {})}


def _is_fitted(value: Any) -> bool:
    """Whether a number of a serving is that of its fit; an error of one's own would drop both."""
    return getattr(value, "source", "") == "serving-fit"


def _is_own(x: Any) -> bool:
    """Whether a record is the user's, and not one of the catalogue."""
    return YOURS in dict(getattr(x, "sources", ())).values()


def _fields(x: Any, study: Study) -> dict[str, Any]:
    """The fields that are neither at their default nor follow from others.

    API prices of the day of the study's terms need no date of their own.
    """
    usual = (("on", study.terms.on), ("mode", "standard"))
    of_model = usual_of_model(x.model) if isinstance(x, (Api, Hosted)) else {}
    found = {}
    for f in dataclasses.fields(x):
        value = getattr(x, f.name)
        factory = f.default_factory
        default = f.default if factory is dataclasses.MISSING else factory()
        follows = (
            isinstance(value, (FromCatalogue, Usual))
            or _is_fitted(value)
            or (f.name == "error" and _is_fitted(getattr(x, "first_token_error", None)))
            or (isinstance(value, tuple) and any(hasattr(each, "sources") for each in value))
            or (f.name in ("rent", "commitment", "people") and not isinstance(value, str))
            or (isinstance(x, (Api, Provisioned)) and (f.name, value) in usual)
            or (f.name in of_model and same(of_model[f.name], value))
        )
        if not follows and not same(value, default):
            found[f.name] = _plain(value, study)
    return found


def _workload(study: Study) -> dict[str, Any]:
    """The fields of the workload; its task by its words, and how hard it is where that was said."""
    task: Any = study.work.task
    found = _fields(study.work, study)
    found.pop("task")
    if not task.not_said:
        found["task"] = task.id
    if not same(task.difficulty, Task(task.id, not_said=task.not_said).difficulty):
        found["difficulty"] = _difficulty(task, study)
    return found


def _difficulty(task: Task, study: Study) -> Any:
    """The word for it, or the number or range that was given."""
    meant = {word: Task(task.id, word, not_said=task.not_said) for word in HARDNESS}
    words = (word for word in meant if same(meant[word].difficulty, task.difficulty))
    return next(words, None) or _plain(task.difficulty, study)


def _options(study: Study) -> tuple[dict[str, Any], dict[str, Any]]:
    """(options, quality): unchanged presets by their labels, as long as they come first.

    From the first changed option on all are written in full.
    """
    defaults: dict[str, Any] = {}
    with suppress(CatalogError):  # on an early day their models have no price yet
        on = study.terms.on
        defaults = presets(study.work, on=on, only="all") if on else {}
    kept: dict[str, Any] = {}  # unchanged presets, and what evaluations say of them
    full: dict[str, Any] = {}
    for label, option in study.options.items():
        share = option.quality
        preset = defaults.get(label)
        if preset and not full and same(with_quality(preset, share), option):
            kept[label] = _judged(label, share, study)
        else:
            full[label] = _option(label, option, study)
    ready = {"presets": {"only": list(kept)}} if kept else {}
    return ready | full, not_none(**kept)


def _option(label: str, option: Option | Mix, study: Study) -> dict[str, Any]:
    if isinstance(option, Mix):
        parts = [_fields(p, study) | {"option": _named(label, p.option, study)} for p in option.mix]
        signal, quality = option.signal, _judged(label, option.quality, study)
        return not_none(mix=parts, signal=signal and _fields(signal, study), quality=quality)
    listed = []
    for technique in option.techniques:
        name, fields = type(technique).__name__, _fields(technique, study)
        listed.append({name: fields} if fields else name)
    serving, quality = _plain(option.serving, study), _judged(label, option.quality, study)
    return not_none(serving=serving, techniques=listed, quality=quality)


def _named(mix: str, option: Any, study: Study) -> Any:
    """The label of an option of the study, otherwise the option in full."""
    labels = (label for label, other in study.options.items() if same(option, other))
    return next(labels, None) or _option(mix, option, study)


def _judged(label: str, quality: Any, study: Study) -> Any:
    """The quality of an option; the name that its label gives to an evaluation goes unsaid."""
    plain = _plain(quality, study)
    if isinstance(quality, Measured) and quality.name == evaluation_name(label, quality):
        del plain["name"]
    return plain


def _check_published(record: Any) -> None:
    if published_as(record) is None:
        raise CatalogError(
            f"{record.id!r} is not in the catalogue and cannot be saved; "
            "use a record of the catalogue and overrides"
        )
