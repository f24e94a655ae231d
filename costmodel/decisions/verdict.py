"""Which option to choose by the rule, how sure that is, and what would change it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core import check, frozen
from costmodel.decisions.breakeven import along, breakeven, settled
from costmodel.decisions.compare import compare
from costmodel.decisions.information import LEAST_DRAWS
from costmodel.decisions.pilots import pilot
from costmodel.decisions.rule import CLOSE
from costmodel.decisions.search import FACTOR, present, search_limits, sign_changes
from costmodel.decisions.simulate import PerDraw, levelled, mean, simulate, totals, worth_together
from costmodel.decisions.wording import (
    NO_HOPE,
    cards,
    do_not_choose,
    has_lowest,
    headline,
    near,
    nearest,
    no_answer,
    pays,
    pilot_in_two,
    points,
)
from costmodel.decisions.wrong_answers import (
    curve_sentence,
    wrong_answer_prices,
    wrong_answer_sentence,
)

LEADERS = 5
VOLUME = "requests_per_month"
VOLUMES = np.geomspace(1 / FACTOR, FACTOR, 49)  # times the present one: there it is asked again
VOLUME_DRAWS = 16  # behind each of these points; a crossing rests on all draws
FLIPS = ["option", "over", "crossing", "below", "above"]


def _no_flips() -> pd.DataFrame:
    return pd.DataFrame(columns=FLIPS)


@frozen(eq=False)
class Verdict:
    """Which option to choose: the eligible one of the least expected present value.

    Eligible is an option whose chance to reach the quality floor is at least the confidence of the
    study.

    Parameters
    ----------
    best : str, or None
        The option to choose, or that of today where a pilot pays; None where no option is eligible.
    table : DataFrame
        That of `compare`.
    headline : str
        The answer in one sentence.
    cards : tuple of (title, number, remark)
        Four numbers of the answer, in words.
    points : tuple of str
        What the answer turns on, one sentence each.
    flips : DataFrame
        The nearest volumes at which another eligible option has the least expected present value:
        `option`, `over`, `crossing` [request/month], and the cheaper one `below` and `above` it.
    named : str, or None
        The option that the headline speaks of: the best, or the one that comes nearest to being
        eligible.
    pilot : DataFrame, or None
        That of `pilot`, where there is something to judge. The headline begins with "Do not choose
        yet" where no option is eligible, or a pilot is worth more than it costs.

    Examples
    --------
    >>> import costmodel as cm
    >>> options = {
    ...     "seats": cm.Option(cm.finance.Seats(20, 30.0)),
    ...     "today": cm.Option(cm.finance.Today(5_000.0)),
    ... }
    >>> answer = cm.recommend(options, cm.Workload(3_000, input_tokens=500), draws=50)
    >>> answer.best, answer.leaders
    ('seats', ['seats', 'today'])
    >>> print(answer)
    At 3,000 requests a month, seats has the lowest expected cost: about USD 607 a month ...
    """

    best: str | None
    table: pd.DataFrame
    headline: str
    cards: tuple[tuple[str, str, str], ...] = ()
    points: tuple[str, ...] = ()
    flips: pd.DataFrame = field(default_factory=_no_flips)
    named: str | None = None
    pilot: pd.DataFrame | None = None

    @property
    def sentence(self) -> str:
        """The headline and the points in one text."""
        return " ".join((self.headline, *self.points))

    def __str__(self) -> str:
        return self.sentence

    @property
    def waits(self) -> bool:
        """Whether something should be measured before the choice: no option is eligible, or a pilot
        is worth more than it costs."""
        return self.best is None or (self.pilot is not None and pays(self.pilot))

    @property
    def leaders(self) -> list[str]:
        """The eligible options, best first, at most LEADERS; where none is, those that run, after
        the one that the headline names."""
        eligible = list(self.table.index[self.table["eligible"]])
        first = [self.named] if self.named else []
        if first and self.table["p_reaches"].notna().any():
            first = list(dict.fromkeys([*first, str(self.table["p_reaches"].idxmax())]))
        rest = [label for label in self._running if label not in first]
        return (eligible or [*first, *rest])[:LEADERS]

    @property
    def contest(self) -> list[str]:
        """The options that the answer is compared with, and it: the leaders, at least two.

        Where only one option is eligible, the cheapest others that run join it. `ValueError` where
        only one option runs.
        """
        runs = self._running
        check(
            len(runs) > 1,
            f"only {', '.join(runs)} can run, and a comparison needs two options; add "
            "one, such as people, today's bill or a cheaper model, or run 05_business_case",
        )
        first = self.leaders
        more = [label for label in runs if label not in first] if len(first) == 1 else []
        return [*first, *more][:LEADERS]

    @property
    def _running(self) -> list[str]:
        return list(self.table.index[self.table["expected"].notna()])


@analysis
def recommend(study: Study, flips: bool = True, pilots: bool = True) -> Verdict:
    """Compare the options by the rule and put the answer into words.

    Parameters
    ----------
    study : Study, or options with a workload
        What can be chosen. Without a `quality_floor`, quality enters by the cost of wrong answers
        alone.
    flips : bool
        Whether to look for the volumes at which another option becomes the best.
    pilots : bool
        Whether to ask what judging some answers first is worth. Without it the answer is that of
        today, and quick.

    Returns
    -------
    Verdict
        `best`, `headline`, `points`, `cards`, `table` and `flips`; `sentence` has all words.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> verdict = recommend(study.only("RAG", "Prompt"), draws=200, flips=False)
    >>> print(verdict.best, verdict.headline)
    None Do not choose yet: among these two options, RAG has the lowest expected cost, ...
    """
    table = compare(study)
    if not table["expected"].notna().any():
        return Verdict(None, table, no_answer(table))
    eligible = table.index[table["eligible"]]
    plan = _pilot(study, table) if pilots else None
    first, why = ("", "") if plan is None else pilot_in_two(plan, study.terms)
    if not len(eligible):
        named = nearest(table)
        sentence = do_not_choose(study, named, table, first)
        has = has_lowest(study, named, table)
        said = tuple(x.replace("stays best", has) for x in _prices(study, table, named)[1])
        said = (why, *said) if why else said
        shown = cards(study, table.loc[named])
        return Verdict(None, table, sentence, shown, said, named=named, pilot=plan)
    best = str(eligible[0])
    changes = _flips(study, list(eligible)) if flips and not study.risk else _no_flips()
    sentence = headline(study, best, table)
    prices, said = _prices(study, table, best)
    if len(prices) > 1 and study.quality_floor is None and not any(prices.attrs["yours"]):
        curve = curve_sentence(prices, study.terms)
        free = f"With wrong answers free, {sentence[0].lower()}{sentence[1:]}"
        sentence = f"It depends on what a wrong answer costs, and nobody has said that: {curve}. "
        sentence += free
        said = ()
    said = (*points(study, best, table, changes), *said)
    if plan is not None and pays(plan):
        sentence, said = f"Do not choose yet: {first}. {sentence}", (why, *said)
    return Verdict(best, table, sentence, cards(study, table.loc[best]), said, changes, best, plan)


def _pilot(study: Study, table: pd.DataFrame) -> pd.DataFrame | None:
    """What to judge before the choice; None where nothing could come of it: no quality is known, no
    option is near the floor, there is nothing to choose, or options are ranked by their risk."""
    known = table.index[table["quality"].notna()]
    hopes = table["p_reaches"].where(table["quality"].notna()).max() >= NO_HOPE
    open_ = len(known) > 1 and not study.risk if table["eligible"].any() else hopes
    if not open_ or study.draws < LEAST_DRAWS or not _weighed(study, known):
        return None
    return pilot(study)


def _prices(study: Study, table: pd.DataFrame, named: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """At which price of a wrong answer each option is the best, and a sentence about one of them.

    Among those that the headline compares: the eligible ones, or where none is and one costs less
    that does not come near the floor, those that do.
    Nothing where one option alone can be compared, or where the named one seldom runs or its
    quality is not known.
    """
    asked = table["eligible"] if table["eligible"].any() else table["quality"].notna()
    if not table["eligible"].any() and named != table.index[0]:
        asked = table.index.isin(near(table))
    known = [*table.index[table["quality"].notna() & asked]]
    if len(known) < 2 or study.risk or named not in _weighed(study, known):
        return pd.DataFrame(), ()
    prices = wrong_answer_prices(study, known)
    if any(prices.attrs["yours"]):
        return prices, (_stays(prices, study, table, named),)
    if len(prices) == 1:
        return prices, ()
    said = f"No price of a wrong answer was given: {curve_sentence(prices, study.terms)}."
    return prices, (said,)


def _stays(prices: pd.DataFrame, study: Study, table: pd.DataFrame, named: str) -> str:
    """While a wrong answer costs what the named option stays ahead.

    Beside a range, or draws in which an option does not run, two that are nearly alike may change
    places: the curves are lines through the means of the draws in which all run.
    """
    other = prices.loc[prices["holds_yours"], "option"].iloc[0]
    costs = table["present_value"]
    if other != named and costs[other] - costs[named] <= CLOSE * costs[named]:
        return f"At your price of a wrong answer {other} costs nearly the same as {named}."
    return wrong_answer_sentence(prices, named, study.terms)


def _weighed(study: Study, labels: Iterable[str]) -> list[str]:
    """Those of these options that are weighed draw by draw: they run in nine draws of ten."""
    kept, runs, _ = worth_together(simulate(study), labels)
    return list(kept) if runs.any() else []


def _flips(study: Study, eligible: list[str]) -> pd.DataFrame:
    """The nearest volume on either side at which another option than the first is the best."""
    best, now = eligible[0], present(study.work.requests_per_month)
    axis, every, middle = now * VOLUMES, simulate(study).worth, len(VOLUMES) // 2

    def drawn(labels: Iterable[str], draws: int, values: Any) -> PerDraw:
        return totals(study.only(*labels), draws, {VOLUME: values}, discounted=True)

    few = drawn(eligible, VOLUME_DRAWS, axis)
    curves = levelled(few, {label: usd[:, middle] for label, usd in few.items()}, every)
    least = pd.DataFrame(curves).fillna(np.inf).idxmin(axis=1)  # where none runs: the best
    met: list[tuple[str, bool, int]] = []  # another, whether below, and where it meets the best
    for side, below in ((range(middle - 1, -1, -1), True), (range(middle + 1, len(axis)), False)):
        other = next((least[i] for i in side if least[i] != best), best)
        changes = [i for i in sign_changes(curves[best] - curves[other]) if (i < middle) == below]
        if changes:
            met.append((other, below, changes[-1 if below else 0]))
    rows = []
    for other, below, i in met:
        pair = {label: curves[label] for label in (best, other)}

        def worth(values: np.ndarray, labels: Iterable[str] = tuple(pair)) -> PerDraw:
            return {x: mean(usd) for x, usd in drawn(labels, study.draws, values).items()}

        ends = (other, best) if below else (best, other)
        rows.append((other, VOLUME, settled(worth, axis, pair, i, jumps=False), *ends))
    return pd.DataFrame(rows, columns=FLIPS).dropna(ignore_index=True)


@analysis
def turns(study: Study, verdict: Verdict, over: str = VOLUME) -> pd.DataFrame:
    """Where each other option of the contest would become better than the first, as one input
    changes.

    Parameters
    ----------
    study : Study, or options with a workload
        That of the verdict.
    verdict : Verdict
        What `recommend` answered.
    over : str
        The input that changes.

    Returns
    -------
    DataFrame
        `option`, `crossing`, `p10` and `p90` [`unit`], `p_never` [share of the draws], `verdict`:
        one row per crossing, or one that says "never".

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> pair = study.only("RAG", "Cascade").changed(confidence=0.5)
    >>> turns(pair, recommend(pair, draws=200, flips=False))["option"].to_list()
    ['Cascade']
    """
    first, *others = verdict.contest
    study = study.only(first, *others)
    if others:
        along(study, over, *search_limits(study, over))  # once, for all pairs
    found = [breakeven(study, first, other, over).assign(option=other) for other in others]
    columns = ["option", "crossing", "p10", "p90", "unit", "p_never", "verdict"]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)
