"""A few well-known measurements beside the predictions of the laws of training and serving."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from costmodel.core.public import public
from costmodel.facts import catalog
from costmodel.laws.serving.calibration import band, kind_of
from costmodel.laws.training.calibration import arguments, measured_training
from costmodel.laws.training.predict import predict_training
from costmodel.validation.serving import engine_physics, numbers, predict

UNIFORM = (np.arange(4_000) + 0.5) / 4_000

TRAINING = ["llama-2-7b", "llama-2-70b", "llama-3.1-405b"]  # published facts, also measured runs

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
    measured = measured_training()
    cards = measured[measured["metric"].eq("gpu_hours") & measured["model"].isin(TRAINING)]
    hours = predict_training(**arguments(cards)).set_index(cards["model"])
    rows = [
        _beside(f"{model}.gpu_hours", *run[["gpu_hours_low", "gpu_hours_mid", "gpu_hours_high"]])
        for model, run in hours.loc[TRAINING].iterrows()
    ]
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
        low, high = np.percentile(speed * ratio.quantile(UNIFORM), [10, 90])
        rows.append(_beside(fact, low, speed, high))
    return pd.DataFrame(rows)


def _beside(key: str, low: float, mid: float, high: float) -> dict[str, Any]:
    """A published fact and the model's band."""
    fact = catalog.fact("published", key)
    reported, source = fact.value.mid, catalog.source(fact.value.source)
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
