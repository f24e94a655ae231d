"""How sure: which doubt moves a total, how it spreads, how often one option costs less, and what
quality to expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core import Doubt, Measured, check, leaves, require, unit_of
from costmodel.decisions.simulate import (
    BAND,
    FEW,
    band,
    comparable,
    expected,
    mean,
    on_equal_terms,
    p_cheapest,
    paths,
    simulate,
    that_run,
    totals,
)

FAN_DRAWS = 2_000
WIDEST = 12  # bars of a tornado that rest on FAN_DRAWS
QUALITY_BAND = (10, 50, 90)  # percentiles: an 80 % band and its middle
QUALITIES = ["before_low", "before", "before_high", "low", "mid", "high", "narrower", "judged"]
MARGINS = (0.0, 0.05, 0.10, 0.25, 0.50)


@analysis
def tornado(study: Study, label: str | None = None, against: str | None = None) -> pd.DataFrame:
    """Expected cost of one option with each doubt at either end, the others drawn.

    The bars do not add up: what they do together is the band of `compare`, whose variance is pooled
    over the draws.

    Parameters
    ----------
    study : Study, or options with a workload
        Where the options stand.
    label : str, optional
        The option; without one, the only option.
    against : str, optional
        With it, the expected present value of the option less that of this one: an input whose bar
        crosses 0 can change which of the two is better.

    Returns
    -------
    DataFrame
        Widest first: `input`, `low` and `high` (ends of the Range, in `unit`), `usd_low`,
        `usd_high` and `spread` [USD over the horizon], `currency`. Against another option also
        `turns`, whether the difference changes its sign between the ends.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> tornado(study, "Prompt", draws=500)["input"][0]
    'Workload.usd_per_failure'
    >>> pair = tornado(study, "RAG", against="Long context + cache", draws=500)
    >>> bool(pair["turns"].any())
    True
    """
    labels = [study.label(label)] if against is None else [*study.pair(label, against)]
    some = study.only(*labels)
    table = study.once(("tornado", *labels), lambda: _tornado(some), lambda found, _: found)
    return table.copy()


def _tornado(study: Study) -> pd.DataFrame:
    """The table of `tornado`, of one option or of the first against the second."""
    labels, found = [*study.options], simulate(study)
    against = labels[1] if labels[1:] else None
    every = found.usd if against is None else found.worth
    ends = {
        key: (doubt.low, doubt.high)
        for key, doubt in leaves(study.inputs).items()
        if isinstance(doubt, Doubt) and doubt.low < doubt.high
    }

    def at_ends(inputs: list[str], draws: int) -> np.ndarray:
        """USD with each input at either end and all others drawn, shape (inputs, 2)."""
        # one input at a time, and last none: so each is drawn somewhere, and its ends are of its
        # draws, which the tier scales where they are usual, and not values that somebody gives
        grid = np.full((len(inputs), len(inputs) + 1, 2), np.nan)
        for i, key in enumerate(inputs):
            grid[i, i] = ends[key]
        axes = dict(zip(inputs, grid.reshape(len(inputs), -1), strict=True))
        usd = expected(study, axes, draws, against is not None, every)
        first, *other = (usd[name].reshape(-1, 2)[:-1] for name in labels)
        return first - other[0] if other else first

    table = pd.DataFrame(
        [(key, *ends[key], unit_of(key) or "share", np.nan, np.nan, "USD") for key in ends],
        columns=["input", "low", "high", "unit", "usd_low", "usd_high", "currency"],
    )
    if ends:
        table[["usd_low", "usd_high"]] = at_ends([*ends], FEW)
        spread = (table["usd_high"] - table["usd_low"]).abs()
        seen = spread.nlargest(WIDEST).index  # the bars that a reader sees, on more draws
        if len(seen):
            found_ends = at_ends([*table["input"][seen]], min(FAN_DRAWS, study.draws))
            table.loc[seen, ["usd_low", "usd_high"]] = found_ends
    spread = (table["usd_high"] - table["usd_low"]).abs()
    table.insert(6, "spread", spread)
    if against is not None:
        table["turns"] = table["usd_low"] * table["usd_high"] < 0
    table = table.sort_values("spread", ascending=False, ignore_index=True)
    now = [mean(every[name]) for name in labels if name in every]
    usd_now = now[0] - now[1] if len(now) == 2 else now[0] if len(now) == len(labels) else np.nan
    table.attrs = {"option": labels[0], "against": against, "usd": float(usd_now)}  # for the figure
    return table


@analysis
def swings(study: Study) -> pd.DataFrame:
    """The table of `tornado` of every option; `register` sorts by it.

    Parameters
    ----------
    study : Study, or options with a workload
        Whose options are looked at.

    Returns
    -------
    DataFrame
        The columns of `tornado` and `option`, widest first.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> swings(study.only("Prompt"))["input"][0]
    'Workload.usd_per_failure'
    """
    found = [tornado(study, label).assign(option=label) for label in study.options]
    return pd.concat(found).sort_values("spread", ascending=False, ignore_index=True)


@analysis
def fan(study: Study, draws: int = FAN_DRAWS, cumulative: bool = True) -> pd.DataFrame:
    """The band of what has been paid up to each month, with the cost of wrong answers.

    The percentiles of the last month are those of `compare`; percentiles of months do not add up.

    Parameters
    ----------
    study : Study, or options with a workload
        What is priced.
    draws : int
        Draws of the band.
    cumulative : bool
        Up to each month, or in each month.

    Returns
    -------
    DataFrame
        `option`, `month` (0: up front), `p10`, `p50` and `p90` [USD]. An option that cannot run is
        left out, and one of unknown quality beside known ones.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> fan(study.only("RAG"), draws=100, months=2)[["option", "month"]]
      option  month
    0    RAG      0
    1    RAG      1
    2    RAG      2
    """
    frames = []
    for label, usd in paths(comparable(study), draws).items():
        if not np.isnan(usd).all():
            months = {"option": label, "month": np.arange(usd.shape[1])}
            frames.append(pd.DataFrame(months | band(usd.cumsum(axis=1) if cumulative else usd)))
    if not frames:
        return pd.DataFrame(columns=["option", "month", *BAND])
    return pd.concat(frames, ignore_index=True)


@analysis
def p_cheaper(
    study: Study, first: str | None = None, second: str | None = None, by: Sequence[float] = MARGINS
) -> pd.DataFrame:
    """Chance that the present value of `first` is less than that of `second` by at least a share.

    A draw in which one of the two cannot run is left out, and so is the cost of wrong answers where
    the quality of one is not known.

    Parameters
    ----------
    study : Study, or options with a workload
        Where the options stand.
    first, second : str, optional
        Their labels; without them, the only two options.
    by : sequence of float
        Shares of the cost of `second` [share].

    Returns
    -------
    DataFrame
        `by` [share], `probability` [share of the draws]; 0 counts every draw in which `first` costs
        less.

    Raises
    ------
    ValueError
        One of the two cannot run, or a share outside 0 to 1.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> table = p_cheaper(study, "RAG", "Prompt", draws=500)
    >>> table["by"].to_list(), table["probability"].is_monotonic_decreasing
    ([0.0, 0.05, 0.1, 0.25, 0.5], True)
    """
    pair = study.pair(first, second)
    shares = np.atleast_1d(by).tolist()
    for share in shares:
        require("p_cheaper: by", share, 0, 1)
    usd = totals(on_equal_terms(study.only(*pair))[0], study.draws, discounted=True)
    a, b = (usd[label] for label in pair)
    runs = ~np.isnan(a + b)
    check(runs.any(), "p_cheaper: one of the two options cannot run; `compare` says why")
    a, b = a[runs], b[runs]
    chances = [np.mean((a < b) & (a <= b * (1 - share) * (1 + 1e-12))) for share in shares]
    return pd.DataFrame({"by": shares, "probability": chances})


@analysis
def regret(study: Study) -> pd.DataFrame:
    """What choosing an option now costs against knowing everything.

    Of each draw, its present value less the least present value of all options. The smallest
    expected regret is the value of perfect information.

    Parameters
    ----------
    study : Study, or options with a workload
        What can be chosen.

    Returns
    -------
    DataFrame
        Index option, smallest first: `expected_regret` and `p90_regret` [USD], `p_cheapest` [share
        of the draws]. Left out are options that run in fewer than nine draws of ten, the draws in
        which another does not run, and options of unknown quality beside known ones.

    Raises
    ------
    ValueError
        No option runs in nine draws of ten.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> regret(study.only("RAG", "Prompt"), draws=500).index[0]
    'RAG'
    """
    usd, runs = that_run(totals(comparable(study), study.draws, discounted=True))
    check(runs.any(), "regret: no option runs in nine draws of ten; `compare` says why")
    costs = pd.DataFrame(usd)
    lost = costs.sub(costs.min(axis=1), axis=0)
    columns = {
        "expected_regret": lost.mean(),
        "p90_regret": lost.quantile(0.9),
        "p_cheapest": p_cheapest(usd),
    }
    table = pd.DataFrame(columns).rename_axis("option")
    return table.sort_values("expected_regret", kind="stable")


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
    table[QUALITIES[:3]], table[QUALITIES[3:6]] = before, after
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
        rows.append(np.percentile(runs, QUALITY_BAND) if runs.size else nothing)
    return np.array(rows)
