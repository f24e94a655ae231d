"""The pitfall linter: mistakes of cost estimates, looked for in the user's own inputs.

It also names risks that no line prices, and zeros that were accepted. A note is no error: it says
what the inputs leave out, and the answer stands. Only a zero for people, evaluation or refresh is
refused until `accept_zero` names it, and every report prints what was accepted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.mixes import Mix
from costmodel.choices.quality.answering import Cases, accepted, cases
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.baselines import ANYBODY, Staff
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.study import Study, analysis
from costmodel.choices.techniques.graphs import GraphRag
from costmodel.choices.techniques.knowledge import Rag
from costmodel.choices.techniques.operations import Evals
from costmodel.choices.techniques.prompting import PromptCache
from costmodel.choices.techniques.tuning import Lora, Tune
from costmodel.choices.techniques.upgrades import Upgrades
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.choices.zeros import EVALUATION, REFRESH, check_accepted, zeros
from costmodel.core import (
    HOURS_PER_MONTH,
    MONTHS_PER_YEAR,
    Doubt,
    Infeasible,
    called,
    middle,
    number_text,
    objects,
    percent,
    unmarked,
    walk,
)
from costmodel.facts.catalog import retirement
from costmodel.ledgers.engine import at_middle
from costmodel.ledgers.register import changes_nothing, inputs_of
from costmodel.studies.operations import unpriced

PITFALLS = {
    "P1": "GPU price over benchmark throughput, as if always busy",
    "P2": "sized for the mean, no headroom, no second replica",
    "P3": "no engineers, on-call or upgrades",
    "P4": "the API bill without the discounts one could get",
    "P5": "every call succeeds",
    "P6": "visible output only",
    "P7": "history that is sent again with each turn",
    "P8": "a cache as a flat discount",
    "P9": "unequal quality compared",
    "P10": "failed answers are free",
    "P11": "a tune as a one-off",
    "P12": "labelling ignored",
    "P13": "evaluation ignored",
    "P14": "an index as a one-off",
    "P15": "prices that never move, or fall tenfold a year",
    "P16": "no growth and no ramp",
    "P17": "savings added that overlap",
    "P18": "the mean user",
    "P19": "English tokens for other languages",
    "P20": "list price, US dollars, one region",
    "P21": "escalated requests paid once",
    "P22": "one adapter, one GPU",
    "P23": "undated prices, untouched defaults",
    "P24": "one number, no band",
    "P25": "a model that ends before the horizon",
    "P26": "an input that changes nothing",
}
BUILT_IN = {
    "P7": "built in: an agent sends its history in every call",
    "P17": "built in: modifiers combine as the price list says",
    "P21": "built in: a cascade pays both models",
    "P22": "built in: adapters share the fleet of their base",
}
FULL_LOAD = 0.95  # more is no reserve
SAFE_REPLICAS = 2  # what survives the failure of one
NO_PEAK = 1.05  # times the mean
CACHE_LIKE = 0.5  # a discount that hides a cache
APART = 0.05  # qualities that differ
NAIVE_FALL = -0.5  # of API prices in a year
LONG = 24  # months in which prices move
MOST = 0.5  # share of untouched defaults
Note = tuple[str, str, str]  # code, option ("" for all), what to say


@analysis
def lint(
    study: Study, accept_zero: Iterable[str] | None = None, everything: bool = False
) -> pd.DataFrame:
    """Note the pitfalls that the inputs of a study run into.

    Parameters
    ----------
    study : Study, or options with a workload
        The options.
    accept_zero : iterable of str, optional
        Zeros for people, evaluation and refresh that are meant; by default those of the study.
    everything : bool
        Whether codes without a note are listed too, with what was found instead.

    Returns
    -------
    pandas.DataFrame
        One row a note. Columns: code ("zero" for what was accepted, P1 to P26, "risk" for an
        operation that is left out), pitfall, options (labels), note.

    Raises
    ------
    ValueError
        When `accept_zero` names what is no zero.

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(cm.Api("gpt-6.1-terra", on="2026-11-01"))
    >>> work = cm.Workload(300_000, input_tokens=900, output_tokens=250)
    >>> notes = cm.operations.lint(option, work)
    >>> int((notes["code"] == "risk").sum())
    5
    """
    accept_zero = (study.accept_zero or ()) if accept_zero is None else accept_zero
    check_accepted(accept_zero, zeros(study.inputs))
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for code, label, note in _notes(study):
        found[code][note].append(label)
    rows = [
        ("zero", "accepted by you", "", f"{called(name)} is 0, and that is accepted")
        for name in accept_zero
    ]
    for code, pitfall in PITFALLS.items():
        for note, labels in found[code].items():
            rows.append((code, pitfall, ", ".join(filter(None, labels)), note))
        if everything and not found[code]:
            clear = BUILT_IN.get(code, "clear: the inputs do not show it")
            rows.append((code, pitfall, "", clear))
    return pd.DataFrame([*rows, *_risks(study)], columns=["code", "pitfall", "options", "note"])


def _risks(study: Study) -> Iterator[tuple[str, str, str, str]]:
    """One note for each operation that options lack: USD a year, and the reason of the dearest."""
    found: dict[tuple[str, str], list[tuple[float, str, str]]] = defaultdict(list)
    for label in study.options:
        with suppress(Infeasible):
            for row in unpriced(study, label).itertuples():
                found[row.operation, row.risk].append((row.usd_per_year, label, row.why))
    for (operation, risk), rows in found.items():
        (least, *_), (most, _, why) = min(rows), max(rows)
        usd = " to ".join(dict.fromkeys(f"{x:,.0f}" for x in (least, most)))
        note = f"no {operation}: about USD {usd} a year that no line prices; {why}"
        yield "risk", risk, ", ".join(label for _, label, _ in rows), note


# -- what is looked at ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Inputs:
    """A study as the checks see it: with every Range at its middle."""

    study: Study
    work: Workload
    terms: Terms
    things: dict[str, list[Any]]  # every object of an option, by its label
    cases: dict[str, Cases]  # of the options that can run

    def each(self, kind: Any) -> list[tuple[str, Any]]:
        """Every object of a class, with the label of its option."""
        return [(label, t) for label, of in self.things.items() for t in of if isinstance(t, kind)]


def _notes(study: Study) -> Iterator[Note]:
    """Everything that there is to say, by subject."""
    options, work, terms = middle((study.options, study.work, study.terms))
    things = {label: list(objects(option)) for label, option in options.items()}
    found = {label: cases(options[label], work, terms) for label in at_middle(study).bills}
    seen = _Inputs(study, work, terms, things, found)
    for look in (_gpus, _apis, _answers, _techniques, _workload, _terms, _options, _unused):
        yield from look(seen)


def _certain(*values: Any) -> bool:
    return not any(isinstance(v, Doubt) and v.low < v.high for v in values)


def _gpus(x: _Inputs) -> Iterator[Note]:
    hosts = x.each(Hosted)
    for label, host in hosts:
        if host.load_max >= FULL_LOAD:
            yield (
                "P1",
                label,
                f"own GPUs are planned at {percent(host.load_max)} load; {percent(FULL_LOAD)} and "
                "more has never held a latency target",
            )
        if host.replicas_min < SAFE_REPLICAS:
            alone = "one replica may serve alone: when it fails, nobody answers"
            yield "P2", label, f"{alone}; keep two (replicas_min=2)"
    if hosts and x.work.peak_to_average <= NO_PEAK:
        yield (
            "P2",
            "",
            "every hour is like the mean (peak_to_average is 1): nothing is kept for a peak",
        )
        if x.work.active_hours_per_month >= HOURS_PER_MONTH:
            yield (
                "P1",
                "",
                "traffic without nights, weekends or peaks keeps own GPUs as busy as a benchmark",
            )


def _apis(x: _Inputs) -> Iterator[Note]:
    apis, cached = x.each(Api), dict(x.each(PromptCache))
    if not apis:
        return
    listed = all(api.mode == "standard" and not api.discount for _, api in apis)
    if x.each(Hosted) and listed and not cached:
        yield (
            "P4",
            "",
            "own GPUs are compared with API list prices; add a cache (PromptCache), "
            "mode='batch' or a negotiated discount where you could have it",
        )
    if x.work.reasoning_tokens == 0:
        hidden = (
            "no hidden reasoning is counted (reasoning_tokens is 0); a reasoning model writes "
            "2.5 to 6 times the visible output"
        )
        yield "P6", "", hidden
    moved, start = dict(x.each(Upgrades)), str(x.terms.start)
    last = f"{np.datetime64(start[:7]) + x.terms.months}"  # the month after the horizon
    for label, api in apis:
        end = retirement(api.model.id, api.model.provider)
        day = end.retires if end else None
        if end and day and day < last and (label not in moved or day < start):
            words = f"{api.model.id} at {api.model.provider}: {end.words(start)}"
            yield "P25", label, f"{words}; choose another model, or pay for the move (Upgrades)"
        if (off := max(api.discount, api.model.discount)) >= CACHE_LIKE:
            yield (
                "P8",
                label,
                f"a discount of {percent(off)} on all tokens; a cache has misses, writes and a "
                "time to live: let PromptCache price it",
            )
    for label in dict.fromkeys(label for label, a in apis if a.mode != "standard" and a.discount):
        if label in cached:
            several = "batch, cache and a negotiated discount together: do they add up? Ask"
            yield "P17", label, several
    yield (
        "P19",
        "",
        "no language is seen in a number of tokens; other languages than English need 1.3 to 10 "
        "times as many: count yours",
    )
    if all(api.residency is None for _, api in apis):
        yield (
            "P20",
            "",
            "list prices without residency; keeping data in a region adds some 10 to 25 %, tax is "
            "not in it",
        )


def _answers(x: _Inputs) -> Iterator[Note]:
    for label, parts in x.cases.items():
        for _, case, _ in parts:
            calls = case.request.calls
            alike = len({float(c.prompt_tokens) for c in calls}) == 1
            if alike and sum(float(c.per_request) for c in calls) > 1:
                yield (
                    "P7",
                    label,
                    "several calls a request with the same prompt: does no turn send the history "
                    "again?",
                )
    shares = {
        label: accepted(middle(option), x.cases[label])
        for label, option in x.study.options.items()
        if label in x.cases
    }
    for label, share in shares.items():
        if share is None:
            yield "P9", label, "its quality is not known: it is not comparable"
    known = [float(share) for share in shares.values() if share is not None]
    free = not np.any(x.work.usd_per_failure)
    if free:
        yield "P10", "", "an answer that fails costs nothing (usd_per_failure is 0)"
    if free and x.study.quality_floor is None and known and np.ptp(known) > APART:
        yield (
            "P9",
            "",
            "the qualities differ and nothing counts it; say what a wrong answer costs "
            "(usd_per_failure) or which share must be accepted (quality_floor)",
        )


def _techniques(x: _Inputs) -> Iterator[Note]:
    months, corpus = x.terms.months, x.work.corpus
    for label, tune in x.each(Tune):
        if tune.runs is not None and tune.runs <= 1:
            yield "P11", label, "the first training run is taken to pass"
        if min(unmarked(tune.retrain_months), tune.base_life_months) > months:
            yield (
                "P11",
                label,
                f"neither drift nor the end of the base model falls into the {months} months",
            )
        each = tune.labels.usd_per_item if tune.minutes_per_label is None else 1
        if tune.examples and each == 0:
            yield "P12", label, "the labels cost nothing"
    still = corpus is not None and not corpus.churn_per_month and not np.any(corpus.growth_per_year)
    for label, index in (*x.each(Rag), *x.each(GraphRag)):
        if still:
            yield "P14", label, "the corpus never changes, so its index is made once"
        never = getattr(index, "refresh_share", 1) == 0
        if never or getattr(index, "refresh_months", 0) > months:
            yield "P14", label, "the graph is never refreshed"


def _workload(x: _Inputs) -> Iterator[Note]:
    work = x.study.work
    yield (
        "P5",
        "",
        "every call is taken to succeed; retries and time-outs add some 3 to 15 %: raise the "
        "requests by them",
    )
    if work.flat and x.terms.months >= MONTHS_PER_YEAR:
        yield (
            "P16",
            "",
            f"the same requests in each of {x.terms.months} months: no growth, no ramp",
        )
    if _certain(work.input_tokens, work.output_tokens):
        yield (
            "P18",
            "",
            "one length stands for all requests; heavy users cost several times the mean: see "
            "notebook 05",
        )
    if _certain(work.requests_per_month, work.growth_per_year, work.usd_per_failure):
        volume = number_text(work.requests_per_month)
        yield "P24", "", f"the volume is one number, {volume} a month, without a range"


def _terms(x: _Inputs) -> Iterator[Note]:
    given, api, months = x.study.terms.trends, x.terms.trends.api, x.terms.months
    if months >= LONG and _certain(given.api, given.gpu, given.labour) and not np.any(api):
        yield "P15", "", f"prices stand still for {months} months"
    if api <= NAIVE_FALL:
        yield (
            "P15",
            "",
            f"API prices fall {percent(-api)} a year; that is the trend at equal quality, not of a "
            "model you keep",
        )
    if x.terms.on is None:
        yield (
            "P23",
            "",
            "the day whose prices hold is not given (on): each day may have another answer",
        )
    inputs = inputs_of(x.study)
    untouched = inputs["default"].mean()
    if untouched > MOST:
        yield (
            "P23",
            "",
            f"{percent(untouched)} of {len(inputs)} inputs are defaults that nobody has touched; "
            "the register lists them",
        )


def _options(x: _Inputs) -> Iterator[Note]:
    for label, option in x.study.options.items():
        kinds = [type(thing) for thing in x.things[label]]

        def count(*classes: type, kinds: list[type] = kinds) -> int:
            return sum(issubclass(kind, classes) for kind in kinds)

        if count(Api, Hosted) and not count(Evals):
            yield "P13", label, "nothing is spent on evaluation (Evals)"
        for key in zeros(option):
            if key.endswith(EVALUATION):
                yield "P13", label, f"{called(key)} is 0: nothing is evaluated"
            elif not key.endswith(REFRESH):
                yield "P3", label, f"{called(key)} is 0: no people are paid for it"
        staff = [thing for thing in x.things[label] if isinstance(thing, Staff)]
        if any(s.usd_per_hour is None and getattr(s.role, "id", s.role) == ANYBODY for s in staff):
            yield "P3", label, "people without a role: the rate is that of anybody; say their role"
        if isinstance(option, Mix) and all(p.sees is None for p in option.mix):
            yield (
                "P21",
                label,
                "a router: choosing the model is free and always right; a cascade pays for both "
                "models",
            )
        if isinstance(option, Mix) and count(Lora) > 1:
            note = (
                "several adapters, each with a fleet of its own; Lora(adapters=...) lets them share"
            )
            yield "P22", label, note
        if _certain(*(value for _, _, value in walk(option))):
            yield "P24", label, "no input of it is a range"


def _unused(x: _Inputs) -> Iterator[Note]:
    for label, note in changes_nothing(x.study):
        yield "P26", label, note
