"""What techniques look up: records by id, passages in a corpus and their reader, a store's bill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from costmodel.choices.options import Case
from costmodel.choices.purchases import Line, cite
from costmodel.choices.schedule import Schedule, monthly, path
from costmodel.choices.workload import Corpus, QuestionMix, Workload
from costmodel.core import GB, KILO, MILLION, Infeasible, Range, assumed, check, in_words, of_kind
from costmodel.facts import catalog
from costmodel.laws.quality import shift
from costmodel.laws.retrieval import corpus_shift, found_in_part, part_found, recall_at_k

if TYPE_CHECKING:
    Id = Any  # `find_records` puts the record in its place, which types cannot tell
else:
    Id = str

MEASURED_TOKENS = 512.0  # of the passages on which recall was measured
HOPS = assumed(
    2,
    2.5,
    4,
    "documents that a question over several hops needs",
    form="amount",
    name="knowledge.hops",
)


def quality_fact(key: str) -> Range:
    """A number fitted to published tables (quality.csv), as a Range named by its key."""
    return catalog.fact("quality", key).value


def task_fact(key: str) -> Range:
    """A number of the law of tasks and models (task_quality.csv), named by its key."""
    return catalog.fact("task_quality", key).value


PASSAGES_REFERENCE = task_fact("retrieval.passages_reference").mid


def find_records(technique: Any, **finders: Any) -> None:
    """Replace the ids in these fields by the records of the catalogue; refuse what is neither."""
    for name, find in finders.items():
        given, kind = getattr(technique, name), type(technique)
        if isinstance(given, str):
            object.__setattr__(technique, name, find(given))
        elif given is not None or getattr(kind, name) is not None:
            file = {"person": "people"}.get(find.__name__, f"{find.__name__}s")
            record, known = catalog.RECORDS[file], getattr(catalog, file)()
            check(
                isinstance(given, record),
                f"{kind.__name__}.{name} is {in_words(given)}, it must be an id such as "
                f"{next(iter(known))!r}, or a {record.__name__}(...)",
            )
    if getattr(technique, "questions", None) is not None:
        of_kind(f"{type(technique).__name__}.questions", technique.questions, QuestionMix)


def corpus_of(work: Workload, technique: Any) -> Corpus:
    if work.corpus is None:
        raise Infeasible(
            f"{type(technique).__name__} has nothing to look up: the workload has no corpus; "
            "write Workload(corpus=Corpus(...))"
        )
    return work.corpus


def passages_found(technique: Any, case: Case, tokens: Any, more: Any = 0.0) -> Any:
    """Share of questions whose passage is among so many tokens of passages, and can be used.

    It falls with the size of the corpus, and is 1 where all of it is read; `more` is what the
    search adds [log-odds].
    """
    corpus = corpus_of(case.work, technique).tokens
    read = np.maximum(tokens / MEASURED_TOKENS, 1.0)
    found = recall_at_k(read, technique.recall_at_one, technique.recall_slope)
    size = corpus_shift(corpus / MEASURED_TOKENS, technique.log_odds_per_efold, PASSAGES_REFERENCE)
    searched = technique.in_prompt * shift(found, size + more)
    return found_in_part(searched, part_read(technique, case, tokens))


def part_read(technique: Any, case: Case, tokens: Any) -> Any:
    """Share of the corpus that is read with so many tokens of passages."""
    return np.minimum(tokens / corpus_of(case.work, technique).tokens, 1.0)


def several_found(technique: Any, case: Case, tokens: Any, found: Any, hops: Any) -> Any:
    """Part of the passages of a question over several hops that is found, `found` of a fact."""
    some = found * part_found(hops, technique.per_entity)
    return found_in_part(some, part_read(technique, case, tokens))


def requests_to_model(case: Case) -> Any:
    """Requests a month that reach the model; a semantic cache answers the others."""
    return case.requests_per_month * case.request.main.per_request


def store_line(
    store: Any,
    case: Case,
    vectors: Any = 0.0,
    dimensions: Any = 0.0,
    bytes_each: Any = 0.0,
    queries: Any = 0.0,
    writes: Any = 0.0,
) -> Line:
    """The bill of a store: storage and writes with the corpus, reads with demand, a minimum.

    A store that is paid in units takes whole units for its index, and for each vector written.
    Not in it: the first load, which a store bills as writes of a single month.
    """
    gigabytes = vectors * bytes_each / GB
    months, size = case.terms.months, corpus_of(case.work, store).size(case.terms.months)
    names = (
        *("per_gb_month", "per_mdimension_month", "per_million_reads", "per_million_writes"),
        "per_month_minimum",
    )
    prices = {f"usd_{name}": getattr(store, f"usd_{name}") for name in names}
    per_gb, per_number, per_read, per_write, floor = (
        0.0 if usd is None else usd for usd in prices.values()
    )
    if store.kb_per_write_unit is not None:
        writes = writes * np.ceil(bytes_each / KILO / store.kb_per_write_unit)
    if store.read_units_per_gb is not None:
        units = gigabytes * store.read_units_per_gb
        queries = queries * np.maximum(units, store.read_units_minimum or 0.0)
    if store.gb_per_unit is not None:
        floor = floor * np.maximum(np.ceil(gigabytes * size / store.gb_per_unit), 1.0)
    numbers = vectors * dimensions / MILLION
    held = (gigabytes * per_gb + numbers * per_number + writes / MILLION * per_write) * size
    steady = case.work.flat and np.ndim(size) == 0
    demand = 1.0 if steady else case.work.demand(months, case.terms.start)
    usd = np.maximum(held + queries / MILLION * per_read * demand, floor)
    if steady:
        unit, price, when = "month", usd, monthly()
    else:
        unit, price, when = "USD", 1.0, path(usd * (np.arange(months + 1) > 0))
    return Line(
        "store the index",
        "retrieval",
        1.0,
        unit,
        price,
        when,
        "service",
        basis="storage + reads + writes, at least the monthly minimum",
        cites=cite(store, *(name for name, usd in prices.items() if usd is not None)),
    )


def paid_with(corpus: Corpus, schedule: Schedule, months: int) -> Schedule:
    """The schedule, with each month scaled by the size of the corpus in that month."""
    size = corpus.size(months)
    if np.ndim(size) == 0:
        return schedule
    return path(schedule.weights(months, np.zeros(months + 1)) * size)
