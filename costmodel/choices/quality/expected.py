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
    TESTED,
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
from costmodel.core import (
    INDEX_END,
    Measured,
    Range,
    check,
    check_known,
    in_words,
    of_kind,
    public,
    require,
)
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

    def as_it_is(self) -> Askings:
        """The same without the technique."""
        return replace(self, shift=0 * self.shift, shift_doubt=0 * self.shift_doubt)


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
        classify (up to some 20 labels), "classify, many labels" (50 and more), extract, answer,
        answer from documents, answer from public documents, many-hop, summary over a corpus,
        summarise, write, translate, code, fix code, text to SQL, support dialogue, agent, tools; or
        a family of the tables such as "document_qa"; "other" is as wide as all tasks.
    model : str, or list, optional
        Id of the price list or of an open model, whose capability is looked up. With `capability`
        it only names the model.
    capability : float, or list, optional
        Published index [above 0, below 70]. NaN, and neither of both: a model of today that is not
        known, so that the band is wide. An old model is worse than that (see Notes). Beside
        indices, only names of capability.csv are looked up.
    technique : str, or list
        "zero-shot", "few-shot", "retry" (a second try that sees why the first failed: tests and
        tools say it, which code, SQL, agents and tools have), "rag", "long
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
        For an index outside 0 to 70, fewer than 0 examples, or lists of different lengths.

    Notes
    -----
    That the 80 % band holds is checked on 5,462 scores of models with an index. For 744 scores of
    models with a size and a date the middle is about right; for 1,488 scores of models that nobody
    can place, mostly old ones, it is 20 points too high (12 where benchmarks weigh the same).

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
    models = table["model"].to_numpy()
    index, ability, doubt = _capabilities(models, _numbers("capability", table["capability"]))
    readings = {"task": family, "technique": _technique, "passage": passage}
    keys = [[read(value) for value in table[name]] for name, read in readings.items()]
    ways = pd.MultiIndex.from_arrays([*keys, [asks_public(task) for task in table["task"]]])
    taught = _numbers("train_examples", table["examples"])
    check(not (taught < 0).any(), "train_examples must be a count of examples, 0 or more")
    others = _evidence(
        measured or {}, dict(zip(models, zip(ability, doubt, strict=True), strict=True))
    )
    mean, width = np.empty(len(table)), np.empty(len(table))
    codes, distinct = ways.factorize()
    for number, way in enumerate(distinct):
        rows = codes == number
        asked = ask(way, ability[rows], doubt[rows], models[rows], table["examples"][rows])
        evidence = others and (ask(way, *others[:3]), others[3])
        mean[rows], width[rows] = expect(way, lines().__getitem__, spreads(), asked, evidence)
    low, mid, high = (expit(mean + side * Z80 * width) for side in (-1, 0, 1))
    table["capability"] = index
    return table[["task", "model", "capability", "technique"]].assign(low=low, mid=mid, high=high)


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
    named = np.array([isinstance(name, str) for name in others.names])
    same = (asked.names[:, None] == others.names[None]) & named
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
    closed_name = "document_qa.closed" if task == "document_qa" else task
    read, read_shared, read_own = _straight(line("document_qa"), wide, who)
    closed, closed_shared, closed_own = _law(closed_name, line, wide, who.as_it_is(), several)
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

    tuned_level = constants()["tasks.spread_tuned_level"].mid
    tuned_spreads = Spreads(tuned_level, 0.0, wide.tuned, wide.tuned)
    tuned, shared, own = _straight(line(f"{task}.tuned"), tuned_spreads, who)
    plain, plain_shared, plain_own = _straight(line(task), wide, who.as_it_is())
    apart = np.sqrt((shared**2).sum(1) + own + (plain_shared**2).sum(1) + plain_own)
    z = (tuned - plain) / apart
    bell, better = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), ndtr(z)[:, None]
    mean = plain + (tuned - plain) * ndtr(z) + apart * bell
    shared = np.hstack([better * shared, (1 - better) * plain_shared])
    return mean, shared, ndtr(z) * own + ndtr(-z) * plain_own


def _table(columns: dict[str, Any]) -> pd.DataFrame:
    """The arguments as one table; one value stands for every row."""
    lists = {name: list(value) for name, value in columns.items() if np.ndim(value) == 1}
    lengths = {len(value) for value in lists.values()} or {1}
    check(
        len(lengths) == 1,
        f"expected_quality: {', '.join(lists)} have {sorted(lengths)} elements, write one length",
    )
    return pd.DataFrame(columns | lists, index=range(lengths.pop()), dtype=object)


def _numbers(name: str, values: Any) -> np.ndarray:
    """Numbers, NaN for None."""
    try:
        return np.array([np.nan if v is None else float(v) for v in values])
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number or a list of numbers") from None


def _technique(name: Any) -> str:
    check_known("technique", name, TECHNIQUES, "expected_quality")
    return str(name)


def _capabilities(models: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, ...]:
    """Index, capability and its spread of each row: as given, or as known of the named model."""
    known = ~np.isnan(given)
    if known.any():
        require("capability", given[known], 0.1, INDEX_END - 0.1)
    for name in models:
        fits = name is None or isinstance(name, str)
        check(fits, f"model is {in_words(name)}, it must be a name or a list of names")
    named = {name: _model(name, not known.any()) for name in {*models[~known]}}
    nothing = np.nan, np.nan, 0.0
    index, ability, doubt = np.array([named.get(name, nothing) for name in models]).T
    index, ability = np.where(known, [given, capability(given)], [index, ability])
    return index, ability, np.where(known, 0.0, doubt)


def _model(name: Any, look_up: bool) -> tuple[float, float, float]:
    """Index of a named model, its capability and how wide that is; NaN where nothing is known.

    Beside indices (not `look_up`) a name may be one of your own.
    """
    if isinstance(name, str) and (look_up or f"{name}.capability" in facts_of("capability")):
        found = capability_of(name)
        return found.mid, *with_doubt(found)
    unknown = constants()["unknown_model.capability_mean"]
    return np.nan, unknown.mid, spread(unknown)


def _evidence(measured: Mapping[Any, Measured], asked: Mapping[Any, tuple[float, float]]) -> Any:
    """Capabilities of the models measured, their spreads, who they are, and (right, trials).

    A name that is asked too is that model, also one of your own.
    """
    if not measured:
        return None
    found = []
    for key, value in measured.items():
        of_kind(f"measured[{key!r}]", value, Measured)
        if isinstance(key, str):
            found.append(asked.get(key) or _model(key, True)[1:])
        else:
            require("the index of a measured model", key, 0.1, INDEX_END - 0.1)
            found.append((float(capability(key)), 0.0))
    names = np.empty(len(measured), object)
    names[:] = list(measured)
    judged = [m.by_people() for m in measured.values()]
    counts = np.array([(m.accepted, m.trials) for m in judged], float)
    return *np.array(found).T, names, (counts[:, 0], counts[:, 1])


def ask(
    way: Key, ability: np.ndarray, doubt: np.ndarray, names: np.ndarray, examples: Any = ()
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
    if technique == "retry" and task in TESTED:
        moved("second_try.log_odds")
    if technique == "few-shot":
        names_ = ("log_odds", "capability_at", "log_odds_per_capability", "log_odds_most")
        shift = shift + few_shot_shift(ability, *(found[f"few_shot.{name}"].mid for name in names_))
        doubts = spread(found["few_shot.log_odds"])
    if name.endswith(".tuned"):
        enough = found["examples.enough_examples"].mid
        count: Any = _numbers("train_examples", examples)
        count = np.where(count > 0, count, enough) if count.size else enough
        shift = shift + examples_shift(count, found["examples.log_odds_per_tenfold"].mid, enough)
    elif technique in TUNED and closed:
        moved("knowledge_tune.log_odds")  # facts are hardly taught
    elif technique in (*TUNED, "rag + fine-tuned") and task in READ:
        moved("knowledge_tune.log_odds_tuned_read")
    return Askings(ability, doubt, names, shift, np.full(len(ability), doubts))
