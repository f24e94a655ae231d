"""The capability of a model: its published index, or a guess from its family, size or price."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from costmodel.choices.quality.tasks import constants, spread, spreads
from costmodel.core import INDEX_END, Z90, CatalogError, Range, middle, public, unknown
from costmodel.facts import catalog
from costmodel.facts.cards import api_price
from costmodel.facts.pricelist import MAKERS, providers
from costmodel.laws.quality import expit
from costmodel.laws.task_quality import capability, capability_by_price, capability_by_size

PUBLISHED = "aa-index"
SIDES = np.array([-1.0, 0.0, 1.0])
NO_NAME = re.compile(r"[-@](20\d\d-\d\d-\d\d|20\d{6}|\d{4}|latest|preview|exp)(?=$|-)")
NUMBER = re.compile(r"(?:^|(?<=[-/]))(?P<letter>[a-z]?)(?P<number>\d{1,2}([.-]\d{1,2})?)(?=$|-)")
BY_SIZE_FROM = date(2025, 1, 1)  # years of the law of sizes count from here
DAYS_PER_YEAR = 365.25


@public
def capability_of(model: str) -> Range:
    """The capability index of a model, published or estimated.

    data/facts/capability.csv says which; its note says how. A model without a row is guessed: an
    open one from its size and date; one of the price list from the latest model of its family that
    has an index, plus what a release adds (1.04 log-odds a year; of 96 successors in the index 12
    stand below), and without such a model from its price, the widest band. The band of a published
    index spans the efforts of reasoning, which the models of a study mostly share. What a guess by
    price misses is partly shared by the models of one maker.

    Parameters
    ----------
    model : str
        Id of the price list, or of an open model.

    Returns
    -------
    Range
        The index, between 0 and 70.

    Raises
    ------
    CatalogError
        For a name that neither list knows; the message names the nearest.

    Examples
    --------
    >>> import costmodel as cm
    >>> [cm.knowledge.capability_of(m).mid for m in ("deepseek-v4-pro", "llama-3.1-8b")]
    [40.83, 7.61]
    >>> cm.knowledge.capability_of("gpt-6-luna").why
    'no index published: follows gpt-5.6-luna (42.05) by 0.21 years'
    >>> cm.knowledge.capability_of("gemini-4-argon").why
    'no index published: from its price of USD 20/Mtok out; ...'
    """
    found = _known(catalog.models().get(model, SimpleNamespace(id=model)))
    if found is None:
        with suppress(CatalogError):
            found = _known(api_price(model))
    if found is None:
        known = {m.id for p in providers() if p.id in MAKERS for m in p.models}
        known |= {fact.id for fact in catalog.facts_of("capability").values()}
        raise unknown(
            "model with a capability", model, known, "capability.csv; or give capability="
        )
    return found


def index_of(model: Any) -> Range:
    """The index of an open model or of a price card, named by its weights.

    A card that nobody has published an index or a price of is a model of today that is not known.
    """
    unknown_model = constants()["unknown_model.capability_mean"]
    why = "nothing is known of this model; give capability="
    nothing = _index(unknown_model.mid, spread(unknown_model), why)
    return _known(model) or replace(nothing, name=f"{same_weights(model.id)}.capability")


def _known(model: Any) -> Range | None:
    """The index as published, or by size, family or price; None where there is nothing to go by."""
    weights, listed = same_weights(model.id), model.id in listed_models()
    row = catalog.facts_of("capability").get(f"{weights}.capability")
    tiers = getattr(model, "tiers", ())
    driver, loading = "effort of reasoning", _law("effort.loading")
    if weights in published():
        index = published()[weights]
    elif row is not None:
        return replace(row.value, name=f"{weights}.capability")
    elif isinstance(model, catalog.Model) and model.parameters and model.released:
        return replace(_by_size(model), name=f"{weights}.capability")
    elif listed and (before := predecessor(weights)):
        index = _after(before, weights)
    elif listed and tiers and (usd := middle(tiers[0].usd_per_mtok_out)):
        index = _by_price(usd)
        driver, loading = f"prices of {model.provider}", _law("one_maker.loading")
    else:
        return None
    if index.low < index.high:
        index = replace(index, driver=driver, loading=loading)
    return replace(index, name=f"{weights}.capability")


def same_weights(model: str) -> str:
    """The model whose weights this one has: it answers alike, whoever runs it.

    >>> same_weights("meta.llama3-3-70b-instruct-v1:0"), same_weights("gpt-6-luna")
    ('llama-3.3-70b', 'gpt-6-luna')
    """
    alike = catalog.facts_of("capability").get(f"{model}.same_weights_as")
    return str(alike.value) if alike else model


def of_model(weights: str) -> Range:
    """What a model has of its own on a task [log-odds]: the same wherever it answers."""
    end = Z90 * spreads().model
    return Range(
        -end, end, 0.0, name=f"{weights}.log_odds_model", form="signed", source="task-quality-fit"
    )


@cache
def listed_models() -> frozenset[str]:
    """Ids of the price list."""
    return frozenset(m.id for p in providers() for m in p.models)


def family_and_version(model: str) -> tuple[str, float]:
    """The words of an id and its number, 0 where it has none; days and "latest" are no part of it.

    >>> family_and_version("claude-opus-5-5"), family_and_version("gemini-3-flash-preview")
    (('claude-opus', 5.5), ('gemini-flash', 3.0))
    """
    name = NO_NAME.sub("", model.lower())
    number = NUMBER.search(name)
    if number is None:
        return name, 0.0
    family = f"{name[: number.start()]}{number['letter'] or ''}{name[number.end() :]}"
    return family.replace("--", "-").strip("-"), float(number["number"].replace("-", "."))


@cache
def published() -> dict[str, Range]:
    """The published indices by model."""
    facts = catalog.facts_of("capability").values()
    return {x.id: x.value for x in facts if dict(x.sources).get("capability") == PUBLISHED}


@cache
def predecessor(model: str) -> str | None:
    """The latest model of the same family, with no higher number, that has a published index."""
    family, version = family_and_version(model)
    versions = {id: family_and_version(id) for id in published()}
    before = [id for id, (name, number) in versions.items() if name == family and number <= version]
    return max(before, key=lambda id: versions[id][1], default=None)


def _after(before: str, model: str) -> Range:
    """The index of a model by that of its predecessor: no worse, and better by the years between.

    What both doubt adds up, on either side. A version of the same number has the same index.
    """
    index, gain = published()[before], constants()["successor.capability_gain"]
    if family_and_version(before) == family_and_version(model):
        return replace(index, why=f"that of {before}")
    days = [catalog.facts_of("releases").get(f"{id}.released") for id in (before, model)]
    mid, said = gain.mid, f"no index published: follows {before} ({index.mid:g})"
    if all(days):
        first, last = (date.fromisoformat(str(day.value)) for day in days if day)
        years = (last - first).days / DAYS_PER_YEAR
        mid, said = _law("successor.per_year") * years, f"{said} by {years:.2g} years"
    gains = np.array([gain.low, mid, mid + Z90 * _law("successor.spread_capability")])
    at = capability(np.array([index.low, index.mid, index.high]))
    return _range(at[1] + mid + SIDES * np.hypot(gains - mid, at - at[1]), said)


def _by_price(usd: float) -> Range:
    base, per_tenfold = (_law(f"by_price.{x}") for x in ("capability_base", "per_tenfold_usd"))
    mean = capability_by_price(usd, base, per_tenfold)
    why = f"no index published: from its price of USD {usd:g}/Mtok out; 90 % by the residual"
    return _index(mean, _law("by_price.spread_capability"), why)


def _by_size(model: catalog.Model) -> Range:
    size, released = middle(model.parameters), str(model.released)
    years = (date.fromisoformat(released) - BY_SIZE_FROM).days / DAYS_PER_YEAR
    names = ("capability_base", "per_tenfold_parameters", "per_year")
    mean = capability_by_size(size, years, *(_law(f"by_size.{name}") for name in names))
    why = f"no index published: from {size / 1e9:.3g} billion parameters of {released}"
    return _index(mean, _law("by_size.spread_capability"), why)


def _law(key: str) -> float:
    return constants()[key].mid


def _index(mean: float, spread: float, why: str) -> Range:
    """The index of a capability that is normal."""
    return _range(mean + SIDES * Z90 * spread, why)


def _range(ends: np.ndarray, why: str) -> Range:
    low, mid, high = (INDEX_END * expit(ends)).tolist()
    return Range(low, high, mid, form="index", source="capability-estimate", why=why)
