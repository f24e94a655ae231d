"""Two months of one's own bill: what prices, volume, the mix of models, size and waste changed."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from costmodel.core import check, check_known, public
from costmodel.ingest.usage import Usage
from costmodel.studies.history.bridge import with_totals
from costmodel.studies.history.otherwise import cache_breaks


@public
def between_months(
    usage: Usage, first: str | None = None, second: str | None = None
) -> pd.DataFrame:
    """Why the bill of one month differs from that of another.

    With N calls, shares s of the models, and dollars a call c at the prices of the first month:
    volume = (N2 - N1) c1; mix = N2 sum (s2 - s1) c1; size = N2 sum s2 (c2 - c1) without waste;
    waste = what broken caches cost more; price = the second month at its own prices less the same
    at those of the first. The parts add up to the difference.

    Parameters
    ----------
    usage : Usage
    first, second : str, optional
        Months such as "2026-09"; the last two of the usage without them.

    Returns
    -------
    DataFrame
        `step`, `usd`, `total` up to here and `why`, from the bill of the first month to that of
        the second.

    Raises
    ------
    CatalogError
        For a month without usage.
    ValueError
        Where there are not two months, or a call has no price or no count.

    Examples
    --------
    >>> import costmodel as cm
    >>> table = {"time": ["2026-09-05", "2026-10-05"], "model": "gpt-4o", "calls": [100, 150]}
    >>> usage = cm.ingest.Usage.of(pd.DataFrame(table | {"input": [1e6, 1.5e6]}))
    >>> between_months(usage).set_index("step").usd.to_dict()
    {'2026-09': 2.5, 'volume': 1.25, 'mix': 0.0, 'size': 0.0, 'price': 0.0, '2026-10': 3.75}
    """
    months = usage.table["time"].dt.strftime("%Y-%m")
    known = sorted(months.dropna().unique())
    check(len(known) > 1, f"the usage is of {len(known)} month, two are needed")
    first, second = first or known[-2], second or known[-1]
    for month in (first, second):
        check_known("month", month, known, "the usage")
    one, two = (
        replace(usage, table=usage.table[months == m].reset_index(drop=True))
        for m in (first, second)
    )
    day = f"{one.table['time'].max():%Y-%m-%d}"
    old, now, own = _by_model(one), _by_model(two, day), _by_model(two)
    n1, n2 = old["calls"].sum(), now["calls"].sum()
    both = old.add_suffix("1").join(now.add_suffix("2"), how="outer").fillna(0.0)
    c1 = (both["usd1"] / both["calls1"]).fillna(
        both["usd2"] / both["calls2"]
    )  # a new model: its own
    s1, s2 = both["calls1"] / n1, both["calls2"] / n2
    mix = float(n2 * ((s2 - s1) * c1).sum())
    size = float((both["usd2"] - both["calls2"] * c1).sum())
    price = float(own["usd"].sum() - now["usd"].sum())
    waste = float(cache_breaks(two)["usd"].sum() - cache_breaks(one)["usd"].sum())
    rows = [
        (first, float(old["usd"].sum()), "as it was"),
        ("volume", float((n2 - n1) * old["usd"].sum() / n1), f"{n1:,.0f} calls, then {n2:,.0f}"),
        ("mix", mix, "other shares of the models"),
        ("size", size - waste, "more or fewer tokens a call"),
        ("waste", waste, "broken caches, see cache_breaks"),
        ("price", price, f"list prices after {day}"),
        (second, float(own["usd"].sum()), "as it was"),
    ]
    table = pd.DataFrame(rows, columns=["step", "usd", "why"])
    return with_totals(table[(table["step"] != "waste") | (waste != 0)].reset_index(drop=True))


def _by_model(usage: Usage, on: str | None = None) -> pd.DataFrame:
    """Calls and dollars at list prices, by model."""
    table = usage.price(on)
    why = table["unpriced"].max()
    check(not why, f"what was used has no price: {why}")
    check(table["calls"].notna().all(), "the usage does not say how many calls a row is of")
    return table.groupby(table["model"].astype(str))[["calls", "usd"]].sum()
