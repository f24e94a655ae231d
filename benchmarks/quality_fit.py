"""Fit how quality follows task and model, and predict each benchmark by fits without it.

    python benchmarks/quality_fit.py FOLDER            prints what fits say that have not seen it,
        and what must hold
    python benchmarks/quality_fit.py FOLDER --write    and writes the fitted rows of
        data/calibration/task_quality.csv, data/measured/task_quality_held_out.csv and
        data/measured/task_quality_rows.csv, one row of each benchmark with its prediction

FOLDER/quality_priors.csv has one published score a row: task, benchmark, model, params_b,
release_date, capability_index, technique, passage_given, train_examples, score.
FOLDER/capability_index.csv has one model a row: model, creator, release_date, index.
Levels and slopes are random by
family and benchmark; benchmarks weigh the same: none gives more than `MOST` rows to a fit, and a
spread is that of the median benchmark. A few minutes.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from quality_model import (
    AT,
    PEOPLE,
    REPORTED,
    Z80,
    Askings,
    ask,
    chance_ahead,
    expect,
    expected,
    line_of,
    passage,
)
from scipy.optimize import minimize
from scipy.special import expit, logit

from costmodel.choices.quality import tasks
from costmodel.choices.quality.capability import family_and_version
from costmodel.choices.quality.tasks import (
    NO_FAMILY,
    OWN_CLOSED,
    Line,
    Spreads,
    constants,
    lines,
    spread,
)
from costmodel.core import data_folder
from costmodel.core.ranges import Z90
from costmodel.facts import loading
from costmodel.facts import rows as fact_rows
from costmodel.facts.rows import COLUMNS
from costmodel.laws.escalation import cascade_right
from costmodel.laws.task_quality import capability, capability_by_size, composed

AS_OF, SOURCE = "2026-11-28", "task-quality-fit"
WAY = ["task", "technique", "given"]
FIELD = ("support_resolution",)  # told by vendors; its level is that of others who counted
MOST = 24  # rows of one benchmark in a fit, even over capability
SEVERAL = 3  # scores from which tuned models that nobody can place say something of a benchmark
FEWEST = 6  # rows from which a benchmark has a spread of its own
FEW = 0.02  # in a fit a score counts as this far from 0 and 100 %: formats that fail say little
MEASURED = 200  # answers of the one model that is measured
PAIRS = 50  # models of a benchmark that are measured in turn
KINDS = ("closed", "long", "tuned")
LONG = "LCR|LongBench|MRCR|HELMET|128k"  # 100,000 tokens are given, whatever the technique says
START = np.log(
    [0.6, 0.25, 1.0, 1.1, 0.3]
)  # family level, slope, tuned level; benchmark level, slope
OWN_TABLES = "Artificial Analysis"  # whose six tables of 450 models are in or near the index
GAPS = ((0, 5), (5, 10), (10, 15), (20, 25))


# -- rows ------------------------------------------------------------------------------------------


def read(path: str) -> pd.DataFrame:
    """The scores that are shares right of a model, with log-odds, capability and line."""
    rows = pd.read_csv(path, low_memory=False)
    keep = ~rows["task"].isin(NO_FAMILY) & ~rows["technique"].isin((*PEOPLE, "cascade", "router"))
    rows = rows[keep & rows["score"].between(0, 1)].reset_index(drop=True)
    rows["y"] = logit(rows["score"].clip(FEW, 1 - FEW))
    known, law = rows["capability_index"].notna(), constants()
    year = pd.to_datetime(rows["release_date"], errors="coerce", format="mixed")
    years = (year - pd.Timestamp("2025-01-01")).dt.days / 365.25
    names = ("capability_base", "per_tenfold_parameters", "per_year")
    size = capability_by_size(
        rows["params_b"] * 1e9, years, *(law[f"by_size.{name}"].mid for name in names)
    )
    unknown = law["unknown_model.capability_mean"]
    rows["doubt"] = np.select(
        [known, size.notna()], [0.0, law["by_size.spread_capability"].mid], spread(unknown)
    )
    rows["g"] = capability(rows["capability_index"]).fillna(size).fillna(unknown.mid)
    rows["train_examples"] = pd.to_numeric(rows["train_examples"], errors="coerce")
    rows["given"] = [passage(x) for x in rows["passage_given"]]
    rows["known"], rows["reported"] = known, rows["technique"].isin(REPORTED).astype(float)
    rows[["line", "shift", "shift_doubt"]] = "", 0.0, 0.0
    for way, part in rows.groupby(WAY, sort=False):
        who = ask((*way, True), *(part[x].to_numpy() for x in ("g", "doubt", "train_examples")))
        told = law["reported.log_odds"].mid * part["reported"]  # this one is fitted
        rows.loc[part.index, ["shift", "shift_doubt"]] = np.c_[who.shift - told, who.shift_doubt]
        rows.loc[part.index, "line"] = line_of(*way)
    is_long = rows["benchmark"].str.contains(LONG) & (rows["line"] == "document_qa")
    rows["fitted"] = np.where(is_long, "document_qa.long", rows["line"])
    return rows


# -- the fit ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Model:
    """A fit: its effects with their covariance, and the spreads."""

    families: tuple[str, ...]
    effects: np.ndarray
    covariance: np.ndarray
    spreads: Spreads
    scales: np.ndarray

    def law(self, name: str) -> Line:
        """Its line, or that of the law where it is not fitted."""
        return lines()[name] if name in (*FIELD, OWN_CLOSED) else self.line(name)

    def line(self, name: str) -> Line:
        """The line of `classification`, `document_qa.closed`, ..."""
        family, _, kind = name.partition(".")
        ends = [design(self.families, [family], [kind], np.array([x]))[0] for x in (0.0, 1.0)]
        both = np.array([ends[0], ends[1] - ends[0]])
        level, slope = both @ self.effects
        wide = np.sqrt(np.diag(both @ self.covariance @ both.T))
        return Line(float(level), float(wide[0]), float(slope), float(wide[1]))


def design(families: Any, family: Any, kind: Any, x: Any, reported: Any = 0.0) -> np.ndarray:
    """Effects behind each row: level, slope, by family, kind, and tuned by family."""
    of = (np.array(family, object)[:, None] == np.array(families, object)).astype(float)
    kinds = (np.array(kind, object)[:, None] == np.array(KINDS, object)).astype(float)
    x, tuned = np.asarray(x, float)[:, None], kinds[:, -1:]
    told = np.broadcast_to(np.reshape(reported, (-1, 1)), x.shape)
    return np.hstack(
        [np.ones_like(x), x, of, of * x * (1 - tuned), kinds, told, tuned * x, of * tuned]
    )


def priors(families: Any, scales: np.ndarray) -> np.ndarray:
    """Spread of each effect before the data."""
    n, (level, slope, tuned) = len(families), np.exp(scales[:3])
    return np.r_[3.0, 1.0, [level] * n, [slope] * n, [3.0] * len(KINDS), 0.5, 0.5, [tuned] * n]


def groups(rows: pd.DataFrame, families: Any) -> dict[tuple[str, str], Any]:
    """What a fit sees, by benchmark and line: design, log-odds, capability, doubts."""
    found = {}
    fitted = ~rows["fitted"].str.endswith(".retrieved") & ~rows["task"].isin(FIELD)
    for key, part in rows[fitted].groupby(["benchmark", "fitted"], sort=False):
        if len(part) > MOST:
            order = np.linspace(0, len(part) - 1, MOST).round().astype(int)
            part = part.sort_values("g", kind="stable").iloc[order]
        x = part["g"].to_numpy() - AT
        kind = [name.partition(".")[2] for name in part["fitted"]]
        family = [name.partition(".")[0] for name in part["fitted"]]
        a = design(families, family, kind, x, part["reported"])
        found[key] = (a, (part["y"] - part["shift"]).to_numpy(), x, part["doubt"].to_numpy())
    return found


def fit(seen: dict[Any, Any], families: Any, start: Any = START, steps: int = 25) -> Model:
    """The spreads of greatest likelihood, and the effects at them."""
    wide = model_spreads(seen)
    scales = minimize(
        lambda s: solve(seen, families, s, wide)[2], start, method="L-BFGS-B",
        options={"maxiter": steps},
    ).x  # fmt: skip
    effects, covariance, _ = solve(seen, families, scales, wide)
    level, slope = np.exp(scales[3:])
    return Model(tuple(families), effects, covariance, Spreads(level, slope, *wide), scales)


def model_spreads(seen: dict[Any, Any]) -> tuple[float, float]:
    """How models scatter about the line of a benchmark: the median benchmark; and tuned."""
    found: dict[bool, list[float]] = {False: [], True: []}
    for (_, name), (_, y, x, doubt) in seen.items():
        tuned = name.endswith(".tuned")
        use = np.full(len(y), True) if tuned else doubt == 0
        if use.sum() >= FEWEST and np.ptp(x[use]) > 0:
            left = y[use] - np.polyval(np.polyfit(x[use], y[use], 1), x[use])
            found[tuned].append(float(np.sqrt((left**2).sum() / (use.sum() - 2))))
    return float(np.median(found[False])), float(np.median(found[True] or found[False]))


def solve(seen: Any, families: Any, scales: np.ndarray, wide: Any, slope: float = 0.65) -> Any:
    """(effects, covariance, - log-likelihood) of a normal model with these spreads."""
    prior = priors(families, scales)
    level, bend = np.exp(scales[3:])
    weight, pull, fall = np.diag(prior**-2), np.zeros(len(prior)), ((scales - START) ** 2).sum()
    for (_, name), (a, y, x, doubt) in seen.items():
        tuned = name.endswith(".tuned")
        own = wide[tuned] ** 2 + (0.0 if tuned else slope) ** 2 * doubt**2
        root = np.linalg.cholesky(level**2 + bend**2 * np.outer(x, x) + np.diag(own))
        a, y = np.linalg.solve(root, a), np.linalg.solve(root, y)
        weight, pull = weight + a.T @ a, pull + a.T @ y
        fall += y @ y + 2 * np.log(np.diag(root)).sum()
    covariance = np.linalg.inv(weight)
    effects = covariance @ pull
    fall += np.linalg.slogdet(weight)[1] + 2 * np.log(prior).sum() - pull @ effects
    return effects, covariance, fall / 2


# -- what fits say that have not seen a benchmark --------------------------------------------------


def held_out(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(rows predicted from task and model, and with one other model of the benchmark measured).

    Only models with an index are measured, and predicted beside one.
    """
    families = sorted({name.partition(".")[0] for name in rows["fitted"]})
    usable = use(rows)
    seen = groups(usable, families)
    whole = fit(seen, families)
    alone, beside = [], []
    for benchmark, part in rows.groupby("benchmark", sort=False):
        others = {key: value for key, value in seen.items() if key[0] != benchmark}
        model = fit(others, families, whole.scales, steps=2)
        told = model.effects[2 + 2 * len(families) + len(KINDS)]
        line = cache(model.law)
        for names, same in part.groupby(WAY, sort=False):
            way, who = (*names, True), askings(same, told)
            mean, width = expect(way, line, model.spreads, who)
            alone.append(predicted(same, mean, width))
            known = same["known"].to_numpy()
            beside += measured_in_turn(same[known], way, line, model.spreads, part_of(who, known))
    return pd.concat(alone, ignore_index=True), pd.concat(beside, ignore_index=True)


def use(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose model has an index, or a size and a date; and tuned models, also unplaced ones.

    An old model that nobody can place, taken for one of today, says that a task is hard. A tuned
    level hardly depends on the model, but a few scores of unplaced ones may be those of old models
    on a task that they fail.
    """
    together = [rows["benchmark"], rows["fitted"]]
    several = rows.groupby(together)["y"].transform("size") >= SEVERAL
    return rows[(rows["doubt"] < 1) | (rows["fitted"].str.endswith(".tuned") & several)]


def askings(rows: pd.DataFrame, told: float) -> Askings:
    """The models of some rows."""
    moved = rows["shift"] + told * rows["reported"]
    columns = (rows["g"], rows["doubt"], moved, rows["shift_doubt"])
    return Askings(*(np.asarray(c) for c in columns))


def measured_in_turn(rows: pd.DataFrame, way: Any, line: Any, wide: Any, who: Askings) -> list[Any]:
    """The other rows, for each model that is measured with 200 answers at its published score."""
    found, n = [], len(rows)
    turns = np.linspace(0, n - 1, min(n, PAIRS)).round().astype(int) if n > 1 else []
    for i in turns:
        right = np.array([round(MEASURED * rows["score"].iloc[i])]), np.array([MEASURED])
        others = np.arange(n) != i
        mean, width = expect(way, line, wide, part_of(who, others), (part_of(who, [i]), right))
        found.append(predicted(rows[others], mean, width, rows.iloc[i]))
    return found


def part_of(who: Askings, place: Any) -> Askings:
    names = ("ability", "doubt", "shift", "shift_doubt")
    return replace(who, **{name: getattr(who, name)[place] for name in names})


def predicted(rows: pd.DataFrame, mean: Any, width: Any, measured: Any = None) -> pd.DataFrame:
    """Rows beside their prediction: error in share, and whether the 80 % band holds them."""
    low, mid, high = (expit(mean + side * Z80 * width) for side in (-1, 0, 1))
    names = ["capability_index", "technique", "passage_given", "train_examples", "score", "known"]
    found = rows[["task", "benchmark", "model", *names]].assign(
        low=low, mid=mid, high=high, error=(rows["score"] - mid).abs(), models=len(rows) + 1,
        inside=rows["score"].between(low, high), width=2 * Z80 * width,
    )  # fmt: skip
    if measured is not None:
        found["measured_index"] = measured["capability_index"]
        found["measured_right"] = round(MEASURED * measured["score"])
    return found


def summary(check: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Error and coverage by task, and over all; benchmarks weigh the same."""
    parts: list[Any] = [("all", rows), *rows.groupby("task")]
    if check == "one measured":
        parts.insert(1, ("all with ten or more models", rows[rows["models"] >= 10]))
    made = []
    for task, part in parts:
        each = part.groupby("benchmark")[["error", "inside", "width"]].mean()
        made.append(
            {"check": check, "task": task, "rows": len(part), "benchmarks": len(each),
             "error": each["error"].mean(), "coverage": each["inside"].mean()}
        )  # fmt: skip
    return pd.DataFrame(made)


# -- laws beside published tables ------------------------------------------------------------------


def ahead(rows: pd.DataFrame, wide: Spreads, slopes: dict[str, float]) -> pd.DataFrame:
    """How often the higher index wins: found and predicted, all pairs and benchmarks the same."""
    pairs = []
    for (benchmark, line, _), part in rows[rows["known"]].groupby(
        ["benchmark", "line", "technique"]
    ):
        index, score, g = (part[n].to_numpy() for n in ("capability_index", "score", "g"))
        first, second = np.nonzero(index[:, None] > index[None])
        won = (score[first] > score[second]) + 0.5 * (score[first] == score[second])
        chance = chance_ahead(g[first] - g[second], slopes[str(line)], wide.model, wide.slope)
        gap = index[first] - index[second]
        pairs.append(
            pd.DataFrame({"benchmark": benchmark, "gap": gap, "won": won, "chance": chance,
                          "others": OWN_TABLES not in str(part["source_title"].iloc[0])})
        )  # fmt: skip
    table, made = pd.concat(pairs), []
    for low, high in GAPS:
        part = table[table["gap"].between(low, high, inclusive="right")]
        each = part.groupby("benchmark")[["won", "chance"]].mean()
        for weighed, found in (
            ("pairs", part[["won", "chance"]].mean()),
            ("pairs not of the index's publisher", part[part["others"]][["won", "chance"]].mean()),
            ("benchmarks", each.mean()),
        ):
            made.append(
                {"check": f"higher index wins, {weighed} weighed the same",
                 "task": f"gap {low} to {high}", "rows": len(part), "benchmarks": len(each),
                 "reported": found["won"], "predicted": found["chance"],
                 "error": abs(found["won"] - found["chance"])}
            )  # fmt: skip
    return pd.DataFrame(made)


def retrieval() -> pd.DataFrame:
    """RAG from recall and reading, where both are published: each retriever or k from the others.

    Reading is the one number that the others tell; closed book is published, or what is right when
    nothing is found (`retrieval.nothing_found`).
    """
    law = constants()
    rows = pd.read_csv(data_folder() / "measured" / "quality.csv").fillna({"method": ""})
    survives, nothing = law["retrieval.survives"].mid, law["retrieval.nothing_found"].mid
    made = []
    for source, by in (("hipporag-2", "dataset"), ("databricks-long-rag", "model")):
        part = rows[rows["source"] == source]
        recalls = part[part["metric"] == "recall"]
        for name, answers in part[part["metric"] != "recall"].groupby(by):
            if source == "hipporag-2":
                key = ["method", "note"]
                found = recalls[recalls["dataset"] == name].set_index(key)["value"]
                closed = answers[answers["method"] == "none"]["value"].item() * survives
            else:
                key = ["tokens"]
                found = recalls.groupby("tokens")["value"].mean()
                closed = nothing
                answers = answers[answers["tokens"] <= 16_000]
            right = answers.set_index(key)["value"]
            both = pd.DataFrame({"found": found, "right": right}).dropna()
            for i in range(len(both)):
                rest = both.drop(both.index[i])
                read = ((rest["right"] - (1 - rest["found"]) * closed) * rest["found"]).sum()
                read /= (rest["found"] ** 2).sum()
                one = both.iloc[i]
                said = composed(one["found"], min(read, 1.0), closed, 1.0)
                made.append({"task": source, "benchmark": name, "error": abs(said - one["right"])})
    table = pd.DataFrame(made)
    parts = table.groupby("task").agg(
        rows=("error", "size"), benchmarks=("benchmark", "nunique"), error=("error", "mean")
    )
    return parts.reset_index().assign(check="retrieval from recall and reading")


def several_hops() -> pd.DataFrame:
    """RAG over one and several places by the law alone: recall and closed book as published.

    Llama 3.3 70B on data sets that have both (HippoRAG 2); reading follows from task and model.
    """
    rows = pd.read_csv(data_folder() / "measured" / "quality.csv")
    rows = rows[rows["source"] == "hipporag-2"]
    model, survives = 9.4, constants()["retrieval.survives"].mid
    recall = rows[rows["metric"] == "recall"].set_index(["dataset", "note"])["value"]
    closed = rows[rows["method"] == "none"].set_index("dataset")["value"]
    right = rows[rows["metric"] == "f1"].set_index(["dataset", "note"]).join(recall.rename("found"))
    right = right.dropna(subset="found").reset_index()
    places = {"fact": "one place", "multi_hop": "several places"}
    asked = {"fact": "answer from public documents", "multi_hop": "many-hop"}
    read = {kind: expected(task, model)[0, 1] for kind, task in asked.items()}
    said = composed(
        right["found"], right["question"].map(read), right["dataset"].map(closed), survives
    )
    table = pd.DataFrame(
        {"check": "RAG by the law alone: " + right["question"].map(places),
         "task": right["dataset"], "reported": right["value"],
         "predicted": said, "error": (said - right["value"]).abs()}
    )  # fmt: skip
    by = table.groupby(["check", "task"], sort=False)
    return by.mean().assign(rows=by.size(), benchmarks=1).reset_index()


def successors(path: Path) -> pd.DataFrame:
    """Models of one family in the order of their releases: each gain by the pairs of other makers.

    The band is that of the law; models of several efforts of reasoning count with their median.
    """
    models = pd.read_csv(path)
    models["name"] = models["model"].str.replace(r"\s*\(.*", "", regex=True)
    models["released"] = pd.to_datetime(models["release_date"], errors="coerce")
    one = models.groupby(["creator", "name"]).agg(
        index=("index", "median"), released=("released", "min")
    ).dropna().reset_index()  # fmt: skip
    named = one["name"].str.replace(" ", "-").map(family_and_version)
    one["family"], one["version"], one["g"] = named.str[0], named.str[1], capability(one["index"])
    one = one[one["version"] > 0].sort_values(["released", "version"])
    by = one.groupby(["creator", "family"])
    pairs = one.assign(years=by["released"].diff().dt.days / 365.25, gain=by["g"].diff())
    pairs = pairs[pairs["years"].between(0.02, 1.5)]
    made, least = [], constants()["successor.capability_gain"].low
    for maker, part in pairs.groupby("creator"):
        rest = pairs[pairs["creator"] != maker]
        rate = (rest["gain"] * rest["years"]).sum() / (rest["years"] ** 2).sum()
        spread_ = (rest["gain"] - rate * rest["years"]).std()
        mid = rate * part["years"]
        low, high = mid + (least - mid) * Z80 / Z90, mid + Z80 * spread_
        made.append(part.assign(inside=part["gain"].between(low, high), off=part["gain"] - mid))
    table = pd.concat(made)
    share = (table["gain"] > 0).mean()
    print(f"{len(table)} successors, {share:.2f} above their predecessor, median gain "
          f"{table['gain'].median():.2f}, {rate:.2f} a year, sd {spread_:.2f}")  # fmt: skip
    return pd.DataFrame(
        [{"check": "successor by its predecessor, makers left out", "task": "log-odds",
          "rows": len(table), "error": table["off"].abs().mean(),
          "coverage": table["inside"].mean()}]
    )  # fmt: skip


PUBLISHED_CASCADES = (  # small .62, large .78, correlation .75: escalated, AUC, share right
    (0.3, 0.50, 0.669), (0.3, 0.75, 0.701), (0.3, 0.85, 0.717), (0.3, 0.90, 0.728),
    (0.5, 0.75, 0.739), (0.5, 0.90, 0.770),
)  # fmt: skip


def cascades() -> pd.DataFrame:
    """The law of cascades beside the published values."""
    made = [
        {"check": "cascade", "task": f"{sent:.0%} escalated, AUC {auc:.2f}", "rows": 1,
         "reported": right, "predicted": said, "error": abs(said - right)}
        for sent, auc, right in PUBLISHED_CASCADES
        for said in [float(cascade_right(0.62, 0.78, sent, auc, 0.75))]
    ]  # fmt: skip
    return pd.DataFrame(made)


# -- files -----------------------------------------------------------------------------------------


def calibration(rows: pd.DataFrame) -> tuple[list[list[str]], Model]:
    """Rows of task_quality.csv that this fit makes: the band is 90 % of the estimate."""
    families = sorted({name.partition(".")[0] for name in rows["fitted"]})
    model = fit(groups(use(rows), families), families)
    kinds = {"document_qa.closed", "document_qa.long", *(f"{x}.tuned" for x in families)}
    names = sorted({*families, *kinds} - {*FIELD, *(f"{x}.tuned" for x in (*FIELD, "document_qa"))})
    made = []
    for name in names:
        line, part = model.line(name), rows[rows["fitted"] == name]
        note = f"{len(part)} scores of {part['benchmark'].nunique()} benchmarks"
        note += "" if len(part) else ": from the other families"
        made += [row(name, "quality_level", line.level, line.level_spread, note)]
        made += [row(name, "quality_slope", line.slope, line.slope_spread, note)]
    n = len(families)
    every, family_level, family_slope = Line(*level_of(model)), *np.exp(model.scales[:2])
    note = f"all {rows['benchmark'].nunique()} benchmarks; band of a family that is not known"
    made += [
        row("other", "quality_level", every.level, np.hypot(every.level_spread, family_level), note)
    ]
    made += [
        row("other", "quality_slope", every.slope, np.hypot(every.slope_spread, family_slope), note)
    ]
    told = 2 + 2 * n + len(KINDS)
    wide = model.covariance[told, told] ** 0.5
    made += [
        row("reported", "log_odds", model.effects[told], wide, "scores told by who sells the model")
    ]
    words = {
        "level": "benchmarks of a family at an index of 20",
        "slope": "slopes of benchmarks",
        "model": "models about the line of a benchmark",
        "tuned": "the same, tuned models",
    }
    for name, note in words.items():
        made.append(
            row("tasks", f"spread_{name}", getattr(model.spreads, name), 0.0, f"sd: {note}")
        )
    return made, model


def level_of(model: Model) -> tuple[float, float, float, float]:
    """Level and slope over all families."""
    wide = np.sqrt(np.diag(model.covariance))
    return model.effects[0], wide[0], model.effects[1], wide[1]


def row(id: str, field: str, value: float, wide: float, note: str) -> list[str]:
    ends = [f"{value + side * Z90 * wide:.4g}" if wide else "" for side in (-1, 1)]
    return [id, field, f"{value:.4g}", *ends, "log-odds", AS_OF, SOURCE, note]


def write(made: list[list[str]]) -> None:
    """Put the fitted rows beside those that are published."""
    path = Path(data_folder()) / "calibration" / "task_quality.csv"
    with path.open(encoding="utf-8", newline="") as file:
        kept = [r for r in csv.reader(file) if r[:2] not in [m[:2] for m in made]][1:]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *kept, *made])
    for module in (fact_rows, loading, tasks):  # the law from here on is the new one
        for x in vars(module).values():
            if hasattr(x, "cache_clear"):
                x.cache_clear()


def ship(name: str, table: pd.DataFrame) -> None:
    """A table of what was held against published scores."""
    path = Path(data_folder()) / "measured" / f"{name}.csv"
    table.assign(source=SOURCE).to_csv(path, index=False, float_format="%.4g")


# -- what must hold --------------------------------------------------------------------------------


def must_hold(table: pd.DataFrame) -> pd.DataFrame:
    """The numbers that the law is held to, with their bounds and whether they are met."""
    by = table.set_index(["check", "task"])
    one = by.loc[("one measured", "all with ten or more models")]
    rag = by.loc["retrieval from recall and reading", "error"]
    found = [
        ("80 % band of task and model, coverage", by.loc[("task and model", "all"), "coverage"],
         0.75, 0.88),
        ("one measured, coverage", by.loc[("one measured", "all"), "coverage"], 0.75, 0.88),
        ("one measured, ten or more models, coverage", one["coverage"], 0.75, 0.88),
        ("one measured, ten or more models, mean absolute error", one["error"], 0.0, 0.12),
        ("RAG from recall and reading, mean error", rag.mean(), 0.0, 0.04),
        ("cascades, largest error", by.loc["cascade", "error"].max(), 0.0, 0.015),
        *with_options(),
    ]  # fmt: skip
    made = pd.DataFrame(found, columns=["must hold", "found", "from", "to"])
    return made.assign(met=made["found"].between(made["from"], made["to"]))


def with_options() -> list[tuple[str, float, float, float]]:
    """What follows for options: order of models, private documents, tunes."""
    import costmodel as cm
    from costmodel.decisions.simulate import simulate

    def shares(options: dict[str, Any], task: str, corpus: Any = None) -> Any:
        work = cm.Workload(300_000, input_tokens=900, output_tokens=250, task=task, corpus=corpus)
        return simulate(cm.Study(options, work, draws=8_000)).accepted

    names = ("gpt-6-luna", "gpt-6.1-terra", "claude-opus-5-5")
    luna, terra, opus = (cm.Api(name, on="2026-11-20") for name in names)
    three = {"luna": luna, "terra": terra, "opus": opus}
    typed = shares({name: cm.Option(api) for name, api in three.items()}, "extract")
    rag, own = (
        cm.Rag(hybrid=True, reranker="rerank-v5.0-fast"),
        cm.Hosted("llama-3.1-8b", gpu="L40S"),
    )
    read = shares(
        {"terra": cm.Option(terra, rag), "8b": cm.Option(own, rag, cm.Lora()),
         "prompt": cm.Option(terra)}, "answer from documents", cm.Corpus(tokens=400_000),
    )  # fmt: skip
    tuned = shares(
        {str(n): cm.Option(own, cm.Lora(examples=n)) for n in (300, 3_000, 10_000)}, "extract"
    )
    mean = {key: float(x.mean()) for key, x in typed.items()}
    rag_terra, rag_small, prompt = (float(read[x].mean()) for x in ("terra", "8b", "prompt"))
    return [
        ("extraction: luna, mean", mean["luna"], 0.0, mean["terra"]),
        ("extraction: terra, mean", mean["terra"], mean["luna"], mean["opus"]),
        ("P(terra >= luna)", float((typed["terra"] >= typed["luna"]).mean()), 0.5, 1.0),
        ("P(opus >= terra)", float((typed["opus"] >= typed["terra"]).mean()), 0.5, 1.0),
        ("private corpus, without retrieval", prompt, 0.01, 0.15),
        ("private corpus, RAG", rag_terra, 0.60, 0.85),
        ("private corpus, 8B RAG + LoRA", rag_small, 0.0, rag_terra),
        ("extraction, LoRA of 3,000 examples under 10,000",
         float((tuned["10000"] - tuned["3000"]).mean()), 0.0, 0.04),
    ]  # fmt: skip


def of_each_benchmark(alone: pd.DataFrame, beside: pd.DataFrame) -> pd.DataFrame:
    """One row of each benchmark, beside what the law of the package says of it."""
    parts = {"task and model": alone[alone["known"]], "one measured": beside[beside["models"] > 9]}
    made = []
    for check, rows in parts.items():
        each = rows.groupby("benchmark", sort=False).sample(1, random_state=1)
        made.append(each.assign(check=check))
    rows = pd.concat(made, ignore_index=True).drop(
        columns=["error", "models", "width", "known"]
    ).rename(columns={"score": "reported"})  # fmt: skip
    now = [by_the_law(row) for row in rows.to_dict("records")]
    return rows.join(
        pd.DataFrame(now, index=rows.index, columns=["law_low", "law_mid", "law_high"])
    )


def by_the_law(row: dict[str, Any]) -> list[float]:
    """What the package expects of one row, with all benchmarks in its fit."""
    measured = None
    if row["measured_right"] == row["measured_right"]:
        measured = row["measured_index"], row["measured_right"], MEASURED
    names = ("task", "capability_index", "technique", "passage_given", "train_examples")
    return expected(*(row[name] for name in names), measured)[0].tolist()


def main(folder: str, *more: str) -> None:
    rows = read(str(Path(folder) / "quality_priors.csv"))
    alone, beside = held_out(rows)
    made, model = calibration(rows)
    if "--write" in more:
        write(made)
    slopes = {name: model.line(name).slope for name in rows["line"].unique()}
    columns = ["check", "task", "rows", "benchmarks", "error", "coverage", "reported", "predicted"]
    table = pd.concat(
        [summary("task and model", alone[alone["known"]]),
         summary("no index: size and date, or nothing", alone[~alone["known"]]).head(1),
         summary("one measured", beside), retrieval(), several_hops(), cascades(),
         ahead(rows, model.spreads, slopes),
         successors(Path(folder) / "capability_index.csv")]
    )[columns]  # fmt: skip
    print(table.to_string(index=False, float_format=lambda x: f"{x:.3f}", na_rep=""))
    wide = [part.groupby("benchmark")["width"].mean().mean() / 2 for part in (alone, beside)]
    print(f"{model.spreads}; 80 % bands in the mean: +-{wide[0]:.2f}, one measured +-{wide[1]:.2f}")
    print(must_hold(table).to_string(index=False, float_format=lambda x: f"{x:.3f}"))
    if "--write" in more:
        ship("task_quality_held_out", table)
        ship("task_quality_rows", of_each_benchmark(alone, beside))


if __name__ == "__main__":
    main(*sys.argv[1:])
