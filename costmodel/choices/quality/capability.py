"""The capability of a model: its published index, or a guess from its price with a wide band."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from costmodel.core import CatalogError, Range, public, unknown
from costmodel.facts import catalog
from costmodel.facts.cards import api_price
from costmodel.facts.pricelist import MAKERS, providers
from costmodel.laws.task_quality import INDEX_END, capability, capability_by_price


@public
@lru_cache(maxsize=4096)
def capability_of(model: str) -> Range:
    """The capability index of a model, published or estimated.

    data/facts/capability.csv says which; its note says how. A model of the price list without a row
    is guessed from its price, the widest band. The band of a published index spans the efforts of
    reasoning.

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
    try:
        price = api_price(model).tiers[0].usd_per_mtok_out
    except (CatalogError, TypeError, AttributeError):
        price = None
    if not price:
        known = {m.id for p in providers() if p.id in MAKERS for m in p.models}
        known |= {fact.id for fact in facts.values()}
        raise unknown(
            "model with a capability", model, known, "capability.csv; or give capability="
        )
    law = {
        f.field: f.value for f in catalog.facts_of("task_quality").values() if f.id == "by_price"
    }
    mid = float(capability_by_price(price, law["capability_base"].mid, law["per_tenfold_usd"].mid))
    wide = law["spread_capability"]
    ends = mid + np.array([-1.0, 0.0, 1.0]) * wide.z_of_end * wide.mid
    low, middle, high = (float(INDEX_END / (1 + np.exp(-end))) for end in ends)
    why = f"no index published: from its price of USD {price:g}/Mtok out; 90 % by the residual"
    return Range(low, high, middle, form="amount", source="capability-estimate", why=why)


def with_doubt(index: Range) -> tuple[float, float]:
    """Capability of an index and its spread [log-odds].

    >>> [round(x, 2) for x in with_doubt(Range(9.2, 39.4, 21.5))]
    [-0.81, 0.65]
    """
    low, mid, high = (float(capability(end)) for end in (index.low, index.mid, index.high))
    return mid, (high - low) / (2 * index.z_of_end)
