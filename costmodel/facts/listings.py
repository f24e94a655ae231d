"""The prices of one entry of the list on one day: hours, modes, tiers, and what changes later.

What genai-prices cannot say is in data/facts: since when and on which days the hours of a price
hold (price_hours), modes that follow from a maker's rule (modes), dated prices that it lacks
(price_steps), and first days of models (releases).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from costmodel.core import KILO, CatalogError, check_known
from costmodel.facts.catalog import facts_of
from costmodel.facts.pricelist import LIST, MODES, SOURCE, days_of_list
from costmodel.facts.prices import CLASSES, Rates, Step
from costmodel.facts.records import Fact

DAY, WEEKEND = timedelta(days=1), (5, 6)
SAME = 0.01  # prices that differ by less are two roundings of one
RULE = ("mode_ratio", "mode_cache_ratio")  # of fresh input and output, of reads and writes
Ratios = dict[str, Any]

# -- the hour --------------------------------------------------------------------------------------

Offers = list[tuple[float, Any, datetime]]  # (share of the week, entry of the list, moment)


def offers(seller: Any, entry: Any, on: str) -> tuple[Offers, list[str]]:
    """The moments whose prices count on a day, and what has to be said about them.

    A day is one moment, unless the price changes with the hour: then it is the whole week.
    data/facts/price_hours.csv says since when and on which days the hours of the list hold.
    """
    when = _parsed(on)
    _check_history(entry, on, when)
    day, always = f"{when:%Y-%m-%d}", _at_all_hours(entry)
    if always is entry:
        return [(1.0, entry, when)], []
    rule = facts_of("price_hours")
    begin, end, workdays = (
        rule[key].value if (key := f"{seller.id}.{entry.id}.{name}") in rule else None
        for name in ("hours_begin", "hours_end", "workdays_begin")
    )
    if begin and day < begin:
        return [(1.0, always, when)], []
    if end and day >= end:  # what the list has last is the price at all hours
        flat = replace(entry, prices=entry.prices[-1].prices)
        return [(1.0, flat, when)], [f"until {end} the price changed with the hour"]
    workdays_only = bool(workdays and day >= workdays)
    if "T" in on:
        weekend = workdays_only and when.weekday() in WEEKEND
        return [(1.0, always if weekend else entry, when)], []
    ends = {end for p in entry.prices if _has_hours(p) for end in vars(p.constraint).values()}
    times = sorted({time(0), *(end.replace(tzinfo=None) for end in ends)})
    starts = [datetime.combine(when.date(), at, UTC) for at in times]
    workdays_share = 5 / 7 if workdays_only else 1.0
    found = [
        (workdays_share * ((end - start) / DAY), entry, start)
        for start, end in pairwise([*starts, starts[0] + DAY])
    ]
    days = "Monday to Friday" if workdays_only else "every day"
    note = (
        f"the price changes with the hour ({days}) and none was given: "
        "the mean over the hours of a week"
    )
    return [*found, (1 - workdays_share, always, when)], [note]


def _has_hours(price: Any) -> bool:
    return hasattr(price.constraint, "start_time")


def _at_all_hours(entry: Any) -> Any:
    """The entry without the prices of some hours; itself where it has none."""
    if not isinstance(entry.prices, list) or not any(map(_has_hours, entry.prices)):
        return entry
    return replace(entry, prices=[p for p in entry.prices if not _has_hours(p)])


def _check_history(entry: Any, on: str, when: datetime) -> None:
    """Refuse a day before the first price, and before the list."""
    dated = entry.prices if isinstance(entry.prices, list) else []
    if dated and not any(p.constraint is None or p.constraint.active(when) for p in dated):
        first = dated[0].constraint.start_date
        raise CatalogError(f"no price of {entry.id} is known for {on}; its first one is of {first}")
    released = facts_of("releases").get(f"{entry.id}.released")
    if released and on[:10] < released.value:
        raise CatalogError(
            f"{entry.id} was released on {released.value}, it had no price on {on}; "
            "choose a later date"
        )
    if when.date() < (first := min(days_of_list())):
        raise CatalogError(
            f"on is {on!r}: the price list has no history before {first}; choose a later date"
        )


def _parsed(on: str) -> datetime:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d)?", on):
            return datetime.fromisoformat(on).replace(tzinfo=UTC)
    except (TypeError, ValueError):
        pass
    raise ValueError(f"on is {on!r}, write it as 'YYYY-MM-DD', or 'YYYY-MM-DDTHH:MM' in UTC")


# -- the mode and the context tier -----------------------------------------------------------------


def rate_of(price: Any, start: int = 0) -> float | None:
    """The rate of a plain or tiered price in the tier that begins at `start`; 0 for the base."""
    if price is None:
        return None
    reached = [tier.price for tier in getattr(price, "tiers", ()) if tier.start <= start]
    return float(reached[-1] if reached else getattr(price, "base", price))


def context_of(
    entry: Any, seller: Any, mode: str, on: str, when: datetime
) -> tuple[dict[str, str] | None, Ratios]:
    """(request context, ratios) of a mode at that moment; (None, {}) is the standard price.

    What the list does not price may follow from a rule of data/facts/modes.csv: then the context is
    None, and the ratios are those of `RULE` to the standard price.
    """
    check_known("mode", mode, MODES, "API prices")
    if mode == "standard":
        return None, {}
    variants = (entry.price_variants or []) if entry in seller.models else []
    variants = [v for v in variants if any(vars(v.prices).values())]
    active = [v for v in variants if v.constraint is None or v.constraint.active(when)]
    for variant in active:
        if variant.when in MODES[mode]:
            return variant.when, {}
    if ratios := _rule(seller, entry, mode, on):
        return None, ratios
    modes = [name for name, contexts in MODES.items() if any(v.when in contexts for v in active)]
    later = next((v.constraint.start_date for v in variants if v.when in MODES[mode]), None)
    begins = f"; {LIST} has no {mode} price of it before {later}" if later else ""
    raise CatalogError(
        f"{entry.id} at {seller.id} has no {mode!r} price on {on}{begins}; "
        f"its modes that day: {', '.join(['standard', *modes])}"
    )


def _rule(seller: Any, entry: Any, mode: str, on: str) -> Ratios:
    """The ratios of a mode by the rule of the model, or of its seller, that held on that day."""
    rules = facts_of("modes", on=on[:10])
    for id in (f"{seller.id}.{entry.id}.{mode}", f"{seller.id}.{mode}"):
        found = {name: rules[key] for name in RULE if (key := f"{id}.{name}") in rules}
        if found and all(fact.as_of <= on[:10] for fact in found.values()):
            return found
    return {}


def _tiers(card_id: str, prices: dict[str, Any]) -> tuple[Rates, ...]:
    """The base tier, and one for each threshold that any class has."""
    starts = {tier.start for price in prices.values() for tier in getattr(price, "tiers", ())}
    return tuple(
        Rates(
            f"{card_id}>{start}" if start else card_id,
            float(start),
            **{field: rate_of(price, start) for field, price in prices.items()},
        )
        for start in sorted({0, *starts})
    )


Listing = tuple[tuple[Rates, ...], float, list[tuple[str, str]], list[str]]


def listing(seller: Any, entry: Any, mode: str, on: str, card_id: str) -> Listing:
    """Tiers, price of a request, (field, source) of each priced class, and notes, on one day."""
    moments, notes = offers(seller, entry, on)
    found: list[tuple[float, tuple[Rates, ...]]] = []
    for share, of_hour, when in moments:
        context, rule = context_of(entry, seller, mode, on, when)
        prices = of_hour.get_prices(when, context)
        listed = {field: getattr(prices, key) for field, key in CLASSES.values()}
        found.append((share, _tiers(card_id, listed)))
    tiers = _mean(found)
    sources = {field: SOURCE for field, price in listed.items() if price is not None}
    days = _own_steps(seller, entry, "standard" if rule else mode)
    if past := [day for day in days if day <= on[:10]]:
        facts = days[max(past)]
        tiers = (Rates(card_id, 0.0, **{f: fact.value.mid for f, fact in facts.items()}),)
        sources = {field: fact.sources[0][1] for field, fact in facts.items()}
        notes.append(f"prices from {max(past)} on by {', '.join(sorted(set(sources.values())))}")
    if rule:
        tiers = tuple(_by_rule(tier, rule) for tier in tiers)
        source = next(iter(rule.values())).sources[0][1]
        sources |= {field: source for field in sources if _ratio(field, rule) is not None}
        notes.append(f"{mode} is not in the list: priced by a rule ({source})")
        same = [name for name, (f, _) in CLASSES.items() if f in sources and not _ratio(f, rule)]
    else:
        usual = {key: getattr(entry.get_prices(when), key) for _, key in CLASSES.values()}
        same = [name for name, (f, key) in CLASSES.items() if listed[f] == usual[key] is not None]
    if mode != "standard" and same:
        notes.append(f"{mode} does not reprice {', '.join(same)}: the standard rate holds")
    return tiers, float(prices.requests_kcount or 0) / KILO, [*sources.items()], notes


def _mean(found: list[tuple[float, tuple[Rates, ...]]]) -> tuple[Rates, ...]:
    """The mean of the tiers of several hours, by the share of each; classes without a price stay
    so."""
    if len({tiers for _, tiers in found}) == 1:
        return found[0][1]
    shares = [share for share, _ in found]

    def mean(values: list[Any]) -> Any:
        if None in values:
            return None
        return sum(share * value for share, value in zip(shares, values, strict=True))

    fields = [field for field, _ in CLASSES.values()]
    return tuple(
        replace(at[0], **{f: mean([getattr(tier, f) for tier in at]) for f in fields})
        for at in zip(*(tiers for _, tiers in found), strict=True)
    )


def _ratio(field: str, rule: dict[str, Any]) -> float | None:
    """The ratio of a mode to the standard price of one class; None keeps the standard price."""
    fact = rule.get("mode_cache_ratio" if "cache" in field else "mode_ratio")
    return fact and fact.value.mid


def _by_rule(tier: Rates, rule: dict[str, Any]) -> Rates:
    """A tier in a mode that is priced by a rule."""
    prices = {field: getattr(tier, field) for field, _ in CLASSES.values()}
    return replace(tier, **{f: x and x * (_ratio(f, rule) or 1.0) for f, x in prices.items()})


# -- what changes later ----------------------------------------------------------------------------


def steps_of(
    seller: Any, entry: Any, mode: str, on: str, now: tuple[Rates, ...], usd_per_request: float
) -> tuple[Step, ...]:
    """The dated changes after `on`, as factors on the prices of that day."""
    found: list[Step] = []
    for day in _days_of_change(seller, entry, mode, on):
        then, per_request, *_ = listing(seller, entry, mode, day + on[10:], now[0].id)
        rows = [row for field, _ in CLASSES.values() for row in _factors(field, now, then)]
        if per_request != usd_per_request:
            rows.append(("usd_per_request", 0.0, per_request / usd_per_request))
        if tuple(rows) != (found[-1].factors if found else ()):
            found.append(Step(day, tuple(rows)))
    return tuple(found)


def _factors(
    field: str, now: tuple[Rates, ...], then: tuple[Rates, ...]
) -> list[tuple[str, float, float]]:
    """(field, above, factor) of one class, where the factor differs from that of shorter
    prompts."""
    rows: list[tuple[str, float, float]] = []
    for above in sorted({tier.above for tier in (*now, *then)}):
        old, new = ([t for t in x if t.above <= above][-1].charged[field] for x in (now, then))
        if old and new is not None and new / old != (rows[-1][2] if rows else 1.0):
            rows.append((field, above, new / old))
    return rows


def _days_of_change(seller: Any, entry: Any, mode: str, on: str) -> list[str]:
    """The days after `on` at which the list, or a row of ours, changes a price."""
    variants = [v for v in entry.price_variants or [] if v.when in MODES[mode]]
    dated = [*(entry.prices if isinstance(entry.prices, list) else []), *variants]
    days = {f"{p.constraint.start_date}" for p in dated if hasattr(p.constraint, "start_date")}
    days |= set(_own_steps(seller, entry, mode))
    hours = facts_of("price_hours").values()
    days |= {fact.value for fact in hours if fact.id == f"{seller.id}.{entry.id}"}
    return sorted(day for day in days if day > on[:10])


def changed_between(seller: Any, entry: Any, mode: str, first: str, last: str) -> bool:
    """Whether a price changes after one day, up to another."""
    return any(day <= last[:10] for day in _days_of_change(seller, entry, mode, first))


def _own_steps(seller: Any, entry: Any, mode: str) -> dict[str, dict[str, Any]]:
    """{day: {field: fact}}: dated prices that data/facts/price_steps.csv adds to the list."""
    key = f"{seller.id}.{entry.id}" + ("" if mode == "standard" else f".{mode}")
    found: dict[str, dict[str, Any]] = {}
    for fact in facts_of("price_steps").values():
        model, _, day = fact.id.rpartition("@")
        if model == key:
            found.setdefault(day, {})[fact.field] = fact
    return found


# -- a second source -------------------------------------------------------------------------------


def differing(provider: str, model: str, tiers: Any) -> Iterator[tuple[float, Fact, float]]:
    """(above, what the second source says, what the list says) of each price that differs."""
    for id, facts in second_prices().items():
        named, _, above = id.partition(">")
        if named != f"{provider}.{model}":
            continue
        tier = [t for t in tiers if t.above <= float(above or 0)][-1]
        for fact in facts:
            listed = getattr(tier, fact.field)
            if listed is not None and abs(fact.value.mid / listed - 1) > SAME:
                yield float(above or 0), fact, listed


def second_prices() -> dict[str, list[Fact]]:
    """What data/facts/second_prices.csv says, by "provider.model" or "provider.model>above"."""
    found: dict[str, list[Fact]] = {}
    for fact in facts_of("second_prices").values():
        found.setdefault(fact.id, []).append(fact)
    return found
