"""Price cards: the prices of a model at a provider on a day, read from genai-prices.

`pricelist` finds the model by its name, `listings` reads its prices of a day, `api_price` makes the
card, and `prices` computes with it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from typing import Any

import pandas as pd

from costmodel.core import CatalogError, Number, check, public, require, today
from costmodel.facts.catalog import cache_lifetime, fact, retirement, shortest_cached
from costmodel.facts.listings import (
    changed_between,
    differing,
    listing,
    offers,
    second_prices,
    steps_of,
)
from costmodel.facts.pricelist import (
    SOURCE,
    find,
    last_known_day,
    likely_sellers,
    provider_of,
    providers,
    snapshot_day,
)
from costmodel.facts.prices import CLASSES, ApiPrice, Rates, Step, Tokens, check_window, request_usd

DISCOUNT_MAX = 0.999
NOT_PRICED = {
    "usd_per_mtok_cache_read": "a cache read is not priced: using one is an error",
    "usd_per_mtok_cache_write": "a cache write is not priced: charged at the input rate",
    "usd_per_mtok_cache_write_1h": "a 1-hour cache write is not priced: using one is an error",
    "usd_per_mtok_image": "an image has no price of its own: "
    "its tokens are charged at the input rate",
}
SAID = ("usd_per_mtok_in", "usd_per_mtok_cache_read", "usd_per_mtok_out", "usd_per_request")
DISPUTED = ["provider", "model", "above", "field", "listed", "second", "as_of", "source", "note"]
RESIDENCY_IDS = {"aws": "bedrock"}  # provider -> its name in data/facts/residency.csv


@public
def price(
    model: str,
    tokens: Tokens,
    provider: str | None = None,
    on: str | None = None,
    mode: str = "standard",
    residency: str | None = None,
    discount: Number = 0.0,
    calls: Number = 1,
) -> Any:
    """What one request costs at an API, or many calls of one size.

    Parameters
    ----------
    model : str
        Exact id of the model, or a declared alias.
    tokens : Tokens
        What is sent and received, by all calls together.
    provider, on, mode, residency, discount
        As in `api_price`.
    calls : float or array
        How many calls share the tokens, 1 or more: the mean prompt of a call chooses the tier.

    Returns
    -------
    float or array [USD]

    Raises
    ------
    CatalogError
        Where a model, mode, region or class of tokens is not priced, or a prompt is over the
        window of the model.
    ValueError
        Where `tokens` is no `Tokens`, or calls, a date or a discount are out of bounds.

    Examples
    --------
    A cache write of $3.75 a million replaces the base rate, and a tier of $6 reprices all tokens:

    >>> price("claude-sonnet-4-5", Tokens(cache_write=1_000), on="2026-11-01")
    0.00375
    >>> price("claude-sonnet-4-5", Tokens(input=200_001), on="2026-11-01")
    1.200006
    >>> price("claude-sonnet-4-5", Tokens(input=200_001), on="2026-11-01", calls=2)
    0.600003
    """
    require("price: calls", calls, low=1)
    card = api_price(model, provider, on, mode, residency, discount)
    check_window(card, tokens, calls)
    return request_usd(card, tokens, calls)


@public
def api_price(
    model: str,
    provider: str | None = None,
    on: str | None = None,
    mode: str = "standard",
    residency: str | None = None,
    discount: Number = 0.0,
) -> ApiPrice:
    """The price card of a model.

    Prices come from genai-prices (its version is `PRICES_VERSION`), never from a network; residency
    uplifts from data/facts/residency.csv.

    Parameters
    ----------
    model : str
        Exact id of the model, or a declared alias.
    provider : str, optional
        Who sells it; without it the maker of the model, or its only seller.
    on : str, optional
        "YYYY-MM-DD", up to the last price that the list knows, or "YYYY-MM-DDTHH:MM" in UTC for
        prices that change with the hour, or with your active hours of Monday to Friday as
        "YYYY-MM-DDTHH:MM-HH:MM"; a day alone takes the mean over all hours of a week. Today in UTC
        without it.
    mode : str
        "standard", "batch", "flex", "priority" or "fast".
    residency : str, optional
        Region in which data must stay, such as "eu".
    discount : float or Range
        Negotiated share off every class, 0 to 0.999.

    Returns
    -------
    ApiPrice
        The card of that day.

    Raises
    ------
    CatalogError
        Where a model, provider, mode or region is not priced; the message names the nearest.
    ValueError
        Where the date or the discount is out of bounds.

    Examples
    --------
    >>> [api_price("o3", on=f"2025-06-{d}").tiers[0].usd_per_mtok_in for d in ("09", "10")]
    [10.0, 2.0]
    >>> api_price("gpt-5-nonexistent")
    Traceback (most recent call last):
    costmodel.core.errors.CatalogError: no API model 'gpt-5-nonexistent' in ...; did you mean ...
    """
    on = on or today().isoformat()
    require("discount", discount, 0, DISCOUNT_MAX)
    card = _card(model, provider, on, mode, residency)
    tomorrow = (today() + timedelta(days=1)).isoformat()  # it may be that day elsewhere
    check(
        on[:10] <= max(last_known_day(), tomorrow),
        f"on is {on!r}, prices after {last_known_day()} are not known; write a day up to then, "
        "and Trends(api=...) for how prices will move",
    )
    return replace(card, discount=discount)


@public
def api_models(provider: str | None = None) -> list[str]:
    """Ids of all models with a price per token.

    Parameters
    ----------
    provider : str, optional
        Who sells them; all providers without it.

    Returns
    -------
    list of str, sorted
        Ids that `api_price` knows.

    Raises
    ------
    CatalogError
        Where there is no such provider; the message names the nearest.

    Examples
    --------
    >>> "gpt-4o" in api_models("openai")
    True
    """
    sellers = providers() if provider is None else [provider_of(provider)]
    return sorted({m.id for p in sellers for m in p.models if _priced_by_token(m)})


# -- from the list to a card -----------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _card(model: str, provider: str | None, on: str, mode: str, residency: str | None) -> ApiPrice:
    seller, entry = find(model, provider)
    card_id = _card_id(entry, seller, mode, residency)
    tiers, usd_per_request, listed, notes = listing(seller, entry, mode, on, card_id)
    if end := retirement(entry.id, seller.id):
        notes = [*notes, end.words(on[:10])]
    base = tiers[0]
    if base.usd_per_mtok_in is None and base.usd_per_mtok_out is None:
        raise CatalogError(_not_by_token(seller, entry, on))
    uplift, uplift_source = _uplift(seller.id, entry.id, residency, on)
    shortest = shortest_cached(seller.id, entry.id)
    lifetime = cache_lifetime(seller.id, entry.id)
    steps = steps_of(seller, entry, mode, on, tiers, usd_per_request)
    return ApiPrice(
        id=entry.id,
        provider=seller.id,
        on=on,
        mode=mode,
        residency=residency,
        residency_uplift=uplift,
        discount=0.0,
        window=float(entry.context_window) if entry.context_window else None,
        usd_per_request=usd_per_request,
        tiers=tiers,
        notes=(
            *notes,
            *_class_notes(base),
            *_entry_notes(seller, entry, model, on),
            *_step_notes(steps),
            *_dispute_notes(seller, entry, mode, tiers, on),
        ),
        sources=(
            *listed,
            *((f, SOURCE) for f in ("window", "usd_per_request", "above")),
            *uplift_source,
            ("cache_min_tokens", shortest.source),
            ("cache_ttl_s", lifetime.source),
        ),
        cache_min_tokens=shortest,
        known=frozenset(steps),
        cache_ttl_s=lifetime,
    )


def _step_notes(steps: tuple[Step, ...]) -> list[str]:
    """What has to be said about known changes of the prices."""
    names = {field: name for name, (field, _) in CLASSES.items()}
    return [
        f"from {step.on} on: "
        + ", ".join(
            f"{names.get(field, field)} x {factor:.4g}" + (f" above {above:,.0f}" if above else "")
            for field, above, factor in step.factors
            if field in SAID
        )
        for step in steps
    ]


def _not_by_token(seller: Any, entry: Any, on: str) -> str:
    """Why a model without a price per token cannot be used."""
    ((_, of_hour, when), *_), _ = offers(seller, entry, on)
    prices = vars(of_hour.get_prices(when)).items()
    keys = ", ".join(key for key, value in prices if value is not None)
    reason = f"is priced by {keys}, not by token" if keys else "has no published price"
    return f"{entry.id} at {seller.id} {reason}; choose another model or provider"


def _entry_notes(seller: Any, entry: Any, asked: str, on: str) -> list[str]:
    """What has to be said about the entry of the list behind a card."""
    notes = []
    if entry not in seller.models:
        notes.append(
            f"{seller.id} lists no price of its own for {entry.id}: its maker's price is used"
        )
    if "-latest" in asked or entry.id.endswith("-latest"):
        notes.append(
            f"{asked} is priced as {entry.id}; its maker may have moved the name to another model"
        )
    if on[:10] > today().isoformat():
        notes.append(f"a day to come: what the list of {snapshot_day()} knows of it")
    if entry.deprecated:
        notes.append("the list flags this model as deprecated")
    if entry.price_comments:
        notes.append(f"the list says: {entry.price_comments}")
    return notes


def _dispute_notes(
    seller: Any, entry: Any, mode: str, tiers: tuple[Rates, ...], on: str
) -> list[str]:
    """What a second source says of these prices, unless they changed between its day and this."""
    return [
        f"disputed: {fact.sources[0][1]} of {fact.as_of} has {fact.field} {fact.value.mid:.6g}"
        + (f" above {above:,.0f} tokens" if above else "")
        + f", the list {listed:.6g}"
        + (f" ({fact.value.why})" if fact.value.why else "")
        for above, fact, listed in differing(seller.id, entry.id, tiers)
        if mode == "standard"
        and not changed_between(seller, entry, mode, *sorted((fact.as_of, on[:10])))
    ]


def _card_id(entry: Any, seller: Any, mode: str, residency: str | None) -> str:
    """The id of the base tier: the model, with the seller, mode or region of another price."""
    at_home = [p.id for p, _ in likely_sellers(entry.id)] == [seller.id]
    name = entry.id if at_home else f"{seller.id}/{entry.id}"
    return "@".join(x for x in (name, mode, residency) if x not in (None, "standard"))


def _class_notes(base: Rates) -> list[str]:
    """What has to be said about classes without a price."""
    said = dict(NOT_PRICED)
    if base.usd_per_mtok_cache_write is None:
        del said["usd_per_mtok_cache_write_1h"]
    notes = [text for field, text in said.items() if getattr(base, field) is None]
    if base.usd_per_mtok_in == 0 and not base.usd_per_mtok_out:
        notes.append("listed as free of charge")
    return notes


def _uplift(
    provider: str, model: str, residency: str | None, on: str
) -> tuple[Any, list[tuple[str, str]]]:
    """The factor of a data-residency region, and its source."""
    if residency is None:
        return 1.0, []
    if model.startswith("regional."):
        raise CatalogError(
            f"{model} is a regional price already; drop residency={residency!r}, "
            "or use the global id"
        )
    key = f"{RESIDENCY_IDS.get(provider, provider)}.{residency}.uplift"
    uplift = fact("residency", key, on=on[:10]).value
    value = uplift if uplift.low < uplift.high else uplift.mid
    return value, [("residency_uplift", uplift.source)]


def _priced_by_token(entry: Any) -> bool:
    dated = entry.prices if isinstance(entry.prices, list) else [entry]
    return any(p.prices.input_mtok is not None or p.prices.output_mtok is not None for p in dated)


@public
def disagreements() -> pd.DataFrame:
    """Prices of the list that a second source of the same day gives otherwise.

    Returns
    -------
    DataFrame
        `provider`, `model`, `above` (prompt tokens above which the price holds), `field`, `listed`
        and `second` [USD per million tokens], `as_of` (the day of both), `source` (id of the
        second) and its `note`.

    Examples
    --------
    >>> table = disagreements()
    >>> table.query("model == 'openai.gpt-5.5' and field == 'usd_per_mtok_in'")[
    ...     ["above", "listed", "second"]
    ... ].values.tolist()
    [[272000.0, 5.5, 11.0]]
    """
    rows = []
    days = {id.partition(">")[0]: found[0].as_of for id, found in second_prices().items()}
    for key, day in days.items():
        provider, model = key.split(".", 1)
        card = api_price(model, provider, on=day)
        rows += [
            (provider, model, above, fact.field, listed, fact.value.mid, fact.as_of)
            + (fact.sources[0][1], fact.value.why)
            for above, fact, listed in differing(provider, model, card.tiers)
        ]
    return pd.DataFrame(rows, columns=DISPUTED)
