"""Risks: what careful releases cost and save, and what stays unpriced without an operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.mixes import Mix
from costmodel.choices.options import Option
from costmodel.choices.study import Study, analysis
from costmodel.choices.techniques.agents import Agent
from costmodel.choices.techniques.compliance import Compliance
from costmodel.choices.techniques.operations import Evals, Monitoring
from costmodel.choices.techniques.release import POLICIES, Release
from costmodel.choices.techniques.upgrades import Upgrades
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import (
    MONTHS_PER_YEAR,
    Number,
    Range,
    check,
    middle,
    objects,
    of_kind,
    percent,
    require,
    same,
)
from costmodel.decisions.simulate import p_cheapest, totals
from costmodel.facts.catalog import practice
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import cases, evaluate
from costmodel.studies.changes import usd_by_phase

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
NO_LOSS = (
    "; usd_per_failure is 0, so that only work of people counts: say what a wrong answer costs"
)

# -- what is left out ------------------------------------------------------------------------------


@analysis
def unpriced(
    study: Study, label: str | None = None, stopped_share: Number = STOPPED_SHARE
) -> pd.DataFrame:
    """Say what the bill of an option leaves out: one row for each operation that it does not have.

    An option with Evals, Release, Monitoring, Upgrades and Compliance has no row, because each of
    them prices its risk where it is; nor have people or seats that answer without a model. An agent
    without a cap has one.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    label : str, optional
        Which option; it may be left out where there is one.
    stopped_share : float or Range
        Share of bad changes that an evaluation would stop [share, 0 to 0.999].

    Returns
    -------
    pandas.DataFrame
        Columns: operation, risk, usd_per_year [USD expected, averaged over five years], why. Every
        Range is at its middle.

    Raises
    ------
    ValueError
        When `stopped_share` is outside its range.
    Infeasible
        When the option cannot run.

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(cm.Api("gpt-6.1-terra", on="2026-11-01"), cm.Evals(), cm.Monitoring())
    >>> work = cm.Workload(300_000, input_tokens=900, output_tokens=250, usd_per_failure=0.4)
    >>> cm.operations.unpriced(option, work)["operation"].to_list()
    ['Release', 'Upgrades', 'Compliance']
    """
    require("stopped_share", stopped_share, 0, MOST_STOPPED)
    option, work, terms = middle((study.option(label), study.work, study.terms))
    found = _risks(option, work, terms, middle(stopped_share)) if _answered_by_model(option) else ()
    return pd.DataFrame(found, columns=["operation", "risk", "usd_per_year", "why"])


def _risks(
    option: Any, work: Workload, terms: Terms, stopped: Any
) -> Iterator[tuple[str, str, float, str]]:
    """(operation, risk, USD a year, why) of each that an option lacks, without Ranges."""
    known = {type(t): t for part, _, _ in option.parts() for t in part.techniques}
    (_, case, _), *_ = cases(option, work, terms)
    note = "" if np.any(work.usd_per_failure) else NO_LOSS

    def usd(option: Any) -> pd.Series:
        return _usd_a_year(option, work, terms)

    own = float(usd(option).sum())

    def added(technique: Any) -> float:
        return float(usd(_with(option, technique)).sum()) - own

    if Evals not in known:
        bare = _no_release(option)
        released = _with(bare, known.get(Release, ALL_AT_ONCE))
        loss, before = (usd(way).get("failures", 0.0) for way in (released, bare))
        odds = stopped / (1 - stopped)
        yield (
            "Evals",
            "bad changes that a gate would have stopped",
            odds * (loss - before),
            f"an evaluation stops {percent(stopped)} of bad changes: without it {1 + odds:.1f} "
            f"times as many are released{note}",
        )
    if Release not in known:
        out = float(np.squeeze(middle(ALL_AT_ONCE).days_after(case)))
        yield (
            "Release",
            "bad releases that reach everybody at once",
            added(ALL_AT_ONCE),
            f"{Release.releases_per_month.mid:g} releases a month, "
            f"{percent(Release.regression_chance.mid)} of them bad, out for {out:.3g} days{note}",
        )
    if Monitoring not in known:
        blind = Monitoring(judge_share=0.0, reviews_per_month=0.0, trace_share=0.0)
        drifts, drop, unseen = middle((blind.drifts_per_year, blind.drop, blind.days_unseen))
        yield (
            "Monitoring",
            "drift that only users notice",
            added(blind),
            f"{drifts:g} falls by {percent(drop)} a year, each unseen for {unseen:g} days{note}",
        )
    if Upgrades not in known:
        why = f"a model lives {Upgrades.every_months.mid:g} months"
        yield "Upgrades", "forced moves to another model", added(Upgrades()), why
    if Compliance not in known:
        rules = middle(Compliance(redacted="none", guarded="none"))
        lost = {line.item: MONTHS_PER_YEAR * line.usd for line in rules.incidents(case)}
        yield (
            "Compliance",
            "personal data, secrets and documents that nobody guards",
            sum(lost.values()),
            ", ".join(f"{item} {usd:,.0f} USD" for item, usd in lost.items())
            + f"; {percent(practice('genai.abandoned').mid)} of projects are given up, for want of "
            "risk controls among others",
        )
    capped = _with_techniques(option, lambda x: map(_capped, x))
    over = 0.0 if same(capped, option) else own - float(usd(capped).sum())
    if over > 0:
        why = f"what steps beyond {LONG_TASK:g} times the mean cost"
        yield "Agent(cap_steps=...)", "tasks that do not end", over, why


# -- releases ------------------------------------------------------------------------------------


@analysis
def release_policies(
    study: Study,
    label: str | None = None,
    release: Release | None = None,
    policies: Iterable[str] | Mapping[str, Release] = POLICIES,
    draws: int = DRAWS,
) -> pd.DataFrame:
    """Compare release policies for one option: what discipline costs and what it saves.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    label : str, optional
        Which option; it may be left out where there is one.
    release : Release, optional
        Gives every field but the policy.
    policies : iterable of str, or dict of str to Release
        Policies of `Release`, or releases by a name of yours; "none" is always among them.
    draws : int
        Random draws behind p_cheapest.

    Returns
    -------
    pandas.DataFrame
        Cheapest first. Columns: policy; usd_per_year [USD/year, work and traffic of releases];
        usd_loss [USD/year, expected from bad ones]; usd_total; days [of one rollout]; slips [chance
        that a bad change reaches everybody]; p_cheapest [share of draws]; usd_saved [USD/year,
        against "none"]. Every Range is at its middle, but for p_cheapest.

    Raises
    ------
    ValueError
        When no model answers in the option, or `release` is no Release.

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(cm.Api("gpt-6.1-terra", on="2026-11-01"))
    >>> work = cm.Workload(300_000, input_tokens=900, output_tokens=250, usd_per_failure=0.4)
    >>> table = cm.operations.release_policies(
    ...     option, work, policies=["shadow", "canary"], draws=200
    ... )
    >>> table.set_index("policy")["slips"].round(2).to_dict()
    {'shadow': 0.2, 'canary': 0.07, 'none': 1.0}
    """
    drawn, ways = _no_release(study.option(label)), _ways(study, label, release, policies)
    year = _a_year_of(study, {policy: _with(drawn, way) for policy, way in ways.items()})
    sure = p_cheapest(totals(year, draws))
    bare, work, terms = middle((drawn, study.work, study.terms))
    (_, case, _), *_ = cases(bare, work, terms)
    base, rows = _usd_a_year(bare, work, terms), []
    for policy, way in middle(ways).items():
        extra = _usd_a_year(_with(bare, way), work, terms).sub(base, fill_value=0.0)
        loss = extra.get("failures", 0.0)
        rows.append(
            {
                "policy": policy,
                "usd_per_year": extra.sum() - loss,
                "usd_loss": loss,
                "usd_total": extra.sum(),
                "days": float(np.squeeze(way.calendar_days(case))),
                "slips": float(np.squeeze(way.slips(case))),
                "p_cheapest": sure[policy],
            }
        )
    table = pd.DataFrame(rows)
    table["usd_saved"] = table["usd_total"].iloc[0] - table["usd_total"]  # "none" is the first
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
    """Say which release policy is cheapest for every pair of traffic and cost of a failure.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    requests_per_month : iterable of float
        Traffic [request/month].
    usd_per_failure : iterable of float
        What a wrong answer costs [USD].
    release : Release, optional
        Gives every field but the policy.
    policies : iterable of str
        Policies of `Release`; "none" is always among them.
    label : str, optional
        Which option; it may be left out where there is one.

    Returns
    -------
    pandas.DataFrame
        Columns: requests_per_month, usd_per_failure, policy, usd_saved [USD/year, against "none"].
        Every Range is at its middle.

    Raises
    ------
    ValueError
        When an axis is empty, or no model answers in the option.

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(cm.Api("gpt-6.1-terra", on="2026-11-01"))
    >>> work = cm.Workload(300_000, input_tokens=900, output_tokens=250)
    >>> table = cm.operations.best_policy(option, work, [1e3, 1e6], usd_per_failure=[0.01, 1.0])
    >>> table[["requests_per_month", "usd_per_failure", "policy"]]
       requests_per_month  usd_per_failure  policy
    0              1000.0             0.01    none
    1              1000.0             1.00    none
    2           1000000.0             0.01  replay
    3           1000000.0             1.00  canary
    """
    axes = {"requests_per_month": requests_per_month, "usd_per_failure": usd_per_failure}
    for name, values in axes.items():
        check(np.size(values), f"best_policy: {name} is empty")
    bare = _no_release(study.option(label))
    ways = _ways(study, label, release, policies)
    pairs = pd.MultiIndex.from_product(
        [np.ravel(x).astype(float) for x in axes.values()], names=axes
    )
    table = pairs.to_frame(index=False)
    grid = {f"Workload.{name}": table[name].to_numpy() for name in axes}
    year = _a_year_of(study, {policy: _with(bare, way) for policy, way in ways.items()})
    usd = pd.DataFrame(totals(year, grid=grid)).fillna(np.inf)
    return table.assign(policy=usd.idxmin(axis=1), usd_saved=usd["none"] - usd.min(axis=1))


def _ways(
    study: Study,
    label: str | None,
    release: Release | None,
    policies: Iterable[str] | Mapping[str, Release],
) -> dict[str, Release]:
    """A release for every policy, "none" first."""
    check(
        _answered_by_model(study.option(label)),
        "release policies are for an option in which a model answers; this one has none",
    )
    if isinstance(policies, Mapping):
        for name, way in policies.items():
            of_kind(f"policies: {name}", way, Release)
        base = next(iter(policies.values()), ALL_AT_ONCE)
        return {"none": replace(base, policy="none"), **policies}
    asked = (policies,) if isinstance(policies, str) else policies
    base = release or Release()
    return {policy: replace(base, policy=policy) for policy in dict.fromkeys(("none", *asked))}


# -- small pieces --------------------------------------------------------------------------------


def _a_year_of(study: Study, options: dict[str, Any]) -> Study:
    """The study of other options over one year."""
    return replace(study, options=options, accept_zero=None).changed(months=int(MONTHS_PER_YEAR))


def _usd_a_year(option: Option | Mix, work: Workload, terms: Terms) -> pd.Series:
    """USD a year by phase, every Range at its middle, averaged over five years."""
    option, work, terms = middle((option, work, replace(terms, months=LONG_RUN)))
    phases = usd_by_phase(evaluate(option, work, terms), Calendar(work, terms))
    return pd.Series(phases) / LONG_RUN * MONTHS_PER_YEAR


def _has_model(option: Option) -> bool:
    """Whether a model answers: operations are not for people and seats."""
    return hasattr(option.serving, "model")


def _answered_by_model(option: Option | Mix) -> bool:
    return any(_has_model(thing) for thing in objects(option) if isinstance(thing, Option))


def _with_techniques(option: Option | Mix, change: Callable[[tuple], Iterable]) -> Any:
    """The option with other techniques wherever a model answers."""
    if isinstance(option, Mix):
        parts = tuple(replace(p, option=_with_techniques(p.option, change)) for p in option.mix)
        return replace(option, mix=parts)
    if not _has_model(option):
        return option
    return replace(option, techniques=tuple(change(option.techniques)))


def _with(option: Option | Mix, technique: Any) -> Any:
    return _with_techniques(option, lambda known: (*known, technique))


def _no_release(option: Option | Mix) -> Any:
    return _with_techniques(option, lambda known: (t for t in known if not isinstance(t, Release)))


def _capped(technique: Any) -> Any:
    endless = isinstance(technique, Agent) and technique.cap_steps is None
    return replace(technique, cap_steps=LONG_TASK * technique.steps) if endless else technique
