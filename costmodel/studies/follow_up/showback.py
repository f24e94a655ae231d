"""Who pays what: the expected cost of an option by team or product."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core import check, check_known, public
from costmodel.decisions.simulate import simulate
from costmodel.decisions.verdict import recommend
from costmodel.ingest.reader import TOKENS
from costmodel.ingest.usage import Usage
from costmodel.ledgers.book import lines_of

UNALLOCATED, TOTAL = "unallocated", "total"
BY_USAGE = ("serving", "retrieval", "failures")  # phases that requests cause; the others are fixed
FIXED = ("by share", "even", UNALLOCATED)


@analysis
def showback(
    study: Study,
    label: str | None = None,
    fixed: str = "by share",
    shares: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Allot the expected cost of an option to teams or products.

    Parameters
    ----------
    study : Study, or options with a workload
        Its `Workload.shares` say which part of the requests each team sends.
    label : str, optional
        The option; the one of the verdict by default.
    fixed : {"by share", "even", "unallocated"}
        What is done with costs that requests do not cause, such as building and evaluation: by the
        same shares, the same for each team, or to nobody. Serving, retrieval and wrong answers
        always follow the shares.
    shares : dict of team to share, optional
        Instead of those of the workload, such as `shares_of(usage)`.

    Returns
    -------
    pandas.DataFrame
        Index team: each team, what is "unallocated", and the "total", which the rows above sum to.
        Columns: share [of the requests], requests_per_month, by_usage, fixed and usd [USD over the
        horizon], usd_per_month and usd_per_request.

    Raises
    ------
    ValueError
        Without shares, or where no option is eligible and none is named.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1_000, input_tokens=1, shares={"sales": 0.5, "legal": 0.3})
    >>> today = cm.Option(cm.finance.Today(100.0))
    >>> year = cm.Terms(months=12, trends=cm.choices.Trends(labour=0.0))
    >>> showback(today, work, terms=year)["usd"].round().to_dict()
    {'sales': 600.0, 'legal': 360.0, 'unallocated': 240.0, 'total': 1200.0}
    """
    check_known("way for fixed costs", fixed, FIXED, "showback")
    given = dict(shares or study.work.shares or {})
    check(
        given,
        "no shares are given; write shares: {sales: 0.6, legal: 0.3} under workload, or "
        "Workload(shares={'sales': 0.6, 'legal': 0.3})",
    )
    if label is None:
        named = recommend(study, flips=False).named if len(study.options) > 1 else study.label()
        check(named, "no option is eligible; name one")
        label = named
    label = study.label(label)
    booked = lines_of(study, label)
    parts = {True: 0.0, False: 0.0}
    for each in booked.values():
        parts[each.line.phase in BY_USAGE] += float(each.usd.sum())
    left = max(1.0 - sum(given.values()), 0.0)
    table = pd.DataFrame({"share": given}).rename_axis("team")
    spread = {"by share": table["share"], "even": 1 / len(given), UNALLOCATED: 0.0}[fixed]
    table["by_usage"] = parts[True] * table["share"]
    table["fixed"] = parts[False] * spread
    columns = ["share", "by_usage", "fixed"]
    total = pd.Series([1.0, parts[True], parts[False]], columns)
    rest = total - table[columns].sum()
    rest["share"] = left
    table.loc[UNALLOCATED] = rest.where(rest.abs() > 1e-9 * total.abs(), 0.0)
    table.loc[TOTAL] = total
    requests = float(np.nanmean(simulate(study).requests[label]))
    table.insert(1, "requests_per_month", table["share"] * requests / study.terms.months)
    table["usd"] = table["by_usage"] + table["fixed"]
    table["usd_per_month"] = table["usd"] / study.terms.months
    table["usd_per_request"] = table["usd_per_month"] / table["requests_per_month"]
    table.attrs["option"] = label
    return table


@public
def shares_of(usage: Usage, by: str = "calls") -> dict[str, float]:
    """Which part of your own usage each team has.

    Parameters
    ----------
    usage : Usage
        What `cm.ingest.read` read; rows without a team are of nobody.
    by : {"calls", "tokens"}
        What is counted.

    Returns
    -------
    dict of team to share
        For `Workload(shares=...)` or `showback(shares=...)`; below 1 in sum where some rows name no
        team.

    Raises
    ------
    ValueError
        When no row names a team.

    Examples
    --------
    >>> import costmodel as cm
    >>> days = {"time": ["2026-10-01"] * 2, "model": ["gpt-4o"] * 2, "input": [100, 300]}
    >>> usage = cm.ingest.Usage.of(pd.DataFrame(days | {"calls": [1, 3], "team": ["sales", ""]}))
    >>> shares_of(usage)
    {'sales': 0.25}
    """
    check_known("count", by, ("calls", "tokens"), "shares_of")
    table = usage.table
    weight = table["calls"] if by == "calls" else table[list(TOKENS)].sum(axis=1)
    team = table["team"].astype("string").fillna("").str.strip()
    check((team != "").any(), "no row of the usage names a team; give shares by hand")
    parts = weight.fillna(0.0).groupby(team).sum() / weight.sum()
    return {str(name): float(share) for name, share in parts.items() if name}
