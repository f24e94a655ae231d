"""A corpus in every prompt: which models hold it, and what a cache makes of its price."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.presets import MODELS
from costmodel.core import (
    MTOK,
    SECONDS_PER_HOUR,
    SECONDS_PER_MINUTE,
    check,
    middle,
    number_list,
    one_number,
    percent,
    public,
)
from costmodel.facts.cards import api_price
from costmodel.laws.caching import break_even_hit_rate, cached_price, hit_rate, prefix_hit_rate

FIVE_MINUTES = 300  # seconds
VOLUMES = tuple(np.geomspace(1, 1e4, 41))  # requests a day of a map
PREFIXES = tuple(np.geomspace(500, 2e5, 41))  # tokens
BOUNDS = {"days": (1, 31), "hours": (0.1, 24), "ttl_s": (1, np.inf)}


@public
def holds(tokens: float, models: Iterable[str] = MODELS, on: str | None = None) -> pd.DataFrame:
    """Say which models hold a corpus of so many tokens in one prompt.

    Parameters
    ----------
    tokens : float
        Length of the prompt [token, at least 1].
    models : str or iterable of str
        Names of API models.
    on : str, optional
        The day of the prices; by default today's.

    Returns
    -------
    pandas.DataFrame
        Index model. Columns: window [token], over [token beyond the window], usd_per_query [USD for
        a prompt of it, NaN where it does not fit].

    Raises
    ------
    ValueError
        When `tokens` is below 1.
    CatalogError
        When a model is not known.

    Examples
    --------
    >>> import costmodel as cm
    >>> cm.knowledge.holds(500_000, ["gpt-4o", "gpt-6-luna"], on="2026-11-20")
                   window      over  usd_per_query
    model
    gpt-6-luna  1050000.0       0.0            0.1
    gpt-4o       128000.0  372000.0            NaN
    """
    one_number("tokens", tokens, 1)
    rows = {}
    for model in [models] if isinstance(models, str) else models:
        card = api_price(model, on=on)
        over = max(tokens - card.window, 0.0) if card.window else np.nan
        tier = [t for t in card.tiers if tokens > t.above or not t.above][-1]
        usd = np.nan if over else tokens / MTOK * float(middle(tier.usd_per_mtok_in))
        rows[model] = (card.window, over, usd)
    columns = ["window", "over", "usd_per_query"]
    table = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("model")
    return table.sort_values(["over", "usd_per_query"])


def _check_numbers(**given: Any) -> None:
    """Check that each is one number within its bounds, by default at least 0."""
    for name, value in given.items():
        one_number(name, value, *BOUNDS.get(name, (0, np.inf)))


def _arrivals(requests_per_month: Any, days: float, hours: float) -> Any:
    """Requests a second in the working hours of a month."""
    return requests_per_month / (days * hours * SECONDS_PER_HOUR)


@public
def knowledge_table(
    queries_per_day: Iterable[float] = (5, 50, 200, 2_000, 5_000),
    corpus_tokens: float = 150_000,
    rag_tokens: float = 5_000,
    usd_per_mtok_in: float = 3.0,
    read: float = 0.10,
    write: float = 1.25,
    write_1h: float = 2.0,
    fixed: Iterable[float] = (70, 2_200),
    days: float = 22,
    hours: float = 10,
) -> pd.DataFrame:
    """Compare a long context, without and with a cache, with retrieval at fixed costs.

    Only prompt tokens count; requests arrive evenly at random (Poisson) in the working hours.

    Parameters
    ----------
    queries_per_day : iterable of float
        Traffic [request/day].
    corpus_tokens, rag_tokens : float
        Prompt with the whole corpus, and with passages [token].
    usd_per_mtok_in : float
        Price of input [USD/Mtok].
    read, write, write_1h : float
        Price of a token that is read from the cache, and written for 5 minutes or an hour, over
        plain input [x].
    fixed : iterable of float
        Fixed costs of retrieval [USD/month].
    days, hours : float
        When requests arrive [day/month, 1 to 31; hour/day, 0.1 to 24].

    Returns
    -------
    pandas.DataFrame
        Index queries_per_day. Columns: hit rate, 5 min [share]; long context, 5-minute cache,
        1-hour cache and one column for each fixed cost [USD/month]; cheapest, which names a column.

    Raises
    ------
    ValueError
        When an argument is outside its range.

    Examples
    --------
    >>> ways = ["long context", "5-minute cache", "1-hour cache"]
    >>> knowledge_table().round().loc[50, ways].tolist()
    [495.0, 425.0, 56.0]
    """
    a_day = number_list("queries_per_day", queries_per_day)
    _check_numbers(
        corpus_tokens=corpus_tokens,
        rag_tokens=rag_tokens,
        usd_per_mtok_in=usd_per_mtok_in,
        read=read,
        write=write,
        write_1h=write_1h,
        days=days,
        hours=hours,
    )
    requests = a_day * days
    arrivals = _arrivals(requests, days, hours)
    uncached, rag = (
        requests * tokens / MTOK * usd_per_mtok_in for tokens in (corpus_tokens, rag_tokens)
    )
    hits, hits_1h = hit_rate(arrivals, FIVE_MINUTES), hit_rate(arrivals, SECONDS_PER_HOUR)
    table = pd.DataFrame(
        {
            "hit rate, 5 min": hits,
            "long context": uncached,
            "5-minute cache": uncached * cached_price(hits, write, read),
            "1-hour cache": uncached * cached_price(hits_1h, write_1h, read),
            **{f"RAG + ${x:,.0f}": rag + x for x in number_list("fixed", fixed)},
        },
        index=pd.Index(a_day, name="queries_per_day"),
    )
    return table.assign(cheapest=table.iloc[:, 1:].idxmin(axis=1))


@public
def knowledge_ratios(
    rag_tokens: Iterable[float] = (800, 3_000, 5_000, 20_000),
    corpus_tokens: float = 1e6,
    read: Iterable[float] = (0.10, 0.25),
) -> pd.DataFrame:
    """Say how many times a query with the whole corpus costs that of retrieval.

    Only prompt tokens count, at one price. The published 1,250 needs 800 tokens of passages; 5,000
    give 200.

    Parameters
    ----------
    rag_tokens : iterable of float
        Prompts with passages [token, at least 1].
    corpus_tokens : float
        Prompt with the whole corpus [token, at least 1].
    read : iterable of float
        Prices of a cached token over plain input [x].

    Returns
    -------
    pandas.DataFrame
        Index rag_tokens; columns plain and one for each price of a cached corpus [x].

    Raises
    ------
    ValueError
        When an argument is outside its range.

    Examples
    --------
    >>> knowledge_ratios().round(1).loc[[800, 5_000]].to_numpy().tolist()
    [[1250.0, 125.0, 312.5], [200.0, 20.0, 50.0]]
    """
    tokens = number_list("rag_tokens", rag_tokens, 1)
    one_number("corpus_tokens", corpus_tokens, 1)
    ratio = corpus_tokens / tokens
    cached = {f"read at {percent(x)} of the price": ratio * x for x in number_list("read", read)}
    return pd.DataFrame({"plain": ratio, **cached}, index=pd.Index(tokens, name="rag_tokens"))


def _over_input(card: Any, ttl_s: float) -> tuple[float, float]:
    """Prices of a written and of a read token over plain input; no price of a write is input's."""
    long = ttl_s > FIVE_MINUTES
    written = card.usd_per_mtok_cache_write_1h if long else card.usd_per_mtok_cache_write
    plain = card.usd_per_mtok_in
    return (written or plain) / plain, card.usd_per_mtok_cache_read / plain


@public
def cache_map(
    model: str,
    queries_per_day: Iterable[float] = VOLUMES,
    prefix_tokens: Iterable[float] = PREFIXES,
    ttl_s: Iterable[float] = (FIVE_MINUTES,),
    prefixes: float = 1,
    days: float = 22,
    hours: float = 10,
    on: str | None = None,
) -> pd.DataFrame:
    """Map what a prompt cache gains or loses in a month, by volume, life and length of the prefix.

    Equation: queries x prefix tokens x price of input x (1 - (hits x read + (1 - hits) x write)),
    the hits as in `prefix_hit_rate`. A prefix below the shortest that is cached gains nothing.

    Parameters
    ----------
    model : str
        An API model, whose prices, shortest prefix and least time to live hold.
    queries_per_day : iterable of float
        Traffic [request/day].
    prefix_tokens : iterable of float
        How much of each prompt is the same [token].
    ttl_s : iterable of float
        How long an entry lives after its last use [second, at least 1].
    prefixes : float
        Prompts over which the traffic is spread: the more, the less each is used again [count].
    days, hours : float
        When requests arrive [day/month, 1 to 31; hour/day, 0.1 to 24].
    on : str, optional
        The day of the prices; by default today's.

    Returns
    -------
    pandas.DataFrame
        A row for each of them: queries_per_day, prefix_tokens, ttl_s, hits [share], usd_per_month
        [USD gained; below 0 the cache loses money], change [share of the price of the prefix].

    Raises
    ------
    ValueError
        When an argument is outside its range, or the model has no price for a cached prompt.

    Examples
    --------
    >>> cache_map("claude-sonnet-4-5", [5, 500], [10_000], on="2026-11-01").round(2)
       queries_per_day  prefix_tokens  ttl_s  hits  usd_per_month  change
    0              5.0        10000.0  300.0  0.04          -0.67    0.20
    1            500.0        10000.0  300.0  0.98         291.12   -0.88
    """
    _check_numbers(days=days, hours=hours)
    one_number("prefixes", prefixes, 1)
    card: Any = middle(api_price(model, on=on))
    tier = card.tiers[0]
    check(
        tier.usd_per_mtok_cache_read is not None,
        f"cache_map: {model} has no price for a cached prompt; choose another model",
    )
    given = {"queries_per_day": queries_per_day, "prefix_tokens": prefix_tokens, "ttl_s": ttl_s}
    axes = {name: number_list(name, values, name == "ttl_s") for name, values in given.items()}
    table = pd.DataFrame(product(*axes.values()), columns=[*axes])
    queries, prefix = table["queries_per_day"] * days, table["prefix_tokens"]
    lives = np.maximum(table["ttl_s"], card.cache_ttl_s)
    hits = prefix_hit_rate(_arrivals(queries, days, hours), lives, prefixes=prefixes)
    write, read = np.transpose([_over_input(tier, ttl) for ttl in table["ttl_s"]])
    change = np.where(prefix < card.cache_min_tokens, 0.0, cached_price(hits, write, read) - 1)
    usd = -change * queries * prefix / MTOK * tier.usd_per_mtok_in
    return table.assign(hits=hits, usd_per_month=usd, change=change)


@public
def cache_verdict(
    queries_per_day: float,
    ttl_s: float = FIVE_MINUTES,
    write: float = 1.25,
    read: float = 0.10,
    days: float = 22,
    hours: float = 10,
    model: str | None = None,
    on: str | None = None,
) -> str:
    """Say in one sentence how a cache changes the price of a prompt that always begins alike.

    Parameters
    ----------
    queries_per_day : float
        Traffic [request/day].
    ttl_s : float
        How long an entry lives after its last use [second, at least 1].
    write, read : float
        Prices of a written [at least 1] and a read token over plain input [x].
    days, hours : float
        When requests arrive [day/month, 1 to 31; hour/day, 0.1 to 24].
    model : str, optional
        An API model whose prices replace `write` and `read`.
    on : str, optional
        The day of its prices; by default today's.

    Returns
    -------
    str
        The sentence.

    Raises
    ------
    ValueError
        When an argument is outside its range.

    Examples
    --------
    >>> cache_verdict(5).split("; ")[1]
    'it pays from 21.7 %, so it makes the prompt 20 % dearer than no cache.'
    """
    _check_numbers(queries_per_day=queries_per_day, ttl_s=ttl_s, read=read, days=days, hours=hours)
    one_number("write", write, 1)
    if model is not None:
        card: Any = middle(api_price(model, on=on)).tiers[0]
        if card.usd_per_mtok_cache_read is None:
            return f"{model} has no price for a cached prompt."
        write, read = _over_input(card, ttl_s)
    hits = float(hit_rate(_arrivals(queries_per_day * days, days, hours), ttl_s))
    needed, change = float(break_even_hit_rate(write, read)), cached_price(hits, write, read) - 1
    unit, seconds = ("minute", SECONDS_PER_MINUTE), ("hour", SECONDS_PER_HOUR)
    name, size = unit if ttl_s < SECONDS_PER_HOUR else seconds
    pays = "always pays" if needed <= 0 else f"pays from {100 * needed:.1f} %"
    pays = "never pays" if np.isinf(needed) else pays
    of = "" if model is None else f" of {model}"
    return (
        f"At {queries_per_day:,.0f} queries a day a {ttl_s / size:.0f}-{name} cache{of} is hit by "
        f"{100 * hits:.1f} % of them; it {pays}, so it makes the prompt {percent(abs(change))} "
        f"{'dearer than no cache' if change > 0 else 'cheaper'}."
    )
