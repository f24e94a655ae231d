"""What all ways of looking up share: the corpus, fitted numbers, a reader in its context, the bill of a store."""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.choices.options import Case
from costmodel.choices.purchases import Line, cite
from costmodel.choices.schedule import Schedule, monthly, path
from costmodel.choices.workload import Corpus, QuestionMix, Workload
from costmodel.core.errors import Infeasible, check, in_words
from costmodel.core.ranges import Range
from costmodel.core.units import MILLION
from costmodel.facts import catalog
from costmodel.laws.quality import context_shift, shift

SURE = 1e-6  # a base share is kept this far from 0 and 1, where log-odds end
HOPS = Range(
    2,
    4,
    mid=2.5,
    form="amount",
    name="knowledge.hops",
    why="assumption: documents that a question over several hops needs",
)


def fitted(key: str) -> Range:
    """A number fitted to published tables, as a Range named by its key."""
    return catalog.fact("quality", key).value


def corpus_of(work: Workload, technique: Any) -> Corpus:
    if work.corpus is None:
        raise Infeasible(
            f"{type(technique).__name__} has nothing to look up: the workload has no corpus"
        )
    return work.corpus


def resolve(technique: Any, *, optional: tuple[str, ...] = (), **finders: Any) -> None:
    """Ids become records of the catalogue; whatever is neither is refused."""
    owner = type(technique).__name__
    for name, find in finders.items():
        if isinstance(given := getattr(technique, name), str):
            object.__setattr__(technique, name, find(given))
        else:
            record = catalog.RECORDS[f"{find.__name__}s"]
            known = isinstance(given, record) or (given is None and name in optional)
            check(
                known,
                f"{owner}.{name} is {in_words(given)}, it must be an id such as {next(iter(getattr(catalog, find.__name__ + 's')()))!r}, or a {record.__name__}(...)",
            )
    mix = technique.questions
    check(
        mix is None or isinstance(mix, QuestionMix),
        f"{owner}.questions is {in_words(mix)}, it must be a QuestionMix(...) or None",
    )


def base_of(case: Case) -> Any:
    return np.clip(case.serving.accepted, SURE, 1 - SURE)


def read(technique: Any, base: Any, tokens: Any) -> Any:
    """Share accepted when what is needed stands in a prompt of so many tokens."""
    r = technique.reader
    return shift(
        base,
        r.log_odds_answer
        + context_shift(tokens, r.context_decay, r.context_power, r.context_tokens_max),
    )


def by_question(technique: Any, case: Case, **shares: Any) -> Any:
    """Mean over the question types that this option sees; without a mix, questions are answered in one place."""
    mix = technique.questions or case.work.question_mix or QuestionMix()
    return sum((getattr(mix, name) * share for name, share in shares.items()), 0.0)


def asked(case: Case) -> Any:
    """Requests a month that reach the model; a semantic cache answers the others."""
    return case.requests_per_month * case.request.main.per_request


def store_line(
    store: catalog.Store, case: Case, gigabytes: Any = 0.0, queries: Any = 0.0, writes: Any = 0.0
) -> Line:
    """A store's bill in each month: storage and writes with the corpus, reads with demand, at least its minimum; a store
    that is paid in units takes whole units for its index."""
    months, corpus = case.terms.months, corpus_of(case.work, store)
    names = (
        "usd_per_gb_month",
        "usd_per_million_reads",
        "usd_per_million_writes",
        "usd_per_month_minimum",
    )
    storage, reads, wrote, floor = (
        0.0 if getattr(store, n) is None else getattr(store, n) for n in names
    )
    size = corpus.size(months)
    if store.read_units_per_gb is not None:
        queries = queries * np.maximum(
            gigabytes * store.read_units_per_gb, store.read_units_minimum or 0.0
        )
    if store.gb_per_unit is not None:
        floor = floor * np.maximum(np.ceil(gigabytes * size / store.gb_per_unit), 1.0)
    held, per_query = gigabytes * storage + writes / MILLION * wrote, queries / MILLION * reads
    still = case.work.flat and np.ndim(size) == 0
    usd = np.maximum(held * size + per_query * (1.0 if still else case.work.demand(months)), floor)
    price, when = (usd, monthly()) if still else (1.0, path(usd * (np.arange(months + 1) > 0)))
    return Line(
        "store the index",
        "retrieval",
        1.0,
        "month" if still else "USD",
        price,
        when,
        "service",
        basis="storage + reads + writes, at least the monthly minimum",
        cites=cite(store, *(n for n in names if getattr(store, n) is not None)),
    )


def paid_with(corpus: Corpus, schedule: Schedule, months: int) -> Schedule:
    """The schedule, each time for the corpus of that month."""
    size = corpus.size(months)
    return (
        schedule
        if np.ndim(size) == 0
        else path(schedule.weights(months, np.zeros(months + 1)) * size)
    )
