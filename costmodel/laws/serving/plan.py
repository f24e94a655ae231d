"""The cheapest layout and rent of a model that keeps a promised speed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from costmodel.core.checks import require
from costmodel.core.draws import middle
from costmodel.core.errors import CatalogError, check, of_kind, one_number, whole
from costmodel.core.public import public
from costmodel.facts import catalog
from costmodel.facts.records import Gpu, Model
from costmodel.laws.queueing import replicas_needed, safety
from costmodel.laws.serving.predict import LEAST, MOST_GPUS, predict_serving, usd_per_mtok

LAYOUTS = (1, 2, 4, 8)  # tensor-parallel sizes that are tried: one server of eight GPUs
CONCURRENCIES = np.unique(np.round(np.geomspace(1, 1024, 61)))


# -- planning ------------------------------------------------------------------------------------------


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
) -> pd.DataFrame:
    """The cheapest fleets that answer `requests_per_s` within `ttft_s` and `tpot_s` (means), cheapest first.

    One row per GPU and tensor-parallel size: `gpu, tensor_parallel, concurrency` (most per instance that keeps the
    promise), `instances` (whole, so that at most `wait_share` of Poisson arrivals find no free place), `gpus, utilisation` (of what they could do), `usd_per_hour, usd_per_mtok_out`, the
    expected `ttft_s` and `tpot_s` with the high end of their bands, `sure` (whether those keep the promise too) and
    `why_not` for those that cannot. Rents are given by GPU id or the catalogue's neocloud on-demand price.

    >>> plan = plan_serving(
    ...     "qwen3-32b", ["H200-SXM", "B200-SXM"], "fp8", 50, 2_000, 300, ttft_s=2, tpot_s=0.030
    ... )
    >>> plan.why_not.iloc[0], bool(plan.utilisation.iloc[0] <= 1)
    ('', True)
    """
    for name, value in (
        ("requests_per_s", requests_per_s),
        ("input_tokens", input_tokens),
        ("output_tokens", output_tokens),
        ("ttft_s", ttft_s),
        ("tpot_s", tpot_s),
    ):
        one_number(f"plan_serving: {name}", value, 1 if name.endswith("tokens") else LEAST)
    one_number("plan_serving: wait_share", wait_share, 0, 1)
    found = [
        g if isinstance(g, Gpu) else catalog.gpu(g)
        for g in ([gpu] if isinstance(gpu, (str, Gpu)) else list(gpu or ()))
    ]
    sizes = list(layouts) if isinstance(layouts, Iterable) else [layouts]
    check(found and sizes, "plan_serving: gpu and layouts need at least one entry each")
    for n in sizes:
        whole("plan_serving: layouts", n, 1, MOST_GPUS)
    if usd_per_gpu_hour is not None:
        of_kind("plan_serving: usd_per_gpu_hour", usd_per_gpu_hour, dict)
    strange = (
        [] if usd_per_gpu_hour is None else sorted(set(usd_per_gpu_hour) - {g.id for g in found})
    )
    check(
        not strange,
        f"plan_serving: usd_per_gpu_hour names {strange}, which are not among the GPUs asked for, {', '.join(g.id for g in found)}",
    )
    rents = {g.id: _rent(g, usd_per_gpu_hour) for g in found}
    pairs = [(g, n) for g in found for n in sizes]
    grid = [(g, n, c) for g, n in pairs for c in CONCURRENCIES]
    table = predict_serving(
        model,
        [g for g, _, _ in grid],
        [n for _, n, _ in grid],
        precision,
        kv_precision,
        input_tokens,
        output_tokens,
        [c for _, _, c in grid],
        engine,
    )
    lines = []
    for k, (g, n) in enumerate(pairs):
        part = table.iloc[k * len(CONCURRENCIES) : (k + 1) * len(CONCURRENCIES)].assign(
            concurrency=CONCURRENCIES
        )
        lines.append(
            {
                "gpu": g.id,
                "tensor_parallel": n,
                **_best(
                    part, rents[g.id], requests_per_s, output_tokens, ttft_s, tpot_s, wait_share
                ),
            }
        )
    return (
        pd.DataFrame(lines)
        .sort_values("usd_per_hour", na_position="last", kind="stable")
        .reset_index(drop=True)
    )


def _rent(gpu: Gpu, given: dict[str, Any] | None) -> float | str:
    """USD per GPU-hour, or why it is not known."""
    if given is not None and gpu.id in given:
        require(f"plan_serving: usd_per_gpu_hour[{gpu.id!r}]", given[gpu.id])
        return float(middle(given[gpu.id]))
    try:
        return float(middle(catalog.rent(gpu.id, "neocloud", "on_demand").usd_per_gpu_hour))
    except CatalogError as error:
        return f"{error}; give usd_per_gpu_hour={{{gpu.id!r}: ...}}"


def _best(
    part: pd.DataFrame,
    rent: float | str,
    requests_per_s: float,
    output_tokens: float,
    ttft_s: float,
    tpot_s: float,
    wait_share: float,
) -> dict[str, Any]:
    """The cheapest concurrency of one GPU and layout, or why there is none."""
    keeps = part[part["fits"] & (part["ttft_s_mid"] <= ttft_s) & (part["tpot_s_mid"] <= tpot_s)]
    if keeps.empty:
        return {"usd_per_hour": np.nan, "why_not": _reason(part.iloc[0], ttft_s, tpot_s)}
    if isinstance(rent, str):
        return {"usd_per_hour": np.nan, "why_not": rent}
    row = keeps.loc[keeps["output_tokens_per_s_mid"].idxmax()]
    capacity = row["output_tokens_per_s_mid"] / output_tokens
    instances = float(
        replicas_needed(
            requests_per_s / capacity, row["concurrency"], 1.0, safety(wait_share), 1.0, 1.0
        )
    )
    gpus = instances * row["gpus"]
    return {
        "concurrency": row["concurrency"],
        "instances": instances,
        "gpus": gpus,
        "utilisation": requests_per_s / (instances * capacity),
        "usd_per_hour": gpus * rent,
        "usd_per_mtok_out": usd_per_mtok(gpus * rent, requests_per_s * output_tokens),
        "ttft_s": row["ttft_s_mid"],
        "ttft_s_high": row["ttft_s_high"],
        "tpot_s": row["tpot_s_mid"],
        "tpot_s_high": row["tpot_s_high"],
        "sure": bool(row["ttft_s_high"] <= ttft_s and row["tpot_s_high"] <= tpot_s),
        "why_not": "",
    }


def _reason(alone: pd.Series, ttft_s: float, tpot_s: float) -> str:
    """Why not even one request at a time keeps the promise."""
    if not alone["fits"]:
        return str(alone["why_not"])
    late = [
        f"{name} is {alone[f'{key}_mid'] * 1e3:.0f} ms even for one request at a time, {limit * 1e3:.0f} ms are allowed"
        for name, key, limit in (
            ("time to first token", "ttft_s", ttft_s),
            ("time per token", "tpot_s", tpot_s),
        )
        if alone[f"{key}_mid"] > limit
    ]
    return "; ".join(late)
