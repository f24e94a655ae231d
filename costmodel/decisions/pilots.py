"""Whether to judge some answers before the choice: of which options, how many, at what price.

A pilot of n answers shows counts k ~ Bin(n, the share that a judge accepts). What an option costs
after such counts is a regression on the draws (Strong, Oakley and Brennan 2014, Med Decis Making
34:311), scored on draws that it has not seen: see `information`. The counts of a large pilot
contain those of a small one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from zlib import crc32

import numpy as np
import pandas as pd

from costmodel.choices.quality.evidence import shares_today, spread_of_options
from costmodel.choices.running import AGREEMENT
from costmodel.choices.study import Study, analysis
from costmodel.choices.terms import Terms
from costmodel.core import (
    DRAWS_MAX,
    Doubt,
    Number,
    check,
    draw_values,
    middle,
    money,
    number_text,
    percent,
    public,
    require,
    whole_number,
)
from costmodel.decisions.information import FOLDS, clipped, foretold, gains, standard_error
from costmodel.decisions.rule import ERRORS
from costmodel.decisions.simulate import Simulated, not_comparable, simulate, worth_together
from costmodel.decisions.wording import of_ten
from costmodel.facts import catalog
from costmodel.laws.experiments import through_judge
from costmodel.laws.quality import shift

LEAST_DRAWS = 10 * FOLDS
HOPELESS = 0.02  # chance to reach the floor, or to be the cheapest: with less nobody is judged
MOST_OPTIONS = 5  # of one plan
MOST = 1_000_000  # answers: more than any law here can tell apart
MAKING = "data", "build", "experiments", "training"  # phases without which nothing answers
AROUND = 0.02  # of the draws, on either side: there the expected share is about the same
COLUMNS = ["plan", "n", "usd", "error", "usd_to_measure", "worth", "p_changes", "p_settled"]
COLUMNS += ["band_before", "band_after", "how"]
Plan = tuple[str, ...]
Prices = dict[tuple[str, str, float], float]  # by item, unit and amount: equal ones are paid once


@analysis
def pilot(
    study: Study, n: Sequence[int] = (25, 50, 100, 200), agreement: Number = AGREEMENT
) -> pd.DataFrame:
    """What judging n answers of some options before the choice is worth, and what it costs.

    Worth is the expected value of sample information: the expected present value of the option that
    is best now, less that of the one that is best after the answers. One option tells about the
    others too, as far as their draws go together.

    Parameters
    ----------
    study : Study, or options with a workload
        What can be chosen.
    n : sequence of int
        Answers of each option that are judged.
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
        `judged` {plan: options}, `bands` {(plan, n): {option: points}} and `bands_now` of all
        options, and `left_out`, {option: why}.

    Raises
    ------
    ValueError
        No option of known quality runs in nine draws of ten, fewer than 50 draws, or an `n` or an
        agreement out of range.

    Notes
    -----
    A plan costs items (a question with its reference answer), judgements, and a prototype of each
    option: hours of building at the tier "prototype", examples and runs of a tune in full; what two
    options need alike is paid once. Servers are not bought for it, and calls of the model and some
    hours of rented GPUs are small change. Not in it: what waiting costs, what a prototype spares
    the later build, aversion to risk. The answers of two options err apart, as if they came from
    different questions. Worth counts costs, with wrong answers at their price; the floor is in
    `p_settled` alone. A larger plan is worth no less: one may leave answers aside. The best of many
    plans is flattered by about its `error`.

    What was found goes back as `quality: {RAG: {accepted: 164, trials: 200}}` in the file of the
    scenario, or by `cm.choices.with_quality(option, cm.Measured(164, 200))`.

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
    found = simulate(study)
    kept, runs, left_out = _known(found)
    cost = np.column_stack([*kept.values()])
    share = np.column_stack([found.accepted[label][runs] for label in kept])
    seen, judge = clipped(np.column_stack([cost, share])), _drawn(agreement, study)[runs]
    each = dict(zip(kept, share.T, strict=True))
    today = _today(study, list(kept))
    counts = {
        label: _counts(label, sizes, through_judge(p[runs], judge), study.seed)
        for label, p in today.items()
    }
    prices = {label: _prototype(study, found, label) for label in kept}

    def data(plan: Plan, size: int) -> list[np.ndarray]:
        return [2 * counts[label][size] / size - 1 for label in plan]

    def pays(plan: Plan) -> tuple[float, float]:
        gain = gains(cost, foretold(data(plan, sizes[-1]), seen[:, : len(kept)]))
        return gain.mean() - _price(plan, sizes[-1], prices)[0], standard_error(gain)

    before, best = dict(zip(kept, _bands(share), strict=True)), int(cost.mean(axis=0).argmin())
    usd: dict[tuple[Plan, int], tuple[float, float]] = {}
    rows, bands, judged = [], {}, {}
    hopes = _with_hope(study, each, cost) or each
    for plan in _plans(hopes, pays):
        name = " and ".join(filter(None, (", ".join(plan[:-1]), plan[-1])))
        judged[name] = plan
        for size in sizes:
            expected, accepted = np.split(foretold(data(plan, size), seen), [len(kept)], axis=1)
            gain = gains(cost, expected)
            within = [usd[p, s] for p, s in usd if {*p} <= {*plan} and s <= size]
            usd[plan, size] = value = max([(max(gain.mean(), 0.0), standard_error(gain)), *within])
            price, how = _price(plan, size, prices)
            after = dict(zip(kept, _bands(share - accepted), strict=True))
            changes = float((expected.argmin(axis=1) != best).mean())
            settled = _settled(study, share, accepted)
            band = before[plan[0]], after[plan[0]]
            rows.append((name, size, *value, price, value[0] - price, changes, settled, *band, how))
            bands[name, size] = after
    table = pd.DataFrame(rows, columns=COLUMNS)
    table = table.sort_values("worth", ascending=False, kind="stable", ignore_index=True)
    table.attrs = {
        "perfect": float(gains(cost, cost).mean()),
        "floor": study.quality_floor,
        "confidence": study.confidence,
        "settled_now": _settled(study, share, np.broadcast_to(share.mean(axis=0), share.shape)),
        "judged": judged,
        "bands": bands,
        "bands_now": before,
        "left_out": left_out,
    }
    return table


@public
def pilot_sentence(table: pd.DataFrame, terms: Terms | None = None) -> str:
    """Say which pilot to run before the choice, what it costs and what it is worth.

    Parameters
    ----------
    table : DataFrame
        Of `pilot`.
    terms : Terms, optional
        Whose currency is shown; US dollars without it.

    Returns
    -------
    str

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG", "Long context + cache")
    >>> print(pilot_sentence(pilot(study, draws=1_000)))
    Judge 200 answers each of RAG and Long context + cache first: it costs some USD 20,000 and ...
    """
    words = _Words(table, terms)
    row, unsettled = table.iloc[0], words.unsettled
    if row.worth > 0:
        return f"Judge {words.asked(row)} first: it {words.why(row)}"
    if unsettled:
        row = table.loc[table["p_settled"].idxmax()]
        return (
            "No pilot saves what it costs, but no option is sure of the floor yet: judge "
            f"{words.asked(row)}, for {words.some(row.usd_to_measure)}; {words.settles(row)}."
        )
    if (table["usd"] <= ERRORS * table["error"]).all():
        return f"Judge nothing first: {table['n'].max()} answers would hardly change the choice."
    row = table.loc[table["usd"].idxmax()]
    return f"Judge nothing first: what tells most, {words.asked(row)}, {words.prices(row)}."


def pilot_in_two(table: pd.DataFrame, terms: Terms | None = None) -> tuple[str, str]:
    """Which pilot to run first and its price, to end a sentence, and why, as the next sentence.

    Empty where no pilot would settle anything.
    """
    words, row = _Words(table, terms), table.iloc[0]
    why = f"The pilot {words.why(row)}"
    if row.worth <= 0:
        if not words.unsettled:
            return "", ""
        row = table.loc[table["p_settled"].idxmax()]
        why = f"The pilot saves less than it costs, but {words.settles(row)}."
    return f"judge {words.asked(row)} first, for {words.some(row.usd_to_measure)}", why


@dataclass(frozen=True)
class _Words:
    """The words about the rows of a table of pilots."""

    table: pd.DataFrame
    terms: Terms | None

    @property
    def unsettled(self) -> bool:
        """Whether a pilot can make some option sure of the floor that is not sure yet."""
        return self.table.attrs["settled_now"] < 1 and self.table["p_settled"].max() > 0

    def some(self, usd: float) -> str:
        return f"some {money(float(f'{usd:.2g}'), self.terms)}"

    def asked(self, row: pd.Series) -> str:
        labels = self.table.attrs["judged"][row.plan]
        return f"{row.n} answers{' each' if len(labels) > 1 else ''} of {row.plan}"

    def settles(self, row: pd.Series) -> str:
        sure, floor = (percent(self.table.attrs[name]) for name in ("confidence", "floor"))
        return f"in {of_ten(row.p_settled)} one option is then {sure} sure to reach {floor}"

    def prices(self, row: pd.Series) -> str:
        return f"costs {self.some(row.usd_to_measure)} and is worth {self.some(row.usd)}"

    def why(self, row: pd.Series) -> str:
        first = self.table.attrs["judged"][row.plan][0]
        return (
            f"{self.prices(row)}, because it changes the choice in {of_ten(row.p_changes)} and "
            f"narrows the 80 % band of {first} from {row.band_before:.0f} to {row.band_after:.0f} "
            f"points{'; ' + self.settles(row) if self.unsettled else ''}."
        )


# -- what can be judged ----------------------------------------------------------------------------


def _known(found: Simulated) -> tuple[dict[str, np.ndarray], np.ndarray, dict[str, str]]:
    """Present values of the options that can be judged, least expected first; the draws in which
    all of them run; and why others are left out."""
    left_out = not_comparable(found)
    kept, runs, seldom = worth_together(found, [x for x in found.worth if x not in left_out])
    check(runs.any(), "pilot: no option of known quality runs in nine draws of ten")
    order = sorted(kept, key=lambda label: kept[label].mean())
    return {label: kept[label] for label in order}, runs, left_out | seldom


def _with_hope(
    study: Study, share: dict[str, np.ndarray], cost: np.ndarray
) -> dict[str, np.ndarray]:
    """The options that somebody may choose: nobody judges others."""
    least = np.bincount(cost.argmin(axis=1), minlength=len(share)) / len(cost)
    chances = dict(zip(share, least, strict=True))
    if study.quality_floor is not None:
        chances = {label: (own >= study.quality_floor).mean() for label, own in share.items()}
    return {label: own for label, own in share.items() if chances[label] >= HOPELESS}


def _plans(share: dict[str, np.ndarray], pays: Callable[[Plan], tuple[float, float]]) -> list[Plan]:
    """Each option alone, and then the best of them with one more at a time, the one that pays most.

    One more must pay by more than sampling errors. Options that answer alike are judged once.
    """
    alike = {b for a, b in combinations(share, 2) if np.array_equal(share[a], share[b])}
    alone: list[Plan] = [(label,) for label in share if label not in alike]
    plans, plan = [*alone], max(alone, key=pays)
    while len(plan) < min(MOST_OPTIONS, len(alone)):
        more = max([plan + other for other in alone if other[0] not in plan], key=pays)
        (usd, error), (before, _) = pays(more), pays(plan)
        if usd - before <= ERRORS * error:
            break
        plans.append(plan := more)
    return plans


def _today(study: Study, labels: list[str]) -> dict[str, np.ndarray]:
    """Share of answers accepted in each draw before any move to a successor.

    What follows from a law differs from it by what the option has of its own.
    """
    options = study.only(*labels).options
    found = shares_today(study, options, study.draws, study.points_of(study.draws))
    for label in found:
        if study.options[label].quality is None:
            rng = np.random.default_rng([study.seed, crc32(f"own {label}".encode())])
            own = spread_of_options() * rng.standard_normal(study.draws)
            found[label] = shift(found[label], own)
    return found


def _counts(label: str, sizes: list[int], share: np.ndarray, seed: int) -> dict[int, np.ndarray]:
    """What a judge accepts in each draw of so many answers, which contain the fewer."""
    rng = np.random.default_rng([seed, crc32(f"pilot {label}".encode())])
    steps = np.diff([0, *sizes])
    counts = np.cumsum([rng.binomial(step, share) for step in steps], axis=0)
    return dict(zip(sizes, counts, strict=True))


def _drawn(agreement: Number, study: Study) -> np.ndarray:
    """The agreement of the judge in each draw, the same as in the techniques that have a judge."""
    if not isinstance(agreement, Doubt):
        return np.full(study.draws, float(agreement))
    key = agreement.name or str(AGREEMENT.name)
    return draw_values(key, agreement, study.draws, study.seed)[:, 0]


# -- what it tells ---------------------------------------------------------------------------------


def _bands(x: np.ndarray) -> list[float]:
    """Width of the 80 % band of each column [points]."""
    low, high = 100 * np.percentile(x, (10, 90), axis=0)
    return (high - low).tolist()


def _settled(study: Study, share: np.ndarray, expected: np.ndarray) -> float:
    """Share of the outcomes after which some option is eligible.

    The chance of an option to reach the floor is that of the draws with about the same expected
    share.
    """
    if study.quality_floor is None:
        return np.nan
    draws, rank = len(share), np.arange(len(share))
    near = max(1, round(AROUND * draws))
    low, high = np.maximum(rank - near, 0), np.minimum(rank + near + 1, draws)
    some = np.zeros(draws, bool)
    for own, mean in zip(share.T, expected.T, strict=True):
        if np.ptp(mean) == 0:  # nothing is known beside the draws themselves
            some |= (own >= study.quality_floor).mean() >= study.confidence
            continue
        order = mean.argsort()
        reached = np.concatenate([[0], (own[order] >= study.quality_floor).cumsum()])
        some[order] |= (reached[high] - reached[low]) / (high - low) >= study.confidence
    return float(some.mean())


# -- what it costs ---------------------------------------------------------------------------------


def _prototype(study: Study, found: Simulated, label: str) -> Prices:
    """What must be made before an option answers at all.

    Hours of building in the proportion of a prototype to the tier of the workload, all else as it
    is; nobody buys servers for it.
    """
    small, own = middle((catalog.tier("prototype"), study.work.tier))
    calendar, prices = found.middle.calendar, {}
    for line in found.middle.bills[label].lines:
        first = np.ravel(line.schedule.weights(calendar.months, calendar.demand))[0]
        if line.phase in MAKING and line.unit != "server" and first:
            building = line.phase == "build" and line.unit == "hour"
            part = min(1.0, small.build_factor / own.build_factor) if building else 1.0
            usd = float(np.ravel(line.usd)[0] * first * part)
            prices[line.item, line.unit, round(usd, 2)] = usd
    return prices


def _price(plan: Plan, n: int, prices: dict[str, Prices]) -> tuple[float, str]:
    """What a plan costs [USD], and how that is counted."""
    names = "expert_example", "expert_ranking"
    item, judgement = (middle(catalog.label(name).usd_per_item) for name in names)
    made = sum({key: usd for label in plan for key, usd in prices[label].items()}.values())
    answers = f"{n} answers" + (f" x {len(plan)} options" if len(plan) > 1 else "")
    how = f"{n} items x USD {number_text(item)} + {answers} x USD {number_text(judgement)} a "
    how += f"judgement + USD {number_text(round(made))} to make "
    how += "prototypes" if len(plan) > 1 else "a prototype"
    return n * item + n * len(plan) * judgement + made, how
