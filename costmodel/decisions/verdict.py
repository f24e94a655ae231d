"""The answer in one sentence, four numbers and a few points: what is cheapest at the quality asked for, how sure, and what flips it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.presets import TOKENS_ONLY, WHOLE_LIFE
from costmodel.choices.servings.api import Api
from costmodel.choices.study import Study, analysis
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core.draws import middle
from costmodel.core.errors import check
from costmodel.core.glossary import meaning_of, unit_of
from costmodel.core.nested import objects, walk
from costmodel.core.public import public
from costmodel.core.ranges import Doubt
from costmodel.core.units import KILO
from costmodel.core.words import money, number_text
from costmodel.decisions.breakeven import COLUMNS as FLIP_COLUMNS
from costmodel.decisions.breakeven import breakeven, crossings
from costmodel.decisions.compare import Compared, compare, compare_with_draws
from costmodel.decisions.simulate import on_equal_terms, p_cheapest, totals
from costmodel.facts.pricelist import PRICES_VERSION

LEADERS = 5
SURE = 0.5  # a chance to be the cheapest below this is called a close call
VOLUME = "Workload.requests_per_month"
FLIP_DRAWS = 400
REACH = np.geomspace(
    1e-3, 1e3, 241
)  # volumes around the present one at which the answer is asked again


@public
@dataclass(frozen=True, eq=False)
class Verdict:
    """What is cheapest among the options that can run and reach the quality floor.

    `table` is that of `compare` with a column `eligible`, and `p_cheapest` among eligible options, and `p_least_to_pay`, the same
    without the assumed cost of wrong answers, which nobody sends an invoice for; `flips` are the
    volumes at which another eligible option becomes the cheapest: one row of `breakeven` each, with `option` added.
    `headline` is the answer in one sentence, `points` say what it turns on, `sentence` is both.
    """

    best: str | None
    table: pd.DataFrame
    flips: pd.DataFrame
    headline: str
    cards: tuple[tuple[str, str, str], ...]
    points: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The headline and the points in one text."""
        return " ".join((self.headline, *self.points))

    @property
    def leaders(self) -> list[str]:
        """The cheapest eligible options, at most LEADERS; of all that run when none is eligible."""
        names = list(self.table.index[self.table["eligible"]]) or list(
            self.table.index[self.table["mid"].notna()]
        )
        return names[:LEADERS]

    @property
    def contest(self) -> list[str]:
        """The leaders, or, where only one option is eligible, it and the cheapest that run: what the answer is weighed against.

        Errors: `ValueError` where only one option runs."""
        runs = self.table.index[self.table["mid"].notna()]
        check(
            len(runs) > 1,
            f"only {', '.join(runs)} can run, and an answer is weighed against another; add an option, such as people, today's bill or a cheaper model, or run 05_business_case",
        )
        return (
            self.leaders
            if len(self.leaders) > 1
            else [*self.leaders, *(n for n in runs if n not in self.leaders)][:LEADERS]
        )


@analysis
def recommend(study: Study, flips: bool = True) -> Verdict:
    """Compare the options and put the answer into words; without a floor, quality enters by the cost of failures only."""
    compared = compare_with_draws(study)
    table, usd, wrong = compared.table, compared.usd, compared.wrong
    work, terms, floor = study.work, study.terms, study.quality_floor
    runs, known = table["mid"].notna(), table["quality"].notna()
    table["eligible"] = runs & known if (runs & known).any() else runs
    if floor is not None:
        table["eligible"] &= table["quality"] >= floor
    names = list(table.index[table["eligible"]])
    for column, ranked in (
        ("p_cheapest", usd),
        ("p_least_to_pay", {n: usd[n] - wrong[n] for n in names}),
    ):
        table[column] = pd.Series(p_cheapest({n: ranked[n] for n in names}), dtype=float)
    if not names:
        return Verdict(None, table, _no_flips(), _nothing(table, floor), ())
    best = names[0]
    changes = _flips(study.only(*names), compared) if flips else _no_flips()
    bill, calendar = compared.middle.bills[best], compared.middle.calendar
    total = bill.total(calendar)
    failures = float(bill.failures(calendar) / total) if total else 0.0
    rival = _rival(best, table)
    headline = _headline(best, table.loc[best], rival, work, terms, floor, failures)
    points = list(_points(best, table, rival, changes, failures, terms))
    if (
        floor is None
        and failures == 0
        and work.corpus is not None
        and not _reads(study.option(best))
    ):
        points.insert(
            0,
            f"{best} does not read the corpus, and wrong answers are free here: "
            "ask for a quality_floor, or give them a price (usd_per_failure).",
        )
    return Verdict(
        best, table, changes, headline, _cards(table.loc[best], terms, failures), tuple(points)
    )


def _reads(option: Any) -> bool:
    """Whether some part of an option looks something up in the corpus."""
    return any(
        hasattr(technique, "questions")
        for part, _, _ in middle((option,))[0].parts()
        for technique in part.techniques
    )


@analysis
def first_answer(study: Study) -> Verdict:
    """The pair of `quick` in words: what tokens alone cost, and what the same use costs over its whole life."""
    work, terms = study.work, study.terms
    table = compare(study)
    table["eligible"] = table.index == WHOLE_LIFE
    tokens, life = table.loc[TOKENS_ONLY], table.loc[WHOLE_LIFE]
    low, high = (money(life[p] / terms.months, terms) for p in ("p10", "p90"))
    model = study.option(TOKENS_ONLY).serving.model.id
    sentence = (
        f"{model} for {_volume(work)} requests a month costs {money(life['per_month'], terms)} a month over its whole life "
        f"(80 % sure between {low} and {high}); tokens alone are {money(tokens['per_month'], terms)}, {tokens['mid'] / life['mid']:.0%} of it."
    )
    cards = (
        ("Whole life, a month", money(life["per_month"], terms), f"80 % sure: {low} to {high}"),
        (
            "Tokens alone, a month",
            money(tokens["per_month"], terms),
            "what a token calculator shows",
        ),
        (
            "Per 1,000 requests",
            money(life["per_request"] * KILO, terms),
            f"{money(tokens['per_request'] * KILO, terms)} for tokens alone",
        ),
        (
            "Per accepted answer",
            money(life["per_accepted"], terms),
            f"{life['quality']:.0%} accepted: an assumption, measure yours",
        ),
    )
    return Verdict(WHOLE_LIFE, table, _no_flips(), sentence, cards)


def _volume(work: Workload) -> str:
    now = work.requests_per_month
    return number_text(round(now.mid if isinstance(now, Doubt) else now))


def _flips(study: Study, compared: Compared) -> pd.DataFrame:
    """The nearest lower and higher volume at which another option than the first becomes the cheapest."""
    best = next(iter(study.options))
    requests = study.work.requests_per_month
    now = requests.mid if isinstance(requests, Doubt) else requests
    usd = totals(study, grid={VOLUME: now * REACH})
    winner = np.array(list(usd))[np.nanargmin(np.vstack(list(usd.values())), axis=0)]
    middle = len(REACH) // 2
    rows = []
    for lower, side in ((True, winner[:middle][::-1]), (False, winner[middle:])):
        other = next((str(w) for w in side if w != best), None)
        if other is None:
            continue
        low, high = (now * REACH[0], now) if lower else (now, now * REACH[-1])
        pair, remark = on_equal_terms(study.only(best, other), compared.middle)
        found = crossings(pair, remark, VOLUME.split(".")[1], low, high, FLIP_DRAWS)
        row = found.iloc[-1 if lower else 0].to_dict() | {"option": other}
        if not np.isnan(row["crossing"]):
            rows.append(row)
    return pd.DataFrame(rows, columns=["option", *FLIP_COLUMNS])


def _no_flips() -> pd.DataFrame:
    return pd.DataFrame(columns=["option", *FLIP_COLUMNS])


@analysis
def turns(study: Study, verdict: Verdict, over: str = "requests_per_month") -> pd.DataFrame:
    """Where each other eligible option would become cheaper than the answer, as one input changes.

    Columns: option, crossing, p10, p90, p_never, verdict: one row per crossing, or one that says "never".
    """
    best, *others = verdict.table.index[verdict.table["eligible"]]
    found = [breakeven(study, best, other, over).assign(option=other) for other in others]
    columns = ["option", "crossing", "p10", "p90", "p_never", "verdict"]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)


@analysis
def brief(study: Study) -> pd.DataFrame:
    """The workload and the terms as a table for a reader. Columns: input, value, unit, meaning."""
    work, terms = study.work, study.terms
    rows: list[tuple] = []
    for owner, name, value in (
        *walk(work),
        *walk(terms.trends),
        (terms, "months", terms.months),
        (terms, "discount_rate", terms.discount_rate),
    ):
        key = f"{type(owner).__name__}.{name}"
        unit, meaning = unit_of(key), meaning_of(key)
        inner = f"{type(owner).__name__}: " if owner is not work and owner is not terms else ""
        rows.append((inner.lower() + name.replace("_", " "), number_text(value), unit, meaning))
    rows += [
        ("first paid month", terms.start, "", ""),
        (
            "currency",
            terms.currency,
            "",
            "of headline, comparison and figures; the line-by-line bill is in US dollars",
        ),
    ]
    return pd.DataFrame(rows, columns=["input", "value", "unit", "meaning"])


@public
def made_of(study: Study | Mapping[str, Any]) -> pd.DataFrame:
    """What each option is made of. Columns: option, answers (model and where it runs), with (techniques), and shares of a Mix."""
    rows = []
    for label, option in getattr(study, "options", study).items():
        for part, sees, _ in middle((option,))[0].parts():
            rows.append(
                (
                    label,
                    _answers(part.serving),
                    ", ".join(type(t).__name__ for t in part.techniques),
                    float(sees),
                )
            )
    return pd.DataFrame(rows, columns=["option", "answers", "with", "sees"])


def _answers(serving: Any) -> str:
    """Who answers, and where."""
    if not hasattr(serving, "model"):
        return {"Staff": "people", "Seats": "seats of a product", "Today": "as today"}.get(
            type(serving).__name__, type(serving).__name__
        )
    return f"{serving.model.id} ({serving.where})"


@public
def priced_on(study: Study | Mapping[str, Any]) -> str:
    """The dates at which the API prices of a study are frozen, and the version of the price list."""
    days = {
        str(api.on) for api in objects(getattr(study, "options", study)) if isinstance(api, Api)
    }
    return f"{', '.join(sorted(days)) or 'no API prices'} (genai-prices {PRICES_VERSION})"


def _rival(best: str, table: pd.DataFrame) -> str | None:
    """The option that is most often the cheapest beside the answer, where the answer is in less than half of the draws."""
    others = table[table["eligible"] & (table.index != best)]["p_cheapest"]
    return (
        str(others.idxmax())
        if others.notna().any() and table.loc[best, "p_cheapest"] < SURE
        else None
    )


def _headline(
    best: str,
    row: pd.Series,
    rival: str | None,
    work: Workload,
    terms: Terms,
    floor: float | None,
    failures: float,
) -> str:
    scale = 1 / terms.months
    text = f"{'At' if work.flat else 'Starting at'} {_volume(work)} requests a month"
    text += "" if work.flat else f" and {_growth(work)}"
    text += f", {best} is the cheapest way" + (
        f" that reaches {floor:.0%} accepted answers" if floor is not None else ""
    )
    text += f", in a close call with {rival}" if rival else ""
    text += (
        f", with {row['quality']:.0%} of its answers accepted"
        if floor is None and not np.isnan(row["quality"])
        else ""
    )
    text += f": {money(row['per_month'], terms)} a month{'' if work.flat else f' over {terms.months} months'}"
    text += f" (80 % sure between {money(row['p10'] * scale, terms)} and {money(row['p90'] * scale, terms)})"
    return (
        text
        + (f", {failures:.0%} of it the cost of wrong answers" if failures >= 0.005 else "")
        + "."
    )


def _points(
    best: str,
    table: pd.DataFrame,
    rival: str | None,
    flips: pd.DataFrame,
    failures: float,
    terms: Terms,
) -> Iterator[str]:
    """What a reader must know beside the headline: how close it is, what it turns on, and at which volume."""
    chance, least = table["p_cheapest"], table["p_least_to_pay"].fillna(0)
    if rival:
        yield f"A close call: {best} is the cheapest in {chance[best]:.0%} of the draws, {rival} in {chance[rival]:.0%}."
    halfway = table.loc[table["eligible"], "p50"]
    if halfway.notna().any() and (other := halfway.idxmin()) != best:
        yield (
            f"{best} is the cheapest with every input at its middle; in the median of the draws {other} is, "
            f"{money(halfway[other] / terms.months, terms)} a month against {money(halfway[best] / terms.months, terms)}."
        )
    if failures >= 0.005 and least.idxmax() != best:
        yield (
            f"It turns on the assumed cost of a wrong answer: without it, {least.idxmax()} is the cheapest in {least.max():.0%} of the draws, "
            f"{best} in {least[best]:.0%}."
        )
    if np.isnan(table.loc[best, "quality"]):
        yield "Its quality is not known, so the cost of wrong answers is not in it."
    turns = [
        f"{r.option} is cheaper {'below' if r.below == r.option else 'above'} {number_text(float(f'{r.crossing:.2g}'))}"
        for r in flips.itertuples()
    ]
    if turns:
        yield f"At other volumes: {', '.join(turns)} requests a month."


def _growth(work: Workload) -> str:
    """How the requests change, in words."""
    yearly, ramp = middle((work,))[0].growth_per_year, middle((work,))[0].ramp_months
    words = [f"{'growing' if yearly > 0 else 'falling'} {abs(yearly):.0%} a year"] if yearly else []
    return " ".join(words + ([f"after a ramp of {ramp:g} months"] if ramp else []))


def _cards(row: pd.Series, terms: Terms, failures: float) -> tuple[tuple[str, str, str], ...]:
    scale = 1 / terms.months
    band = f"80 % sure: {money(row['p10'] * scale, terms)} to {money(row['p90'] * scale, terms)}"
    paid = f"{money(row['mid'] * (1 - failures), terms)} to pay, {money(row['mid'] * failures, terms)} for wrong answers"
    accepted = "not known" if np.isnan(row["per_accepted"]) else money(row["per_accepted"], terms)
    share = (
        "quality not known"
        if np.isnan(row["quality"])
        else f"to pay; {row['quality']:.0%} of answers accepted"
    )
    return (
        ("Cost a month", money(row["per_month"], terms), band),
        (f"Total over {terms.months} months", money(row["mid"], terms), paid),
        ("Per accepted answer", accepted, share),
        (
            "Chance to be the cheapest",
            f"{row['p_cheapest']:.0%}",
            "of the eligible options, on the same draws",
        ),
    )


def _nothing(table: pd.DataFrame, floor: float | None) -> str:
    known = table["quality"].dropna()
    if floor is not None and len(known):
        return f"No option reaches {floor:.0%} accepted answers; the best is {known.idxmax()} with {known.max():.0%}."
    return "No option can run: " + "; ".join(
        f"{label}: {reason}" for label, reason in table["why_not"].items()
    )
