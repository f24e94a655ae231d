"""Upgrades: moves to another model that a provider forces, and changes that nobody announces."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import numpy as np

from costmodel.choices.effort import BUILD, CASES, effort_said, usual
from costmodel.choices.options import Case
from costmodel.choices.purchases import Purchases, Traffic, cite, every_call, labour
from costmodel.choices.requests import Call, Segment
from costmodel.choices.running import bought_together, loss
from costmodel.choices.schedule import Moves, Stages
from costmodel.choices.tunes.life import Ending, ending, month_of
from costmodel.core import (
    DAYS_PER_MONTH,
    MINUTES_PER_HOUR,
    MONTHS_PER_YEAR,
    WORKING_HOURS_PER_WEEK,
    CatalogError,
    Infeasible,
    Number,
    checked,
    middle,
    number_text,
)
from costmodel.facts.cards import api_price
from costmodel.facts.catalog import practice, retirement
from costmodel.facts.prices import ApiPrice
from costmodel.laws.ageing import after_moves

IN_FOR_OUT = 3  # tokens in for one token out, in the price of a model
MOVES_FORESEEN = 2  # successors whose price and answers differ; nobody knows about later ones


@checked
class Upgrades:
    """Move to another model when the provider retires this one: test, re-anchor, fix, warm up.

    The first move is on the announced day of the model, later ones every `every_months`. From the
    month of a move on, an API asks the price of the successor, and answers are better or worse.
    Where the maker names the successor and the price list has it, the first step is its list price
    over that of today's model (3 tokens in for 1 out). A model pinned to a dated version changes
    only then; one behind an alias also changes silently, and users find out. Beside a tune the
    models end once, with the base of the tune, and the people who move are in the tune.

    Parameters
    ----------
    every_months : number or Range, above 0
        Life of a model, where no day is announced.
    retires : str or None
        The day on which this model ends; None is the one of data/facts/retirements.csv.
    weeks, prompts, fork_share : number or Range
        Engineer-weeks of the first prompt, how many prompts there are (at least 1), and the rework
        of a further one over that of the first.
    candidates, runs_per_candidate : number or Range, at least 0
        Models that are tried, and the runs of the golden set for each.
    pinned : bool
        False where an alias moves to new versions.
    items, minutes_per_case : number or Range, at least 0
        Cases of the golden set, and the minutes of a person on one at each move.
    cold_days, read_ratio : number or Range, at least 0
        Days until a cache is warm again, and the price of a cache read over the input price [x].
    named_successor : bool
        False where you will not move to the model that the maker names.
    price_step : number or Range, at least -1 [x]
        Token price of a successor that is not named over that of the model it replaces, less 1; an
        own model has none. A list price that changes between two moves is in `Trends.api`.
    quality_step : number or Range
        Shift of the log-odds of an accepted answer at each move, also of a share that you measured.
    silent_per_year, drop : number or Range, at least 0
        Silent changes of an alias in a year, and the fall of the accepted share in one.
    days_unseen : number or Range, at least 0
        Days until users make a fault known.

    Raises
    ------
    ValueError
        When a field is outside its range, or the day is no date.

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(cm.Api("gpt-6-luna"), cm.Upgrades(every_months=12, retires=None))
    >>> book = cm.ledger(option, cm.Workload(10_000, input_tokens=500))
    >>> book.month[book["item"] == "forced model upgrade"].to_list()
    [12, 24, 36]
    """

    # -- when
    every_months: Number = practice("api.model_life_months")
    retires: str | None = None
    # -- people
    weeks: Number = usual("upgrade.weeks", BUILD)
    prompts: Number = 1
    fork_share: Number = practice("Upgrades.fork_share")
    # -- tests
    items: Number = usual("eval.examples", CASES)
    minutes_per_case: Number = practice("reanchor.minutes_per_case")
    candidates: Number = practice("Upgrades.candidates")
    runs_per_candidate: Number = practice("Upgrades.runs_per_candidate")
    # -- the cache
    cold_days: Number = practice("Upgrades.cold_days")
    read_ratio: Number = practice("openai.cache_read_ratio")
    # -- the successor
    named_successor: bool = True
    price_step: Number = practice("api.price_step")
    quality_step: Number = practice("Upgrades.quality_step")
    # -- silent changes
    pinned: bool = True
    silent_per_year: Number = practice("Upgrades.silent_per_year")
    drop: Number = practice("drift.drop")
    days_unseen: Number = practice("drift.days_unseen")

    def _tune(self, case: Case) -> Any:
        """The tune of the option, whose base then ends once for both."""
        return next((t for t in case.techniques if hasattr(t, "provider_life_months")), None)

    def ends(self, case: Case) -> Ending:
        """When models end: that of a tune with its base."""
        if tune := self._tune(case):
            return tune.ends(case)
        return ending(self, self._day(case), (), case.terms, life="every_months")

    def _day(self, case: Case) -> str | None:
        """The day on which the model of an option ends, where one is known."""
        model = getattr(case.serving, "model", None)
        if model is None:
            raise Infeasible(
                f"Upgrades need a model that a provider can retire; {type(case.serving).__name__} "
                "has none"
            )
        known = retirement(model.id, getattr(model, "provider", None))
        day = self.retires or getattr(model, "retired", None) or getattr(known, "retires", None)
        if day and month_of(day, case.terms.start) < 1:
            raise Infeasible(
                f"{model.id} is retired on {day}, before the first month ({case.terms.start}); "
                "choose another model"
            )
        return day

    def price_path(self, case: Case) -> Stages:
        """Token price over that of the first model, by model."""
        return self._paths(case)[0]

    def price_words(self, case: Case) -> tuple[str, Any]:
        """What the formula of a line says of these prices, and what it cites."""
        words = "(1 + {price_step}) at each move to a successor"
        if named := self._named(case):
            id, first = named
            words = f"{number_text(middle(first))} from {self._day(case)} on ({id}), {words} after"
        return f", x {words}", cite(self, "price_step")

    def odds_path(self, case: Case) -> Stages:
        """Odds of an accepted answer over those of the first model, by model."""
        return self._paths(case)[1]

    def _named(self, case: Case) -> tuple[str, Any] | None:
        """The model that the maker names to follow, and its list price over that of today's [x]."""
        model: Any = getattr(case.serving, "model", None)
        end = retirement(model.id, model.provider) if isinstance(model, ApiPrice) else None
        if not (self.named_successor and end and end.successor and self._day(case) == end.retires):
            return None
        with suppress(CatalogError):  # a name that is no id, or a mode that it does not have
            card = api_price(end.successor, model.provider, model.on, model.mode, model.residency)
            return card.id, _blended(card) / _blended(model)
        return None

    def _paths(self, case: Case) -> tuple[Stages, Stages]:
        """(price, odds) by model, once for all options whose model ends then."""
        named = self._named(case)
        if self._tune(case):
            return self._steps(case, named)
        model: Any = case.serving.model if named else None  # kept, so that its id stays its own
        key = case.terms.months, case.terms.start, self._day(case), id(model)
        memo = self.__dict__.setdefault("_memo", {})
        if key not in memo:
            memo[key] = *self._steps(case, named), model
        return memo[key][:2]

    def _steps(self, case: Case, named: tuple[str, Any] | None) -> tuple[Stages, Stages]:
        months = math.ceil(case.terms.months)
        moves = Moves(self.ends(case).when.due(MOVES_FORESEEN, months, np.empty(0)), months)
        model = np.arange(1.0 + MOVES_FORESEEN)
        price = after_moves(self.price_step, model)
        if named:
            later = after_moves(self.price_step, np.maximum(model - 1, 0))
            price = np.where(model < 1, 1.0, named[1] * later)
        return Stages(price, moves), Stages(np.exp(self.quality_step * model), moves)

    def buys(self, case: Case) -> Purchases:
        engineer, ends, work = case.terms.people.engineer, self.ends(case), case.work
        when, phase = ends.when, "migration"
        weeks, said, cites = effort_said(self, "weeks", work)
        cites = (*cites, *ends.cites)
        hours = weeks * WORKING_HOURS_PER_WEEK
        hours = hours * (1 + (self.prompts - 1) * self.fork_share)
        basis = f"{said} engineer-weeks x 40 h x (1 + ({{prompts}} prompts - 1) x {{fork_share}}) "
        words = basis + ends.words
        if not self._tune(case):  # which moves to its new base itself
            yield labour("forced model upgrade", hours, engineer, when, phase, words, cites)
        items, cases, cites = effort_said(self, "items", work)
        cites = (*cites, *ends.cites)
        hours = items * self.minutes_per_case / MINUTES_PER_HOUR
        words = f"{cases} cases x {{minutes_per_case}} min {ends.words}"
        yield labour("re-anchor the evaluation", hours, engineer, when, phase, words, cites)

        runs = items * self.candidates * self.runs_per_candidate
        tried = cases + " cases x {candidates} candidates x {runs_per_candidate} runs " + ends.words
        cold = "requests of {cold_days} days x cached prefix x (1 - {read_ratio}) " + ends.words
        for part, requests in bought_together(case):
            request, by = part.request, part.serving
            yield from every_call(
                "try candidates", request, runs, when, phase, by, tried, cites, items
            )
            for call in part.request.calls:
                if call.cache is not None:
                    tokens = call.shared_tokens * (1 - self.read_ratio)
                    prefix = Call((Segment("prefix that was cached", tokens),), 0.0)
                    count = requests / DAYS_PER_MONTH * self.cold_days * call.per_request
                    yield Traffic(
                        "warm the cache again", prefix, count, when, phase, by, cold, ends.cites
                    )

        if not self.pinned and np.any(case.work.usd_per_failure):
            yield loss(
                "silent changes behind an alias",
                case,
                self.silent_per_year / MONTHS_PER_YEAR,
                self.days_unseen,
                self.drop,
                "{silent_per_year} changes a year x {days_unseen} days",
            )


def _blended(card: ApiPrice) -> Any:
    """List price of 3 million tokens in and 1 out [USD], as in `price_step`."""
    base = card.tiers[0]
    return IN_FOR_OUT * base.usd_per_mtok_in + base.usd_per_mtok_out
