"""The laws of training fitted to measured runs, all of them or all but one family: what a band rests on.

Robust least squares on the logarithm of predicted over measured; every family of measurements weighs the same, and a
start value from physics or experience holds what the data cannot tell (`SPEED`, `MEMORY`: value, and how far it may
move). The fit to every run is data/calibration/training.csv, written by benchmarks/fit_training.py; a fit that leaves
a family out says how wrong we are about runs that nobody has shown to us.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd

from costmodel.core.units import GB, SECONDS_PER_HOUR
from costmodel.laws.training.calibration import arguments
from costmodel.laws.training.inputs import prepare
from costmodel.laws.training.memory import MemoryLaw, peak_memory
from costmodel.laws.training.run import Run
from costmodel.laws.training.speed import SpeedLaw, seconds_per_token

INSIDE = 0.8  # share of runs that a band holds
ENOUGH = 8  # families that tell a quantile from the worst row
EFFECTIVE = (
    40.0  # independent observations that all rows are worth: rows of a family repeat each other
)
SPEED_ERROR, SPEED_OUTLIER = (
    0.25,
    0.3,
)  # log error of one observation; from where an error counts linearly
MEMORY_ERROR, MEMORY_OUTLIER = 0.12, 0.15


# start value, and how far (log) the fit may take it
SPEED: dict[str, tuple[float, float]] = {
    "efficiency": (0.65, 0.3),
    "balance_power": (0.5, 0.3),
    "half_width": (400.0, 0.7),
    "attention_efficiency": (0.2, 0.5),
    "tuned": (1.3, 0.3),
    "naive": (0.7, 0.2),
    "offload": (0.2, 0.5),
    "launch_s": (1.5e-3, 0.5),
    "dequantisation_bytes": (8.0, 0.5),
    "doubling_loss": (0.012, 0.5),
    "sparsity_power": (0.25, 0.3),
    "exchange": (64.0, 0.5),
    "in_flight": (0.3, 0.5),
    "packing": (0.33, 0.3),
    "whole_run": (0.9, 0.1),
}
MEMORY: dict[str, tuple[float, float]] = {
    "states": (16.0, 0.02),
    "states_pure_bf16": (8.0, 0.08),
    "quantised_weight": (0.6, 0.25),
    "adapter_states": (16 * 18.0, 0.3),
    "activation": (34.0, 0.3),
    "activation_adapter": (26.0, 0.3),
    "activation_quantised": (20.0, 0.4),
    "activation_selective": (24.0, 0.4),
    "activation_checkpointed": (2.0, 0.3),
    "logits": (3.0, 0.7),
    "logits_naive": (10.0, 0.3),
    "framework": (1e9, 0.5),
    "fragmentation": (1.05, 0.05),
}
BOUNDED = {
    "efficiency",
    "attention_efficiency",
    "in_flight",
    "whole_run",
    "packing",
}  # shares stay below 1


def arrays(table: pd.DataFrame, known: bool = True) -> Run:
    """The rows of `measured_training` as the arrays that the laws read; not `known`: the architecture is guessed."""
    given = arguments(table)
    if not known:
        given |= {"layers": None, "hidden": None, "vocab": None}
    return prepare(given).run


def pick(run: Run, rows: np.ndarray) -> Run:
    """Some of the runs."""
    return replace(run, **{f.name: getattr(run, f.name)[rows] for f in fields(run)})


def whole(table: pd.DataFrame) -> np.ndarray:
    """Rows that measure a whole run rather than the speed of a step."""
    return table["metric"].isin(["gpu_hours", "wall_hours"]).to_numpy()


def measured_speed(table: pd.DataFrame) -> np.ndarray:
    """Tokens per second and GPU, of whatever was measured."""
    gpus = np.where(table["metric"] == "gpu_hours", 1.0, table["gpus"])
    hours = table["tokens"] / (table["value"] * gpus) / SECONDS_PER_HOUR
    return np.where(whole(table), hours, table["value"]).astype(float)


def log_speed(run: Run, law: SpeedLaw, table: pd.DataFrame) -> np.ndarray:
    """Log of predicted over measured speed."""
    rate = np.where(whole(table), law.whole_run, 1.0) / seconds_per_token(run, law)
    return np.log(rate / measured_speed(table))


def log_memory(run: Run, law: MemoryLaw, table: pd.DataFrame) -> np.ndarray:
    """Log of predicted over measured peak memory."""
    return np.log(peak_memory(run, run.gpus, law) / GB / table["value"].to_numpy(float))


def weights(table: pd.DataFrame) -> np.ndarray:
    """Every family of every job weighs the same, however many rows it has."""
    return (1 / table.groupby(["family", "job"])["value"].transform("size")).to_numpy()


def fit(
    errors: Callable[[Any, pd.DataFrame], np.ndarray],
    law: type,
    start: dict,
    table: pd.DataFrame,
    size: float,
    outlier: float,
) -> Any:
    """The law with the least robust error, near its start values."""
    from scipy.optimize import least_squares

    names = list(start)
    value, width = (np.array([start[n][i] for n in names]) for i in (0, 1))
    w = weights(table)
    w = np.sqrt(w * EFFECTIVE / w.sum())

    def built(x: np.ndarray) -> Any:
        moved = value * np.exp(x)
        return law(
            **{n: min(v, 0.95) if n in BOUNDED else v for n, v in zip(names, moved, strict=True)}
        )

    def residuals(x: np.ndarray) -> np.ndarray:
        error = errors(built(x), table)
        soft = np.sign(error) * outlier * np.sqrt(2 * (np.sqrt(1 + (error / outlier) ** 2) - 1))
        return np.concatenate([soft * w / size, x / width])

    return built(least_squares(residuals, np.zeros(len(names)), diff_step=1e-4).x)


def speed_fit(run: Run, table: pd.DataFrame, rows: np.ndarray) -> SpeedLaw:
    """The speed law of these rows alone."""
    part = pick(run, rows)
    return fit(
        lambda law, t: log_speed(part, law, t),
        SpeedLaw,
        SPEED,
        table[rows],
        SPEED_ERROR,
        SPEED_OUTLIER,
    )


def memory_fit(run: Run, table: pd.DataFrame, rows: np.ndarray) -> MemoryLaw:
    """The memory law of these rows alone."""
    part = pick(run, rows)
    return fit(
        lambda law, t: log_memory(part, law, t),
        MemoryLaw,
        MEMORY,
        table[rows],
        MEMORY_ERROR,
        MEMORY_OUTLIER,
    )


def left_out(
    fitted: Callable, errors: Callable, run: Run, table: pd.DataFrame, by: str
) -> tuple[np.ndarray, list]:
    """(log error of every row by the fit that has not seen its group, the laws of those fits)."""
    found, refits = np.empty(len(table)), []
    for group in table[by].unique():
        out = (table[by] == group).to_numpy()
        refits.append(fitted(run, table, ~out))
        found[out] = errors(pick(run, out), refits[-1], table[out])
    return found, refits


def quantile(values: np.ndarray, weight: np.ndarray, share: float) -> float:
    """Weighted quantile: the least value with that share of the weight at or below it."""
    order = np.argsort(values)
    total = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(total, share * total[-1] * (1 - 1e-12))])


def split(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(rows of speed, rows of memory)."""
    memory = table["metric"] == "peak_memory_gb"
    return table[~memory].reset_index(drop=True), table[memory].reset_index(drop=True)


def bands(error: np.ndarray, kinds: np.ndarray, table: pd.DataFrame) -> dict[str, float]:
    """Half-width (log) that holds 80 % of the runs of each class, for a family that is not among them.

    With n families the quantile is taken at 0.8 (1 + 1/n), the usual allowance for the family to come; with fewer than
    `ENOUGH` families that would be the single worst row, so the plain quantile stands.
    """
    weight, found = weights(table), {}
    for kind in sorted(set(kinds)):
        rows = kinds == kind
        families = table["family"][rows].nunique()
        share = INSIDE * (1 + 1 / families) if families >= ENOUGH else INSIDE
        found[kind] = quantile(np.abs(error[rows]), weight[rows], share)
    return found


def widths(
    error: np.ndarray, kinds: np.ndarray, table: pd.DataFrame, by: str = "family"
) -> np.ndarray:
    """Half-width (log) of the band of each row from the errors of the other groups; NaN where no other has its class."""
    found = np.empty(len(table))
    for group in table[by].unique():
        rows = (table[by] == group).to_numpy()
        others = bands(error[~rows], kinds[~rows], table[~rows])
        found[rows] = [others.get(kind, np.nan) for kind in kinds[rows]]
    return found
