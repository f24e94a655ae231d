"""Fit the laws of training to data/measured/training.csv and write data/calibration/training.csv.

The fit itself is costmodel/training_fit.py. The bands are the errors of families that the fit has not seen.
Run: python benchmarks/fit_training.py
"""

from __future__ import annotations

import csv
import sys
from dataclasses import asdict
from typing import Any

import numpy as np

from costmodel.core.glossary import GLOSSARY
from costmodel.facts import catalog
from costmodel.laws.training import calibration as training_measured
from costmodel.laws.training import run as training_runs
from costmodel.validation.training_fit import (
    INSIDE,
    arrays,
    bands,
    left_out,
    log_memory,
    log_speed,
    memory_fit,
    quantile,
    speed_fit,
    split,
    weights,
)

AS_OF = "2026-11-25"


def main() -> None:
    speed, memory = split(training_measured.measured_training())
    run, run_memory = arrays(speed), arrays(memory)
    every, every_memory = np.ones(len(speed), bool), np.ones(len(memory), bool)
    law, law_memory = speed_fit(run, speed, every), memory_fit(run_memory, memory, every_memory)
    error, refits = left_out(speed_fit, log_speed, run, speed, "family")
    error_memory, refits_memory = left_out(memory_fit, log_memory, run_memory, memory, "family")
    widths = bands(error, training_runs.class_of(run), speed)
    widths |= bands(error_memory, np.full(len(memory), "memory"), memory)
    guess = np.abs(log_speed(arrays(speed, known=False), law, speed) - log_speed(run, law, speed))
    widths["unknown_architecture"] = quantile(guess, weights(speed), INSIDE)
    guess = np.abs(
        log_memory(arrays(memory, known=False), law_memory, memory)
        - log_memory(run_memory, law_memory, memory)
    )
    widths["unknown_architecture_memory"] = quantile(guess, weights(memory), INSIDE)
    by_gpu, _ = left_out(speed_fit, log_speed, run, speed, "gpu")
    fitted = np.abs(log_speed(run, law, speed))
    wider = (
        quantile(np.abs(by_gpu), weights(speed), INSIDE) ** 2
        - quantile(fitted, weights(speed), INSIDE) ** 2
    )
    widths["unseen_gpu"] = float(np.sqrt(max(wider, 0.1**2)))
    write(law, refits, "speed")
    write(law_memory, refits_memory, "memory", more=widths)


def write(law: Any, refits: list, name: str, more: dict[str, float] | None = None) -> None:
    """Replace the rows of one law (and the bands) in the file of calibrated numbers."""
    path = catalog.data_folder() / "calibration" / "training.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            r
            for r in csv.DictReader(file)
            if r["id"] != name and not (more and r["id"].startswith("band_"))
        ]
    note = "fitted by benchmarks/fit_training.py to measured/training.csv; low and high: the fits that leave one family out"
    for field, value in asdict(law).items():
        others = [getattr(r, field) for r in refits] + [value]
        rows.append(
            dict(
                id=name,
                field=field,
                value=f"{value:.4g}",
                low=f"{min(*others, float(f'{value:.4g}')):.6g}",
                high=f"{max(*others, float(f'{value:.4g}')):.6g}",
                unit=GLOSSARY[field].unit,
                as_of=AS_OF,
                source="derived",
                note=note,
            )
        )
    note = "80 % of the runs of families left out lie within; an unknown input widens as squares of logarithms"
    for field, width in (more or {}).items():
        rows.append(
            dict(
                id=f"band_{field}",
                field="error_factor",
                value=f"{np.exp(width):.4g}",
                low="",
                high="",
                unit="x",
                as_of=AS_OF,
                source="derived",
                note=note,
            )
        )
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, catalog.COLUMNS, lineterminator="\n")
        out.writeheader()
        out.writerows(rows)


if __name__ == "__main__":
    sys.exit(main())
