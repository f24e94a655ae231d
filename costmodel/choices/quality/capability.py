"""The capability of a model: its published index, or a guess from its price with a wide band."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np

from costmodel.choices.quality.tasks import constants, spreads
from costmodel.core import INDEX_END, Z90, CatalogError, Range, middle, public, unknown
from costmodel.facts import catalog
from costmodel.facts.cards import api_price
from costmodel.facts.pricelist import MAKERS, providers
from costmodel.laws.quality import expit
from costmodel.laws.task_quality import capability, capability_by_price, capability_by_size

BY_SIZE_FROM = date(2025, 1, 1)  # years of the law of sizes count from here
DAYS_PER_YEAR = 365.25


@public
def capability_of(model: str) -> Range:
    """The capability index of a model, published or estimated.

    data/facts/capability.csv says which; its note says how. A model without a row is guessed: an
    open one from its size and date, one of the price list from its price, the widest band. The band
    of a published index spans the efforts of reasoning. What a guess by price misses is partly
    shared by the models of one maker.

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
    'no index published: from its price of USD 0.5/Mtok out; ...'
    """
    facts = catalog.facts_of("capability")
    if f"{model}.capability" in facts:
        return facts[f"{model}.capability"].value
    if model in catalog.models():
        return index_of(catalog.model(model))
    try:
        return index_of(api_price(model))
    except CatalogError:
        known = {m.id for p in providers() if p.id in MAKERS for m in p.models}
        known |= {fact.id for fact in facts.values()}
        raise unknown(
            "model with a capability", model, known, "capability.csv; or give capability="
        ) from None


def index_of(model: Any) -> Range:
    """The index of an open model or of a price card, named by its weights.

    A card that nobody has published an index or a price of is a model of today that is not known.
    """
    weights = same_weights(model.id)
    found = catalog.facts_of("capability").get(f"{weights}.capability")
    if found is not None:
        index = found.value
    elif isinstance(model, catalog.Model) and model.parameters and model.released:
        index = _by_size(model.parameters, model.released)
    else:
        tiers = getattr(model, "tiers", ())
        usd = middle(tiers[0].usd_per_mtok_out) if tiers else None
        listed = model.id in listed_models()
        index = _by_price(usd, getattr(model, "provider", None)) if usd and listed else _nothing()
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
    spread = spreads().model
    end = Z90 * spread
    return Range(
        -end, end, 0.0, name=f"{weights}.log_odds_model", form="signed", source="task-quality-fit"
    )


@lru_cache(maxsize=1)
def listed_models() -> frozenset[str]:
    """Ids of the price list."""
    return frozenset(m.id for p in providers() for m in p.models)


def _by_price(usd: float, maker: str | None) -> Range:
    base, per_tenfold = (_law(f"by_price.{x}") for x in ("capability_base", "per_tenfold_usd"))
    mean = capability_by_price(usd, base, per_tenfold)
    why = f"no index published: from its price of USD {usd:g}/Mtok out; 90 % by the residual"
    guess = _index(float(mean), _law("by_price.spread_capability"), why)
    if maker is None:
        return guess
    return replace(guess, driver=f"prices of {maker}", loading=_law("one_maker.loading"))


def _by_size(parameters: Any, released: str) -> Range:
    size = middle(parameters)
    years = (date.fromisoformat(released) - BY_SIZE_FROM).days / DAYS_PER_YEAR
    names = ("capability_base", "per_tenfold_parameters", "per_year")
    mean = capability_by_size(size, years, *(_law(f"by_size.{name}") for name in names))
    why = f"no index published: from {size / 1e9:.3g} billion parameters of {released}"
    return _index(float(mean), _law("by_size.spread_capability"), why)


def _nothing() -> Range:
    """A model of today of which nothing is known; give capability= where you know more."""
    band = constants()["unknown_model.capability_mean"]
    spread = (band.high - band.low) / (2 * band.z_of_end)
    return _index(band.mid, spread, "nothing is known of this model; give capability=")


def _law(key: str) -> float:
    return constants()[key].mid


def _index(mean: float, spread: float, why: str) -> Range:
    """The index of a capability that is normal."""
    ends = mean + np.array([-1.0, 0.0, 1.0]) * Z90 * spread
    low, mid, high = (float(INDEX_END * expit(end)) for end in ends)
    return Range(low, high, mid, form="index", source="capability-estimate", why=why)


def with_doubt(index: Range) -> tuple[float, float]:
    """Capability of an index and its spread [log-odds].

    >>> [round(x, 2) for x in with_doubt(Range(9.2, 39.4, 21.5))]
    [-0.81, 0.65]
    """
    low, mid, high = (float(capability(end)) for end in (index.low, index.mid, index.high))
    return mid, (high - low) / (2 * index.z_of_end)
