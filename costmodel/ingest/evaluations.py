"""Evaluations of your own: which answers were accepted, item by item, for every option."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd

from costmodel.core import TRIALS_MAX, Measured, check, frozen, public
from costmodel.ingest.collect import collected, not_read

YES = "true 1 1.0 yes y pass passed c correct accepted".split()
NO = "false 0 0.0 no n fail failed i incorrect rejected".split()
STEPS = 100  # of the fit of one factor, which settles in a dozen


@frozen
class Evaluations:
    """Judged answers; `read_evaluations` makes it.

    Parameters
    ----------
    table : DataFrame
        `option`, `item` (long names are hashed), `grader`, `accepted` (0, 1, or a share of
        `trials`), `score`, `trials`, and where known `latency_s`, `input` and `output` [token] and
        `usd`.
    notes : tuple of str
        What was left out.

    Examples
    --------
    >>> rows = [("A", k, k < 80) for k in range(100)] + [("B", k, k < 90) for k in range(100)]
    >>> made = Evaluations(pd.DataFrame(rows, columns=["option", "item", "accepted"]))
    >>> made.measured()["B"].accepted, len(made.verdicts())
    (90.0, 100)
    """

    table: pd.DataFrame
    notes: tuple[str, ...] = ()

    def verdicts(self) -> pd.DataFrame:
        """Accepted shares of items (rows) by option (columns): all graders must accept, and the
        repeats of an item are averaged.
        """
        table = self.table.assign(grader=self.table.get("grader", ""))
        each = table.groupby(["item", "option", "grader"])["accepted"].mean()
        return each.groupby(level=["item", "option"]).min().unstack("option")

    def measured(self) -> dict[str, Measured]:
        """The evaluation of every option; those that answered the same items err together.

        Two options have the correlation of `Measured.paired`; of more, one common factor (the
        difficulty of the items) is fitted to the correlations of all pairs.
        """
        trials = self.table.get("trials", pd.Series(np.nan, self.table.index))
        if trials.notna().any():
            sums = self.table.assign(n=trials, yes=trials * self.table["accepted"])
            counts = sums.groupby("option")[["yes", "n"]].sum()
            return {
                option: Measured(float(row.yes), float(row.n), name=f"{option}, judged")
                for option, row in counts.iterrows()
            }
        items = self.verdicts()
        both = items.dropna()
        driver, loadings = None, dict.fromkeys(items, 0.0)
        if len(items.columns) > 1 and len(both) > 1:
            driver = f"the same {len(both)} items"
            loadings = dict(zip(items, _loadings(both.corr().to_numpy()), strict=True))
        return {
            option: Measured(
                float(items[option].sum()), float(items[option].count()), name=f"{option}, judged",
                driver=driver if loadings[option] else None, loading=float(loadings[option]),
            )
            for option in items
        }  # fmt: skip

    def agreement(self) -> pd.DataFrame:
        """For each two graders of the same answers: `items`, the share that `agree`, Cohen's
        `kappa`.
        """
        judged = self.table.pivot_table("accepted", ["item", "option"], "grader") >= 0.5
        rows = []
        for k, one in enumerate(judged):
            for other in list(judged)[k + 1 :]:
                a, b = judged[[one, other]].to_numpy().T
                agree, p, q = (a == b).mean(), a.mean(), b.mean()
                chance = p * q + (1 - p) * (1 - q)
                kappa = (agree - chance) / (1 - chance) if chance < 1 else np.nan
                rows.append((one, other, len(judged), agree, kappa))
        return pd.DataFrame(rows, columns=["first", "second", "items", "agree", "kappa"])


def _loadings(correlation: np.ndarray) -> np.ndarray:
    """Loadings of one factor whose products meet the correlations of all pairs."""
    found = np.nan_to_num(correlation) * (1 - np.eye(len(correlation)))
    loading = np.full(len(found), np.sqrt(np.abs(found).sum() / (len(found) * (len(found) - 1))))
    for _ in range(STEPS):
        others = (loading**2).sum() - loading**2
        new = np.divide(found @ loading, others, out=np.zeros_like(loading), where=others > 0)
        loading = np.clip((loading + new) / 2, -1, 1)
    return loading


@public
def read_evaluations(
    paths: Any,
    columns: Mapping[str, str] | None = None,
    option: str | None = None,
    threshold: float | None = None,
) -> Evaluations:
    """Read evaluations: promptfoo, inspect-ai, lm-eval, deepeval, ragas, OpenAI evals, or a table.

    Parameters
    ----------
    paths : path or list of paths
    columns : dict, optional
        Of a table in no known format: {our column: the column of the file}.
    option : str, optional
        Which option answered, where the file does not say; the name of the file without it.
    threshold : float, optional
        The score from which an answer is accepted, where a file has scores alone.

    Returns
    -------
    Evaluations

    Raises
    ------
    CatalogError
        Where a file is in no known format.
    ValueError
        Where a file has scores alone and `threshold` is not given, or no answer was judged.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "x.csv").write_text("item,option,accepted\\n1,A,yes\\n2,A,no\\n")
    ...     read_evaluations(folder).measured()["A"].accepted
    1.0
    """
    tables, notes = [], []
    for file, table, _, lost in collected(paths, "evaluation", columns):
        accepted, scores = table["accepted"].map(_accepted), table["score"]
        if accepted.isna().all() and scores.notna().any():
            check(threshold is not None, f"{file} has scores alone; give threshold=, such as 0.5, "
                  "from which an answer is accepted")  # fmt: skip
            accepted = (scores >= threshold).where(np.isfinite(scores)).astype(float)
        table = table.assign(
            option=table["option"].where(table["option"] != "", option or file.partition(".")[0]),
            item=table["item"].map(_short),
            accepted=accepted,
        )
        judged = table["accepted"].notna() & _counted(table["trials"])
        lost += [*table.index[~judged]]
        notes += not_read(file, lost, "rows hold no verdict that can be read")
        tables.append(table[judged])
    whole = pd.concat(tables, ignore_index=True)
    none = f"no answer of these files was judged; {'; '.join(notes) or 'they are empty'}"
    check(len(whole), f"{none}; write the files of an evaluation")
    return Evaluations(whole, tuple(notes))


def _accepted(value: str) -> float:
    """1 or 0 for a verdict in any tool's words, a share as it is, NaN for none."""
    text = value.strip().lower()
    if text in YES or text in NO:
        return float(text in YES)
    try:
        return float(text) if 0 <= float(text) <= 1 else np.nan
    except ValueError:
        return np.nan


def _counted(trials: pd.Series) -> pd.Series:
    """Where a number of trials is not given, or can be one."""
    return trials.isna() | trials.between(1, TRIALS_MAX)


def _short(item: str) -> str:
    """The name of an item; a text that may be a question is hashed."""
    return item if len(item) <= 40 and " " not in item else sha256(item.encode()).hexdigest()[:10]
