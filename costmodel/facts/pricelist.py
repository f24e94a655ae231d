"""The price list of genai-prices: finding a model by name, a moment, and the modes.

genai-prices matches names loosely and falls back silently (an unknown context to the standard
price, an early date to the first price). Here each such guess is an error or a note. Nothing comes
from a network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any

from costmodel.core import CatalogError, check_known, unknown

PRICES_VERSION = version("genai-prices")
LIST = f"genai-prices {PRICES_VERSION}"
# mode -> the request contexts under which genai-prices may list it
MODES: dict[str, tuple[dict[str, str], ...]] = {
    "standard": (),
    "batch": ({"processing": "batch"},),
    "flex": ({"service_tier": "flex"},),
    "priority": ({"service_tier": "priority"},),
    "fast": ({"service_tier": "fast"}, {"speed": "fast"}),
}
# Providers that sell models of their own; every other one is a reseller or a host of open weights.
MAKERS = frozenset(
    "anthropic arcee cohere cursor deepseek elevenlabs google meta minimax mistral moonshotai "
    "openai perplexity typesafe voyageai x-ai zai zhipuai".split()
)


# -- finding a model -------------------------------------------------------------------------------


def providers() -> list[Any]:
    """The providers of the packaged list, also where an updater of genai-prices has run."""
    from genai_prices import data_snapshot

    return data_snapshot._bundled_snapshot().providers


def provider_of(name: str) -> Any:
    """A provider by its id, or by a name that genai-prices declares for it, such as "bedrock"."""
    known = {
        alias: p
        for p in providers()
        if not hasattr(p.provider_match, "and_")
        for alias in _texts(p.provider_match)
    } | {p.id: p for p in providers()}
    check_known("API provider", name, known, LIST)
    return known[name]


def find(model: str, provider: str | None) -> tuple[Any, Any]:
    """(provider, model) of an exact id or a declared alias; a guess is an error."""
    if provider is not None:
        seller = provider_of(provider)
        if entry := entry_of(seller, model):
            return seller, entry
        ids = (m.id for m in seller.models)
        raise unknown("API model", model, ids, f"{seller.id}'s list in {LIST}")
    sellers = likely_sellers(model)
    if not sellers:
        of_makers = {m.id for p in providers() if p.id in MAKERS for m in p.models}
        raise unknown("API model", model, of_makers, LIST)
    if len(sellers) > 1:
        several = ", ".join(p.id for p, _ in sellers)
        raise CatalogError(
            f"{model!r} is sold by several providers; add provider= one of {several}"
        )
    return sellers[0]


@lru_cache(maxsize=4096)
def likely_sellers(model: str) -> list[tuple[Any, Any]]:
    """(provider, model) of the makers that sell the model, otherwise of everybody who sells it."""
    found = ((p, entry_of(p, model)) for p in providers())
    sellers = [(p, m) for p, m in found if m in p.models]
    makers = [(p, m) for p, m in sellers if p.id in MAKERS]
    if len(makers) > 1:  # Google also sells Claude: the name rule of a maker covers its own models
        own = [(p, m) for p, m in makers if p.model_match is None or p.model_match.is_match(model)]
        makers = own or makers
    return makers or sellers


def entry_of(seller: Any, model: str) -> Any:
    """The provider's model of this id or declared alias, give or take a date or version suffix."""
    name = model.lower()
    for m in seller.models:
        if m.id.lower() == name:
            return m
    guess = seller.find_model(model, all_providers=providers())
    tuned = model.startswith("ft:")  # "ft:gpt-4o-2024-08-06:my-org::id" ends as the user chose
    named = guess and any(_is_name(name, alias.lower()) for alias in _texts(guess.match))
    return guess if tuned or named else None


_PREFIX = r"(?:[\w-]+[./])*"  # "us.anthropic.", "publishers/google/models/"
_SUFFIX = (
    r"(?:[-@](?:20\d{6}|20\d\d-\d\d-\d\d|\d\d-\d\d|\d{3,4}|latest|preview|exp|v\d+(?::\d+)?))*"
)


def _is_name(model: str, alias: str) -> bool:
    """Whether a model is called by an alias, give or take a prefix and a date or version suffix."""
    if alias.startswith("^"):
        return alias.endswith("$") and bool(re.search(alias, model))
    before, found, after = model.partition(alias)
    return bool(found and re.fullmatch(_PREFIX, before) and re.fullmatch(_SUFFIX, after))


def _texts(clause: Any) -> Iterable[str]:
    """Every text of a match clause of genai-prices."""
    if clause is None or isinstance(clause, str):
        return [clause] if clause else []
    parts = clause if isinstance(clause, list) else vars(clause).values()
    return [text for part in parts for text in _texts(part)]


# -- time and mode ---------------------------------------------------------------------------------


def moment(entry: Any, on: str) -> tuple[datetime, list[str]]:
    """The moment whose price is meant, and what has to be said about it."""
    when, notes = _parsed(on), []
    dated = entry.prices if isinstance(entry.prices, list) else []
    ends = [getattr(p.constraint, end, None) for p in dated for end in ("start_time", "end_time")]
    hours = {end.replace(tzinfo=None) for end in ends if end}  # at which a price begins or ends
    if hours and "T" not in on:
        moments = [datetime.combine(when.date(), hour, UTC) for hour in sorted({time(0), *hours})]
        when = max(moments, key=lambda m: rate_of(entry.get_prices(m).input_mtok) or 0)
        if any(entry.get_prices(m) != entry.get_prices(when) for m in moments):
            notes.append(
                "the price changes with the hour and none was given: the dearest, "
                f"from {when:%H:%M} UTC"
            )
    if dated and not any(p.constraint is None or p.constraint.active(when) for p in dated):
        first = dated[0].constraint.start_date
        raise CatalogError(f"no price of {entry.id} is known for {on}; its first one is of {first}")
    if when.date() < history_start():
        raise CatalogError(
            f"on is {on!r}: the price list has no history before {history_start()}; "
            "choose a later date"
        )
    return when, notes


def _parsed(on: str) -> datetime:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d)?", on):
            return datetime.fromisoformat(on).replace(tzinfo=UTC)
    except (TypeError, ValueError):
        pass
    raise ValueError(f"on is {on!r}, write it as 'YYYY-MM-DD', or 'YYYY-MM-DDTHH:MM' in UTC")


@cache
def history_start() -> date:
    """The earliest date on which the price list records a change."""
    models = (m for p in providers() for m in p.models if isinstance(m.prices, list))
    limits = (price.constraint for m in models for price in m.prices)
    return min(c.start_date for c in limits if hasattr(c, "start_date"))


def rate_of(price: Any, start: int = 0) -> float | None:
    """The rate of a plain or tiered price in the tier that begins at `start`; 0 for the base."""
    if price is None:
        return None
    reached = [tier.price for tier in getattr(price, "tiers", ()) if tier.start <= start]
    return float(reached[-1] if reached else getattr(price, "base", price))


def context_of(
    entry: Any, seller: Any, mode: str, on: str, when: datetime
) -> dict[str, str] | None:
    """The request context of a mode that is priced at that moment; None for the standard mode."""
    check_known("mode", mode, MODES, "API prices")
    if mode == "standard":
        return None
    variants = (entry.price_variants or []) if entry in seller.models else []
    variants = [v for v in variants if any(vars(v.prices).values())]
    active = [v for v in variants if v.constraint is None or v.constraint.active(when)]
    for variant in active:
        if variant.when in MODES[mode]:
            return variant.when
    modes = [name for name, contexts in MODES.items() if any(v.when in contexts for v in active)]
    later = next((v.constraint.start_date for v in variants if v.when in MODES[mode]), None)
    begins = f"; {mode} prices begin on {later}" if later else ""
    raise CatalogError(
        f"{entry.id} at {seller.id} has no {mode!r} price on {on}{begins}; "
        f"its modes that day: {', '.join(['standard', *modes])}"
    )
