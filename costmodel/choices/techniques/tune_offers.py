"""What providers and licences allow: offers of managed fine-tuning, their dates and prices, and whose answers may train a student."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from costmodel.choices.servings.hosted import Hosted
from costmodel.core.draws import middle
from costmodel.core.errors import Infeasible
from costmodel.core.units import DAYS_PER_WEEK, KILO, MILLION
from costmodel.facts import catalog
from costmodel.facts.prices import ApiPrice


def open_model(name: str) -> Any:
    """The open model that an API's id names (the longest match), or None.

    >>> open_model("meta-llama/Llama-3.1-8B-Instruct-Turbo").id
    'llama-3.1-8b'
    """
    wanted = name.rsplit("/", 1)[-1].lower().replace("_", ".")
    found = [id for id in catalog.models() if id in wanted and "distill" not in wanted]
    return catalog.model(max(found, key=len)) if found else None


def refuse_base(offer: catalog.Tuning, serving: Any, how: str = "FineTune") -> None:
    """Refuse an offer that does not tune this model: by its name, or by the size class that the offer states.

    A size class tunes open weights, which then run on GPUs that are paid by the hour: its serving is Hosted.
    """
    model, name = serving.model, type(serving).__name__
    if offer.parameters_up_to is None:
        if isinstance(serving, Hosted):
            raise Infeasible(
                f"{how}: {offer.id} is a provider's offer, this serving is {name}; leave tuning out"
            )
        if offer.base != model.id:
            raise Infeasible(
                f"{how}: {offer.id} tunes {offer.base!r}, this serving answers with {model.id!r}"
            )
        return
    if not isinstance(serving, Hosted):
        raise Infeasible(
            f"{how}: {offer.id} tunes {offer.base}, whose tuned weights run on GPUs by the hour, this serving is {name}; "
            "take Hosted(model, gpu=..., rent=...) with the rent of the endpoint"
        )
    low, high, size = middle((offer.parameters_from, offer.parameters_up_to, model.parameters))
    if np.any(np.asarray(size) < low) or np.any(np.asarray(size) > high):
        raise Infeasible(
            f"{how}: {offer.id} tunes {offer.base}; {model.id} has {np.max(size) / (KILO * MILLION):.0f} billion parameters"
        )


def refuse_terms(teacher: Any, student: Any, allowed: bool) -> None:
    """Refuse a teacher whose terms may forbid to train on its answers, unless the user's contract allows it.

    Closed models do; of open weights their licence decides (data/facts/licences.csv), and a licence that excepts models of its
    own maker lets them learn.
    """
    if allowed:
        return
    model = teacher.model if isinstance(teacher, Hosted) else open_model(teacher.model.id)
    if model is None:
        raise Infeasible(
            f"{teacher.model.id} is not known as open weights, and terms of closed models forbid to train on their answers; "
            "take an open teacher such as deepseek-v4-pro, or terms_allow_training=True"
        )
    key = f"{(model.licence or 'unknown').lower().replace(' ', '-')}.may_train_others"
    fact = catalog.facts_of("licences").get(key)
    if fact is None:
        raise Infeasible(
            f"whether the licence of {model.id} ({model.licence or 'not published'}) lets its answers train another model is not known; "
            "read it, and set terms_allow_training=True if it does"
        )
    if fact.value.mid < 1 and model.maker != getattr(student, "maker", None):
        raise Infeasible(
            f"the {model.licence} of {model.id} forbids to train other models on its answers; take another teacher, or a student by {model.maker}"
        )


def tuned_price(card: ApiPrice, offer: catalog.Tuning) -> ApiPrice:
    """The price card of a tuned model: the stated prices, or every class of the base times the premium."""
    if offer.usd_per_mtok_in is not None and offer.usd_per_mtok_out is not None:
        tier = replace(
            card.tiers[0],
            usd_per_mtok_in=offer.usd_per_mtok_in,
            usd_per_mtok_out=offer.usd_per_mtok_out,
            usd_per_mtok_cache_read=None,
            usd_per_mtok_cache_write=None,
            usd_per_mtok_cache_write_1h=None,
            usd_per_mtok_reasoning=None,
        )
        return replace(
            card, id=offer.id, tiers=(replace(tier, id=offer.id),), sources=offer.sources
        )
    if offer.premium is None:
        raise Infeasible(
            f"what {offer.id} charges for tokens of the tuned model is not known; choose another offer"
        )
    rates = [f for f in card.tiers[0].__dataclass_fields__ if f.startswith("usd_")]
    tiers = tuple(
        replace(t, **{f: getattr(t, f) * offer.premium for f in rates if getattr(t, f) is not None})
        for t in card.tiers
    )
    return replace(card, tiers=tiers, sources=(*card.sources, *offer.sources))


def refuse_closed(offer: catalog.Tuning, start: str, build_weeks: Any, customer: bool) -> None:
    """Refuse an offer that is closed when the first run would be made: `build_weeks` after the start, or at once for strangers."""
    weeks = float(np.min(build_weeks))
    first = (date.fromisoformat(start) + timedelta(days=weeks * DAYS_PER_WEEK)).isoformat()
    when = f"this option starts on {start} and takes {weeks:.3g} weeks to its first run"
    if offer.closes_new and start >= offer.closes_new and not customer:
        raise Infeasible(
            f"{offer.id}: closed to new customers since {offer.closes_new}; set customer=True if you are one"
        )
    if offer.closes and first >= offer.closes:
        raise Infeasible(f"{offer.id}: fine-tuning closes on {offer.closes}, {when}")
    if offer.retires and first >= offer.retires:
        raise Infeasible(f"{offer.id}: the tuned model is retired on {offer.retires}, {when}")
