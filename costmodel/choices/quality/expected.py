"""The share right that a task and a model let expect, with what you have measured yourself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.quality.capability import capability_of, with_doubt
from costmodel.choices.quality.tasks import (
    OWN_CLOSED,
    READ,
    REPORTED,
    TECHNIQUES,
    TUNED,
    Line,
    Spreads,
    asks_public,
    constants,
    family,
    line_of,
    lines,
    passage,
    spread,
    spreads,
)
from costmodel.choices.techniques.lookup import HOPS, MEASURED_TOKENS, quality_fact
from costmodel.core import INDEX_END, Measured, Range, check, check_known, of_kind, public, require
from costmodel.facts.catalog import facts_of, practice
from costmodel.laws.conditioning import conditioned
from costmodel.laws.quality import expit, logit
from costmodel.laws.retrieval import part_found, recall_at_k
from costmodel.laws.task_quality import (
    capability,
    composed,
    examples_shift,
    few_shot_shift,
    log_odds_right,
)

Z80 = 1.2815515655446004  # standard normal quantile of 0.9: an 80 % band ends there
AT = float(capability(20.0))  # capability at which a level is stated
DRAWS = 200  # over which what a search finds is taken
Key = tuple[str, str, str, bool]  # task family, technique, passage, public documents
State = tuple[np.ndarray, np.ndarray, np.ndarray]  # mean, loadings on what is shared, own variance


@dataclass(frozen=True)
class Askings:
    """Models that are asked one task in one way: arrays of one length."""

    ability: np.ndarray  # capability, log-odds
    doubt: np.ndarray  # spread of the capability
    names: np.ndarray  # who is who: what a model has of its own, it has everywhere
    shift: np.ndarray  # log-odds of the technique
    shift_doubt: np.ndarray


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
    Published scores are the evidence (`cm.validation.task_quality_fidelity`). It is the law of
    options: "rag" is found x read + (1 - found) x memory, with what a usual search finds in 10,000
    passages, and a tune is never worse than the model without it. "answer from documents" and
    "many-hop" are about documents that models have not read (5 % right from memory); "answer from
    public documents", and "document_qa" of the tables, about those of public benchmarks (.36). Not
    in it: your prompt, your judge, languages, the length of your prompts ("long context" is some
    100,000 tokens).

    Parameters
    ----------
    task : str, or list
        classify, extract, answer, answer from documents, answer from public documents, many-hop,
        summary over a corpus, summarise, write, translate, code, fix code, text to SQL, support
        dialogue, agent, tools; or a family of the tables such as "document_qa"; "other" is as wide
        as all tasks.
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
            _each(table["task"], asks_public),
        ]
    )
    mean, width = np.empty(len(table)), np.empty(len(table))
    known = _evidence(measured or {}, table["model"].to_numpy(), ability, doubt)
    codes, ways = keys.factorize()
    for number, way in enumerate(ways):
        rows = np.flatnonzero(codes == number)
        asked = ask(
            way, ability[rows], doubt[rows], table["model"].to_numpy()[rows],
            table["examples"].to_numpy()[rows],
        )  # fmt: skip
        evidence = None
        if known is not None:
            at, at_doubt, names, counts = known
            nothing = np.full(len(names), np.nan)
            evidence = ask(way, at, at_doubt, names, nothing), counts
        mean[rows], width[rows] = expect(way, lines().__getitem__, spreads(), asked, evidence)
    ends = {
        name: expit(mean + side * Z80 * width)
        for name, side in (("low", -1), ("mid", 0), ("high", 1))
    }
    return table[["task", "model", "capability", "technique"]].assign(**ends)


def expect(
    way: Key,
    line: Callable[[str], Line],
    wide: Spreads,
    asked: Askings,
    evidence: tuple[Askings, tuple[np.ndarray, np.ndarray]] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of the log-odds of a right answer, for every model that is asked.

    The evidence is who was measured, and (right, trials). Models move together by what they share:
    level and slope of the task, and what a search finds.
    """
    name = line_of(*way)
    several = way[0] == "many_hop"
    mean, shared, own = _law(name, line, wide, asked, several)
    variance = (shared**2).sum(1) + own
    if evidence is None:
        return mean, np.sqrt(variance)
    others, counts = evidence
    start, others_shared, others_own = _law(name, line, wide, others, several)
    covariance = others_shared @ others_shared.T + np.diag(others_own)
    same = (asked.names[:, None] == others.names[None]) & _is_name(others.names)[None]
    together = shared @ others_shared.T + same * np.minimum(own[:, None], others_own[None])
    return conditioned(mean, variance, together, (start, covariance), counts)


def _law(
    name: str, line: Callable[[str], Line], wide: Spreads, who: Askings, several: bool
) -> State:
    """Mean of the log-odds, how it moves with what models share, and the variance of its own."""
    if name.endswith(".retrieved"):
        return _composed(name.removesuffix(".retrieved"), line, wide, who, several)
    if name.endswith(".tuned"):
        return _ceiling(name.removesuffix(".tuned"), line, wide, who)
    return _straight(line(name), Spreads(0, 0, 0, 0) if name == OWN_CLOSED else wide, who)


def _straight(line: Line, wide: Spreads, who: Askings) -> State:
    """A line in capability; what is shared is its level and its slope."""
    x = who.ability - AT
    mean = log_odds_right(line.level, line.slope, who.ability, AT) + who.shift
    level = np.full(len(x), np.hypot(line.level_spread, wide.level))
    shared = np.column_stack([level, np.hypot(line.slope_spread, wide.slope) * x])
    return mean, shared, wide.model**2 + (line.slope * who.doubt) ** 2 + who.shift_doubt**2


def _composed(
    task: str, line: Callable[[str], Line], wide: Spreads, who: Askings, several: bool
) -> State:
    """Found x read + (1 - found) x closed x survives, as options have it, over what is found."""
    plain = replace(who, shift=0 * who.shift, shift_doubt=0 * who.shift_doubt)
    closed_name = "document_qa.closed" if task == "document_qa" else task
    read, read_shared, read_own = _straight(line("document_qa"), wide, who)
    closed, closed_shared, closed_own = _law(closed_name, line, wide, plain, several)
    found, survives = _found(several), constants()["retrieval.survives"].mid
    ends = expit(read)[:, None], expit(closed)[:, None]
    odds = logit(composed(found, *ends, survives))
    mean, right = odds.mean(1), expit(odds.mean(1))

    def moves(part: Any, share: np.ndarray) -> np.ndarray:
        return (part * share * (1 - share) / (right * (1 - right)))[:, None]

    by_read = moves(found.mean(), expit(read))
    by_closed = moves((1 - found.mean()) * survives, expit(closed))
    shared = [by_read * read_shared, by_closed * closed_shared, odds.std(1)[:, None]]
    own = by_read[:, 0] ** 2 * read_own + by_closed[:, 0] ** 2 * closed_own
    return mean, np.hstack(shared), own


@cache
def _found(several: bool) -> np.ndarray:
    """What a search finds and a prompt can use, over its doubts: a corpus as was measured."""
    rng = np.random.default_rng(1)

    def drawn(doubt: Range) -> Any:
        return doubt.quantile((rng.permutation(DRAWS) + 0.5) / DRAWS)

    tokens = drawn(practice("rag.top_k")) * drawn(practice("rag.chunk_tokens"))
    names = ("recall_at_one", "recall_slope")
    law = [drawn(quality_fact(f"retrieval.{name}")) for name in names]
    found = drawn(constants()["retrieval.in_prompt"])
    found = found * recall_at_k(np.maximum(tokens / MEASURED_TOKENS, 1.0), *law)
    part = part_found(drawn(HOPS), drawn(quality_fact("vector.per_entity")))
    return found * part if several else found


def _ceiling(task: str, line: Callable[[str], Line], wide: Spreads, who: Askings) -> State:
    """The better of a tune and the model without it, which one would keep (Clark 1961)."""
    from scipy.special import ndtr

    level = constants()["tasks.spread_tuned_level"].mid
    tuned_spreads = Spreads(level, 0.0, wide.tuned, wide.tuned)
    tuned, shared, tuned_own = _straight(line(f"{task}.tuned"), tuned_spreads, who)
    plain_who = replace(who, shift=0 * who.shift, shift_doubt=0 * who.shift_doubt)
    plain, plain_shared, plain_own = _straight(line(task), wide, plain_who)
    variances = (shared**2).sum(1) + tuned_own, (plain_shared**2).sum(1) + plain_own
    apart = np.sqrt(sum(variances))
    z = (tuned - plain) / apart
    bell = apart * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    mean = tuned * ndtr(z) + plain * ndtr(-z) + bell
    square = (tuned**2 + variances[0]) * ndtr(z) + (plain**2 + variances[1]) * ndtr(-z)
    variance = square + (tuned + plain) * bell - mean**2
    weight = ndtr(z)[:, None]
    shared = np.hstack([weight * shared, (1 - weight) * plain_shared])
    return mean, shared, np.maximum(variance - (shared**2).sum(1), tuned_own)


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
    counts = np.array([(m.accepted, m.trials) for m in measured.values()], float)
    return *np.array(found).T, names, (counts[:, 0], counts[:, 1])


def ask(
    way: Key, ability: np.ndarray, doubt: np.ndarray, names: np.ndarray, examples: Any
) -> Askings:
    """What the technique shifts, and how surely: published contrasts of one model with itself."""
    task, technique, _, _ = way
    found, name = constants(), line_of(*way)
    shift, doubts = np.zeros(len(ability)), 0.0

    def moved(key: str) -> None:
        nonlocal shift, doubts
        shift, doubts = shift + found[key].mid, np.hypot(doubts, spread(found[key]))

    closed = name == OWN_CLOSED or name.endswith(".closed")
    if task == "many_hop" and not closed:
        moved("many_hop.log_odds")
    if technique in REPORTED:
        shift = shift + found["reported.log_odds"].mid
    if technique == "retry":
        moved("second_try.log_odds")
    if technique == "few-shot":
        names_ = ("log_odds", "capability_at", "log_odds_per_capability", "log_odds_most")
        shift = shift + few_shot_shift(ability, *(found[f"few_shot.{name}"].mid for name in names_))
        doubts = spread(found["few_shot.log_odds"])
    if name.endswith(".tuned"):
        enough = found["examples.enough_examples"].mid
        count = _numbers("train_examples", examples)
        count = np.where(count > 0, count, enough)
        shift = shift + examples_shift(count, found["examples.log_odds_per_tenfold"].mid, enough)
    elif technique in TUNED and closed:
        moved("knowledge_tune.log_odds")  # facts are hardly taught
    elif technique in (*TUNED, "rag + fine-tuned") and task in READ:
        moved("knowledge_tune.log_odds_tuned_read")
    return Askings(ability, doubt, names, shift, np.full(len(ability), doubts))
