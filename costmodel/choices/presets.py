"""Floor 3: what a user can choose: a workload, terms, a serving, techniques, options and studies of them.

It imports `laws` and everything below.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from costmodel.choices.options import Mix, Option, cascade
from costmodel.choices.profiles import profile
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.techniques.graphs import GraphRag
from costmodel.choices.techniques.knowledge import LongContext, Rag
from costmodel.choices.techniques.operations import Evals, Monitoring, Upgrades
from costmodel.choices.techniques.prompting import FewShot, Prompt, PromptCache
from costmodel.choices.techniques.tuning import Distill, FineTune, Lora
from costmodel.choices.workload import Workload
from costmodel.core.checks import one_number, require
from costmodel.core.draws import middle
from costmodel.core.errors import check, in_words, unknown
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.core.units import DAYS_PER_MONTH
from costmodel.facts.tokens import pages_to_tokens, words_to_tokens

LABELS = (
    "Prompt",
    "Few-shot",
    "Few-shot + cache",
    "RAG",
    "GraphRAG",
    "Long context + cache",
    "Managed fine-tune",
    "LoRA",
    "Distilled",
    "RAG + LoRA",
    "Cascade",
)
NEEDED = 5  # documents that a question needs at most
WHOLE = 0.9  # a corpus up to this share of the window is sent whole
MODELS = (
    "gpt-6.1-terra",
    "gpt-6.1-sol",
    "gpt-6-luna",
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-haiku-5-5",
    "gemini-4-argon",
    "gemini-3.8-flash",
    "gemini-3.5-flash-lite",
    "mistral-large-latest",
    "deepseek-v4-pro",
)


# use case: (requests a day, pages read, words read, words written): a first guess for who has no numbers yet
USE_CASES: dict[str, tuple[float, float, float, float]] = {
    "Support assistant": (10_000, 0, 700, 190),
    "Document extraction": (3_000, 4, 0, 150),
    "Code assistant": (5_000, 0, 3_000, 400),
    "Custom": (1_000, 0, 500, 200),
}
TOKENS_ONLY, WHOLE_LIFE = "Tokens alone", "Whole life"


@public
def quick(
    use_case: str = "Support assistant",
    model: str = MODELS[0],
    requests_per_day: float | None = None,
    pages_in: float | None = None,
    words_in: float | None = None,
    words_out: float | None = None,
    usd_per_month: float | None = None,
    on: str | None = None,
) -> tuple[dict[str, Option], Workload]:
    """A first answer: the bill for tokens alone, and the whole life of plain prompting, as (options, workload).

    What is None comes from the use case. With `usd_per_month`, a known API bill for tokens, the requests follow from it.
    """
    if use_case not in USE_CASES:
        raise unknown("use case", use_case, USE_CASES, "the quick answer")
    given = (requests_per_day, pages_in, words_in, words_out)
    reads = pages_in is not None or words_in is not None  # pages replace words, and words pages
    guess = [
        0.0 if value is None and reads and i in (1, 2) else preset
        for i, (value, preset) in enumerate(zip(given, USE_CASES[use_case], strict=True))
    ]
    per_day, pages, words, written = (
        g if v is None else v for v, g in zip(given, guess, strict=True)
    )
    for name, value in zip(
        ("requests_per_day", "pages_in", "words_in", "words_out"),
        (per_day, pages, words, written),
        strict=True,
    ):
        require(name, value)
    check(not (pages and words), "give pages_in or words_in, not both; 0 pages for words")
    read = pages_to_tokens(pages) if pages else words_to_tokens(words)
    sizes: dict[str, Any] = {"input_tokens": read, "output_tokens": words_to_tokens(written)}
    if usd_per_month is None:
        work = Workload(per_day * DAYS_PER_MONTH, **sizes)
    else:
        require("usd_per_month", usd_per_month, low=0.01)
        each: dict[str, Any] = {
            name: value.mid if isinstance(value, Range) else value for name, value in sizes.items()
        }
        work = Workload.from_bill(usd_per_month, model, on=on, **each)
    return {
        TOKENS_ONLY: Option(Api(model, on=on)),
        WHOLE_LIFE: presets(work, model=model, on=on)["Prompt"],
    }, work  # type: ignore[dict-item]


@public
def presets(
    work: Workload,
    model: str = "gpt-6.1-terra",
    small: str = "gpt-6-luna",
    tuning: str = "vertex.gemini-3.5-flash",
    tuned: str = "gemini-3.5-flash",
    open_model: str = "llama-3.1-8b",
    gpu: str = "L40S",
    teacher: str = "deepseek-v4-pro",
    on: str | None = None,
    quality: dict[str, Number] | None = None,
) -> dict[str, Option | Mix]:
    """The eleven options of the notebook "Which approach?", as {label: option}.

    `quality` maps labels to your own evaluations (numbers, Ranges or `Measured(accepted, trials)`), which replace the
    defaults. The `teacher` of the distilled student has open weights, because the terms of closed models forbid to train on
    their answers; it is taken to be as good as `model`. Where the workload has a corpus, plain prompting starts low: the model has not read it; the
    distilled student and its teacher then both read what retrieval finds.
    """
    check(
        isinstance(work, Workload),
        f"presets: the workload is {in_words(work)}, it must be a Workload(...)",
    )
    for label in quality or {}:
        if label not in LABELS:
            raise unknown("option", label, LABELS, where="the presets")
    knows = work.corpus is None
    why = "preset: plain instructions, " + (
        "a task within the model's own knowledge"
        if knows
        else "questions about documents it has not read"
    )
    large = (
        Range(0.60, 0.90, mid=0.78, name="accepted.large", why=why)
        if knows
        else Range(0.20, 0.55, mid=0.35, name="accepted.large", why=why)
    )
    little = (
        Range(0.45, 0.80, mid=0.64, name="accepted.small", why=why)
        if knows
        else Range(0.12, 0.42, mid=0.25, name="accepted.small", why=why)
    )
    api = Api(model, on=on, accepted=large)
    cheap = Api(small, on=on, accepted=little)
    own = Hosted(open_model, gpu=gpu, accepted=little)
    run = (Prompt(), Evals(judge=api), Monitoring(judge=cheap), Upgrades())
    documents = _documents(work, api)
    options: dict[str, Any] = {
        "Prompt": Option(api, *run),
        "Few-shot": Option(api, FewShot(), *run),
        "Few-shot + cache": Option(api, FewShot(), PromptCache(), *run),
        "RAG": Option(api, Rag(), *run),
        "GraphRAG": Option(api, GraphRag(extractor=cheap), *run),
        "Long context + cache": Option(
            api, LongContext(document_tokens=documents), PromptCache(), *run
        ),
        "Managed fine-tune": Option(
            Api(tuned, on=on, accepted=large), FineTune(tuning=tuning), *run
        ),
        "LoRA": Option(own, Lora(), *run),
        "Distilled": Option(
            own,
            *(() if knows else (Rag(reader="small"),)),
            Distill(teacher=Api(teacher, on=on, accepted=large)),
            *run,
        ),
        "RAG + LoRA": Option(own, Rag(reader="small"), Lora(), *run),
        "Cascade": cascade(
            Option(cheap, Rag(), *run) if not knows else Option(cheap, FewShot(), *run),
            Option(api, Rag(), *run) if not knows else Option(api, FewShot(), *run),
            escalated=Range(
                0.15, 0.45, mid=0.3, why="preset: share of requests that the small model hands on"
            ),
        ),
    }
    return {
        label: with_quality(option, (quality or {}).get(label)) for label, option in options.items()
    }


def _documents(work: Workload, api: Api) -> Range | None:
    """Tokens of the documents that one question needs; None where the workload says it, or the window holds the corpus."""
    if work.corpus is None or work.document_tokens is not None:
        return None
    corpus: Any = middle(work.corpus)
    grows = isinstance(work.corpus.growth_per_year, Range) or bool(work.corpus.growth_per_year)
    if not grows and corpus.tokens < WHOLE * (api.window or 0):
        return None
    if corpus.documents:
        one = corpus.tokens / corpus.documents
        return Range(
            one, NEEDED * one, form="amount", why=f"preset: one to {NEEDED} documents of mean size"
        )
    return Range(
        15_000,
        60_000,
        mid=30_000,
        why="preset: the documents that one question needs, before retrieval picks passages",
    )


@public
def with_quality(option: Option | Mix, quality: Number | None) -> Option | Mix:
    """The option with your own evaluation in place of every assumed effect."""
    if quality is None:
        return option
    if isinstance(option, Mix):
        return Mix(mix=[replace(p, option=with_quality(p.option, quality)) for p in option.mix])
    return replace(option, quality=quality)


@public
def with_fleet(
    options: Mapping[str, Any],
    work: Workload,
    own_model: str | None = None,
    gpu: str | None = None,
    precision: str | None = None,
    traffic_profile: str | None = None,
    peak_to_avg: Number | None = None,
    throughput_tps: Number | None = None,
    gpu_hourly: Number | None = None,
    min_replicas: Number | None = None,
    headroom: Number | None = None,
    spare_replicas: Number | None = None,
    fte: Number | None = None,
    purchase_price: Number | None = None,
    life_months: Number | None = None,
    residual: Number | None = None,
) -> tuple[dict[str, Any], Workload]:
    """Options on own GPUs, and their workload, with what is not None changed everywhere: (options, work).

    `throughput_tps` is a measured output of one replica [token/s], `gpu_hourly` your rent [USD/GPU-hour], `headroom` the share
    of capacity kept free beside queueing, `purchase_price` that of one GPU.
    """
    servings = [
        option.serving
        for option in options.values()
        if isinstance(getattr(option, "serving", None), Hosted)
    ]
    bought = {"purchase_price": purchase_price, "life_months": life_months, "residual": residual}
    for given, found, kind in (
        (bought, any(s.owned is not None for s in servings), "bought"),
        ({"gpu_hourly": gpu_hourly}, any(s.owned is None for s in servings), "rented"),
    ):
        asked = ", ".join(name for name, value in given.items() if value is not None)
        check(
            found or not asked,
            f"with_fleet: {asked} changes nothing, because no option has {kind} GPUs",
        )
    for name, value in (("throughput_tps", throughput_tps), ("headroom", headroom)):
        if value is not None:
            one_number(f"with_fleet: {name}", value, 0, 0.99 if name == "headroom" else math.inf)
    timing = profile(traffic_profile) if traffic_profile is not None else {}
    work = replace(work, **timing, **_given(peak_to_average=peak_to_avg))
    per_request: Any = middle(work.output_tokens) + middle(work.reasoning_tokens)
    rate = None if throughput_tps is None else throughput_tps / per_request
    changes = _given(
        model=own_model,
        gpu=gpu,
        precision=precision,
        requests_per_s=rate,
        replicas_min=min_replicas,
        upkeep_fte=fte,
        load_max=None if headroom is None else 1 - headroom,
    )
    made: dict[str, Any] = {}
    for label, option in options.items():
        serving = getattr(option, "serving", None)
        if not isinstance(serving, Hosted):
            made[label] = option
            continue
        if serving.owned is not None:
            bought = _given(capex_usd=purchase_price, life_months=life_months, residual=residual)
            changes["owned"] = replace(serving.owned, **bought)
        own = replace(
            serving,
            **changes,
            fleet=replace(serving.fleet, **_given(spare_replicas=spare_replicas)),
        )
        changes.pop("owned", None)
        if gpu_hourly is not None and own.owned is None:
            own = replace(
                own, rent=replace(own.rent, id="your rent", usd_per_gpu_hour=gpu_hourly, sources=())
            )  # type: ignore[type-var]
        made[label] = replace(option, serving=own)
    return made, work


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
