"""A few well-known measurements beside the model with its default Ranges.

Pre-training runs against 6 N D at the usual utilisation, serving throughput against the calibrated
roofline.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from costmodel.core.draws import middle
from costmodel.core.public import public
from costmodel.facts import catalog
from costmodel.laws.serving.calibration import band, kind_of
from costmodel.laws.training.compute import gpu_hours, training_flops
from costmodel.validation.serving import engine_physics, numbers, predict

UNIFORM = (np.arange(4_000) + 0.5) / 4_000

# published fact: (parameters, GPU)
TRAINING = {
    "llama-2-7b": (6.74e9, "A100-80GB"),
    "llama-2-70b": (69e9, "A100-80GB"),
    "llama-3.1-405b": (405e9, "H100-SXM"),
}

# published fact, which begins with its engine; no concurrency: all requests were queued
# fmt: off
SERVING = pd.DataFrame(
    [
        ("trtllm-8b-h100-1000-1000", "llama-3.1-8b", "H100-SXM", 1, "fp8", 1000, 1000, None),
        ("trtllm-8b-h100-2048-128", "llama-3.1-8b", "H100-SXM", 1, "fp8", 2048, 128, None),
        ("trtllm-8b-h200-1000-1000", "llama-3.1-8b", "H200-SXM", 1, "fp8", 1000, 1000, None),
        ("trtllm-70b-h100x4-1000-1000", "llama-3.1-70b", "H100-SXM", 4, "fp8", 1000, 1000, None),
        ("trtllm-70b-h200-1000-1000", "llama-3.1-70b", "H200-SXM", 1, "fp8", 1000, 1000, None),
        ("vllm-8b-a100-1024-1024-b64", "llama-3.1-8b", "A100-80GB", 1, "bf16", 1024, 1024, 64),
        ("vllm-8b-a100-1024-1024-b1", "llama-3.1-8b", "A100-80GB", 1, "bf16", 1024, 1024, 1),
    ],
    columns=[
        "id", "model", "gpu", "tp", "precision", "input_tokens", "output_tokens", "concurrency",
    ],
)
# fmt: on


@public
def reality() -> pd.DataFrame:
    """Well-known measurements beside the model's band.

    Returns
    -------
    pandas.DataFrame
        Columns: case, unit (GPU-hour or token/s), reported, low, mid, high (80 % band), ratio (mid
        over reported), inside (whether the band holds it), source.

    Examples
    --------
    >>> len(reality())
    10
    """
    rows, share = [], catalog.practice("training.mfu")
    for id, (parameters, gpu) in TRAINING.items():
        tokens = catalog.fact("published", f"{id}.train_tokens").value.mid
        best = gpu_hours(
            training_flops(parameters, tokens), middle(catalog.gpu(gpu)).peak_flops_bf16, 1.0
        )
        hours = best / share.mid, best / share.quantile(UNIFORM)
        rows.append(_beside(f"{id}.gpu_hours", *hours))
    facts = [f"{id}.output_tokens_per_s" for id in SERVING["id"]]
    runs = SERVING.assign(
        engine=SERVING["id"].str.split("-").str[0],
        dp=1,
        ep=1,
        kv_precision=SERVING["precision"],
        metric="output_tokens_per_s",
        as_of=[catalog.fact("published", fact).as_of for fact in facts],
    )
    speeds = predict(runs, *numbers(runs), engine_physics(runs))["value"]
    for fact, run, speed in zip(facts, runs.itertuples(), speeds, strict=True):
        ratio = band("throughput_ratio", kind_of(catalog.model(run.model), run.precision))
        rows.append(_beside(fact, speed, speed * ratio.quantile(UNIFORM)))
    return pd.DataFrame(rows)


def _beside(key: str, mid: float, draws: Any) -> dict[str, Any]:
    """A published fact and the model's band."""
    fact = catalog.fact("published", key)
    reported, source = fact.value.mid, catalog.source(fact.value.source)
    low, high = np.percentile(draws, [10, 90])
    return {
        "case": fact.value.why,
        "unit": fact.unit,
        "reported": reported,
        "low": low,
        "mid": mid,
        "high": high,
        "ratio": mid / reported,
        "inside": low <= reported <= high,
        "source": f"{source.publisher}: {source.title}",
    }
