"""How long one waits for the first token of each way, and which models hold a corpus at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.presets import MODELS
from costmodel.choices.servings.api import Api
from costmodel.choices.study import Study, analysis
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core.checks import of_kind, one_number, validate
from costmodel.core.draws import middle, sample
from costmodel.core.errors import Infeasible
from costmodel.core.public import public
from costmodel.core.ranges import Number
from costmodel.core.units import MTOK
from costmodel.facts.catalog import practice
from costmodel.facts.prices import api_price
from costmodel.laws.agents import attempts
from costmodel.laws.caching import prefix_hit_rate
from costmodel.laws.retrieval import first_token_s

DRAWS = 2_000


@public
@dataclass(frozen=True)
class Waiting:
    """How long a hosted API takes before its first token; wide, because models and hours differ.

    Reasoning comes on top.

    Parameters
    ----------
    first_token_s : float or Range
        The wait for a prompt without tokens [second].
    seconds_per_mtok : float or Range
        What a million prompt tokens add [second].
    cached_wait_share : float or Range
        What is left of this for tokens that are read from a cache [share].
    tail : float or Range
        The wait of one request in twenty over the usual one [x].
    """

    first_token_s: Number = practice("api.first_token_s")
    seconds_per_mtok: Number = practice("api.seconds_per_mtok")
    cached_wait_share: Number = practice("api.cached_wait_share")
    tail: Number = practice("api.tail")

    def __post_init__(self) -> None:
        validate(self)


@analysis
def latency(study: Study, waiting: Waiting | None = None, draws: int = DRAWS) -> pd.DataFrame:
    """Say how long each way takes to its first token.

    Search, rerank or graph come first, then the prompt; a failed call is waited for as long as an
    answer. A cached prefix is fast for its hits: the median sees it from a hit rate of one half,
    the 95th percentile from 95 %. In a Mix a second part waits for the first. Not in it: queues at
    a rate limit, reasoning, the speed of the answer. For own GPUs see `predict_serving`.

    Parameters
    ----------
    study : Study, or options with a workload
        Options behind an API.
    waiting : Waiting, optional
        How long the API takes; by default published measurements.
    draws : int
        Random draws behind the bands.

    Returns
    -------
    pandas.DataFrame
        Index option. Columns: p50_low, p50, p50_high [second, half of the requests, with its 80 %
        band]; p95_low, p95, p95_high [second, 19 of 20 requests]; why_not.

    Raises
    ------
    ValueError
        When `waiting` is no Waiting.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1_000, input_tokens=100_000)
    >>> waits = latency(cm.Option(cm.Api("gpt-6-sol")), work, draws=100)
    >>> bool(waits.p50_low.item() < waits.p50.item() < waits.p95.item())
    True
    """
    waiting = waiting or Waiting()
    of_kind("waiting", waiting, Waiting)
    rows: dict[str, dict[str, Any]] = {}
    for label, option in study.options.items():
        things = option, study.work, study.terms, waiting
        row: dict[str, Any] = {"why_not": ""}
        try:
            mid, drawn = _wait(*middle(things)), _wait(*sample(things, draws, study.seed))
            for name, x, spread in zip(("p50", "p95"), mid, drawn, strict=True):
                row[name] = float(np.squeeze(x))
                row[f"{name}_low"], row[f"{name}_high"] = np.nanpercentile(spread, [10, 90])
        except Infeasible as reason:
            row = {"why_not": str(reason)}
        rows[label] = row
    columns = ["p50_low", "p50", "p50_high", "p95_low", "p95", "p95_high", "why_not"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("option")


def _wait(option: Any, work: Workload, terms: Terms, waiting: Any) -> tuple[Any, Any]:
    """(p50, p95) of an option on numbers."""
    before: Any = 0.0
    usual: Any = None
    late: Any = None
    for part, sees, _ in option.parts():
        case = part.case(work, terms, sees)
        if not isinstance(case.serving, Api):
            raise Infeasible(
                "latency is for models behind an API; ask predict_serving about own GPUs"
            )
        for over, _ in case.serving.limits(case.request.main):
            if np.ndim(over) == 0 and over > 0:
                raise Infeasible(f"the prompt is {over:,.0f} tokens over the window")
        first = before + sum((t.wait_s(case) for t in part.techniques if hasattr(t, "wait_s")), 0.0)
        cold, warm, hits = _prompt(case, waiting)
        half = first + np.where(hits >= 0.5, warm, cold)
        most = first + waiting.tail * np.where(hits >= 0.95, warm, cold)
        usual = half if usual is None else np.where(np.asarray(sees) >= 0.5, half, usual)
        late = most if late is None else np.where(np.asarray(sees) >= 0.05, most, late)
        before = before + cold
    return usual, late


def _prompt(case: Any, waiting: Any) -> tuple[Any, Any, Any]:
    """Seconds of the prompt without and with a cached prefix, failed calls included, and the share
    of hits.
    """
    call, cache = case.request.main, case.request.main.cache
    tries = attempts(case.serving.failed, case.serving.attempts_max)

    def seconds(tokens: Any) -> Any:
        return first_token_s(tokens, waiting.first_token_s, waiting.seconds_per_mtok)

    cold = seconds(call.prompt_tokens) * tries
    if cache is None:
        return cold, cold, np.asarray(0.0)
    stable = call.stable_tokens / MTOK * waiting.seconds_per_mtok * waiting.cached_wait_share
    hits = prefix_hit_rate(
        case.work.arrivals_per_s(case.requests_per_month),
        cache.ttl_s,
        cache.burst,
        cache.parallel,
        cache.prefixes,
        cache.replicas,
    )
    return cold, (seconds(call.prompt_tokens - call.stable_tokens) + stable) * tries, hits


@public
def holds(tokens: float, models: Iterable[str] = MODELS, on: str | None = None) -> pd.DataFrame:
    """Say which models hold a corpus of so many tokens in one prompt.

    Parameters
    ----------
    tokens : float
        Length of the prompt [token, at least 1].
    models : str or iterable of str
        Names of API models.
    on : str, optional
        The day of the prices; by default today's.

    Returns
    -------
    pandas.DataFrame
        Index model. Columns: window [token], over [token beyond the window], usd_per_query [USD for
        a prompt of it, NaN where it does not fit].

    Raises
    ------
    ValueError
        When `tokens` is below 1.
    CatalogError
        When a model is not known.
    """
    one_number("tokens", tokens, 1)
    rows = {}
    for model in [models] if isinstance(models, str) else models:
        card = api_price(model, on=on)
        over = max(tokens - card.window, 0.0) if card.window else np.nan
        tier = [t for t in card.tiers if tokens > t.above or not t.above][-1]
        usd = np.nan if over else tokens / MTOK * float(middle(tier.usd_per_mtok_in))
        rows[model] = (card.window, over, usd)
    columns = ["window", "over", "usd_per_query"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("model")
    return table.sort_values(["over", "usd_per_query"])
