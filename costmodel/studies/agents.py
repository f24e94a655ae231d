"""Agents: what a resolved task costs by steps and success, and what an accepted change of code
costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.mixes import Mix
from costmodel.choices.options import Option
from costmodel.choices.servings.api import Api
from costmodel.choices.study import Study, analysis
from costmodel.choices.techniques.agents import Agent, CodingAgent
from costmodel.choices.techniques.prompting import PromptCache
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import (
    MINUTES_PER_HOUR,
    MONTHS_PER_YEAR,
    Number,
    check,
    middle,
    number_list,
    public,
    require,
    sample,
)
from costmodel.decisions.simulate import per_draw, quantiles
from costmodel.facts import catalog
from costmodel.laws.agents import per_resolved
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import evaluate
from costmodel.studies.outcomes import LEAST_SHARE, per_request, share_accepted

DRAWS = 4_000


def _agent(option: Option | Mix, kind: type, asked: str) -> Any:
    """The agent of an option."""
    found = [t for part, _, _ in option.parts() for t in part.techniques if isinstance(t, kind)]
    check(found, f"{asked}: the option has no {kind.__name__}; add {kind.__name__}()")
    return found[0]


@public
def schema_options(api: Api) -> dict[str, Option]:
    """Make two agents over one database: with its bare schema, and with one described for it.

    A description stands in the prompt of every step and saves steps: two instead of eight are a
    seventh of the tokens, as long as it is short. Each input of the two has a key of its own, such
    as "described_schema.schema_tokens", for sliders, sweeps and break-evens.

    Parameters
    ----------
    api : Api
        The model of the agents.

    Returns
    -------
    dict of str to Option
        "bare schema" and "described schema", each with a prompt cache.

    Raises
    ------
    ValueError
        When `api` is no Api.

    Examples
    --------
    >>> import costmodel as cm
    >>> ways = cm.operations.schema_options(cm.Api("gpt-6.1-terra", on="2026-11-01"))
    >>> work = cm.Workload(10_000, instruction_tokens=2_000, input_tokens=100, output_tokens=300)
    >>> table = cm.compare(ways, work, months=12, draws=200)
    >>> bool(table["per_request"]["described schema"] < table["per_request"]["bare schema"])
    True
    """
    bare = {
        "steps": catalog.practice("bare_schema.steps"),
        "schema_tokens": catalog.practice("bare_schema.schema_tokens"),
    }
    described = {
        "steps": catalog.practice("described_schema.steps"),
        "schema_tokens": catalog.practice("described_schema.schema_tokens"),
        "log_odds": catalog.practice("described_schema.log_odds"),
    }
    ways: dict[str, Any] = {"bare schema": bare, "described schema": described}
    return {way: Option(api, Agent(**fields), PromptCache()) for way, fields in ways.items()}


@analysis
def steps_and_success(
    study: Study,
    steps: Sequence[float],
    success: Sequence[float],
    usd_unresolved: Number = 0.0,
    months: int = int(MONTHS_PER_YEAR),
    label: str | None = None,
) -> pd.DataFrame:
    """Say what one resolved task costs for every number of steps and every share of tasks resolved.

    Parameters
    ----------
    study : Study, or options with a workload
        One of its options holds an agent, whose steps and success are replaced.
    steps : sequence of float
        Steps of a task [count].
    success : sequence of float
        Share of tasks that are resolved [share, above 0 to 1].
    usd_unresolved : float or Range
        What a person takes for a task that the agent gives back [USD, 0 or more].
    months : int
        The horizon [month].
    label : str, optional
        Which option; it may be left out where there is one.

    Returns
    -------
    pandas.DataFrame
        Columns: steps, success, usd_per_task [USD, without the cost of wrong answers],
        usd_per_resolved [USD]. Every other Range is at its middle.

    Raises
    ------
    ValueError
        When the option has no agent, or an argument is empty or outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> agent = cm.Option(cm.Api("gpt-6.1-terra", on="2026-11-01"), cm.Agent())
    >>> work = cm.Workload(10_000, input_tokens=900, output_tokens=250)
    >>> table = cm.operations.steps_and_success(agent, work, steps=[5, 50], success=[0.9, 0.5])
    >>> (table["usd_per_resolved"] * table["success"] / table["usd_per_task"]).round(6).to_list()
    [1.0, 1.0, 1.0, 1.0]
    """
    steps = number_list("steps_and_success: steps", steps).tolist()
    success = number_list("steps_and_success: success", success, LEAST_SHARE, 1).tolist()
    require("usd_unresolved", usd_unresolved)
    label = study.label(label)
    key = f"{type(_agent(study.option(label), Agent, 'steps_and_success')).__name__}.steps"
    (usd,) = per_draw(study.only(label).changed(months=months), (per_request,), grid={key: steps})
    pairs = pd.MultiIndex.from_product([success, steps], names=["success", "steps"])
    table = pairs.to_frame(index=False)[["steps", "success"]]
    each = np.tile(usd[label], len(success))
    resolved = per_resolved(each, table["success"], middle(usd_unresolved))
    return table.assign(usd_per_task=each, usd_per_resolved=resolved)


@analysis
def coding_ways(
    study: Study,
    hours_by_hand: Number,
    time_ratio: Number | None = None,
    draws: int = DRAWS,
    label: str | None = None,
) -> pd.DataFrame:
    """Compare three ways to one accepted change: a developer, a developer with AI, an agent that a
    developer reads.

    With AI a change takes `time_ratio` times as long and the model calls of one task. What the
    agent gets wrong is done by hand after all. The horizon is one year.

    Parameters
    ----------
    study : Study, or options with a workload
        One of its options holds a CodingAgent.
    hours_by_hand : float or Range
        What one change takes by hand [hour, 0 or more].
    time_ratio : float or Range, optional
        Time with AI over that by hand [x, 0 or more]; by default a Range that holds 1.19 of the
        trial of METR and 0.44 of an earlier one.
    draws : int
        Random draws behind the band.
    label : str, optional
        Which option; it may be left out where there is one.

    Returns
    -------
    pandas.DataFrame
        Columns: way; usd_model [USD a change: the agent, its model, build and upkeep]; usd_people;
        usd_per_change, with p10 and p90.

    Raises
    ------
    ValueError
        When the option is a Mix or has no CodingAgent, or an argument is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> api = cm.Api("gpt-6.1-terra", on="2026-11-01", accepted=0.75)
    >>> work = cm.Workload(1_000, instruction_tokens=3_000, input_tokens=500, output_tokens=200)
    >>> coder = cm.Option(api, cm.CodingAgent(), cm.PromptCache())
    >>> ways = cm.operations.coding_ways(coder, work, hours_by_hand=4, draws=200)
    >>> ways.set_index("way")["usd_people"].round(-1)
    way
    developer alone               490.0
    developer with AI             490.0
    agent, read by a developer    310.0
    Name: usd_people, dtype: float64
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
    study = study.changed(months=int(MONTHS_PER_YEAR))
    given = option, study.work, study.terms, _ByHand(hours_by_hand, ratio)
    mid, spread = (_by_way(*x) for x in (middle(given), sample(given, draws, study.seed)))
    rows = [
        (
            way,
            *(float(x) for x in (*usd, sum(usd))),
            *quantiles(np.ravel(sum(spread[way])), [10, 90]),
        )
        for way, usd in mid.items()
    ]
    columns = ["way", "usd_model", "usd_people", "usd_per_change", "p10", "p90"]
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class _ByHand:
    hours_by_hand: Number  # of one change
    time_ratio: Number  # with AI over that


def _by_way(option: Any, work: Workload, terms: Terms, by_hand: Any) -> dict[str, tuple[Any, Any]]:
    """(cost of the agent, cost of people) of an accepted change by way, without Ranges."""
    agent = _agent(option, CodingAgent, "coding_ways")
    calendar, bill = Calendar(work, terms), evaluate(option, work, terms)
    each, success = per_request(bill, calendar), share_accepted(bill, calendar)
    hourly: Any = terms.people.engineer.usd_per_hour
    hours, ratio = by_hand.hours_by_hand, by_hand.time_ratio
    reading = agent.reviewed_share * agent.review_minutes / MINUTES_PER_HOUR
    model = each - reading * hourly
    return {
        "developer alone": (0.0 * hourly, hours * hourly),
        "developer with AI": (model, ratio * hours * hourly),
        "agent, read by a developer": (model, (reading + (1 - success) * hours) * hourly),
    }
