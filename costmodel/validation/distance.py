"""How error and coverage grow with the distance of a measurement from what a fit has seen."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from costmodel.core import public
from costmodel.laws.serving.calibration import FEW
from costmodel.validation.serving import LEFT_OUT, serving_errors, serving_held_out, subsets
from costmodel.validation.training import EVERY, error_by, fidelity

SERVING = {  # the words of `serving_errors` that a table of distances shows
    "time per token, dense": "serving: time per token, dense",
    "time per token, dense in FP4": "serving: time per token, dense in FP4",
    "time per token, mixture of experts": "serving: time per token, mixture",
    "time to first token": "serving: first token",
    "throughput": "serving: throughput",
    "offline throughput": "serving: throughput offline",
    "throughput of practitioners": "serving: throughput of practitioners",
    "static batch, throughput": "serving: throughput of static batches",
    "throughput, hybrid (fitted)": "serving: throughput, hybrid",
}
FITTED = "throughput, hybrid (fitted)"  # one row, and two numbers were set to meet it
BY_ENGINE = tuple(SERVING)[:4]  # times of a token; throughput of other engines has few models
ENGINES = {"vllm": "vLLM", "sglang": "SGLang", "trtllm": "TensorRT-LLM"}
LABORATORY = "throughput of practitioners"  # all of one, which is left out whatever the engine
HELD = (0.75, 0.88)  # share inside a band of 80 % that holds
NEAR = {"group": "model, GPU and engine", "model": "model", "source": "source"}
NEAR["version"] = "engine version"
GROUPS = {"group": ["model", "gpu", "engine"], "model": ["model"], "source": ["family", "engine"]}
GROUPS["version"] = ["engine", "version"]
TRAINING = {"family": "source", "model": "model", "gpu": "GPU"}


@public
def by_distance() -> pd.DataFrame:
    """Error and coverage of what was predicted, by what the fit behind it had not seen.

    The nearer rows are those of another GPU or engine of a model that the fit knows; the farthest
    are those of a source that it has never met: what a publisher measured of an engine (its rows of
    other engines stay), or all of a laboratory of practitioners. A band that is honest holds 80 %
    at each distance. In training every source weighs the same; in serving every measurement does,
    so that long tables decide (bands are set with weights between those of rows and of groups). A
    band that holds over all engines may not hold for one: rows say so, with their model left out.
    No fit leaves an engine out. Hybrids have one measurement, which two numbers were set to meet:
    it tests nothing.

    Returns
    -------
    pandas.DataFrame
        Columns: what, without (what the fit has not seen), rows, groups (how many models, sources
        ... they are of: a band is only as sure as these are many), error (median of |mid / reported
        - 1|), bias (median of mid / reported - 1), coverage (share inside the 80 % band; NaN where
        a row was fitted), band ("holds", "too narrow" or "too wide"; of "few groups" one more
        decides that, so it is not shown; "fitted").

    Examples
    --------
    >>> table = by_distance()
    >>> sorted(table["without"].unique())
    ['GPU', 'engine version', 'laboratory', 'model', 'model (SGLang)', 'model (TensorRT-LLM)', \
'model (vLLM)', 'model, GPU and engine', 'nothing', 'source']
    """
    rows: list[dict[str, Any]] = []
    for without in LEFT_OUT:
        held = serving_held_out(without)
        errors, kept = serving_errors(held), subsets(held)
        for name, words in SERVING.items():
            far, of = NEAR[without], GROUPS[without]
            if name == LABORATORY and without == "source":
                far, of = "laboratory", ["family"]
            shown = _shown(errors.loc[name], "rows", _groups(held[kept[name]], of))
            if name != FITTED:
                rows.append({"what": words, "without": far} | shown)
            elif without == LEFT_OUT[0]:
                fitted = {"coverage": np.nan, "band": "fitted"}
                rows.append({"what": words, "without": "nothing"} | shown | fitted)
        for engine, name in product(ENGINES if without == "model" else (), BY_ENGINE):
            of_engine = held[kept[name] & (held["engine"] == engine)]
            if of_engine["engine"].any() and held.loc[kept[name], "engine"].nunique() > 1:
                shown = serving_errors(of_engine).loc[name]
                shown = _shown(shown, "rows", _groups(of_engine, GROUPS[without]))
                rows.append(
                    {"what": SERVING[name], "without": f"model ({ENGINES[engine]})"} | shown
                )
    for without, words in TRAINING.items():
        runs = fidelity(without=without)
        kind = "training: " + runs["method"].where(runs["part"] != "memory", "peak memory")
        for name, of_kind in runs.groupby(kind):
            errors = error_by(of_kind).loc[EVERY]
            groups = of_kind[without]
            if without == "model":  # whole lines of models are left out
                groups = groups.str.split("[-_ ]").str[0]
            shown = _shown(errors, "runs", groups.nunique())
            rows.append({"what": name, "without": words} | shown)
    table = pd.DataFrame(rows)
    order = pd.unique(table["what"])
    table["what"] = pd.Categorical(table["what"], order, ordered=True)
    table = table.sort_values("what", kind="stable", ignore_index=True)
    return table.assign(what=table["what"].astype(str))


def _groups(rows: pd.DataFrame, of: list[str]) -> int:
    return len(rows[of].drop_duplicates())


def _shown(errors: pd.Series, count: str, groups: int) -> dict[str, Any]:
    low, high = HELD
    inside = errors["coverage"]
    holds = "too narrow" if inside < low else "too wide" if inside > high else "holds"
    return {
        "rows": int(errors[count]),
        "groups": groups,
        "error": errors["error"],
        "bias": errors["bias"],
        "coverage": inside,
        "band": holds + (", few groups" if groups < FEW else ""),
    }
