"""Measurements of serving, and the model beside each.

data/measured/ is the one place with wide rows: a measurement is a single number (or the pair of first and later token
times) of many co-ordinates, and it means nothing without them. Both files keep the rules of the other facts: SI
units, a date, a source, a short note; a test reads every row.

* serving_latency.csv: mean time to first token and per later token, `concurrency` requests always in flight. `waves`
  is requests over concurrency. Families: `inferencemax` (lengths drawn between 80 and 100 % of those stated, ten
  waves), `gap-analysis` (one burst assumed: first tokens come as late as all prompts read at once would). TensorRT-LLM
  often reports tokens in groups of 20, which its first-token times contain.
* serving_throughput.csv: `metric` is output_tokens_per_s (whole instance; concurrency empty: the queue never empties),
  latency_s (one whole batch) or ttft_s (one prompt, nothing else running, no server around it).

`model` names the record that has the measured shape. Where the key-value precision is empty the model's default holds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from costmodel.core.public import public
from costmodel.facts import catalog
from costmodel.laws.serving.batching import saturated_tokens_per_s, served, static_batch_s
from costmodel.laws.serving.calibration import (
    FILES,
    _measured,
    kind_of,
    measured,
    physics,
    setup_of,
    shape_of,
    stack,
)
from costmodel.laws.serving.roofline import Physics, Setup, Shape, prefill_fixed_s, prefill_work_s

NEWEST = "2026-01-01"  # engines of this date carry the calibrated overheads
DAYS_PER_YEAR = 365.25
MOST_SEQUENCES = 2048.0  # per attention group in offline runs: the default of TensorRT-LLM
UNUSED = "not used: "  # how the note of a row begins that contradicts itself; the note says how


def numbers(table: pd.DataFrame) -> tuple[Shape, Setup]:
    """Architecture and setup of every row, as arrays."""
    models = {id: (shape_of(id), bool(catalog.model(id).experts)) for id in table["model"].unique()}
    keys = list(
        zip(table["model"], table["gpu"], table["precision"], table["kv_precision"], strict=True)
    )
    made = {key: setup_of(key[1], key[2], key[3] or None, models[key[0]][1]) for key in set(keys)}
    whole = stack([made[key] for key in keys])
    layout = {
        "tensor_parallel": table["tp"].to_numpy(float),
        "data_parallel": table["dp"].to_numpy(float),
        "expert_parallel": table["ep"].to_numpy(float) if "ep" in table else np.ones(len(table)),
    }
    return stack([models[id][0] for id in table["model"]]), replace(whole, **layout)


def ages(table: pd.DataFrame) -> Any:
    """Years of each row before the calibrated engines; 0 for later ones."""
    days = (pd.Timestamp(NEWEST) - pd.to_datetime(table["as_of"])).dt.days.to_numpy()
    return np.maximum(days / DAYS_PER_YEAR, 0.0)


def engine_physics(table: pd.DataFrame, overhead_fall: float | None = None) -> Physics:
    """The physics of every row: its engine family, and older overheads for older versions."""
    fall = (
        catalog.fact("serving", "roofline.overhead_fall").value.mid
        if overhead_fall is None
        else overhead_fall
    )
    return replace(
        stack([physics(engine) for engine in table["engine"]]), ageing=(1 - fall) ** -ages(table)
    )


def predict(table: pd.DataFrame, s: Shape, u: Setup, p: Physics) -> dict[str, Any]:
    """The model's best value for every row of a file: {metric: array}."""
    i, o, c = (
        table[name].to_numpy(float) for name in ("input_tokens", "output_tokens", "concurrency")
    )
    if "waves" in table:
        result = served(s, u, p, i, o, c, table["waves"].to_numpy(float))
        return {"ttft_s": result.ttft_s, "tpot_s": result.tpot_s}
    batch = np.nan_to_num(c, nan=1.0)
    latency = static_batch_s(s, u, p, i, o, batch)
    rate = np.where(
        np.isnan(c), saturated_tokens_per_s(s, u, p, i, o, MOST_SEQUENCES), batch * o / latency
    )
    first = prefill_work_s(s, u, p, i) + prefill_fixed_s(s, p)
    metric = table["metric"].to_numpy(str)
    return {
        "value": np.where(metric == "latency_s", latency, np.where(metric == "ttft_s", first, rate))
    }


def kinds(table: pd.DataFrame) -> Any:
    """The class of each row: dense, four_bit or mixture."""
    return np.array(
        [
            kind_of(catalog.model(m), p)
            for m, p in zip(table["model"], table["precision"], strict=True)
        ]
    )


@public
def serving_reality() -> pd.DataFrame:
    """Every measurement beside the model: family, model, gpu, engine, metric, measured, predicted, ratio."""
    rows = []
    for file in FILES:
        table = measured(file)
        made = predict(table, *numbers(table), engine_physics(table))
        for name, values in made.items():
            metric = table["metric"] if name == "value" else name
            rows.append(
                table.assign(
                    metric=metric, measured=table[name], predicted=values, kind=kinds(table)
                )
            )
    result = pd.concat(rows, ignore_index=True)
    result["ratio"] = result["measured"] / result["predicted"]
    keep = [
        "id",
        "family",
        "model",
        "gpu",
        "engine",
        "precision",
        "tp",
        "dp",
        "kind",
        "metric",
        "measured",
        "predicted",
        "ratio",
        "note",
    ]
    return result[keep]


# -- what no fit had seen ------------------------------------------------------------------------------

BOTH = "time per token, mixtures and FP4"
UNITS = {"tpot_s": "s", "ttft_s": "s", "latency_s": "s", "output_tokens_per_s": "token/s"}


@public
def serving_held_out() -> pd.DataFrame:
    """Every measurement beside a prediction by a fit that had not seen its model, GPU and engine together, with its 80 % band.

    Columns: id, family, kind, model, gpu, engine, precision, metric, measured (what, in words), unit, reported, low, mid, high,
    ratio (mid over reported), inside, plain (NaN: nobody has a plainer rule), source (who reported it), url. The band is made of the other groups' errors; the latency of a whole batch has none. benchmarks/fit_serving.py
    writes the ratios to data/measured/serving_held_out.csv, because the fits take minutes.
    """
    found = _measured("serving_held_out", catalog.data_folder())
    latency, throughput = (measured(file) for file in FILES)
    long = latency.melt(
        id_vars=[c for c in latency if c not in ("ttft_s", "tpot_s")],
        value_vars=["ttft_s", "tpot_s"],
        var_name="metric",
        value_name="reported",
    )
    rows = pd.concat(
        [long, throughput.rename(columns={"value": "reported"})], ignore_index=True
    ).merge(found.drop(columns="source"), on=["id", "metric"])
    mid = rows["reported"] / rows["ratio"]
    table = rows.assign(
        kind=kinds(rows),
        unit=rows["metric"].map(UNITS),
        mid=mid,
        low=mid * rows["low"],
        high=mid * rows["high"],
        ratio=1 / rows["ratio"],
    )
    table["inside"] = (table["low"] <= table["reported"]) & (table["reported"] <= table["high"])
    groups = {name: keep for name, keep in subsets(table).items() if name != BOTH}
    table["measured"] = np.select(list(groups.values()), list(groups), "")
    table["plain"] = np.nan
    credits = {id: catalog.source(id) for id in table["source"].unique()}
    table["url"] = table["source"].map({id: found.url for id, found in credits.items()})
    table["source"] = table["source"].map(
        {id: f"{found.publisher}: {found.title}" for id, found in credits.items()}
    )
    return table[
        [
            "id",
            "family",
            "kind",
            "model",
            "gpu",
            "engine",
            "precision",
            "metric",
            "measured",
            "unit",
            "reported",
            "low",
            "mid",
            "high",
            "ratio",
            "inside",
            "plain",
            "source",
            "url",
        ]
    ]


def subsets(table: pd.DataFrame) -> dict[str, Any]:
    """What the errors are told apart by: {name: rows of a table with metric, family and kind}."""
    metric, kind, family = table["metric"], table["kind"], table["family"]
    first, static = family.eq("trtllm-first-token"), family.eq("trtllm-static-batch")
    return {
        "time per token, dense": (metric == "tpot_s") & (kind == "dense"),
        "time per token, dense in FP4": (metric == "tpot_s") & (kind == "four_bit"),
        "time per token, mixture of experts": (metric == "tpot_s") & (kind == "mixture"),
        BOTH: (metric == "tpot_s") & (kind != "dense"),
        "time to first token": (metric == "ttft_s") & ~first,
        "first token, bare engine": (metric == "ttft_s") & first,
        "static batch, latency": metric == "latency_s",
        "static batch, throughput": (metric == "output_tokens_per_s") & static,
        "offline throughput": (metric == "output_tokens_per_s") & ~static,
    }


@public
def serving_errors(table: pd.DataFrame | None = None) -> pd.DataFrame:
    """Errors of a table of `serving_held_out` (None: all of it) by what was measured.

    Columns: rows, error (median of |mid / reported - 1|), mean (of the same), bias (median of mid / reported - 1), coverage (share
    inside the 80 % band, where there is one).

    >>> bool(serving_errors().loc["time per token, dense", "error"] < 0.12)
    True
    """
    table = serving_held_out() if table is None else table
    lines = {}
    for name, keep in subsets(table).items():
        part = table[keep]
        if len(part):
            error, banded = part["ratio"] - 1, part["low"].notna()
            lines[name] = {
                "rows": len(part),
                "error": error.abs().median(),
                "mean": error.abs().mean(),
                "bias": error.median(),
                "coverage": part["inside"][banded].mean() if banded.any() else np.nan,
            }
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis("measured")
