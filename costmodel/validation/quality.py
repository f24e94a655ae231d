"""The curves of quality, fitted to published tables: what benchmarks/fit_quality.py writes, and how far off they are.

The tables are data/measured/quality.csv. Each curve is also fitted without each benchmark and asked for it: the error of
a benchmark that the fit has not seen is the one a new corpus meets.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from costmodel.core.public import public
from costmodel.facts import catalog
from costmodel.laws.quality import FULL_CONTEXT, position_shift, shift

MEASURED = (
    "id",
    "family",
    "dataset",
    "model",
    "reader",
    "method",
    "question",
    "tokens",
    "chunks",
    "documents",
    "position",
    "metric",
    "value",
    "unit",
    "as_of",
    "source",
    "note",
)
READERS = ("frontier", "strong", "small")
QUESTIONS = ("fact", "multi_hop", "summary")
GRAPHS = ("full", "light", "lazy", "fast", "hipporag", "guided")
METHODS = (*GRAPHS, "full global", "rag+rerank", "rag+embedder")
POWERS = np.linspace(0.2, 1.0, 17)  # how the decay may grow with the context
FOUND_FROM = (
    8_000.0  # tokens of retrieved context from which most answers come from it and not from memory
)
SHRINK = 1.0  # benchmarks that the mean of all graph methods counts for
INSIDE = 0.8  # share of rows that a band holds


@cache
def _rows() -> pd.DataFrame:
    table = pd.DataFrame(catalog.measured("quality", MEASURED))
    numbers = ["tokens", "chunks", "documents", "position", "value"]
    table[numbers] = table[numbers].replace("", None).apply(pd.to_numeric)
    return table


@public
def measured_quality() -> pd.DataFrame:
    """Published accuracies, recalls and scores, one row each, with what was asked of which model in how long a context.

    `reader` is the class of the model, set by its size and date before any fit: frontier (closed flagships since 2024 and
    their open peers), strong (from 30B, older flagships, small closed models) or small.

    >>> sorted(measured_quality()["reader"].unique())
    ['', 'frontier', 'small', 'strong']
    """
    return _rows().copy()


def logit(p: Any) -> Any:
    """log(p / (1 - p)), kept finite: a table that says 0 or 100 % has few questions."""
    p = np.clip(p, 0.005, 0.995)
    return np.log(p / (1 - p))


# -- accuracy against context --------------------------------------------------------------------------


def context_rows() -> pd.DataFrame:
    """Accuracy of one reader at growing lengths, within the window that its maker claims; of retrieval, over its recall."""
    q = _rows()
    recall = (
        q[(q["family"] == "databricks") & (q["metric"] == "recall")]
        .groupby("tokens")["value"]
        .mean()
    )
    rows = q[
        q["tokens"].notna() & q["metric"].eq("accuracy") & ~q["note"].str.contains("beyond it")
    ].copy()
    share = np.interp(np.log(rows["tokens"]), np.log(recall.index), recall)
    rows["recall"] = np.where(rows["family"] == "databricks", share, 1.0)
    rows = rows[(rows["family"] != "databricks") | (rows["tokens"] >= FOUND_FROM)]
    rows["answered"] = np.clip(rows["value"] / rows["recall"], 0.0, 0.99)
    return rows[rows.groupby(["family", "model"])["tokens"].transform("size") > 1]


def fit_context(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    """{class: {decay, low, high, power, longest}}: the median model of a class, and where 90 % of its models lie."""
    found = {}
    for reader, group in rows.groupby("reader"):
        fits = {
            power: [_decay(t, power) for _, t in group.groupby(["family", "model"])]
            for power in POWERS
        }
        power = min(fits, key=lambda p: sum(error for _, error in fits[p]))
        decays = np.array([decay for decay, _ in fits[power]])
        low, mid, high = np.quantile(np.maximum(decays, 0.02), [0.05, 0.5, 0.95])
        found[str(reader)] = {
            "decay": float(mid),
            "low": float(low),
            "high": float(high),
            "power": float(power),
            "longest": float(group["tokens"].max()),
        }
    return found


def _decay(t: pd.DataFrame, power: float) -> tuple[float, float]:
    """(decay, sum of absolute errors) of one model: a line through the log-odds."""
    x = (t["tokens"].to_numpy() / FULL_CONTEXT) ** power
    line = np.c_[np.ones(len(x)), -x]
    base, decay = np.linalg.lstsq(line, logit(t["answered"].to_numpy()), rcond=None)[0]
    return float(decay), float(np.abs(shift(0.5, line @ [base, decay]) - t["answered"]).sum())


def _predict_context(rows: pd.DataFrame, law: dict[str, dict[str, float]]) -> pd.DataFrame:
    """Each model from its own shortest context, by the law of its class."""
    first = rows.sort_values("tokens").groupby(["family", "model"]).first()
    rows = rows.join(first[["tokens", "answered"]].add_suffix("_first"), on=["family", "model"])
    rows = rows[rows["tokens"] > rows["tokens_first"]]
    power = rows["reader"].map(lambda r: law[r]["power"])
    grown = (rows["tokens"] / FULL_CONTEXT) ** power - (
        rows["tokens_first"] / FULL_CONTEXT
    ) ** power
    return rows.assign(
        mid=rows["recall"]
        * shift(rows["answered_first"], -grown * rows["reader"].map(lambda r: law[r]["decay"]))
    )


# -- recall, position, several facts -------------------------------------------------------------------


def fit_recall(rows: pd.DataFrame) -> tuple[float, list[float]]:
    """(slope of the log-odds of recall over ln k, that of each data set), every line through its own k = 1."""
    xy, xx = [], []
    for _, t in rows[(rows["metric"] == "recall") & (rows["family"] == "databricks")].groupby(
        "dataset"
    ):
        t = t[t["value"] < 1].sort_values("chunks")
        x, y = np.log(t["chunks"].to_numpy(float)), logit(t["value"].to_numpy())
        xy.append(float(x @ (y - y[0])))
        xx.append(float(x @ x))
    return sum(xy) / sum(xx), [a / b for a, b in zip(xy, xx, strict=True)]


def position_rows() -> pd.DataFrame:
    q = _rows()
    return q[(q["family"] == "lost") & q["position"].notna() & q["dataset"].eq("NaturalQuestions")]


def fit_position(rows: pd.DataFrame) -> np.ndarray:
    """Columns dip and tilt of each model and number of documents: log-odds = base - dip x 4 x (1 - x) - tilt x."""
    found = []
    for _, t in rows.groupby(["model", "documents"]):
        x = t["position"].to_numpy()
        line = np.c_[np.ones(len(x)), -4 * x * (1 - x), -x]
        found.append(np.linalg.lstsq(line, logit(t["value"].to_numpy()), rcond=None)[0][1:])
    return np.array(found)


def fit_entities(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """{method: chance to find one of the things a question needs}, the root of perfect retrieval of two hops."""
    two = rows[(rows["metric"] == "perfect_retrieval") & (rows["question"] == "multi_hop")]
    return {method: np.sqrt(t["value"].to_numpy()) for method, t in two.groupby("method")}


def fit_oracle(rows: pd.DataFrame) -> np.ndarray:
    """Log-odds between an answer with the right document in the prompt and one from memory, by model."""
    q = rows[(rows["family"] == "lost") & rows["position"].isna()]
    with_it, without = (q[q["documents"] == n].set_index("model")["value"] for n in (1, 0))
    return np.array([logit(with_it[m]) - logit(without[m]) for m in with_it.index])


# -- graphs against vectors, by question ---------------------------------------------------------------


def gain_rows() -> pd.DataFrame:
    """Log-odds of each method over plain retrieval on the same questions; retrieval is the mean of the usual embedders.

    Left out: LightRAG where token overlap is the score (it answers in prose, 2 % overlap says nothing of its answers),
    and graphs extracted by models below 30B.
    """
    q = _rows()
    q = q[(q["reader"] != "small") & ~((q["method"] == "light") & (q["metric"] == "f1"))]
    q = q[
        q["metric"].isin(["accuracy", "f1"])
        & q["question"].isin(QUESTIONS)
        & q["method"].isin(["rag", *METHODS])
    ]
    q = q[q["family"] != "databricks"].assign(odds=lambda t: logit(t["value"].to_numpy()))
    base = (
        q[q["method"] == "rag"]
        .groupby(["family", "dataset", "model", "question"])["odds"]
        .mean()
        .rename("base")
    )
    q = q[q["method"] != "rag"].join(base, on=["family", "dataset", "model", "question"])
    q = q[q["base"].notna()]
    return q.assign(gain=q["odds"] - q["base"])


def fit_gains(rows: pd.DataFrame) -> dict[tuple[str, str], float]:
    """{(method, question): gain}: benchmarks weigh the same, and a graph method leans towards the mean of all."""
    by = rows.groupby(["method", "question", "family"])["gain"].mean()
    found = {}
    for question in QUESTIONS:
        of_graphs = [by[m, question].mean() for m in GRAPHS if (m, question) in by.index]
        every = float(np.mean(of_graphs)) if of_graphs else 0.0
        for method in METHODS:
            own = (
                by[method, question].to_numpy() if (method, question) in by.index else np.array([])
            )
            lean = SHRINK if method in GRAPHS else 0.0
            found[method, question] = (
                float((own.sum() + lean * every) / (len(own) + lean)) if len(own) + lean else np.nan
            )
    return found


# -- how far off ---------------------------------------------------------------------------------------


def _held_out() -> dict[str, list[tuple[str, pd.DataFrame]]]:
    """{curve: [(benchmark, its rows with `mid` from a fit that has not seen it)]}."""
    found: dict[str, list[tuple[str, pd.DataFrame]]] = {
        "context length": [],
        "graph or vectors": [],
        "recall against k": [],
        "position": [],
    }
    rows = context_rows()
    for family in rows["family"].unique():
        law = fit_context(rows[rows["family"] != family])
        found["context length"].append(
            (
                family,
                _predict_context(rows[(rows["family"] == family) & rows["reader"].isin(law)], law),
            )
        )
    gains = gain_rows()
    for family in gains["family"].unique():
        gain = fit_gains(gains[gains["family"] != family])
        t = gains[gains["family"] == family]
        each = np.array([gain[key] for key in zip(t["method"], t["question"], strict=True)])
        found["graph or vectors"].append(
            (family, t.assign(mid=shift(0.5, t["base"].to_numpy() + each)))
        )
    q = _rows()
    recall = q[(q["metric"] == "recall") & (q["family"] == "databricks")]
    for name in recall["dataset"].unique():
        slope, _ = fit_recall(recall[recall["dataset"] != name])
        t = recall[(recall["dataset"] == name) & (recall["chunks"] > 1)]
        start = recall[(recall["dataset"] == name) & (recall["chunks"] == 1)]["value"].iloc[0]
        found["recall against k"].append(
            (name, t.assign(mid=shift(start, slope * np.log(t["chunks"].to_numpy(float)))))
        )
    where = position_rows()
    for model in where["model"].unique():
        dip, tilt = np.median(fit_position(where[where["model"] != model]), axis=0)
        t = where[where["model"] == model]
        first = t["documents"].map(t[t["position"] == 0].set_index("documents")["value"])
        found["position"].append(
            (
                model,
                t.assign(mid=shift(first, position_shift(t["position"], dip, tilt)))[
                    t["position"] > 0
                ],
            )
        )
    return found


@cache
def _left_out() -> pd.DataFrame:
    parts = []
    for curve, groups in _held_out().items():
        groups = [(name, t.dropna(subset=["mid"])) for name, t in groups]
        off = {name: np.abs(logit(t["mid"]) - logit(t["value"])) for name, t in groups}
        for name, t in groups:  # the band of a benchmark comes from the errors of the others
            width = _width([e for other, e in off.items() if other != name], INSIDE)
            low, high = (shift(t["mid"], side * width) for side in (-1, 1))
            parts.append(
                pd.DataFrame(
                    {
                        "curve": curve,
                        "benchmark": name,
                        "model": t["model"],
                        "method": t["method"],
                        "question": t["question"],
                        "tokens": t["tokens"],
                        "reported": t["value"],
                        "low": low,
                        "mid": t["mid"],
                        "high": high,
                        "inside": off[name] <= width,
                        "source": t["source"],
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def _width(errors: list[Any], share: float) -> float:
    """The error of the log-odds that `share` of all rows keep below, every benchmark weighing the same."""
    weights = np.concatenate([np.full(len(e), 1 / len(e)) for e in errors])
    return float(np.quantile(np.concatenate(errors), share, weights=weights, method="inverted_cdf"))


@public
def quality_fidelity(by: str | None = "benchmark") -> pd.DataFrame:
    """How far the curves of quality are off where they have not been fitted: each benchmark by a fit without it.

    Index curve (and benchmark): `rows`, `error` (mean of |predicted - reported|, in share), `bias` and `coverage` of the 80 %
    band. A context curve starts from the model's own shortest context, a gain from plain retrieval on the same questions, a recall
    curve from its own k = 1, a position curve from the first place. `by=None` gives every single row.

    >>> bool(quality_fidelity().loc["context length", "rows"].sum() > 200)
    True
    """
    table = _left_out()
    if by is None:
        return table.copy()
    off = table.assign(
        error=(table["mid"] - table["reported"]).abs(), bias=table["mid"] - table["reported"]
    )
    return off.groupby(["curve", by], sort=False).agg(
        rows=("error", "size"),
        error=("error", "mean"),
        bias=("bias", "mean"),
        coverage=("inside", "mean"),
    )


def calibration() -> list[tuple[str, str, float, float, float, str]]:
    """(id, field, value, low, high, note) of every fitted number: rows of readers.csv, graphs.csv and quality.csv."""
    out: list[tuple[str, str, float, float, float, str]] = []
    for reader, law in fit_context(context_rows()).items():
        out.append(
            (
                reader,
                "context_decay",
                law["decay"],
                law["low"],
                law["high"],
                "fall of the log-odds at 131,072 tokens; median model, 90 % of the models",
            )
        )
        out.append(
            (
                reader,
                "context_power",
                law["power"],
                law["power"],
                law["power"],
                "how the fall grows with the tokens",
            )
        )
        out.append(
            (
                reader,
                "context_tokens_max",
                law["longest"],
                law["longest"],
                law["longest"],
                "longest context that was measured",
            )
        )
    q = _rows()
    slope, slopes = fit_recall(q)
    out.append(
        (
            "retrieval",
            "recall_slope",
            slope,
            min(slopes),
            max(slopes),
            "log-odds of recall for each e-fold of k; three data sets",
        )
    )
    ones = np.sort(q[(q["metric"] == "recall") & (q["chunks"] == 1)]["value"])
    out.append(
        (
            "retrieval",
            "recall_at_one",
            float(ones[1]),
            float(ones[0]),
            float(ones[-1]),
            "FinanceBench, DocsQA and Natural Questions, chunks of 512 tokens",
        )
    )
    laws = fit_position(position_rows())
    for i, name in enumerate(("position_dip", "position_tilt")):
        low, mid, high = np.quantile(laws[:, i], [0.05, 0.5, 0.95])
        out.append(("reader", name, mid, low, high, "models of 2023 with 10 to 30 documents"))
    oracle = fit_oracle(q)
    for reader in READERS:
        out.append(
            (
                reader,
                "log_odds_answer",
                float(np.median(oracle)),
                float(oracle.min()),
                float(oracle.max()),
                "right document in the prompt over none; five models of 2023",
            )
        )
    plain = q[
        (q["family"] == "graphrag-bench")
        & q["method"].isin(["rag", "rag+rerank"])
        & (q["metric"] == "accuracy")
    ]
    odds = plain.assign(odds=logit(plain["value"])).pivot_table(
        index=["dataset", "method"], columns="question", values="odds"
    )
    harder = (odds["summary"] - odds["fact"]).to_numpy()
    out.append(
        (
            "plain",
            "log_odds_summary",
            float(harder.mean()),
            float(harder.min()) - 0.1,
            float(harder.max()) + 0.1,
            "summaries over facts, vector retrieval, GraphRAG-Bench",
        )
    )
    better = q[(q["family"] == "graphrag-bench") & (q["metric"] == "recall")].pivot_table(
        index="question", columns="method", values="value"
    )
    gain = (logit(better["rag+rerank"]) - logit(better["rag"])).to_numpy()
    out.append(
        (
            "rerank",
            "log_odds_recall",
            float(np.mean(gain)),
            float(gain.min()),
            float(gain.max()),
            "reranking on the recall of evidence, GraphRAG-Bench Novel",
        )
    )
    for name, methods in (("vector", ("rag",)), ("graph", ("full", "fast"))):
        found = np.concatenate([fit_entities(q)[m] for m in methods])
        out.append(
            (
                name,
                "per_entity",
                float(np.mean(found)),
                float(found.min()) - 0.02,
                float(found.max()) + 0.005,
                "root of perfect retrieval of two hops",
            )
        )
    gains = gain_rows()
    errors = [
        np.abs(logit(t["mid"]) - logit(t["value"])) for _, t in _held_out()["graph or vectors"]
    ]
    width = float(np.mean([np.quantile(e.dropna(), 0.9) for e in errors]))
    for (method, question), mean in fit_gains(gains).items():
        n = int(((gains["method"] == method) & (gains["question"] == question)).sum())
        if np.isfinite(mean):
            out.append(
                (
                    method.replace(" ", "_").replace("+", "_"),
                    f"log_odds_{question}",
                    mean,
                    mean - width,
                    mean + width,
                    f"over plain retrieval, {n} results; band: 90 % of benchmarks not seen",
                )
            )
    return out
