"""The model beside published measurements: what is, not what is hoped. Run it with `make fidelity`.

Every prediction of a family comes from a fit that has not seen that family, its band from the other families
(`costmodel.fidelity`); the notebook 09_how_wrong_are_we shows the same numbers.
"""

from __future__ import annotations

import sys

import pandas as pd

import costmodel as cm

COLUMNS = {"runs": "runs", "error": "median error", "coverage": "in 80 % band", "bias": "bias", "error_fitted": "seen by fit", "error_plain": "6ND at 40 %"}


def training() -> None:
    """Speed of pre-training and tuning, peak memory, and other public estimators on the same runs."""
    table = cm.fidelity()
    print("TRAINING: predicted over measured; families left out of the fit; in a group every family weighs the same")
    for part in ("pre-training", "fine-tuning"):
        show(cm.error_by(table[table["part"] == part]), f"{part}, by family")
        show(cm.error_by(table[table["part"] == part], "method"), f"{part}, by method")
        rows = table[table["part"] == part]
        print(f"row by row, so that large tables dominate: {rows['inside'].mean():.0%} of {len(rows)} inside the band, median error "
              f"{(rows['ratio'] - 1).abs().median():.0%}")  # fmt: skip
    show(cm.error_by(table[table["part"] == "memory"]), "peak memory of one GPU")
    for by, what in (("gpu", "GPU"), ("method", "method")):
        unseen = cm.fidelity(without=by)
        for part in ("pre-training", "fine-tuning"):
            show(cm.error_by(unseen[unseen["part"] == part], by), f"{part}, each {what} left out of the fit")
    print("\nDense, fully trained runs, beside other estimators")
    print(cm.beside_peers(table).to_string(formatters={"error": share, "bias": signed}, na_rep="-"))


def show(table: pd.DataFrame, title: str) -> None:
    """Print errors by group."""
    print(f"\n{title}")
    words = table[list(COLUMNS)].rename(columns=COLUMNS)
    print(words.to_string(formatters={name: signed if name == "bias" else share for name in words.columns[1:]}, index_names=False, na_rep="-"))


def share(x: float) -> str:
    return "-" if pd.isna(x) else f"{x:.0%}"


def signed(x: float) -> str:
    return "-" if pd.isna(x) else f"{x:+.0%}"


def serving() -> None:
    """Serving: fitted again without each (model, GPU, engine), about a minute."""
    import fidelity_serving

    fidelity_serving.main()


PARTS = {"training": training, "serving": serving}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
