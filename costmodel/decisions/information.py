"""What is worth knowing before the choice: everything, groups of inputs, and each input.

Costs are present values. EVPI = min over options of E[cost] - E[min over options of cost];
EVPPI(X) = min E[cost] - E_X[min over options of E[cost | X]].

The inner expectation is a regression on the draws (Strong, Oakley and Brennan 2014, Med Decis
Making 34:311). Its policy is scored on draws that it has not seen, so that noise cannot be taken
for information. It is fitted on costs clipped to their 1st and 99th percentile, and scored on
unclipped ones. `pilot` asks the same regression for samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.running import judging_usd
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.study import Study, analysis
from costmodel.choices.techniques.graphs import GraphRag
from costmodel.core import (
    DRAWS_MAX,
    HOURS_PER_DAY,
    check,
    doubts,
    draw_values,
    driver_key,
    frozen,
    go_on,
    middle,
    number_text,
    objects,
    one_blas_thread,
    percent,
    require,
    uniforms,
    unknown,
    whole_number,
)
from costmodel.decisions.simulate import comparable, that_run, totals
from costmodel.ledgers.book import ledger
from costmodel.ledgers.evidence import meanings

FOLDS = 5
LEAST_DRAWS = 10 * FOLDS
TAILS = 1, 99  # percentiles between which the regression sees the costs
DEGREE = 5  # of the polynomial of one input
GROUP_DEGREE = 3  # of that of each input of a group, which has the products of pairs too
SURE = 1e-9  # shares are kept this far from 0 and 1
PER_CONTROL = 20  # outcomes for each control
PAIRS = 12  # inputs of a group whose products count: those that move the costs most
EVERYTHING = "everything"
COLUMNS = ["input", "meaning", "kind", "usd", "error", "usd_to_measure", "worth", "how"]
EVAL_ITEMS = 200  # answers of each option that people judge: a share to some 6 points, at 90 %
LOAD_TEST_HOURS = 2.0
LOAD_TEST_WORK_HOURS = HOURS_PER_DAY / 3.0  # of an engineer, to prepare and to read it
SAMPLE_SHARE = 0.02  # of the corpus that is indexed to see what the whole will cost
JUDGED = (
    *("task.*", "*.capability", "*.accepted", "*.quality", "*log_odds*", "*signal_auc"),
    *("*of_teacher", "*recall*", "*context_decay", "*.closed_book", "*.survives", "*.in_prompt"),
)


@frozen
class Measurement:
    """A way to learn about some inputs before the choice.

    Parameters
    ----------
    name : str
        What is done.
    inputs : tuple of str
        Patterns of the keys of inputs that it says something about, such as "rag.*".
    usd : float
        What it costs once [USD].
    how : str
        How that is counted.

    Raises
    ------
    ValueError
        When `usd` is below 0.

    Examples
    --------
    >>> import costmodel as cm
    >>> trial = cm.uncertainty.Measurement("a pilot", ("accepted.*",), 4_000.0, "50 h x USD 80")
    >>> trial.tells("accepted.large"), trial.tells("rag.top_k")
    (True, False)
    """

    name: str
    inputs: tuple[str, ...]
    usd: float
    how: str

    def __post_init__(self) -> None:
        require("Measurement.usd", self.usd)

    def tells(self, key: str) -> bool:
        """Whether it says something about this input."""
        return _matches(key, self.inputs)


def _matches(key: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in patterns)


@analysis
def measurements(study: Study) -> list[Measurement]:
    """What can be measured before the choice, priced from the catalogue.

    Parameters
    ----------
    study : Study, or options with a workload
        What can be chosen.

    Returns
    -------
    list of Measurement
        Judged answers; with own GPUs a load test; with a graph a sample of its index.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> [way.name for way in measurements(study)]
    ['label 200 evaluation items', 'a two-hour load test', 'index 2 % of the corpus']
    """
    options = study.options
    _, judgement = judging_usd(study.work, study.terms)
    found = [
        Measurement(
            f"label {EVAL_ITEMS} evaluation items",
            JUDGED,
            EVAL_ITEMS * len(options) * judgement,
            f"{EVAL_ITEMS} items x {len(options)} options x USD {number_text(judgement)} "
            "a judgement",
        )
    ]
    own = next((x for x in objects(options) if isinstance(x, Hosted)), None)
    if own is not None:
        serving, engineer = middle((own, study.terms.people.engineer))
        rent, hour = serving.usd_per_gpu_hour()[0] * serving.gpus, engineer.usd_per_hour
        found.append(
            Measurement(
                "a two-hour load test",
                ("Hosted.*", "serving.tpot_ratio"),
                LOAD_TEST_HOURS * rent + LOAD_TEST_WORK_HOURS * hour,
                f"{LOAD_TEST_HOURS:g} h x USD {number_text(rent)} of GPUs + "
                f"{LOAD_TEST_WORK_HOURS:g} h x USD {number_text(hour)} of an engineer",
            )
        )
    for label, option in options.items():
        if any(isinstance(technique, GraphRag) for technique in objects(option)):
            book = ledger(study.only(label))
            usd = book.loc[book["item"].str.startswith("index the graph"), "usd"].sum()
            found.append(
                Measurement(
                    "index 2 % of the corpus",
                    ("*index_tokens", "*output_share", "*index_share", "graphrag.*"),
                    SAMPLE_SHARE * usd,
                    f"{percent(SAMPLE_SHARE)} of an index of USD {number_text(round(usd))}",
                )
            )
            break  # one sample tells about every graph
    return found


@analysis
@one_blas_thread
def value_of_information(
    study: Study,
    groups: Mapping[str, Iterable[str]] | None = None,
    ways: Iterable[Measurement] | None = None,
) -> pd.DataFrame:
    """What knowing an input before the choice is worth, beside what measuring it costs.

    An input is worth something only where knowing it would change the choice. It is the most that a
    measurement can be worth: a sample tells less. Where one option is left there is nothing to
    choose, and knowing is worth nothing.

    Parameters
    ----------
    study : Study, or options with a workload
        What can be chosen.
    groups : dict of name to patterns, optional
        Inputs that are known together; without it, what each way to measure tells.
    ways : iterable of Measurement, optional
        Ways to measure; without them, those of `measurements`.

    Returns
    -------
    DataFrame
        `input` (or name of the group), `meaning`, `kind` ("all", "group" or "input"), `usd` (EVPI
        or EVPPI) and its standard `error`, `usd_to_measure` and `worth` (usd less that) [USD over
        the horizon], `how`. Left out are options that run in fewer than nine draws of ten, the
        draws in which another does not run, and options of unknown quality beside known ones.

    Raises
    ------
    ValueError
        Fewer than 50 draws, no option that runs, or a group that matches no input.

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> table = value_of_information(study.only("RAG", "Prompt"), ways=[], draws=200)
    >>> table.loc[0, ["input", "kind"]].to_list()
    ['everything', 'all']
    """
    draws, seed = study.draws, study.seed
    whole_number("draws", draws, LEAST_DRAWS, DRAWS_MAX)
    costs, runs = that_run(totals(comparable(study), draws, discounted=True))
    check(
        runs.any(), "value_of_information: no option runs in nine draws of ten; `compare` says why"
    )
    cost = np.column_stack([*costs.values()])
    inputs, meaning = doubts(study.inputs), meanings(study.inputs)
    drawn = study.points_of(draws) or {}  # after evidence
    places = {
        key: (2 * drawn[key][:, 0] - 1 if key in drawn else _places(key, doubt, draws, seed))[runs]
        for key, doubt in inputs.items()
    }
    ways = measurements(comparable(study)) if ways is None else list(ways)
    for way in ways:
        check(
            isinstance(way, Measurement),
            f"value_of_information: {way!r} among the ways is no Measurement(name, inputs, usd, "
            "how)",
        )
    gain = cost[:, cost.mean(axis=0).argmin()] - cost.min(axis=1)
    rows: list[tuple] = [
        (EVERYTHING, "", "all", gain.mean(), standard_error(gain), np.nan, np.nan, "")
    ]
    by_name = {way.name: way for way in ways}
    for name, keys in _groups(groups, ways, inputs).items():
        known = by_name.get(name)
        price, how = (known.usd, known.how) if known else (np.nan, ", ".join(keys[:PAIRS]))
        usd, error = _evppi(cost, [places[key] for key in keys])
        rows.append((name, "", "group", usd, error, price, usd - price, how))
    each = []
    for key, place in places.items():
        how = "; ".join(way.name for way in ways if way.tells(key))
        each.append(
            (key, meaning.get(key, ""), "input", *_evppi(cost, [place]), np.nan, np.nan, how)
        )
    rows += sorted(each, key=lambda row: -row[3])
    return pd.DataFrame(rows, columns=COLUMNS)


def _groups(
    groups: Mapping[str, Iterable[str]] | None, ways: list[Measurement], inputs: Iterable[str]
) -> dict[str, list[str]]:
    """The inputs of each group: those that match its patterns, or that a way to measure tells."""
    if groups is None:
        told = {way.name: [key for key in inputs if way.tells(key)] for way in ways}
        return {name: keys for name, keys in told.items() if keys}
    check(
        isinstance(groups, Mapping),
        f"value_of_information: groups is {groups!r}, it must be {{name: patterns of inputs}}",
    )
    found = {}
    for name, given in groups.items():
        patterns = [given] if isinstance(given, str) else list(given)
        found[name] = [key for key in inputs if _matches(key, patterns)]
        if not found[name]:
            raise unknown("input", (*patterns, name)[0], inputs, f"the group {name!r}")
    return found


def _places(key: str, doubt: Any, draws: int, seed: int) -> np.ndarray:
    """Where each draw of a doubt lies among the others, -1 to 1."""
    if not driver_key(doubt):
        return 2 * uniforms(key, draws, seed)[:, 0] - 1
    order = np.argsort(np.argsort(draw_values(key, doubt, draws, seed)[:, 0]))
    return 2 * (order + 0.5) / draws - 1


def _evppi(cost: np.ndarray, inputs: list[np.ndarray]) -> tuple[float, float]:
    """Value of knowing some inputs and its standard error."""
    gain = gains(cost, foretold(inputs, clipped(cost)))
    return max(gain.mean(), 0.0), standard_error(gain)


def clipped(x: np.ndarray) -> np.ndarray:
    """What a regression sees of the draws: long tails would decide it."""
    return np.clip(x, *np.percentile(x, TAILS, axis=0))


def foretold(inputs: list[np.ndarray], seen: np.ndarray) -> np.ndarray:
    """E[a column | the inputs] in each draw, of a regression that has not seen that draw.

    `inputs` lie in -1..1; the columns of `seen` are what is told.
    """
    go_on()
    basis, out = _basis(inputs, seen), np.empty(seen.shape)
    folds = [(basis[k::FOLDS].copy(), seen[k::FOLDS].copy()) for k in range(FOLDS)]
    squares = [b.T @ b for b, _ in folds]
    products = [b.T @ y for b, y in folds]
    for k, (b, _) in enumerate(folds):  # least squares on the other folds
        others = sum(squares) - squares[k], sum(products) - products[k]
        out[k::FOLDS] = b @ np.linalg.lstsq(*others, rcond=1e-10)[0]
    return out


def gains(cost: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """What is saved in each draw by who takes the least expected cost, not that of the mean."""
    chosen, default = expected.argmin(axis=1), cost.mean(axis=0).argmin()
    return cost[:, default] - cost[np.arange(len(cost)), chosen]


def _basis(inputs: list[np.ndarray], cost: np.ndarray) -> np.ndarray:
    """Legendre polynomials of each input in -1..1.

    For several inputs also the products of pairs of those that move the costs most.
    """
    degree = DEGREE if len(inputs) == 1 else GROUP_DEGREE
    powers = [np.polynomial.legendre.legvander(x, degree)[:, 1:] for x in inputs]
    gaps = cost - cost.mean(axis=1, keepdims=True)
    strong = sorted(inputs, key=lambda x: -np.abs(x @ gaps).max())[:PAIRS]
    pairs = [a * b for a, b in combinations(strong, 2)]
    return np.column_stack([np.ones(len(cost)), *powers, *pairs])


def standard_error(x: np.ndarray) -> float:
    """Of the mean of draws."""
    return x.std(ddof=1) / np.sqrt(x.size)


def controlled(
    tells: np.ndarray, expected: np.ndarray, before: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Means over drawn outcomes and their standard errors.

    What is expected after an outcome is on average what was expected `before`: a regression on the
    difference takes out how far the drawn outcomes are off (control variates).
    """
    n, many = expected.shape
    off = expected - before if n > PER_CONTROL * many else np.zeros((n, 1))
    basis = np.column_stack([np.ones(n), off / np.abs(off).max(axis=0).clip(SURE)])
    found = np.linalg.lstsq(basis, tells, rcond=1e-6)[0]
    return found[0], (tells - basis @ found).std(axis=0) / np.sqrt(n)
