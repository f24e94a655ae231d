"""The decision: options on the same draws, over any input, and where the answer changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from costmodel.choices.options import Mix, Option
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core.checks import limits, require
from costmodel.core.draws import counted, middle
from costmodel.core.errors import Infeasible, check
from costmodel.core.nested import find_key, leaves
from costmodel.core.public import public
from costmodel.core.ranges import Doubt
from costmodel.core.units import GLOSSARY
from costmodel.decisions.simulate import UNKNOWN, failures, gather, p_cheapest, quality_unknown, quantiles, totals
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill, Options, evaluate, settle

if TYPE_CHECKING:
    import pandas as pd


SWEEP_FACTOR, SWEEP_POINTS = 30.0, 61


@public
def compare(options: Options | Option | Mix, work: Workload, months: int | None = None, draws: int = 10_000, seed: int = 0,
            terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:  # fmt: skip
    """Options side by side on the same draws, cheapest first.

    Index option; columns: mid (all Ranges at their middle), p10 p50 p90 [USD over the horizon], npv (present value of
    mid), per_month, per_request, per_accepted (without the cost of failures, over accepted answers), quality (share
    accepted at the middle), p_cheapest, why_not. Costs are positive. `p_cheapest` ranks totals with the cost of
    failures, among options whose quality is known; when none is known it ranks cost alone, and `why_not` says so.
    """
    options, terms = settle(options, terms, months=months, on=on)
    check(options, "compare needs at least one option")
    return weigh(options, work, terms, draws, seed)[0]


def weigh(options: Options, work: Workload, terms: Terms, draws: int, seed: int) -> tuple[pd.DataFrame, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The table of `compare`, and behind it for every draw the totals, and what of them is the cost of wrong answers."""
    import pandas as pd

    counted(draws, seed)
    mid_work, mid_terms = middle((work, terms))
    calendar = Calendar(mid_work, mid_terms)
    rows, why = {}, {}
    for label, option in options.items():
        try:
            bill = evaluate(middle(option), mid_work, mid_terms)
        except Infeasible as reason:
            why[label] = str(reason)
            continue
        mid, requests = float(bill.total(calendar)), float(bill.requests * calendar.requests)
        known = bill.accepted is not None
        answers = requests * bill.accepted if known else np.nan
        without = mid - float(failures(bill, calendar))
        rows[label] = {
            "mid": mid, "npv": float(bill.total(calendar, discounted=True)), "per_month": mid / terms.months, "per_request": mid / requests,
            "per_accepted": np.nan if not known else without / answers if answers else np.inf, "quality": float(bill.accepted) if known else np.nan,
        }  # fmt: skip
        if not known:
            why[label] = UNKNOWN
    runs, comparable = {label: options[label] for label in rows}, [label for label in rows if label not in why]
    usd, wrong = gather((Bill.total, failures), runs, work, terms, draws, seed) if runs else ({}, {})
    for label, x in usd.items():
        if (lost := np.isnan(x).mean()) and label not in why:  # it is ranked, and those draws are lost
            why[label] = f"does not fit in {'less than 1%' if lost < 0.01 else f'{lost:.0%}'} of the draws; the percentiles are those of the others"
    for label, share in p_cheapest({label: usd[label] for label in comparable or runs}).items():
        rows[label]["p_cheapest"] = share
    for label, x in usd.items():
        rows[label].update(zip(("p10", "p50", "p90"), quantiles(x, [10, 50, 90]), strict=True))
    columns = ["mid", "p10", "p50", "p90", "npv", "per_month", "per_request", "per_accepted", "quality", "p_cheapest", "why_not"]
    cells: dict[str, Any] = {c: np.array([rows.get(label, {}).get(c, np.nan) for label in options], float) for c in columns[:-1]}
    table = pd.DataFrame(cells | {"why_not": [why.get(label, "") for label in options]}, index=pd.Index(list(options), name="option"))
    return table.sort_values("mid", kind="stable"), usd, wrong


@public
def sweep(options: Options | Option | Mix, work: Workload, over: str | Mapping[str, Any], values: Any = None, months: int | None = None,
          draws: int | None = None, seed: int = 0, terms: Terms | None = None, on: str | None = None) -> pd.DataFrame:  # fmt: skip
    """Cost of each option while one input, or the product of several, takes other values.

    `over` is a field ("requests_per_month", "Rag.top_k", "H100-SXM.neocloud.on_demand.usd_per_gpu_hour") with `values`
    (None: a thirtieth to thirty times the present one, or 0 to 1 for a share), or {field: values, ...}. Columns: option,
    one for each field, mid; with `draws` also p10 p50 p90. An option of unknown quality is NaN beside one whose wrong answers
    are in the bill.
    """
    import pandas as pd

    options, terms = settle(options, terms, months=months, on=on)
    axes = {over: values} if isinstance(over, str) else dict(over)
    check(axes, "sweep needs an input; write its name and its values")
    for name, axis in axes.items():
        if axis is None:
            low, high = _limits(options, work, terms, name, None, None, SWEEP_FACTOR)
            axes[name] = np.geomspace(low, high, SWEEP_POINTS) if low > 0 else np.linspace(low, high, SWEEP_POINTS)
        check(np.size(axes[name]), f"sweep over {name!r} needs values")
    grid = dict(zip(axes, (m.ravel() for m in np.meshgrid(*axes.values(), indexing="ij")), strict=True))
    middles = totals(options, work, terms, grid=grid)
    spread = totals(options, work, terms, draws, seed, grid) if draws else {}
    frames = []
    unknown = {label for label, option in options.items() if quality_unknown(option, work, terms)}
    for label in unknown if len(unknown) < len(options) else ():
        for usd in (middles, spread) if draws else (middles,):
            usd[label] = np.full_like(usd[label], np.nan)
    for label in options:
        frame = pd.DataFrame({"option": label, **grid, "mid": middles[label]})
        if draws:
            frame[["p10", "p50", "p90"]] = quantiles(spread[label], [10, 50, 90]).T
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _limits(options: Options, work: Workload, terms: Terms, over: str, low: float | None, high: float | None,
            factor: float = 1000.0) -> tuple[float, float]:  # fmt: skip
    things = (tuple(options.values()), work, terms)
    key = find_key(things, over)
    value = dict(leaves(things))[key]
    now = float(value.mid if isinstance(value, Doubt) else value)
    field = over.rsplit(".", 1)[-1]
    if GLOSSARY.get(field, ("",))[0] in ("share", "share/month"):
        start, end = limits(field)
    else:
        start, end = (now / factor, now * factor) if now else (0.0, 1.0)
    least, most = limits(field)
    for name, given in (("low", low), ("high", high)):
        if given is not None:
            require(f"breakeven over {over!r}: {name}", given, least, most)
    low, high = max(start, least) if low is None else low, min(end, most) if high is None else high
    check(low < high, f"breakeven over {over!r}: low {low:g} must be below high {high:g}")
    return low, high
