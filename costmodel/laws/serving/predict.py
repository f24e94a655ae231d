"""How fast, how many and for how much: one served configuration with its band, and the cheapest ones that keep a promise."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from costmodel.core.draws import middle
from costmodel.core.errors import check, short
from costmodel.core.public import public
from costmodel.core.ranges import Doubt
from costmodel.core.units import GB, MTOK, SECONDS_PER_HOUR
from costmodel.facts import catalog
from costmodel.facts.records import Gpu, Model
from costmodel.laws.serving.calibration import (
    OTHER,
    band,
    kind_of,
    measured_on,
    physics,
    setup,
    shape,
    stack,
)
from costmodel.laws.serving.roofline import room_bytes, sequences_at_once, served

LEAST = 1e-9  # of what must be above 0
MOST_GPUS = 1024  # of one instance
METRICS = ("ttft_s", "tpot_s", "output_tokens_per_s")
RECORDS = ("model", "gpu", "precision", "kv_precision", "engine")  # arguments that are no numbers


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
) -> pd.DataFrame:
    """Latency and throughput of an instance with `concurrency` requests always in flight, one row per configuration.

    Columns `<name>_low, _mid, _high` (80 % band, from measurements that the fit had not seen): `ttft_s` and `tpot_s` (means),
    `tokens_per_s_per_user`, `output_tokens_per_s` (whole instance), `output_tokens_per_s_per_gpu`, `usd_per_mtok_out` (at
    `usd_per_gpu_hour`, all GPUs busy; NaN without a rent). Then `kv_tokens_max` (tokens that the KV cache holds),
    `running` (sequences at once; the rest of `concurrency` waits), `gpus`, `fits`, `over_gb` and `why_not`.

    `mid` is the calibrated law itself; `Hosted` takes the median of measured over predicted, 1 to 5 % beside it, as its middle.
    `model` and `gpu` are ids or records. `concurrency` is per instance, `data_parallel` its attention groups, so GPUs
    are tensor_parallel x data_parallel. `expert_parallel` splits them into groups that hold whole experts (1: every GPU
    holds a slice of each); the busiest group decides, which costs most in small batches. `kv_precision=None` is FP8 beside FP8 and FP4 weights, else BF16. `engine` is vllm, sglang, trtllm or other.
    `waves` is requests over concurrency. `prefix_hit` is the share of the prompt read from a cache; a draft proposes
    `draft_tokens`, each accepted with `draft_accepted` and costing `draft_cost` of a step. Arrays and lists give rows.

    >>> row = predict_serving("llama-3.1-8b", "H100-SXM", precision="bf16", concurrency=1).iloc[0]
    >>> bool(
    ...     row.tpot_s_low < 0.0069 < row.tpot_s_high
    ... )  # 6.4 ms + 0.04 us per token of context: vLLM, measured
    True
    >>> bool(predict_serving("llama-3.1-70b", "H100-SXM", precision="bf16").fits.iloc[0])
    False
    """
    given = {
        "model": model,
        "gpu": gpu,
        "precision": precision,
        "kv_precision": kv_precision,
        "engine": engine,
        "tensor_parallel": tensor_parallel,
        "data_parallel": data_parallel,
        "expert_parallel": expert_parallel,
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "concurrency": concurrency,
        "usd_per_gpu_hour": np.nan if usd_per_gpu_hour is None else usd_per_gpu_hour,
        "waves": waves,
        "prefix_hit": prefix_hit,
        "draft_tokens": draft_tokens,
        "draft_accepted": draft_accepted,
        "draft_cost": draft_cost,
    }
    rows = _rows(given)
    _check(rows)
    case, which = _cases(rows)
    s, u, ratios = _numbers(case, which, rows)
    p = stack([physics(engine) for _, _, _, _, engine in case])
    p = type(p)(**{name: value[which] for name, value in vars(p).items()})
    i, o = rows["input_tokens"], rows["output_tokens"]
    result = served(
        s,
        u,
        p,
        i,
        o,
        rows["concurrency"],
        rows["waves"],
        rows["prefix_hit"] * i,
        rows["draft_tokens"],
        rows["draft_accepted"],
        rows["draft_cost"],
    )
    room = room_bytes(s, u, p)
    one = np.where(room > 0, sequences_at_once(s, u, p, i + o), 0.0)
    need = np.where(
        room > 0,
        (1 - one / u.data_parallel) * room / np.maximum(one / u.data_parallel, 1e-9),
        -room,
    )
    fits = one >= u.data_parallel
    mids = {
        "ttft_s": result.ttft_s,
        "tpot_s": result.tpot_s,
        "output_tokens_per_s": result.output_tokens_per_s,
    }
    out: dict[str, Any] = {}
    for name, mid in mids.items():
        for end, ratio in zip(("low", "mid", "high"), ratios[name], strict=True):
            out[f"{name}_{end}"] = np.where(fits, mid * ratio, np.nan)
    for end, other in (("low", "high"), ("mid", "mid"), ("high", "low")):
        out[f"tokens_per_s_per_user_{end}"] = 1 / out[f"tpot_s_{other}"]
        out[f"output_tokens_per_s_per_gpu_{end}"] = out[f"output_tokens_per_s_{end}"] / u.gpus
        out[f"usd_per_mtok_out_{end}"] = usd_per_mtok(
            rows["usd_per_gpu_hour"] * u.gpus, out[f"output_tokens_per_s_{other}"]
        )
    over = np.where(fits, 0.0, need * u.gpus / GB)
    tokens = np.where(room > 0, one * (i + o), 0.0)
    out |= {
        "kv_tokens_max": tokens,
        "running": np.where(fits, result.running, 0.0),
        "gpus": u.gpus,
        "fits": fits,
        "over_gb": over,
    }
    bands = (*METRICS, "tokens_per_s_per_user", "output_tokens_per_s_per_gpu", "usd_per_mtok_out")
    columns = [f"{name}_{end}" for name in bands for end in ("low", "mid", "high")]
    table = pd.DataFrame(out)[[*columns, "kv_tokens_max", "running", "gpus", "fits", "over_gb"]]
    short = np.flatnonzero(~fits)
    names = np.full(len(table), "", object)
    labels = [
        f"{m.id} in {pr} does not fit {{:g}} x {g.id}: {{:.1f}} GB over the usable memory"
        for m, g, pr, *_ in case
    ]
    names[short] = [
        labels[k].format(n, gb)
        for k, n, gb in zip(
            which[short].tolist(),
            np.broadcast_to(u.gpus, over.shape)[short].tolist(),
            over[short].tolist(),
            strict=True,
        )
    ]
    return table.assign(why_not=names)


def usd_per_mtok(usd_per_hour: Any, tokens_per_s: Any, utilisation: Any = 1.0) -> Any:
    """Price of a million tokens of what is rented by the hour [USD/Mtok]: USD/h x 1e6 / (3600 tokens/s x utilisation).

    >>> [
    ...     round(usd_per_mtok(2.50, 700, share), 2) for share in (1, 0.1)
    ... ]  # $2.50/h at 700 tokens/s: busy, and at 10 %
    [0.99, 9.92]
    """
    return usd_per_hour * MTOK / (SECONDS_PER_HOUR * tokens_per_s * utilisation)


def _rows(given: dict[str, Any]) -> dict[str, Any]:
    """Every argument as an array of one length; records and texts as objects."""
    arrays = {}
    for name, value in given.items():
        if name in RECORDS:
            values = (
                list(value)
                if isinstance(value, Iterable) and not isinstance(value, str)
                else [value]
            )
        else:
            values = _floats(
                name,
                middle(value) if isinstance(value, Doubt) and name == "usd_per_gpu_hour" else value,
            )
        check(
            len(values) > 0,
            f"predict_serving: {name} is empty; give one value, or one for each row",
        )
        arrays[name] = np.empty(len(values), object if name in RECORDS else float)
        arrays[name][:] = values
    lengths = {len(a) for a in arrays.values()} - {1}
    check(
        len(lengths) <= 1,
        f"predict_serving: arguments have lengths {sorted(lengths)}; give one value or as many as the longest",
    )
    n = lengths.pop() if lengths else 1
    return {name: np.broadcast_to(a, (n,)) for name, a in arrays.items()}


def _floats(name: str, value: Any) -> Any:
    try:
        return np.atleast_1d(np.asarray([] if value is None else value, float)).ravel()
    except (TypeError, ValueError):
        raise ValueError(
            f"predict_serving: {name} is {short(value)}, it must be a number, or one for each row"
        ) from None


def _check(rows: dict[str, Any]) -> None:
    def refuse(name: str, bad: Any, allowed: str) -> None:
        check(
            not bad.any(),
            f"predict_serving: {name} is {rows[name][bad][:1].sum():g}, allowed is {allowed}",
        )

    least = {
        "concurrency": 1,
        "input_tokens": 1,
        "output_tokens": 1,
        "waves": 1,
        "draft_tokens": 0,
        "draft_cost": 0,
    }
    for name, low in least.items():
        refuse(name, ~(np.isfinite(rows[name]) & (rows[name] >= low)), f"{low} or more")
    for name in ("tensor_parallel", "data_parallel", "expert_parallel"):
        refuse(
            name,
            ~((rows[name] >= 1) & (rows[name] <= MOST_GPUS) & (rows[name] == np.round(rows[name]))),
            f"a whole number between 1 and {MOST_GPUS}",
        )
    gpus = rows["tensor_parallel"] * rows["data_parallel"]
    bad = rows["expert_parallel"] > gpus
    refuse(
        "expert_parallel", bad, f"at most tensor_parallel x data_parallel, {gpus[bad][:1].sum():g}"
    )
    for name in ("prefix_hit", "draft_accepted"):
        refuse(name, ~((rows[name] >= 0) & (rows[name] <= 1)), "0 to 1")
    refuse(
        "usd_per_gpu_hour",
        (rows["usd_per_gpu_hour"] < 0) | np.isinf(rows["usd_per_gpu_hour"]),
        "0 or more",
    )


def _cases(rows: dict[str, Any]) -> tuple[list[tuple], Any]:
    """The distinct (model, GPU, precision, KV precision, engine) and which one each row has."""
    combined, columns = np.zeros(len(rows["model"]), int), []
    for name in RECORDS:
        given = rows[name]
        if given.strides[0] == 0:  # one value for all rows
            columns.append([given[0]])
            continue
        keys = [x if isinstance(x, str) or x is None else id(x) for x in given]
        index = {key: i for i, key in enumerate(dict.fromkeys(keys))}
        columns.append([given[keys.index(key)] for key in index])
        combined = combined * len(index) + np.fromiter(map(index.__getitem__, keys), int, len(keys))
    found, which = np.unique(combined, return_inverse=True)
    case = []
    for number in found:
        parts = []
        for values in reversed(columns):
            number, i = divmod(number, len(values))
            parts.append(values[i])
        m, g, *rest = reversed(parts)
        case.append(
            (
                m if isinstance(m, Model) else catalog.model(m),
                g if isinstance(g, Gpu) else catalog.gpu(g),
                *rest,
            )
        )
    return case, which


def _numbers(
    case: list[tuple], which: Any, rows: dict[str, Any]
) -> tuple[Any, Any, dict[str, Any]]:
    """Shape, setup and band ratios of every row."""
    s = stack([shape(m) for m, *_ in case])
    u = stack([setup(g, pr, kv, bool(m.experts)) for m, g, pr, kv, _ in case])
    s, u = (type(x)(**{name: value[which] for name, value in vars(x).items()}) for x in (s, u))
    u = type(u)(
        **{
            **vars(u),
            "tensor_parallel": rows["tensor_parallel"],
            "data_parallel": rows["data_parallel"],
            "expert_parallel": rows["expert_parallel"],
        }
    )
    models, gpus = measured_on()
    ratios = {}
    for name, field in zip(METRICS, ("ttft_ratio", "tpot_ratio", "tpot_ratio"), strict=True):
        ends = []
        for m, g, pr, _, engine in case:
            b = band(field, kind_of(m, pr), g.id not in gpus or engine == OTHER, m.id not in models)
            ends.append(
                (min(b.low, 1), 1.0, max(b.high, 1))
                if name != METRICS[2]
                else (min(1 / b.high, 1), 1.0, max(1 / b.low, 1))
            )
        ratios[name] = np.array(ends)[which].T
    return s, u, ratios
