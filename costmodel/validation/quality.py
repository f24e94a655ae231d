"""How far the curves of quality are off where they have not been fitted.

The measured tables are data/measured/quality.csv. benchmarks/fit_quality.py fits each curve without
each benchmark and asks it for that benchmark: the error is the one that a new corpus meets.
"""

from __future__ import annotations

import pandas as pd

from costmodel.core import check_known, public
from costmodel.validation.held_out import beside_measured, measured, shipped

ROWS = """
    curve benchmark model method question tokens reported low mid high inside source
""".split()
FEW_QUESTIONS = 0.005  # 0 or 100 % of few questions count as this far from the end


@public
def measured_quality() -> pd.DataFrame:
    """Published accuracies, recalls and scores: who was asked what, in how long a context.

    Returns
    -------
    pandas.DataFrame
        One row per number. `value` is a share, `tokens` the length of the context, `position` the
        place of the answer in it (0 first, 1 last). `reader` is the class of the model, set by its
        size and date before any fit: frontier (closed flagships since 2024 and their open peers),
        strong (from 30B, older flagships, small closed models) or small.

    Examples
    --------
    >>> sorted(measured_quality()["reader"].unique())
    ['', 'frontier', 'small', 'strong']
    """
    return measured("quality")


@public
def quality_fidelity(by: str | None = "benchmark") -> pd.DataFrame:
    """How far the curves of quality are off: each benchmark by a fit that has not seen it.

    A context curve starts from the model's own shortest context, a gain from plain retrieval on the
    same questions, a recall curve from its own k = 1, a position curve from the first place.

    Parameters
    ----------
    by : str, optional
        A column beside the curve, such as "benchmark" or "model"; None for every single row.

    Returns
    -------
    pandas.DataFrame
        Index: curve and `by`. Columns: `rows`, `error` (mean of |predicted - reported|, in share),
        `bias` (mean of predicted - reported) and `coverage` of the 80 % band. Single rows have
        curve, benchmark, model, method, question, tokens, reported, low, mid, high, inside, source.

    Examples
    --------
    >>> bool(quality_fidelity().loc["context length", "rows"].sum() > 200)
    True
    """
    rows = measured_quality().rename(columns={"value": "reported"})
    table = beside_measured(shipped("quality_held_out"), rows, "id")
    inner = table[["reported", "low", "high"]].clip(FEW_QUESTIONS, 1 - FEW_QUESTIONS)
    table["inside"] = inner["reported"].between(inner["low"], inner["high"])
    if by is None:
        return table[ROWS]
    check_known("column", by, table.columns, "the measured rows")
    bias = table["mid"] - table["reported"]
    return (
        table.assign(bias=bias, error=bias.abs())
        .groupby(["curve", by], sort=False)
        .agg(
            rows=("error", "size"),
            error=("error", "mean"),
            bias=("bias", "mean"),
            coverage=("inside", "mean"),
        )
    )


@public
def task_quality_fidelity(by: str | None = "task") -> pd.DataFrame:
    """How far quality expected from task and model is off, on benchmarks that no fit has seen.

    `python benchmarks/quality_fit.py FOLDER --write` makes it from a table of published scores,
    which is not shipped whole. "task and model": every row whose model has an index, by a fit
    without its benchmark. "one measured": the same with 200 answers of one other model of that
    benchmark, each in turn. "no index": rows of models that are placed by size and date, or taken
    for one of today; for the 1,488 of the latter the middle is 20 points too high.

    Parameters
    ----------
    by : str, optional
        "task"; None for single rows, one of each benchmark.

    Returns
    -------
    pandas.DataFrame
        Index: check and task. Columns: `rows`, `benchmarks` (weighed the same), `error` (mean of
        |predicted - reported|, in share), `coverage` of the 80 % band, and `reported` and
        `predicted` where one number stands for the row. Single rows have the model, what it was
        asked, `reported`, `low`, `mid`, `high`, `inside`, the model that was measured, and `law_*`,
        what the law says that has seen all benchmarks.

    Raises
    ------
    ValueError
        Where `by` is neither.

    Examples
    --------
    >>> import costmodel as cm
    >>> table = cm.validation.task_quality_fidelity()
    >>> bool(0.75 < table.loc[("task and model", "all"), "coverage"] < 0.88)
    True
    """
    check_known("by", str(by), ("task", "None"), "task_quality_fidelity")
    if by is None:
        return shipped("task_quality_rows")
    return shipped("task_quality_held_out").set_index(["check", "task"])
