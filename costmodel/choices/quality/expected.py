"""The share right that a task and a model let expect, with what you have measured yourself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.quality.capability import capability_of, with_doubt
from costmodel.choices.quality.tasks import (
    REPORTED,
    TECHNIQUES,
    TUNED,
    Line,
    Spreads,
    constants,
    family,
    line_of,
    lines,
    passage,
    spread,
    spreads,
)
from costmodel.core import INDEX_END, Measured, check, check_known, of_kind, public, require
from costmodel.facts.catalog import facts_of
from costmodel.laws.conditioning import conditioned, shared
from costmodel.laws.quality import expit
from costmodel.laws.task_quality import capability, examples_shift, few_shot_shift, log_odds_right

Z80 = 1.2815515655446004  # standard normal quantile of 0.9: an 80 % band ends there
REFERENCE = 20.0  # index at which a level is stated
Key = tuple[str, str, str]  # task family, technique, passage


@dataclass(frozen=True)
class Askings:
    """Models that are asked one task in one way: arrays of one length."""

    ability: np.ndarray  # capability, log-odds
    doubt: np.ndarray  # spread of the capability
    names: np.ndarray  # who is who: what a model has of its own, it has everywhere
    shift: np.ndarray  # log-odds of the technique
    shift_doubt: np.ndarray
    tuned: bool = False


@public
def expected_quality(
    task: Any,
    model: Any = None,
    capability: Any = None,
    technique: Any = "zero-shot",
    passage_given: Any = None,
    train_examples: Any = None,
    measured: Mapping[Any, Measured] | None = None,
) -> pd.DataFrame:
    """Say what share of the answers to expect right, from the task, the model and your evidence.

    A level by task and what is given, a line in capability, a spread of tasks, and one of models.
    The level of your own task is the widest: 200 answers of any one model narrow all models.
    Published scores are the evidence (`cm.validation.task_quality_fidelity`). Not in it: your
    prompt, your judge, languages; "closed-book" is about the documents of public benchmarks, of
    which models know more than of yours (some 5 % right, which options assume).

    Parameters
    ----------
    task : str, or list
        classify, extract, answer, answer from documents, many-hop, summary over a corpus,
        summarise, write, translate, code, fix code, text to SQL, support dialogue, agent, tools; or
        a family of the tables such as "document_qa"; "other" is as wide as all tasks.
    model : str, or list, optional
        Id of the price list or of an open model, whose capability is looked up. With `capability`
        it only names the model.
    capability : float, or list, optional
        Published index [above 0, below 70]. NaN, and neither of both: a model of today that is not
        known, so that the band is wide. Beside indices, only names of capability.csv are looked up.
    technique : str, or list
        "zero-shot", "few-shot", "retry" (a second try that sees why the first failed), "rag", "long
        context", "closed-book", "oracle passage", "lora", "fine-tuned" and others of the tables.
    passage_given : bool, str, or list, optional
        Whether the right passage is in the prompt: True, False, or "retrieved". Counts for answers;
        None takes what the task and the technique usually have.
    train_examples : float, or list, optional
        Examples of a tune [count]; None and 0 take those of published tunes, some thousands.
    measured : dict of model or index to Measured, optional
        Evaluations of the same task, asked in the same way. An index is another model with it; a
        name is the same model wherever it stands.

    Returns
    -------
    pandas.DataFrame
        One row for each element, in order: task, model, capability (index, NaN where not known),
        technique, low, mid, high (80 %) of the share right.

    Raises
    ------
    CatalogError
        For an unknown task, technique or model; the message names the nearest.
    ValueError
        For an index outside 0 to 70, or lists of different lengths.

    Examples
    --------
    >>> import costmodel as cm
    >>> ask = cm.knowledge.expected_quality
    >>> before = ask("extract", capability=[20, 42])
    >>> after = ask("extract", capability=[20, 42], measured={30: cm.Measured(180, 200)})
    >>> bool((after.high - after.low < before.high - before.low).all())
    True
    """
    columns = {
        "task": task,
        "model": model,
        "capability": capability,
        "technique": technique,
        "passage": passage_given,
        "examples": train_examples,
    }
    table = _table(columns)
    index = _index(table)
    ability, doubt = _abilities(table, index)
    table["capability"] = np.where(index > 0, index, np.nan)
    keys = pd.MultiIndex.from_arrays(
        [
            _each(table["task"], family),
            _each(table["technique"], _technique),
            _each(table["passage"], passage),
        ]
    )
    mean, width = np.empty(len(table)), np.empty(len(table))
    known = _evidence(measured or {}, table["model"].to_numpy(), ability, doubt)
    codes, ways = keys.factorize()
    for number, way in enumerate(ways):
        rows = np.flatnonzero(codes == number)
        asked = _asked(
            way, ability[rows], doubt[rows], table["model"].to_numpy()[rows],
            table["examples"].to_numpy()[rows],
        )  # fmt: skip
        evidence = None
        if known is not None:
            at, at_doubt, names, counts = known
            nothing = np.full(len(names), np.nan)
            evidence = _asked(way, at, at_doubt, names, nothing), counts
        line, wide = lines()[line_of(*way)], spreads()
        mean[rows], width[rows] = expect(line, wide, asked, evidence)
    ends = {
        name: expit(mean + side * Z80 * width)
        for name, side in (("low", -1), ("mid", 0), ("high", 1))
    }
    return table[["task", "model", "capability", "technique"]].assign(**ends)


def expect(
    line: Line,
    wide: Spreads,
    asked: Askings,
    evidence: tuple[Askings, tuple[np.ndarray, np.ndarray]] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of the log-odds of a right answer, for every model that is asked.

    The evidence is who was measured, and (right, trials).
    """
    at = float(capability(REFERENCE))
    level2 = line.level_spread**2 + wide.level**2
    slope2 = line.slope_spread**2 + wide.slope**2
    mean, own = _apart(line, wide, asked, at)
    x = asked.ability - at
    variance = shared(level2**0.5, slope2**0.5, x, x) + own
    if evidence is None:
        return mean, np.sqrt(variance)
    others, counts = evidence
    start, others_own = _apart(line, wide, others, at)
    u = others.ability - at
    covariance = shared(level2**0.5, slope2**0.5, u[:, None], u[None]) + np.diag(others_own)
    together = shared(level2**0.5, slope2**0.5, x[:, None], u[None])
    same = (asked.names[:, None] == others.names[None]) & _is_name(others.names)[None]
    together = together + same * np.minimum(own[:, None], others_own[None])
    return conditioned(mean, variance, together, (start, covariance), counts)


def _apart(line: Line, wide: Spreads, who: Askings, at: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the log-odds, and the variance that a model has for itself."""
    mean = log_odds_right(line.level, line.slope, who.ability, at) + who.shift
    model = wide.tuned if who.tuned else wide.model
    return mean, model**2 + (line.slope * who.doubt) ** 2 + who.shift_doubt**2


def _is_name(names: np.ndarray) -> np.ndarray:
    return np.array([isinstance(name, str) for name in names], bool)


def _table(columns: dict[str, Any]) -> pd.DataFrame:
    """The arguments as one table; one value stands for every row."""
    lists = {
        name: value
        for name, value in columns.items()
        if not isinstance(value, str) and np.ndim(value) == 1
    }
    lengths = {len(value) for value in lists.values()}
    check(
        len(lengths) < 2,
        f"expected_quality: {', '.join(lists)} have {sorted(lengths)} elements, write one length",
    )
    rows = lengths.pop() if lengths else 1
    return pd.DataFrame(
        {
            name: np.array(list(lists[name]) if name in lists else [value] * rows, object)
            for name, value in columns.items()
        },
        columns=list(columns),
    )


def _index(table: pd.DataFrame) -> np.ndarray:
    """The index of each row as given, NaN where it was not."""
    given = _numbers("capability", table["capability"])
    known = given[~np.isnan(given)]
    if known.size:
        require("capability", known, 0.1, INDEX_END - 0.1)
    return given


def _numbers(name: str, values: Any) -> np.ndarray:
    """Numbers, NaN for None."""
    try:
        return np.array([np.nan if v is None else float(v) for v in values])
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number or a list of numbers") from None


def _each(values: Any, call: Any) -> list[Any]:
    """The function of every value; each value is asked once."""
    codes, distinct = pd.factorize(pd.Series(list(values), dtype=object), use_na_sentinel=False)
    found = [call(value) for value in distinct]
    return [found[code] for code in codes]


def _technique(name: Any) -> str:
    check_known("technique", name, TECHNIQUES, "expected_quality")
    return str(name)


def _abilities(table: pd.DataFrame, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Capability and its spread; fills in the index of models that were only named."""
    unknown = constants()["unknown_model.capability_mean"]
    models = table["model"].to_numpy()
    alone = table["capability"].isna().all()  # beside indices a name may be one of your own
    published = facts_of("capability")
    ability = np.full(len(table), unknown.mid)
    doubt = np.full(len(table), spread(unknown))
    known = ~np.isnan(index)
    ability[known], doubt[known] = capability(index[known]), 0.0
    for name in {n for n in models[~known] if isinstance(n, str)}:
        if alone or f"{name}.capability" in published:
            rows, found = ~known & (models == name), capability_of(name)
            index[rows] = found.mid
            ability[rows], doubt[rows] = with_doubt(found)
    return ability, doubt


def _evidence(
    measured: Mapping[Any, Measured], models: np.ndarray, ability: np.ndarray, doubt: np.ndarray
) -> Any:
    """Capabilities of the models measured, their spreads, who they are, and (right, trials)."""
    if not measured:
        return None
    found = []
    for key, value in measured.items():
        of_kind(f"measured[{key!r}]", value, Measured)
        if not isinstance(key, str):
            require("the index of a measured model", key, 0.1, INDEX_END - 0.1)
            found.append((float(capability(key)), 0.0))
        elif (rows := np.flatnonzero(models == key)).size:  # also a model of one's own
            found.append((float(ability[rows[0]]), float(doubt[rows[0]])))
        else:
            found.append(with_doubt(capability_of(key)))
    names = np.empty(len(measured), object)
    names[:] = list(measured)
    judged = [m.by_people() for m in measured.values()]
    counts = np.array([(m.accepted, m.trials) for m in judged], float)
    return *np.array(found).T, names, (counts[:, 0], counts[:, 1])


def _asked(
    way: Key, ability: np.ndarray, doubt: np.ndarray, names: np.ndarray, examples: Any
) -> Askings:
    """What the technique shifts, and how surely."""
    task, technique, _ = way
    rows = len(ability)
    made = Askings(ability, doubt, names, np.zeros(rows), np.zeros(rows))
    found = constants()
    if task == "many_hop":
        made = _shifted(made, found["many_hop.log_odds"].mid, spread(found["many_hop.log_odds"]))
    if technique in REPORTED:
        made = _shifted(made, found["reported.log_odds"].mid, 0.0)
    if technique == "retry":
        made = _shifted(
            made, found["second_try.log_odds"].mid, spread(found["second_try.log_odds"])
        )
    if technique == "few-shot":
        gain = found["few_shot.log_odds"]
        names_ = ("capability_at", "log_odds_per_capability", "log_odds_most")
        at, per, most = (found[f"few_shot.{name}"].mid for name in names_)
        made = _shifted(made, few_shot_shift(ability, gain.mid, at, per, most), spread(gain))
    if line_of(*way).endswith(".tuned"):
        count = _numbers("train_examples", examples)
        some = np.where(count > 0, count, np.nan)
        per = found["examples.log_odds_per_tenfold"].mid
        enough = found["examples.enough_examples"].mid
        shifts = examples_shift(np.nan_to_num(some, nan=enough), per, enough)
        made = replace(_shifted(made, shifts, 0.0), tuned=True)
    elif technique in TUNED and line_of(*way).endswith(".closed"):  # facts are hardly taught
        taught = found["knowledge_tune.log_odds"]
        made = _shifted(made, taught.mid, spread(taught))
    return made


def _shifted(asked: Askings, log_odds: Any, doubt: Any) -> Askings:
    return replace(
        asked, shift=asked.shift + log_odds, shift_doubt=np.sqrt(asked.shift_doubt**2 + doubt**2)
    )
