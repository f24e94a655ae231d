"""How wrong we are: every measured training run beside a prediction that has not seen the family it comes from.

A family is who measured: one paper, vendor table or repository. Predicting it from the other families only is what a
new user's run meets. The same numbers are in `make fidelity` and in the notebook of this question.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from costmodel.core.errors import check, unknown
from costmodel.core.public import public
from costmodel.facts import catalog
from costmodel.laws.training.calibration import arguments, laws, measured_training
from costmodel.laws.training.compute import training_flops
from costmodel.laws.training.predict import predict_training
from costmodel.laws.training.run import class_of
from costmodel.validation.serving import serving_errors
from costmodel.validation.training_fit import (
    arrays,
    left_out,
    log_memory,
    log_speed,
    measured_speed,
    memory_fit,
    quantile,
    speed_fit,
    split,
    whole,
    widths,
)

PLAIN_MFU = 0.4  # the utilisation that most calculators assume: 6 N D FLOP at 40 % of the bf16 peak
PARTS = {"pretrain": "pre-training", "tune": "fine-tuning", "memory": "memory"}
WITHOUT = ("family", "gpu", "method")
METHODS = {"full": "full", "lora": "LoRA", "qlora": "QLoRA", "dpo": "DPO", "rl": "RL with rollouts"}
EVERY = "all, every family the same weight"
COLUMNS = [
    "id",
    "part",
    "family",
    "case",
    "model",
    "gpu",
    "gpus",
    "method",
    "precision",
    "stack",
    "unit",
    "reported",
    "low",
    "mid",
    "high",
    "ratio",
    "inside",
    "fitted",
    "plain",
    "source",
    "url",
]


@public
def fidelity(part: str | None = None, without: str = "family") -> pd.DataFrame:
    """Every measured run of a part ("pre-training", "fine-tuning", "memory"; None: all), one row each.

    `without` says what the fit behind `mid` has not seen: the run's "family", its "gpu" or its "method".

    `reported`, `low`, `mid`, `high` are tokens per second and GPU (of a whole run: its tokens over its GPU-hours), or
    the peak memory of one GPU in GB. `mid` comes from a fit without the run's family, the 80 % band from the errors of
    the other families (whose fits have seen it). `ratio` is mid over reported, `fitted` what `predict_training` says
    after a fit to every run, `plain` a plain 6 N D at 40 % of the bf16 peak (none for memory). A run whose class (dense,
    adapter, experts, RL, offload) no other family has gets no band, and counts as outside.

    >>> table = fidelity("fine-tuning")
    >>> len(table) > 100, bool((table["plain"] > 0).all())
    (True, True)
    """
    if without not in WITHOUT:
        raise unknown("group to leave out", without, WITHOUT, "fidelity")
    table = _predicted(without)
    if part is None:
        return table.copy()
    if part not in PARTS.values():
        raise unknown("part", part, PARTS.values(), "fidelity")
    return table[table["part"] == part].reset_index(drop=True)


@public
def error_by(table: pd.DataFrame, by: str = "family") -> pd.DataFrame:
    """Errors of a table of `fidelity` by a column of it, and of all of it; in a group every family weighs the same.

    Columns: `runs`, `families`, `error` (median of |mid / reported - 1|), `bias` (median of mid / reported - 1, to the percent),
    `coverage` (share inside the 80 % band), `error_fitted` (the same error where the fit has seen the family) and
    `error_plain` (of a plain 6 N D).

    >>> error_by(fidelity("fine-tuning"), "method").index.to_list()[-1]
    'all, every family the same weight'
    """
    check(
        by in table.columns,
        f"error_by: no column {by!r}; the table has {', '.join(map(str, table.columns))}",
    )
    check(len(table) > 0, "error_by: the table has no runs")
    groups = {name: _errors(rows) for name, rows in table.groupby(by)}
    return (
        pd.DataFrame({**groups, EVERY: _errors(table)})
        .T.rename_axis(by)
        .astype({"runs": int, "families": int})
    )


@public
def misses(table: pd.DataFrame, count: int = 12) -> pd.DataFrame:
    """The runs of a table of `fidelity` that lie farthest outside their band, the worst of each model, family and method.

    `beyond` is the factor by which the nearer end of the band misses the reported value.
    """
    check(count >= 1, f"misses: count is {count!r}, allowed is at least 1")
    ends = np.where(
        table["reported"] > table["high"],
        table["reported"] / table["high"],
        table["low"] / table["reported"],
    )
    far = table.assign(beyond=ends)[~table["inside"] & table["low"].notna()].sort_values(
        "beyond", ascending=False, kind="stable"
    )
    return far.drop_duplicates(["family", "model", "method"]).head(count).reset_index(drop=True)


@public
def literature() -> pd.DataFrame:
    """Well-known tunes of which something had to be assumed, beside `predict_training`; no fit has seen them.

    Columns: model, run, unit, reported, low, mid, high, ratio, inside, note (what was reported, and what is assumed).
    """
    rows = measured_training("literature")
    told = predict_training(**arguments(rows))
    low, mid, high = (told[f"wall_hours_{end}"] for end in ("low", "mid", "high"))
    reported = rows["value"]
    run = (
        rows["method"].map(METHODS)
        + " on "
        + rows["gpus"].astype(int).astype(str)
        + " "
        + rows["gpu"]
    )
    return pd.DataFrame(
        {
            "model": rows["model"],
            "run": run,
            "unit": rows["unit"],
            "reported": reported,
            "low": low,
            "mid": mid,
            "high": high,
            "ratio": mid / reported,
            "inside": reported.between(low, high),
            "note": rows["note"],
        }
    )


@public
@dataclass(frozen=True)
class Standing:
    """How wrong we are in words: one sentence, and four numbers as (label, value, note)."""

    sentence: str
    cards: tuple[tuple[str, str, str], ...]


@public
def standing(table: pd.DataFrame) -> Standing:
    """A table of `fidelity` with all its parts, put into words."""
    each = {part: error_by(rows).loc[EVERY] for part, rows in table.groupby("part")}
    for part in PARTS.values():
        check(part in each, f"standing: the table has no {part}; give it fidelity()")
    before, tune, memory = (each[part] for part in PARTS.values())
    served = serving_errors()["error"]
    token, mixture = served["time per token, dense"], served["time per token, mixture of experts"]
    sentence = (
        f"For families of runs that the fit has not seen, half of our speeds are within {before['error']:.0%} in pre-training and "
        f"{tune['error']:.0%} in fine-tuning, where a plain 6ND at 40% utilisation is {before['error_plain']:.0%} and "
        f"{tune['error_plain']:.0%} off; the 80% band holds {before['coverage']:.0%} and {tune['coverage']:.0%} of them. Half of the times per "
        f"token of a served model are within {token:.0%} where it is dense and {mixture:.0%} where it is a mixture of experts."
    )
    cards = (
        (
            "Pre-training, median error",
            f"{before['error']:.0%}",
            f"of {int(before['runs'])} speeds; 6ND at 40 %: {before['error_plain']:.0%}",
        ),
        (
            "Fine-tuning, median error",
            f"{tune['error']:.0%}",
            f"of {int(tune['runs'])} speeds; 6ND at 40 %: {tune['error_plain']:.0%}",
        ),
        (
            "Peak memory, median error",
            f"{memory['error']:.0%}",
            f"of {int(memory['runs'])}; {memory['coverage']:.0%} inside the 80 % band",
        ),
        ("Serving, time per token", f"{token:.0%}", f"mixtures of experts: {mixture:.0%}"),
    )
    return Standing(sentence, cards)


# -- how the table is made -----------------------------------------------------------------------------


@cache
def _predicted(by: str) -> pd.DataFrame:
    speed, memory = split(measured_training())
    law, law_memory, _ = laws()
    run = arrays(speed)
    kinds = class_of(run)
    method = speed["method"].map(METHODS) + np.select(
        [kinds == "moe", kinds == "offload"], [", experts", ", offload"], ""
    )
    speed = speed.assign(method=method)
    others = (
        "gpu" if by == "gpu" else "family"
    )  # no other method has the same class, so its band is that of other families
    error, _ = left_out(speed_fit, log_speed, run, speed, by)
    plain = PLAIN_MFU * run.peak_bf16 / training_flops(run.active_params, 1.0)
    rows = _table(
        speed,
        speed["job"].map(PARTS),
        "token/s",
        measured_speed(speed),
        error,
        widths(error, kinds, speed, others),
        log_speed(run, law, speed),
        plain,
    )
    run = arrays(memory)
    error, _ = left_out(memory_fit, log_memory, run, memory, by)
    width = widths(error, np.full(len(memory), "memory"), memory, others)
    more = _table(
        memory.assign(method=memory["method"].map(METHODS)),
        "memory",
        "GB",
        memory["value"],
        error,
        width,
        log_memory(run, law_memory, memory),
        np.nan,
    )
    return pd.concat([rows, more], ignore_index=True)


def _table(
    table: pd.DataFrame,
    part: Any,
    unit: str,
    reported: Any,
    error: np.ndarray,
    width: np.ndarray,
    fitted: np.ndarray,
    plain: Any,
) -> pd.DataFrame:
    """The columns of `fidelity` from log errors and log half-widths."""
    ratio = np.exp(error)
    mid = reported * ratio
    length = np.where(
        table["seq_len"].isna(),
        "",
        ", " + table["seq_len"].fillna(0).astype(int).map("{:,}".format) + " tokens",
    )
    count = np.where(
        table["gpus"].isna(), "", table["gpus"].fillna(0).astype(int).map("{:,} ".format)
    )
    whole_run = np.where(whole(table), ", whole run", "")
    case = (
        table["model"]
        + " on "
        + count
        + table["gpu"]
        + ", "
        + table["precision"].str.replace("_", " ")
        + length
        + whole_run
    )
    return table.assign(
        part=part,
        case=case,
        unit=unit,
        reported=reported,
        low=mid * np.exp(-width),
        mid=mid,
        high=mid * np.exp(width),
        ratio=ratio,
        inside=np.abs(error) <= width + 1e-12,
        fitted=reported * np.exp(fitted),
        plain=plain,
        source=table["source"].map(lambda s: _source(s)[0]),
        url=table["source"].map(lambda s: _source(s)[1]),
    )[COLUMNS]


def _source(name: str) -> tuple[str, str]:
    found = catalog.source(name)
    return f"{found.publisher}: {found.title}", found.url


def spread(rows: pd.DataFrame, predicted: pd.Series) -> tuple[float, float]:
    """(median absolute error, median error) of predicted over reported; every family of every part weighs the same."""
    weight = (1 / rows.groupby(["part", "family"])["reported"].transform("size")).to_numpy()
    error = (predicted / rows["reported"] - 1).to_numpy(float)
    return quantile(np.abs(error), weight, 0.5), quantile(error, weight, 0.5)


def _errors(rows: pd.DataFrame) -> dict[str, Any]:
    covered = (
        rows.groupby(["part", "family"])["inside"].mean().mean()
    )  # the mean of families: each weighs the same; no band is outside
    error, bias = spread(rows, rows["mid"])
    return {
        "runs": len(rows),
        "families": rows["family"].nunique(),
        "error": error,
        "bias": round(bias, 2) + 0.0,
        "coverage": float(covered),
        "error_fitted": spread(rows, rows["fitted"])[0],
        "error_plain": spread(rows, rows["plain"])[0],
    }
