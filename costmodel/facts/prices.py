"""Published API prices, by date, from the genai-prices package: frozen in its version, never from a network.

A request is a partition of token classes; each class has a rate in USD per million tokens:

    usd = sum over classes of tokens x rate(class, tier) / 1e6 + usd_per_request

The tier is chosen on all prompt tokens (fresh, cached, written, image and audio), strictly above its threshold, and
reprices the whole request, output included. A residency uplift and a negotiated discount scale every class.
Not in here: tool calls, searches, cache storage per hour, training, taxes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from costmodel.core.draws import middle
from costmodel.core.errors import CatalogError, check
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.core.units import KILO, MTOK
from costmodel.facts.catalog import shortest_cached, source
from costmodel.facts.pricelist import (
    MODES,
    PRICES_VERSION,
    choices,
    context,
    find,
    moment,
    provider_of,
    providers,
)

__all__ = [
    "CLASSES",
    "MODES",
    "PRICES_VERSION",
    "ApiPrice",
    "Rates",
    "Tokens",
    "api_models",
    "api_price",
    "billed",
    "price",
    "rates",
    "request_usd",
]
SOURCE = "genai-prices"  # its id in data/facts/sources.csv


# token class -> (field of Rates, price key of genai-prices)
CLASSES: dict[str, tuple[str, str]] = {
    "input": ("usd_per_mtok_in", "input_mtok"),
    "cache_read": ("usd_per_mtok_cache_read", "cache_read_mtok"),
    "cache_write": ("usd_per_mtok_cache_write", "cache_write_mtok"),
    "cache_write_1h": ("usd_per_mtok_cache_write_1h", "cache_write_1h_mtok"),
    "output": ("usd_per_mtok_out", "output_mtok"),
    "reasoning": ("usd_per_mtok_reasoning", "output_reasoning_mtok"),
    "image": ("usd_per_mtok_image", "input_image_mtok"),
    "audio": ("usd_per_mtok_audio", "input_audio_mtok"),
    "image_output": ("usd_per_mtok_image_out", "output_image_mtok"),
    "audio_output": ("usd_per_mtok_audio_out", "output_audio_mtok"),
}
PROMPT = ("input", "cache_read", "cache_write", "cache_write_1h", "image", "audio")


# What a class without a price of its own is charged as; a cache read, speech or a drawn image is an error.
CHARGED_AS = {
    "cache_write": "input",
    "cache_write_1h": "input",
    "image": "input",
    "reasoning": "output",
}


@public
@dataclass(frozen=True)
class Tokens:
    """The tokens of one request, as a partition: no token is in two classes.

    `input` is fresh text only. OpenAI and Gemini report cached tokens inside the prompt count: subtract them.
    `reasoning` is apart from visible `output`: OpenAI reports it inside the completion count (subtract it), Gemini
    beside it. `image` and `audio` are input; what a model draws or speaks is `image_output` and `audio_output`.

    >>> Tokens(input=1_000, cache_read=9_000, output=200).prompt
    10000
    """

    input: Number = 0
    cache_read: Number = 0
    cache_write: Number = 0
    cache_write_1h: Number = 0
    output: Number = 0
    reasoning: Number = 0
    image: Number = 0
    audio: Number = 0
    image_output: Number = 0
    audio_output: Number = 0

    def __post_init__(self) -> None:
        for name, value in self.classes():
            number = isinstance(value, (int, float, np.number, np.ndarray)) and not isinstance(
                value, bool
            )
            check(number, f"Tokens.{name} is {value!r}, it must be a number of tokens")
            check(
                np.all(np.isfinite(value)) and np.all(np.asarray(value) >= 0),
                f"Tokens.{name} is {value}, allowed is 0 or more",
            )

    def classes(self) -> Iterator[tuple[str, Any]]:
        """Every (class, tokens)."""
        return ((name, getattr(self, name)) for name in CLASSES)

    @property
    def prompt(self) -> Any:
        """Tokens sent, which choose the context tier."""
        return sum(getattr(self, name) for name in PROMPT)

    @property
    def total(self) -> Any:
        return sum(value for _, value in self.classes())


@public
@dataclass(frozen=True)
class Rates:
    """List prices of one context tier [USD per million tokens]; None means that the class has no price of its own."""

    id: str  # "gpt-6-sol" for the base tier, "gpt-6-sol>272000" for a higher one, "gpt-6-sol@batch" in another mode
    above: float  # prompt tokens strictly above which this tier holds; 0 for the base
    usd_per_mtok_in: Any = None
    usd_per_mtok_cache_read: Any = None
    usd_per_mtok_cache_write: Any = None
    usd_per_mtok_cache_write_1h: Any = None
    usd_per_mtok_out: Any = None
    usd_per_mtok_reasoning: Any = None
    usd_per_mtok_image: Any = None
    usd_per_mtok_audio: Any = None
    usd_per_mtok_image_out: Any = None
    usd_per_mtok_audio_out: Any = None

    @cached_property
    def charged(self) -> dict[str, Any]:
        """Rates by field, a class without a price of its own as CHARGED_AS says."""
        out = {field: getattr(self, field) for field, _ in CLASSES.values()}
        lone_hour = (
            self.usd_per_mtok_cache_write is not None and self.usd_per_mtok_cache_write_1h is None
        )
        for name, other in CHARGED_AS.items():
            field = CLASSES[name][0]
            if out[field] is None and not (name == "cache_write_1h" and lone_hour):
                out[field] = out[CLASSES[other][0]]
        return out


@public
@dataclass(frozen=True)
class ApiPrice:
    """The price card of one model at one provider on one date. `tiers` hold list prices: `rates` applies the rest."""

    id: str  # the model's id at that provider
    provider: str
    on: str
    mode: str
    residency: str | None
    residency_uplift: Any  # multiplier on every class, 1 without residency
    discount: Any  # share off every class, in 0..1
    window: float | None  # context window [token]
    usd_per_request: float
    tiers: tuple[Rates, ...]
    notes: tuple[str, ...]
    sources: tuple[tuple[str, str], ...]
    cache_min_tokens: Any = 1024.0  # shortest prefix that is cached, by the rule of the provider


# -- asking --------------------------------------------------------------------------------------------


@public
def price(
    model: str,
    tokens: Tokens,
    provider: str | None = None,
    on: str | None = None,
    mode: str = "standard",
    residency: str | None = None,
    discount: Number = 0.0,
) -> Any:
    """What one request costs [USD].

    >>> price(
    ...     "claude-sonnet-4-5", Tokens(cache_write=1_000), on="2026-11-01"
    ... )  # $3.75/M replaces the base rate
    0.00375
    >>> price(
    ...     "claude-sonnet-4-5", Tokens(input=200_001), on="2026-11-01"
    ... )  # $6/M: the tier reprices all
    1.200006
    """
    check(
        isinstance(tokens, Tokens),
        f"price: tokens is {tokens!r}, write Tokens(input=..., output=...)",
    )
    return request_usd(api_price(model, provider, on, mode, residency, discount), tokens)


def request_usd(card: ApiPrice, tokens: Tokens) -> Any:
    """What one request costs on this card [USD]: floats or arrays of draws; a Range counts with its median."""
    card = middle(card)
    return (
        sum(count * rate / MTOK for count, rate in billed(card, tokens).values())
        + card.usd_per_request
    )


def billed(card: ApiPrice, tokens: Tokens) -> dict[str, tuple[Any, Any]]:
    """Each class that occurs -> (tokens, USD per million tokens); the counts sum to `tokens.total`."""
    tier = rates(card, tokens.prompt)
    used = {
        name: (count, getattr(tier, CLASSES[name][0]))
        for name, count in tokens.classes()
        if np.any(count > 0)
    }
    for name, (_, rate) in used.items():
        if rate is None:
            raise CatalogError(
                f"{card.id} at {card.provider} has no {name} price on {card.on}; {_remedy(name)}"
            )
    return used


def rates(card: ApiPrice, prompt_tokens: Any = 0, discount: Any = 0.0) -> Rates:
    """The rates that hold at this prompt length, after uplift, discount and a further `discount`, every chargeable class filled.

    `prompt_tokens` is a number or an array (n, 1), which makes the rates arrays. None remains where using the
    class is an error: a cache read, or a 1-hour write beside a priced 5-minute one.

    >>> card = api_price("gemini-2.5-pro", on="2026-11-01")
    >>> [rates(card, n).usd_per_mtok_in for n in (199_999, 200_000, 200_001)]
    [1.25, 1.25, 2.5]
    """
    factor = card.residency_uplift * (1 - card.discount) * (1 - discount)
    filled = [tier.charged for tier in card.tiers]
    above = [prompt_tokens > tier.above for tier in card.tiers[1:]]
    scaled: dict[str, Any] = {}
    for field, _ in CLASSES.values():
        value = filled[0][field]
        for over, values in zip(above, filled[1:], strict=True):
            if value is not None:
                value = _above(over, values[field], value)
        scaled[field] = None if value is None else value * factor
    return replace(card.tiers[0], **scaled)


def _above(over: Any, upper: Any, lower: Any) -> Any:
    if upper is lower:
        return upper
    if np.ndim(over) == 0:
        return upper if over else lower
    return np.where(over, upper, lower)


def _remedy(name: str) -> str:
    if name == "cache_read":
        return "send those tokens as fresh input, or choose a model with a cache price"
    if name == "cache_write_1h":
        return "only the 5-minute cache write is priced: use cache_write"
    return "the model does not bill that class"


# -- the card ------------------------------------------------------------------------------------------


@public
def api_price(
    model: str,
    provider: str | None = None,
    on: str | None = None,
    mode: str = "standard",
    residency: str | None = None,
    discount: Number = 0.0,
) -> ApiPrice:
    """The price card of a model, by exact id or declared alias.

    Without a provider: the maker of the model, or its only seller. `on` is "YYYY-MM-DD", or "YYYY-MM-DDTHH:MM" in
    UTC for prices that change with the hour (a date alone takes the dearest hour); today in UTC by default.
    Errors: `CatalogError` for a model, provider, mode or region that is not priced; `ValueError` for a bad date or
    discount. Source: genai-prices (its version is `PRICES_VERSION`); residency uplifts from data/facts/residency.csv.

    >>> (
    ...     api_price("o3", on="2025-06-09").tiers[0].usd_per_mtok_in,
    ...     api_price("o3", on="2025-06-10").tiers[0].usd_per_mtok_in,
    ... )
    (10.0, 2.0)
    >>> api_price("gpt-5-nonexistent")
    Traceback (most recent call last):
    costmodel.core.errors.CatalogError: no API model 'gpt-5-nonexistent' in genai-prices ...; did you mean ...
    """
    on = on or datetime.now(UTC).strftime("%Y-%m-%d")
    low, high = (getattr(discount, end, discount) for end in ("low", "high"))
    check(
        np.all(np.asarray(low) >= 0) and np.all(np.asarray(high) < 1),
        f"discount is {discount}, allowed is 0 up to (not including) 1, e.g. 0.2 for 20 % off",
    )
    card = _card(model, provider, on, mode, residency)
    newest = max(
        source(SOURCE).accessed, (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")
    )  # it may be tomorrow elsewhere
    check(
        on[:10] <= newest,
        f"on is {on!r}, prices of the future are not known; write a day up to today, and Trends(api=...) for how prices will move",
    )
    return (
        card if isinstance(discount, float) and discount == 0 else replace(card, discount=discount)
    )


@public
def api_models(provider: str | None = None) -> list[str]:
    """Ids of every model with a token price, of one provider or of all."""
    sellers = providers() if provider is None else [provider_of(provider)]
    return sorted({m.id for p in sellers for m in p.models if _token_priced(m)})


@lru_cache(maxsize=4096)
def _card(model: str, provider: str | None, on: str, mode: str, residency: str | None) -> ApiPrice:
    seller, entry = find(model, provider)
    own = any(entry is m for m in seller.models)
    when, notes = moment(entry, on)
    if not own:
        notes.append(
            f"{seller.id} lists no price of its own for {entry.id}: its maker's price is used"
        )
    listed = entry.get_prices(when, context(entry, seller, mode, on, when, own))
    tiers = _tiers(_draw_id(entry, seller, mode, residency), listed)
    if all(getattr(tiers[0], CLASSES[name][0]) is None for name in ("input", "output")):
        keys = [key for key, value in vars(listed).items() if value is not None]
        reason = (
            f"is priced by {', '.join(keys)}, not by token" if keys else "has no published price"
        )
        raise CatalogError(f"{entry.id} at {seller.id} {reason}; choose another model or provider")
    notes += _class_notes(tiers[0])
    if mode != "standard":
        standard = entry.get_prices(when)
        kept = [
            name
            for name, (_, key) in CLASSES.items()
            if getattr(listed, key) == getattr(standard, key) is not None
        ]
        notes += (
            [f"{mode} does not reprice {', '.join(kept)}: the standard rate holds"] if kept else []
        )
    uplift, evidence = _uplift(seller.id, entry.id, residency, on)
    per_thousand = listed.requests_kcount
    priced = [f for f, _ in CLASSES.values() if getattr(tiers[0], f) is not None]
    priced += ["window", "usd_per_request", "above"]
    return ApiPrice(
        id=entry.id,
        provider=seller.id,
        on=on,
        mode=mode,
        residency=residency,
        residency_uplift=uplift,
        discount=0.0,
        window=float(entry.context_window) if entry.context_window else None,
        usd_per_request=float(per_thousand) / KILO if per_thousand else 0.0,
        tiers=tiers,
        notes=tuple(notes),
        cache_min_tokens=(shortest := shortest_cached(seller.id, entry.id)),
        sources=(*((f, SOURCE) for f in priced), *evidence, ("cache_min_tokens", shortest.source)),
    )


def _draw_id(entry: Any, seller: Any, mode: str, residency: str | None) -> str:
    """The id of the base tier: the model's, with whatever makes this another price (seller, mode, region)."""
    at_home = [p.id for p, _ in choices(entry.id)] == [seller.id]
    name = entry.id if at_home else f"{seller.id}/{entry.id}"
    return "@".join([name] + [x for x in (mode if mode != "standard" else None, residency) if x])


def _tiers(card_id: str, listed: Any) -> tuple[Rates, ...]:
    keys = {field: getattr(listed, key) for field, key in CLASSES.values()}
    starts = {tier.start for value in keys.values() for tier in getattr(value, "tiers", ())}
    return tuple(
        Rates(
            card_id if start < 0 else f"{card_id}>{start}",
            float(max(start, 0)),
            **{field: _at(value, start) for field, value in keys.items()},
        )
        for start in [-1, *sorted(starts)]
    )


def _at(value: Any, start: int) -> float | None:
    """The rate of a plain or tiered price in the tier that begins at `start`; -1 for the base."""
    if value is None or not hasattr(value, "tiers"):
        return None if value is None else float(value)
    reached = [tier.price for tier in value.tiers if tier.start <= start]
    return float(reached[-1] if reached else value.base)


def _class_notes(base: Rates) -> list[str]:
    notes = []
    if base.usd_per_mtok_cache_read is None:
        notes.append("a cache read is not priced: using one is an error")
    if base.usd_per_mtok_cache_write is None:
        notes.append("a cache write is not priced: charged at the input rate")
    elif base.usd_per_mtok_cache_write_1h is None:
        notes.append("a 1-hour cache write is not priced: using one is an error")
    if base.usd_per_mtok_image is None:
        notes.append("an image has no price of its own: its tokens are charged at the input rate")
    if base.usd_per_mtok_in == 0 and not base.usd_per_mtok_out:
        notes.append("listed as free of charge")
    return notes


def _uplift(
    provider: str, model: str, residency: str | None, on: str
) -> tuple[Any, tuple[tuple[str, str], ...]]:
    """Multiplier of a data-residency region, from data/facts/residency.csv."""
    if residency is None:
        return 1.0, ()
    if model.startswith("regional."):
        raise CatalogError(
            f"{model} is a regional price already; drop residency={residency!r}, or use the global id"
        )
    from costmodel.facts import catalog

    found = catalog.fact(
        "residency", f"{_RESIDENCY_IDS.get(provider, provider)}.{residency}.uplift", on=on[:10]
    )
    value: Range = found.value
    return (value if value.low < value.high else value.mid), (
        ("residency_uplift", found.sources[0][1]),
    )


_RESIDENCY_IDS = {"aws": "bedrock"}  # provider id -> its name in data/facts/residency.csv


def _token_priced(entry: Any) -> bool:
    dated = entry.prices if isinstance(entry.prices, list) else [entry]
    return any(p.prices.input_mtok is not None or p.prices.output_mtok is not None for p in dated)
