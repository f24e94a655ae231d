"""A model behind an API, paid by tokens.

It prices all traffic that it gets, production, evaluation and labels alike. Models on GPUs of your
own are in `hosted`, reserved capacity of a provider is in `provisioned`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from costmodel.choices.purchases import Line, Lines, Traffic, by_length, cite
from costmodel.choices.quality.accepted import describe_model
from costmodel.choices.requests import Cache, Call, Limits
from costmodel.choices.schedule import scaled
from costmodel.choices.servings.calls import cache_split, over_window
from costmodel.choices.servings.fields import Card, Id
from costmodel.choices.servings.price_steps import price_path, stepped
from costmodel.choices.servings.rate_limits import OVER_LIMIT, held_to_limits, limits_of
from costmodel.choices.servings.waiting import Waiting
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import (
    MTOK,
    ROUNDING,
    CatalogError,
    Infeasible,
    Number,
    Unpriced,
    check,
    check_known,
    frozen,
    not_none,
    of_kind,
    unchecked,
    validate,
)
from costmodel.facts import catalog
from costmodel.facts.cards import api_price
from costmodel.facts.prices import OWN, UNUSUAL, USUAL, ApiPrice, Rates, rates, unusual
from costmodel.laws.agents import attempts

# what a class is cited by: a card need not have a price of its own for it
CITED = {
    "usd_per_mtok_reasoning": "usd_per_mtok_out",
    "usd_per_mtok_cache_write_1h": "usd_per_mtok_cache_write",
}
SHORT_TTL_S = 300  # a longer time to live is written at the price of the 1-hour cache


@frozen
class Api:
    """A model behind an API: nothing to run, and every token is paid.

    What you leave open (provider, date, mode, residency) is taken from the price card, so that
    `dataclasses.replace(api, mode="batch")` asks the price list again.

    Parameters
    ----------
    model : str or ApiPrice
        An id of the price list, or a price card.
    provider, on : str, optional
        Who sells it, and the date of the prices; by default the maker of the model and today. An
        hour as in "2026-11-20T12:00" [UTC] pins a price that changes with it; a day alone takes the
        mean.
    mode : {"standard", "batch", "flex", "priority"}, optional
    residency : str, optional
        Region in which the data stays, such as "eu".
    discount : number, share
        Your discount on every token class.
    window_tokens : number, token, optional
        Context window, where the list has none or yours is another.
    failed : number, share
        Chance that an attempt fails and is tried again. Leave it at 0 beside an `Agent`, which has
        its own.
    attempts_max : number, at least 1
        Most attempts of a call: your own tries times those of the client library (3 x 3 = 9).
    billed_share : number, share
        Share of the failed attempts that is billed.
    tokens_per_min_max, requests_per_min_max : number, optional
        Limits of your account per minute; None is unknown, and nothing is checked.
    over_limit : {"refuse", "queue", "fallback"}
        What happens to a load above a limit in the busiest hour of the busiest month: the option
        cannot run, where a call in twenty or more would be turned away; calls wait, as long as the
        mean of that hour is below the limit; or another API answers what is above it.
    fallback : Api, optional
        With "fallback": who answers then. Its answers are taken to be as good.
    waiting : Waiting, optional
        How long it takes, where the workload needs its answers in time (`Workload.latency_s`); None
        is the middle of what is published.
    accepted : number, share, optional
        Share of answers accepted with plain instructions, without techniques and documents; None:
        it follows from the task and the capability of the model.
    capability : number, index, optional
        Published index of the model, above 0 and below 70; None: `cm.knowledge.capability_of`.
    log_odds_model : number or Range [log-odds], optional
        What the model has of its own on a task; the same for all options with these weights.
    reader : id or record, optional
        How it reads long prompts: "frontier", "strong" or "small"; None: by its capability.

    Raises
    ------
    CatalogError
        When the price list has no such model, mode or residency.
    ValueError
        When a field is outside its range, or a fallback is missing, superfluous or not refusing.

    Examples
    --------
    >>> import costmodel as cm
    >>> api = cm.Api("gpt-4o", on="2026-11-20", discount=0.1)
    >>> api.provider, api.mode
    ('openai', 'standard')
    >>> work = cm.Workload(1e6, input_tokens=900, peak_to_average=3)
    >>> over = cm.Api("gpt-4.1", on="2026-11-20")
    >>> tight = cm.Api(
    ...     "gpt-4o", on="2026-11-20", tokens_per_min_max=1e5, over_limit="fallback", fallback=over
    ... )
    >>> cm.ledger(cm.Option(tight), work, months=1)[["item", "quantity"]].round(1)
                                    item  quantity
    0            production: fresh input     704.7
    1  overflow: production: fresh input     195.3
    """

    # -- the price card
    model: Card
    provider: str | None = None
    on: str | None = None
    mode: str | None = None
    residency: str | None = None
    discount: Number = 0.0
    window_tokens: Number | None = None
    # -- failed attempts
    failed: Number = 0.0
    attempts_max: Number = 3
    billed_share: Number = 1.0
    # -- limits per minute
    tokens_per_min_max: Number | None = None
    requests_per_min_max: Number | None = None
    over_limit: str = "refuse"
    fallback: Any = None
    # -- how long it takes
    waiting: Waiting | None = None
    # -- quality
    accepted: Number | None = None
    capability: Number | None = None
    log_odds_model: Number | None = None
    reader: catalog.Reader | Id | None = None

    def __post_init__(self) -> None:
        card = self.model
        if isinstance(card, str):
            card = api_price(card, self.provider, self.on, self.mode or "standard", self.residency)
        else:
            if (odd := unusual(card)) and card != catalogue_card(card):
                raise ValueError(
                    f"{odd[0]} is {odd[1]:g} USD per million tokens, usual is {USUAL[0]:g} to "
                    f"{USUAL[1]:,.0f}; mend the unit, or say why: note= of own_api and of a price "
                    f"book, or a note '{UNUSUAL}: why' on the card"
                )
            sold = terms_of_sale(card)
            asked = sold | not_none(**terms_of_sale(self))
            if asked != sold:
                card = moved_card(card, asked)
        vars(self).update(terms_of_sale(card), model=card)
        self._check_limits()
        describe_model(self)
        validate(self)

    def _check_limits(self) -> None:
        check_known("over_limit", self.over_limit, OVER_LIMIT, where="Api")
        check(
            self.over_limit == "refuse" or limits_of(self),
            f"Api.over_limit is {self.over_limit!r}, but there is no limit; give "
            "tokens_per_min_max= or requests_per_min_max=",
        )
        check(
            (self.over_limit == "fallback") == (self.fallback is not None),
            "Api: over_limit='fallback' and fallback=Api(...) belong together; give both or none",
        )
        if self.waiting is not None:
            of_kind("Api.waiting", self.waiting, Waiting)
        if self.fallback is not None:
            of_kind("Api.fallback", self.fallback, Api)
            check(
                self.fallback.over_limit == "refuse",
                f"Api.fallback has over_limit={self.fallback.over_limit!r}, allowed is 'refuse'",
            )

    def at(self, on: str) -> Api:
        """The same model at the prices of another date; prices changed by hand cannot be moved.

        An hour that the option pins stays pinned on the other day.
        """
        on = on if "T" in on else on + str(self.on)[len(on) :]
        fallback = self.fallback and self.fallback.at(on)
        moved = on != self.on or fallback is not self.fallback
        return replace(self, on=on, fallback=fallback) if moved else self

    @property
    def where(self) -> str:
        """Who runs it, for readers."""
        return f"{self.provider} + {self.fallback.where}" if self.fallback else str(self.provider)

    @property
    def window(self) -> Any:
        """Context window [token]: yours, or that of the price list; None when nobody says."""
        return self.model.window if self.window_tokens is None else self.window_tokens

    def limits(self, call: Call) -> Limits:
        """What can stop a call: (by how much it is over, the reason with {over} to fill in)."""
        yield from over_window(self, call)
        if self.fallback is not None:
            yield from over_window(self.fallback, call)

    def price(self, traffic: list[Traffic], work: Workload, terms: Terms) -> Lines:
        """Every class of tokens of every call, the attempts that fail, and what a limit moves."""
        end = catalog.retirement(self.model.id, self.model.provider)
        if end and end.retires and end.retires < str(terms.start):
            raise Infeasible(
                f"{self.model.id} has ended on {end.retires}, before the first month "
                f"({terms.start}); choose another model"
            )
        tiers = [tier.above for tier in self.model.tiers]
        traffic = [part for t in traffic for part in by_length(t, tiers)]
        held = held_to_limits(self, traffic, work, terms)
        for t in traffic:
            for line in self._lines(t, work, terms):
                if held is None:
                    yield line
                    continue
                share = 1 - held.spilled if t.follows_demand else 1.0
                count, when = scaled(line.quantity, line.schedule, share, work, terms)
                said = held.waits and t.follows_demand
                basis = f"{line.basis}; {held.waits}" if said else line.basis
                yield replace(line, quantity=count, schedule=when, basis=basis, fits=held.fits)
        if held is not None and np.any(held.spilled):
            basis = f"calls above the limit x tokens of one call at {self.model.asked}"
            yield from self.fallback.overflow(traffic, held.spilled, work, terms, basis=basis)

    def _lines(self, t: Traffic, work: Workload, terms: Terms) -> Lines:
        """The lines of one kind of call."""
        card = rates(self.model, t.call.prompt_tokens, self.discount)
        for field, line in self._classes(t, card, work, terms):
            yield self._stepped(line, t.call.prompt_tokens, terms, **{field: 1.0})
        if np.any(usd := self.model.usd_per_request):
            basis, cites = "calls x price per request", cite(self.model, "usd_per_request")
            line = t.line("requests", t.count, "request", usd, basis=basis, cites=cites)
            yield self._stepped(line, 0.0, terms, usd_per_request=1.0)
        if np.any(self.failed):
            yield self._failed_attempts(t, card, terms)

    def _stepped(self, line: Line, prompt_tokens: Any, terms: Terms, **parts: Any) -> Line:
        """A line at the known future prices of its fields, by the part of each in its price."""
        if not self.model.steps:
            return line
        price = sum(
            part * price_path(self.model, field, prompt_tokens, terms)
            for field, part in parts.items()
        )
        days = " and ".join(step.on for step in self.model.steps)
        when = stepped(line.schedule, self.model, price, terms)
        return unchecked(line, schedule=when, basis=f"{line.basis}; list price changes on {days}")

    def overflow(
        self, traffic: list[Traffic], share: Any, work: Workload, terms: Terms, **changes: Any
    ) -> Lines:
        """The share of production for which another capacity has no room, by the token."""
        over = []
        for t in traffic:
            if t.follows_demand:
                count, when = scaled(t.count, t.schedule, share, work, terms)
                over.append(replace(t, count=count, schedule=when, **changes))
        for line in self.price(over, work, terms):
            yield replace(line, item=f"overflow: {line.item}")

    def _failed_attempts(self, t: Traffic, card: Rates, terms: Terms) -> Line:
        """Attempts that fail and are paid all the same, at the price of a whole call."""
        tokens_in, tokens_out = t.call.prompt_tokens, t.call.output_tokens
        usd_in, usd_out = (  # a class without a price that occurs was refused before
            0.0 if rate is None else tokens * rate
            for tokens, rate in (
                (tokens_in, card.usd_per_mtok_in),
                (tokens_out, card.usd_per_mtok_out),
            )
        )
        usd = (usd_in + usd_out) / MTOK
        again = self.failed * attempts(self.failed, self.attempts_max) * self.billed_share
        basis = (
            "calls x {failed} x mean attempts of up to {attempts_max} x {billed_share}, "
            "each at the price of an uncached call"
        )
        cites = cite(self.model, "usd_per_mtok_in", "usd_per_mtok_out")
        wasted = t.count * again
        line = t.line("failed attempts", wasted, "attempt", usd, basis=basis, cites=cites)
        share = usd_in / np.maximum(usd_in + usd_out, ROUNDING)
        parts = {"usd_per_mtok_in": share, "usd_per_mtok_out": 1 - share}
        return self._stepped(line, tokens_in, terms, **parts)

    def _classes(
        self, t: Traffic, card: Rates, work: Workload, terms: Terms
    ) -> Iterator[tuple[str, Line]]:
        """(field of the card, line) of each class of tokens."""
        cache, prefix, fresh = t.call.cache, t.call.stable_tokens, t.call.prompt_tokens
        if cache is None and t.in_a_row is not None and card.usd_per_mtok_cache_read is not None:
            cache = Cache(SHORT_TTL_S)
            t = unchecked(t, call=unchecked(t.call, cache=cache))
        image, audio = t.call.tokens_of("image"), t.call.tokens_of("audio")
        fresh = fresh - image - audio
        if np.any(audio) and card.usd_per_mtok_audio is None:
            raise Unpriced(
                f"audio of {self.model.id!r} is not priced; choose a model that hears, or send text"
            )
        classes = []  # (class, tokens, price, when, field of the card)
        if cache is not None:
            shortest = cache.minimum_tokens
            shortest = self.model.cache_min_tokens if shortest is None else shortest
            prefix = np.where(prefix >= shortest, prefix, 0.0)
            fresh = fresh - prefix
            usd = card.usd_per_mtok_cache_read
            if usd is None and np.any(prefix > 0):
                raise Unpriced(
                    f"cache_read of {self.model.id!r} is not priced; "
                    "leave out PromptCache() or choose another model"
                )
            kept = unchecked(cache, ttl_s=np.maximum(cache.ttl_s, self.model.cache_ttl_s))
            held = unchecked(t, call=unchecked(t.call, cache=kept))
            (read, when_read), (written, when_written) = cache_split(held, work, terms)
            write = _write_field(card, cache.ttl_s)
            classes = [
                ("cache read", prefix * read, "usd_per_mtok_cache_read", when_read),
                ("cache write", prefix * written, write, when_written),
            ]
        for name, tokens, field, schedule in (
            ("fresh input", fresh, "usd_per_mtok_in", t.schedule),
            *classes,
            ("images", image, "usd_per_mtok_image", t.schedule),
            ("audio", audio, "usd_per_mtok_audio", t.schedule),
            ("output", t.call.output_tokens, "usd_per_mtok_out", t.schedule),
            ("reasoning", t.call.reasoning_tokens, "usd_per_mtok_reasoning", t.schedule),
        ):
            usd = getattr(card, field)
            if usd is None and np.any(tokens):
                raise Unpriced(
                    f"{name} of {self.model.id!r} at {self.provider} is not priced; "
                    f"choose another model, or a price card with {field}"
                )
            if usd is None or (np.ndim(tokens) == 0 and not tokens):
                continue  # draws have the line, also where all of them are 0
            mtok = t.count * tokens / MTOK
            # cites the base tier: the card of a residency is a tier of its own name
            cited = CITED.get(field, field)
            cites = (*t.cites, *cite(self.model.tiers[0], cited))
            basis = t.basis or f"calls a month x tokens of one call at {self.model.asked}"
            yield field, t.line(name, mtok, "Mtok", usd, schedule, basis=basis, cites=cites)


def terms_of_sale(sold: Api | ApiPrice) -> dict[str, Any]:
    """What selects a card in the price list."""
    return {name: getattr(sold, name) for name in ("provider", "on", "mode", "residency")}


def catalogue_card(card: ApiPrice) -> ApiPrice | None:
    """The card as the price list has it, or None when it is not from there."""
    try:
        listed = api_price(card.id, **terms_of_sale(card))
        return replace(listed, discount=card.discount, notes=card.notes)
    except CatalogError:
        return None


def moved_card(card: ApiPrice, asked: dict[str, Any]) -> ApiPrice:
    """The card as it is asked for: of another day, mode, region or seller.

    Prices of your own hold on every day.
    """
    if card.provider == OWN and asked == terms_of_sale(card) | {"on": asked["on"]}:
        return replace(card, on=asked["on"])
    check(
        card == catalogue_card(card),
        f"the prices of {card.id!r} were changed by hand and cannot be moved to {asked}; "
        "make the option with its own on=, mode= or residency=",
    )
    return replace(api_price(card.id, **asked), discount=card.discount)


def _write_field(card: Rates, ttl_s: Any) -> str:
    """The price of a token that is written to the cache; it is paid instead of the input rate."""
    field = "usd_per_mtok_cache_write" + ("_1h" if np.all(ttl_s > SHORT_TTL_S) else "")
    if getattr(card, field) is None:
        raise Unpriced(
            f"a 1-hour cache write is not priced for {card.id}; use PromptCache(ttl_s=300)"
        )
    return field
