"""How sure: which doubt moves the total, how the total spreads month by month, how often and by how much one option is cheaper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core.checks import require
from costmodel.core.draws import check_draws, doubts, draw_values
from costmodel.core.errors import check
from costmodel.core.nested import leaves
from costmodel.core.public import public
from costmodel.core.ranges import FORMS, Doubt, Range
from costmodel.decisions.simulate import (
    comparable,
    on_equal_terms,
    p_cheapest,
    paths,
    that_run,
    totals,
)

FAN_DRAWS = 2_000
MARGINS = (0.0, 0.05, 0.10, 0.25, 0.50)


@analysis
def tornado(study: Study, label: str | None = None) -> pd.DataFrame:
    """Total of one option with each doubt at its low and at its high end, the others at their middle; widest first.

    Columns: input low high usd_low usd_high spread, with low and high the ends of the Range. The bars do not add up: what they
    do together is the band of `compare`, whose variance is pooled over the draws.
    """
    study = study.only(study.label(label))
    rows = []
    for key, value in leaves(study.inputs):
        if not isinstance(value, Doubt) or value.low == value.high:
            continue
        ((low, high),) = totals(study, grid={key: (value.low, value.high)}).values()
        rows.append((key, value.low, value.high, low, high, abs(high - low)))
    table = pd.DataFrame(rows, columns=["input", "low", "high", "usd_low", "usd_high", "spread"])
    return table.sort_values("spread", ascending=False, ignore_index=True)


@analysis
def swings(study: Study) -> pd.DataFrame:
    """The table of `tornado` for each of several options that can run, widest first, with `option` added: what `register` sorts by."""
    found = [tornado(study, label).assign(option=label) for label in study.options]
    return pd.concat(found).sort_values("spread", ascending=False, ignore_index=True)


@analysis
def rank_correlation(study: Study, label: str | None = None) -> pd.DataFrame:
    """Spearman's rank correlation of each doubt with the total over the draws, strongest first. Columns: input rank_correlation.

    Positive: more of it costs more. It sees what is monotone, and correlation through drivers as it is; `sobol` sees the rest.
    """
    study = study.only(study.label(label))
    draws, seed = study.draws, study.seed
    (usd,) = totals(study, draws).values()
    runs = ~np.isnan(usd)
    check(
        runs.sum() > 2,
        f"rank_correlation: the option runs in {runs.sum()} of {draws} draws, which is too few to rank; `compare` says why",
    )
    ranks = _ranks(usd[runs])
    inputs = doubts(study.inputs)
    rows = [
        (key, float(np.corrcoef(_ranks(draw_values(key, value, draws, seed)[runs, 0]), ranks)[0, 1]))
        for key, value in inputs.items()
    ]
    table = pd.DataFrame(rows, columns=["input", "rank_correlation"])
    return table.sort_values("rank_correlation", key=abs, ascending=False, ignore_index=True)


def _ranks(x: np.ndarray) -> np.ndarray:
    """Ranks, with ties sharing theirs."""
    _, place, count = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count + 1) / 2)[place]


@analysis
def fan(study: Study, draws: int = FAN_DRAWS, cumulative: bool = True) -> pd.DataFrame:
    """P10, P50 and P90 of what has been paid up to each month (or in each month), with the cost of wrong answers.

    Columns: option month p10 p50 p90. The percentiles of the last month are those of `compare`; percentiles of months do not add up.
    Beside options of known quality one of unknown quality is left out, and so is one that cannot run.
    """
    check_draws(draws, study.seed)
    frames = []
    for label, usd in paths(comparable(study), draws).items():
        usd = usd[~np.isnan(usd).any(axis=1)]
        if len(usd):
            bands = np.percentile(usd.cumsum(axis=1) if cumulative else usd, [10, 50, 90], axis=0)
            frames.append(
                pd.DataFrame(
                    {
                        "option": label,
                        "month": np.arange(study.terms.months + 1),
                        "p10": bands[0],
                        "p50": bands[1],
                        "p90": bands[2],
                    }
                )
            )
    return (
        pd.concat(frames, ignore_index=True)
        if frames
        else pd.DataFrame(columns=["option", "month", "p10", "p50", "p90"])
    )


@analysis
def p_cheaper(
    study: Study, first: str | None = None, second: str | None = None, by: Sequence[float] = MARGINS
) -> pd.DataFrame:
    """Chance that `first` costs less than `second` by at least a share of what `second` costs, on the same draws.

    Columns: by probability; the row of 0 counts every draw in which `first` costs less. A draw in which one of the two cannot
    run is left out, and so is the cost of wrong answers where the quality of one is not known.
    """
    pair = study.pair(first, second)
    shares = np.atleast_1d(by)
    for share in shares:
        require("p_cheaper: by", share.item(), 0, 1)
    usd = totals(on_equal_terms(study.only(*pair))[0], study.draws)
    a, b = (usd[label] for label in pair)
    runs = ~np.isnan(a + b)
    check(runs.any(), "p_cheaper: one of the two options cannot run; `compare` says why")
    a, b = a[runs], b[runs]
    rows = [
        (share, float(np.mean((a < b) & (a <= b * (1 - share) * (1 + 1e-12)))))
        for share in shares.tolist()
    ]
    return pd.DataFrame(rows, columns=["by", "probability"])


@analysis
def regret(study: Study) -> pd.DataFrame:
    """What choosing an option now costs on average against knowing everything: mean of (its total - the least total).

    Index option, smallest expected regret first; columns expected_regret p90_regret p_cheapest. The smallest expected regret is the
    value of perfect information. Left out are options that run in fewer than nine draws of ten, the draws in which another does not,
    and options of unknown quality beside known ones.
    """
    usd, runs = that_run(totals(comparable(study), study.draws))
    check(runs.any(), "regret: no option runs in nine draws of ten; `compare` says why")
    least = np.min(list(usd.values()), axis=0)
    chance = p_cheapest(usd)
    rows = {
        label: (float(np.mean(x - least)), float(np.percentile(x - least, 90)), chance[label])
        for label, x in usd.items()
    }
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=["expected_regret", "p90_regret", "p_cheapest"]
    )
    table.index.name = "option"
    return table.sort_values("expected_regret", kind="stable")


@public
def calibrate(prior: Range, measured: Iterable[float], error: float | None = None) -> Range:
    """A Range after your own measurements: the prior and the data weighed by their precision, on the scale of the Range.

    On that scale (logarithms for amounts, log-odds for shares) posterior precision = prior precision + n / s^2, with s the spread of the
    measurements, or `error`, the standard deviation of one measurement as a share of it, which a single one needs. The key
    stays, so the Range stays paired; the level stays. Not in it: a bias that all measurements share.

    >>> before = Range(50, 200, name="speed")
    >>> after = calibrate(before, [118, 125, 121, 130])
    >>> after.name, round(after.low), round(after.mid), round(after.high)
    ('speed', 119, 123, 128)
    """
    check(isinstance(prior, Range), f"calibrate: the prior is {prior!r}, it must be a Range")
    x = np.ravel(np.asarray(list(measured) if isinstance(measured, Iterable) else measured, float))
    check(x.size and np.isfinite(x).all(), "calibrate needs at least one finite measurement")
    if error is not None:
        require("calibrate: error", error)
    check(
        x.size > 1 or error is not None,
        "one measurement has no spread; give error=, its standard deviation as a share of it",
    )
    to, back, _ = FORMS[prior.form]
    with np.errstate(divide="ignore", invalid="ignore"):
        z, low, mid, high = (
            to(x),
            to(np.float64(prior.low)),
            to(np.float64(prior.mid)),
            to(np.float64(prior.high)),
        )
    check(
        np.isfinite(z).all(),
        f"a measurement lies outside what {prior.form!r} allows: {x.min():g} to {x.max():g}",
    )
    sds = prior.z_of_end  # standard deviations from the middle to an end
    own = (mid - low if z.mean() < mid else high - mid) / sds
    spread = (
        float(np.std(z, ddof=1))
        if error is None
        else float(np.log1p(error))
        if prior.form == "amount"
        else error
    )
    check(
        spread > 0 and own > 0, "calibrate: neither the prior nor the measurements may be certain"
    )
    precision = 1 / own**2 + x.size / spread**2
    centre = (mid / own**2 + z.sum() / spread**2) / precision
    reach = sds / np.sqrt(precision)
    low, mid, high = (float(back(centre + k * reach)) for k in (-1, 0, 1))
    why = f"calibrated by {x.size} measurement{'s' if x.size > 1 else ''} of your own, before: {prior.low:g} to {prior.high:g}"
    return replace(prior, low=low, high=high, mid=mid, why=why)
