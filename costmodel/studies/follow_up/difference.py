"""What changed between two studies, and whether a study keeps the limits that somebody set."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.options import each_priced
from costmodel.choices.study import Study
from costmodel.core import (
    MONTHS_PER_YEAR,
    check,
    leaves,
    number_text,
    one_number,
    percent,
    public,
    same,
    unchecked,
)
from costmodel.decisions.compare import compare
from costmodel.decisions.simulate import simulate, totals
from costmodel.decisions.verdict import recommend
from costmodel.ledgers.book import cash_flow
from costmodel.studies.changes import STEPS, discounts, towards

INPUTS = ["input", "before", "after"]
RULE = ("quality_floor", "confidence", "risk", "draws", "seed")  # of a study, beside its inputs
MOST_GROWTH = 10.0  # [share]; more was meant as percent
COLUMNS = ["option", "before", "after", "change", "draws", *STEPS, "why_not"]


@public
def diff(before: Study, after: Study) -> pd.DataFrame:
    """Say by how much the expected cost of each option changed, and by what kind of input.

    The steps are those of `waterfall`, on the draws of the studies, so that `before` and `after`
    are the `expected` of `compare`. A step at which the option cannot run counts with the next.

    Parameters
    ----------
    before, after : Study
        The two sides, such as `cm.load(file, on="2026-06-01")` and the same on a later day.

    Returns
    -------
    pandas.DataFrame
        One row for each option that changed: option, before, after [USD over the horizon, NaN where
        one side lacks it or it cannot run], change, its parts draws (another number or seed of
        draws), price, volume, quality, people, mix and terms, which sum to it, and why_not. A study
        beside itself has no rows.

    Examples
    --------
    >>> import costmodel as cm
    >>> option, work = cm.Option(cm.finance.Today(1_000.0)), cm.Workload(500, input_tokens=1)
    >>> year = cm.Terms(trends=cm.choices.Trends(labour=0.0), months=12)
    >>> old = cm.Study({"today": option}, work, year, draws=10)
    >>> new = old.changed(options={"today": cm.Option(cm.finance.Today(1_500.0))})
    >>> diff(old, new)[["option", "before", "after", "price"]].to_dict("records")
    [{'option': 'today', 'before': 12000.0, 'after': 18000.0, 'price': 6000.0}]
    >>> len(diff(old, old))
    0
    """
    before, after = before.after_evidence(), after.after_evidence()
    rows = [_row(label, before, after) for label in {**before.options, **after.options}]
    return pd.DataFrame([row for row in rows if row], columns=COLUMNS)


def _row(label: str, before: Study, after: Study) -> dict[str, Any] | None:
    sides = [(study.options.get(label), study.work, study.terms) for study in (before, after)]
    as_drawn = [(study.draws, study.seed, study.points is None) for study in (before, after)]
    if same(*sides) and as_drawn[0] == as_drawn[1] == (*as_drawn[0][:2], True):
        return None
    found = [simulate(study) for study in (before, after)]
    start, end = (_mean(x.usd.get(label)) for x in found)
    row: dict[str, Any] = {"option": label, "before": start, "after": end, "change": end - start}
    if np.isnan(row["change"]):
        why = [
            str(x.middle.why_not.get(label, "" if label in x.usd else f"it is not in the {word}"))
            for x, word in zip(found, ("scenario before", "scenario after"), strict=True)
        ]
        return row | {"why_not": "; ".join(filter(None, why))}
    way = [start, *_on_the_way(label, sides, before, after), end]
    reached = pd.Series(way).ffill().to_numpy()
    if np.ptp(reached) == 0:
        return None
    return row | dict(zip(("draws", *STEPS), np.diff(reached), strict=True)) | {"why_not": ""}


def _on_the_way(label: str, sides: list[Any], before: Study, after: Study) -> list[float]:
    """Expected USD after the draws and after each step but the last; NaN where it cannot run."""
    means: list[float] = []
    earlier: Any = None
    way = towards(sides[0], sides[1], _moved_by_evidence(label, before, after))
    for step, side in zip((None, *STEPS[:-1]), way, strict=False):
        judged = step in (None, "price", "volume")  # evidence belongs to the quality
        now = *side, (before if judged else after).points
        if means and same(now[:3], earlier[:3]) and now[3] is earlier[3]:
            means.append(means[-1])
            continue
        option, work, terms, points = earlier = now
        here: Any = {"options": {label: option}, "work": work, "terms": terms, "points": points}
        means.append(_mean(totals(unchecked(after, **here), after.draws)[label]))
    return means


def _moved_by_evidence(label: str, before: Study, after: Study) -> set[str]:
    """The inputs of an option that the evaluations of a side moved, and nobody changed."""
    moved = {*(before.points or {}), *(after.points or {})}
    studies = (study.before or study for study in (before, after))  # as before their evidence
    old, new = (leaves((x.options.get(label), x.work, x.terms)) for x in studies)
    return {key for key in moved if same(old.get(key), new.get(key))}


def _mean(usd: np.ndarray | None) -> float:
    runs = np.array([]) if usd is None else usd[~np.isnan(usd)]
    return float(runs.mean()) if runs.size else np.nan


def unaware(study: Study, until: str) -> Study:
    """A study at earlier prices, as somebody knew them who had heard of no change up to a day.

    A price list knows the days of its changes, also of those after the day that is asked.
    """

    def forget(serving: Any) -> Any:
        fallback, card = getattr(serving, "fallback", None), serving.model
        known = frozenset(step for step in card.known if step.on > until)
        before = None if fallback is None else forget(fallback)
        if before is fallback and known == card.known:
            return serving
        more = {} if fallback is None else {"fallback": before}
        return unchecked(serving, model=unchecked(card, known=known), **more)

    options = {label: each_priced(option, forget) for label, option in study.options.items()}
    alike = all(options[label] is option for label, option in study.options.items())
    return study if alike else study.changed(options=options)


@public
def changed_inputs(before: Study, after: Study) -> pd.DataFrame:
    """The inputs that differ between two studies, with their rule, draws, days and currency.

    Parameters
    ----------
    before, after : Study
        The two sides.

    Returns
    -------
    pandas.DataFrame
        input, its key, "Api.discount of" a model, Terms.start, Terms.on and Terms.currency, or
        quality_floor, confidence, risk, draws and seed; before and after, as text, empty where one
        side lacks it.

    Examples
    --------
    >>> import costmodel as cm
    >>> old = cm.load("support_assistant")
    >>> changed_inputs(old, cm.load("support_assistant", requests_per_month=1e5))
                             input   before    after
    0  Workload.requests_per_month  300,000  100,000
    """
    old, new = map(_in_words, (before, after))
    rows = [(key, old.get(key, ""), new.get(key, "")) for key in {**old, **new}]
    changed = [row for row in rows if row[1] != row[2]]
    return pd.DataFrame(changed, columns=INPUTS)


def _in_words(study: Study) -> dict[str, str]:
    """What a study says, by input, as text."""
    said = leaves(study.inputs)
    said.pop("Api.discount", None)  # one key for all models
    less = discounts(study.inputs).items()
    said |= {f"Api.discount of {model} ({seller})": share for (seller, model), share in less}
    said |= {name: getattr(study, name) for name in RULE}
    told = {key: number_text(value) for key, value in said.items() if value is not None}
    terms = study.terms
    return told | {
        "Terms.start": str(terms.start),
        "Terms.on": str(terms.on or "that of each option"),
        "Terms.currency": terms.money.rate or terms.money.code,
    }


@public
def broken_limits(
    study: Study,
    option: str | None = None,
    max_usd_per_month: float | None = None,
    min_quality: float | None = None,
    max_growth: float | None = None,
    against: Study | None = None,
    max_paid_per_month: float | None = None,
) -> list[str]:
    """The limits that a study breaks, each in a sentence.

    Parameters
    ----------
    study : Study
        What is checked.
    option : str, optional
        The option that is checked; the one of the verdict by default.
    max_usd_per_month : float, optional
        Most that the option may be expected to cost [USD/month], the mean over the horizon, with
        the assumed cost of wrong answers.
    min_quality : float, share, optional
        Least expected share of accepted answers.
    max_growth : float, share, optional
        Most by which the expected cost of a month may exceed that of `against`; without it, by
        which a year may cost more than the year before, what is paid up front left out.
    against : Study, optional
        An earlier study, checked in the same way.
    max_paid_per_month : float, optional
        Most that may be expected to be paid [USD/month], without the cost of wrong answers.

    Returns
    -------
    list of str
        Empty where all limits hold.

    Raises
    ------
    ValueError
        When no limit is given, one is no number in its bounds, or there is no earlier year to
        compare with.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(500, input_tokens=1)
    >>> study = cm.Study({"today": cm.Option(cm.finance.Today(1_000.0))}, work, draws=10)
    >>> broken_limits(study, max_usd_per_month=900)
    ['today is expected to cost USD 1,0... a month, the limit is 900']
    """
    limits = (max_usd_per_month, max_paid_per_month, min_quality, max_growth)
    check(
        any(limit is not None for limit in limits),
        "no limit is given; write max_usd_per_month, max_paid_per_month, min_quality or max_growth",
    )
    bounds = (0, math.inf), (0, math.inf), (0, 1), (-1, MOST_GROWTH)
    names = ("max_usd_per_month", "max_paid_per_month", "min_quality", "max_growth")
    for name, limit, ends in zip(names, limits, bounds, strict=True):
        if limit is not None:
            one_number(name, limit, *ends)
    check(
        against is None or max_growth is not None,
        "an earlier scenario is given, but no growth to hold against it; write max_growth",
    )
    label = option or recommend(study, flips=False).best
    if label is None:
        return ["no option is eligible: " + recommend(study, flips=False).headline]
    row = compare(study).loc[study.label(label)]
    if np.isnan(row["expected"]):
        return [f"{label} cannot run: {row['why_not']}"]
    broken, usd = [], row["per_month"]
    paid = row["to_pay"] / study.terms.months
    for limit, amount, verb in (
        (max_usd_per_month, usd, "cost"),
        (max_paid_per_month, paid, "pay"),
    ):
        if limit is not None and amount > limit:
            most = f"{limit:,.2f}".removesuffix(".00")
            said = f"is expected to {verb} USD {amount:,.2f} a month, the limit is {most}"
            broken.append(f"{label} {said}")
    if min_quality is not None and not row["quality"] >= min_quality:
        known = not np.isnan(row["quality"])
        share = f"is {percent(row['quality'])}" if known else "is not known"
        broken.append(
            f"the share of accepted answers of {label} {share}, the least is {percent(min_quality)}"
        )
    if max_growth is not None:
        growth, since = _growth(study, label, usd, option, against)
        if growth > max_growth:
            said = f"grows by {100 * growth:.1f} % {since}, the limit is {100 * max_growth:.1f} %"
            broken.append(f"the cost of {label} {said}")
    return broken


def _growth(
    study: Study, label: str, usd: float, option: str | None, against: Study | None
) -> tuple[float, str]:
    """(share by which the cost grows, since when)."""
    if against is not None:
        earlier = option or recommend(against, flips=False).best
        check(earlier, "no option of the earlier scenario is eligible; name one with option")
        was = compare(against).loc[against.label(earlier), "per_month"]
        return usd / was - 1, f"since the earlier scenario ({earlier}: USD {was:,.2f} a month)"
    years = study.terms.months // MONTHS_PER_YEAR
    check(years > 1, "max_growth needs two whole years, or an earlier scenario to compare with")
    flow = cash_flow(study.only(label))
    paid = flow.loc[flow["month"].between(1, years * MONTHS_PER_YEAR), "usd"].to_numpy()
    by_year = paid.reshape(years, MONTHS_PER_YEAR).sum(axis=1)
    growth = by_year[1:] / by_year[:-1] - 1
    worst = int(growth.argmax())
    return float(growth[worst]), f"from year {worst + 1} to year {worst + 2}"
