"""The price list of genai-prices: finding a model by its name, and the age of the list.

genai-prices matches names loosely and falls back silently (an unknown context to the standard
price, an early date to the first price). Here each such guess is an error or a note. Nothing comes
from a network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any

from costmodel.core import CatalogError, check_known, today, unknown
from costmodel.facts.catalog import facts_of

PRICES_VERSION = version("genai-prices")
LIST = f"genai-prices {PRICES_VERSION}"
SOURCE = "genai-prices"  # its id in data/facts/sources.csv
OLD_DAYS = 90  # prices and rents that were read longer ago say so
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
    check_known("API provider", name, known, snapshot())
    return known[name]


def find(model: str, provider: str | None) -> tuple[Any, Any]:
    """(provider, model) of an exact id or a declared alias; a guess is an error."""
    if provider is not None:
        seller = provider_of(provider)
        if entry := entry_of(seller, model):
            return seller, entry
        ids = (m.id for m in seller.models)
        raise unknown("API model", model, ids, f"{seller.id}'s list in {snapshot()}")
    sellers = likely_sellers(model)
    if not sellers:
        of_makers = {m.id for p in providers() if p.id in MAKERS for m in p.models}
        raise unknown("API model", model, of_makers, snapshot())
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


# -- its age ---------------------------------------------------------------------------------------


@cache
def days_of_list() -> frozenset[date]:
    """Every day on which a price of the list begins."""
    models = [m for p in providers() for m in p.models]
    listed = [m.prices if isinstance(m.prices, list) else [] for m in models]
    dated = [p for prices in (*listed, *(m.price_variants or [] for m in models)) for p in prices]
    return frozenset(p.constraint.start_date for p in dated if hasattr(p.constraint, "start_date"))


@cache
def snapshot_day() -> str:
    """The day of the list: when this version of genai-prices came out."""
    return facts_of("releases")[f"{LIST}.released"].value


def dated_list() -> str:
    """The list with its day: what is stored, because it says the same tomorrow."""
    return f"{LIST} of {snapshot_day()}"


def snapshot() -> str:
    """The list with its day and its age, for who reads it now."""
    days = (today() - date.fromisoformat(snapshot_day())).days
    badge = " (OLD: update genai-prices)" if old(snapshot_day(), today()) else ""
    return f"{dated_list()}, {days} days old{badge}"


def old(day: str, on: date) -> str:
    """ "123 days old" where a price was read so long before a day, else ""."""
    days = (on - date.fromisoformat(day)).days
    return f"{days} days old" if days > OLD_DAYS else ""


def last_known_day() -> str:
    """The last day for which the list knows a price: that of its snapshot, or of a later step."""
    return max(snapshot_day(), f"{max(days_of_list())}")
