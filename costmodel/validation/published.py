"""The model beside published measurements: what was reported, what we compute with the default Ranges, and the ratio.

Pre-training runs against 6 N D at the usual utilisation, and serving throughput against the calibrated roofline.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from costmodel.core.draws import middle
from costmodel.core.public import public
from costmodel.core.ranges import Range
from costmodel.facts import catalog
from costmodel.laws.serving.calibration import band, kind_of
from costmodel.laws.training.compute import gpu_hours, training_flops
from costmodel.validation.serving import engine_physics, numbers, predict

DRAWS = 4_000


# published fact -> (open model with that many parameters or their number, GPU)
TRAINING: dict[str, tuple[str | float, str]] = {
    "llama-2-7b": (6.74e9, "A100-80GB"),
    "llama-2-70b": (69e9, "A100-80GB"),
    "llama-3.1-405b": ("llama-3.1-405b", "H100-SXM"),
}


# published fact -> (model, GPU, GPUs, precision, input tokens, output tokens, batch: None where all requests were queued)
SERVING: dict[str, tuple[str, str, int, str, int, int, int | None]] = {
    "trtllm-8b-h100-1000-1000": ("llama-3.1-8b", "H100-SXM", 1, "fp8", 1_000, 1_000, None),
    "trtllm-8b-h100-2048-128": ("llama-3.1-8b", "H100-SXM", 1, "fp8", 2_048, 128, None),
    "trtllm-8b-h200-1000-1000": ("llama-3.1-8b", "H200-SXM", 1, "fp8", 1_000, 1_000, None),
    "trtllm-70b-h100x4-1000-1000": ("llama-3.1-70b", "H100-SXM", 4, "fp8", 1_000, 1_000, None),
    "trtllm-70b-h200-1000-1000": ("llama-3.1-70b", "H200-SXM", 1, "fp8", 1_000, 1_000, None),
    "vllm-8b-a100-1024-1024-b64": ("llama-3.1-8b", "A100-80GB", 1, "bf16", 1_024, 1_024, 64),
    "vllm-8b-a100-1024-1024-b1": ("llama-3.1-8b", "A100-80GB", 1, "bf16", 1_024, 1_024, 1),
}


@public
def reality() -> pd.DataFrame:
    """Published measurements beside the model's band (80 %), one row each.

    Columns: case, unit, reported, low, mid, high, ratio (mid over reported), inside (whether the band holds it), source.
    """
    rows = [_row(id, "gpu_hours", *_training(*case, id)) for id, case in TRAINING.items()]
    rows += [_row(id, "output_tokens_per_s", *_serving(*case, id)) for id, case in SERVING.items()]
    return pd.DataFrame(
        rows,
        columns=["case", "unit", "reported", "low", "mid", "high", "ratio", "inside", "source"],
    )


def _row(id: str, field: str, mid: float, draws: Any) -> tuple:
    fact = catalog.fact("published", f"{id}.{field}")
    reported = fact.value.mid
    low, high = np.percentile(draws, [10, 90])
    source = catalog.source(fact.value.source)
    return (
        fact.value.why,
        fact.unit,
        reported,
        low,
        mid,
        high,
        mid / reported,
        bool(low <= reported <= high),
        f"{source.publisher}: {source.title}",
    )


def _training(model: str | float, gpu: str, id: str) -> tuple[float, Any]:
    parameters = catalog.model(model).active_parameters if isinstance(model, str) else model
    tokens = catalog.fact("published", f"{id}.train_tokens").value.mid
    mfu: Range = catalog.practice("training.mfu")
    hours = gpu_hours(
        training_flops(parameters, tokens),
        middle(catalog.gpu(gpu)).peak_flops_bf16,
        np.array([mfu.mid, *mfu.quantile(_uniform())]),
    )
    return float(hours[0]), hours[1:]


def _serving(
    model: str,
    gpu: str,
    gpus: int,
    precision: str,
    input_tokens: int,
    output_tokens: int,
    batch: int | None,
    id: str,
) -> tuple[float, Any]:
    """Output tokens per second by the calibrated roofline, and the ends of its band."""
    fact = catalog.fact("published", f"{id}.output_tokens_per_s")
    engine = "vllm" if id.startswith("vllm") else "trtllm"
    table = pd.DataFrame(
        [
            {
                "model": model,
                "gpu": gpu,
                "tp": gpus,
                "dp": 1,
                "precision": precision,
                "kv_precision": precision,
                "engine": engine,
                "as_of": fact.as_of,
                "input_tokens": input_tokens,
                "output_tokens": output_tokens,
                "concurrency": np.nan if batch is None else batch,
                "metric": "output_tokens_per_s",
            }
        ]
    )
    mid = float(predict(table, *numbers(table), engine_physics(table))["value"][0])
    ratio = band("throughput_ratio", kind_of(catalog.model(model), precision))
    return mid, mid * ratio.quantile(_uniform())


def _uniform() -> np.ndarray:
    return (np.arange(DRAWS) + 0.5) / DRAWS
