"""How fast, how many and for how much: served configurations with their bands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from costmodel.core import GB, Doubt, middle, public
from costmodel.facts import catalog
from costmodel.facts.records import Gpu, Model
from costmodel.laws.columns import MOST, Allowed, Distinct, banded, read, refuse, rows_of_cases
from costmodel.laws.money import usd_per_mtok
from costmodel.laws.serving.batching import served
from costmodel.laws.serving.calibration import band, check_engine, kind_of, one_gpu, unseen_of
from costmodel.laws.serving.calibration import stack as columns_of
from costmodel.laws.serving.instance import Instance, kv_bytes, room_bytes, sequences_at_once

LEAST = 1e-9  # of a number that must be above 0
MOST_GPUS = 1024  # of one instance
BLOCK = 16_384  # rows that are computed at once
LAYOUT = ("tensor_parallel", "data_parallel", "expert_parallel")
RECORDS = (
    "model",
    "gpu",
    "precision",
    "kv_precision",
    "engine",
    "stack",
)  # arguments that are no numbers
AT_LEAST_1, AT_LEAST_0 = Allowed(1, MOST, "1 or more"), Allowed(0, MOST, "0 or more")
SHARE = Allowed(0, 1, "0 to 1")
WHOLE = Allowed(1, MOST_GPUS, f"a whole number between 1 and {MOST_GPUS}", whole=True)
NUMBERS = {
    **dict.fromkeys(LAYOUT, WHOLE),
    **dict.fromkeys(("input_tokens", "output_tokens", "concurrency", "waves"), AT_LEAST_1),
    "usd_per_gpu_hour": AT_LEAST_0._replace(needed=False),
    "prefix_hit": SHARE,
    "draft_tokens": AT_LEAST_0,
    "draft_accepted": SHARE,
    "draft_cost": AT_LEAST_0,
    "memory_share": SHARE._replace(needed=False),
}


@public
def predict_serving(
    model: Model | str | Iterable[Any],
    gpu: Gpu | str | Iterable[Any],
    tensor_parallel: Any = 1,
    precision: str | Iterable[str] = "fp8",
    kv_precision: str | Iterable[Any] | None = None,
    input_tokens: Any = 1_000,
    output_tokens: Any = 1_000,
    concurrency: Any = 1,
    engine: str | Iterable[str] = "vllm",
    expert_parallel: Any = 1,
    data_parallel: Any = 1,
    usd_per_gpu_hour: Any = None,
    waves: Any = 10,
    prefix_hit: Any = 0.0,
    draft_tokens: Any = 0,
    draft_accepted: Any = 0.7,
    draft_cost: Any = 0.05,
    stack: str | Iterable[str] = "tuned",
    memory_share: Any = None,
) -> pd.DataFrame:
    """Latency and throughput of an instance with `concurrency` requests always in flight.

    The calibrated roofline (`roofline`, `batching`) gives the middle, the errors on measurements
    that a fit had not seen give the 80 % band. `Hosted` takes the median of measured over
    predicted, 1 to 5 % beside it, as its middle. Not in it: pipeline parallelism, prefill on
    machines of its own (`Hosted` has it), a queue of random arrivals (`plan_serving` has one).

    Parameters
    ----------
    model, gpu : id, record or list of them
        An open model and a GPU of the catalogue, or records of your own.
    tensor_parallel, data_parallel : whole number or list, 1 to 1024
        GPUs of an attention group, and groups of an instance: its GPUs are their product.
    precision, kv_precision : "bf16", "fp8", "fp4", "int8" or "int4"
        Of weights and of the KV cache; None is FP8 beside FP8 and FP4 weights, else BF16.
    input_tokens, output_tokens : number or list, at least 1 [token]
        Of one request.
    concurrency : number or list, at least 1
        Requests of one instance in flight.
    engine : "vllm", "sglang", "trtllm" or "other"
    expert_parallel : whole number or list
        Groups of GPUs that hold whole experts (1: every GPU holds a slice of each); the busiest
        group decides, which costs most in small batches.
    usd_per_gpu_hour : number, Range or list [USD/GPU-hour]
    waves : number or list, at least 1
        Requests over concurrency.
    prefix_hit : share or list
        Share of the prompt that is read from a cache, which is held once for all requests.
    draft_tokens, draft_accepted, draft_cost : number or list
        Tokens that a draft proposes, the chance that each is accepted, and what each costs [share
        of a step].
    stack : "tuned", "standard" or "as_found"
        What vendors and operators of benchmarks reach, an engine with its defaults, or one without
        CUDA graphs or in the first month of an architecture.
    memory_share : share or list, optional
        Of the memory of a GPU that the engine takes (None: 0.9; 0.95 for a tuned TensorRT-LLM).

    Returns
    -------
    DataFrame
        One row per configuration. `ttft_s` and `tpot_s` (means), `output_tokens_per_s` (whole
        instance), `tokens_per_s_per_user`, `output_tokens_per_s_per_gpu` and `usd_per_mtok_out`
        (all GPUs busy; NaN without a rent), each with `_low`, `_mid`, `_high`; then `kv_tokens_max`
        (tokens that the KV cache holds), `running` (sequences at once; the rest waits), `gpus`,
        `fits`, `over_gb` [GB] and `why_not`.

    Raises
    ------
    CatalogError
        For an unknown model, GPU, precision or engine, with the nearest name.
    ValueError
        For a number outside its range, or lists of unequal length.

    Examples
    --------
    >>> row = predict_serving("llama-3.1-8b", "H100-SXM", precision="bf16", concurrency=1).iloc[0]
    >>> bool(row.tpot_s_low < 0.0069 < row.tpot_s_high)  # vLLM, measured: 6.9 ms
    True
    >>> bool(predict_serving("llama-3.1-70b", "H100-SXM", precision="bf16").fits.iloc[0])
    False
    """
    given = dict(locals())
    if isinstance(usd_per_gpu_hour, Doubt):
        given["usd_per_gpu_hour"] = middle(usd_per_gpu_hour)
    rows, records = read("predict_serving", given, NUMBERS)
    gpus, groups = rows["tensor_parallel"] * rows["data_parallel"], rows["expert_parallel"]
    most = f"at most tensor_parallel x data_parallel, {gpus[groups > gpus][:1].sum():g}"
    refuse(groups > gpus, "predict_serving: expert_parallel", groups, most)
    case, which = _cases(records)
    alone, ratios = columns_of([one_gpu(*each) for each in case]), _ratios(case)
    rows = {**rows, "gpus": gpus}
    blocks = [slice(start, start + BLOCK) for start in range(0, len(which), BLOCK)]
    parts = [_block(alone, ratios, which[b], {k: v[b] for k, v in rows.items()}) for b in blocks]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    fits, over = columns["fits"], columns["over_gb"]
    why_not = _why_not(case, which, fits, columns["gpus"], over)
    return pd.DataFrame(columns | {"why_not": why_not}, copy=False)


def _block(alone: Instance, ratios: Any, which: Any, rows: dict[str, Any]) -> dict[str, Any]:
    """The columns of so many rows as a processor holds in its cache."""
    i, o, gpus = rows["input_tokens"], rows["output_tokens"], rows["gpus"]
    names = ("concurrency", "waves", "draft_tokens", "draft_accepted", "draft_cost")
    run, waves, *draft = (rows[name] for name in names)
    on = _spread(alone, which, rows)
    result = served(on, i, o, run, waves, rows["prefix_hit"] * i, *draft)
    held, room = sequences_at_once(on, i + o), room_bytes(on)
    fits = held >= on.data_parallel
    missing = np.where(room > 0, kv_bytes(on, i + o) - room, -room)
    first, later = ratios[:, :, which]
    ttft, tpot, rate = (
        np.where(fits, mid, np.nan)
        for mid in (result.ttft_s, result.tpot_s, result.output_tokens_per_s)
    )
    slow, fast = tpot * later, rate / later[::-1]
    return banded(
        ttft_s=ttft * first,
        tpot_s=slow,
        output_tokens_per_s=fast,
        tokens_per_s_per_user=1 / slow[::-1],
        output_tokens_per_s_per_gpu=fast / gpus,
        usd_per_mtok_out=usd_per_mtok(rows["usd_per_gpu_hour"] * gpus, fast[::-1]),
    ) | {
        "kv_tokens_max": held * (i + o),
        "running": np.where(fits, result.running, 0.0),
        "gpus": gpus,
        "fits": fits,
        "over_gb": np.where(fits, 0.0, missing * gpus / GB),
    }


def _spread(alone: Instance, which: Any, rows: dict[str, Any]) -> Instance:
    """The instance of each row; what is the same in all rows stays one number."""
    found = {f.name: _once(getattr(alone, f.name), which) for f in fields(alone)}
    taken = rows["memory_share"]
    layout = {name: rows[name] for name in LAYOUT}
    layout["memory_share"] = np.where(np.isnan(taken), found["memory_share"], taken)
    return Instance(**found | {name: _once(values) for name, values in layout.items()})


def _once(values: Any, which: Any = ...) -> Any:
    """Those of the rows, or the one that all of them are."""
    return values[0] if (values == values[0]).all() else values[which]


def _why_not(case: list[tuple], which: Any, fits: Any, gpus: Any, over: Any) -> Any:
    """The reason of each row that lacks memory, or ""."""
    reasons = np.full(len(which), "", object)
    rows = np.flatnonzero(~fits)
    tenths, _ = pd.factorize(np.round(over[rows], 1))
    first, same = rows_of_cases((which[rows], gpus[rows].astype(int), tenths))
    texts = []
    for k in rows[first]:
        m, g, form, *_ = case[which[k]]
        texts.append(
            f"{m.id} in {form} does not fit {gpus[k]:g} x {g.id}: "
            f"{over[k]:.1f} GB over the usable memory"
        )
    reasons[rows] = np.array(texts, object)[same]
    return reasons


def _ratios(case: list[tuple]) -> Any:
    """Measured over predicted time of (first, later) tokens, (low, 1, high), for each case."""
    found = np.ones((2, 3, len(case)))
    for i, (m, g, precision, _, engine, stack) in enumerate(case):
        unseen = unseen_of(m, g, engine, precision)
        for j, metric in enumerate(("ttft_ratio", "tpot_ratio")):
            ratio = band(metric, kind_of(m, precision), *unseen, stack=stack, engine=engine)
            found[j, 0, i], found[j, 2, i] = min(ratio.low, 1), max(ratio.high, 1)
    return found


def _cases(records: dict[str, Distinct]) -> tuple[list[tuple], Any]:
    """The distinct (model, GPU, precision, KV precision, engine), and which one each row has."""
    values, places = zip(*(records[name] for name in RECORDS), strict=True)
    first, which = rows_of_cases(places)
    case = []
    for row in first:
        m, g, *rest = (v[place[row]] for v, place in zip(values, places, strict=True))
        m = m if isinstance(m, Model) else catalog.model(m)
        g = g if isinstance(g, Gpu) else catalog.gpu(g)
        check_engine(rest[-2], g)
        case.append((middle(m), middle(g), *rest))
    return case, which
