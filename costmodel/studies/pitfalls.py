"""The pitfall linter: two dozen mistakes of cost estimates, looked for in the user's own inputs; risks that no line of the bill prices;
and zeros that must be accepted.

A note is no error: it says what the inputs leave out, and the answer stands. Only a zero for people, evaluation or refresh
needs a word: a scenario with one is refused until `accept_zero` names it, and every report prints what was accepted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.options import Mix
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.study import Study, analysis
from costmodel.choices.techniques.graphs import GraphRag
from costmodel.choices.techniques.knowledge import Rag
from costmodel.choices.techniques.operations import Evals
from costmodel.choices.techniques.prompting import PromptCache
from costmodel.choices.techniques.tuning import Lora, Tune
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.choices.zeros import EVALUATION, REFRESH, meant, zeros
from costmodel.core.draws import middle
from costmodel.core.errors import Infeasible, check
from costmodel.core.nested import objects, walk
from costmodel.core.ranges import Doubt
from costmodel.core.units import HOURS_PER_MONTH, MONTHS_PER_YEAR
from costmodel.core.words import number_text
from costmodel.ledgers.engine import accepted, cases
from costmodel.ledgers.register import register
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
}
FULL, ALONE, POINT, FLAT_OFF = (
    0.95,
    2,
    1.05,
    0.5,
)  # load that is no reserve; replicas that survive a failure; a peak that is none; a discount that hides a cache
APART, NAIVE_FALL, LONG, MOST = (
    0.05,
    -0.5,
    24,
    0.5,
)  # qualities that differ; a yearly fall; months in which prices move; a share of untouched defaults
Note = tuple[str, str]  # (option, what to say)


@analysis
def lint(
    study: Study, accept_zero: Iterable[str] | None = None, everything: bool = False
) -> pd.DataFrame:
    """Notes on the user's own inputs: the pitfalls P1 to P24 that they run into, the operations that are left out with the risk that
    stays (code "risk"), and the zeros that were accepted.

    Columns: code, pitfall, options, note; one row per note. `everything` lists all codes, also those without a note, with what was found instead.
    """
    accept_zero = (study.accept_zero or ()) if accept_zero is None else accept_zero
    check(
        not isinstance(accept_zero, str),
        f"accept_zero is {accept_zero!r}, it must be a list of names",
    )
    meant(accept_zero, zeros(study.inputs))
    seen = _Inputs(study.options, study.work, study.terms, study.quality_floor)
    rows = [
        ("zero", "accepted by you", "", f"{name} is 0, and that is accepted")
        for name in accept_zero
    ]
    for code, pitfall in PITFALLS.items():
        found: dict[str, list[str]] = {}
        for label, note in CHECKS[code](seen):
            found.setdefault(note, []).append(label)
        rows += [
            (code, pitfall, ", ".join(x for x in labels if x), note)
            for note, labels in found.items()
        ]
        if everything and not found:
            rows.append((code, pitfall, "", BUILT_IN.get(code, "clear: the inputs do not show it")))
    rows += _risks(study)
    return pd.DataFrame(rows, columns=["code", "pitfall", "options", "note"])


def _risks(study: Study) -> Iterator[tuple[str, str, str, str]]:
    """One note for each operation that options do not have: what stays unpriced, in dollars a year, and the reason of the dearest."""
    found: dict[tuple[str, str], list[tuple[float, str, str]]] = {}
    for label in study.options:
        with suppress(Infeasible):
            for row in unpriced(study, label).itertuples():
                found.setdefault((row.operation, row.risk), []).append(
                    (row.usd_per_year, label, row.why)
                )
    for (operation, risk), rows in found.items():
        least, most = min(rows), max(rows)
        usd = " to ".join(dict.fromkeys(f"{x[0]:,.0f}" for x in (least, most)))
        yield (
            "risk",
            risk,
            ", ".join(label for _, label, _ in rows),
            f"no {operation}: about USD {usd} a year that no line prices; {most[2]}",
        )


BUILT_IN = {
    "P5": "clear",
    "P7": "built in: an agent sends its history in every call",
    "P17": "built in: modifiers combine as the price list says",
    "P21": "built in: a cascade pays both models",
    "P22": "built in: adapters share the fleet of their base",
}


@dataclasses.dataclass(frozen=True)
class _Inputs:
    """What the checks look at: the options with their parts at the middle, the workload, the terms."""

    options: Mapping[str, Any]
    work: Workload
    terms: Terms
    quality_floor: float | None

    @property
    def middle(self) -> tuple[Workload, Terms]:
        return middle((self.work, self.terms))

    def cases(self) -> Iterator[tuple[str, Any]]:
        """The finished cases of every option that can run, with its label."""
        for label, option in self.options.items():
            with suppress(Infeasible):
                yield label, cases(middle(option), *self.middle)

    def each(self, kind: type) -> Iterator[tuple[str, Any]]:
        """Every object of a class in the options, at the middle, with the label of its option."""
        for label, option in self.options.items():
            for thing in objects(middle(option)):
                if isinstance(thing, kind):
                    yield label, thing


def _certain(*values: Any) -> bool:
    return not any(isinstance(v, Doubt) and v.low < v.high for v in values)


def _p1(x: _Inputs) -> Iterator[Note]:
    for label, host in x.each(Hosted):
        if host.load_max >= FULL:
            yield (
                label,
                f"own GPUs are planned at {host.load_max:.0%} load; {FULL:.0%} and more has never held a latency target",
            )
    if (
        x.middle[0].active_hours_per_month >= HOURS_PER_MONTH
        and x.middle[0].peak_to_average <= POINT
        and any(x.each(Hosted))
    ):
        yield "", "traffic without nights, weekends or peaks keeps own GPUs as busy as a benchmark"


def _p2(x: _Inputs) -> Iterator[Note]:
    for label, host in x.each(Hosted):
        if host.replicas_min < ALONE:
            yield (
                label,
                "one replica may serve alone: when it fails, nobody answers; replicas_min=2 prices the second",
            )
    if x.middle[0].peak_to_average <= POINT and any(x.each(Hosted)):
        yield "", "peak_to_average is 1: the fleet is sized for the mean"


def _p3(x: _Inputs) -> Iterator[Note]:
    for label, option in x.options.items():
        for key in zeros(option):
            if not key.endswith(EVALUATION + REFRESH):
                yield label, f"{key} is 0: no people are paid for it"


def _p4(x: _Inputs) -> Iterator[Note]:
    apis = [api for _, api in x.each(Api)]
    if (
        any(x.each(Hosted))
        and apis
        and not any(x.each(PromptCache))
        and all(a.mode == "standard" and not a.discount for a in apis)
    ):
        yield (
            "",
            "own GPUs are compared with API list prices; add PromptCache(), mode='batch' or a negotiated discount where you could have it",
        )


def _p5(x: _Inputs) -> Iterator[Note]:
    if not any(
        "retr" in name and "retrain" not in name and value
        for _, name, value in walk((list(x.options.values()), x.work))
    ):
        yield (
            "",
            "every call is taken to succeed; retries and time-outs add some 3 to 15 %: raise the requests, or use per_outcome",
        )


def _p6(x: _Inputs) -> Iterator[Note]:
    if x.middle[0].reasoning_tokens == 0 and any(x.each(Api)):
        yield (
            "",
            "reasoning_tokens is 0; a reasoning model writes 2.5 to 6 times the visible output",
        )


def _p7(x: _Inputs) -> Iterator[Note]:
    for label, resolved in x.cases():
        for _, case, _ in resolved:
            calls = case.request.calls
            if (
                sum(float(c.per_request) for c in calls) > 1
                and len({float(c.prompt_tokens) for c in calls}) == 1
            ):
                yield (
                    label,
                    "several calls a request with the same prompt: does no turn send the history again?",
                )


def _p8(x: _Inputs) -> Iterator[Note]:
    for label, api in x.each(Api):
        if max(api.discount, api.model.discount) >= FLAT_OFF:
            yield (
                label,
                f"a discount of {max(api.discount, api.model.discount):.0%} on all tokens; a cache has misses, writes and a time to live: use PromptCache()",
            )


def _p9(x: _Inputs) -> Iterator[Note]:
    shares = {label: accepted(resolved) for label, resolved in x.cases()}
    yield from (
        (label, "its quality is not known: it is not comparable")
        for label, share in shares.items()
        if share is None
    )
    known = [float(share) for share in shares.values() if share is not None]
    apart = len(known) > 1 and max(known) - min(known) > APART
    if apart and x.quality_floor is None and not np.any(x.middle[0].usd_per_failure):
        yield (
            "",
            "the qualities differ and nothing counts it; set quality_floor or usd_per_failure, or use equal_quality",
        )


def _p10(x: _Inputs) -> Iterator[Note]:
    if x.middle[0].usd_per_failure == 0:
        yield "", "usd_per_failure is 0: an answer that fails costs nothing"


def _p11(x: _Inputs) -> Iterator[Note]:
    months = x.terms.months
    for label, tune in x.each(Tune):
        if tune.runs is not None and tune.runs <= 1:
            yield label, "the first training run is taken to pass"
        if min(tune.retrain_months, tune.base_life_months) > months:
            yield (
                label,
                f"neither drift nor the end of the base model falls into the {months} months",
            )


def _p12(x: _Inputs) -> Iterator[Note]:
    for label, tune in x.each(Tune):
        if tune.examples and tune.labels.usd_per_item == 0:
            yield label, "the labels cost nothing"


def _p13(x: _Inputs) -> Iterator[Note]:
    for label, option in x.options.items():
        tested = any(isinstance(t, Evals) for t in objects(option))
        if not tested and any(isinstance(t, (Api, Hosted)) for t in objects(option)):
            yield label, "nothing is spent on evaluation; add Evals()"
        yield from (
            (label, f"{key} is 0: nothing is evaluated")
            for key in zeros(option)
            if key.endswith(EVALUATION)
        )


def _p14(x: _Inputs) -> Iterator[Note]:
    corpus = x.middle[0].corpus
    still = (
        corpus is not None and corpus.churn_per_month == 0 and not np.any(corpus.growth_per_year)
    )
    for label, technique in (*x.each(Rag), *x.each(GraphRag)):
        if still:
            yield label, "the corpus never changes, so its index is made once"
        if (
            getattr(technique, "refresh_share", 1) == 0
            or getattr(technique, "refresh_months", 0) > x.terms.months
        ):
            yield label, "the graph is never refreshed"


def _p15(x: _Inputs) -> Iterator[Note]:
    trends = x.terms.trends
    if (
        x.terms.months >= LONG
        and _certain(*(getattr(trends, n) for n in ("api", "gpu", "labour")))
        and not np.any(middle(trends).api)
    ):
        yield "", f"prices stand still for {x.terms.months} months"
    if middle(trends).api <= NAIVE_FALL:
        yield (
            "",
            f"API prices fall {-middle(trends).api:.0%} a year; that is the trend at equal quality, not of a model you keep",
        )


def _p16(x: _Inputs) -> Iterator[Note]:
    if x.work.flat and x.terms.months >= MONTHS_PER_YEAR:
        yield "", f"the same requests in each of {x.terms.months} months: no growth, no ramp"


def _p17(x: _Inputs) -> Iterator[Note]:
    for label, option in x.options.items():
        apis = [
            t
            for t in objects(middle(option))
            if isinstance(t, Api) and t.mode != "standard" and t.discount
        ]
        if apis and any(isinstance(t, PromptCache) for t in objects(option)):
            yield (
                label,
                "batch, cache and a negotiated discount together: ask the provider whether they add up",
            )


def _p18(x: _Inputs) -> Iterator[Note]:
    if _certain(x.work.input_tokens, x.work.output_tokens):
        yield (
            "",
            "one length stands for all requests; heavy users cost several times the mean: see unit_economics",
        )


def _p19(x: _Inputs) -> Iterator[Note]:
    if any(x.each(Api)):
        yield (
            "",
            "no language is seen in a number of tokens; other languages than English need 1.3 to 10 times as many: count yours",
        )


def _p20(x: _Inputs) -> Iterator[Note]:
    apis = [api for _, api in x.each(Api)]
    if apis and all(api.residency is None for api in apis):
        yield (
            "",
            "list prices without residency; keeping data in a region adds some 10 to 25 %, tax is not in it",
        )


def _p21(x: _Inputs) -> Iterator[Note]:
    for label, option in x.options.items():
        if isinstance(option, Mix) and all(p.sees is None for p in option.mix):
            yield (
                label,
                "a router: choosing the model is free and always right; cascade() pays for both models",
            )


def _p22(x: _Inputs) -> Iterator[Note]:
    for label, option in x.options.items():
        if isinstance(option, Mix) and sum(isinstance(t, Lora) for t in objects(option)) > 1:
            yield (
                label,
                "several adapters, each with a fleet of its own; Lora(adapters=...) lets them share a base",
            )


def _p23(x: _Inputs) -> Iterator[Note]:
    if x.terms.on is None:
        yield "", "no date of prices: `on` freezes them"
    inputs = register(x.options, x.work, x.terms)
    untouched = inputs["default"].mean()
    if untouched > MOST:
        yield (
            "",
            f"{untouched:.0%} of {len(inputs)} inputs are defaults that nobody has touched; the register lists them",
        )


def _p24(x: _Inputs) -> Iterator[Note]:
    work = x.work
    if _certain(work.requests_per_month, work.growth_per_year, work.usd_per_failure):
        yield (
            "",
            f"the volume is one number, {number_text(work.requests_per_month)} a month, without a range",
        )
    for label, option in x.options.items():
        if _certain(*(value for _, _, value in walk(option))):
            yield label, "no input of it is a range"


CHECKS: dict[str, Callable[[_Inputs], Iterator[Note]]] = {
    code: globals()[f"_{code.lower()}"] for code in PITFALLS
}
