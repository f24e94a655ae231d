"""What a report says first: what arrives, what the options are made of, and a first answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import Any

import pandas as pd

from costmodel.choices.mixes import Mix
from costmodel.choices.options import Option
from costmodel.choices.presets import TOKENS_ONLY, WHOLE_LIFE
from costmodel.choices.servings.api import Api
from costmodel.choices.study import Study, analysis
from costmodel.choices.terms import Terms
from costmodel.core import (
    KILO,
    UNSEEN,
    label_of,
    meaning_of,
    middle,
    money,
    number_text,
    objects,
    of_kind,
    owner_label,
    percent,
    public,
    unit_of,
    walk,
)
from costmodel.decisions.compare import compare
from costmodel.decisions.verdict import Verdict
from costmodel.decisions.wording import volume
from costmodel.facts.pricelist import PRICES_VERSION
from costmodel.ledgers.book import cash_flow
from costmodel.pages.blocks import Block, Words

STEADY = 0.03  # a first month that is nearer to the average is not told
RESTS_ON = "What it rests on"
WITHOUT_MODEL = {"Staff": "people", "Seats": "seats of a product", "Today": "as today"}


@analysis
def first_answer(study: Study) -> Verdict:
    """The pair of `quick` in words: what tokens alone cost, and what the whole life costs.

    Parameters
    ----------
    study : Study, or options with a workload
        The two options of `cm.choices.quick`.

    Returns
    -------
    Verdict
        `best` is the whole life; `headline`, `cards` and the `table` of both.

    Examples
    --------
    >>> import costmodel as cm
    >>> options, work = cm.choices.quick(on="2026-11-01")
    >>> [title for title, _, _ in first_answer(options, work, draws=200).cards][:2]
    ['Whole life, a month', 'Tokens alone, a month']
    """
    work, terms = study.work, study.terms
    study.pair(TOKENS_ONLY, WHOLE_LIFE)
    table = compare(study)
    table["eligible"] = table.index == WHOLE_LIFE
    tokens, life = table.loc[TOKENS_ONLY], table.loc[WHOLE_LIFE]

    def usd(amount: float) -> str:
        return money(amount, terms)

    low, high = (usd(life[end] / terms.months) for end in ("p10", "p90"))
    calls = tokens["to_pay"]  # what wrong answers cost is no part of the tokens
    monthly, bare = usd(life["per_month"]), usd(calls / terms.months)
    wrong = life["wrong_answers"] / terms.months
    model = study.option(TOKENS_ONLY).serving.model.id
    headline = (
        f"{model} for {volume(work)} requests a month is expected to cost {monthly} a month over "
        f"its whole life (8 cases in 10: {low} to {high}); tokens alone are {bare}, "
        f"{percent(calls / life['expected'])} of it."
    )
    shows, first = "what a token calculator shows", _first_month(study)
    if abs(first * terms.months / calls - 1) > STEADY:
        shows = f"on average; a token calculator shows {usd(first)} of the first month"
    cards = (
        (
            "Whole life, a month",
            monthly,
            f"8 cases in 10: {low} to {high}" + (f"; wrong answers {usd(wrong)}" * bool(wrong)),
        ),
        ("Tokens alone, a month", bare, shows),
        (
            "Per 1,000 requests",
            usd(life["per_request"] * KILO),
            f"{usd(tokens['per_request'] * KILO * calls / tokens['expected'])} for tokens alone",
        ),
        (
            "Per accepted answer",
            usd(life["per_accepted"]),
            f"{percent(life['quality'])} accepted: an assumption, measure yours",
        ),
    )
    return Verdict(WHOLE_LIFE, table, headline, cards, named=WHOLE_LIFE)


def _first_month(study: Study) -> float:
    """What tokens alone cost in the first paid month."""
    work = replace(study.work, usd_per_failure=0.0)
    flow = cash_flow(replace(study.only(TOKENS_ONLY), work=work, accept_zero=None))
    return float(flow["usd"][flow["month"] == 1].sum())


MOST = 3  # assumptions that a first page names


@public
def rests_on(bars: pd.DataFrame, terms: Terms) -> Block:
    """The three assumptions that move a cost most, in plain words, for the front of a report.

    Parameters
    ----------
    bars : DataFrame
        The `tornado` of one option.
    terms : Terms
        Its horizon and currency.

    Returns
    -------
    Block
        A heading, and a sentence for each assumption.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG")
    >>> bars = cm.uncertainty.tornado(study, draws=200)
    >>> print(str(rests_on(bars, study.terms)).splitlines()[1][:45])
    - Cost of a wrong answer, 0.5 to 4 USD: from
    """
    told = []
    for bar in bars.head(MOST).itertuples():
        unit, plain = bar.unit.partition("/")[0], label_of(bar.input)
        share = unit == "share"
        ends = [percent(x) if share else number_text(x, 3) for x in (bar.low, bar.high)]
        many = f"{unit}s" if unit.islower() and len(unit) > 1 else unit
        many = many.replace("FTE", "full-time people")
        within = f"{ends[0]} to {ends[1]}{'' if share else f' {many}'}"
        if unit in UNSEEN:
            within = "between the ends of its range"
        least, most = (money(x / terms.months, terms) for x in sorted((bar.usd_low, bar.usd_high)))
        told.append((plain[:1].upper() + plain[1:], f"{within}: from {least} to {most} a month"))
    head = f"The assumptions that move the expected cost of {bars.attrs['option']} most:"
    items = "".join(f"<li><strong>{escape(x)}</strong>, {escape(y)}</li>" for x, y in told)
    lines = [head, *(f"- {x}, {y}" for x, y in told)]
    made = f"<h2>{escape(RESTS_ON)}</h2><p>{escape(head)}</p><ul>{items}</ul>"
    return Words(made, "\n".join(lines))


@analysis
def brief(study: Study) -> pd.DataFrame:
    """The workload and the terms as a table for a reader.

    Parameters
    ----------
    study : Study, or options with a workload
        Whose workload and terms are shown.

    Returns
    -------
    DataFrame
        `input` and `value` as text, `unit`, `meaning`.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> brief(study)[["input", "value"]].head(2)
                    input    value
    0  requests per month  300,000
    1  tokens of instructions      600
    """
    work, terms = study.work, study.terms
    rows: list[tuple] = []
    of_terms = ((terms, name, getattr(terms, name)) for name in ("months", "discount_rate"))
    for owner, name, value in (*walk(work), *walk(terms.trends), *of_terms):
        kind = type(owner).__name__
        if owner is work.tier:
            continue
        key = f"{kind}.{name}"
        rows.append((label_of(key), number_text(value), unit_of(key), meaning_of(key)))
    shown = "of headline, comparison and figures; the line-by-line bill is in US dollars"
    of_tier = "how much the service matters: it sets the effort that nobody has given"
    rows += [("tier", work.tier.id, "", of_tier)]
    rows += [("first paid month", terms.start, "", ""), ("currency", terms.currency, "", shown)]
    return pd.DataFrame(rows, columns=["input", "value", "unit", "meaning"])


@public
def made_of(study: Study | Mapping[str, Any]) -> pd.DataFrame:
    """What each option is made of.

    Parameters
    ----------
    study : Study, or dict of label to Option or Mix
        Whose options are shown.

    Returns
    -------
    DataFrame
        One row per part: `option`, `answers` (the model and where it runs), `with` (the names of
        its techniques), `sees` (share of the requests).

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> made_of(study.only("Few-shot"))["with"].to_list()
    ['examples in the prompt, prompt, evaluation, monitoring, upgrades']
    """
    options: Any = getattr(study, "options", study)
    for label, option in options.items():
        of_kind(f"option {label!r}", option, Option, Mix)
    rows = [
        {
            "option": label,
            "answers": _answers(part.serving),
            "with": ", ".join(owner_label(type(t).__name__) for t in part.techniques),
            "sees": float(sees),
        }
        for label, option in options.items()
        for part, sees, _ in middle(option).parts()
    ]
    return pd.DataFrame(rows)


def _answers(serving: Any) -> str:
    """Who answers, and where."""
    if hasattr(serving, "model"):
        return f"{serving.model.id} ({serving.where})"
    return WITHOUT_MODEL.get(kind := type(serving).__name__, kind)


@public
def priced_on(study: Study | Mapping[str, Any]) -> str:
    """The days whose API prices a study has, and the version of the price list.

    Parameters
    ----------
    study : Study, or dict of label to Option or Mix
        Whose options are looked at.

    Returns
    -------
    str
        Such as "2026-11-01 (genai-prices 0.0.40)".

    Examples
    --------
    >>> import costmodel as cm
    >>> priced_on({"A": cm.Option(cm.Api("gpt-4o", on="2026-11-01"))}).split()[0]
    '2026-11-01'
    """
    options = getattr(study, "options", study)
    days = {str(api.on) for api in objects(options) if isinstance(api, Api)}
    return f"{', '.join(sorted(days)) or 'no API prices'} (genai-prices {PRICES_VERSION})"
