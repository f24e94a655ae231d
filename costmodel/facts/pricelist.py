"""The packaged price list: finding a model by its exact name, the moment that is meant, and the modes that are priced.

genai-prices matches names loosely and falls back silently (an unknown context to the standard price, an early date to
the first price); everything here turns such a guess into an error or a note. Never from a network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import UTC, date, datetime, time
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any

from costmodel.core.errors import CatalogError, unknown

PRICES_VERSION = version("genai-prices")


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
    [
        "anthropic",
        "arcee",
        "cohere",
        "cursor",
        "deepseek",
        "elevenlabs",
        "google",
        "meta",
        "minimax",
        "mistral",
        "moonshotai",
        "openai",
        "perplexity",
        "typesafe",
        "voyageai",
        "x-ai",
        "zai",
        "zhipuai",
    ]
)


# -- finding a model -----------------------------------------------------------------------------------


def providers() -> list[Any]:
    from genai_prices import data_snapshot

    return (
        data_snapshot._bundled_snapshot().providers
    )  # the packaged prices, also where an updater has run


def provider_of(name: str) -> Any:
    """A provider by id, or by a name that genai-prices declares for it, such as "bedrock" or "vertex"."""
    known = {
        alias: p
        for p in providers()
        if not hasattr(p.provider_match, "and_")
        for alias in _texts(p.provider_match)
    }
    known |= {p.id: p for p in providers()}
    if name not in known:
        raise unknown("API provider", name, known, f"genai-prices {PRICES_VERSION}")
    return known[name]


def find(model: str, provider: str | None) -> tuple[Any, Any]:
    """(provider, model) of an exact id or a declared alias; a guess is an error."""
    if provider is not None:
        seller = provider_of(provider)
        if entry := entry_of(seller, model):
            return seller, entry
        names = [m.id for m in seller.models]
        names = [name for name in names if model.lower() in name.lower()] or names
        raise unknown(
            "API model", model, names, f"{seller.id}'s list in genai-prices {PRICES_VERSION}"
        )
    chosen = choices(model)
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        raise CatalogError(
            f"{model!r} is sold by several providers; add provider= one of "
            + ", ".join(p.id for p, _ in chosen)
        )
    own = {m.id for p in providers() if p.id in MAKERS for m in p.models}
    raise unknown("API model", model, own, f"genai-prices {PRICES_VERSION}")


def choices(model: str) -> list[tuple[Any, Any]]:
    """The makers that sell the model, otherwise everybody who sells it."""
    sellers = sellers_of(model)
    makers = [s for s in sellers if s[0].id in MAKERS]
    if (
        len(makers) > 1
    ):  # Google also sells Claude: a maker's own models are those its name rule covers
        makers = [
            s for s in makers if s[0].model_match is None or s[0].model_match.is_match(model)
        ] or makers
    return makers or sellers


@lru_cache(maxsize=4096)
def sellers_of(model: str) -> list[tuple[Any, Any]]:
    """Every (provider, entry) that lists the model itself."""
    found = ((p, entry_of(p, model)) for p in providers())
    return [(p, m) for p, m in found if m and any(m is x for x in p.models)]


def entry_of(seller: Any, model: str) -> Any:
    """The provider's entry for this name: its id, or an alias it declares, give or take a date or version suffix."""
    for m in seller.models:
        if m.id.lower() == model.lower():
            return m
    m = seller.find_model(model, all_providers=providers())
    tuned = model.startswith("ft:")  # "ft:gpt-4o-2024-08-06:my-org::id" ends in what the user chose
    return (
        m
        if m and (tuned or any(_is_name(model.lower(), text.lower()) for text in _texts(m.match)))
        else None
    )


_PREFIX = r"(?:[\w-]+[./])*"  # "us.anthropic.", "publishers/google/models/"
_SUFFIX = (
    r"(?:[-@](?:20\d{6}|20\d\d-\d\d-\d\d|\d\d-\d\d|\d{3,4}|latest|preview|exp|v\d+(?::\d+)?))*"
)


def _is_name(model: str, text: str) -> bool:
    if text.startswith("^"):
        return bool(re.search(text, model)) and text.endswith("$")
    before, found, after = model.partition(text)
    return bool(found and re.fullmatch(_PREFIX, before) and re.fullmatch(_SUFFIX, after or ""))


def _texts(clause: Any) -> Iterable[str]:
    """Every text of a match clause of genai-prices."""
    if clause is None:
        return []
    parts = getattr(clause, "or_", None) or getattr(clause, "and_", None)
    if parts:
        return [text for part in parts for text in _texts(part)]
    return [str(getattr(clause, f.name)) for f in fields(clause)]


# -- time and mode -------------------------------------------------------------------------------------


def moment(entry: Any, on: str) -> tuple[datetime, list[str]]:
    """The moment whose price is meant, and what has to be said about it."""
    try:
        when = datetime.fromisoformat(on).replace(tzinfo=UTC)
    except (TypeError, ValueError):
        when = None
    if when is None or not re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d)?", on):
        raise ValueError(f"on is {on!r}, write it as 'YYYY-MM-DD', or 'YYYY-MM-DDTHH:MM' in UTC")
    dated = entry.prices if isinstance(entry.prices, list) else []
    notes = []
    hours = {x for p in dated for x in _hours(p.constraint)}
    if hours and "T" not in on:
        moments = [datetime.combine(when.date(), hour, UTC) for hour in sorted({time(0), *hours})]
        dearest = max(moments, key=lambda m: _base(entry.get_prices(m).input_mtok))
        if any(entry.get_prices(m) != entry.get_prices(dearest) for m in moments):
            notes.append(
                f"the price changes with the hour and none was given: the dearest, from {dearest:%H:%M} UTC"
            )
        when = dearest
    if dated and not any(p.constraint is None or p.constraint.active(when) for p in dated):
        raise CatalogError(
            f"no price of {entry.id} is known for {on}; its first one is of {dated[0].constraint.start_date}"
        )
    if when.date() < history_start():
        raise CatalogError(
            f"on is {on!r}: the price list has no history before {history_start()}; choose a later date"
        )
    return when, notes


@cache
def history_start() -> date:
    """The earliest date on which the price list records a change."""
    dated = (
        p for x in providers() for m in x.models if isinstance(m.prices, list) for p in m.prices
    )
    return min(p.constraint.start_date for p in dated if hasattr(p.constraint, "start_date"))


def _base(value: Any) -> float:
    """A plain or tiered price, in its lowest tier."""
    return float(getattr(value, "base", value) or 0)


def _hours(constraint: Any) -> Iterator[time]:
    for name in ("start_time", "end_time"):
        if hasattr(constraint, name):
            yield getattr(constraint, name).replace(tzinfo=None)


def context(
    entry: Any, seller: Any, mode: str, on: str, when: datetime, own: bool
) -> dict[str, str] | None:
    """The request context of a mode that is really priced at that moment."""
    if mode not in MODES:
        raise unknown("mode", mode, MODES, "API prices")
    variants = [v for v in entry.price_variants or () if own and any(vars(v.prices).values())]

    def offered(name: str, active: bool) -> list[Any]:
        return [
            v
            for v in variants
            if v.when in MODES[name]
            and (not active or v.constraint is None or v.constraint.active(when))
        ]

    if mode == "standard":
        return None
    if found := offered(mode, active=True):
        return found[0].when
    priced = ["standard"] + [name for name in MODES if offered(name, active=True)]
    later = [
        f"; {mode} prices begin on {v.constraint.start_date}" for v in offered(mode, active=False)
    ][:1]
    raise CatalogError(
        f"{entry.id} at {seller.id} has no {mode!r} price on {on}"
        f"{''.join(later)}; its modes that day: {', '.join(priced)}"
    )
