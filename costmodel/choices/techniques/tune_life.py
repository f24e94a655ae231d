"""The life of a tune around its run: labels, runs that fail, evaluation, engineering, retraining, the end of its base.

Everything that a tune of one tenant needs is bought once for each of `adapters` tenants; engineering is reused, so a
further tenant takes `further_share` of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from costmodel.choices.options import Case
from costmodel.choices.purchases import Line, Traffic, cite, labour
from costmodel.choices.schedule import Schedule, every, monthly, once, path
from costmodel.choices.techniques.tune_run import Purchase
from costmodel.core.units import (
    MINUTES_PER_HOUR,
    MONTHS_PER_YEAR,
    ROUNDING,
    WORKING_HOURS_PER_MONTH,
    WORKING_HOURS_PER_WEEK,
)

SURE = 1 - 1e-12
ELSEWHERE = ", at another provider, which is taken to cost as much"


def runs_until_pass(chance: Any, luck: Any) -> Any:
    """Runs until one passes the gate [count], whole: the geometric distribution at probability `luck`.

    n = ceil(ln(1 - luck) / ln(1 - chance)), at least 1; its mean over all luck is 1 / chance. Inputs are shares, any shape.
    Not in it: learning from a failed run, which raises the chance of the next.

    >>> [float(runs_until_pass(0.25, u)) for u in (0.05, 0.5, 0.95)]
    [1.0, 3.0, 11.0]
    >>> round(float(np.mean(runs_until_pass(0.25, (np.arange(10_000) + 0.5) / 10_000))), 2)
    4.0
    """
    tries = np.log1p(-np.minimum(luck, SURE)) / np.log1p(-np.minimum(chance, SURE))
    return np.maximum(1.0, np.ceil(tries - ROUNDING))


def month_of(day: str, start: str) -> int:
    """The month of the timeline in which a day falls; month 1 is that of `start`, 0 and below lie before it.

    >>> month_of("2027-01-14", "2026-12-01")
    2
    """
    end, first = date.fromisoformat(day), date.fromisoformat(start)
    return (end.year - first.year) * int(MONTHS_PER_YEAR) + end.month - first.month + 1


@dataclass(frozen=True, eq=False)
class Ending:
    """When the base model ends, in words too, and what says so; and the day from which its provider takes no more jobs."""

    when: Schedule
    words: str
    cites: tuple[str, ...]
    closes: str | None = None


def ending(
    t: Any,
    day: str | None,
    cites: tuple[str, ...],
    terms: Any,
    life: str = "base_life_months",
    closes: str | None = None,
) -> Ending:
    """The model ends on its known day and every `life` (a field of t) after it, or every `life` from today."""
    cites, lasts = (*cites, *cite(t, life)), getattr(t, life)
    model = "the base model" if life == "base_life_months" else "the model"
    first = month_of(day, terms.start) if day else 0
    if first < 1:
        return Ending(every(lasts), f"when {model} ends, every {{{life}}} months", cites)
    since = np.arange(terms.months + 1) - first
    count = np.where(since >= 0, 1 + np.floor(np.maximum(since, 0) / lasts + ROUNDING), 0.0)
    when = path(np.diff(count, axis=-1, prepend=0.0))
    words = f"when {model} ends, on {day} and every {{{life}}} months after"
    return Ending(when, words + (ELSEWHERE if closes else ""), cites, closes)


def retraining(t: Any, ends: Ending, case: Case) -> Iterator[tuple[str, str, Schedule]]:
    """(item, words, when) of retraining: all of it, or what the provider still sells and what is bought elsewhere after it closes."""
    schedule, words = every(t.retrain_months), "one run every {retrain_months} months"
    if not ends.closes:
        yield "retrain", words + ": ", schedule
        return
    months, last = case.terms.months, month_of(ends.closes, case.terms.start)
    due, month = schedule.weights(months, np.zeros(months + 1)), np.arange(months + 1)
    yield (
        "retrain",
        f"{words}, until the provider takes no more jobs on {ends.closes}: ",
        path(due * (month < last)),
    )
    yield (
        "retrain at another provider",
        f"{words} after {ends.closes}{ELSEWHERE}: ",
        path(due * (month >= last)),
    )


def labels(t: Any, examples: Any, ends: Ending) -> Iterator[Line]:
    """What people label: at first, a share again at each retraining, and what was lost when the base ends."""
    count, price, why = (
        examples * t.adapters,
        t.labels.usd_per_item,
        (*cite(t.labels, "usd_per_item"), *cite(t, "examples", *t.labelled)),
    )
    by_people = "{examples} examples" + "".join(f" x {{{name}}}" for name in t.labelled)
    yield Line(
        "label the examples",
        "data",
        count,
        "example",
        price,
        once(),
        "labour",
        "capex",
        by_people + " x {usd_per_item} each",
        why,
    )
    yield Line(
        "label again for retraining",
        "maintenance",
        count * t.retrain_labels,
        "example",
        price,
        every(t.retrain_months),
        "labour",
        basis=by_people + " x {retrain_labels} made again, every {retrain_months} months",
        cites=(*why, *cite(t, "retrain_labels", "retrain_months")),
    )
    yield Line(
        "label again for a new base",
        "migration",
        count * (1 - t.labels_kept),
        "example",
        price,
        ends.when,
        "labour",
        basis=by_people + " x (1 - {labels_kept} kept) " + ends.words,
        cites=(*why, *cite(t, "labels_kept"), *ends.cites),
    )


def life(t: Any, case: Case, run: Purchase, ends: Ending) -> Iterator[Line | Traffic]:
    """Every phase of a tune around its run."""
    people, scale = case.terms.people, 1 + (t.adapters - 1) * t.further_share
    tried = runs_until_pass(t.pass_chance, t.luck) if t.runs is None else t.runs
    counted = ("runs",) if t.runs is not None else ("pass_chance", "luck")
    until = (
        "{runs} runs"
        if t.runs is not None
        else "runs until one passes at a chance of {pass_chance}"
    )
    failed = (tried - 1) * t.adapters
    yield labour(
        "check and clean the examples",
        t.examples * t.adapters * t.minutes_per_check / MINUTES_PER_HOUR,
        people.annotator,
        once(),
        "data",
        "{examples} examples x {minutes_per_check} min x {usd_per_hour}/h",
        cite(t, "examples", "minutes_per_check"),
        "capex",
    )
    yield labour(
        "build the data set and the training",
        t.build_weeks * WORKING_HOURS_PER_WEEK * scale,
        people.engineer,
        once(),
        "build",
        "{build_weeks} engineer-weeks x 40 h x {usd_per_hour}/h",
        cite(t, "build_weeks"),
        "capex",
    )

    def train(
        item: str,
        phase: str,
        times: Any,
        when: Schedule,
        words: str,
        cites: tuple[str, ...],
        treatment: str = "opex",
    ) -> Line:
        return Line(
            item,
            phase,
            times * run.quantity,
            run.unit,
            run.usd_per_unit,
            when,
            run.trend,
            treatment,
            words + run.basis,
            (*run.cites, *cites),
        )

    yield train(
        "runs that do not pass",
        "experiments",
        failed * t.failed_share,
        once(),
        f"({until} - 1) x {{failed_share}} before it is stopped x one run: ",
        cite(t, *counted, "failed_share"),
        "capex",
    )
    if np.any(t.sweep_runs):
        yield train(
            "sweep of settings",
            "experiments",
            t.sweep_runs * t.sweep_share,
            once(),
            "{sweep_runs} runs on {sweep_share} of the data x one run: ",
            cite(t, "sweep_runs", "sweep_share"),
            "capex",
        )
    yield labour(
        "find out why runs fail",
        failed * t.debug_hours,
        people.engineer,
        once(),
        "experiments",
        f"({until} - 1) x {{debug_hours}} h x {{usd_per_hour}}/h",
        cite(t, *counted, "debug_hours"),
        "capex",
    )
    yield train("the run that passes", "training", t.adapters, once(), "", (), "capex")
    yield from evaluate(
        t, case, tried * t.adapters, once(), "evaluate candidates", "evaluation", until, counted
    )

    for item, words, when in retraining(t, ends, case):
        yield train(
            item,
            "maintenance",
            t.adapters,
            when,
            words,
            (*cite(t, "retrain_months"), *(ends.cites if ends.closes else ())),
        )
    yield labour(
        "retrain: people",
        t.retrain_hours * scale,
        people.engineer,
        every(t.retrain_months),
        "maintenance",
        "{retrain_hours} h every {retrain_months} months",
        cite(t, "retrain_hours", "retrain_months"),
    )
    yield from evaluate(
        t,
        case,
        t.adapters,
        every(t.retrain_months),
        "evaluate what was retrained",
        "maintenance",
        "one run",
        ("retrain_months",),
    )
    yield labour(
        "keep the tune working",
        t.upkeep_fte * WORKING_HOURS_PER_MONTH * scale,
        people.engineer,
        monthly(),
        "maintenance",
        "{upkeep_fte} of an engineer x working hours of a month x {usd_per_hour}/h",
        cite(t, "upkeep_fte"),
    )

    again = (1 + (tried - 1) * t.failed_share) * t.adapters
    yield train(
        "train on a new base",
        "migration",
        again,
        ends.when,
        f"{ends.words}, {until}: ",
        (*cite(t, *counted, "failed_share"), *ends.cites),
    )
    yield labour(
        "move to a new base: people",
        t.build_weeks * t.rebuild_share * WORKING_HOURS_PER_WEEK * scale,
        people.engineer,
        ends.when,
        "migration",
        "{build_weeks} engineer-weeks x {rebuild_share} done again x 40 h " + ends.words,
        (*cite(t, "build_weeks", "rebuild_share"), *ends.cites),
    )


def evaluate(
    t: Any,
    case: Case,
    candidates: Any,
    when: Schedule,
    item: str,
    phase: str,
    words: str,
    fields: tuple[str, ...],
) -> Iterator[Traffic]:
    """Every candidate answers the golden set."""
    for call in case.request.calls:
        yield Traffic(
            item,
            replace(call, cache=None),
            candidates * t.candidate_items * call.per_request,
            when,
            phase,
            None,
            words + ", each over {candidate_items} cases",
            cite(t, "candidate_items", *fields),
        )


def keep(gb: Any, t: Any) -> Line:
    """Checkpoints in a store, month by month."""
    return Line(
        "keep checkpoints",
        "maintenance",
        gb * t.checkpoints * t.adapters,
        "GB",
        t.usd_per_gb_month,
        monthly(),
        "service",
        basis="{checkpoints} checkpoints x {usd_per_gb_month} a GB and month",
        cites=cite(t, "checkpoints", "usd_per_gb_month"),
    )
