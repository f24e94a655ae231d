"""Fit the curves of quality to data/measured/quality.csv; write data/calibration/readers.csv, graphs.csv and quality.csv.

The fit itself is costmodel/quality_fit.py. Run: python benchmarks/fit_quality.py
"""

from __future__ import annotations

import csv
import sys

from costmodel.core.glossary import GLOSSARY
from costmodel.facts import catalog
from costmodel.validation.quality import GRAPHS, calibration

AS_OF, SOURCE = "2026-11-24", "quality-fit"


FILES = {"readers": ("frontier", "strong", "small"), "graphs": GRAPHS}


def main() -> None:
    fitted = list(calibration())
    for file, ids in (*FILES.items(), ("quality", None)):
        mine = [
            r
            for r in fitted
            if (r[0] in ids if ids else all(r[0] not in others for others in FILES.values()))
        ]
        write(file, [row(*r) for r in mine])


def row(id: str, field: str, value: float, low: float, high: float, note: str) -> list[str]:
    numbers = [f"{x:.4g}" for x in (value, low, high)]
    ends = numbers[1:] if len(set(numbers)) > 1 else ["", ""]
    return [id, field, numbers[0], *ends, GLOSSARY[field].unit, AS_OF, SOURCE, note]


def write(file: str, rows: list[list[str]]) -> None:
    """Replace the fitted rows of a file; rows from other sources stay."""
    path = catalog.data_folder() / "calibration" / f"{file}.csv"
    kept: list[list[str]] = []
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as old:
            kept = [list(r.values()) for r in csv.DictReader(old) if r["source"] != SOURCE]
    with path.open("w", encoding="utf-8", newline="") as new:
        out = csv.writer(new, lineterminator="\n")
        out.writerow(catalog.COLUMNS)
        out.writerows(sorted([*kept, *rows], key=lambda r: r[0]))


if __name__ == "__main__":
    sys.exit(main())
