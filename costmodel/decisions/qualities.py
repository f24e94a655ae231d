"""What quality to expect of each option, before and after your evaluations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core import Measured
from costmodel.decisions.simulate import simulate

BAND = (10, 50, 90)  # percentiles: an 80 % band and its middle
COLUMNS = ["before_low", "before", "before_high", "low", "mid", "high", "narrower", "judged"]


@analysis
def quality_bands(study: Study) -> pd.DataFrame:
    """Show the share accepted of each option, before and after what was judged.

    Before, it follows from the task, the model and the techniques; an evaluation of one option
    narrows the others too, because they share what is not known.

    Parameters
    ----------
    study : Study, or options with a workload
        What can be chosen.

    Returns
    -------
    DataFrame
        Index option. `before_low`, `before`, `before_high` and `low`, `mid`, `high`: 80 % bands and
        their middles [share]; `narrower`, by how much the band is narrower [points]; `judged`, such
        as "85 of 100". NaN where an option does not run or its quality is not known.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG", "Small model + RAG").changed(draws=1_000)
    >>> judged = cm.choices.with_quality(study.options["RAG"], cm.Measured(85, 100))
    >>> table = quality_bands(study.changed(options={**study.options, "RAG": judged}))
    >>> table["judged"].to_list(), bool((table["narrower"] > 5).all())
    (['85 of 100', ''], True)
    """
    judged = {x: o.quality for x, o in study.options.items() if isinstance(o.quality, Measured)}
    first = study.before or study
    free = {
        label: replace(option, quality=None) if label in judged else option
        for label, option in first.options.items()
    }
    laws = study
    if judged or study.evidence or first is not study:
        laws = replace(first, options=free, evidence={}, accept_zero=None)
    before, after = (_bands(some) for some in (laws, study))
    table = pd.DataFrame(index=pd.Index(study.options, name="option"))
    table[COLUMNS[:3]], table[COLUMNS[3:6]] = before, after
    width = table["before_high"] - table["before_low"] - (table["high"] - table["low"])
    table["narrower"] = 100 * width
    said = {label: f"{q.accepted:g} of {q.trials:g}" for label, q in judged.items()}
    return table.assign(judged=[said.get(label, "") for label in table.index])


def _bands(study: Study) -> np.ndarray:
    """The band of each option, a row an option."""
    known = simulate(study).accepted
    nothing = np.full(3, np.nan)
    rows = []
    for label in study.options:
        share = known.get(label, nothing)
        runs = share[~np.isnan(share)]
        rows.append(np.percentile(runs, BAND) if runs.size else nothing)
    return np.array(rows)
