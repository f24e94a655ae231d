"""Fit the curves of quality, and predict each benchmark by fits that have not seen it.

    python benchmarks/fit_quality.py     writes data/calibration/{readers,graphs,quality}.csv
                                         and data/measured/quality_held_out.csv

The rows and the fits themselves are quality_curves.py.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from quality_curves import (
    CURVES,
    GRAPHS,
    context_rows,
    fit_context,
    fit_entities,
    fit_gains,
    fit_position,
    fit_recall,
    gain_rows,
    logit,
    measured,
    position_rows,
    recall_rows,
)

from costmodel.core.glossary import GLOSSARY
from costmodel.facts import catalog
from costmodel.facts.rows import COLUMNS
from costmodel.laws.quality import shift

AS_OF, SOURCE = "2026-11-24", "quality-fit"
INSIDE = 0.8  # share of rows that a band holds
READERS = ("frontier", "strong", "small")
FILES = {"readers": READERS, "graphs": GRAPHS}
Fitted = tuple[str, str, float, float, float, str]  # id, field, value, low, high, note


# -- how far off -----------------------------------------------------------------------------------


def left_out(curve: str) -> dict[str, pd.DataFrame]:
    """{benchmark: its rows with `mid` from a fit that has not seen it}."""
    rows_of, by, fit, predict = CURVES[curve]
    rows: Any = rows_of()
    groups = {name: rows[by] == name for name in rows[by].unique()}
    made = {name: predict(rows[own], fit(rows[~own])) for name, own in groups.items()}
    return {name: rows.dropna(subset="mid") for name, rows in made.items()}


def off(rows: pd.DataFrame) -> pd.Series:
    """Distance of predicted and measured log-odds."""
    return (logit(rows["mid"]) - logit(rows["value"])).abs()


def held_out(curve: str) -> pd.DataFrame:
    """Rows of quality_held_out.csv: the band of a benchmark comes from the errors of the others."""
    parts, made = [], left_out(curve)
    for name, rows in made.items():
        width = error_of_most([off(other) for key, other in made.items() if key != name])
        low, high = (shift(rows["mid"], side * width) for side in (-1, 1))
        names = rows[["id"]].assign(curve=curve, benchmark=name)
        parts.append(names.assign(low=low, mid=rows["mid"], high=high, source=SOURCE))
    return pd.concat(parts, ignore_index=True)


def error_of_most(errors: list[pd.Series]) -> float:
    """The error of the log-odds that 80 % of rows keep below; benchmarks weigh the same."""
    weights = np.concatenate([np.full(len(e), 1 / len(e)) for e in errors])
    every = np.concatenate(errors)
    return float(np.quantile(every, INSIDE, weights=weights, method="inverted_cdf"))


# -- what was fitted -------------------------------------------------------------------------------


def calibration() -> list[Fitted]:
    """Every fitted number: rows of readers.csv, graphs.csv and quality.csv."""
    return [*context(), *retrieval(), *reading(), *questions(), *entities(), *gains()]


def context() -> Iterator[Fitted]:
    note = "fall of the log-odds at 131,072 tokens; median model, 90 % of the models"
    for reader, law in fit_context(context_rows()).iterrows():
        id = str(reader)
        yield id, "context_decay", law["decay"], law["low"], law["high"], note
        for field, name, said in (
            ("context_power", "power", "how the fall grows with the tokens"),
            ("context_tokens_max", "longest", "longest context that was measured"),
        ):
            yield id, field, law[name], law[name], law[name], said


def retrieval() -> Iterator[Fitted]:
    slope, slopes = fit_recall(recall_rows())
    note = "log-odds of recall for each e-fold of k; three data sets"
    yield "retrieval", "recall_slope", slope, min(slopes), max(slopes), note
    q = measured()
    low, mid, high = np.sort(q[(q["metric"] == "recall") & (q["chunks"] == 1)]["value"])
    note = "FinanceBench, DocsQA and Natural Questions, chunks of 512 tokens"
    yield "retrieval", "recall_at_one", mid, low, high, note


def reading() -> Iterator[Fitted]:
    ends = np.quantile(fit_position(position_rows()), [0.05, 0.5, 0.95], axis=0).T
    note = "models of 2023 with 10 to 30 documents"
    for name, (low, mid, high) in zip(("position_dip", "position_tilt"), ends, strict=True):
        yield "reader", name, mid, low, high, note


def questions() -> Iterator[Fitted]:
    q = measured().assign(odds=lambda t: logit(t["value"]))
    q = q[q["family"] == "graphrag-bench"]
    plain = q[q["method"].isin(["rag", "rag+rerank"]) & (q["metric"] == "accuracy")]
    odds = plain.pivot_table(index=["dataset", "method"], columns="question", values="odds")
    harder = odds["summary"] - odds["fact"]
    low, high = harder.min() - 0.1, harder.max() + 0.1
    note = "summaries over facts, vector retrieval, GraphRAG-Bench"
    yield "plain", "log_odds_summary", harder.mean(), low, high, note
    odds = q[q["metric"] == "recall"].pivot_table(index="question", columns="method", values="odds")
    gain = odds["rag+rerank"] - odds["rag"]
    note = "reranking on the recall of evidence, GraphRAG-Bench Novel"
    yield "rerank", "log_odds_recall", gain.mean(), gain.min(), gain.max(), note


def entities() -> Iterator[Fitted]:
    by_method, note = fit_entities(), "root of perfect retrieval of two hops"
    for name, methods in (("vector", ["rag"]), ("graph", ["full", "fast"])):
        found = np.concatenate([by_method[method] for method in methods])
        yield name, "per_entity", found.mean(), found.min() - 0.02, found.max() + 0.005, note


def gains() -> Iterator[Fitted]:
    rows = gain_rows()
    made = left_out("graph or vectors").values()
    width = float(np.mean([off(benchmark).quantile(0.9) for benchmark in made]))
    for (method, question), mean in fit_gains(rows).dropna().items():
        n = ((rows["method"] == method) & (rows["question"] == question)).sum()
        note = f"over plain retrieval, {n} results; band: 90 % of benchmarks not seen"
        id, field = method.replace(" ", "_").replace("+", "_"), f"log_odds_{question}"
        yield id, field, mean, mean - width, mean + width, note


# -- what is written -------------------------------------------------------------------------------


def row(id: str, field: str, value: float, low: float, high: float, note: str) -> list[str]:
    """A fact; without ends where they are the value."""
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
        out.writerow(COLUMNS)
        out.writerows(sorted([*kept, *rows], key=lambda r: r[0]))


def main() -> None:
    home = {id: file for file, ids in FILES.items() for id in ids}
    fitted = calibration()
    for file in (*FILES, "quality"):
        write(file, [row(*r) for r in fitted if home.get(r[0], "quality") == file])
    table = pd.concat([held_out(curve) for curve in CURVES])
    path = catalog.data_folder() / "measured" / "quality_held_out.csv"
    table.to_csv(path, index=False, lineterminator="\n")


if __name__ == "__main__":
    sys.exit(main())
