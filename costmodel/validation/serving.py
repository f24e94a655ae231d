"""Measurements of serving, and the model beside each.

data/measured/ is the one place with wide rows: a measurement is a single number (or the pair of
first and later token times) of many co-ordinates, and it means nothing without them. Both files
keep the rules of the other facts: SI units, a date, a source, a short note; a test reads every row.

* serving_latency.csv: mean time to first token and per later token, `concurrency` requests always
  in flight. `waves` is requests over concurrency. Families: `inferencemax` (lengths drawn between
  80 and 100 % of those stated, ten waves), `gap-analysis` (one burst assumed: first tokens come as
  late as all prompts read at once would). TensorRT-LLM often reports tokens in groups of 20, which
  its first-token times contain. What the public scripts of `inferencemax` set otherwise: `chunk` is
  the most prompt tokens of a pass (else 8,192), `polled` the passes from one look for new requests
  to the next (else 1). Their caches are in FP8 but where a script leaves that to the checkpoint:
  gpt-oss-120b on H100 and H200, DeepSeek-R1 with SGLang on H200, MiniMax-M2.5 in FP8 on H100, H200
  and, before vLLM 0.19, B200 (github.com/SemiAnalysisAI/InferenceX, folder benchmarks).
* serving_practice.csv: output_tokens_per_s of servers of practitioners, a number of requests at
  once; most are engines with their defaults (`stack`).
* serving_throughput.csv: `metric` is output_tokens_per_s (whole instance; concurrency empty: the
  queue never empties), latency_s (one whole batch) or ttft_s (one prompt, nothing else running, no
  server around it).

`model` names the record that has the measured shape. Where the key-value precision is empty the
model's default holds.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from costmodel.core import check_known, public
from costmodel.facts import catalog
from costmodel.laws.serving.batching import (
    first_pass_s,
    saturated_tokens_per_s,
    served,
    static_batch_s,
)
from costmodel.laws.serving.calibration import (
    FILES,
    kind_of,
    measured,
    memory_share,
    physics,
    setup_of,
    shape_of,
    stack,
)
from costmodel.laws.serving.instance import CHUNK, Physics, Setup, Shape, instance
from costmodel.validation.held_out import beside_measured, shipped, with_credits

NEWEST = "2026-01-01"  # engines of this date carry the calibrated overheads
DAYS_PER_YEAR = 365.25
V1 = "2025-01-27"  # from then on vLLM schedules while the GPU works: vLLM blog, "vLLM V1"
BARE = ("mlperf-4.1",)  # a harness of its own, which hands over requests in whole batches
MOST_SEQUENCES = 2048.0  # per attention group in offline runs: the default of TensorRT-LLM
PRACTICE = ("gpustack-lab", "qwen-on-gke")
PASSES = {"chunk": CHUNK, "polled": 1.0}  # settings of an engine that a benchmark may change
UNUSED = "not used: "  # how the note of a row begins that contradicts itself; the note says how
UNITS = {"tpot_s": "s", "ttft_s": "s", "latency_s": "s", "output_tokens_per_s": "token/s"}
TODAY = """
    id family model gpu engine precision tp dp kind metric measured predicted ratio note
""".split()
LEFT_OUT = ("group", "model", "version", "source")
HELD_OUT = """
    id family kind model gpu engine version precision metric measured unit
    reported low mid high ratio inside plain source url
""".split()


# -- the model beside each row ---------------------------------------------------------------------


def numbers(table: pd.DataFrame) -> tuple[Shape, Setup]:
    """Architecture and setup of every row, as arrays."""
    shape = cache(shape_of)
    setups = [
        setup_of(r.gpu, r.precision, r.kv_precision, bool(catalog.model(r.model).experts))
        for r in table.itertuples()
    ]
    tp, dp, ep = (table[name].to_numpy(float) for name in ("tp", "dp", "ep"))
    held = [s.memory for s in setups]
    share = np.array(list(map(memory_share, table["engine"], table["stack"], held)))
    layout = {"tensor_parallel": tp, "data_parallel": dp, "expert_parallel": ep}
    passes = {name: table[name].fillna(usual) for name, usual in PASSES.items() if name in table}
    spread = replace(stack(setups), memory_share=share, **layout, **passes)
    return stack([shape(id) for id in table["model"]]), spread


def ages(table: pd.DataFrame) -> Any:
    """Years of each row before the calibrated engines; 0 for later ones."""
    days = (pd.Timestamp(NEWEST) - pd.to_datetime(table["as_of"])).dt.days
    return (days / DAYS_PER_YEAR).clip(0.0).to_numpy()


def in_turn(table: pd.DataFrame) -> Any:
    """1 for each row of a vLLM that schedules while its GPU waits (V0), else 0."""
    old = pd.to_datetime(table["as_of"]) < pd.Timestamp(V1)
    return (table["engine"].eq("vllm") & old & ~_family(table).isin(BARE)).to_numpy(float)


def _family(table: pd.DataFrame) -> pd.Series:
    """Who measured each row; the published ones are named by nobody."""
    return table.get("family", pd.Series("", table.index))


def engine_physics(table: pd.DataFrame) -> Physics:
    """The physics of every row: its engine family, and older overheads for older versions."""
    known = ("roofline.overhead_fall", "vllm_v0.host_s_per_sequence")
    fall, host = (catalog.fact("serving", name).value.mid for name in known)
    rows = stack(list(map(physics, table["engine"], table["stack"])))
    return of_version(rows, table, ages(table), fall, host)


def of_version(rows: Physics, table: pd.DataFrame, age: Any, fall: Any, host: Any) -> Physics:
    """The physics of engines as old as the rows of a table."""
    return replace(rows, ageing=(1 - fall) ** -age, host_s_per_sequence=host * in_turn(table))


def predict(table: pd.DataFrame, s: Shape, u: Setup, p: Physics) -> dict[str, Any]:
    """The model's best value for every row of a file: {metric: array}."""
    on = instance(s, u, p)
    i, o, c = table[["input_tokens", "output_tokens", "concurrency"]].to_numpy(float).T
    if "waves" in table:
        result = served(on, i, o, c, table["waves"].to_numpy(float))
        if "value" in table:
            return {"value": result.output_tokens_per_s}
        return {"ttft_s": result.ttft_s, "tpot_s": result.tpot_s}
    batch = np.nan_to_num(c, nan=1.0)
    latency = static_batch_s(on, i, o, batch)
    full = saturated_tokens_per_s(on, i, o, MOST_SEQUENCES)
    first = first_pass_s(on, i)
    metric = table["metric"]
    rate = np.where(np.isnan(c), full, batch * o / latency)
    return {"value": np.select([metric == "latency_s", metric == "ttft_s"], [latency, first], rate)}


def kinds(table: pd.DataFrame) -> Any:
    """The class of each row: dense, four_bit, mixture or hybrid."""
    return np.array([kind_of(catalog.model(r.model), r.precision) for r in table.itertuples()])


@public
def serving_reality() -> pd.DataFrame:
    """Every measurement of serving beside what the calibrated model says today.

    Returns
    -------
    pandas.DataFrame
        Columns: id, family, model, gpu, engine, precision, tp, dp, kind, metric, measured and
        predicted (seconds, or token/s), ratio (measured over predicted), note.

    Examples
    --------
    >>> bool(serving_reality()["ratio"].median().round(1) == 1.0)
    True
    """
    parts = []
    for file in FILES:
        table = measured(file)
        for name, values in predict(table, *numbers(table), engine_physics(table)).items():
            parts.append(
                table.assign(
                    metric=table["metric"] if name == "value" else name,
                    kind=kinds(table),
                    measured=table[name],
                    predicted=values,
                    ratio=table[name] / values,
                )
            )
    return pd.concat(parts, ignore_index=True)[TODAY]


# -- what no fit had seen --------------------------------------------------------------------------


@public
def serving_held_out(without: str = "group") -> pd.DataFrame:
    """Every measurement of serving beside a prediction by a fit that had not seen it.

    The predictions are data/measured/serving_held_out.csv, written by benchmarks/fit_serving.py.

    Parameters
    ----------
    without : "group", "model", "version" or "source"
        What the fit has not seen: the model, GPU and engine of the row together, its model
        anywhere, the version of its engine, or what its publisher measured of its engine.

    Returns
    -------
    pandas.DataFrame
        Columns: id, family, kind, model, gpu, engine, version, precision, metric, measured (what,
        in words), unit, reported, low, mid, high (80 % band, made of the other groups' errors; the
        latency of a whole batch has none), ratio (mid over reported), inside, plain (NaN: nobody
        has a plainer rule), source (who reported it), url.

    Raises
    ------
    CatalogError
        Where `without` is none of these words.

    Examples
    --------
    >>> len(serving_held_out()) > 3_000
    True
    """
    check_known("what is left out", without, LEFT_OUT, "serving_held_out")
    latency, *rates = (measured(file) for file in FILES)
    times = ["ttft_s", "tpot_s"]
    first_and_later = latency.melt(latency.columns.difference(times), times, "metric", "reported")
    rows = pd.concat([first_and_later, *(t.rename(columns={"value": "reported"}) for t in rates)])
    said = shipped("serving_held_out").query("without == @without").drop(columns="without")
    table = beside_measured(rows, said, "id", "metric")
    table = table.assign(kind=kinds(table), unit=table["metric"].map(UNITS), plain=np.nan)
    names = subsets(table)
    table["measured"] = np.select(list(names.values()), list(names), "")  # the first that fits
    return with_credits(table)[HELD_OUT]


def subsets(table: pd.DataFrame) -> dict[str, Any]:
    """What the errors are told apart by: {name: rows of a table with metric, family and kind}."""
    kind, family = table["kind"], table["family"]
    later, first, latency, rate = (table["metric"] == metric for metric in UNITS)
    bare, static = family == "trtllm-first-token", family == "trtllm-static-batch"
    practice = family.isin(PRACTICE)
    return {
        "time per token, dense": later & (kind == "dense"),
        "time per token, dense in FP4": later & (kind == "four_bit"),
        "time per token, mixture of experts": later & (kind == "mixture"),
        "time per token, mixtures and FP4": later
        & ~kind.isin(("dense", "hybrid")),  # the two before
        "time to first token": first & ~bare,
        "first token, bare engine": first & bare,
        "static batch, latency": latency,
        "static batch, throughput": rate & static,
        "offline throughput": rate & ~static & ~practice,
        "throughput of practitioners": rate & practice & (kind != "hybrid"),
        "throughput, hybrid (fitted)": rate & (kind == "hybrid"),
        "throughput": rate,  # the four before
    }


@public
def serving_errors(table: pd.DataFrame | None = None) -> pd.DataFrame:
    """Errors of a table of `serving_held_out`, by what was measured.

    Parameters
    ----------
    table : pandas.DataFrame, optional
        Rows of `serving_held_out`; None for all of them.

    Returns
    -------
    pandas.DataFrame
        Index: what was measured. Columns: rows, error (median of |mid / reported - 1|), mean (of
        the same), bias (median of mid / reported - 1), coverage (share inside the 80 % band, where
        there is one).

    Examples
    --------
    >>> bool(serving_errors().loc["time per token, dense", "error"] < 0.12)
    True
    """
    table = serving_held_out() if table is None else table
    lines = {}
    for name, keep in subsets(table).items():
        if keep.any():
            part = table[keep]
            error = part["ratio"] - 1
            lines[name] = {
                "rows": len(part),
                "error": error.abs().median(),
                "mean": error.abs().mean(),
                "bias": error.median(),
                "coverage": part["inside"][part["low"].notna()].mean(),
            }
    return pd.DataFrame.from_dict(lines, orient="index").rename_axis("measured")
