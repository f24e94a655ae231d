"""Which option is the cheapest at the quality asked for, how sure that is, and what flips it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from costmodel.choices.study import Study, analysis
from costmodel.core import check, public
from costmodel.decisions.breakeven import COLUMNS, breakeven, crossings
from costmodel.decisions.compare import table_of
from costmodel.decisions.search import FACTOR, present
from costmodel.decisions.simulate import Simulated, on_equal_terms, p_cheapest, simulate, totals
from costmodel.decisions.wording import cards, headline, no_answer, points

LEADERS = 5
VOLUME = "requests_per_month"
VOLUMES = np.geomspace(1 / FACTOR, FACTOR, 241)  # times the present one: there it is asked again


def _no_flips() -> pd.DataFrame:
    return pd.DataFrame(columns=["option", *COLUMNS])


@public
@dataclass(frozen=True, eq=False)
class Verdict:
    """What is the cheapest among the options that can run and reach the quality floor.

    Parameters
    ----------
    best : str, or None
        The cheapest eligible option; None where no option is eligible.
    table : DataFrame
        That of `compare`, with `eligible`, with `p_cheapest` among eligible options, and with
        `p_least_to_pay`, the same without the assumed cost of wrong answers, which nobody sends an
        invoice for.
    headline : str
        The answer in one sentence.
    cards : tuple of (title, number, remark)
        Four numbers of the answer, in words.
    points : tuple of str
        What the answer turns on, one sentence each.
    flips : DataFrame
        The volumes at which another eligible option becomes the cheapest: one row of `breakeven`
        each, with `option`.

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
    >>> print(answer.headline)
    At 3,000 requests a month, seats is the cheapest way: USD 600 a month ...
    """

    best: str | None
    table: pd.DataFrame
    headline: str
    cards: tuple[tuple[str, str, str], ...] = ()
    points: tuple[str, ...] = ()
    flips: pd.DataFrame = field(default_factory=_no_flips)

    @property
    def sentence(self) -> str:
        """The headline and the points in one text."""
        return " ".join((self.headline, *self.points))

    @property
    def leaders(self) -> list[str]:
        """The cheapest eligible options, at most LEADERS; of all that run when none is eligible."""
        eligible = list(self.table.index[self.table["eligible"]])
        return (eligible or self._running)[:LEADERS]

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
        return list(self.table.index[self.table["mid"].notna()])


@analysis
def recommend(study: Study, flips: bool = True) -> Verdict:
    """Compare the options and put the answer into words.

    Without a quality floor, quality enters by the cost of wrong answers alone.

    Parameters
    ----------
    study : Study, or options with a workload
        What can be chosen. `quality_floor` is the least share of accepted answers [share].
    flips : bool
        Whether to look for the volumes at which another option becomes the cheapest.

    Returns
    -------
    Verdict
        `best`, `headline`, `points`, `cards`, `table` and `flips`; `sentence` has all words.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> verdict = recommend(study.only("RAG", "Prompt"), draws=200, flips=False)
    >>> print(verdict.headline)
    Starting at 300,000 requests a month and growing 25% a year, RAG is the cheapest way ...
    """
    found = simulate(study)
    table, floor = table_of(study, found), study.quality_floor
    known = table["quality"].notna()
    table["eligible"] = known if known.any() else table["mid"].notna()
    if floor is not None:
        table["eligible"] &= table["quality"] >= floor
    names = list(table.index[table["eligible"]])
    usd, wrong = (pd.DataFrame(x)[names] for x in (found.usd, found.wrong))
    table["p_cheapest"], table["p_least_to_pay"] = p_cheapest(usd), p_cheapest(usd - wrong)
    if not names:
        return Verdict(None, table, no_answer(table, floor))
    best = names[0]
    bill, calendar = found.middle.bills[best], found.middle.calendar
    total = bill.total(calendar)
    failed = float(bill.failures(calendar) / total) if total else 0.0
    changes = _flips(study.only(*names), found) if flips else _no_flips()
    return Verdict(
        best,
        table,
        headline(study, best, table, failed),
        cards(study, table.loc[best], failed),
        tuple(points(study, best, table, failed, changes)),
        changes,
    )


def _flips(study: Study, found: Simulated) -> pd.DataFrame:
    """The nearest volume on either side at which another option than the first is the cheapest."""
    best, now = next(iter(study.options)), present(study.work.requests_per_month)
    cheapest = pd.DataFrame(totals(study, grid={VOLUME: now * VOLUMES})).idxmin(axis=1)
    middle = len(VOLUMES) // 2
    below, above = cheapest[:middle][::-1], cheapest[middle:]
    rows = []
    for side, low, high, near in ((below, now / FACTOR, now, -1), (above, now, now * FACTOR, 0)):
        for other in side[side != best].head(1):
            pair, remark = on_equal_terms(study.only(best, other), found.middle)
            rows.append({"option": other, **crossings(pair, remark, VOLUME, low, high).iloc[near]})
    table = pd.DataFrame(rows, columns=["option", *COLUMNS])
    return table.dropna(subset="crossing", ignore_index=True)


@analysis
def turns(study: Study, verdict: Verdict, over: str = VOLUME) -> pd.DataFrame:
    """Where each other eligible option would become cheaper than the answer, as one input changes.

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
        `option`, `crossing`, `p10` and `p90` [unit of the input], `p_never` [share of the draws],
        `verdict`: one row per crossing, or one that says "never".

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> pair = study.only("RAG", "RAG + LoRA")
    >>> turns(pair, recommend(pair, draws=200, flips=False))["option"].to_list()
    ['RAG + LoRA']
    """
    eligible = list(verdict.table.index[verdict.table["eligible"]])
    columns = ["option", "crossing", "p10", "p90", "p_never", "verdict"]
    found = [breakeven(study, eligible[0], o, over).assign(option=o) for o in eligible[1:]]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)
