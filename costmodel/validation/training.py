"""How wrong we are about training: each measured run beside a prediction that has not seen it.

A family is who measured: one paper, vendor table or repository. Predicting it from the other
families only is what a new user's run meets. `make fidelity` and notebook 09 say the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from costmodel.core import SECONDS_PER_HOUR, check, check_known, frozen, middle, percent, public
from costmodel.facts import catalog
from costmodel.laws.training.calibration import arguments, laws, measured_training
from costmodel.laws.training.compute import training_flops
from costmodel.laws.training.predict import predict_training
from costmodel.validation.held_out import beside_measured, shipped, with_credits
from costmodel.validation.serving import serving_errors

PLAIN_MFU = 0.4  # the utilisation that most calculators assume: 6 N D FLOP at 40 % of the bf16 peak
PEER_NOTE = "counts each layer; the utilisation is its user's to choose"
PARTS = {"pretrain": "pre-training", "tune": "fine-tuning", "memory": "memory"}
WITHOUT = ("family", "model", "gpu", "method")
METHODS = {"full": "full", "lora": "LoRA", "qlora": "QLoRA", "dpo": "DPO", "rl": "RL with rollouts"}
WHOLE_RUN = ("gpu_hours", "wall_hours")  # metrics of a whole run rather than of a step
EVERY = "all, every family the same weight"
COLUMNS = """
    id part family case model gpu gpus method precision stack
    unit reported low mid high ratio inside fitted plain source url
""".split()


TOKENS = ("time per token, dense", "time per token, mixture of experts")


@public
def fidelity(part: str | None = None, without: str = "family") -> pd.DataFrame:
    """Every measured training run beside a prediction by a fit that has not seen it.

    The predictions are data/measured/training_held_out.csv, written by benchmarks/fit_training.py.

    Parameters
    ----------
    part : str, optional
        "pre-training", "fine-tuning" or "memory"; None for all three.
    without : str
        What the fit behind `mid` has not seen: the run's "family", its line of "model"s, its "gpu"
        or its "method".

    Returns
    -------
    pandas.DataFrame
        One row per measured number. `reported`, `low`, `mid` and `high` are tokens per second and
        GPU (of a whole run: its tokens over its GPU-hours), or the peak memory of one GPU in GB.
        The band (80 %) comes from the errors of the other families. `ratio` is mid over reported,
        `fitted` what `predict_training` says after a fit to every run, `plain` a plain 6 N D at
        40 % of the bf16 peak (none for memory). A run whose class (dense, adapter, experts, RL,
        offload) no other family has gets no band, and counts as outside.

    Raises
    ------
    CatalogError
        Where `part` or `without` is none of these words.

    Examples
    --------
    >>> table = fidelity("fine-tuning")
    >>> len(table) > 100, bool((table["plain"] > 0).all())
    (True, True)
    """
    check_known("group to leave out", without, WITHOUT, "fidelity")
    if part is not None:
        check_known("part", part, PARTS.values(), "fidelity")
    held_out = shipped("training_held_out").query("without == @without")
    table = with_credits(beside_measured(held_out, _runs(), "id"))[COLUMNS]
    return table if part is None else table[table["part"] == part].reset_index(drop=True)


def _runs() -> pd.DataFrame:
    """The measured runs: what was reported, how it is called, and what the other estimates say."""
    runs = measured_training()
    memory = runs["metric"] == "peak_memory_gb"
    told = predict_training(**arguments(runs))
    speed = told["tokens_per_s_per_gpu_mid"] * np.where(whole_run(runs), laws()[0].whole_run, 1.0)
    peak = np.array([middle(catalog.gpu(id)).peak_flops_bf16 for id in runs["gpu"]])
    flops = training_flops(runs["active_params"].fillna(runs["params"]), 1.0)
    return runs.assign(
        part=runs["job"].where(~memory, "memory").map(PARTS),
        case=[_case(run) for run in runs.itertuples()],
        method=method_of(runs),
        unit=np.where(memory, "GB", "token/s"),
        reported=reported(runs),
        fitted=told["peak_memory_gb_mid"].where(memory, speed),
        plain=(PLAIN_MFU * peak / flops).mask(memory),
    )


def _case(run: Any) -> str:
    """A measured run in words."""
    count = "" if np.isnan(run.gpus) else f"{run.gpus:,.0f} "
    length = "" if np.isnan(run.seq_len) else f", {run.seq_len:,.0f} tokens"
    whole = ", whole run" if run.metric in WHOLE_RUN else ""
    return f"{run.model} on {count}{run.gpu}, {run.precision.replace('_', ' ')}{length}{whole}"


def whole_run(runs: pd.DataFrame) -> pd.Series:
    """Rows that measure a whole run rather than the speed of a step."""
    return runs["metric"].isin(WHOLE_RUN)


def reported(runs: pd.DataFrame) -> pd.Series:
    """Tokens per second and GPU, or GB, of whatever was measured."""
    gpus = runs["gpus"].where(runs["metric"] == "wall_hours", 1.0)
    speed = runs["tokens"] / (runs["value"] * gpus) / SECONDS_PER_HOUR
    return runs["value"].mask(whole_run(runs), speed)


def method_of(runs: pd.DataFrame) -> pd.Series:
    """The method in words; a speed says too whether experts or states in host memory decide it."""
    memory, offload = runs["metric"] == "peak_memory_gb", runs["stack"] == "offload"
    experts = (runs["active_params"] < runs["params"]) & (runs["method"] != "rl")
    special = np.select([memory, offload, experts], ["", ", offload", ", experts"], "")
    return runs["method"].map(METHODS) + special


# -- what the table says ---------------------------------------------------------------------------


@public
def error_by(table: pd.DataFrame, by: str = "family") -> pd.DataFrame:
    """Errors of a table of `fidelity` by a column of it, and of all of it.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `fidelity`, at least one.
    by : str
        A column of the table.

    Returns
    -------
    pandas.DataFrame
        Index: group, and last all rows. Columns: `runs`, `families`, `error` (median of
        |mid / reported - 1|), `bias` (median of mid / reported - 1, to the percent), `coverage`
        (share inside the 80 % band), `error_fitted` (the same error where the fit has seen the
        family) and `error_plain` (of a plain 6 N D). In a group every family weighs the same.

    Raises
    ------
    ValueError
        Where the table has no rows or no column of this name.

    Examples
    --------
    >>> error_by(fidelity("fine-tuning"), "method").index.to_list()[-1]
    'all, every family the same weight'
    """
    check(
        by in table.columns,
        f"error_by: no column {by!r}; the table has {', '.join(map(str, table.columns))}",
    )
    check(len(table), "error_by: the table has no runs")
    groups = {name: _errors(rows) for name, rows in [*table.groupby(by), (EVERY, table)]}
    return pd.DataFrame(groups).T.rename_axis(by).astype({"runs": int, "families": int})


def _errors(rows: pd.DataFrame) -> dict[str, Any]:
    error, bias = median_errors(rows, rows["mid"])
    return {
        "runs": len(rows),
        "families": rows["family"].nunique(),
        "error": error,
        "bias": round(bias, 2) + 0.0,
        "coverage": rows.groupby(["part", "family"])["inside"].mean().mean(),
        "error_fitted": median_errors(rows, rows["fitted"])[0],
        "error_plain": median_errors(rows, rows["plain"])[0],
    }


def median_errors(rows: pd.DataFrame, predicted: pd.Series) -> tuple[float, float]:
    """(median absolute error, median error) of predicted over reported; families weigh the same."""
    weight = 1 / rows.groupby(["part", "family"])["reported"].transform("size")
    error = predicted / rows["reported"] - 1
    return quantile(error.abs(), weight, 0.5), quantile(error, weight, 0.5)


def quantile(values: Any, weight: Any, share: float) -> float:
    """Weighted quantile: the least value with that share of the weight at or below it."""
    values, order = np.asarray(values), np.argsort(values)
    total = np.cumsum(np.asarray(weight)[order])
    return float(values[order][np.searchsorted(total, share * total[-1] * (1 - 1e-12))])


@public
def misses(table: pd.DataFrame, count: int = 12, by: str | None = None) -> pd.DataFrame:
    """The runs of a table of `fidelity` that lie farthest outside their band.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `fidelity` or `serving_held_out`.
    count : int
        How many, at least 1; of each model, family and method or engine only the worst.
    by : str, optional
        A column, such as "measured": so many of each of its values.

    Returns
    -------
    pandas.DataFrame
        The rows, the worst first, with `beyond`: the factor by which the nearer end of the band
        misses the reported value.

    Raises
    ------
    ValueError
        Where `count` is below 1, or the table has no column `by`.

    Examples
    --------
    >>> bool((misses(fidelity("memory"), 3)["beyond"] > 1).all())
    True
    """
    check(count >= 1, f"misses: count is {count!r}, allowed is at least 1")
    above, below = table["reported"] / table["high"], table["low"] / table["reported"]
    far = table.assign(beyond=np.maximum(above, below)).query("beyond > 1")
    far = far.sort_values("beyond", ascending=False, kind="stable")
    same = ["family", "model", "method" if "method" in far else "engine"]
    if by is None:
        return far.drop_duplicates(same).head(count).reset_index(drop=True)
    check(by in far, f"misses: the table has no column {by!r}, it has {', '.join(far)}")
    worst = far.drop_duplicates([by, *same]).groupby(by).head(count)
    return worst.sort_values(by, kind="stable", ignore_index=True)


@public
def literature() -> pd.DataFrame:
    """Well-known tunes beside `predict_training`: no fit has seen them, and something is assumed.

    Returns
    -------
    pandas.DataFrame
        Columns: model, run, unit (hour), reported, low, mid, high, ratio, inside, and note (what
        was reported, and what is assumed).

    Examples
    --------
    >>> list(literature()["model"].head(2))
    ['s1-32b', 'vicuna-13b']
    """
    runs = measured_training("literature")
    run = [f"{METHODS[r.method]} on {r.gpus:.0f} {r.gpu}" for r in runs.itertuples()]
    told = predict_training(**arguments(runs)).filter(like="wall_hours_").assign(id=runs["id"])
    told.columns = told.columns.str.removeprefix("wall_hours_")
    table = beside_measured(told, runs.assign(run=run, reported=runs["value"]), "id")
    return table["model run unit reported low mid high ratio inside note".split()]


@frozen
class Standing:
    """How wrong we are in words.

    Parameters
    ----------
    sentence : str
        The errors of training and serving in one sentence or two.
    cards : tuple
        Four numbers as (label, value, note).

    Examples
    --------
    >>> import costmodel as cm
    >>> cards = (("runs within 25 %", "61%", "of those measured"),)
    >>> cm.validation.Standing("Half of the runs lie within 20 %.", cards).cards[0][1]
    '61%'
    """

    sentence: str
    cards: tuple[tuple[str, str, str], ...]


@public
def standing(table: pd.DataFrame) -> Standing:
    """A table of `fidelity` put into words.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `fidelity` of all three parts.

    Returns
    -------
    Standing
        The errors in a sentence, and four numbers.

    Raises
    ------
    ValueError
        Where the table lacks a part.

    Examples
    --------
    >>> len(standing(fidelity()).cards)
    4
    """
    each = {part: error_by(rows).loc[EVERY] for part, rows in table.groupby("part")}
    for part in PARTS.values():
        check(part in each, f"standing: the table has no {part}; give it fidelity()")
    before, tune, memory = (each[part] for part in PARTS.values())
    served = serving_errors()
    token, mixture = served.loc[list(TOKENS), "error"]
    inside = [part["coverage"] for part in (before, tune, memory)]
    inside += served.loc[[*TOKENS, "time to first token", "throughput"], "coverage"].to_list()
    sentence = (
        "For families of runs that the fit has not seen, half of our speeds are within "
        f"{percent(before['error'])} in pre-training and {percent(tune['error'])} in fine-tuning, "
        f"where a plain 6ND at 40 % utilisation is {percent(before['error_plain'])} and "
        f"{percent(tune['error_plain'])} off; the 80 % band holds {percent(before['coverage'])} "
        f"and {percent(tune['coverage'])} of them. Half of the times per token of a served model "
        f"are within {percent(token)} where it is dense and {percent(mixture)} where it is a "
        "mixture of experts."
    )
    cards = (
        (
            "Pre-training, median error",
            f"{percent(before['error'])}",
            f"of {before['runs']:.0f} speeds; 6ND at 40 %: {percent(before['error_plain'])}",
        ),
        (
            "Fine-tuning, median error",
            f"{percent(tune['error'])}",
            f"of {tune['runs']:.0f} speeds; 6ND at 40 %: {percent(tune['error_plain'])}",
        ),
        (
            "Peak memory, median error",
            percent(memory["error"]),
            f"of {memory['runs']:.0f}; {percent(memory['coverage'])} inside the 80 % band",
        ),
        (
            "Inside bands of 80 %",
            f"{min(inside) * 100:.0f} to {percent(max(inside))}",
            "least and most of speeds, memory and serving",
        ),
    )
    return Standing(sentence, cards)


@public
def beside_peers(table: pd.DataFrame) -> pd.DataFrame:
    """Errors of several estimators on the dense, fully trained runs, which all of them can take.

    llm-analysis counts the FLOPs of each layer, recomputation included, and divides by a
    utilisation that its user chooses. Adapters, RL and the newer GPUs are not in it, so the GPU is
    given to it from our catalogue. What it said is data/measured/peers.csv, written by
    benchmarks/peers.py.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `fidelity`.

    Returns
    -------
    pandas.DataFrame
        Index: estimator. Columns: `runs` that it can tell, `error` (median of
        |predicted / reported - 1|, every family the same weight), `bias` (median of
        predicted / reported - 1), `note`.

    Examples
    --------
    >>> beside_peers(fidelity())["error"].idxmax()
    '6ND at 40 %'
    """
    said = shipped("peers").set_index("id")
    rows = table[(table["method"] == "full") & (table["unit"] == "token/s")].join(said, on="id")
    estimators = {
        "costmodel, family left out": ("mid", "the fit has not seen the family"),
        "costmodel, fitted": ("fitted", "what predict_training says"),
        f"6ND at {percent(PLAIN_MFU)}": (
            "plain",
            "no attention, no recomputation, one utilisation",
        ),
    } | {name: (name, PEER_NOTE) for name in said}
    found = {}
    for name, (column, note) in estimators.items():
        known = rows.dropna(subset=column)
        error, bias = median_errors(known, known[column])
        found[name] = {"runs": len(known), "error": error, "bias": bias, "note": note}
    return pd.DataFrame.from_dict(found, orient="index").rename_axis("estimator")
