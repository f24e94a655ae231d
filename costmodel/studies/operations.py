"""Risks: what the careful way costs and saves, and what stays unpriced where an operation is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.options import Mix, Option
from costmodel.choices.study import Study, analysis
from costmodel.choices.techniques.agents import Agent
from costmodel.choices.techniques.compliance import Compliance
from costmodel.choices.techniques.operations import Evals, Monitoring
from costmodel.choices.techniques.release import POLICIES, Release
from costmodel.choices.techniques.upgrades import Upgrades
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core.checks import is_day, require
from costmodel.core.draws import middle
from costmodel.core.errors import check
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.core.units import MONTHS_PER_YEAR
from costmodel.decisions.simulate import p_cheapest, totals
from costmodel.facts import catalog
from costmodel.facts.catalog import practice
from costmodel.laws.ageing import gain_of_waiting, overpaid_share
from costmodel.ledgers.book import ledger
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import cases, evaluate

DRAWS = 2_000
MOST_STOPPED = 0.999
LONG_RUN = 60  # months over which what comes once in a while is averaged
ALL_AT_ONCE = Release(policy="none")
LONG_TASK = 5.0  # times the mean: a cap that few tasks reach
STOPPED_SHARE = Range(
    0.3,
    0.9,
    mid=0.7,
    why="assumption: share of bad changes that an evaluation stops; what passes is in Release",
)
NO_LOSS = "; usd_per_failure is 0, so that only the work of people is counted: say what a wrong answer costs"


@analysis
def unpriced(
    study: Study, label: str | None = None, stopped_share: Number = STOPPED_SHARE
) -> pd.DataFrame:
    """What the bill of an option leaves out: one row for each operation that it does not have.

    Columns: operation, risk, usd_per_year (expected, all Ranges at their middle, averaged over five years), why. An option
    with Evals, Release, Monitoring, Upgrades and Compliance has no row, nor have people or seats that answer without a model; each of them prices its risk where it is. An agent
    without a cap has one. `stopped_share` of the bad changes would be stopped by an evaluation.
    """
    require("stopped_share", stopped_share, 0, MOST_STOPPED)
    option, work, terms = middle(study.option(label)), study.work, study.terms
    columns = ["operation", "risk", "usd_per_year", "why"]
    if not _answered_by_model(option):
        return pd.DataFrame([], columns=columns)
    has = {type(t) for part, _, _ in option.parts() for t in part.techniques}

    def added(technique: Any, to: Any = option, phase: str | None = None) -> float:
        less, more = _bill(to, work, terms), _bill(_with(to, technique), work, terms)
        return sum(usd - less.get(name, 0.0) for name, usd in more.items() if phase in (None, name))

    note = "" if np.any(middle(work).usd_per_failure) else NO_LOSS
    found: list[tuple[str, str, float, str]] = []
    if Evals not in has:
        release = next(
            (t for part, _, _ in option.parts() for t in part.techniques if isinstance(t, Release)),
            ALL_AT_ONCE,
        )
        stopped = middle(stopped_share)
        odds = stopped / (1 - stopped)
        found.append(
            (
                "Evals",
                "bad changes that a gate would have stopped",
                odds * added(release, _each(option, _no_release), "failures"),
                f"an evaluation stops {stopped:.0%} of bad changes: "
                f"without it {1 + odds:.1f} times as many are released" + note,
            )
        )
    if Release not in has:
        (_, case, _), *_ = cases(option, *middle((work, terms)))
        out = middle(ALL_AT_ONCE).days_after(case)
        found.append(
            (
                "Release",
                "bad releases that reach everybody at once",
                added(ALL_AT_ONCE),
                f"{Release.releases_per_month.mid:g} releases a month, {Release.regression_chance.mid:.0%} of them bad, "
                f"out for {float(np.squeeze(out)):.3g} days" + note,
            )
        )
    if Monitoring not in has:
        blind = Monitoring(judge_share=0.0, reviews_per_month=0.0, trace_share=0.0)
        found.append(
            (
                "Monitoring",
                "drift that only users notice",
                added(blind),
                f"{blind.drifts_per_year.mid:g} falls by {blind.drop.mid:.0%} a year, "
                f"each unseen for {blind.days_unseen.mid:g} days" + note,
            )
        )
    if Upgrades not in has:
        found.append(
            (
                "Upgrades",
                "forced moves to another model",
                added(Upgrades()),
                f"a model lives {Upgrades.every_months.mid:g} months",
            )
        )
    if Compliance not in has:
        rules = middle(Compliance())
        found.append(
            (
                "Compliance",
                "incidents with personal data that nobody redacted",
                rules.incidents_per_year * rules.usd_per_incident,
                f"{rules.incidents_per_year:g} a year x {rules.usd_per_incident:,.0f} USD; and {practice('genai.abandoned').mid:.0%} "
                "of projects are given up, for want of risk controls among others",
            )
        )
    if any(issubclass(kind, Agent) for kind in has):
        over = sum(_bill(option, work, terms).values()) - sum(
            _bill(_each(option, _capped), work, terms).values()
        )
        if over > 0:
            found.append(
                (
                    "Agent(cap_steps=...)",
                    "tasks that do not end",
                    over,
                    f"what steps beyond {LONG_TASK:g} times the mean cost",
                )
            )
    return pd.DataFrame(found, columns=columns)


@analysis
def release_policies(
    study: Study,
    label: str | None = None,
    release: Release | None = None,
    policies: Iterable[str] = POLICIES,
    draws: int = DRAWS,
) -> pd.DataFrame:
    """Release policies side by side for one option, cheapest first: what discipline costs and what it saves.

    Columns: policy, usd_per_year (work and traffic of releases), usd_loss (expected loss of bad ones), usd_total, days (of
    one rollout), slips (chance that a bad change reaches everybody), usd_saved (a year, against "none"), p_cheapest (share of
    the draws). `release` gives every other field; but for `p_cheapest` all Ranges are at their middle.
    """
    option, work, terms = study.option(label), study.work, study.terms
    drawn, ways = _each(option, _no_release), _ways(option, release, policies)
    usd = totals(
        _a_year_of(study, {policy: _with(drawn, way) for policy, way in ways.items()}), draws
    )
    bare, sure = middle(drawn), p_cheapest(usd)
    base, rows = _bill(bare, work, terms), []
    for policy, way in ways.items():
        more = _bill(_with(bare, way), work, terms)
        more = {phase: usd - base.get(phase, 0.0) for phase, usd in more.items()}
        (_, case, _), *_ = cases(*middle((bare, work, terms)))
        mid = middle(way)
        loss = more.pop("failures", 0.0)
        rows.append(
            (
                policy,
                sum(more.values()),
                loss,
                sum(more.values()) + loss,
                float(np.squeeze(mid.calendar_days(case))),
                float(np.squeeze(mid.slips(case))),
                sure[policy],
            )
        )
    table = pd.DataFrame(
        rows,
        columns=["policy", "usd_per_year", "usd_loss", "usd_total", "days", "slips", "p_cheapest"],
    )
    table["usd_saved"] = (
        table.loc[table["policy"] == "none", "usd_total"].item() - table["usd_total"]
    )
    return table.sort_values("usd_total", kind="stable", ignore_index=True)


@analysis
def best_policy(
    study: Study,
    requests_per_month: Any,
    usd_per_failure: Any,
    release: Release | None = None,
    policies: Iterable[str] = POLICIES,
    label: str | None = None,
) -> pd.DataFrame:
    """The cheapest release policy for every pair of traffic and cost of a failure.

    Columns: requests_per_month, usd_per_failure, policy, usd_saved (a year, against "none"), all Ranges at their middle.
    """
    option = middle(study.option(label))
    for name, values in (
        ("requests_per_month", requests_per_month),
        ("usd_per_failure", usd_per_failure),
    ):
        check(np.size(values), f"best_policy: {name} is empty")
    bare = _each(option, _no_release)
    options = {policy: _with(bare, way) for policy, way in _ways(option, release, policies).items()}
    traffic, cost = (
        m.ravel()
        for m in np.meshgrid(
            np.asarray(requests_per_month, float), np.asarray(usd_per_failure, float), indexing="ij"
        )
    )
    grid = {"Workload.requests_per_month": traffic, "Workload.usd_per_failure": cost}
    usd = totals(_a_year_of(study, options), grid=grid)
    stack = np.vstack([np.where(np.isnan(x), np.inf, x) for x in usd.values()])
    best = stack.argmin(axis=0)
    names = list(usd)
    return pd.DataFrame(
        {
            "requests_per_month": traffic,
            "usd_per_failure": cost,
            "policy": [names[i] for i in best],
            "usd_saved": stack[0] - stack.min(axis=0),
        }
    )


# -- small pieces -----------------------------------------------------------------------------------


def _ways(
    option: Option | Mix, release: Release | None, policies: Iterable[str]
) -> dict[str, Release]:
    """A release for every policy, "none" first."""
    check(
        release is None or isinstance(release, Release),
        f"release is {release!r}, it must be a Release such as Release(policy='canary')",
    )
    check(
        _answered_by_model(option),
        "release policies are for an option in which a model answers; this one has none",
    )
    asked = (policies,) if isinstance(policies, str) else policies
    return {
        policy: replace(release or Release(), policy=policy)
        for policy in dict.fromkeys(("none", *asked))
    }


def _a_year_of(study: Study, options: dict[str, Any]) -> Study:
    """The study of other options over one year."""
    return replace(study, options=options, accept_zero=None).changed(months=int(MONTHS_PER_YEAR))


def _bill(option: Option | Mix, work: Workload, terms: Terms) -> dict[str, float]:
    """USD a year by phase, all Ranges at their middle, averaged over five years."""
    option, work, terms = middle((option, work, replace(terms, months=LONG_RUN)))
    calendar = Calendar(work, terms)
    found: dict[str, float] = {}
    for line in evaluate(option, work, terms).lines:
        usd = (
            float(np.squeeze(line.usd * calendar.factor(line.schedule, line.trend)))
            / LONG_RUN
            * MONTHS_PER_YEAR
        )
        found[line.phase] = found.get(line.phase, 0.0) + usd
    return found


def _each(option: Option | Mix, change: Callable[[Any], Any]) -> Any:
    """The option with every technique changed; None takes it out."""
    if isinstance(option, Mix):
        return Mix(mix=[replace(part, option=_each(part.option, change)) for part in option.mix])
    changed = (change(t) for t in option.techniques)
    return replace(option, techniques=tuple(t for t in changed if t is not None))


def _with(option: Option | Mix, technique: Any) -> Any:
    if isinstance(option, Mix):
        return Mix(mix=[replace(part, option=_with(part.option, technique)) for part in option.mix])
    return (
        replace(option, techniques=(*option.techniques, technique))
        if _has_model(option)
        else option
    )


def _answered_by_model(option: Option | Mix) -> bool:
    return any(_has_model(part) for part, _, _ in option.parts())


def _has_model(option: Option) -> bool:
    """Whether a model answers: operations are not for people and seats."""
    return hasattr(option.serving, "model")


def _capped(technique: Any) -> Any:
    endless = isinstance(technique, Agent) and technique.cap_steps is None
    return replace(technique, cap_steps=LONG_TASK * technique.steps) if endless else technique


def _no_release(technique: Any) -> Any:
    return None if isinstance(technique, Release) else technique


LEAST_WAIT = 0.1
INFERENCE = ("api", "gpu")  # price classes of what answers


@analysis
def inference_share(
    study: Study, volumes: Sequence[float] | None = None, months: int = int(MONTHS_PER_YEAR)
) -> pd.DataFrame:
    """How much of the bill is inference, and how far an estimate of inference alone is too low.

    Columns: option, usd_inference (the model answering production, tokens or GPUs), usd (everything but the cost of
    failures), share, factor (usd over usd_inference); with `volumes` also requests_per_month, one block of rows for each.
    Over `months`, all Ranges at their middle.
    """
    study = study.changed(months=months)
    if volumes is not None:
        check(len(volumes), "inference_share: volumes is empty, it must hold requests a month")
        found = [
            inference_share(
                study, months=months, work=replace(study.work, requests_per_month=float(n))
            ).assign(requests_per_month=float(n))
            for n in volumes
        ]
        return pd.concat(found, ignore_index=True)
    book = ledger(study)
    paid = book[book["phase"] != "failures"]
    answers = paid[(paid["phase"] == "serving") & paid["trend"].isin(INFERENCE)]
    table = (
        paid.groupby("option", sort=False)["usd"]
        .sum()
        .to_frame()
        .join(answers.groupby("option")["usd"].sum().rename("usd_inference"))
        .reset_index()
    )
    return table[["option", "usd_inference", "usd"]].assign(
        share=table["usd_inference"] / table["usd"], factor=table["usd"] / table["usd_inference"]
    )


@analysis
def oneoffs(
    study: Study, label: str | None = None, months: int = int(MONTHS_PER_YEAR)
) -> pd.DataFrame:
    """What happens in single months: builds, audits, forced upgrades, retraining. Columns: month, date, phase, item, usd."""
    study = study.only(study.label(label)).changed(months=months)
    book, terms = ledger(study), study.terms
    times = book.groupby("item")["month"].nunique()
    rare = book[book["item"].map(times) < max(months / 2, 2)].sort_values(
        ["month", "phase"], kind="stable", ignore_index=True
    )
    return rare.assign(date=[terms.date_of(m) for m in rare["month"]])[
        ["month", "date", "phase", "item", "usd"]
    ]


@analysis
def putting_off(study: Study, months: Sequence[float], label: str | None = None) -> pd.DataFrame:
    """Falling behind and waiting, by months: what staying with a model overpays, and what starting later saves.

    Columns: months, overpaid (share of the bill that the same quality would no longer cost), usd_saved (of the build, paid later),
    per_month (what a month of the feature must be worth, or waiting gains). All Ranges at their middle, over the first year.
    """
    wait = np.asarray(months, float)
    require("months", wait, low=LEAST_WAIT)
    study = study.only(study.label(label)).changed(months=int(MONTHS_PER_YEAR))
    book, terms = ledger(study), study.terms
    paid = book[book["phase"] != "failures"]
    once = paid.loc[paid["month"] == 0, "usd"].sum()
    saved = gain_of_waiting(once, 0.0, 0.0, wait, middle(terms.discount_rate))
    running = (paid["usd"].sum() - once) / MONTHS_PER_YEAR
    overpaid = overpaid_share(catalog.practice("api.api_price_fall").mid, wait)
    return pd.DataFrame(
        {
            "months": wait,
            "overpaid": overpaid,
            "usd_saved": saved,
            "per_month": running + saved / wait,
        }
    )


@public
def duties(on: str | None = None) -> pd.DataFrame:
    """Duties of the EU AI Act by the day from which they apply, as the law stood on `on` (default: today).

    Columns: duty, applies, what, in_force (whether it applies on that day), source.
    """
    day = date.today().isoformat() if on is None else on
    check(is_day(day), f"on is {on!r}, it must be a day such as '2026-11-20'")
    facts = catalog.facts()
    rows = (
        facts[(facts["file"] == "regulation") & (facts["as_of"] <= day)]
        .sort_values("as_of")
        .groupby("id", sort=False)
        .tail(1)
    )
    table = pd.DataFrame(
        {
            "duty": rows["id"].str.split(".").str[-1],
            "applies": rows["value"],
            "what": rows["note"],
            "in_force": rows["value"] <= day,
            "source": rows["source"],
        }
    )
    return table.sort_values("applies", ignore_index=True)
