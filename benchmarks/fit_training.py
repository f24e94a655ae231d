"""Fit the laws of training to measured runs, and predict each run by fits that have not seen it.

    python benchmarks/fit_training.py     writes data/calibration/training.csv
                                          and data/measured/training_held_out.csv

Robust least squares on the logarithm of predicted over measured; every family of measurements
weighs the same, and a start value from physics or experience holds what the data cannot tell. A fit
that leaves a family, a GPU or a method out says how wrong we are about runs that nobody has shown
to us; bands are the errors of families left out.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import least_squares
from serving_bands import for_the_next

from costmodel.core.glossary import GLOSSARY
from costmodel.core.units import GB
from costmodel.facts import catalog
from costmodel.facts.rows import COLUMNS
from costmodel.laws.serving.calibration import take
from costmodel.laws.training.calibration import arguments, measured_training
from costmodel.laws.training.inputs import prepare
from costmodel.laws.training.memory import MemoryLaw, peak_memory
from costmodel.laws.training.run import Run, class_of
from costmodel.laws.training.speed import SpeedLaw, seconds_per_token
from costmodel.validation.training import WITHOUT, method_of, quantile, reported, whole_run

AS_OF = "2026-11-30"
INSIDE = 0.8  # share of runs that a band holds
FEW = 2  # families that tell no variance between them
PRIOR_FAMILIES = 2.0  # what the variance of all classes counts beside that of one
EFFECTIVE = (
    40.0  # independent observations that all rows are worth: rows of a family repeat each other
)
BELOW_ONE = {"efficiency", "attention_efficiency", "in_flight", "whole_run"}  # shares
MOST = 0.95  # of a share


@dataclass(frozen=True)
class Subject:
    """A law to fit: its numbers, where they start, and the error of a run."""

    name: str  # its rows in data/calibration/training.csv
    law: type
    start: dict[str, tuple[float, float]]  # value, and how far (log) the fit may take it
    error: float  # log error of one observation
    outlier: float  # log error from where an error counts linearly
    log_ratio: Callable[[Run, Any, pd.DataFrame], np.ndarray]  # predicted over measured


def log_speed(run: Run, law: SpeedLaw, table: pd.DataFrame) -> np.ndarray:
    """Log of predicted over measured speed."""
    rate = np.where(whole_run(table), law.whole_run, 1.0) / seconds_per_token(run, law)
    return np.log(rate / reported(table).to_numpy())


def log_memory(run: Run, law: MemoryLaw, table: pd.DataFrame) -> np.ndarray:
    """Log of predicted over measured peak memory."""
    return np.log(peak_memory(run, run.gpus, law) / GB / reported(table).to_numpy())


SPEED = Subject(
    "speed",
    SpeedLaw,
    {
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
        "padding": (0.4, 0.3),
        "whole_run": (0.9, 0.1),
    },
    error=0.25,
    outlier=0.3,
    log_ratio=log_speed,
)
MEMORY = Subject(
    "memory",
    MemoryLaw,
    {
        "states": (16.0, 0.02),
        "states_pure_bf16": (8.0, 0.08),
        "quantised_weight": (0.516, 0.03),  # NF4, scales in 8 bits: arXiv:2305.14314, section 3
        "adapter_states": (16 * 18.0, 0.3),
        "activation": (34.0, 0.3),
        "activation_adapter": (34.0, 0.3),  # adapted layers keep their inputs
        "activation_quantised": (20.0, 0.4),
        "activation_selective": (24.0, 0.4),
        "activation_checkpointed": (2.0, 0.3),
        "logits": (2.0, 0.3),  # kept in bf16
        "logits_naive": (10.0, 0.3),
        "framework": (6e8, 0.3),  # most peaks are of the allocator, without the CUDA context
        "fragmentation": (1.05, 0.05),
    },
    error=0.12,
    outlier=0.15,
    log_ratio=log_memory,
)


# -- the fit ---------------------------------------------------------------------------------------


def rows_of(subject: Subject) -> pd.DataFrame:
    """The measured runs that the law is fitted to."""
    table = measured_training()
    memory = table["metric"] == "peak_memory_gb"
    return table[memory == (subject is MEMORY)].reset_index(drop=True)


def arrays(table: pd.DataFrame, known: bool = True) -> Run:
    """The measured runs as the laws read them; not `known`: the architecture is guessed."""
    given = arguments(table)
    if not known:
        given |= {"layers": None, "hidden": None, "vocab": None}
    return prepare(given).run


def weights(table: pd.DataFrame) -> np.ndarray:
    """Every family of every job weighs the same, however many rows it has."""
    return (1 / table.groupby(["family", "job"])["value"].transform("size")).to_numpy()


def fit(subject: Subject, table: pd.DataFrame) -> Any:
    """The law of these rows alone: the least robust error near the start values."""
    names, run = list(subject.start), arrays(table)
    value, width = (np.array([subject.start[n][i] for n in names]) for i in (0, 1))
    w = weights(table)
    w = np.sqrt(w * EFFECTIVE / w.sum())

    def law_at(x: np.ndarray) -> Any:
        moved = dict(zip(names, value * np.exp(x), strict=True))
        return subject.law(
            **{name: min(v, MOST) if name in BELOW_ONE else v for name, v in moved.items()}
        )

    def residuals(x: np.ndarray) -> np.ndarray:
        error, bend = subject.log_ratio(run, law_at(x), table), subject.outlier
        soft = np.sign(error) * bend * np.sqrt(2 * (np.sqrt(1 + (error / bend) ** 2) - 1))
        return np.concatenate([soft * w / subject.error, x / width])

    return law_at(least_squares(residuals, np.zeros(len(names)), diff_step=1e-4).x)


def left_out(subject: Subject, table: pd.DataFrame, groups: pd.Series) -> tuple[np.ndarray, list]:
    """(log error of every row by the fit that has not seen its group, those fits)."""
    run, error, laws = arrays(table), np.empty(len(table)), []
    for group in groups.unique():
        out = (groups == group).to_numpy()
        laws.append(fit(subject, table[~out]))
        error[out] = subject.log_ratio(take(run, out), laws[-1], table[out])
    return error, laws


# -- the bands -------------------------------------------------------------------------------------


def bands(error: np.ndarray, kinds: np.ndarray, table: pd.DataFrame) -> dict[str, float]:
    """Half-width (log) that holds 80 % of the runs of each class, for a family not among them.

    Memory is a law of its own and tells nothing of the classes of speed, nor they of it.
    """
    of_law = [part for part in (kinds == "memory", kinds != "memory") if part.any()]
    each = [bands_of_law(error[part], kinds[part], table[part]) for part in of_law]
    return {kind: width for found in each for kind, width in found.items()}


def bands_of_law(error: np.ndarray, kinds: np.ndarray, table: pd.DataFrame) -> dict[str, float]:
    """The same of classes that learn from each other.

    A random effect of families: the mean square error of a class, every family alike, is drawn to
    that of all classes as far as it has few families (an empirical Bayes variance; Gelman and Hill
    2007, chapter 12), and never below its own. Student's t widens it where fewer families are known
    than of the largest class; one factor for all turns it into a width.
    """
    rows = table.assign(kind=kinds, error=error, square=np.minimum(np.abs(error), 1.0) ** 2)
    each = rows.groupby(["kind", "family", "job"])["square"].mean().groupby("kind")
    own, count = each.mean(), each.size()
    many = count > min(FEW, count.max() - 1)
    pooled = np.average(own[many], weights=count[many])
    drawn = (count * own + PRIOR_FAMILIES * pooled) / (count + PRIOR_FAMILIES)
    scale = np.sqrt(np.maximum(drawn, own))
    size = rows.groupby(["kind", "family", "job"])["value"].transform("size")
    weight = 1 / size.to_numpy(float)
    z = quantile(np.abs(error) / rows["kind"].map(scale).to_numpy(), weight, INSIDE)
    known, most = count + PRIOR_FAMILIES, for_the_next(count.max() + PRIOR_FAMILIES)
    scale = scale * known.map(for_the_next) / most
    return {str(kind): float(z * scale[kind]) for kind in own.index}


def widths(error: np.ndarray, kinds: np.ndarray, table: pd.DataFrame, by: pd.Series) -> np.ndarray:
    """Half-width (log) of the band of each row, from the other groups of its class; NaN without."""
    found = np.empty(len(table))
    for group in by.unique():
        rows = (by == group).to_numpy()
        others = bands(error[~rows], kinds[~rows], table[~rows])
        found[rows] = [others.get(kind, np.nan) for kind in kinds[rows]]
    return found


def kinds_of(subject: Subject, table: pd.DataFrame) -> np.ndarray:
    """The class of each row: those of one class share the width of their band."""
    return class_of(arrays(table)) if subject is SPEED else np.full(len(table), "memory")


# -- what is written -------------------------------------------------------------------------------


def held_out(without: str) -> pd.DataFrame:
    """Rows of training_held_out.csv: each run by a fit without its family, model, GPU or method.

    The band comes from the errors of the other families, models or GPUs; no other method has the
    same class, so a method's band is that of the other families.
    """
    errors, names, tables = [], [], []
    for subject in (SPEED, MEMORY):
        table = rows_of(subject)
        groups = method_of(table) if without == "method" else group_of(table, without)
        errors.append(left_out(subject, table, groups)[0])
        names.append(kinds_of(subject, table))
        tables.append(table)
    table, error = pd.concat(tables, ignore_index=True), np.concatenate(errors)
    by = group_of(table, "family" if without == "method" else without)
    width = widths(error, np.concatenate(names), table, by)
    mid = reported(table) * np.exp(error)
    ends = {"low": mid * np.exp(-width), "mid": mid, "high": mid * np.exp(width)}
    return table[["id"]].assign(without=without, **ends, source="derived")


def group_of(table: pd.DataFrame, by: str) -> pd.Series:
    """A column of the runs; of models the line that they belong to, such as llama or qwen."""
    return table["model"].str.split("[-_ ]").str[0] if by == "model" else table[by]


def fit_all() -> list[dict[str, str]]:
    """The fitted rows of data/calibration/training.csv: both laws, and the bands."""
    rows, more, errors, names, tables = [], {}, [], [], []
    for subject, suffix in ((SPEED, ""), (MEMORY, "_memory")):
        table = rows_of(subject)
        law = fit(subject, table)
        error, laws = left_out(subject, table, table["family"])
        rows += law_rows(subject.name, law, laws)
        errors.append(error)
        names.append(kinds_of(subject, table))
        tables.append(table)
        known, guessed = (subject.log_ratio(arrays(table, x), law, table) for x in (True, False))
        guess = quantile(np.abs(guessed - known), weights(table), INSIDE)
        more[f"unknown_architecture{suffix}"] = guess
    widths = bands(np.concatenate(errors), np.concatenate(names), pd.concat(tables))
    more["unseen_gpu"] = unseen_gpu()
    return rows + [band_row(name, width) for name, width in (widths | more).items()]


def unseen_gpu() -> float:
    """Half-width (log) that a GPU adds which no fit has seen: one more than the few measured."""
    table = rows_of(SPEED)
    fitted = log_speed(arrays(table), fit(SPEED, table), table)
    unseen, _ = left_out(SPEED, table, table["gpu"])
    unseen, seen = (quantile(np.abs(e), weights(table), INSIDE) for e in (unseen, fitted))
    return for_the_next(table["gpu"].nunique()) * float(np.sqrt(max(unseen**2 - seen**2, 0.1**2)))


def law_rows(name: str, law: Any, laws: list) -> list[dict[str, str]]:
    """A law as facts: each number, and the ends of the fits that leave one family out."""
    note = (
        "fitted by benchmarks/fit_training.py to measured/training.csv; "
        "low and high: the fits that leave one family out"
    )
    rows = []
    for field, value in asdict(law).items():
        every = [*(getattr(other, field) for other in laws), value, float(f"{value:.4g}")]
        rows.append(fact_row(name, field, value, f"{min(every):.6g}", f"{max(every):.6g}", note))
    return rows


def band_row(name: str, width: float) -> dict[str, str]:
    note = (
        "80 % of the runs of families left out lie within; "
        "an unknown input widens as squares of logarithms"
    )
    return fact_row(f"band_{name}", "error_factor", float(np.exp(width)), "", "", note)


def fact_row(id: str, field: str, value: float, low: str, high: str, note: str) -> dict[str, str]:
    unit = GLOSSARY[field].unit
    row = (id, field, f"{value:.4g}", low, high, unit, AS_OF, "derived", note)
    return dict(zip(COLUMNS, row, strict=True))


def main() -> None:
    path = catalog.data_folder() / "calibration" / "training.csv"
    with path.open(encoding="utf-8", newline="") as file:
        old = list(csv.DictReader(file))
    fitted = ("speed", "memory")
    kept = [r for r in old if r["id"] not in fitted and not r["id"].startswith("band_")]
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        out.writeheader()
        out.writerows([*kept, *fit_all()])
    table = pd.concat([held_out(without) for without in WITHOUT])
    path = catalog.data_folder() / "measured" / "training_held_out.csv"
    table.to_csv(path, index=False, lineterminator="\n")


if __name__ == "__main__":
    sys.exit(main())
