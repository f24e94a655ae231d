"""What servings ask of a call: whether it fits the window, and what a cache finds of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from costmodel.choices.purchases import Traffic
from costmodel.choices.requests import Call, Limits
from costmodel.choices.schedule import Schedule, occurrences, path, steady
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload

Uses = list[tuple[Traffic, Schedule, Any]]  # what calls a machine, when, and the size of a call
Split = tuple[tuple[Any, Schedule], tuple[Any, Schedule]]


def over_window(serving: Any, call: Call) -> Limits:
    """Tokens of a call over the context window of the model, where that is known."""
    if serving.window is not None:
        yield (
            call.most_tokens - serving.window,
            f"a request is {{over:,.0f}} tokens over the {serving.window:,.0f}-token window of "
            f"{serving.model.id}",
        )


def cache_split(t: Traffic, work: Workload, terms: Terms) -> Split:
    """Reads of the prefix and writes of it, each as (share of the calls, when).

    What comes one by one finds the prefix at the hit rate of its month. Of requests in a row the
    first of each prefix writes, whatever arrives.
    """
    cache: Any = t.call.cache
    if t.in_a_row is not None:
        found = t.call.found(np.maximum(1 - cache.prefixes / np.maximum(t.in_a_row, 1.0), 0.0))
        return (found, t.schedule), (1 - found, t.schedule)
    demand = occurrences(t.schedule, work, terms)
    arrivals = work.arrivals_per_s(t.count)
    if t.follows_demand and not work.flat:
        arrivals = arrivals * work.demand(terms.months, terms.start)
    found = t.call.found(cache.hit_rate(arrivals))
    if steady(found):
        return (found, t.schedule), (1 - found, t.schedule)
    return (1.0, path(demand * found)), (1.0, path(demand * (1 - found)))


def by_prefix(
    traffic: list[Traffic], work: Workload, terms: Terms, size: Callable[..., Any], held: str = ""
) -> Uses:
    """Calls apart by whether they find their prefix in a cache, with when they come and their size.

    `size` takes a call and the tokens of it that are in the cache; items that find their prefix end
    with `held`.
    """
    calls = {id(t.call): t.call for t in traffic}  # many purchases make the same call
    whole = {key: size(call) for key, call in calls.items()}
    found = []
    for t in traffic:
        when, key = t.schedule, id(t.call)
        if t.call.cache is not None:
            (read, reading), (written, when) = cache_split(t, work, terms)
            there = replace(t, item=t.item + held, count=t.count * read)
            found.append((there, reading, size(t.call, t.call.stable_tokens)))
            t = replace(t, count=t.count * written)
        found.append((t, when, whole[key]))
    return found
