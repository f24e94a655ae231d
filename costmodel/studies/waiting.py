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
from costmodel.core.checks import plain, validate
from costmodel.core.draws import middle, sample
from costmodel.core.errors import Infeasible, check, of_kind, one_number
from costmodel.core.public import public
from costmodel.core.ranges import Number
from costmodel.core.units import MTOK
from costmodel.facts.catalog import practice
from costmodel.facts.prices import api_price
from costmodel.laws.agents import attempts, given_up
from costmodel.laws.caching import prefix_hit_rate
from costmodel.laws.retrieval import first_token_s
from costmodel.studies.serving import DRAWS, EDGES, _list


@public
@dataclass(frozen=True)
class Waiting:
    """How long a hosted API takes before its first token; wide, because models and hours differ. Reasoning comes on top."""

    first_token_s: Number = practice("api.first_token_s")
    seconds_per_mtok: Number = practice("api.seconds_per_mtok")
    cached_wait_share: Number = practice("api.cached_wait_share")
    tail: Number = practice("api.tail")

    def __post_init__(self) -> None:
        validate(self)


@analysis
def latency(study: Study, waiting: Waiting | None = None, draws: int = 2_000) -> pd.DataFrame:
    """Time to first token [s] of each way, half (p50) and 19 of 20 requests (p95), each with its 80 % band.

    Index option; columns p50_low p50 p50_high p95_low p95 p95_high why_not. Search, rerank or graph first, then the prompt. A cached
    prefix is fast for its hits: the median sees it from a hit rate of one half, the 95th percentile from 95 %. In a Mix a second part
    waits for the first. Own GPUs: see `predict_serving`.
    """
    work, terms, seed = study.work, study.terms, study.seed
    check(
        waiting is None or isinstance(waiting, Waiting),
        f"waiting is {waiting!r}, it must be Waiting(...) or None",
    )
    rows: dict[str, list[Any]] = {}
    for label, option in study.options.items():
        try:
            mid = _wait(*middle((option, work, terms, waiting or Waiting())))
            drawn = _wait(*sample((option, work, terms, waiting or Waiting()), draws, seed))
        except Infeasible as reason:
            rows[label] = [*[np.nan] * 6, str(reason)]
            continue
        bands = [np.nanpercentile(np.broadcast_to(x, (draws, 1)), [10, 90]) for x in drawn]
        rows[label] = [
            *(
                x
                for (low, high), m in zip(bands, mid, strict=True)
                for x in (low, float(np.squeeze(m)), high)
            ),
            "",
        ]
    columns = ["p50_low", "p50", "p50_high", "p95_low", "p95", "p95_high", "why_not"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("option")


def _wait(option: Any, work: Workload, terms: Terms, waiting: Any) -> tuple[Any, Any]:
    """(p50, p95) of an option on numbers."""
    before: Any = 0.0
    half: list[Any] = []
    late: list[Any] = []
    for part, sees, _ in option.parts():
        case = part.case(work, terms, sees)
        if not isinstance(case.serving, Api):
            raise Infeasible(
                "latency is for models behind an API; ask predict_serving about own GPUs"
            )
        call = case.request.main
        over = [
            excess for excess, _ in case.serving.limits(call) if np.ndim(excess) == 0 and excess > 0
        ]
        if over:
            raise Infeasible(f"the prompt is {over[0]:,.0f} tokens over the window")
        first = before + sum((t.wait_s(case) for t in part.techniques if hasattr(t, "wait_s")), 0.0)
        cold = first_token_s(call.prompt_tokens, waiting.first_token_s, waiting.seconds_per_mtok)
        cache: Any = call.cache
        warm, hits = cold, 0.0
        if cache is not None:
            fresh = first_token_s(
                call.prompt_tokens - call.stable_tokens,
                waiting.first_token_s,
                waiting.seconds_per_mtok,
            )
            warm = (
                fresh
                + call.stable_tokens / MTOK * waiting.seconds_per_mtok * waiting.cached_wait_share
            )
            hits = prefix_hit_rate(
                work.arrivals_per_s(case.requests_per_month),
                cache.ttl_s,
                cache.burst,
                cache.parallel,
                cache.prefixes,
                cache.replicas,
            )
        half.append((sees, first + np.where(np.asarray(hits) >= 0.5, warm, cold)))
        late.append((sees, first + waiting.tail * np.where(np.asarray(hits) >= 0.95, warm, cold)))
        before = before + cold
    usual = (
        half[0][1]
        if len(half) == 1
        else np.where(np.asarray(half[1][0]) >= 0.5, half[1][1], half[0][1])
    )
    worst = (
        late[0][1]
        if len(late) == 1
        else np.where(np.asarray(late[1][0]) >= 0.05, late[1][1], late[0][1])
    )
    return usual, worst


@public
def holds(tokens: float, models: Iterable[str] = MODELS, on: str | None = None) -> pd.DataFrame:
    """Which models hold a corpus of so many tokens: index model; window, over [token], usd_per_query of a prompt of it.

    `over` is how far the corpus is above the window; `usd_per_query` is NaN where it does not fit.
    """
    plain("tokens", tokens, 1)
    rows = {}
    for model in [models] if isinstance(models, str) else models:
        card = api_price(model, on=on)
        over = max(tokens - card.window, 0.0) if card.window else np.nan
        tier = [t for t in card.tiers if tokens > t.above or not t.above][-1]
        rows[model] = (
            card.window,
            over,
            np.nan if over else tokens / MTOK * float(middle(tier.usd_per_mtok_in)),
        )
    return (
        pd.DataFrame.from_dict(rows, orient="index", columns=["window", "over", "usd_per_query"])
        .rename_axis("model")
        .sort_values(["over", "usd_per_query"])
    )


# -- the wait at an API --------------------------------------------------------------------------------


@public
def api_latency(
    prompt_tokens: float | Iterable[float],
    failed: float = 0.0,
    attempts_max: float = 1,
    waiting: Waiting | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Time to the first token at a hosted API by prompt length, without reasoning or cache, as an 80 % band.

    Columns: prompt_tokens, ttft_s_low, ttft_s_mid, ttft_s_high, given_up (share of calls that fail in all attempts). The law is
    that of `latency`; a failed attempt is waited for as long as an answer. Not in it: queues at a rate limit, the speed of the answer.

    >>> table = api_latency([1_000, 100_000])
    >>> bool(table.ttft_s_mid[0] < table.ttft_s_mid[1] < table.ttft_s_high[1])
    True
    """
    tokens = _list(
        "api_latency: prompt_tokens",
        prompt_tokens if isinstance(prompt_tokens, Iterable) else [prompt_tokens],
        0,
    )
    one_number("api_latency: failed", failed, 0, 1)
    one_number("api_latency: attempts_max", attempts_max, 1)
    waiting = Waiting() if waiting is None else waiting
    of_kind("api_latency: waiting", waiting, Waiting)
    wide, mid = sample(waiting, draws, seed), middle(waiting)
    tries = float(attempts(failed, attempts_max))

    def seconds(w: Any) -> Any:
        return first_token_s(tokens, w.first_token_s, w.seconds_per_mtok) * tries

    low, high = np.percentile(np.broadcast_to(seconds(wide), (draws, tokens.size)), EDGES, axis=0)
    return pd.DataFrame(
        {
            "prompt_tokens": tokens,
            "ttft_s_low": low,
            "ttft_s_mid": np.ravel(seconds(mid)),
            "ttft_s_high": high,
            "given_up": float(given_up(failed, attempts_max)),
        }
    )
