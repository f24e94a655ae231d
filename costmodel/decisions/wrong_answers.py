"""At which price of a wrong answer each option is the best.

What an option is expected to cost is a line in that price: what is to pay, plus the answers that
fail times the price. The lowest of these lines is exact, and so is where it changes hands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.choices.terms import Terms
from costmodel.core import ROUNDING, check, number_list, number_text, percent, public, sample
from costmodel.decisions.rule import standing
from costmodel.decisions.search import present
from costmodel.decisions.simulate import not_comparable, p_cheapest, simulate, worth_together

POINTS = 121
ROOM = 1.25  # of the highest price that a figure must show


class _Lines(NamedTuple):
    """Of each option and draw: USD to pay, and answers that fail; discounted.

    `yours` has your own price in these draws, and `said` what the tables say beside their rows.
    """

    to_pay: pd.DataFrame
    failures: pd.DataFrame
    yours: np.ndarray
    said: dict[str, Any]


@analysis
def wrong_answer_prices(study: Study, labels: Sequence[str] | None = None) -> pd.DataFrame:
    """Between which prices of a wrong answer each option has the least expected cost.

    Parameters
    ----------
    study : Study, or options with a workload
        What can be chosen. Its `usd_per_failure` is only marked: all prices from 0 are looked at.
    labels : sequence of str, optional
        The options that may be chosen. None: the eligible ones, or all
        of known quality where none is.

    Returns
    -------
    DataFrame
        One row an interval, from the price 0 to any: `option`; `from` and `to` [USD a wrong
        answer], infinite at the end; `to_pay` [USD] and `failures` [answers], both expected present
        values, so that the expected cost at a price is to_pay + failures x price; `npv` [USD], that
        cost at the mean of your own price; `holds_yours`, whether the mean of your price lies
        between, and `share_of_yours` [share of its draws]. The attribute `attrs` has `yours`, your
        price as (low, middle, high, mean), `from`, {option: the price from which it is the best},
        and `left_out`, {option: why}.

    Raises
    ------
    ValueError
        No option of known quality runs in nine draws of ten.

    Notes
    -----
    `to_pay` has every cost that does not follow the price of a wrong answer. Left out are draws in
    which one of the options cannot run.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").changed(quality_floor=0)
    >>> table = wrong_answer_prices(study.only("Prompt", "Long context + cache"), draws=500)
    >>> table[["option", "from", "to", "holds_yours"]].round(2)
                     option  from    to  holds_yours
    0                Prompt  0.00  0.12        False
    1  Long context + cache  0.12   inf         True
    """
    lines = _lines(study, labels)
    table = pd.Series(lines.said["from"], name="from").rename_axis("option").reset_index()
    table["to"] = table["from"].shift(-1, fill_value=np.inf)
    table["to_pay"], table["failures"] = (
        usd.mean()[table["option"]].to_numpy() for usd in (lines.to_pay, lines.failures)
    )
    table["npv"] = table["to_pay"] + table["failures"] * lines.yours.mean()
    low, high, mean = table["from"].to_numpy(), table["to"].to_numpy(), lines.yours.mean()
    table["holds_yours"] = (low <= mean) & (mean < high)
    yours = lines.yours[:, None]
    table["share_of_yours"] = ((low <= yours) & (yours < high)).mean(axis=0)
    table.attrs = lines.said
    return table


@analysis
def wrong_answer_chances(
    study: Study, labels: Sequence[str] | None = None, prices: Sequence[float] | None = None
) -> pd.DataFrame:
    """Expected cost and chance to be the cheapest of each option, by the price of a wrong answer.

    Parameters
    ----------
    study : Study, or options with a workload
        What can be chosen; see `wrong_answer_prices`.
    labels : sequence of str, optional
        The options that may be chosen. None: the eligible ones, or all
        of known quality where none is.
    prices : sequence of float, optional
        Prices of a wrong answer [USD]. None: from 0 to beyond your own and the next change of the
        best option.

    Returns
    -------
    DataFrame
        `option`, `usd_per_failure` [USD], `npv` [USD, the expected present value at that price],
        `p_cheapest` [share of the draws], and `best`, whether the expected cost is the least. The
        attribute `attrs` is that of `wrong_answer_prices`.

    Raises
    ------
    ValueError
        No option of known quality runs in nine draws of ten, or a price below 0.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").changed(quality_floor=0)
    >>> two = study.only("Prompt", "Long context + cache")
    >>> table = wrong_answer_chances(two, prices=[0.0, 2.0], draws=500)
    >>> table[["option", "usd_per_failure", "best"]]
                     option  usd_per_failure   best
    0                Prompt              0.0   True
    1  Long context + cache              0.0  False
    2                Prompt              2.0  False
    3  Long context + cache              2.0   True
    """
    lines = _lines(study, labels)
    if prices is None:
        _, middle, high, _ = lines.said["yours"]
        starts = [*lines.said["from"].values()]
        ahead = [price for price in starts if price > middle][:1] or starts[-1:]
        at = np.linspace(0, ROOM * max(high, *ahead) or 1.0, POINTS)
    else:
        at = number_list("wrong_answer_chances: prices", prices, 0)
    frames = []
    for price in at:
        usd = lines.to_pay + price * lines.failures
        npv = usd.mean()
        columns = {"usd_per_failure": price, "npv": npv, "p_cheapest": p_cheapest(usd)}
        frames.append(pd.DataFrame(columns).assign(best=npv.index == npv.idxmin()))
    table = pd.concat(frames).rename_axis("option").reset_index()
    table.attrs = lines.said
    return table


@public
def wrong_answer_sentence(table: pd.DataFrame, option: str, terms: Terms | None = None) -> str:
    """Say between which prices of a wrong answer an option stays the best.

    Parameters
    ----------
    table : DataFrame
        Of `wrong_answer_prices`.
    option : str
        Its label.
    terms : Terms, optional
        Whose currency is shown; US dollars without it.

    Returns
    -------
    str

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> wrong_answer_sentence(wrong_answer_prices(study.only("RAG")), "RAG")
    'RAG stays best at any price of a wrong answer.'
    """
    row, at_yours = table[table["option"] == option], table.loc[table["holds_yours"], "option"]
    if row.empty:
        return f"{option} is best at no price of a wrong answer; at yours {at_yours.iloc[0]} is."
    low, high = (float(row[end].iloc[0]) for end in ("from", "to"))
    ends = [x for x in (low, high) if 0 < x < np.inf]
    if not ends:
        return f"{option} stays best at any price of a wrong answer."
    money = (terms or Terms()).money
    _, middle, _, mean = table.attrs["yours"]
    amounts = [x * money.per_usd for x in (*ends, mean)]
    figures = next((f for f in (2, 3) if len({f"{x:.{f}g}" for x in amounts}) == len(amounts)), 4)
    shown, average = (
        [_cents(x, figures) for x in amounts[:-1]],
        _cents(amounts[-1], max(figures, 3)),
    )
    yours = _cents(middle * money.per_usd, max(figures, 3))
    if yours != average:
        yours += f", which averages {average} over its range"
    words = "between" if len(ends) == 2 else "less than" if low == 0 else "more than"
    holds = row["holds_yours"].iloc[0]
    stays = "stays best" if holds else "is best only"
    there = "" if holds else f": there {at_yours.iloc[0]} is"
    text = f"{option} {stays} while a wrong answer costs {words} {money.code} {' and '.join(shown)}"
    return text + (f"; you said {yours}{there}." if mean else f"; you gave it no price{there}.")


def curve_sentence(table: pd.DataFrame, terms: Terms) -> str:
    """Which option is best at which price of a wrong answer, where nobody has given one.

    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("Prompt", "RAG")
    >>> table = wrong_answer_prices(study, draws=500)
    >>> curve_sentence(table, study.terms)
    'Prompt is best while a wrong answer costs less than USD 0.0..., RAG above'
    """
    money = terms.money
    rows = [*table.itertuples(index=False)]
    ends = [f"{money.code} {_cents(row.to * money.per_usd, 2)}" for row in rows[:-1]]
    text = f"{rows[0].option} is best while a wrong answer costs less than {ends[0]}"
    for row, end in zip(rows[1:-1], ends[1:], strict=True):
        text += f", {row.option} up to {end}"
    return f"{text}, {rows[-1].option} above"


def _cents(amount: float, figures: int) -> str:
    """An amount in so many figures; cents have two digits."""
    text = number_text(amount, figures)
    return text + "0" if len(text.partition(".")[2]) == 1 else text


def _lines(study: Study, labels: Sequence[str] | None) -> _Lines:
    """The line of each option in each draw in which all of them run."""
    work, found = study.work, simulate(study)
    left_out = not_comparable(found)
    if labels is None:
        rule = standing(study, found)["eligible"]
        sure = percent(study.confidence)
        missed = rule.index[~rule] if rule.any() else []
        left_out = {label: f"not {sure} sure to reach the floor" for label in missed} | left_out
    else:
        left_out = {label: why for label, why in left_out.items() if label in labels}
    names = [label for label in labels or found.usd if study.label(label) not in left_out]
    check(names, "wrong_answer_prices: no option of known quality can run")
    kept, runs, seldom = worth_together(found, names)
    check(runs.any(), "wrong_answer_prices: no option runs in nine draws of ten")
    wrong = pd.DataFrame({label: found.failed[label][runs] for label in kept})
    price = np.ravel(sample(work, study.draws, study.seed).usd_per_failure)
    yours = np.broadcast_to(price, study.draws)[runs]
    to_pay = pd.DataFrame(kept) - wrong.mul(yours, axis=0)
    low, high = (float(getattr(work.usd_per_failure, end, price[0])) for end in ("low", "high"))
    own = (low, present(work.usd_per_failure), high, float(yours.mean()))
    lowest = _lowest(to_pay.mean(), wrong.mean())
    said = {"yours": own, "from": lowest, "left_out": left_out | seldom}
    return _Lines(to_pay, wrong, yours, said)


def _lowest(cost: pd.Series, slope: pd.Series) -> dict[str, float]:
    """The lines cost + slope x price that are the lowest somewhere, with the price where each
    begins, from 0 up.
    """
    lines = pd.DataFrame({"cost": cost, "slope": slope})
    best, price = lines.sort_values(["cost", "slope"], kind="stable").index[0], 0.0
    found = {best: price}
    while len(flatter := slope.index[slope < slope[best]]):
        meets = (cost[flatter] - cost[best]) / (slope[best] - slope[flatter])
        price = float(meets.min())
        best = slope[meets.index[meets <= price * (1 + ROUNDING)]].idxmin()
        found[best] = price
    return found
