"""The memo of a board pack: four numbers, three assumptions, what would flip the answer."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.options import Mix, Option
from costmodel.choices.servings.baselines import Staff, Today
from costmodel.choices.study import Study, analysis
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import (
    Doubt,
    key_of,
    leaves,
    middle,
    money,
    not_none,
    number_text,
    owner_of,
    pin,
    public,
    unknown,
    walk,
)
from costmodel.decisions.tradeoffs import goal_seek
from costmodel.decisions.uncertainty import tornado
from costmodel.decisions.verdict import Verdict, recommend
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import accepted, cases, evaluate
from costmodel.ledgers.evidence import meanings
from costmodel.studies.business_case import Policy, business_case

PEOPLE, TODAY = "people", "today"
TOP = 3
LIKELY_LOSS = 0.25  # a case that loses money more often is to be considered, not yet funded
WRONG = "answers that fail"  # the line whose quantity is what the quality leaves
NUDGE = 0.99


@public
def baseline(
    kind: str,
    options: Mapping[str, Any],
    minutes_per_request: Any = None,
    usd_per_hour: Any = None,
    usd_per_month_today: Any = None,
) -> Option | Mix:
    """Make what the case is held against.

    Parameters
    ----------
    kind : str
        "people", "today" (a known bill; 0 is doing nothing), or the label of an option.
    options : mapping of str to Option or Mix
        The options by label.
    minutes_per_request : float or Range, optional
        What people take [minute]; None is an assumption.
    usd_per_hour : float or Range, optional
        What they cost [USD/hour]; None is the rate of the catalogue.
    usd_per_month_today : float or Range, optional
        The known bill [USD/month].

    Returns
    -------
    Option or Mix
        The baseline.

    Raises
    ------
    CatalogError
        When there is no such option.

    Examples
    --------
    >>> baseline("people", {}, minutes_per_request=9, usd_per_hour=32).serving.minutes_per_request
    9
    """
    if kind == PEOPLE:
        known = not_none(minutes_per_request=minutes_per_request, usd_per_hour=usd_per_hour)
        return Option(Staff(**known))
    if kind == TODAY:
        return Option(Today(usd_per_month_today or 0.0))
    if kind not in options:
        raise unknown("baseline", kind, [PEOPLE, TODAY, *options], "the baselines and options")
    return options[kind]


@public
@dataclass(frozen=True, eq=False)
class Memo:
    """One page that answers a board.

    Parameters
    ----------
    best : str
        The label of the option that is chosen.
    sentence : str
        The answer.
    cards : tuple of (title, number, note)
        Four numbers.
    words : pandas.DataFrame
        What is asked for and how it was counted, one sentence a row.
    assumptions, flips : pandas.DataFrame
        The three inputs that move the total most, and those that would change the answer.
    table : pandas.DataFrame
        The business case.
    verdict : Verdict
        The recommendation behind it.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(3_000, input_tokens=500)
    >>> options = {
    ...     "seats": cm.Option(cm.finance.Seats(20, 30.0, accepted=0.9)),
    ...     "people": cm.Option(cm.finance.Staff(9, usd_per_hour=32)),
    ... }
    >>> page = cm.finance.memo(options, work, base=options["people"], draws=50)
    >>> page.best, page.table.index[0], len(page.cards)
    ('seats', 'seats', 4)
    """

    best: str
    sentence: str
    cards: tuple[tuple[str, str, str], ...]
    words: pd.DataFrame
    assumptions: pd.DataFrame
    flips: pd.DataFrame
    table: pd.DataFrame
    verdict: Verdict

    @property
    def turns(self) -> str:
        """What would flip the answer, in words: the caption of `flips`."""
        if len(self.verdict.leaders) == 1:
            return "Nothing would flip it: there is no other eligible option"
        if self.flips.empty:
            return (
                "No input alone, within thirty times its value, makes another option cheaper than "
                f"{self.best}"
            )
        return (
            f"What would flip it: {self.best} is no longer the cheapest once one of these alone "
            "passes the value needed"
        )


@analysis
def memo(
    study: Study,
    base: Option | Mix,
    policy: Policy | None = None,
    called: str = "the baseline",
    draws: int = 4_000,
) -> Memo:
    """Choose the cheapest eligible option, make its case against a baseline, and say it in words.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    base : Option or Mix
        The baseline, see `baseline`.
    policy : Policy, optional
        How finance counts.
    called : str
        What the memo calls the baseline.
    draws : int
        Random draws behind the bands.

    Returns
    -------
    Memo
        The page. Its assumptions are those whose ends move the total most; its flips are the inputs
        that alone make another option the cheapest, likeliest first.

    Raises
    ------
    ValueError
        When no option is eligible.

    Examples
    --------
    >>> import costmodel as cm
    >>> options = {
    ...     "seats": cm.Option(cm.finance.Seats(20, 30.0, accepted=0.9)),
    ...     "today": cm.Option(cm.finance.Today(5_000.0, accepted=0.9)),
    ... }
    >>> work = cm.Workload(3_000, input_tokens=500)
    >>> page = cm.finance.memo(options, work, base=options["today"], called="the desk", draws=50)
    >>> print(page.sentence)
    Fund seats: over 36 months it costs USD 21,600 to pay and saves USD ... (the desk): ...
    """
    policy, study = policy or Policy(), study.changed(draws=draws)
    verdict = recommend(study)
    if verdict.best is None:
        raise ValueError(verdict.sentence)
    best, leaders, terms = verdict.best, study.only(*verdict.leaders), study.terms
    table = business_case(leaders, base, policy, draws=draws)
    row = table.loc[best]
    says = {
        name: money((abs(x) if name == "wrong_answers" else x) / terms.money.per_usd, terms)
        for name, x in row.items()
        if isinstance(x, float)
    }
    bars = tornado(study, best).head(TOP)
    things = study.option(best), study.work, terms
    why = {key_of(o, f, value): getattr(value, "why", "") for o, f, value in walk(things)}
    inputs = bars["input"]
    bars = bars.assign(meaning=inputs.map(meanings(*things)), why=inputs.map(why))
    flips = pd.DataFrame(columns=["input", "meaning", "now", "needed", "chance", "verdict"])
    if len(leaders.options) > 1:
        flips = goal_seek(leaders, best).dropna(subset="needed").head(TOP)
    return Memo(
        best,
        _sentence(best, row, says, terms, _paid_now(base, called)),
        _cards(row, says, policy, called),
        pd.DataFrame({"in_plain_words": [verdict.sentence, *_words(row, says, policy, terms)]}),
        bars,
        flips,
        table,
        verdict,
    )


def _sentence(best: str, row: Any, says: dict[str, str], terms: Terms, paid_now: str) -> str:
    """The answer."""
    verb = "Fund" if row["p_loss"] <= LIKELY_LOSS else "Consider"
    if row["npv"] <= 0 or row["p_loss"] >= 0.5:
        verb = "Do not fund"
    wrong = ""  # also where it is not known
    if row["wrong_answers"] > 0:
        wrong = f", less {says['wrong_answers']} for more wrong answers"
    elif row["wrong_answers"] < 0:
        wrong = f", and {says['wrong_answers']} for fewer wrong answers"
    return (
        f"{verb} {best}: over {terms.months} months it costs {says['tco']} to pay and saves "
        f"{says['benefit']} ({paid_now}){wrong}: a present value of {says['npv']} (80 % sure "
        f"between {says['npv_p10']} and {says['npv_p90']}); the case loses money in "
        f"{row['p_loss']:.0%} of the draws."
    )


def _paid_now(base: Option | Mix, called: str) -> str:
    """What the saving is a saving of."""
    if isinstance(base, Option) and isinstance(base.serving, Staff):
        return f"{called}, {number_text(base.serving.minutes_per_request)} minutes a request"
    return called


def _cards(
    row: Any, says: dict[str, str], policy: Policy, called: str
) -> tuple[tuple[str, str, str], ...]:
    """The four numbers."""
    month = row["payback_month"]
    back = "not within the horizon" if np.isnan(month) else f"month {month:.1f}"
    counts = f"{_share_text(policy.realised)} of the bill counts as saved"
    sure = f"80 % sure: {says['npv_p10']} to {says['npv_p90']}"
    percentile = f"to the {policy.contingency_percentile:g}th percentile"
    return (
        (f"Saved: {called}", says["benefit"], counts),
        ("Net saving, present value", says["npv"], sure),
        ("All-in cost", says["budget"], f"{says['contingency']} of it contingency {percentile}"),
        ("Money back", "at once" if month == 0 else back, f"IRR {row['irr_says']}"),
    )


def _words(row: Any, says: dict[str, str], policy: Policy, terms: Terms) -> tuple[str, ...]:
    """What is asked for, what counts as saved, and how finance counts it."""
    asks = (
        f"We ask for {says['budget']} over {terms.months} months, {says['investment']} of it up "
        f"front. That is the middle, {says['tco']}, and {says['contingency']} so that the budget "
        f"holds in {policy.contingency_percentile:g} of 100 cases."
    )
    more = "more" if row["wrong_answers"] > 0 else "less"
    wrong = (
        f"Wrong answers cost {says['wrong_answers']} {more} "
        "than the baseline's, which is in the present value and not in the budget."
    )
    if np.isnan(row["wrong_answers"]):
        wrong = "Wrong answers are left out: how many this or the baseline gives is not known."
    counts = (
        "A saving counts as far as it is removed or redeployed: "
        f"{_share_text(policy.realised)} of what the baseline costs. {wrong}"
    )
    assets = "What is tagged as an asset" if row["capex"] else "Nothing"
    books = f"{'All that is built' if policy.capitalise == 'build' else assets} is capitalised"
    if row["capex"]:
        books += (
            f" and written off over {row['written_off_months']:.0f} months, to the first forced "
            "move to another model at the latest"
        )
    tax = "Tax is left out."
    if np.any(middle(policy).tax_rate):
        tax = f"Tax at {_share_text(policy.tax_rate)} of the gain is in it."
    rate = f"Discounted at {_share_text(terms.discount_rate)} a year."
    return asks, counts, f"{books}. {tax} {rate}"


def _share_text(x: Any) -> str:
    """A share, or its range, for a reader."""
    if isinstance(x, Doubt) and x.low < x.high:
        return f"{x.mid:.0%} ({x.low:.0%} to {x.high:.0%})"
    return f"{float(middle(x)):.0%}"


@analysis
def traced(study: Study, inputs: pd.DataFrame, label: str | None = None) -> pd.DataFrame:
    """Say which rows of a register stand behind each line of an option.

    The terms (trends, discount, horizon) and the volume stand behind all lines.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    inputs : pandas.DataFrame
        A register from `numbered`.
    label : str, optional
        Which option; it may be left out where there is one.

    Returns
    -------
    pandas.DataFrame
        Dearest first. Columns: phase, item, usd [USD over the horizon], rows (what the formula of
        the line cites; for answers that fail every input that moves the share accepted). Every
        Range is at its middle.

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(cm.finance.Today(cm.Range(900, 1_100)))
    >>> work = cm.Workload(3_000, input_tokens=500)
    >>> rows = cm.finance.numbered(option, work)
    >>> cm.finance.traced(option, work, inputs=rows)[["phase", "item", "rows"]]
         phase      item rows
    0  serving  as today   R1
    """
    things = study.option(label), study.work, study.terms
    keys: dict[str, set[str]] = {}
    for owner, field, value in walk(things):
        keys.setdefault(f"{owner_of(owner)}.{field}", set()).add(key_of(owner, field, value))
    row_of = inputs.groupby("input", sort=False)["row"].agg(list)
    calendar = Calendar(*middle(things[1:]))
    rows = []
    for line in evaluate(*middle(things)).lines:
        behind = [key for cited in line.cites for key in sorted(keys.get(cited, {cited}))]
        behind += _behind_quality(things) if line.item == WRONG else []
        found = dict.fromkeys(number for key in behind for number in row_of.get(key, []))
        usd = float(line.usd * calendar.factor(line.schedule, line.trend))
        rows.append((line.phase, line.item, usd, ", ".join(found)))
    table = pd.DataFrame(rows, columns=["phase", "item", "usd", "rows"])
    return table.sort_values("usd", ascending=False, ignore_index=True)


def _behind_quality(things: tuple[Any, Workload, Terms]) -> list[str]:
    """The inputs that move the share of answers accepted.

    Each is moved a little: a Range to its low end, a number by 1 %.
    """

    now, found = accepted(cases(*middle(things))), []
    for key, value in leaves(things).items():
        moved = value.low if isinstance(value, Doubt) else NUDGE * value
        with suppress(ValueError):  # a number that may not be moved
            if accepted(cases(*middle(pin(things, key, moved)))) != now:
                found.append(key)
    return found
