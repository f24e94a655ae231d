"""The cheapest layout and rent of a model that keeps a promised speed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from costmodel.core import (
    CatalogError,
    check,
    middle,
    of_kind,
    one_number,
    public,
    require,
    whole_number,
)
from costmodel.facts import catalog
from costmodel.facts.records import Gpu, Model
from costmodel.laws.money import usd_per_mtok
from costmodel.laws.queueing import replicas_needed, staffing_margin
from costmodel.laws.serving.predict import LEAST, MOST_GPUS, predict_serving

LAYOUTS = (1, 2, 4, 8)  # tensor-parallel sizes that are tried: one server of eight GPUs
PLACE = ("neocloud", "on_demand")  # whose rents stand where none is given
NUMBERS = [
    "concurrency", "instances", "gpus", "utilisation", "usd_per_hour", "usd_per_mtok_out",
    "ttft_s", "ttft_s_high", "tpot_s", "tpot_s_high", "sure",
]  # fmt: skip
CONCURRENCIES = np.unique(np.round(np.geomspace(1, 1024, 61)))


@public
def plan_serving(
    model: Model | str,
    gpu: Gpu | str | Iterable[Any],
    precision: str = "fp8",
    requests_per_s: float = 1.0,
    input_tokens: float = 1_000,
    output_tokens: float = 300,
    ttft_s: float = 2.0,
    tpot_s: float = 0.05,
    engine: str = "vllm",
    kv_precision: str | None = None,
    usd_per_gpu_hour: dict[str, Any] | None = None,
    layouts: Iterable[int] = LAYOUTS,
    wait_share: float = 0.05,
    stack: str = "tuned",
) -> pd.DataFrame:
    """The cheapest fleets that answer a load within a promised time, cheapest first.

    Each layout takes the concurrency with the most tokens per second that keeps both promises;
    whole instances follow from `replicas_needed` at a full load. Not in it: spare instances, load
    that varies over the day (`Hosted` has both).

    Parameters
    ----------
    model, gpu : id or record; several GPUs are compared
    precision, kv_precision, engine : as in `predict_serving`
    requests_per_s : number above 0 [1/s]
    input_tokens, output_tokens : number, at least 1 [token]
    ttft_s, tpot_s : number above 0 [s]
        Promised means of the time to the first token and per later token.
    usd_per_gpu_hour : {GPU id: number or Range} [USD/GPU-hour]
        Rents of your own; for other GPUs the catalogue's neocloud on-demand price.
    stack : as in `predict_serving`
    layouts : whole number or list
        Tensor-parallel sizes to try.
    wait_share : share
        Most Poisson arrivals that find no free place.

    Returns
    -------
    DataFrame
        One row per GPU and size: `gpu`, `tensor_parallel`, `concurrency` (most per instance that
        keeps the promise), `instances`, `gpus`, `utilisation` [share of their capacity],
        `usd_per_hour`, `usd_per_mtok_out`, the means `ttft_s` and `tpot_s` with the high end of
        their bands, `sure` (whether those keep the promise too) and `why_not` for those that
        cannot.

    Raises
    ------
    ValueError
        For a number outside its range, no GPU or layout, or a rent of another GPU.

    Examples
    --------
    >>> plan = plan_serving("qwen3-32b", ["H200-SXM", "B200-SXM"], "fp8", 50, 2_000, 300, 2, 0.030)
    >>> plan.why_not.iloc[0], bool(plan.utilisation.iloc[0] <= 1)
    ('', True)
    """
    for name, value, least in (
        ("requests_per_s", requests_per_s, LEAST),
        ("input_tokens", input_tokens, 1),
        ("output_tokens", output_tokens, 1),
        ("ttft_s", ttft_s, LEAST),
        ("tpot_s", tpot_s, LEAST),
    ):
        one_number(f"plan_serving: {name}", value, least)
    one_number("plan_serving: wait_share", wait_share, 0, 1)
    asked = [gpu] if isinstance(gpu, (str, Gpu)) else list(gpu or ())
    found = [g if isinstance(g, Gpu) else catalog.gpu(g) for g in asked]
    sizes = list(layouts) if isinstance(layouts, Iterable) else [layouts]
    check(found and sizes, "plan_serving: gpu and layouts need at least one entry each")
    for n in sizes:
        whole_number("plan_serving: layouts", n, 1, MOST_GPUS)
    rents, unknown = _rents(found, usd_per_gpu_hour)
    records, splits, concurrency = zip(*product(found, sizes, CONCURRENCIES), strict=True)
    layout = (model, records, splits, precision, kv_precision)
    grid = predict_serving(*layout, input_tokens, output_tokens, concurrency, engine, stack=stack)
    grid = grid.assign(gpu=[g.id for g in records], tensor_parallel=splits, concurrency=concurrency)
    keeps = grid["fits"] & (grid["ttft_s_mid"] <= ttft_s) & (grid["tpot_s_mid"] <= tpot_s)
    rate = grid["output_tokens_per_s_mid"].where(keeps, -1.0)
    # one request at a time where none keeps the promise
    chosen = rate.groupby(grid.index // len(CONCURRENCIES)).idxmax()
    best, kept = grid.loc[chosen].reset_index(drop=True), keeps[chosen].to_numpy()
    best["why_not"] = [
        unknown.get(row["gpu"], "") if good else _reason(row, ttft_s, tpot_s)
        for (_, row), good in zip(best.iterrows(), kept, strict=True)
    ]
    best["sure"] = (best["ttft_s_high"] <= ttft_s) & (best["tpot_s_high"] <= tpot_s)
    usd = best["gpu"].map(rents)
    table = _fleets(best, usd, requests_per_s, output_tokens, wait_share)
    table[NUMBERS] = table[NUMBERS].where(kept & usd.notna())
    return table.sort_values("usd_per_hour", kind="stable", ignore_index=True)


def _fleets(
    best: pd.DataFrame, usd: Any, requests_per_s: float, output_tokens: float, wait_share: float
) -> pd.DataFrame:
    """The whole instances of each layout and their bill, at a rent of `usd` per GPU-hour."""
    load = requests_per_s * output_tokens / best["output_tokens_per_s_mid"]
    margin = staffing_margin(wait_share)
    instances = replicas_needed(load, best["concurrency"], 1.0, margin, 1.0, 1.0)
    gpus = instances * best["gpus"]
    return best.rename(columns=lambda name: name.removesuffix("_mid")).assign(
        instances=instances,
        gpus=gpus,
        utilisation=load / instances,
        usd_per_hour=gpus * usd,
        usd_per_mtok_out=usd_per_mtok(gpus * usd, requests_per_s * output_tokens),
    )[["gpu", "tensor_parallel", *NUMBERS, "why_not"]]


def _rents(
    found: list[Gpu], given: dict[str, Any] | None
) -> tuple[dict[str, float], dict[str, str]]:
    """(USD per GPU-hour by GPU, why there is none by GPU)."""
    given = {} if given is None else given
    of_kind("plan_serving: usd_per_gpu_hour", given, dict)
    rents, unknown, ids = {}, {}, [g.id for g in found]
    strange = sorted(set(given) - set(ids))
    check(
        not strange,
        f"plan_serving: usd_per_gpu_hour names {strange}, "
        f"which are not among the GPUs asked for, {', '.join(ids)}",
    )
    for id in ids:
        try:
            usd = given[id] if id in given else catalog.rent(id, *PLACE).usd_per_gpu_hour
        except CatalogError as error:
            unknown[id] = f"{error}; give usd_per_gpu_hour={{{id!r}: ...}}"
        else:
            require(f"plan_serving: usd_per_gpu_hour[{id!r}]", usd)
            rents[id] = float(middle(usd))
    return rents, unknown


def _reason(alone: pd.Series, ttft_s: float, tpot_s: float) -> str:
    """Why not even one request at a time keeps the promise."""
    if not alone["fits"]:
        return str(alone["why_not"])
    promises = (("time to first token", "ttft_s", ttft_s), ("time per token", "tpot_s", tpot_s))
    return "; ".join(
        f"{name} is {alone[f'{key}_mid'] * 1e3:.0f} ms even for one request at a time, "
        f"{limit * 1e3:.0f} ms are allowed"
        for name, key, limit in promises
        if alone[f"{key}_mid"] > limit
    )
