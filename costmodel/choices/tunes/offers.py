"""What providers and licences allow: offers of managed fine-tuning, and whose answers may train."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from costmodel.choices.servings.hosted import Hosted
from costmodel.core import DAYS_PER_WEEK, KILO, MILLION, Infeasible, middle, number_text
from costmodel.facts import catalog
from costmodel.facts.pricelist import MAKERS, likely_sellers
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
    """Refuse an offer that does not tune this model: by its name, or by the size class it states.

    A size class tunes open weights, which then run on GPUs that are paid by the hour: Hosted. Where
    the offer states a price of the tuned model, an API answers.
    """
    model, is_hosted = serving.model, isinstance(serving, Hosted)
    tunes, this = (
        f"{how}: {offer.id} tunes {offer.base}",
        f"this serving is {type(serving).__name__}",
    )
    if offer.parameters_up_to is None:
        if is_hosted:
            raise Infeasible(f"{how}: {offer.id} is a provider's offer, {this}; leave tuning out")
        if offer.base != model.id:
            raise Infeasible(
                f"{how}: {offer.id} tunes {offer.base!r}, this serving answers with {model.id!r}"
            )
        return
    if not is_hosted and offer.premium is None:
        raise Infeasible(
            f"{tunes}, whose tuned weights run on GPUs by the hour, {this}; "
            "take Hosted(model, gpu=..., rent=...) with the rent of the endpoint"
        )
    weights = model if is_hosted else open_model(model.id)
    if weights is None:
        raise Infeasible(f"{tunes}; how large {model.id} is, is not known")
    low, high, size = middle((offer.parameters_from, offer.parameters_up_to, weights.parameters))
    if np.any(np.clip(size, low, high) != size):
        billions = np.max(size) / (KILO * MILLION)
        raise Infeasible(f"{tunes}; {model.id} has {billions:.0f} billion parameters")


def maker_of(serving: Any) -> str | None:
    """The maker of a model that its maker itself sells, or None.

    >>> from costmodel.choices.servings.api import Api
    >>> maker_of(Api("gpt-4o")), maker_of(Api("gpt-4o", provider="azure"))
    ('openai', None)
    """
    sellers = [p.id for p, _ in likely_sellers(serving.model.id)]
    sold = getattr(serving, "provider", None)
    return sold if sold in MAKERS and sellers == [sold] else None


def refuse_terms(teacher: Any, student: Any, allowed: bool) -> None:
    """Refuse a teacher whose terms may forbid to train on its answers, for a student's serving.

    Closed models do, but for models of the same maker, which it trains itself. Of open weights
    their licence decides (data/facts/licences.csv), and a licence that excepts models of its own
    maker lets them learn. The user's contract may allow it.
    """
    if allowed or maker_of(teacher) == maker_of(student) is not None:
        return
    model = teacher.model if isinstance(teacher, Hosted) else open_model(teacher.model.id)
    if model is None:
        raise Infeasible(
            f"{teacher.model.id} is not known as open weights, and terms of closed models forbid "
            "to train on their answers; take an open teacher such as deepseek-v4-pro, "
            "or terms_allow_training=True"
        )
    licence = model.licence or "unknown"
    key = f"{licence.lower().replace(' ', '-')}.may_train_others"
    may_train = catalog.facts_of("licences").get(key)
    if may_train is None:
        raise Infeasible(
            f"whether the licence of {model.id} ({model.licence or 'not published'}) lets its "
            "answers train another model is not known; read it, and set terms_allow_training=True "
            "if it does"
        )
    learns = student.model if isinstance(student, Hosted) else open_model(student.model.id)
    if may_train.value.mid < 1 and model.maker != getattr(learns, "maker", None):
        raise Infeasible(
            f"the {licence} of {model.id} forbids to train other models on its answers; "
            f"take another teacher, or a student by {model.maker}"
        )


def tuned_price(card: ApiPrice, offer: catalog.Tuning) -> ApiPrice:
    """The price card of a tuned model: the stated prices, or every class times the premium."""
    if offer.usd_per_mtok_in is not None and offer.usd_per_mtok_out is not None:
        tier = replace(
            card.tiers[0],
            id=offer.id,
            usd_per_mtok_in=offer.usd_per_mtok_in,
            usd_per_mtok_out=offer.usd_per_mtok_out,
            usd_per_mtok_cache_read=None,
            usd_per_mtok_cache_write=None,
            usd_per_mtok_cache_write_1h=None,
            usd_per_mtok_reasoning=None,
        )
        asked = f"the price of {offer.id} for a tuned model"
        return replace(card, id=offer.id, tiers=(tier,), sources=offer.sources, asked=asked)
    if offer.premium is None:
        raise Infeasible(
            f"what {offer.id} charges for tokens of the tuned model is not known; "
            "choose another offer"
        )
    tiers = []
    for tier in card.tiers:
        prices = {name: usd for name, usd in vars(tier).items() if name.startswith("usd_")}
        known = {name: usd * offer.premium for name, usd in prices.items() if usd is not None}
        tiers.append(replace(tier, **known))
    times = f"{number_text(middle(offer.premium))} x " if np.any(offer.premium != 1) else ""
    asked = f"{times}the list price, as {offer.id} asks for a tuned model"
    sources = (*card.sources, *offer.sources)
    return replace(card, tiers=tuple(tiers), sources=sources, asked=asked)


def refuse_closed(offer: catalog.Tuning, start: Any, build_weeks: Any, customer: bool) -> None:
    """Refuse an offer that is closed at the first run, `build_weeks` after the start.

    One that takes no new customers is closed at once, unless you are a customer.
    """
    days = np.min(build_weeks) * DAYS_PER_WEEK

    def late(last: str | None) -> bool:
        """Whether the first run is not before this day."""
        if not last:
            return False
        return bool(days >= (date.fromisoformat(last) - date.fromisoformat(start)).days)

    def when() -> str:
        weeks = float(days) / DAYS_PER_WEEK
        return f"this option starts on {start} and takes {weeks:.3g} weeks to its first run"

    if offer.closes_new and start >= offer.closes_new and not customer:
        raise Infeasible(
            f"{offer.id}: closed to new customers since {offer.closes_new}; "
            "set customer=True if you are one"
        )
    if late(offer.closes):
        raise Infeasible(f"{offer.id}: fine-tuning closes on {offer.closes}, {when()}")
    if late(offer.retires):
        raise Infeasible(f"{offer.id}: the tuned model is retired on {offer.retires}, {when()}")
