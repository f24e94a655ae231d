"""The curves of quality: the rows that each is fitted to, its fit, and what it says of other rows.

The rows are data/measured/quality.csv; fit_quality.py writes what is fitted, and how far off it is.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from costmodel.laws.quality import FULL_CONTEXT, position_shift, shift
from costmodel.validation.quality import FEW_QUESTIONS, measured_quality

QUESTIONS = ("fact", "multi_hop", "summary")
GRAPHS = ("full", "light", "lazy", "fast", "hipporag", "guided")
METHODS = (*GRAPHS, "full global", "rag+rerank", "rag+embedder")
POWERS = np.linspace(0.2, 1.0, 17)  # how the decay may grow with the context
FOUND_FROM = 8_000.0  # tokens of retrieved context: from there most answers come not from memory
SHRINK = 1.0  # benchmarks that the mean of all graph methods counts for

measured = cache(measured_quality)


def logit(p: Any) -> Any:
    """log(p / (1 - p)), kept finite: a table that says 0 or 100 % has few questions."""
    p = np.clip(p, FEW_QUESTIONS, 1 - FEW_QUESTIONS)
    return np.log(p / (1 - p))


# -- accuracy against context ----------------------------------------------------------------------


def context_rows() -> pd.DataFrame:
    """Accuracy of a reader at growing lengths, within its window; of retrieval, over its recall."""
    q, found = measured(), recall_rows().groupby("tokens")["value"].mean()
    rows = q[q["tokens"].notna() & (q["metric"] == "accuracy")]
    rows = rows[~rows["note"].str.contains("beyond it")]
    retrieved = rows["family"] == "databricks"
    recall = np.interp(np.log(rows["tokens"]), np.log(found.index), found)
    rows = rows.assign(recall=np.where(retrieved, recall, 1.0))
    rows = rows[~retrieved | (rows["tokens"] >= FOUND_FROM)]
    rows["answered"] = np.clip(rows["value"] / rows["recall"], 0.0, 0.99)
    return rows[rows.groupby(["family", "model"])["tokens"].transform("size") > 1]


def fit_context(rows: pd.DataFrame) -> pd.DataFrame:
    """By class of reader: decay (median model), its low and high (90 %), power, longest context.

    One power for all classes: curves of different powers would cross, and the weaker reader would
    be the better one of a long enough prompt.
    """
    models = rows.groupby(["reader", "family", "model"])

    def fits(power: float) -> pd.DataFrame:
        each = {key: _decay(model, power) for key, model in models}
        return pd.DataFrame(each, index=["decay", "error"]).T

    power = min(POWERS, key=lambda p: fits(p)["error"].sum())
    decays = fits(power)["decay"].clip(lower=0.02)
    ends = decays.groupby(level=0).quantile([0.05, 0.5, 0.95]).unstack()
    longest = rows.groupby("reader")["tokens"].max()
    return ends.set_axis(["low", "decay", "high"], axis=1).assign(power=power, longest=longest)


def _decay(model: pd.DataFrame, power: float) -> tuple[float, float]:
    """(decay, sum of absolute errors) of one model: a line through the log-odds."""
    x = (model["tokens"].to_numpy() / FULL_CONTEXT) ** power
    line = np.c_[np.ones(len(x)), -x]
    base, decay = np.linalg.lstsq(line, logit(model["answered"].to_numpy()), rcond=None)[0]
    off = np.abs(shift(0.5, line @ [base, decay]) - model["answered"])
    return float(decay), float(off.sum())


def predict_context(rows: pd.DataFrame, law: pd.DataFrame) -> pd.DataFrame:
    """Each model from its own shortest context, by the law of its class."""
    first = rows.sort_values("tokens").groupby(["family", "model"]).first()
    rows = rows.join(first[["tokens", "answered"]].add_suffix("_first"), on=["family", "model"])
    rows = rows[(rows["tokens"] > rows["tokens_first"]) & rows["reader"].isin(law.index)]
    power, decay = rows["reader"].map(law["power"]), rows["reader"].map(law["decay"])
    now, then = ((rows[name] / FULL_CONTEXT) ** power for name in ("tokens", "tokens_first"))
    return rows.assign(mid=rows["recall"] * shift(rows["answered_first"], -(now - then) * decay))


# -- recall, position, several facts ---------------------------------------------------------------


def recall_rows() -> pd.DataFrame:
    """Recall of retrieval at k chunks."""
    q = measured()
    return q[(q["metric"] == "recall") & (q["family"] == "databricks")]


def fit_recall(rows: pd.DataFrame) -> tuple[float, list[float]]:
    """(slope of the log-odds of recall over ln k, that of each data set); lines start at k = 1."""
    xy, xx = [], []
    for _, t in rows.groupby("dataset"):
        t = t[t["value"] < 1].sort_values("chunks")
        x, y = np.log(t["chunks"].to_numpy(float)), logit(t["value"].to_numpy())
        xy.append(float(x @ (y - y[0])))
        xx.append(float(x @ x))
    return sum(xy) / sum(xx), [a / b for a, b in zip(xy, xx, strict=True)]


def predict_recall(rows: pd.DataFrame, law: tuple[float, list[float]]) -> pd.DataFrame:
    """A data set from its own recall at k = 1."""
    start = rows.loc[rows["chunks"] == 1, "value"].iloc[0]
    rows = rows[rows["chunks"] > 1]
    return rows.assign(mid=shift(start, law[0] * np.log(rows["chunks"])))


def position_rows() -> pd.DataFrame:
    """Accuracy by the place of the right document among all."""
    q = measured()
    return q[(q["family"] == "lost") & q["position"].notna() & q["dataset"].eq("NaturalQuestions")]


def fit_position(rows: pd.DataFrame) -> np.ndarray:
    """Dip and tilt of each model and number of documents.

    log-odds = base - dip x 4 x (1 - x) - tilt x.
    """
    found = []
    for _, t in rows.groupby(["model", "documents"]):
        x = t["position"].to_numpy()
        line = np.c_[np.ones(len(x)), -4 * x * (1 - x), -x]
        found.append(np.linalg.lstsq(line, logit(t["value"].to_numpy()), rcond=None)[0][1:])
    return np.array(found)


def predict_position(rows: pd.DataFrame, law: np.ndarray) -> pd.DataFrame:
    """A model from its own accuracy with the right document first, by the median dip and tilt."""
    first = rows[rows["position"] == 0].set_index("documents")["value"]
    rows = rows[rows["position"] > 0]
    moved = position_shift(rows["position"], *np.median(law, axis=0))
    return rows.assign(mid=shift(rows["documents"].map(first), moved))


def fit_entities() -> dict[str, np.ndarray]:
    """{method: chance to find one of the things a question needs}.

    It is the root of perfect retrieval of two hops; all questions of HotpotQA have two.
    """
    q = measured()
    hops = (q["question"] == "multi_hop") | q["dataset"].str.startswith("HotpotQA")
    two = q[(q["metric"] == "perfect_retrieval") & hops]
    return {str(method): np.sqrt(t["value"].to_numpy()) for method, t in two.groupby("method")}


def gain_rows() -> pd.DataFrame:
    """Log-odds of each method over plain retrieval on the same questions.

    Retrieval is the mean of the usual embedders. Left out: LightRAG where token overlap is the
    score (it answers in prose, 2 % overlap says nothing of its answers), and graphs extracted by
    models below 30B.
    """
    same = ["family", "dataset", "model", "question"]
    q = measured()
    q = q[(q["reader"] != "small") & (q["family"] != "databricks")]
    q = q[q["metric"].isin(["accuracy", "f1"]) & q["question"].isin(QUESTIONS)]
    q = q[q["method"].isin(["rag", *METHODS]) & ~((q["method"] == "light") & (q["metric"] == "f1"))]
    q = q.assign(odds=logit(q["value"].to_numpy()))
    plain = q["method"] == "rag"
    base = q[plain].groupby(same)["odds"].mean().rename("base")
    q = q[~plain].join(base, on=same, how="inner")
    return q.assign(gain=q["odds"] - q["base"])


def fit_gains(rows: pd.DataFrame) -> pd.Series:
    """Gain by (method, question): benchmarks weigh the same, graphs lean towards their mean."""
    each = rows.groupby(["method", "question", "family"])["gain"].mean()
    by = each.groupby(["method", "question"]).agg(["sum", "mean", "count"])
    keys = pd.MultiIndex.from_product([METHODS, QUESTIONS])
    by = by.reindex(keys)
    every = by["mean"].loc[list(GRAPHS)].groupby(level=1).mean().fillna(0.0)
    lean = np.where(keys.get_level_values(0).isin(GRAPHS), SHRINK, 0.0)
    towards = keys.get_level_values(1).map(every).to_numpy()
    counts = by["count"].fillna(0.0) + lean
    return (by["sum"].fillna(0.0) + lean * towards) / counts.where(counts > 0)


def predict_gains(rows: pd.DataFrame, law: pd.Series) -> pd.DataFrame:
    """A method from plain retrieval on the same questions."""
    gain = law[pd.MultiIndex.from_frame(rows[["method", "question"]])].to_numpy()
    return rows.assign(mid=shift(0.5, rows["base"].to_numpy() + gain))


# curve: (its rows, what names a benchmark, the fit, the prediction)
CURVES = {
    "context length": (context_rows, "family", fit_context, predict_context),
    "graph or vectors": (gain_rows, "family", fit_gains, predict_gains),
    "recall against k": (recall_rows, "dataset", fit_recall, predict_recall),
    "position": (position_rows, "model", fit_position, predict_position),
}
