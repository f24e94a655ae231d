"""The words of a verdict: its headline, its four cards, and the points that it turns on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.study import Study
from costmodel.choices.workload import Workload
from costmodel.core import middle, money, number_text
from costmodel.decisions.search import present

SURE = 0.5  # a chance to be the cheapest below this is called a close call
WORTH_SAYING = 0.005  # of the total: a smaller cost of wrong answers is not mentioned
Cards = tuple[tuple[str, str, str], ...]


def headline(study: Study, best: str, table: pd.DataFrame, wrong: float) -> str:
    """The answer in one sentence; `wrong` is the share of the total that wrong answers cost."""
    row, work, terms, floor = table.loc[best], study.work, study.terms, study.quality_floor
    text = f"{'At' if work.flat else 'Starting at'} {volume(work)} requests a month"
    text += "" if work.flat else f" and {_growth(work)}"
    text += f", {best} is the cheapest way"
    text += f" that reaches {floor:.0%} accepted answers" if floor is not None else ""
    rival = _rival(best, table)
    text += f", in a close call with {rival}" if rival else ""
    if floor is None and not np.isnan(row["quality"]):
        text += f", with {row['quality']:.0%} of its answers accepted"
    text += f": {money(row['per_month'], terms)} a month"
    text += "" if work.flat else f" over {terms.months} months"
    low, high = (money(row[end] / terms.months, terms) for end in ("p10", "p90"))
    text += f" (80 % sure between {low} and {high})"
    return text + (
        f", {wrong:.0%} of it the cost of wrong answers." if wrong >= WORTH_SAYING else "."
    )


def points(
    study: Study, best: str, table: pd.DataFrame, wrong: float, flips: pd.DataFrame
) -> Iterator[str]:
    """What a reader must know beside the headline: how close it is, and what it turns on."""
    unread = study.work.corpus is not None and not _reads(study.option(best))
    if unread and study.quality_floor is None and wrong == 0:
        yield (
            f"{best} does not read the corpus, and wrong answers are free here: "
            "ask for a quality_floor, or give them a price (usd_per_failure)."
        )
    chance, least = table["p_cheapest"], table["p_least_to_pay"].fillna(0)
    if rival := _rival(best, table):
        yield (
            f"A close call: {best} is the cheapest in {chance[best]:.0%} of the draws, "
            f"{rival} in {chance[rival]:.0%}."
        )
    halfway = table.loc[table["eligible"], "p50"] / study.terms.months
    if halfway.notna().any() and (other := halfway.idxmin()) != best:
        ours, theirs = (money(halfway[label], study.terms) for label in (best, other))
        yield (
            f"{best} is the cheapest with every input at its middle; in the median of the draws "
            f"{other} is, {theirs} a month against {ours}."
        )
    if wrong >= WORTH_SAYING and (other := least.idxmax()) != best:
        yield (
            f"It turns on the assumed cost of a wrong answer: without it, {other} is the cheapest "
            f"in {least[other]:.0%} of the draws, {best} in {least[best]:.0%}."
        )
    if np.isnan(table.loc[best, "quality"]):
        yield "Its quality is not known, so the cost of wrong answers is not in it."
    turns = [
        f"{flip.option} is cheaper {'below' if flip.below == flip.option else 'above'} "
        + number_text(flip.crossing, 2)
        for flip in flips.itertuples()
    ]
    if turns:
        yield f"At other volumes: {', '.join(turns)} requests a month."


def cards(study: Study, row: pd.Series, wrong: float) -> Cards:
    """Four numbers of the answer, each with a title and a remark."""
    terms = study.terms

    def usd(amount: float) -> str:
        return money(amount, terms)

    low, high = (usd(row[end] / terms.months) for end in ("p10", "p90"))
    to_pay, failed = usd(row["mid"] * (1 - wrong)), usd(row["mid"] * wrong)
    known = not np.isnan(row["quality"])
    return (
        ("Cost a month", usd(row["per_month"]), f"80 % sure: {low} to {high}"),
        (
            f"Total over {terms.months} months",
            usd(row["mid"]),
            f"{to_pay} to pay, {failed} for wrong answers",
        ),
        (
            "Per accepted answer",
            usd(row["per_accepted"]) if known else "not known",
            f"to pay; {row['quality']:.0%} of answers accepted" if known else "quality not known",
        ),
        (
            "Chance to be the cheapest",
            f"{row['p_cheapest']:.0%}",
            "of the eligible options, on the same draws",
        ),
    )


def no_answer(table: pd.DataFrame, floor: float | None) -> str:
    """Why no option is eligible."""
    known = table["quality"].dropna()
    if floor is not None and len(known):
        best = f"{known.idxmax()} with {known.max():.0%}"
        return f"No option reaches {floor:.0%} accepted answers; the best is {best}."
    reasons = (f"{label}: {reason}" for label, reason in table["why_not"].items())
    return f"No option can run: {'; '.join(reasons)}"


def volume(work: Workload) -> str:
    """The requests of a month as people write them."""
    return number_text(round(present(work.requests_per_month)))


def _rival(best: str, table: pd.DataFrame) -> str | None:
    """The other option that wins most often, where the answer wins in too few of the draws."""
    others = table[table["eligible"] & (table.index != best)]["p_cheapest"]
    close = others.notna().any() and table.loc[best, "p_cheapest"] < SURE
    return str(others.idxmax()) if close else None


def _growth(work: Workload) -> str:
    """How the requests change, in words."""
    yearly, ramp = middle((work.growth_per_year, work.ramp_months))
    words = [f"{'growing' if yearly > 0 else 'falling'} {abs(yearly):.0%} a year"] if yearly else []
    return " ".join(words + ([f"after a ramp of {ramp:g} months"] if ramp else []))


def _reads(option: Any) -> bool:
    """Whether some part of an option looks something up in the corpus."""
    parts = middle(option).parts()
    return any(
        hasattr(technique, "questions") for part, *_ in parts for technique in part.techniques
    )
