"""Which way answers which questions how well, and how much context is enough."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.options import Mix, Option
from costmodel.choices.study import Study, analysis
from costmodel.choices.techniques.knowledge import Rag
from costmodel.choices.techniques.lookup import fitted
from costmodel.choices.terms import Terms
from costmodel.choices.workload import QuestionMix
from costmodel.core.checks import number_list
from costmodel.core.draws import middle
from costmodel.core.errors import Infeasible, check, in_words
from costmodel.core.nested import pin
from costmodel.core.public import public
from costmodel.laws.retrieval import all_found, chunks
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import evaluate


@analysis
def context_budget(study: Study, label: str | None = None, top_k: Any = None) -> pd.DataFrame:
    """Quality and cost as more passages are put into the prompt: columns top_k context_tokens quality usd_per_request
    per_accepted, and `best` on the row whose accepted answer costs least. `context_tokens` are those of all rounds, at most the corpus. Cost is what comes with each request, failures
    with it: an answer that was not found costs its tokens and what a wrong answer costs."""
    option, work, terms = study.option(label), study.work, study.terms
    check(
        isinstance(option, Option),
        f"context_budget: the option is {in_words(option)}, it must be an Option(...)",
    )
    check(
        any(isinstance(t, Rag) for t in option.techniques), "context_budget: the option has no Rag"
    )
    ks = (
        np.unique(np.round(np.geomspace(1, 250, 60)))
        if top_k is None
        else number_list("top_k", top_k, 1)
    )
    chosen, month_work, month_terms = middle((option, work, terms))
    rag: Any = next(t for t in chosen.techniques if isinstance(t, Rag))
    if top_k is None and month_work.corpus is not None:  # more than the corpus has is not sent
        ks = ks[
            ks <= max(chunks(month_work.corpus.tokens, rag.chunk_tokens, 0.0) / rag.rounds, ks[0])
        ]
    bill = evaluate(pin(chosen, "rag.top_k", ks[:, None]), month_work, month_terms)
    calendar = Calendar(month_work, month_terms)
    running = sum(
        (
            line.usd * calendar.factor(line.schedule, line.trend)
            for line in bill.lines
            if line.schedule.kind in ("with_demand", "path")
        ),
        0.0,
    )
    each = np.broadcast_to(running / (bill.requests * calendar.requests), (len(ks), 1))[:, 0]
    quality = np.broadcast_to(np.nan if bill.accepted is None else bill.accepted, (len(ks), 1))[
        :, 0
    ]
    check(
        not np.isnan(quality).all(),
        "context_budget: nobody knows how many answers are accepted; give accepted= to the serving, such as Api(..., accepted=0.35)",
    )
    sent = np.minimum(ks * rag.chunk_tokens * rag.rounds, month_work.corpus.tokens)
    table = pd.DataFrame(
        {
            "top_k": ks,
            "context_tokens": sent,
            "quality": quality,
            "usd_per_request": each,
            "per_accepted": each / quality,
        }
    )
    return table.assign(best=table.index == table["per_accepted"].idxmin())


@analysis
def cost_by_mix(study: Study, hard: str = "multi_hop", shares: Any = None) -> pd.DataFrame:
    """Quality and cost of each way as `hard` questions (multi_hop, whole or summary) replace facts.

    Columns: option share quality per_request per_accepted; NaN where a way cannot run.
    """
    options, work, terms = study.options, study.work, study.terms
    check(
        hard in ("multi_hop", "whole", "summary"),
        f"cost_by_mix: hard is {hard!r}, allowed are multi_hop, whole and summary",
    )
    _asked_by_kind("cost_by_mix", options)
    rows = []
    for share in np.linspace(0, 1, 11) if shares is None else number_list("shares", shares, 0, 1):
        asked, numbers = middle(
            (replace(work, question_mix=QuestionMix(**{"fact": 1 - share, hard: share})), terms)
        )
        calendar = Calendar(asked, numbers)
        for label, option in options.items():
            try:
                bill = evaluate(middle(option), asked, numbers)
            except Infeasible:
                rows.append((label, share, np.nan, np.nan, np.nan))
                continue
            each = float(
                bill.total(calendar, without="failures") / (bill.requests * calendar.requests)
            )
            good = np.nan if bill.accepted is None else float(bill.accepted)
            rows.append((label, share, good, each, each / good))
    return pd.DataFrame(rows, columns=["option", "share", "quality", "per_request", "per_accepted"])


def _asked_by_kind(who: str, options: Mapping[str, Option | Mix]) -> None:
    """A part of a router has questions of its own: asking it something else would change nothing and look like an answer."""
    for label, option in options.items():
        own = [
            t
            for part, _, _ in middle(option).parts()
            for t in part.techniques
            if getattr(t, "questions", None) is not None
        ]
        check(
            not own,
            f"{who}: {label!r} is a router that was made for one mix of questions; make it again for each mix, with route_by_question",
        )


@analysis
def quality_by_question(study: Study) -> pd.DataFrame:
    """Share of answers accepted by each way on each kind of question: index option; fact multi_hop whole summary.

    Vectors win facts, graphs questions over several hops and summaries (GraphRAG-Bench, arXiv:2506.05690; HippoRAG 2, arXiv:2502.14802).
    """
    options, work = study.options, study.work
    _asked_by_kind("quality_by_question", options)
    rows: dict[str, dict[str, float]] = {label: {} for label in options}
    for kind in QuestionMix.__dataclass_fields__:
        only = replace(work, question_mix=QuestionMix(**{"fact": 0.0, kind: 1.0}))
        for label, option in options.items():
            try:
                share = evaluate(*middle((option, only, Terms(months=1)))).accepted
            except Infeasible:
                share = None
            rows[label][kind] = np.nan if share is None else float(np.squeeze(share))
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("option")


@public
def found_by_entities(entities: Iterable[float] = (1, 2, 3, 5, 8)) -> pd.DataFrame:
    """Chance that all of the entities of a question are found, by vectors alone and with a graph, each with its 90 % range.

    Index entities; columns vector_low vector vector_high graph_low graph graph_high, fitted to perfect retrieval of two hops
    (fast-graphrag benchmarks; a vendor). Vectors fall towards zero at five, as Tian Pan's "GraphRAG in Production" says.

    >>> found_by_entities()["vector"].round(2).tolist()
    [0.52, 0.27, 0.14, 0.04, 0.01]
    """
    n = number_list("entities", entities, 1)
    columns: dict[str, np.ndarray] = {}
    for name in ("vector", "graph"):
        each = fitted(f"{name}.per_entity")
        columns |= {
            f"{name}{suffix}": all_found(n, x)
            for suffix, x in (("_low", each.low), ("", each.mid), ("_high", each.high))
        }
    return pd.DataFrame(columns, index=pd.Index(n, name="entities"))
