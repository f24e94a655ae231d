"""The life of a tune around its run: labels, failures, evaluation, retraining, the end of its base.

What a tune of one tenant needs is bought once for each of `adapters` tenants; engineering is
reused, so a further tenant takes `further_share` of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial
from math import prod
from typing import Any

import numpy as np

from costmodel.choices.effort import effort_said, watched_by
from costmodel.choices.options import Case
from costmodel.choices.purchases import Line, Purchases, cite, every_call, labour, setup, upkeep
from costmodel.choices.running import paid_as
from costmodel.choices.schedule import Schedule, every, monthly, once, path
from costmodel.choices.tunes.run import RunPrice
from costmodel.core import (
    MINUTES_PER_HOUR,
    MONTHS_PER_YEAR,
    ROUNDING,
    WORKING_HOURS_PER_WEEK,
    Usual,
    unmarked,
)

SURE = 1 - 1e-12


def runs_until_pass(chance: Any, luck: Any) -> Any:
    """Runs until one passes the gate [count]: the geometric distribution at probability `luck`.

    n = ceil(ln(1 - luck) / ln(1 - chance)), at least 1; its mean over all luck is 1 / chance.
    Inputs are shares, any shape. Not in it: learning from a failed run, which raises the chance of
    the next.

    >>> [float(runs_until_pass(0.25, u)) for u in (0.05, 0.5, 0.95)]
    [1.0, 3.0, 11.0]
    >>> round(float(np.mean(runs_until_pass(0.25, (np.arange(10_000) + 0.5) / 10_000))), 2)
    4.0
    """
    tries = np.log1p(-np.minimum(luck, SURE)) / np.log1p(-np.minimum(chance, SURE))
    return np.maximum(1.0, np.ceil(tries - ROUNDING))


def month_of(day: str, start: Any) -> int:
    """The month of the timeline in which a day falls: 1 is that of `start`, 0 and below lie before.

    >>> month_of("2027-01-14", "2026-12-01")
    2
    """
    end, first = date.fromisoformat(day), date.fromisoformat(start)
    return (end.year - first.year) * MONTHS_PER_YEAR + end.month - first.month + 1


# -- the end of the base model -----------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Ending:
    """The day a model ends, the words for it, and the source that says so.

    `elsewhere` says from which day on its provider takes no more jobs.
    """

    when: Schedule
    words: str
    cites: tuple[str, ...]
    elsewhere: str = ""


def ending(
    technique: Any,
    day: str | None,
    cites: tuple[str, ...],
    terms: Any,
    life: str = "base_life_months",
    closes: str | None = None,
) -> Ending:
    """The model ends on its known day and every `life` (a field) after it, or from today.

    From the day on which its provider closes, tunes are bought elsewhere.
    """
    elsewhere = f", from {closes} on at another provider, taken to cost as much" if closes else ""
    lasts, cites = getattr(technique, life), (*cites, *cite(technique, life))
    model = "the model" if life == "every_months" else "the base model"
    first = month_of(day, terms.start) if day else 0
    if first < 1:
        words = f"when {model} ends, every {{{life}}} months"
        return Ending(every(lasts), words, cites, elsewhere)
    since = np.arange(terms.months + 1) - first
    count = np.where(since >= 0, 1 + np.floor(np.maximum(since, 0) / lasts + ROUNDING), 0.0)
    words = f"when {model} ends, on {day} and every {{{life}}} months after"
    when = path(np.diff(count, axis=-1, prepend=0.0))
    return Ending(when, words, cites, elsewhere)


# -- what is bought ----------------------------------------------------------------------------


def retraining(tune: Any, case: Case) -> tuple[Schedule, str, tuple[str, ...]]:
    """When a tune is trained again, the words for it, and what they cite.

    Every `retrain_months` where somebody gave them; else each time that answers drift, as the
    `Monitoring` of the option has it, and the usual months without one.
    """
    watch = watched_by(case.techniques)
    if watch is None or not isinstance(tune.retrain_months, Usual):
        cites = cite(tune, "retrain_months")
        return every(unmarked(tune.retrain_months)), "every {retrain_months} months", cites
    months = MONTHS_PER_YEAR / np.maximum(watch.drifts_per_year, ROUNDING)
    words = "at each of {drifts_per_year} drifts a year"
    return every(months), words, cite(watch, "drifts_per_year")


def labels(
    tune: Any,
    case: Case,
    item: str,
    phase: str,
    number: Any,
    when: Schedule,
    words: str,
    cites: tuple[str, ...] = (),
    treatment: str = "opex",
) -> Line:
    """Labels by people, for each tenant: at a price each, or as minutes of a role."""
    unit, usd, each = "example", tune.labels.usd_per_item, "{usd_per_item} each"
    number, cites = number * tune.adapters, (*cites, "usd_per_item")
    if tune.minutes_per_label is not None:
        person = paid_as(tune.label_role, case)
        unit, usd, each = "hour", person.usd_per_hour, "{minutes_per_label} min x {usd_per_hour}/h"
        number = number * tune.minutes_per_label / MINUTES_PER_HOUR
        cites = *cites[:-1], *cite(person, "usd_per_hour")
    words = tune.tenants_words + words + each
    return Line(item, phase, number, unit, usd, when, "labour", treatment, words, cites)


def label_examples(tune: Any, case: Case, ends: Ending) -> Purchases:
    """What people label: at first, a share again at each retraining, what is lost with the base."""
    number = tune.examples * prod(getattr(tune, name) for name in tune.labelled)
    words = " x ".join(("{examples} examples", *(f"{{{name}}}" for name in tune.labelled), ""))
    label, (again, often, named) = partial(labels, tune, case), retraining(tune, case)
    yield label("label the examples", "data", number, once(), words, treatment="capex")
    yield label(
        "label again for retraining",
        "maintenance",
        number * tune.retrain_labels,
        again,
        f"{words}{{retrain_labels}} made again, {often}, x ",
        named,
    )
    yield label(
        "label again for a new base",
        "migration",
        number * (1 - tune.labels_kept),
        ends.when,
        f"{words}(1 - {{labels_kept}} kept) {ends.words}, x ",
        ends.cites,
    )


def life_of(tune: Any, case: Case, run: RunPrice, ends: Ending) -> Purchases:
    """Every phase of a tune around its run."""
    people = case.terms.people
    yield labour(
        "check and clean the examples",
        tune.examples * tune.adapters * tune.minutes_per_check / MINUTES_PER_HOUR,
        people.annotator,
        once(),
        "data",
        tune.tenants_words + "{examples} examples x {minutes_per_check} min x {usd_per_hour}/h",
        treatment="capex",
    )
    yield setup(
        "build the data set and the training",
        tune,
        case.work,
        people.engineer,
        times=tune.people,
        treatment="capex",
    )
    yield from _first_runs(tune, case, run)
    yield from _retraining(tune, case, run, ends)
    yield from _new_base(tune, case, run, ends)


def _runs_needed(tune: Any) -> tuple[Any, str, tuple[str, ...]]:
    """Runs until one passes; the same as the text of a formula; and further fields to cite."""
    if tune.runs is not None:
        return tune.runs, "{runs} runs", ()
    chance, words = tune.chance
    words = f"runs until one passes at a chance of {words}"
    return runs_until_pass(chance, tune.luck), words, ("luck",)


def _first_runs(tune: Any, case: Case, run: RunPrice) -> Purchases:
    """The runs that fail, the one that passes, and their evaluation."""
    runs, until, luck = _runs_needed(tune)
    failed, now, phase = (runs - 1) * tune.adapters, once(), "experiments"
    yield run.line(
        "runs that do not pass",
        phase,
        failed * tune.failed_share,
        now,
        f"{tune.tenants_words}({until} - 1) x {{failed_share}} before it is stopped x one run: ",
        luck,
        "capex",
    )
    if np.any(tune.sweep_runs):
        yield run.line(
            "sweep of settings",
            phase,
            tune.sweep_runs * tune.sweep_share,
            now,
            "{sweep_runs} runs on {sweep_share} of the data x one run: ",
            treatment="capex",
        )
    yield labour(
        "find out why runs fail",
        failed * tune.debug_hours,
        case.terms.people.engineer,
        now,
        phase,
        f"{tune.tenants_words}({until} - 1) x {{debug_hours}} h x {{usd_per_hour}}/h",
        luck,
        "capex",
    )
    args = "the run that passes", "training", tune.adapters, now, tune.tenants_words
    yield run.line(*args, treatment="capex")
    items, words, cites = effort_said(tune, "candidate_items", case.work)
    yield from every_call(
        "evaluate candidates",
        case.request,
        runs * tune.adapters * items,
        now,
        "evaluation",
        basis=f"{tune.tenants_words}{until}, each over {words} cases",
        cites=(*luck, *cites),
        in_a_row=items,
    )


def _retraining(tune: Any, case: Case, run: RunPrice, ends: Ending) -> Purchases:
    """Runs and people of each retraining, and the steady upkeep."""
    engineer, phase = case.terms.people.engineer, "maintenance"
    (when, often, named), (times, more) = retraining(tune, case), tune.people
    words = f"{tune.tenants_words}one run {often}{ends.elsewhere}: "
    yield run.line("retrain", phase, tune.adapters, when, words, (*ends.cites, *named))
    yield labour(
        "retrain: people",
        tune.retrain_hours * times,
        engineer,
        when,
        phase,
        "{retrain_hours} h" + more + f" x {{usd_per_hour}}/h {often}",
        named,
    )
    items, words, cites = effort_said(tune, "candidate_items", case.work)
    yield from every_call(
        "evaluate what was retrained",
        case.request,
        tune.adapters * items,
        when,
        phase,
        basis=f"{tune.tenants_words}{words} cases, {often}",
        cites=(*named, *cites),
        in_a_row=items,
    )
    yield upkeep("keep the tune working", tune, case.work, engineer, times=tune.tenants)


def _new_base(tune: Any, case: Case, run: RunPrice, ends: Ending) -> Purchases:
    """The runs and the engineering that a new base takes."""
    runs, until, luck = _runs_needed(tune)
    (times, more), (weeks, said, cites) = tune.people, effort_said(tune, "build_weeks", case.work)
    yield run.line(
        "train on a new base",
        "migration",
        (1 + (runs - 1) * tune.failed_share) * tune.adapters,
        ends.when,
        f"{tune.tenants_words}(1 + ({until} - 1) x {{failed_share}}) runs {ends.words}"
        f"{ends.elsewhere}: ",
        (*luck, *ends.cites),
    )
    yield labour(
        "move to a new base: people",
        weeks * tune.rebuild_share * WORKING_HOURS_PER_WEEK * times,
        case.terms.people.engineer,
        ends.when,
        "migration",
        f"{said} engineer-weeks x {{rebuild_share}} done again x 40 h{more} "
        f"x {{usd_per_hour}}/h {ends.words}",
        (*ends.cites, *cites),
    )


def keep_checkpoints(tune: Any, gb: Any) -> Line:
    """Checkpoints in a store, month by month."""
    basis = tune.tenants_words + "{checkpoints} checkpoints x {usd_per_gb_month} a GB and month"
    stored, usd = gb * tune.checkpoints * tune.adapters, tune.usd_per_gb_month
    return Line("keep checkpoints", "maintenance", stored, "GB", usd, monthly(), basis=basis)
