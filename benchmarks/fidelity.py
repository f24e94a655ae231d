"""The model beside published measurements: what is, not what is hoped. Run it with `make fidelity`.

Every prediction of a family comes from a fit that has not seen that family, its band from the other
families (`costmodel.validation`, from the tables that benchmarks/fit_*.py write); notebook 09 shows
the same numbers.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

import costmodel as cm

COLUMNS = {
    "runs": "runs",
    "error": "median error",
    "coverage": "in 80 % band",
    "bias": "bias",
    "error_fitted": "seen by fit",
    "error_plain": "6ND at 40 %",
}


def training() -> None:
    """Speed of pre-training and tuning, peak memory, and other estimators on the same runs."""
    table = cm.validation.fidelity()
    print(
        "TRAINING: predicted over measured; families left out of the fit; "
        "in a group every family weighs the same"
    )
    for part in ("pre-training", "fine-tuning"):
        show(cm.validation.error_by(table[table["part"] == part]), f"{part}, by family")
        show(cm.validation.error_by(table[table["part"] == part], "method"), f"{part}, by method")
        rows = table[table["part"] == part]
        print(
            f"row by row, so that large tables dominate: {rows['inside'].mean():.0%} of "
            f"{len(rows)} inside the band, median error {(rows['ratio'] - 1).abs().median():.0%}"
        )
    show(cm.validation.error_by(table[table["part"] == "memory"]), "peak memory of one GPU")
    for by, what in (("gpu", "GPU"), ("method", "method")):
        unseen = cm.validation.fidelity(without=by)
        for part in ("pre-training", "fine-tuning"):
            show(
                cm.validation.error_by(unseen[unseen["part"] == part], by),
                f"{part}, each {what} left out of the fit",
            )
    print("\nDense, fully trained runs, beside other estimators")
    print(
        cm.validation.beside_peers(table).to_string(
            formatters={"error": share, "bias": signed}, na_rep="-"
        )
    )


def show(table: pd.DataFrame, title: str) -> None:
    """Print errors by group."""
    print(f"\n{title}")
    words = table[list(COLUMNS)].rename(columns=COLUMNS)
    print(
        words.to_string(
            formatters={name: signed if name == "bias" else share for name in words.columns[1:]},
            index_names=False,
            na_rep="-",
        )
    )


def share(x: float) -> str:
    return "-" if pd.isna(x) else f"{x:.0%}"


def signed(x: float) -> str:
    return "-" if pd.isna(x) else f"{x:+.0%}"


def serving() -> None:
    """Serving: each measurement by a fit without its model, GPU and engine."""
    import fidelity_serving

    fidelity_serving.main()


def distance() -> None:
    """Error and coverage by how far a measurement is from the fit."""
    table = cm.validation.by_distance()
    print("\nBY DISTANCE FROM THE FIT: what the fit behind a prediction has not seen")
    shown = {"error": share, "bias": signed, "coverage": share}
    print(table.to_string(index=False, formatters=shown))


def quality() -> None:
    """Quality: each benchmark by curves fitted without it; graph indexes beside their laws."""
    print(
        "\nQUALITY: predicted by curves that have not seen the benchmark; "
        "error is the mean distance in points of accuracy"
    )
    shown = {"error": share, "bias": signed, "coverage": share}
    print(cm.validation.quality_fidelity().to_string(formatters=shown))
    table = cm.validation.quality_fidelity(by=None)
    for curve, rows in table.groupby("curve", sort=False):
        off = (rows["mid"] - rows["reported"]).abs()
        print(
            f"{curve}: {len(rows)} rows, error {off.mean():.0%}, median {off.median():.0%}, "
            f"in 80 % band {rows['inside'].mean():.0%}"
        )
    print(
        "\nGRAPH INDEXES: tokens per token of text, and prompt tokens of a query, "
        "beside the law of each kind (90 %; set with these rows in view)"
    )
    print(
        "and, where another source reports the same, "
        "beside what the other sources say (least, mean, most): that is the check"
    )
    tokens = cm.validation.index_fidelity()
    print(
        tokens.drop(columns="source").to_string(
            index=False, float_format=lambda x: f"{x:,.1f}", na_rep="-"
        )
    )
    known = tokens[tokens["inside"].notna()]
    factor = np.exp(np.abs(np.log(known["others"] / known["reported"])))
    print(
        f"full index, each source from the others: {factor.median():.1f}x off in the median, "
        f"{factor.max():.1f}x at worst, {known['inside'].sum()} of {len(known)} within the others"
    )


PARTS = {"training": training, "serving": serving, "distance": distance, "quality": quality}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
