"""What is worth knowing before the choice: the value of perfect information, of all inputs, of groups and of each one.

EVPI = min over options of E[cost] - E[min over options of cost]; EVPPI(X) = min E[cost] - E_X[min over options of E[cost | X]].
The inner expectation is a regression on the draws (Strong, Oakley and Brennan 2014, Med Decis Making 34:311); the policy that it makes is
scored on draws that it has not seen, so that noise cannot be taken for information; it sees costs without their tails, and is scored on all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.study import Study, analysis
from costmodel.choices.techniques.graphs import GraphRag
from costmodel.core.checks import require, whole_number
from costmodel.core.draws import DRAWS_MAX, doubts, draw_values, middle, uniforms
from costmodel.core.errors import check, unknown
from costmodel.core.nested import objects
from costmodel.core.public import public
from costmodel.core.ranges import Doubt
from costmodel.core.units import HOURS_PER_DAY
from costmodel.core.words import number_text
from costmodel.decisions.simulate import comparable, that_run, totals
from costmodel.facts import catalog
from costmodel.ledgers.book import ledger
from costmodel.ledgers.evidence import meanings

FOLDS = 5
TAILS = (
    1,
    99,
)  # percentiles between which the regression sees the costs; the policy is scored on all of them
DEGREE = 5  # of the polynomial of one input; of each input of a group, GROUP_DEGREE and the products of pairs
GROUP_DEGREE = 3
PAIRS = 12  # inputs of a group whose products count: those that move the costs most
EVERYTHING = "everything"
COLUMNS = ["input", "meaning", "kind", "usd", "error", "usd_to_measure", "worth", "how"]
EVAL_ITEMS = (
    200  # answers of each option that people judge: a share is then known to some 6 points, at 90 %
)
LOAD_TEST_HOURS = 2.0
LOAD_TEST_DAYS = 1.0 / 3.0  # eight hours of an engineer, to prepare and to read it
SAMPLE_SHARE = 0.02  # of the corpus that is indexed to see what the whole will cost


@public
@dataclass(frozen=True)
class Measurement:
    """A way to learn about some inputs: patterns of their keys, what it costs once [USD], and how that is counted."""

    name: str
    inputs: tuple[str, ...]
    usd: float
    how: str

    def __post_init__(self) -> None:
        require("Measurement.usd", self.usd)

    def tells(self, key: str) -> bool:
        """Whether it says something about this input."""
        return any(fnmatchcase(key, pattern) for pattern in self.inputs)


@analysis
def measurements(study: Study) -> list[Measurement]:
    """What can be measured before the choice, priced from the catalogue: judged answers, a load test, a sample of an index."""
    options, terms = study.options, study.terms
    item = middle(catalog.label("expert_ranking").usd_per_item)
    found = [
        Measurement(
            f"label {EVAL_ITEMS} evaluation items",
            (
                "accepted.*",
                "*.accepted",
                "*log_odds*",
                "*.quality",
                "*of_teacher",
                "*recall*",
                "*context_decay",
            ),
            EVAL_ITEMS * len(options) * item,
            f"{EVAL_ITEMS} items x {len(options)} options x USD {number_text(item)} a judgement",
        )
    ]
    own = [serving for serving in objects(options) if isinstance(serving, Hosted)]
    if own:
        serving, hour = middle((own[0], terms))[0], middle(terms.people.engineer.usd_per_hour)
        rent, people = (
            serving.usd_per_gpu_hour()[0] * float(serving.gpus),
            LOAD_TEST_DAYS * HOURS_PER_DAY,
        )
        found.append(
            Measurement(
                "a two-hour load test",
                ("Hosted.*", "serving.tpot_ratio"),
                LOAD_TEST_HOURS * rent + people * hour,
                f"{LOAD_TEST_HOURS:g} h x USD {number_text(rent)} of GPUs + {people:g} h x USD {number_text(hour)} of an engineer",
            )
        )
    graphs = [
        label
        for label, option in options.items()
        if any(isinstance(t, GraphRag) for t in objects(option))
    ]
    if graphs:
        book = ledger(study.only(graphs[0]))
        usd = float(book.loc[book["item"].str.startswith("index the graph"), "usd"].sum())
        found.append(
            Measurement(
                "index 2 % of the corpus",
                ("*index_tokens", "*output_share", "*index_share", "graphrag.*"),
                SAMPLE_SHARE * usd,
                f"{SAMPLE_SHARE:.0%} of an index of USD {number_text(round(usd))}",
            )
        )
    return found


@analysis
def value_of_information(
    study: Study,
    groups: Mapping[str, Iterable[str]] | None = None,
    ways: Iterable[Measurement] | None = None,
) -> pd.DataFrame:
    """What knowing an input before the choice is worth [USD over the horizon], with its sampling error, beside what measuring it costs.

    Columns: input, meaning, kind ("all", "group", "input"), usd (EVPI or EVPPI), error (standard error), usd_to_measure, worth (usd less that), how.
    `groups` maps a name to patterns of inputs; by default the `ways` to measure, which are those of `measurements`. An input is
    worth something only where knowing it would change the choice. It is the most that a measurement can be worth: a
    sample tells less. Left out are options that run in fewer than nine draws of ten, the draws in which another does not, and options of unknown
    quality beside known ones. Where one option is left there is nothing to choose, and knowing is worth nothing.
    """
    draws, seed = study.draws, study.seed
    whole_number("draws", draws, 10 * FOLDS, DRAWS_MAX)
    usd, runs = that_run(totals(comparable(study), draws))
    check(
        usd and runs.any(),
        "value_of_information: no option runs in nine draws of ten; `compare` says why",
    )
    cost = np.column_stack(list(usd.values()))
    inputs = doubts(study.inputs)
    u = {
        key: 2 * uniforms(key, draws, seed)[:, 0] - 1
        if not getattr(d, "driver", None)
        else _rank(d, key, draws, seed)
        for key, d in inputs.items()
    }
    u = {key: x[runs] for key, x in u.items()}
    ways = measurements(study) if ways is None else list(ways)
    wrong = next((w for w in ways if not isinstance(w, Measurement)), None)
    check(
        wrong is None,
        f"value_of_information: {wrong!r} among the ways is no Measurement(name, inputs, usd, how)",
    )
    check(
        groups is None or isinstance(groups, Mapping),
        f"value_of_information: groups is {groups!r}, it must be {{name: patterns of inputs}}",
    )
    named = (
        {w.name: [k for k in inputs if w.tells(k)] for w in ways}
        if groups is None
        else {g: _matching(g, p, inputs) for g, p in groups.items()}
    )
    price = {w.name: w for w in ways}
    gain = cost[:, cost.mean(axis=0).argmin()] - cost.min(axis=1)
    rows: list[tuple] = [
        (EVERYTHING, "", "all", float(gain.mean()), _error(gain), np.nan, np.nan, "")
    ]
    for name, keys in named.items():
        if keys:
            value, error = _evppi(cost, [u[k] for k in keys])
            way = price.get(name)
            spent = way.usd if way else np.nan
            rows.append(
                (
                    name,
                    "",
                    "group",
                    value,
                    error,
                    spent,
                    value - spent,
                    way.how if way else ", ".join(keys[:PAIRS]),
                )
            )
    meaning = meanings(study.inputs)
    each = [
        (
            key,
            meaning.get(key, ""),
            "input",
            *_evppi(cost, [x]),
            np.nan,
            np.nan,
            "; ".join(w.name for w in ways if w.tells(key)),
        )
        for key, x in u.items()
    ]
    rows += sorted(each, key=lambda row: -row[3])
    return pd.DataFrame(rows, columns=COLUMNS)


def _matching(group: str, patterns: Iterable[str], inputs: Mapping[str, Any]) -> list[str]:
    patterns = [patterns] if isinstance(patterns, str) else list(patterns)
    found = [key for key in inputs if any(fnmatchcase(key, p) for p in patterns)]
    if not found:
        raise unknown("input", patterns[0] if patterns else group, inputs, f"the group {group!r}")
    return found


def _rank(doubt: Doubt, key: str, draws: int, seed: int) -> np.ndarray:  # type: ignore[valid-type]
    """Where each draw of a doubt that follows a driver lies among the others, -1 to 1."""
    return (
        2 * (np.argsort(np.argsort(draw_values(key, doubt, draws, seed)[:, 0])) + 0.5) / draws - 1
    )


def _evppi(cost: np.ndarray, inputs: list[np.ndarray]) -> tuple[float, float]:
    """Value of knowing some inputs and its standard error: the policy of a regression, scored on draws it has not seen."""
    basis, fold = _basis(inputs, cost), np.arange(len(cost)) % FOLDS
    default = cost.mean(axis=0).argmin()
    seen = np.clip(
        cost, *np.percentile(cost, TAILS, axis=0)
    )  # a few draws in a long tail would decide the regression
    parts = [(basis[fold == k], seen[fold == k]) for k in range(FOLDS)]
    squares, products = (
        [b.T @ y for b, y in pairs] for pairs in ([(b, b) for b, _ in parts], parts)
    )
    gain = np.empty(len(cost))
    for k, (b, _) in enumerate(parts):  # least squares on the other folds
        weights = np.linalg.lstsq(
            sum(squares) - squares[k], sum(products) - products[k], rcond=1e-10
        )[0]
        chosen, paid = (b @ weights).argmin(axis=1), cost[fold == k]
        gain[fold == k] = paid[:, default] - np.take_along_axis(paid, chosen[:, None], axis=1)[:, 0]
    return max(float(gain.mean()), 0.0), _error(gain)


def _basis(inputs: list[np.ndarray], cost: np.ndarray) -> np.ndarray:
    """Legendre polynomials of each input in -1..1; for several, also the products of pairs of those that matter most."""
    degree = DEGREE if len(inputs) == 1 else GROUP_DEGREE
    columns = [np.ones((len(cost), 1))] + [
        np.polynomial.legendre.legvander(x, degree)[:, 1:] for x in inputs
    ]
    gaps = cost - cost.mean(axis=1, keepdims=True)
    strong = sorted(inputs, key=lambda x: -np.abs(x @ gaps).max())[:PAIRS]
    pairs = [a * b for i, a in enumerate(strong) for b in strong[i + 1 :]]
    return np.column_stack([*columns, *pairs])


def _error(gain: np.ndarray) -> float:
    return float(gain.std(ddof=1) / np.sqrt(gain.size))
