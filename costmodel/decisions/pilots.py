"""Whether to judge some answers before the choice: of which options, how many, at what price.

A pilot of n answers shows counts k ~ Bin(n, q), with q the share that a judge accepts. Each draw of
the study has its q, so the chance of every count is known: what an option costs after the counts is
the mean over the draws, weighted by that chance. The value is then

    EVSI = min over options of E[cost] - sum over counts of P(counts) x min of E[cost | counts]

Of one option, all counts are summed: no noise beside that of the draws, and more answers are never
worth less. Of several, counts are drawn from the draws; those of a large pilot contain those of a
small one. What the options cost beside their quality is noise here: a regression on the share that
is accepted takes it out first (`information`). Which options are judged together is looked for by a
regression on their counts, one of each draw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations
from zlib import crc32

import numpy as np
import pandas as pd

from costmodel.choices.quality.evidence import agreement_by_draw, shares_today, spread_of_options
from costmodel.choices.running import AGREEMENT, judging_usd
from costmodel.choices.study import Study, analysis
from costmodel.core import (
    DRAWS_MAX,
    ENOUGH,
    Number,
    check,
    listed,
    middle,
    number_text,
    one_blas_thread,
    require,
    whole_number,
)
from costmodel.decisions.information import LEAST_DRAWS, SURE, standard_error
from costmodel.decisions.judged import Judged, Plan, Told, bands_of
from costmodel.decisions.rule import ERRORS
from costmodel.decisions.simulate import Simulated, not_comparable, simulate, worth_together
from costmodel.facts import catalog
from costmodel.laws.experiments import through_judge
from costmodel.laws.quality import shift
from costmodel.ledgers.engine import at_middle

HOPELESS = 0.02  # chance to reach the floor, or to be the cheapest: with less nobody is judged
MOST_OPTIONS = 5  # of one plan
MOST = 10_000  # answers: more than any law here can tell apart
MAKING = "data", "build", "experiments", "training"  # phases without which nothing answers
COLUMNS = ["plan", "n", "usd", "error", "usd_to_measure", "worth", "p_changes", "p_settled"]
COLUMNS += ["band_before", "band_after", "how"]
Prices = dict[tuple[str, str, float], float]  # by item, unit and amount: equal ones are paid once
Price = Callable[[Plan, int], tuple[float, str]]  # of so many answers, and how that is counted


@analysis
@one_blas_thread
def pilot(
    study: Study, n: Sequence[int] = (25, 50, 100, 200), agreement: Number = AGREEMENT
) -> pd.DataFrame:
    """What judging n answers of some options before the choice is worth, and what it costs.

    Worth is the expected value of sample information: the expected present value of the option that
    is best now, less that of the one that is best after the answers. One option tells about the
    others too, as far as their draws go together. More than 20,000 draws change nothing.

    Parameters
    ----------
    study : Study, or options with a workload
        What can be chosen.
    n : sequence of int
        Answers of each option that are judged, 1 to 10,000.
    agreement : number or Range, 0.501 to 1
        Share of the cases in which who judges says what counts. 1: their word is what counts.

    Returns
    -------
    DataFrame
        One row a plan and n, best first: `plan`, the options judged (each one alone, and the best
        one with up to four more, as long as one more pays), `n`, `usd`, what it is worth, and its
        standard `error`, `usd_to_measure`, its price, `worth`, usd less that [USD, present values],
        `p_changes`, share of the outcomes after which another option is chosen, `p_settled`, share
        after which some option reaches the quality floor with the confidence of the study (NaN
        without a floor), `band_before` and `band_after`, width of the 80 % band of the accepted
        share of the first option judged [points], and `how` the price is counted. `attrs` has
        `perfect`, what knowing everything is worth [USD], `settled_now`, `floor` and `confidence`,
        the `agreement`, `judged` {plan: options}, `most`, the largest of several n (where it is
        best, more may be better), `bands_now` {option: points}, and `left_out`, {option: why}.

    Raises
    ------
    ValueError
        No option of known quality runs in nine draws of ten, fewer than 50 draws, or an `n` or an
        agreement out of range.

    Notes
    -----
    A plan costs items (a question with its reference answer) and judgements, in minutes of an
    expert by the task (data/calibration/task_quality.csv; assumptions), and a prototype of each
    option: hours of building at the tier "prototype", examples and runs of a tune in full; what two
    options need alike is paid once. Servers are not bought for it, and calls of the model and some
    hours of rented GPUs are small change. Not in it: what waiting costs, what a prototype spares
    the later build, aversion to risk. The answers of two options err apart, as if they came from
    different questions. Worth counts costs, with wrong answers at their price; the floor is in
    `p_settled` alone. The `error` is that of the draws of the study, and of a plan of several
    options that of its drawn counts too; the best of many plans is flattered by about as much.

    What was found goes back as `quality: {RAG: {accepted: 164, trials: 200, agreement: 0.85}}` in
    the file of the scenario, or by `cm.choices.with_quality(option, cm.Measured(164, 200,
    agreement=0.85))`: the judge errs there as he does here.

    References
    ----------
    Raiffa and Schlaifer 1961, Applied Statistical Decision Theory, chapter 4; Strong, Oakley and
    Brennan 2014, Med Decis Making 34:311.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG", "Long context + cache")
    >>> table = pilot(study, n=(25, 100), draws=1_000)
    >>> sorted(set(table["plan"]))
    ['Long context + cache', 'RAG', 'RAG and Long context + cache']
    >>> bool((table["usd"] <= table.attrs["perfect"]).all())
    True
    """
    sizes = sorted(set(np.atleast_1d(n).tolist()))
    check(sizes, "pilot: n is empty; write how many answers are judged, such as (50, 100)")
    for size in sizes:
        whole_number("pilot: n", size, 1, MOST)
    require("pilot: agreement", agreement, 0.501, 1)
    whole_number("draws", study.draws, LEAST_DRAWS, DRAWS_MAX)
    return study.once(("pilot", *sizes, agreement), lambda: _pilot(study, sizes, agreement)).copy()


def _pilot(study: Study, sizes: list[int], agreement: Number) -> pd.DataFrame:
    """The table of `pilot`."""
    study = study.changed(draws=min(study.draws, ENOUGH))
    found = simulate(study)
    kept, runs, left_out = _known(found)
    labels = list(kept)
    cost, share = (np.column_stack([x[label] for label in labels]) for x in (kept, found.accepted))
    today, judge = _today(study, labels)[runs], agreement_by_draw(agreement, study)[runs, None]
    seen = np.clip(through_judge(today, judge), SURE, 1 - SURE)
    draws = Judged(study, labels, sizes, cost, share[runs], today, seen)
    now, rows, judged = bands_of(draws.share), [], {}
    alone = _with_hope(draws)
    prototypes = _prototypes(study.only(*(labels[i] for (i,) in alone)))
    made = {i: prices for (i,), prices in zip(alone, prototypes, strict=True)}
    price = partial(_price, usd=judging_usd(study.work, study.terms), made=made)
    told = {(plan, size): draws.told(plan, size) for plan in alone for size in sizes}
    for plan in [*alone, *_grown(draws, told, alone, price)]:
        names = [labels[i] for i in plan]
        name = listed(names)
        judged[name] = tuple(names)
        for size in sizes:
            to_measure, how = price(plan, size)
            x = told.get((plan, size)) or draws.told(plan, size)
            settled = np.nan if study.quality_floor is None else x.settles
            usd, first = (x.usd, x.error, to_measure, x.usd - to_measure), plan[0]
            rows.append((name, size, *usd, x.changes, settled, now[first], x.band, how))
    table = pd.DataFrame(rows, columns=COLUMNS)
    table = table.sort_values("worth", ascending=False, kind="stable", ignore_index=True)
    table.attrs = {
        "perfect": float(cost.mean(axis=0).min() - cost.min(axis=1).mean()),
        "floor": study.quality_floor,
        "confidence": study.confidence,
        "settled_now": float(draws.settled(draws.reaches.mean(axis=0))),
        "agreement": agreement,
        "judged": judged,
        "most": sizes[-1] if len(sizes) > 1 else None,
        "bands_now": dict(zip(labels, now, strict=True)),
        "left_out": left_out,
    }
    return table


# -- what can be judged ----------------------------------------------------------------------------


def _known(found: Simulated) -> tuple[dict[str, np.ndarray], np.ndarray, dict[str, str]]:
    """Present values of the options that can be judged, least expected first; the draws in which
    all of them run; and why others are left out."""
    left_out = not_comparable(found)
    kept, runs, seldom = worth_together(found, [x for x in found.worth if x not in left_out])
    check(runs.any(), "pilot: no option of known quality runs in nine draws of ten")
    order = sorted(kept, key=lambda label: kept[label].mean())
    return {label: kept[label] for label in order}, runs, left_out | seldom


def _with_hope(draws: Judged) -> list[Plan]:
    """The options that somebody may choose, each alone: nobody judges the rest, nor one that
    answers like another."""
    share, many = draws.share, draws.cost.shape[1]
    chances = draws.reaches.mean(axis=0)
    if draws.study.quality_floor is None:
        chances = np.bincount(draws.cost.argmin(axis=1), minlength=many) / len(share)
    hopes = [i for i in range(many) if chances[i] >= HOPELESS] or range(many)
    pairs = combinations(hopes, 2)
    alike = {b for a, b in pairs if np.array_equal(share[:, a], share[:, b])}
    return [(i,) for i in hopes if i not in alike]


def _grown(
    draws: Judged, told: dict[tuple[Plan, int], Told], alone: list[Plan], price: Price
) -> list[Plan]:
    """The best option alone with one more at a time, the one that pays most.

    Each plan counts with the number of answers that pays most for it. One more option must pay by
    more than sampling errors, on the same outcomes. What is told is kept in `told`.
    """
    plan, n = max(told, key=lambda x: told[x].usd - price(*x)[0])
    plans: list[Plan] = []
    sizes, pays = draws.sizes, told[plan, n].saved - price(plan, n)[0]
    while len(plan) < min(MOST_OPTIONS, len(alone)):
        more = (plan + other for other in alone if other[0] not in plan)
        plan = max(more, key=lambda x: draws.saves_about(x, n) - price(x, n)[0])
        n = max(sizes, key=lambda size: draws.saves_about(plan, size) - price(plan, size)[0])
        told[plan, n] = draws.told(plan, n)
        better = told[plan, n].saved - price(plan, n)[0]
        if (better - pays).mean() <= ERRORS * standard_error(better - pays):
            break
        plans, pays = [*plans, plan], better
    return plans


def _today(study: Study, labels: list[str]) -> np.ndarray:
    """Share of answers accepted in each draw before any move to a successor, a column an option.

    What follows from a law differs from it by what the option has of its own.
    """
    options = study.only(*labels).options
    found = shares_today(study, options, study.draws, study.points_of(study.draws))
    for label in found:
        if study.options[label].quality is None:
            rng = np.random.default_rng([study.seed, crc32(f"own {label}".encode())])
            own = spread_of_options() * rng.standard_normal(study.draws)
            found[label] = shift(found[label], own)
    return np.column_stack([*found.values()])


# -- what it costs ---------------------------------------------------------------------------------


def _prototypes(study: Study) -> Iterator[Prices]:
    """What must be made before each option answers at all.

    Hours of building in the proportion of a prototype to the tier of the workload, all else as it
    is; nobody buys servers for it.
    """
    small, own = middle((catalog.tier("prototype"), study.work.tier))
    part, found = min(1.0, small.build_factor / own.build_factor), at_middle(study)
    for bill in found.bills.values():
        prices = {}
        for line in bill.lines:
            first = np.ravel(line.schedule.weights(study.terms.months, found.calendar.demand))[0]
            if line.phase in MAKING and line.unit != "server" and first:
                building = line.phase == "build" and line.unit == "hour"
                usd = float(np.ravel(line.usd)[0] * first * (part if building else 1.0))
                prices[line.item, line.unit, round(usd, 2)] = usd
        yield prices


def _price(plan: Plan, n: int, usd: tuple, made: dict[int, Prices]) -> tuple[float, str]:
    """What a plan costs [USD], and how that is counted; `usd` is of one item and one judgement."""
    item, judgement = usd
    prototypes = sum({key: usd for i in plan for key, usd in made[i].items()}.values())
    answers = f"{n} answers" + (f" x {len(plan)} options" if len(plan) > 1 else "")
    how = f"{n} items x USD {number_text(item)} + {answers} x USD {number_text(judgement)} a "
    how += f"judgement + USD {number_text(round(prototypes))} to make "
    how += "prototypes" if len(plan) > 1 else "a prototype"
    return n * item + n * len(plan) * judgement + prototypes, how
