"""A few well-known measurements beside the predictions of the laws of training and serving.

What was measured are facts of data/facts/published.csv; data/measured/published_serving.csv says
how each of them was served, without a concurrency where all requests were queued.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from costmodel.core import public
from costmodel.facts import catalog
from costmodel.laws.serving.calibration import band
from costmodel.laws.training.calibration import arguments, measured_training
from costmodel.laws.training.predict import predict_training
from costmodel.validation.held_out import in_band, measured, with_credits
from costmodel.validation.serving import engine_physics, kinds, numbers, predict

UNIFORM = (np.arange(4_000) + 0.5) / 4_000

TRAINING = ["llama-2-7b", "llama-2-70b", "llama-3.1-405b"]  # published facts, also measured runs


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
    trained = measured_training()
    cards = trained[trained["metric"].eq("gpu_hours") & trained["model"].isin(TRAINING)]
    hours = predict_training(**arguments(cards)).set_index(cards["model"])
    rows = [
        _beside(f"{model}.gpu_hours", *run[["gpu_hours_low", "gpu_hours_mid", "gpu_hours_high"]])
        for model, run in hours.loc[TRAINING].iterrows()
    ]
    runs = measured("published_serving").assign(stack="tuned")
    speeds = predict(runs, *numbers(runs), engine_physics(runs))["value"]
    for id, engine, kind, speed in zip(
        runs["id"], runs["engine"], kinds(runs), speeds, strict=True
    ):
        ratio = band("throughput_ratio", kind, engine=engine)
        low, high = np.percentile(speed * ratio.quantile(UNIFORM), [10, 90])
        rows.append(_beside(f"{id}.output_tokens_per_s", low, speed, high))
    return with_credits(pd.DataFrame(rows)).drop(columns="url")


def _beside(key: str, low: float, mid: float, high: float) -> dict[str, Any]:
    """A published fact and the model's band."""
    fact = catalog.fact("published", key)
    value = fact.value
    band = in_band(value.mid, low, mid, high)
    return {"case": value.why, "unit": fact.unit, **band, "source": value.source}
