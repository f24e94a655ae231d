"""Outcomes: what one resolved task, one accepted change or one user costs, and how much of it is inference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.options import Mix, Option
from costmodel.choices.servings.api import Api
from costmodel.choices.study import Study, analysis
from costmodel.choices.techniques.agents import Agent, CodingAgent
from costmodel.choices.techniques.prompting import PromptCache
from costmodel.choices.terms import Terms, Trends
from costmodel.choices.workload import Workload
from costmodel.core.checks import require
from costmodel.core.draws import draws as quantiles
from costmodel.core.draws import middle, sample
from costmodel.core.errors import check
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.core.units import MINUTES_PER_HOUR, MONTHS_PER_YEAR
from costmodel.decisions.simulate import totals
from costmodel.facts import catalog
from costmodel.laws.agents import per_resolved, tail
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import evaluate

DRAWS = 4_000
LEAST_SUCCESS, LEAST_SEAT = 1e-6, 0.01
STILL = Trends(api=0.0, gpu=0.0, labour=0.0, service=0.0)
PROMPT_TOKENS = Range(
    1_500,
    6_000,
    mid=3_000,
    name="agent_runs.prompt",
    why="assumption: system prompt and issue of a bare loop",
)
REASONING = Range(
    300,
    3_000,
    mid=1_000,
    name="agent_runs.reasoning",
    why="assumption: hidden reasoning of one step",
)


@analysis
def per_task(
    study: Study,
    usd_unresolved: Number = 0.0,
    months: int = int(MONTHS_PER_YEAR),
    draws: int = DRAWS,
) -> pd.DataFrame:
    """What one task and one resolved task cost, one row per option.

    usd_per_resolved = (usd_per_task + (1 - success) x usd_unresolved) / success, where `usd_unresolved` is what a person
    takes for a task that the agent gives back. Columns: option, usd_per_task (everything but the cost of failures), success,
    usd_per_resolved, p10, p90 (of it).
    """
    require("usd_unresolved", usd_unresolved)
    study = study.changed(months=months)
    work, terms, seed = study.work, study.terms, study.seed
    person = _drawn("usd_unresolved", usd_unresolved, draws, seed)
    rows = []
    for label, option in study.options.items():
        each, success, resolved = _task(middle((option, work, terms)), middle(usd_unresolved))
        drawn = _task(sample((option, work, terms), draws, seed), person)[2]
        with np.errstate(invalid="ignore"):  # nothing is ever resolved
            rows.append((label, each, success, resolved, *np.percentile(drawn, [10, 90])))
    return pd.DataFrame(
        rows, columns=["option", "usd_per_task", "success", "usd_per_resolved", "p10", "p90"]
    )


def _task(numbers: tuple[Any, Workload, Terms], usd_unresolved: Any = 0.0) -> tuple[Any, Any, Any]:
    """(cost of a task, share resolved, cost of a resolved task) of an option, workload and terms without Ranges."""
    option, work, terms = numbers
    bill, calendar = evaluate(option, work, terms), Calendar(work, terms)
    each = bill.total(calendar, without="failures") / (bill.requests * calendar.requests)
    success = np.nan if bill.accepted is None else bill.accepted
    with np.errstate(divide="ignore"):
        found = (each, success, per_resolved(each, np.asarray(success), usd_unresolved))
    return tuple(float(x) if np.ndim(x) == 0 else np.ravel(x) for x in found)  # type: ignore[return-value]


def _agent(option: Option | Mix, kind: type, asked: str) -> Any:
    """The agent of an option."""
    found = [t for part, _, _ in option.parts() for t in part.techniques if isinstance(t, kind)]
    check(found, f"{asked}: the option has no {kind.__name__}; add {kind.__name__}()")
    return found[0]


@analysis
def steps_and_success(
    study: Study,
    steps: Sequence[float],
    success: Sequence[float],
    usd_unresolved: Number = 0.0,
    months: int = int(MONTHS_PER_YEAR),
    label: str | None = None,
) -> pd.DataFrame:
    """Cost of one resolved task for every number of steps and every success. Columns: steps, success, usd_per_task, usd_per_resolved.

    `option` holds an agent; its steps and the share of tasks that are resolved are replaced, all other Ranges are at their middle.
    """
    for name, values in (("steps", steps), ("success", success)):
        check(
            np.ndim(values) == 1 and len(values),
            f"steps_and_success: {name} is {values!r}, it must be a list of numbers",
        )
    require("success", np.asarray(success, float), LEAST_SUCCESS, 1)
    require("usd_unresolved", usd_unresolved)
    label = study.label(label)
    study = study.only(label).changed(months=months, work=replace(study.work, usd_per_failure=0.0))
    key = f"{type(_agent(study.option(), Agent, 'steps_and_success')).__name__}.steps"
    usd = totals(study, grid={key: np.asarray(steps, float)})[label]
    mid_work, mid_terms = middle((study.work, study.terms))
    each = usd / float(
        np.squeeze(mid_work.requests_per_month * Calendar(mid_work, mid_terms).requests)
    )
    rows = [
        (n, s, usd_per_task, per_resolved(usd_per_task, s, middle(usd_unresolved)))
        for s in success
        for n, usd_per_task in zip(steps, each, strict=True)
    ]
    return pd.DataFrame(rows, columns=["steps", "success", "usd_per_task", "usd_per_resolved"])


@public
def user_margins(
    usd_per_user: Number,
    usd_per_seat_month: Number,
    spread: Number,
    at: Sequence[float] = (0.50, 0.80, 0.90, 0.95, 0.99),
) -> pd.DataFrame:
    """Cost and margin of users along their usage: the mean user may pay and the heavy one not.

    Usage is lognormal: `usd_per_user` is the mean cost of a month, `spread` the standard deviation of its logarithm. Columns:
    percentile, usd, margin (share of the seat that is left, below 0 a loss). Ranges are at their middle.
    """
    for name, value in (("usd_per_user", usd_per_user), ("spread", spread)):
        require(name, value)
    require("usd_per_seat_month", usd_per_seat_month, low=LEAST_SEAT)
    require("at", np.asarray(at, float), LEAST_SUCCESS, 1 - LEAST_SUCCESS)
    usd_per_user, usd_per_seat_month, spread = middle((usd_per_user, usd_per_seat_month, spread))
    usd = [float(tail(usd_per_user, spread, p)) for p in at]
    return pd.DataFrame(
        {
            "percentile": [100 * p for p in at],
            "usd": usd,
            "margin": [1 - x / usd_per_seat_month for x in usd],
        }
    )


@analysis
def coding_ways(
    study: Study,
    hours_by_hand: Number,
    time_ratio: Number | None = None,
    draws: int = DRAWS,
    label: str | None = None,
) -> pd.DataFrame:
    """One accepted change, three ways: a developer alone, a developer with AI, an agent whose changes a developer reads.

    By hand it takes `hours_by_hand`; with AI `time_ratio` times as long (1.19 in the trial of METR, 0.44 in an earlier one)
    and the model calls of one task; the agent's rejected changes are done by hand after all. Columns: way, usd_model (the
    agent: its model, build and upkeep), usd_people, usd_per_change, p10, p90 (of it).
    """
    ratio = catalog.practice("coding.time_ratio") if time_ratio is None else time_ratio
    require("hours_by_hand", hours_by_hand)
    require("time_ratio", ratio)
    option = study.option(label)
    check(
        isinstance(option, Option),
        "coding_ways compares the ways of one Option with a CodingAgent, not of a Mix",
    )
    _agent(option, CodingAgent, "coding_ways")
    study, seed = study.changed(months=int(MONTHS_PER_YEAR)), study.seed
    given = (option, study.work, study.terms)
    mid = _by_way(middle(given), middle(hours_by_hand), middle(ratio))
    drawn = _by_way(
        sample(given, draws, seed),
        _drawn("hours_by_hand", hours_by_hand, draws, seed),
        _drawn("time_ratio", ratio, draws, seed),
    )
    rows = [
        (way, *(x.item() for x in (*usd, sum(usd))), *np.percentile(sum(drawn[way]), [10, 90]))
        for way, usd in mid.items()
    ]
    return pd.DataFrame(
        rows, columns=["way", "usd_model", "usd_people", "usd_per_change", "p10", "p90"]
    )


def _by_way(
    numbers: tuple[Any, Workload, Terms], hours: Any, ratio: Any
) -> dict[str, tuple[Any, Any]]:
    """(cost of the agent, cost of people) of an accepted change by way, without Ranges."""
    option, _, terms = numbers
    agent = _agent(option, CodingAgent, "coding_ways")
    each, success, _ = _task(numbers)
    hourly, hours, ratio, reading = (
        np.ravel(np.asarray(x))
        for x in (
            terms.people.engineer.usd_per_hour,
            hours,
            ratio,
            agent.reviewed_share * agent.review_minutes / MINUTES_PER_HOUR,
        )
    )
    model = each - reading * hourly
    return {
        "developer alone": (0.0 * hourly, hours * hourly),
        "developer with AI": (model, ratio * hours * hourly),
        "agent, read by a developer": (model, (reading + (1 - success) * hours) * hourly),
    }


def _drawn(name: str, value: Any, draws: int, seed: int) -> Any:
    """The draws of a Range, any other value as it is."""
    return quantiles(name, value, draws, seed) if isinstance(value, Range) else value


@public
def agent_runs(draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """Published runs of a bare coding agent beside the model's band (80 %), one row each: dollars a task on SWE-bench Verified.

    The number of steps is the published one; everything else is the default `CodingAgent` without tools. Columns: case,
    steps, success, reported, low, mid, high, ratio (mid over reported), inside, per_resolved (reported over success), source.
    The defaults were chosen with these rows in view: the band is a fit, not a forecast.
    """
    found = catalog.facts_of("agent_runs")
    rows = []
    for id in dict.fromkeys(fact.id for fact in found.values()):
        steps, reported, success = (
            found[f"{id}.{field}"] for field in ("steps", "usd_per_task", "success")
        )
        api = Api(id, on=steps.as_of)
        card: Any = api.model
        agent = CodingAgent(
            steps=steps.value.mid,
            tools=0,
            reviewed_share=0,
            build_weeks=0,
            upkeep_fte=0,
            step_reasoning_tokens=REASONING if steps.value.why == "reasoning" else 0.0,
        )
        cached = [PromptCache()] if card.tiers[0].usd_per_mtok_cache_read is not None else []
        option, work = (
            Option(api, agent, *cached),
            Workload(1_000, instruction_tokens=PROMPT_TOKENS, output_tokens=200),
        )
        flat = Terms(start="2026-01-01", months=1, trends=STILL)
        mid = _task(middle((option, work, flat)))[0]
        low, high = np.percentile(_task(sample((option, work, flat), draws, seed))[0], [10, 90])
        usd, share = reported.value.mid, success.value.mid
        source = catalog.source(reported.value.source)
        rows.append(
            (
                id,
                steps.value.mid,
                share,
                usd,
                low,
                mid,
                high,
                mid / usd,
                bool(low <= usd <= high),
                usd / share,
                f"{source.publisher}: {source.title}",
            )
        )
    return pd.DataFrame(
        rows,
        columns=[
            "case",
            "steps",
            "success",
            "reported",
            "low",
            "mid",
            "high",
            "ratio",
            "inside",
            "per_resolved",
            "source",
        ],
    )
