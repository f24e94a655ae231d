"""What was measured of training runs, and the numbers fitted to it.

The measurements are data/measured/training.csv, the fitted numbers data/calibration/training.csv, written by
benchmarks/fit_training.py.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from costmodel.core.public import public
from costmodel.facts import catalog
from costmodel.laws.training.memory import MemoryLaw
from costmodel.laws.training.speed import SpeedLaw

TOKENS_IN_FLIGHT = (
    4_096.0  # of one GPU where no micro-batch is given: what fills a GPU without filling its memory
)
MEASURED = (
    "id",
    "family",
    "job",
    "model",
    "params",
    "active_params",
    "layers",
    "hidden",
    "vocab",
    "seq_len",
    "gpu",
    "gpus",
    "method",
    "precision",
    "stack",
    "packed",
    "checkpointing",
    "savers",
    "rank",
    "rollouts",
    "micro_batch",
    "tokens",
    "metric",
    "value",
    "unit",
    "as_of",
    "source",
    "note",
)
UNITS = {
    "tokens_per_s_per_gpu": "token/s",
    "gpu_hours": "GPU-hour",
    "wall_hours": "hour",
    "peak_memory_gb": "GB",
}


@cache
def laws() -> tuple[SpeedLaw, MemoryLaw, dict[str, float]]:
    """The calibrated speed law, memory law and bands, of data/calibration/training.csv."""
    found = catalog.facts_of("training")
    number = {key: fact.value.mid for key, fact in found.items()}
    speed = SpeedLaw(**{f.name: number[f"speed.{f.name}"] for f in fields(SpeedLaw)})
    memory = MemoryLaw(**{f.name: number[f"memory.{f.name}"] for f in fields(MemoryLaw)})
    return (
        speed,
        memory,
        {
            key.split(".")[0].removeprefix("band_"): value
            for key, value in number.items()
            if key.startswith("band_")
        },
    )


@cache
def decoding() -> dict[str, float]:
    """What the inference model says of decoding, for the answers of RL: efficiencies and the overhead of a layer."""
    names = {"decode_mfu": "mfu", "decode_mbu": "mbu", "decode_layer_s": "overhead_s_per_layer"}
    return {
        name: catalog.fact("serving", f"roofline.{fact}").value.mid for name, fact in names.items()
    }


@cache
def seen_gpus() -> tuple[str, ...]:
    """GPUs with a measured run."""
    return tuple(sorted({row["gpu"] for row in catalog.measured("training", MEASURED)}))


@public
def measured_training(table: str = "training") -> pd.DataFrame:
    """Published training runs, one row per measured number: `metric`, `value`, `unit`, where and when.

    The fits read "training"; "literature" holds well-known runs of which something had to be assumed (see `note`), which
    no fit reads.

    This table is wide, unlike the other facts, because a measurement is one number at a point of many co-ordinates
    (model, GPU, method, batch ...): only `value` was measured, the rest says for what. An empty cell was not published.
    Architectures are those of the models' public configurations. `job` is pretrain or tune, `family` who measured.
    """
    rows = pd.DataFrame(catalog.measured(table, MEASURED))
    numbers = [
        "params",
        "active_params",
        "layers",
        "hidden",
        "vocab",
        "seq_len",
        "gpus",
        "micro_batch",
        "rank",
        "rollouts",
        "tokens",
        "value",
    ]
    rows[numbers] = rows[numbers].replace("", None).apply(pd.to_numeric)
    return rows.assign(packed=rows["packed"] == "true")


def arguments(table: pd.DataFrame) -> dict[str, Any]:
    """The arguments of `predict_training` for rows of `measured_training`."""
    redo = {"none": "False", "selective": "selective"}
    return {
        **{
            n: table[n].to_numpy()
            for n in (
                "params",
                "active_params",
                "layers",
                "hidden",
                "vocab",
                "micro_batch",
                "rank",
                "rollouts",
            )
        },
        **{n: table[n].to_numpy(object) for n in ("gpu", "method", "precision", "stack")},
        "tokens": table["tokens"].fillna(1.0).to_numpy(),
        "gpus": table["gpus"].fillna(1.0).to_numpy(),
        "savers": np.asarray([s or None for s in table["savers"]], object),
        "seq_len": table["seq_len"].fillna(TOKENS_IN_FLIGHT).to_numpy(),
        "packed": table["packed"].to_numpy(),
        "checkpointing": np.asarray([redo.get(c, "True") for c in table["checkpointing"]]),
    }
