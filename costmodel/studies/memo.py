"""The memo of a board pack: four numbers, three assumptions, what would flip the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.mixes import Mix
from costmodel.choices.options import Option
from costmodel.choices.servings.baselines import Staff, Today
from costmodel.choices.study import Study, analysis
from costmodel.choices.terms import Terms
from costmodel.core import (
    Doubt,
    chance_of,
    check,
    frozen,
    key_of,
    middle,
    money,
    not_none,
    number_text,
    percent,
    public,
    unknown,
    walk,
)
from costmodel.decisions.tradeoffs import goal_seek
from costmodel.decisions.uncertainty import tornado
from costmodel.decisions.verdict import Verdict, recommend
from costmodel.decisions.wording import Cards
from costmodel.ledgers.evidence import meanings
from costmodel.studies.business_case import Policy, business_case

PEOPLE, TODAY = "people", "today"
TOP = 3
VERBS = ("Fund", "Consider", "Do not fund")
LIKELY_LOSS = 0.25  # a case that loses money more often is to be considered, not yet funded
NO_BASELINE = (
    "No baseline was given, so this page cannot say what is saved: it compares the options."
)
HOW_TO_GIVE_ONE = (
    "A baseline is what would be paid otherwise: people (a role and minutes a request), seats, "
    "today's bill, or one of the options."
)


@public
def baseline(
    kind: str | None,
    options: Mapping[str, Any],
    minutes_per_request: Any = None,
    role: str | None = None,
    usd_per_hour: Any = None,
    usd_per_month_today: Any = None,
) -> Option | Mix | None:
    """Make what the case is held against; nothing of it is made up.

    Parameters
    ----------
    kind : str, optional
        "people", "today" (a known bill; 0 is doing nothing), or the label of an option. None: there
        is no baseline.
    options : mapping of str to Option or Mix
        The options by label.
    minutes_per_request : float or Range, optional
        What people take for a request [minute].
    role : str, optional
        Who they are, such as "support_agent".
    usd_per_hour : float or Range, optional
        What they cost, in place of the rate of the role [USD/hour].
    usd_per_month_today : float or Range, optional
        The known bill [USD/month].

    Returns
    -------
    Option or Mix, or None
        The baseline.

    Raises
    ------
    CatalogError
        When there is no such option or role.
    ValueError
        When people come without minutes and a role or rate, or today without a bill.

    Examples
    --------
    >>> baseline("people", {}, 9, usd_per_hour=32).serving.minutes_per_request
    9
    >>> baseline("people", {}, 9)
    Traceback (most recent call last):
    ValueError: the baseline people needs minutes_per_request and a role, such as 'support_agent', \
or usd_per_hour
    """
    if kind is None:
        return None
    if kind == PEOPLE:
        check(
            minutes_per_request is not None and not (role is None and usd_per_hour is None),
            "the baseline people needs minutes_per_request and a role, such as 'support_agent', "
            "or usd_per_hour",
        )
        known = not_none(role=role, usd_per_hour=usd_per_hour)
        return Option(Staff(minutes_per_request, **known))
    if kind == TODAY:
        check(
            usd_per_month_today is not None,
            "the baseline today needs usd_per_month_today, the present bill; 0 is doing nothing",
        )
        return Option(Today(usd_per_month_today))
    if kind not in options:
        raise unknown("baseline", kind, [PEOPLE, TODAY, *options], "the baselines and options")
    return options[kind]


@frozen(eq=False)
class Memo:
    """One page that answers a board.

    Parameters
    ----------
    best : str
        The label of the option that the verdict names.
    sentence : str
        The answer.
    cards : tuple of (title, number, note)
        Four numbers.
    words : pandas.DataFrame
        What is asked for and how it was counted, one sentence a row.
    assumptions, flips : pandas.DataFrame
        The three inputs that move the total most, and those that would change the answer.
    table : pandas.DataFrame
        The business case; without a baseline, against the next option of the verdict.
    verdict : Verdict
        The recommendation behind it.
    base : Option or Mix
        What the table is held against.
    called : str
        What that is called.

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
    cards: Cards
    words: pd.DataFrame
    assumptions: pd.DataFrame
    flips: pd.DataFrame
    table: pd.DataFrame
    verdict: Verdict
    base: Option | Mix
    called: str

    @property
    def turns(self) -> str:
        """What would flip the answer, in words: the caption of `flips`."""
        if len(self.verdict.leaders) == 1 < len(self.verdict.table):
            return (
                "No price flips it: no other option is sure enough to reach the quality floor; "
                "judged answers may change that"
            )
        if len(self.verdict.leaders) == 1:
            return "Nothing would flip it: there is no other option"
        if self.flips.empty:
            return (
                "No input alone, within thirty times its value, makes another option cheaper than "
                f"{self.best}"
            )
        return (
            f"What would flip it: {self.best} is no longer the best once one of these alone passes "
            "the value needed"
        )


@analysis
def memo(
    study: Study,
    base: Option | Mix | None = None,
    policy: Policy | None = None,
    called: str | None = None,
) -> Memo:
    """Take the best option of the verdict, make its case against a baseline, and say it in words.

    Without a baseline the memo compares options, and says that it cannot say what is saved. Where
    no option is eligible it asks for a measurement, not for money.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    base : Option or Mix, optional
        The baseline, see `baseline`.
    policy : Policy, optional
        How finance counts.
    called : str, optional
        What the memo calls the baseline.

    Returns
    -------
    Memo
        The page. Its assumptions are those whose ends move the expected total most; its flips are
        the inputs that alone make another option the best, likeliest first.

    Raises
    ------
    ValueError
        When no option can run.

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
    Fund seats: over 36 months it costs USD 21,900 to pay and saves USD ... (the desk): ...
    >>> cm.finance.memo(options, work, draws=50).sentence.split(". ")[1]
    'No baseline was given, so this page cannot say what is saved: it compares the options.'
    """
    policy, called = policy or Policy(), called or "the baseline"
    verdict = recommend(study)
    if verdict.named is None:
        raise ValueError(verdict.sentence)
    best, leaders, terms = verdict.named, study.only(*verdict.leaders), study.terms
    bars = tornado(study, best).head(TOP)
    things = study.option(best), study.work, terms
    why = {key_of(o, f, value): getattr(value, "why", "") for o, f, value in walk(things)}
    inputs = bars["input"]
    bars = bars.assign(meaning=inputs.map(meanings(*things)), why=inputs.map(why))
    flips = pd.DataFrame(columns=["input", "meaning", "now", "side", "needed", "chance", "verdict"])
    if len(leaders.options) > 1:
        flips = goal_seek(leaders, best).dropna(subset="needed")
        there = (flips["now"] > flips["needed"]) == (flips["side"] == "above")
        flips = flips[~there].head(TOP)  # of a skewed input the middle may lie beyond already
    given = base is not None
    called = called if given else verdict.contest[1]
    held_against = base or study.option(called)
    table = business_case(leaders, held_against, policy)
    sentence, cards = f"{verdict.headline} {NO_BASELINE}", verdict.cards
    words = [*verdict.points, HOW_TO_GIVE_ONE]
    if given:
        row = table.loc[best]
        says = _amounts(row, terms)
        sentence = case_sentence(verdict, row, terms, held_against, called)
        cards = _cards(row, says, policy, called)
        who = "We" if verdict.best else "If it passed, we would"
        words = [verdict.sentence, *_words(row, says, policy, terms, who)]
    plain = pd.DataFrame({"in_plain_words": words})
    return Memo(best, sentence, cards, plain, bars, flips, table, verdict, held_against, called)


def case_sentence(
    verdict: Verdict, row: pd.Series, terms: Terms, base: Option | Mix, called: str
) -> str:
    """Whether to fund what a verdict names, by its row of the business case against `base`."""
    best, says = str(verdict.named), _amounts(row, terms)
    sentence = _sentence(best, row, says, terms, _paid_now(base, called))
    if verdict.best is None:
        case = sentence.partition(": ")[2]
        return f"{verdict.headline} Should {best} reach the floor: {case}"
    if verdict.waits:
        first = verdict.headline.partition(". ")[0].partition(": ")[2]
        return f"{sentence} Before the choice of the option, {first}."
    return sentence


def _amounts(row: pd.Series, terms: Terms) -> dict[str, str]:
    """The amounts of a row of the business case in words; what wrong answers cost without sign."""
    return {
        name: money((abs(x) if name == "wrong_answers" else x) / terms.money.per_usd, terms)
        for name, x in row.items()
        if isinstance(x, float)
    }


def _sentence(best: str, row: Any, says: dict[str, str], terms: Terms, paid_now: str) -> str:
    """The answer."""
    fund, consider, leave = VERBS
    verb = fund if row["p_loss"] <= LIKELY_LOSS else consider
    if row["npv"] <= 0 or row["p_loss"] >= 0.5:
        verb = leave
    saves = f" and saves {says['benefit']} ({paid_now})"
    if not row["benefit"]:
        saves = f" beside {paid_now}"
    wrong = ""  # also where it is not known
    if row["wrong_answers"] > 0:
        wrong = f", less {says['wrong_answers']} for more wrong answers"
    elif row["wrong_answers"] < 0:
        wrong = f", and {says['wrong_answers']} for fewer wrong answers"
    return (
        f"{verb} {best}: over {terms.months} months it costs {says['tco']} to pay{saves}{wrong}: "
        f"a present value of {says['npv']} (8 cases "
        f"in 10: {says['npv_p10']} to {says['npv_p90']}); the case loses money in "
        f"{chance_of(row['p_loss'])} of the cases{people_text(row['people_freed'])}."
    )


@public
def people_text(freed: float) -> str:
    """Full-time people that a case frees or needs, in words.

    Parameters
    ----------
    freed : float
        Full-time people, below 0 where more are needed.

    Returns
    -------
    str
        The end of a sentence; nothing for less than a tenth of a person.

    Examples
    --------
    >>> people_text(12.3), people_text(-0.42), people_text(0.01)
    ('; this frees 12 full-time people', '; this needs 0.42 of a full-time person more', '')
    """
    if abs(freed) < 0.1:
        return ""
    many = number_text(abs(freed), 2)
    whom = f"{many} full-time people" if abs(freed) >= 1 else f"{many} of a full-time person"
    return f"; this frees {whom}" if freed > 0 else f"; this needs {whom} more"


def _paid_now(base: Option | Mix, called: str) -> str:
    """What the saving is a saving of."""
    if isinstance(base, Option) and isinstance(base.serving, Staff):
        return f"{called}, {number_text(base.serving.minutes_per_request)} minutes a request"
    return called


def _cards(row: Any, says: dict[str, str], policy: Policy, called: str) -> Cards:
    """The four numbers."""
    month = row["payback_month"]
    back = "not within the horizon" if np.isnan(month) else f"month {month:.1f}"
    counts = f"{_share_text(policy.realised)} of people's time counts, bills count in full"
    sure = f"8 cases in 10: {says['npv_p10']} to {says['npv_p90']}"
    percentile = f"to the {policy.contingency_percentile:g}th percentile"
    return (
        (f"Saved: {called}", says["benefit"], counts),
        ("Net saving, present value", says["npv"], sure),
        ("Budget", says["budget"], f"{says['contingency']} of it contingency {percentile}"),
        ("Money back", "at once" if month == 0 else back, f"rate of return {row['irr_says']}"),
    )


def _words(row: Any, says: dict[str, str], policy: Policy, terms: Terms, who: str) -> list[str]:
    """What is asked for, what counts as saved, and how finance counts it."""
    asks = (
        f"{who} ask for {says['budget']} over {terms.months} months, {says['investment']} of it up "
        f"front. Expected are {says['tco']}, and {says['contingency']} on top make the budget "
        f"hold in {policy.contingency_percentile:g} of 100 cases."
    )
    more = "more" if row["wrong_answers"] > 0 else "less"
    wrong = (
        f"Wrong answers cost {says['wrong_answers']} {more} "
        "than the baseline's, which is in the present value and not in the budget."
    )
    if np.isnan(row["wrong_answers"]):
        wrong = "Wrong answers are left out: how many this or the baseline gives is not known."
    counts = (
        f"The benefit starts after {row['build_months']:.1f} months of building, while running "
        "costs count from month 1. Bills of the "
        "baseline count in full, time of people as far as it is removed or redeployed: "
        f"{_share_text(policy.realised)}. {wrong}"
    )
    assets = "What is tagged as an asset" if row["capex"] else "Nothing"
    books = f"{'All that is built' if policy.capitalise == 'build' else assets} is capitalised"
    if not np.isnan(row["written_off_months"]):
        books += (
            f" and written off over {row['written_off_months']:.0f} months, to the first forced "
            "move to another model at the latest; servers have a life of their own"
        )
    tax = "Tax is left out."
    if np.any(middle(policy).tax_rate):
        tax = f"Tax at {_share_text(policy.tax_rate)} of the gain is in it."
    rate = f"Discounted at {_share_text(terms.discount_rate)} a year."
    return [asks, counts, f"{books}. {tax} {rate}"]


def _share_text(x: Any) -> str:
    """A share, or its range, for a reader."""
    if isinstance(x, Doubt) and x.low < x.high:
        return f"{percent(x.mid)} ({percent(x.low)} to {percent(x.high)})"
    return percent(float(middle(x)))
