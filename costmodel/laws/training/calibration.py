"""What was measured of training runs, and the numbers fitted to it.

The measurements are data/measured/training.csv, the fitted numbers data/calibration/training.csv,
written by benchmarks/fit_training.py.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any

import pandas as pd

from costmodel.core import public
from costmodel.facts import catalog
from costmodel.facts.rows import measured
from costmodel.laws.training.memory import MemoryLaw
from costmodel.laws.training.run import TOKENS_IN_FLIGHT
from costmodel.laws.training.speed import SpeedLaw

# the arguments of `predict_training`, each a column of the measurements
ARGUMENTS = (
    "params", "active_params", "layers", "hidden", "vocab", "seq_len", "gpu", "gpus", "method",
    "precision", "stack", "packed", "checkpointing", "savers", "rank", "rollouts", "micro_batch",
    "tokens",
)  # fmt: skip
TEXTS = {"gpu", "method", "precision", "stack", "packed", "checkpointing", "savers"}
NUMBERS = ["value", *(name for name in ARGUMENTS if name not in TEXTS)]
WHERE = ("id", "family", "job", "model")
MEASURED = (*WHERE, *ARGUMENTS, "metric", "value", "unit", "as_of", "source", "note")


@cache
def laws() -> tuple[SpeedLaw, MemoryLaw, dict[str, float]]:
    """The calibrated speed law, memory law and bands, of data/calibration/training.csv."""
    number = {key: fact.value.mid for key, fact in catalog.facts_of("training").items()}
    speed = SpeedLaw(**{f.name: number[f"speed.{f.name}"] for f in fields(SpeedLaw)})
    memory = MemoryLaw(**{f.name: number[f"memory.{f.name}"] for f in fields(MemoryLaw)})
    bands = {
        key.split(".")[0].removeprefix("band_"): value
        for key, value in number.items()
        if key.startswith("band_")
    }
    return speed, memory, bands


@cache
def seen_gpus() -> tuple[str, ...]:
    """GPUs with a measured run."""
    return tuple({row["gpu"] for row in measured("training", MEASURED)})


@public
def measured_training(table: str = "training") -> pd.DataFrame:
    """Published training runs, one row per measured number.

    This table is wide, unlike the other facts, because a measurement is one number at a point of
    many co-ordinates (model, GPU, method, batch ...): only `value` was measured, the rest says for
    what. Architectures are those of the models' public configurations.

    Parameters
    ----------
    table : "training" or "literature"
        The runs that the fits read, or well-known runs of which something had to be assumed (see
        `note`).

    Returns
    -------
    DataFrame
        `metric`, `value`, `unit` and the co-ordinates of `MEASURED`: `family` is who measured,
        `job` is pretrain or tune. An empty cell was not published.

    Raises
    ------
    CatalogError
        For another table.

    Examples
    --------
    >>> sorted(measured_training()["metric"].unique())
    ['gpu_hours', 'peak_memory_gb', 'tokens_per_s_per_gpu', 'wall_hours']
    """
    rows = pd.DataFrame(measured(table, MEASURED))
    rows[NUMBERS] = rows[NUMBERS].replace("", None).apply(pd.to_numeric)
    return rows.assign(packed=rows["packed"] == "true")


def arguments(table: pd.DataFrame) -> dict[str, Any]:
    """The arguments of `predict_training` for rows of `measured_training`."""
    redo = table["checkpointing"].map({"none": "False", "selective": "selective"}).fillna("True")
    given = table.assign(
        tokens=table["tokens"].fillna(1.0),
        gpus=table["gpus"].fillna(1.0),
        savers=table["savers"].replace("", "None"),
        seq_len=table["seq_len"].fillna(TOKENS_IN_FLIGHT),
        checkpointing=redo,
    )
    return {name: given[name].to_numpy() for name in ARGUMENTS}
