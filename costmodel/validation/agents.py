"""How far published runs of a bare coding agent lie from the model."""

from __future__ import annotations

from typing import Any

import pandas as pd

from costmodel.choices.options import Option
from costmodel.choices.servings.api import Api
from costmodel.choices.techniques.agents import CodingAgent
from costmodel.choices.techniques.prompting import PromptCache
from costmodel.choices.terms import Terms, Trends
from costmodel.choices.workload import Workload
from costmodel.core import assumed, public
from costmodel.facts import catalog
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import evaluate
from costmodel.studies.outcomes import per_request
from costmodel.validation.held_out import drawn_beside, with_credits

DRAWS = 4_000
BARE: Any = {"tools": 0, "reviewed_share": 0, "build_weeks": 0, "upkeep_fte": 0}
STILL = Trends(api=0.0, gpu=0.0, labour=0.0, service=0.0)
PROMPT_TOKENS = assumed(
    1_500, 3_000, 6_000, "system prompt and issue of a bare loop", name="agent_runs.prompt"
)
REASONING = assumed(300, 1_000, 3_000, "hidden reasoning of one step", name="agent_runs.reasoning")


@public
def agent_runs(draws: int = DRAWS, seed: int = 0) -> pd.DataFrame:
    """Hold published runs of a bare coding agent against the model: dollars a task on SWE-bench
    Verified.

    The number of steps is the published one; everything else is the default `CodingAgent` without
    tools. The defaults were chosen with these rows in view: the band is a fit, not a forecast.

    Parameters
    ----------
    draws, seed : int
        Random draws behind the band, and what makes them repeatable.

    Returns
    -------
    pandas.DataFrame
        One row each. Columns: case, steps [count], success [share], reported, low, mid, high [USD a
        task; the band holds 80 %], ratio (mid over reported), inside, per_resolved (reported over
        success) [USD], source.

    Examples
    --------
    >>> import costmodel as cm
    >>> table = cm.operations.agent_runs(draws=100)
    >>> bool((table["per_resolved"] >= table["reported"]).all())
    True
    """
    flat = Terms(start="2026-01-01", months=1, trends=STILL)
    work = Workload(1_000, instruction_tokens=PROMPT_TOKENS, output_tokens=200)
    found = catalog.facts_of("agent_runs")
    rows = []
    for id in dict.fromkeys(fact.id for fact in found.values()):
        steps, usd, success = (
            found[f"{id}.{field}"].value for field in ("steps", "usd_per_task", "success")
        )
        api: Any = Api(id, on=found[f"{id}.steps"].as_of)
        hidden = REASONING if steps.why == "reasoning" else 0.0
        agent = CodingAgent(steps=steps.mid, step_reasoning_tokens=hidden, **BARE)
        cached = [PromptCache()] if api.model.tiers[0].usd_per_mtok_cache_read is not None else []
        given = Option(api, agent, *cached), work, flat
        rows.append(
            {"case": id, "steps": steps.mid, "success": success.mid}
            | drawn_beside(usd.mid, _usd_of_task, given, draws, seed)
            | {"per_resolved": usd.mid / success.mid, "source": usd.source}
        )
    return with_credits(pd.DataFrame(rows)).drop(columns="url")


def _usd_of_task(option: Any, work: Workload, terms: Terms) -> Any:
    return per_request(evaluate(option, work, terms), Calendar(work, terms))
