"""The memo of a board pack: four numbers, three assumptions and what would flip the answer, in plain words."""

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
from costmodel.core.draws import middle
from costmodel.core.errors import unknown
from costmodel.core.nested import key_of, leaves, owner_of, pin, walk
from costmodel.core.public import public
from costmodel.core.ranges import Doubt
from costmodel.core.words import money, number_text
from costmodel.decisions.tradeoffs import goal_seek
from costmodel.decisions.uncertainty import tornado
from costmodel.decisions.verdict import Verdict, recommend
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import accepted, cases, evaluate
from costmodel.ledgers.evidence import meanings
from costmodel.ledgers.register import register
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
    """What the case is held against: "people" (minutes a request; None is an assumption), "today" (a known bill; 0 is doing nothing), or an option by its label.

    >>> baseline("people", {}, minutes_per_request=9, usd_per_hour=32).serving.minutes_per_request
    9
    """
    if kind == PEOPLE:
        known = {} if minutes_per_request is None else {"minutes_per_request": minutes_per_request}
        return Option(Staff(**known, usd_per_hour=usd_per_hour))
    if kind == TODAY:
        return Option(Today(usd_per_month_today or 0.0))
    if kind not in options:
        raise unknown("baseline", kind, [PEOPLE, TODAY, *options], "the baselines and options")
    return options[kind]


@public
@dataclass(frozen=True, eq=False)
class Memo:
    """One page: `sentence`, four `cards`, `words` (one sentence a row), `assumptions` (three), `flips` (what would change the answer), `table` of the case."""

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
            return f"No input alone, within thirty times its value, makes another option cheaper than {self.best}"
        return f"What would flip it: {self.best} is no longer the cheapest once one of these alone passes the value needed"


@analysis
def memo(
    study: Study,
    base: Option | Mix,
    policy: Policy | None = None,
    called: str = "the baseline",
    draws: int = 4_000,
) -> Memo:
    """Choose the cheapest eligible option, make its case against the baseline, and put both into words.

    The three assumptions are those whose ends move its total most; what would flip it are the inputs that alone make another option the
    cheapest, likeliest first. Errors: `ValueError` where no option is eligible.
    """
    policy = policy or Policy()
    study, work, terms = study.changed(draws=draws), study.work, study.terms
    verdict = recommend(study)
    if verdict.best is None:
        raise ValueError(verdict.sentence)
    best, leaders = verdict.best, study.only(*verdict.leaders)
    table = business_case(leaders, base, policy, draws=draws)
    bars = tornado(study, best).head(TOP)
    flips = (
        goal_seek(leaders, best)
        if len(leaders.options) > 1
        else pd.DataFrame(columns=["input", "meaning", "now", "needed", "chance", "verdict"])
    )
    row = table.loc[best]
    rate = 1 / terms.money.per_usd
    says = {
        name: money(row[name] * rate, terms)
        for name in (
            "benefit",
            "tco",
            "budget",
            "contingency",
            "npv",
            "npv_p10",
            "npv_p90",
            "investment",
        )
    }
    wrong, says["wrong"] = (
        row["wrong_answers"],
        money(abs(row["wrong_answers"]) * rate, terms),
    )  # NaN where they are not known
    pays = np.isnan(row["payback_month"])
    verb = (
        "Do not fund"
        if row["npv"] <= 0 or row["p_loss"] >= 0.5
        else "Fund"
        if row["p_loss"] <= LIKELY_LOSS
        else "Consider"
    )
    errs = (
        f", less {says['wrong']} for more wrong answers"
        if wrong > 0
        else f", and {says['wrong']} for fewer wrong answers"
        if wrong < 0
        else ""
    )
    sentence = (
        f"{verb} {best}: over {terms.months} months it costs {says['tco']} to pay and saves {says['benefit']} ({_paid_now(base, called)}){errs}: a present value of {says['npv']} "
        f"(80 % sure between {says['npv_p10']} and {says['npv_p90']}); the case loses money in {row['p_loss']:.0%} of the draws."
    )
    cards = (
        (
            f"Saved: {called}",
            says["benefit"],
            f"{_shares(policy.realised)} of the bill counts as saved",
        ),
        (
            "Net saving, present value",
            says["npv"],
            f"80 % sure: {says['npv_p10']} to {says['npv_p90']}",
        ),
        (
            "All-in cost",
            says["budget"],
            f"{says['contingency']} of it contingency to the {policy.contingency_percentile:g}th percentile",
        ),
        (
            "Money back",
            "not within the horizon"
            if pays
            else "at once"
            if row["payback_month"] == 0
            else f"month {row['payback_month']:.1f}",
            f"IRR {row['irr_says']}",
        ),
    )
    words = pd.DataFrame({"in_plain_words": _words(verdict, row, says, policy, terms)})
    return Memo(
        best,
        sentence,
        cards,
        words,
        _explained(bars, study.option(best), work, terms),
        flips[flips["needed"].notna()].head(TOP),
        table,
        verdict,
    )


def _paid_now(base: Option | Mix, called: str) -> str:
    """What the saving is a saving of."""
    people = isinstance(base, Option) and isinstance(base.serving, Staff)
    return (
        f"{called}, {number_text(base.serving.minutes_per_request)} minutes a request"
        if people
        else called
    )  # type: ignore[union-attr]


def _words(
    verdict: Verdict, row: Any, says: dict[str, str], policy: Policy, terms: Terms
) -> tuple[str, ...]:
    asks = (
        f"We ask for {says['budget']} over {terms.months} months, {says['investment']} of it up front. "
        f"That is the middle, {says['tco']}, and {says['contingency']} so that the budget holds in {policy.contingency_percentile:g} of 100 cases."
    )
    counts = f"A saving counts as far as it is removed or redeployed: {_shares(policy.realised)} of what the baseline costs. "
    wrong = row["wrong_answers"]
    counts += (
        "Wrong answers are left out: how many this or the baseline gives is not known."
        if np.isnan(wrong)
        else f"Wrong answers cost {says['wrong']} {'more' if wrong > 0 else 'less'} than the baseline's, which is in the present value and not in the budget."
    )
    tax = (
        "Tax is left out."
        if not np.any(middle((policy,))[0].tax_rate)
        else f"Tax at {_shares(policy.tax_rate)} of the gain is in it."
    )
    books = (
        f"{'Nothing is' if row['capex'] == 0 else 'What is tagged as an asset is'} capitalised"
        if policy.capitalise != "build"
        else "All that is built is capitalised"
    )
    books += (
        f" and written off over {row['written_off_months']:.0f} months, to the first forced move to another model at the latest"
        if row["capex"]
        else ""
    )
    return (
        verdict.sentence,
        asks,
        counts,
        f"{books}. {tax} Discounted at {_shares(terms.discount_rate)} a year.",
    )


def _explained(bars: pd.DataFrame, *things: Any) -> pd.DataFrame:
    """The bars with what each input means, and why its range is what it is."""
    meaning, why = (
        meanings(*things),
        {key_of(o, f, v): getattr(v, "why", "") for o, f, v in walk(things)},
    )
    return bars.assign(meaning=bars["input"].map(meaning), why=bars["input"].map(why))


def _shares(x: Any) -> str:
    """A share, or its range, for a reader."""
    if isinstance(x, Doubt) and x.low < x.high:
        return f"{x.mid:.0%} ({x.low:.0%} to {x.high:.0%})"
    return f"{float(middle((x,))[0]):.0%}"


@analysis
def traced(study: Study, inputs: pd.DataFrame, label: str | None = None) -> pd.DataFrame:
    """Which rows of a register stand behind each line of an option. Columns: phase item usd rows; `inputs` is a `numbered` register.

    `rows` names what the line's formula cites, and for the answers that fail every input that moves the share accepted; the
    terms (trends, discount, horizon) and the volume stand behind all of them.
    """
    option, work, terms = study.option(label), study.work, study.terms
    keys: dict[str, set[str]] = {}
    for owner, field, value in walk((option, work, terms)):
        keys.setdefault(f"{owner_of(owner)}.{field}", set()).add(key_of(owner, field, value))
    row_of: dict[str, list[str]] = {}
    for number, name in zip(inputs["row"], inputs["input"], strict=True):
        row_of.setdefault(name, []).append(number)
    mid_work, mid_terms = middle((work, terms))
    calendar = Calendar(mid_work, mid_terms)
    rows = []
    for line in evaluate(middle(option), mid_work, mid_terms).lines:
        behind = [key for cited in line.cites for key in sorted(keys.get(cited, {cited}))]
        behind += _behind_quality(option, work, terms) if line.item == WRONG else []
        found = [n for key in behind for n in row_of.get(key, [])]
        usd = float(line.usd * calendar.factor(line.schedule, line.trend))
        rows.append((line.phase, line.item, usd, ", ".join(dict.fromkeys(found))))
    return pd.DataFrame(rows, columns=["phase", "item", "usd", "rows"]).sort_values(
        "usd", ascending=False, ignore_index=True
    )


def _behind_quality(option: Option | Mix, work: Workload, terms: Terms) -> list[str]:
    """The inputs that move the share of answers accepted, found by moving each a little: a Range to its low end, a number by 1 %."""

    def share(key: str, value: Any) -> Any:
        with suppress(ValueError):  # a number that may not be moved
            return accepted(cases(*middle(pin((option, work, terms), key, value))))
        return now

    now = accepted(cases(*middle((option, work, terms))))
    return [
        key
        for key, value in leaves((option, work, terms))
        if share(key, value.low if isinstance(value, Doubt) else NUDGE * value) != now
    ]


@analysis
def numbered(study: Study, also: Any = None) -> pd.DataFrame:
    """The register with a number for each row (R1, R2 ...), untouched defaults last; `also` maps a name to further inputs, such as a Policy."""
    table = register(study, also).sort_values("default", kind="stable", ignore_index=True)
    table.insert(0, "row", [f"R{i + 1}" for i in range(len(table))])
    return table
